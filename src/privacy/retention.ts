// In: how long each kind of data is kept, and the time. Out: what is older is forgotten, in small batches, once a day.
// Must never remove what the books or a repeated callback need: entries, the facts of a message, the ids of what came in.
import { recordAudit } from '../audit.ts'
import { elapsedMs } from '../clock.ts'
import type { Db } from '../db.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'

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
  logger: Logger
  metrics: Metrics
  keepDays: KeepDays
  /** Rows of one statement, so that nothing waits long for their locks [5000]. */
  batchRows?: number
}

/** Rows forgotten, by kind. */
export type Purged = Record<string, number>

const dayMs = 24 * 3_600_000

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
    // After the texts of its messages, which are older than its end. A draft that nobody sent is given up first.
    name: 'notice_texts',
    days: 'texts',
    stamps: true,
    sql: `update notices set texts = '{}', fields = '{}', texts_purged_at = $3, ended_at = coalesce(ended_at, $3),
                 status = case when status = 'draft' then 'undone' else status end
           where id in (select id from notices where texts_purged_at is null
                           and (ended_at < $1 or status = 'draft' and created_at < $1)
                         order by id limit $2 for update skip locked)`,
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
  {
    name: 'sim_checks',
    days: 'callbacks',
    sql: `delete from sim_checks
           where id in (select id from sim_checks where wanted_at < $1 order by id limit $2 for update skip locked)`,
  },
  // Keyed hashes of numbers; an hour that is over bounds nothing any more.
  {
    name: 'verification_tries',
    days: 1,
    sql: `delete from verification_tries
           where (programme_id, caller, hour) in
             (select programme_id, caller, hour from verification_tries where hour < $1 limit $2 for update skip locked)`,
  },
  {
    name: 'unmatched_codes',
    days: 'callbacks',
    sql: `delete from unmatched_codes
           where id in (select id from unmatched_codes where occurred_at < $1 order by id limit $2 for update skip locked)`,
  },
  // A day of tries is counted; who signed in stands in the audit log.
  {
    name: 'sign_in_codes',
    days: 2,
    sql: `delete from sign_in_codes
           where id in (select id from sign_in_codes where sent_at < $1 order by id limit $2 for update skip locked)`,
  },
  {
    name: 'console_sessions',
    days: 7,
    sql: `delete from console_sessions
           where token_hash in (select token_hash from console_sessions where created_at < $1 limit $2 for update skip locked)`,
  },
  // Spent budgets of minutes, by keyed hashes of addresses.
  {
    name: 'rate_limits',
    days: 1,
    sql: `delete from rate_limits
           where key in (select key from rate_limits where expire < extract(epoch from $1::timestamptz) * 1000
                          limit $2 for update skip locked)`,
  },
  // A year and some weeks, so that a season can be held against the last one.
  {
    name: 'ussd_path_counts',
    days: 400,
    sql: `delete from ussd_path_counts
           where (programme_id, day, menu, state) in
             (select programme_id, day, menu, state from ussd_path_counts where day < ($1::timestamptz at time zone 'utc')::date
               limit $2 for update skip locked)`,
  },
  // Heard or given up; what still waits is given up within days.
  {
    name: 'webhook_deliveries',
    days: 30,
    sql: `delete from webhook_deliveries
           where id in (select id from webhook_deliveries where created_at < $1 and next_at is null
                         order by id limit $2 for update skip locked)`,
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

/** One round over all kinds. `isStopping` ends it after the batch under way. */
export async function purge(
  options: RetentionOptions,
  now: Date,
  isStopping: () => boolean = () => false,
): Promise<Purged> {
  const { db, logger, metrics, keepDays, batchRows = 5_000 } = options
  const purged: Purged = {}
  for (const kind of kinds) {
    const startedMs = elapsedMs()
    const days = typeof kind.days === 'number' ? kind.days : keepDays[kind.days]
    const cutoff = new Date(now.getTime() - days * dayMs)
    const values = [cutoff, batchRows, ...(kind.stamps === true ? [now] : [])]
    let rows = 0
    for (let batch = batchRows; batch === batchRows && !isStopping(); rows += batch)
      batch = (await db.pool.query(kind.sql, values)).rowCount ?? 0
    purged[kind.name] = rows
    if (rows === 0) continue
    metrics.purged.inc({ kind: kind.name }, rows)
    const durationMs = Math.round(elapsedMs() - startedMs)
    logger.info({ event: 'retention.purged', kind: kind.name, rows, durationMs })
  }
  if (Object.values(purged).some((rows) => rows > 0))
    await recordAudit(db.pool, {
      at: now,
      actor: 'system:retention',
      action: 'retention.purged',
      subject: 'house',
      after: purged,
    })
  return purged
}
