// In: approved notices and the time. Out: their recipients and messages, each once, whoever plans and is killed; and their end.
// Any number of planners may run: one holds a notice at a time, batch by batch, and a stop waits for no more than a batch.
import { recordAudit } from '../audit.ts'
import { type Clock, elapsedMs } from '../clock.ts'
import type { Db, Queryable } from '../db.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { createRounds } from '../rounds.ts'
import { carryOn, planBatch } from './planning.ts'
import { countedLiveMax, keepCounts } from './progress.ts'
import { type Notice, readNotice, startOf, undoMs } from './record.ts'

export interface NoticePlannerOptions {
  db: Db
  clock: Clock
  logger: Logger
  metrics: Metrics
  /** Between two rounds [5000]. */
  intervalMs?: number
  /** Members in one transaction [8000]. */
  batchMembers?: number
}

/** What one round wrote. */
export interface Round {
  recipients: number
  messages: number
  /** Notices that came to their end. */
  ended: number
}

export interface NoticePlanner {
  start(): void
  /** Resolves when the batch under way is committed. */
  stop(): Promise<void>
  /** One round over every notice that wants something; what another planner holds is left to it. */
  planOnce(now: Date): Promise<Round>
}

/** A large notice is counted again after so long while it runs, and more seldom for some days after it. */
const countRunningMs = 10_000
const countEndedMs = 10 * 60_000
const countedDaysMs = 4 * 24 * 3_600_000

/** A report that has not come by then never will. */
const reportWaitMs = 3 * 24 * 3_600_000

const actor = 'system:notices'

// Oldest first. What begins now, what was begun, what nobody let go in time, and what is ended and counted again.
const workSql = `
  select id from notices
   where status = 'sending' or (status in ('waiting', 'approved') and expires_at <= $1)
      or (status = 'approved' and greatest(approved_at + interval '${undoMs} milliseconds', send_at) <= $1)
      or (counts is not null and ended_at is not null
          and (counted_at is null or counted_at <= $2 and ended_at > $3))
   order by approved_at nulls last, id`

// Of a message that the network took, the last word may never come.
const openSql = `
  select exists (
    select 1 from messages
     where notice_id = $1 and (status in ('created', 'queued', 'claimed', 'submitting', 'unknown')
        or status in ('submitted', 'sent') and coalesce(submitted_at, updated_at) > $2)) as open`

export function createNoticePlanner(options: NoticePlannerOptions): NoticePlanner {
  const { db, clock, logger, metrics } = options
  const intervalMs = options.intervalMs ?? 5_000
  const batchMembers = options.batchMembers ?? 8_000

  /** True while there is more of it to do at once. */
  async function step(tx: Queryable, notice: Notice, now: Date, round: Round): Promise<boolean> {
    const start = startOf(notice)
    const isDue = notice.status === 'approved' && start !== undefined && start <= now
    const isPlanning = notice.status === 'sending' && notice.plannedAt === null
    if (notice.status !== 'sending' && notice.expiresAt !== null && notice.expiresAt <= now) {
      await end(tx, notice, 'expired', now, round)
      return false
    }
    if (notice.endedAt !== null) await keepCounts(tx, notice.id, now)
    if (!isDue && notice.status !== 'sending') return false
    // Committed by itself, so that nobody is shown a notice as still ahead while its first batch is written.
    if (isDue) {
      await tx.query(`update notices set status = 'sending' where id = $1`, [notice.id])
      return true
    }
    if (isPlanning) return planNext(tx, notice, now, round)
    await settle(tx, notice, now, round)
    return false
  }

  async function planNext(tx: Queryable, notice: Notice, now: Date, round: Round): Promise<boolean> {
    const startedMs = elapsedMs()
    const batch = await planBatch(tx, notice, now, batchMembers)
    const durationMs = Math.round(elapsedMs() - startedMs)
    count(round, batch)
    logger.info({ event: 'notices.planned', notice: notice.id, ...batch, durationMs })
    if (batch.recipients >= batchMembers) {
      if (batch.recipients > countedLiveMax) await keepCounts(tx, notice.id, now)
      return true
    }
    await tx.query('update notices set planned_at = $2 where id = $1', [notice.id, now])
    const { rows } = await tx.query<{ total: number }>(
      'select count(*)::int as total from notice_recipients where notice_id = $1',
      [notice.id],
    )
    const total = rows[0]?.total ?? 0
    if (total > countedLiveMax) await keepCounts(tx, notice.id, now)
    // Its groups were emptied or deleted after it was sent off.
    if (total === 0) await end(tx, notice, 'stopped', now, round, 'system:audience_empty')
    return false
  }

  async function settle(tx: Queryable, notice: Notice, now: Date, round: Round): Promise<void> {
    const carried = await carryOn(tx, notice, now)
    count(round, { recipients: 0, messages: carried.messages })
    const { rowCount: stale } = await tx.query(
      'select 1 from notices where id = $1 and counts is not null and (counted_at is null or counted_at <= $2)',
      [notice.id, new Date(now.getTime() - countRunningMs)],
    )
    if (stale === 1) await keepCounts(tx, notice.id, now)
    const { rows } = await tx.query<{ open: boolean }>(openSql, [
      notice.id,
      new Date(now.getTime() - reportWaitMs),
    ])
    if (rows[0]?.open === false) await end(tx, notice, 'done', now, round)
  }

  async function end(
    tx: Queryable,
    { id, programmeId, status }: Notice,
    as: 'done' | 'expired' | 'stopped',
    now: Date,
    round: Round,
    by: string | null = null,
  ): Promise<void> {
    await tx.query('update notices set status = $2, ended_at = $3, ended_by = $4 where id = $1', [
      id,
      as,
      now,
      by,
    ])
    await recordAudit(tx, {
      at: now,
      programmeId,
      actor,
      action: 'notice.ended',
      subject: `notice:${id}`,
      before: { status },
      after: { status: as },
    })
    round.ended += 1
    logger.info({ event: 'notices.ended', notice: id, status: as })
  }

  async function work(id: string, now: Date, round: Round): Promise<void> {
    for (let more = true; more && !rounds.isStopping(); )
      more = await db.transaction(async (tx) => {
        const notice = await readNotice(tx, id, 'skip')
        return notice === undefined ? false : step(tx, notice, now, round)
      })
  }

  /** A notice that fails holds up no other; the first failure is given back when all were tried. */
  async function planOnce(now: Date): Promise<Round> {
    const round: Round = { recipients: 0, messages: 0, ended: 0 }
    const { rows } = await db.pool.query<{ id: string }>(workSql, [
      now,
      new Date(now.getTime() - countEndedMs),
      new Date(now.getTime() - countedDaysMs),
    ])
    let failure: unknown
    for (const { id } of rows) {
      try {
        await work(id, now, round)
      } catch (error) {
        failure ??= error
        logger.error({ event: 'notices.plan_failed', notice: id, code: errorCode(error) })
      }
    }
    if (round.messages > 0) metrics.noticeMessages.inc(round.messages)
    if (failure !== undefined) throw failure
    return round
  }

  const rounds = createRounds({
    clock,
    logger,
    failed: 'notices.failed',
    intervalMs,
    retryMs: 1_000,
    retryMaxMs: 60_000,
    work: planOnce,
  })
  return { planOnce, start: rounds.start, stop: rounds.stop }
}

function count(round: Round, { recipients, messages }: Pick<Round, 'recipients' | 'messages'>): void {
  round.recipients += recipients
  round.messages += messages
}
