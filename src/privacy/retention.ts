// In: how long each kind of data is kept, and the time. Out: what is older is forgotten, in small batches, once a day.
// Must never remove what the books or a repeated callback need: entries, the facts of a message, the ids of what came in.
import { recordAudit } from '../audit.ts'
import { type Clock, elapsedMs } from '../clock.ts'
import type { Db } from '../db.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { createWaker } from '../waker.ts'

export interface KeepDays {
  /** Texts of messages. */
  texts: number
  /** Delivery reports, and of inbound SMS all but the id. */
  callbacks: number
  /** Dialogues and the answers given in them. */
  dialogues: number
}

export interface RetentionOptions {
  db: Db
  clock: Clock
  logger: Logger
  metrics: Metrics
  keepDays: KeepDays
  /** Between two rounds [a day]. */
  intervalMs?: number
  /** Rows of one statement, so that nothing waits long for their locks [5000]. */
  batchRows?: number
}

/** Rows forgotten, by kind. */
export type Purged = Record<string, number>

export interface Retention {
  start(): void
  /** Resolves when the batch under way is done. */
  stop(): Promise<void>
  /** One round. A round that another process is doing right now is left to it (no counts). */
  purgeOnce(now: Date): Promise<Purged>
}

const dayMs = 24 * 3_600_000
/** Arbitrary but fixed. */
const retentionLockKey = 7_391_003

/** A statement takes the cutoff, the most rows it may touch and, where it stamps them, the instant. */
const kinds: readonly { name: string; days: keyof KeepDays | number; sql: string; stamps?: true }[] = [
  {
    // A message that may still leave keeps its text; updated_at stays, because it says when the message last moved.
    name: 'texts',
    days: 'texts',
    stamps: true,
    sql: `update messages set text = null, text_purged_at = $3
           where id in (select id from messages where text_purged_at is null and created_at < $1 and stage >= 2
                         order by created_at limit $2 for update skip locked)`,
  },
  {
    name: 'delivery_reports',
    days: 'callbacks',
    sql: `delete from delivery_reports
           where id in (select id from delivery_reports where received_at < $1
                         order by id limit $2 for update skip locked)`,
  },
  {
    // The id stays for ever: the same SMS told again must never be taken for a new one.
    name: 'inbound_messages',
    days: 'callbacks',
    sql: `update inbound_messages set programme_id = null, phone_id = null, keyword = null
           where id in (select id from inbound_messages
                         where received_at < $1 and (phone_id is not null or keyword is not null or programme_id is not null)
                         order by received_at limit $2 for update skip locked)`,
  },
  // Answers of the HTTP API, for as long as it promises to repeat them.
  {
    name: 'idempotency_keys',
    days: 7,
    sql: `delete from idempotency_keys
           where (api_key_id, key) in
             (select api_key_id, key from idempotency_keys where created_at < $1 limit $2 for update skip locked)`,
  },
  // Dialogues end after minutes and are removed then; this is for what a process that died left behind. Redis does it by itself.
  {
    name: 'ussd_sessions',
    days: 'dialogues',
    sql: `delete from ussd_sessions
           where key in (select key from ussd_sessions where expires_at < $1 limit $2 for update skip locked)`,
  },
  {
    name: 'ussd_replies',
    days: 'dialogues',
    sql: `delete from ussd_replies
           where (session_key, input_hash) in
             (select session_key, input_hash from ussd_replies where expires_at < $1 limit $2 for update skip locked)`,
  },
]

export function createRetention(options: RetentionOptions): Retention {
  const { db, clock, logger, metrics, keepDays } = options
  const intervalMs = options.intervalMs ?? dayMs
  const batchRows = options.batchRows ?? 5_000
  const waker = createWaker()
  let stopping = false
  let loop: Promise<void> = Promise.resolve()

  async function purgeKind(kind: (typeof kinds)[number], now: Date): Promise<number> {
    const startedMs = elapsedMs()
    const days = typeof kind.days === 'number' ? kind.days : keepDays[kind.days]
    const cutoff = new Date(now.getTime() - days * dayMs)
    let rows = 0
    for (let batch = batchRows; batch === batchRows && !stopping; rows += batch)
      batch =
        (await db.pool.query(kind.sql, [cutoff, batchRows, ...(kind.stamps === true ? [now] : [])]))
          .rowCount ?? 0
    if (rows === 0) return 0
    metrics.purged.inc({ kind: kind.name }, rows)
    const durationMs = Math.round(elapsedMs() - startedMs)
    logger.info({ event: 'retention.purged', kind: kind.name, rows, durationMs })
    return rows
  }

  async function purgeOnce(now: Date): Promise<Purged> {
    const purged: Purged = {}
    const lock = await db.pool.connect()
    // A connection that is lost while nothing is asked of it is told here; unheard, that would end the process.
    const onLost = () => {}
    lock.on('error', onLost)
    let broken = true
    try {
      const { rows } = await lock.query<{ mine: boolean }>('select pg_try_advisory_lock($1) as mine', [
        retentionLockKey,
      ])
      if (rows[0]?.mine === true) {
        try {
          for (const kind of kinds) purged[kind.name] = await purgeKind(kind, now)
          if (Object.values(purged).some((rows) => rows > 0))
            await recordAudit(db.pool, {
              at: now,
              actor: 'system:retention',
              action: 'retention.purged',
              subject: 'house',
              after: purged,
            })
        } finally {
          await lock.query('select pg_advisory_unlock($1)', [retentionLockKey])
        }
      }
      broken = false
    } finally {
      lock.off('error', onLost)
      lock.release(broken)
    }
    return purged
  }

  async function run(): Promise<void> {
    let failures = 0
    while (!stopping) {
      try {
        await purgeOnce(clock.now())
        failures = 0
      } catch (error) {
        failures += 1
        logger.error({ event: 'retention.failed', code: errorCode(error), failures })
      }
      await waker.rest(failures > 0 ? Math.min(60_000 * 2 ** failures, intervalMs) : intervalMs)
    }
  }

  return {
    purgeOnce,
    start() {
      loop = run()
    },
    async stop() {
      stopping = true
      waker.stop()
      await loop
    },
  }
}
