// In: the calendars of all groups, and the time. Out: a few times a day the meetings of the days ahead, for every group that has a rule.
// Any number of processes may run it: one does the work, and nothing is written twice.
import type { Clock } from '../clock.ts'
import type { Db } from '../db.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { createRounds, whenAlone } from '../rounds.ts'
import { type Calendar, calendarColumns, occurrencesOf, writeAhead } from './ahead.ts'

export interface WriterOptions {
  db: Db
  clock: Clock
  logger: Logger
  /** Between two rounds [6 hours]. */
  intervalMs?: number
  /** Calendars of one transaction [500]. */
  batchCalendars?: number
}

export interface MeetingWriter {
  start(): void
  /** Resolves when the batch under way is done. */
  stop(): Promise<void>
  /** One round; meetings written, undefined when another process is at it right now. */
  runOnce(now: Date): Promise<number | undefined>
}

/** Arbitrary but fixed. */
const writerLockKey = 7_391_030

// Held until the batch is written: a calendar that is being replaced is waited for, and is then no longer there.
const batchSql = `
  select ${calendarColumns}, p.time_zone as "timeZone" from group_calendars c
    join groups g on g.id = c.group_id join programmes p on p.id = g.programme_id
   where c.ended_at is null and c.id > $1 order by c.id limit $2 for share of c`

export function createMeetingWriter(options: WriterOptions): MeetingWriter {
  const { db, clock, logger, intervalMs = 6 * 3_600_000, batchCalendars = 500 } = options
  /** A rule that somebody wrote into the table past our reading of it holds up no other group. */
  function isReadable(calendar: Calendar): boolean {
    try {
      occurrencesOf(calendar, clock.now(), 0)
      return true
    } catch (error) {
      logger.error({ event: 'meetings.rule_unreadable', calendar: calendar.id, code: errorCode(error) })
      return false
    }
  }

  async function round(now: Date): Promise<number> {
    let written = 0
    let after = '00000000-0000-0000-0000-000000000000'
    while (!rounds.isStopping()) {
      const last = await db.transaction(async (tx) => {
        const { rows } = await tx.query<Calendar>(batchSql, [after, batchCalendars])
        written += await writeAhead(tx, rows.filter(isReadable), now)
        return rows.at(-1)
      })
      if (last === undefined) break
      after = last.id
    }
    if (written > 0) logger.info({ event: 'meetings.written', written })
    return written
  }

  const runOnce = (now: Date) => whenAlone(db, writerLockKey, () => round(now))
  const rounds = createRounds({
    clock,
    logger,
    failed: 'meetings.failed',
    intervalMs,
    retryMs: 60_000,
    work: runOnce,
  })
  return { runOnce, start: rounds.start, stop: rounds.stop }
}
