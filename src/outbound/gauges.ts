// In: the messages table. Out: the gauges of open messages and of how long the oldest due one waits.
import type { Clock } from '../clock.ts'
import type { Db } from '../db.ts'
import type { Metrics } from '../metrics.ts'
import { lanes } from './status.ts'
import { readWaiting } from './watch.ts'

// Only what is still open is counted: the partial indexes hold it, however many messages are done.
const openSql = `
  select status, lane, count(*)::int as count from messages
   where stage = 0 or stage = 2 group by status, lane`

const openStatuses = ['created', 'queued', 'claimed', 'submitting', 'unknown'] as const

/** Reads twice from the database; call it when metrics are asked for, not more often than every few seconds. */
export async function sampleMessages(db: Db, clock: Clock, metrics: Metrics): Promise<void> {
  const [open, oldest] = await Promise.all([
    db.pool.query<{ status: string; lane: string; count: number }>(openSql),
    readWaiting(db, clock.now()),
  ])
  for (const lane of lanes) {
    for (const status of openStatuses) metrics.messages.set({ status, lane }, 0)
    metrics.oldestQueuedSeconds.set({ lane }, 0)
  }
  for (const { status, lane, count } of open.rows) metrics.messages.set({ status, lane }, count)
  for (const [lane, ms] of oldest) metrics.oldestQueuedSeconds.set({ lane }, Math.max(0, ms) / 1_000)
}
