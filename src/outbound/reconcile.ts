// In: delivery reports of messages that nobody here sent, to members for whom one message waits. Out: while the outbox is paused, that
// message marked as the network says; while it is open, a pause when there are several, for then the database is older than it seems.
// Must never touch a message that a report does not name beyond doubt: one member, one waiting message, nothing under way.
import { recordAudit } from '../audit.ts'
import type { Clock } from '../clock.ts'
import type { Db } from '../db.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import {
  firstPerMessage,
  reportColumns,
  settleReports,
  statusOfReport,
  type WaitingReport,
} from './delivery-report.ts'
import { pauseOutbox, readPause } from './pause.ts'

/** Members of whom such a report came within an hour; one or two may be somebody else's messages on the same account. */
const strangersMax = 2
/** A report may be faster than our own mark of the submit, but not by this much. */
const settleMs = 60_000

// By way of the member, whose messages are indexed; answers to a bare phone are not worth a scan.
const foundSql = `
  select ${reportColumns}, r.received_at as "receivedAt",
         (array_agg(m.id))[1] as "messageId", (array_agg(m.member_id))[1] as "memberId"
    from delivery_reports r
    cross join unnest(r.phone_ids) as phone (id)
    join member_phones mp on mp.phone_id = phone.id and mp.is_primary
    join messages m on m.member_id = mp.member_id and m.stage = 0 and m.status = 'created'
      and m.created_at <= r.received_at and m.not_before <= r.received_at
   where r.matched_at is null and r.received_at > $1::timestamptz - interval '24 hours'
     and not exists (select 1 from messages o where o.member_id = mp.member_id
                        and (o.stage = 2 or (o.stage = 0 and o.status = 'submitting')))
   group by r.id having count(*) = 1 order by r.id limit 500`

interface Found extends WaitingReport {
  receivedAt: Date
  memberId: string
}

/** One round; returns how many waiting messages it found to be sent already. */
export async function reconcileReports(deps: {
  db: Db
  clock: Clock
  logger: Logger
  metrics?: Metrics
}): Promise<number> {
  const { db, clock, logger } = deps
  const now = clock.now()
  const { rows } = await db.pool.query<Found>(foundSql, [now])
  const found = rows.filter((row) => statusOfReport(row) !== undefined)
  const markSent = () => settleReports(deps, firstPerMessage(found), 'restore')
  if (found.length === 0) return 0
  if ((await readPause(db.pool)) !== undefined) return markSent()
  const ageMs = (row: Found) => now.getTime() - row.receivedAt.getTime()
  const recent = found.filter((row) => ageMs(row) > settleMs && ageMs(row) < 3_600_000)
  if (new Set(recent.map(({ memberId }) => memberId)).size <= strangersMax) return 0
  logger.error({ event: 'restore.found', cause: 'reports', reports: recent.length })
  await db.transaction(async (tx) => {
    if (!(await pauseOutbox(tx, now, 'reports'))) return
    const fact = { at: now, actor: 'system:restore', action: 'outbox.paused', subject: 'outbox' }
    await recordAudit(tx, { ...fact, after: { cause: 'reports' } })
  })
  return markSent()
}
