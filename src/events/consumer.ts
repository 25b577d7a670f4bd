// In: ledger events, filled by a trigger in the poster's own transaction. Out: their messages, written and marked handled together.
// Several consumers share the work row by row. Must never let one failing event hold up another.
import type pg from 'pg'
import type { Clock } from '../clock.ts'
import type { Db, Queryable } from '../db.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { createWaker } from '../waker.ts'
import type { Handler, LedgerFact } from './fact.ts'
import { handlers } from './handlers/index.ts'

export interface LedgerEventsOptions {
  db: Db
  clock: Clock
  logger: Logger
  metrics: Metrics
  /** Events in one transaction [500]. */
  batchSize?: number
  /** Also looked for without a notice, so that a lost connection costs at most this [1000]. */
  pollMs?: number
}

export interface LedgerEvents {
  start(): void
  /** Resolves when the batch under way is done. */
  stop(): Promise<void>
  /** Takes one batch; how many events it had. */
  drainOnce(): Promise<number>
}

interface Failure {
  eventId: string
  code: string
}

// A reversal is never old news: what was told must be taken back on whatever day it is booked; without a receipt it says nothing.
const claimSql = `
  with claimed as (
    select id, entry_id from ledger_events
     where handled_at is null and (retry_at is null or retry_at <= $1)
     order by id limit $2 for update skip locked
  )
  select c.id as "eventId", e.id as "entryId", e.kind, e.programme_id as "programmeId",
         e.booked_date as "bookedDate", e.reverses_id as "reversesId",
         e.kind <> 'reversal' and e.booked_date < ($1::timestamptz at time zone p.time_zone)::date - 7 as stale,
         exists (select 1 from entries r where r.reverses_id = e.id) as reversed,
         array(
           select distinct coalesce(l.member_id, a.member_id)
             from postings po
             join accounts a on a.id = po.account_id
             left join loans l on l.account_id = a.id
            where (e.kind = 'reversal' or e.booked_date >= ($1::timestamptz at time zone p.time_zone)::date - 7)
              and po.entry_id = coalesce(e.reverses_id, e.id) and coalesce(l.member_id, a.member_id) is not null
              and (a.purpose = 'loan' and e.kind in ('loan_disbursement', 'loan_repayment', 'reversal')
                or a.purpose = 'savings' and e.kind in ('savings_deposit', 'savings_withdrawal', 'reversal'))
         ) as "memberIds"
    from claimed c
    join entries e on e.id = c.entry_id
    join programmes p on p.id = e.programme_id
   order by c.id`

const handledSql = 'update ledger_events set handled_at = $1, last_error = null where id = any($2)'

// 5 s, 10 s, 20 s ... one hour at most.
const failedSql = `
  update ledger_events e set attempts = e.attempts + 1, last_error = f.code,
         retry_at = $1::timestamptz + least(5 * 2 ^ least(e.attempts, 12), 3600) * interval '1 second'
    from unnest($2::bigint[], $3::text[]) as f(id, code) where e.id = f.id`

export function createLedgerEvents(options: LedgerEventsOptions): LedgerEvents {
  const { db, clock, logger, metrics } = options
  const batchSize = options.batchSize ?? 500
  const pollMs = options.pollMs ?? 1_000
  const waker = createWaker()
  const relisten = createWaker()
  let running = false
  let loops: Promise<void>[] = []
  let stopNow = () => {}
  const stopped = new Promise<void>((resolve) => {
    stopNow = resolve
  })

  async function drainOnce(): Promise<number> {
    const now = clock.now()
    const counts = new Map<string, number>()
    const count = await db.transaction(async (tx) => {
      const { rows } = await tx.query<LedgerFact>(claimSql, [now, batchSize])
      if (rows.length === 0) return 0
      const failures: Failure[] = []
      for (const [kind, facts] of factsByKind(rows)) {
        const handler = handlers[kind]
        if (handler === undefined)
          counts.set('nothing_to_tell', (counts.get('nothing_to_tell') ?? 0) + facts.length)
        else failures.push(...(await handleFacts(tx, handler, facts, now)))
      }
      const failed = new Set(failures.map(({ eventId }) => eventId))
      await tx.query(handledSql, [now, rows.map((row) => row.eventId).filter((id) => !failed.has(id))])
      if (failures.length > 0) {
        await tx.query(failedSql, [
          now,
          failures.map(({ eventId }) => eventId),
          failures.map(({ code }) => code),
        ])
        for (const { eventId, code } of failures)
          logger.warn({ event: 'ledger_event.failed', id: eventId, code })
      }
      counts.set('failed', failures.length)
      counts.set('handled', rows.length - failures.length - (counts.get('nothing_to_tell') ?? 0))
      return rows.length
    })
    for (const [outcome, value] of counts) if (value > 0) metrics.ledgerEvents.inc({ outcome }, value)
    if (count > 0) logger.info({ event: 'ledger_events.handled', count, ...Object.fromEntries(counts) })
    return count
  }

  async function drainLoop(): Promise<void> {
    let failures = 0
    while (running) {
      waker.begin()
      let count = 0
      try {
        count = await drainOnce()
        failures = 0
      } catch (error) {
        failures += 1
        logger.warn({ event: 'ledger_events.stuck', code: errorCode(error), failures })
      }
      if (failures > 0) await waker.rest(Math.min(250 * 2 ** failures, 2_000))
      else if (count < batchSize) await waker.rest(pollMs)
    }
  }

  async function listenLoop(): Promise<void> {
    while (running) {
      let client: pg.PoolClient | undefined
      try {
        client = await db.pool.connect()
        await listen(client)
      } catch (error) {
        if (running) logger.warn({ event: 'ledger_events.listen_lost', code: errorCode(error) })
      } finally {
        client?.release(true)
      }
      await relisten.rest(1_000)
    }
  }

  /** Resolves at stop; rejects when the connection is lost. */
  function listen(client: pg.PoolClient): Promise<void> {
    const lost = new Promise<void>((_, reject) => {
      client.on('error', reject)
      client.on('end', () => reject(new Error('the connection ended')))
      client.on('notification', waker.wake)
      // What was posted before we listened is found now.
      client.query('listen tama_ledger').then(waker.wake, reject)
    })
    return Promise.race([lost, stopped])
  }

  return {
    drainOnce,
    start() {
      if (running) return
      running = true
      loops = [drainLoop(), listenLoop()]
    },
    async stop() {
      running = false
      waker.stop()
      relisten.stop()
      stopNow()
      await Promise.all(loops)
    },
  }
}

/** Old news is left out here: it is handled by telling nobody. */
function factsByKind(facts: readonly LedgerFact[]): Map<LedgerFact['kind'], LedgerFact[]> {
  const byKind = new Map<LedgerFact['kind'], LedgerFact[]>()
  for (const fact of facts) {
    if (fact.stale) continue
    const list = byKind.get(fact.kind)
    if (list === undefined) byKind.set(fact.kind, [fact])
    else list.push(fact)
  }
  return byKind
}

/** All at once; when that fails one by one, so that only the ones at fault are left. */
async function handleFacts(
  tx: Queryable,
  handler: Handler,
  facts: readonly LedgerFact[],
  now: Date,
): Promise<Failure[]> {
  await tx.query('savepoint facts')
  try {
    await handler(tx, facts, now)
    await tx.query('release savepoint facts')
    return []
  } catch (error) {
    await tx.query('rollback to savepoint facts')
    const [only, ...others] = facts
    if (only === undefined) return []
    if (others.length === 0) return [{ eventId: only.eventId, code: errorCode(error) }]
    const failures: Failure[] = []
    for (const fact of facts) failures.push(...(await handleFacts(tx, handler, [fact], now)))
    return failures
  }
}
