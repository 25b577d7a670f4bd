// In: due rows of a lane, or the id of a batch. Out: rows moved together, in one statement each; the row in `batches` says which belong
// together. Must never queue or claim a row that may have reached the provider.
import type { Db } from '../db.ts'
import { isPausedSql } from './pause.ts'
import type { Lane } from './status.ts'
import { movingStatement } from './transitions.ts'

const rememberBatch = `insert into batches (id, lane, message_ids, moved_at)
  select $3, $2, array_agg(id), $1 from moved having count(*) > 0`

// The oldest due first; those that another relay is taking are skipped.
const queueDueSql = movingStatement(
  `update messages m set status = 'queued', batch_id = $3, reason = null, updated_at = $1
     from (select id from messages where lane = $2 and stage = 0 and status = 'created' and not_before <= $1 and not ${isPausedSql}
            order by not_before limit $4 for update skip locked) due
    where m.id = due.id`,
  'relay',
  'count(*)::int as rows',
  rememberBatch,
)

const carried = `(select unnest(message_ids) as id from batches where id = $2) carried`

// `claimed` may be claimed again: a crash before `submitting` has sent nothing.
const claimSql = movingStatement(
  `update messages m set status = 'claimed', updated_at = $1, reason = null from ${carried}
    where m.id = carried.id and m.batch_id = $2 and m.status in ('queued', 'claimed') and not ${isPausedSql}`,
  'sender',
  'id, attempts',
  `update batches set moved_at = $1 where id = $2`,
)

const requeueSql = movingStatement(
  `update messages m set status = 'queued', batch_id = $3, reason = 'lost', updated_at = $1
     from (select m.id from messages m join (select unnest(message_ids) as id from batches where id = $5) carried using (id)
            where m.batch_id = $5 and m.status in ('queued', 'claimed') and m.updated_at < $4
              for update of m skip locked) lost
    where m.id = lost.id`,
  'relay',
  'count(*)::int as rows',
  rememberBatch,
)

const abandonSql = movingStatement(
  `update messages m set status = 'unknown', reason = 'no_answer', updated_at = $1
     from (select m.id from messages m join ${carried} using (id)
            where m.batch_id = $2 and m.status = 'submitting' and m.updated_at < $3 for update of m skip locked) lost
    where m.id = lost.id`,
  'relay',
  'count(*)::int as rows',
)

const closeSql = `
  delete from batches b
   where b.id = $1 and not exists (
     select 1 from unnest(b.message_ids) as carried (id) join messages m on m.id = carried.id
      where m.batch_id = b.id and m.status in ('queued', 'claimed', 'submitting'))`

async function count(pool: Db['pool'], name: string, text: string, values: unknown[]): Promise<number> {
  const { rows } = await pool.query<{ rows: number }>({ name, text, values })
  return rows[0]?.rows ?? 0
}

/** Marks up to `rowsMax` due rows as queued under a new batch; returns how many. Without any there is no batch. */
export function queueDue(
  pool: Db['pool'],
  { at, lane, batchId, rowsMax }: { at: Date; lane: Lane; batchId: string; rowsMax: number },
): Promise<number> {
  return count(pool, 'batches.queue', queueDueSql, [at, lane, batchId, rowsMax])
}

export interface Claimed {
  id: string
  attempts: number
}

/** The rows of a batch that are still to be sent, marked as claimed. */
export async function claimBatch(pool: Db['pool'], batchId: string, at: Date): Promise<Claimed[]> {
  const { rows } = await pool.query<Claimed>({ name: 'batches.claim', text: claimSql, values: [at, batchId] })
  return rows
}

/** Forgets a batch of which no row is at work any more. */
export async function closeBatch(pool: Db['pool'], batchId: string): Promise<void> {
  await pool.query({ name: 'batches.close', text: closeSql, values: [batchId] })
}

/**
 * Gives rows that are at work since before `before` and belong to no batch their batch back: an older version that still ran after the
 * migration leaves such rows. Reads all open rows.
 */
export async function adoptStrays(pool: Db['pool'], before: Date): Promise<number> {
  const { rowCount } = await pool.query(
    `insert into batches (id, lane, message_ids, moved_at)
     select m.batch_id, m.lane, array_agg(m.id), min(m.updated_at) from messages m
      where m.stage = 0 and m.status in ('queued', 'claimed', 'submitting') and m.updated_at < $1
        and not exists (select 1 from batches b where b.id = m.batch_id)
      group by m.batch_id, m.lane
     on conflict (id) do nothing`,
    [before],
  )
  return rowCount ?? 0
}

export interface OpenBatch {
  id: string
  lane: Lane
  movedAt: Date
}

/** Batches of which nothing was queued or claimed since `before`, the oldest first, at most 200. */
export async function batchesSince(pool: Db['pool'], before: Date): Promise<OpenBatch[]> {
  const { rows } = await pool.query<OpenBatch>(
    `select id, lane, moved_at as "movedAt" from batches where moved_at < $1 order by moved_at limit 200`,
    [before],
  )
  return rows
}

/** Queues the rows of a batch that nothing was done with since `before` under a new batch; returns how many. */
export function requeueLost(
  pool: Db['pool'],
  { at, batch, newBatchId, before }: { at: Date; batch: OpenBatch; newBatchId: string; before: Date },
): Promise<number> {
  return count(pool, 'batches.requeue', requeueSql, [at, batch.lane, newBatchId, before, batch.id])
}

/** Rows of a batch whose call began before `before` and was never marked: nobody knows whether they went. */
export function abandonCalls(
  pool: Db['pool'],
  { at, batch, before }: { at: Date; batch: OpenBatch; before: Date },
): Promise<number> {
  return count(pool, 'batches.abandon', abandonSql, [at, batch.id, before])
}
