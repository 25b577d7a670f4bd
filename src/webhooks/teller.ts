// In: deliveries that are due. Out: each posted, signed; heard, or told again later with growing pauses, for three days.
// Several processes share the work. Must never take a delivery for heard before the answer, and so may tell one twice, by the same id;
// nor tell anything while the outbox is paused: a restored database does not know which webhooks were taken back since its backup.
import type { Alarms } from '../alarms.ts'
import { recordAudit } from '../audit.ts'
import { type Clock, elapsedMs } from '../clock.ts'
import type { Db, Queryable } from '../db.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { isPausedSql } from '../outbound/pause.ts'
import { createWaker } from '../waker.ts'
import type { AddressRules, Resolve } from './address.ts'
import { type Posted, post } from './post.ts'
import { signaturesOf } from './secrets.ts'
import { giveUpAll } from './webhooks.ts'

export interface TellerOptions {
  db: Db
  clock: Clock
  logger: Logger
  metrics: Metrics
  alarms: Alarms
  /** Of which the secrets of webhooks follow. */
  houseSecret: string
  rules: AddressRules
  /** For an answer [10 000]. */
  timeoutMs?: number
  /** Looked for so often [1000]. */
  pollMs?: number
  /** How names are resolved [by the system]. */
  resolve?: Resolve
}

export interface Teller {
  start(): void
  /** Resolves when the calls under way have ended. */
  stop(): Promise<void>
  /** Tells what is due now, once each; how many that was. */
  drainOnce(): Promise<number>
  /** Raises the alarm of each webhook that hears nothing, and clears those of the others. */
  look(): Promise<void>
}

const minutes = 60
const hours = 60 * minutes
/** Seconds after each attempt that failed; after the last one it is given up. Three days in all. */
export const pausesSeconds = [
  5,
  minutes,
  5 * minutes,
  30 * minutes,
  2 * hours,
  5 * hours,
  10 * hours,
  14 * hours,
  20 * hours,
  20 * hours,
]
/** A webhook that heard nothing for so long is disabled. */
export const disabledAfterMs = 5 * 24 * hours * 1_000

/** One that heard nothing for so long is an alarm. */
const alarmAfterMs = 24 * hours * 1_000
const lookEveryMs = 60_000

/** Calls to one webhook at once: a slow receiver holds up itself alone. */
const callsMax = 10
/** While a delivery is being told nobody else takes it; a process that dies leaves it for so long. */
const leaseSeconds = 60

interface Due {
  id: string
  webhookId: string
  programmeId: string
  url: string
  body: string
  attempts: number
  event: string
  secretNumber: number
  rotatedAt: Date | null
}

// The attempt is counted before the call, so that one that kills the process does not go on for ever.
const claimSql = `
  with due as (
    select d.id from webhooks w
     cross join lateral (
       select id from webhook_deliveries
        where webhook_id = w.id and next_at <= $1 order by next_at, id limit $2 for update skip locked) d
     where w.disabled_at is null and w.deleted_at is null and w.id <> all ($3::uuid[]) and not ${isPausedSql}),
  claimed as (
    update webhook_deliveries d set next_at = $1::timestamptz + $4 * interval '1 second', attempts = d.attempts + 1
      from due where d.id = due.id
    returning d.id, d.webhook_id, d.event, d.payload::text as body, d.attempts)
  select c.id, c.webhook_id as "webhookId", w.programme_id as "programmeId", w.url, c.body, c.attempts, c.event,
         w.secret_number as "secretNumber", w.rotated_at as "rotatedAt"
    from claimed c join webhooks w on w.id = c.webhook_id order by c.id`

export function createTeller(options: TellerOptions): Teller {
  const {
    db,
    clock,
    logger,
    metrics,
    alarms,
    houseSecret,
    rules,
    timeoutMs = 10_000,
    pollMs = 1_000,
  } = options
  const waker = createWaker()
  /** Webhooks with calls of this process under way. */
  const busy = new Set<string>()
  const underWay = new Set<Promise<void>>()
  let running = false
  let loop: Promise<void> = Promise.resolve()

  async function claim(): Promise<Due[]> {
    const { rows } = await db.pool.query<Due>(claimSql, [clock.now(), callsMax, [...busy], leaseSeconds])
    return rows
  }

  async function tell(due: Due): Promise<void> {
    const now = clock.now()
    const timestamp = Math.floor(now.getTime() / 1_000)
    const { id, webhookId, body, secretNumber, rotatedAt } = due
    const signing = { houseSecret, webhookId, secretNumber, rotatedAt, now }
    const posted = await post({
      url: due.url,
      body,
      headers: {
        'user-agent': 'Tama',
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': signaturesOf(signing, id, timestamp, body),
      },
      rules,
      timeoutMs,
      ...(options.resolve === undefined ? {} : { resolve: options.resolve }),
    })
    const isHeard = 'status' in posted && posted.status >= 200 && posted.status < 300
    const outcome = isHeard ? await noteHeard(due, posted) : await noteFailed(due, posted)
    metrics.webhookDeliveries.inc({ outcome })
    logger.info({ event: 'webhook.told', id, webhook: webhookId, outcome, ...posted })
  }

  async function noteHeard({ id, webhookId }: Due, { status }: { status: number }) {
    await db.pool.query(
      `with heard as (
         update webhook_deliveries set delivered_at = $2, next_at = null, last_status = $3, last_error = null where id = $1)
       update webhooks set failing_since = null where id = $4 and failing_since is not null`,
      [id, clock.now(), status, webhookId],
    )
    return 'delivered'
  }

  /** The webhook's row is held first, so that of two failures at once none puts off what the other gave up. */
  function noteFailed({ id, webhookId, programmeId, attempts }: Due, posted: Posted) {
    const pause = pausesSeconds[attempts - 1]
    const now = clock.now()
    const [status, error] = 'status' in posted ? [posted.status, null] : [null, posted.error]
    return db.transaction(async (tx) => {
      const { rows } = await tx.query<{ since: Date; isOver: boolean }>(
        `update webhooks set failing_since = coalesce(failing_since, $2) where id = $1
         returning failing_since as since, disabled_at is not null or deleted_at is not null as "isOver"`,
        [webhookId, now],
      )
      const { since = now, isOver = true } = rows[0] ?? {}
      const nextAt = pause === undefined || isOver ? null : new Date(now.getTime() + pause * 1_000)
      await tx.query(
        `update webhook_deliveries set next_at = $2, last_status = $3, last_error = $4 where id = $1 and delivered_at is null`,
        [id, nextAt, status, error],
      )
      // 410 is how a receiver says that it wants no more.
      if (!isOver && (status === 410 || now.getTime() - since.getTime() >= disabledAfterMs))
        await disable(tx, { webhookId, programmeId, now })
      return nextAt === null ? 'given_up' : 'later'
    })
  }

  async function disable(
    tx: Queryable,
    { webhookId, programmeId, now }: { webhookId: string; programmeId: string; now: Date },
  ): Promise<void> {
    await tx.query('update webhooks set disabled_at = $2 where id = $1', [webhookId, now])
    await giveUpAll(tx, webhookId)
    await recordAudit(tx, {
      at: now,
      programmeId,
      actor: 'system:webhooks',
      action: 'webhook.disabled',
      subject: `webhook:${webhookId}`,
    })
    logger.warn({ event: 'webhook.disabled', webhook: webhookId })
  }

  /** Starts the calls of what is due; each webhook is free again when its calls have ended. */
  async function begin(): Promise<{ count: number; done: Promise<unknown> }> {
    const due = await claim()
    const calls = [...new Set(due.map(({ webhookId }) => webhookId))].map((webhookId) => {
      busy.add(webhookId)
      const call = Promise.all(due.filter((one) => one.webhookId === webhookId).map(tell))
        .catch((error: unknown) => {
          // Told or not, it was not noted: it is told again when its lease is over.
          logger.warn({ event: 'webhooks.unnoted', webhook: webhookId, code: errorCode(error) })
        })
        .then(() => {
          busy.delete(webhookId)
          underWay.delete(call)
          waker.wake()
        })
      underWay.add(call)
      return call
    })
    return { count: due.length, done: Promise.all(calls) }
  }

  /** The table says what is wrong, so that every process raises and clears the same. */
  async function look(): Promise<void> {
    const { rows } = await db.pool.query<{ id: string }>(
      'select id from webhooks where deleted_at is null and (disabled_at is not null or failing_since <= $1)',
      [new Date(clock.now().getTime() - alarmAfterMs)],
    )
    const failing = new Set(rows.map(({ id }) => id))
    for (const { code, where } of alarms.list())
      if (code === 'webhook.failing' && !failing.has(where)) alarms.clear(code, where)
    for (const id of failing) alarms.raise('webhook.failing', id)
  }

  async function run(): Promise<void> {
    let failures = 0
    let lookedMs = Number.NEGATIVE_INFINITY
    while (running) {
      waker.begin()
      let count = 0
      try {
        if (elapsedMs() - lookedMs >= lookEveryMs) {
          await look()
          lookedMs = elapsedMs()
        }
        count = (await begin()).count
        failures = 0
      } catch (error) {
        failures += 1
        logger.warn({ event: 'webhooks.stuck', code: errorCode(error), failures })
      }
      if (failures > 0) await waker.rest(Math.min(250 * 2 ** failures, 10_000))
      else if (count === 0 || underWay.size > 0) await waker.rest(pollMs)
    }
  }

  return {
    look,
    async drainOnce() {
      const { count, done } = await begin()
      await done
      return count
    },
    start() {
      if (running) return
      running = true
      loop = run()
    },
    async stop() {
      running = false
      waker.stop()
      await loop
      await Promise.all(underWay)
    },
  }
}
