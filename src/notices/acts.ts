// In: what somebody does with a notice: send, approve, refuse, undo, stop. Out: what came of it, in one transaction with its audit row.
// Each act holds the notice's row, so of two people at once one is first and the other is told. Must never act beyond somebody's rights.
import { recordAudit } from '../audit.ts'
import type { Queryable } from '../db.ts'
import { movingStatement } from '../outbound/transitions.ts'
import { countAudience, sumOf } from './audience.ts'
import { groupFaults, readerFaults } from './drafts.ts'
import { isAuthor, leavesAt, type Notice, type NoticeStatus, readNotice, startOf } from './record.ts'
import {
  type Author,
  fault,
  type NoticeFault,
  reaches,
  type Standing,
  standingOf,
  standingOfActor,
} from './rights.ts'

/** 'waiting': a second person must approve; 'approved': it leaves a minute later, or at its time. */
export interface Sent {
  outcome: 'approved' | 'waiting' | 'refused'
  /** Of an approved one: when its first SMS leaves. */
  leavesAt?: Date | undefined
  faults?: NoticeFault[]
}

export interface Judged {
  outcome: 'approved' | 'turned_down' | 'refused'
  faults?: NoticeFault[]
}

export interface Undone {
  outcome: 'undone' | 'refused'
  faults?: NoticeFault[]
}

export interface Stopped {
  outcome: 'stopped' | 'refused'
  /** Messages that will never leave, and those that had left. */
  cancelled: number
  left: number
  faults?: NoticeFault[]
}

const refusal = (...faults: NoticeFault[]) => ({ outcome: 'refused' as const, faults })
const unknown = fault('notice', 'notice_unknown', 'There is no such notice.')
const notYours = fault('notice', 'not_allowed', 'Whoever asks may not do that with this notice.')
const already = (status: NoticeStatus) =>
  fault('notice', `already_${status}`, `The notice is already ${status}.`)

/** Only its author sends a draft. Sent again it says what it said. */
export async function sendNotice(tx: Queryable, noticeId: string, author: Author, now: Date): Promise<Sent> {
  const notice = await readNotice(tx, noticeId, 'wait')
  if (notice === undefined) return refusal(unknown)
  const standing = await standingOf(tx, notice.programmeId, author)
  if (standing === undefined || !isAuthor(notice, author)) return refusal(notYours)
  if (notice.status === 'waiting') return { outcome: 'waiting' }
  if (notice.status === 'approved' || notice.status === 'sending')
    return { outcome: 'approved', leavesAt: leavesAt(notice) }
  if (notice.status !== 'draft') return refusal(already(notice.status))
  const faults = await faultsNow(tx, notice, standing, now)
  if (faults.length > 0) return refusal(...faults)
  const counted = await countAudience(tx, notice)
  const recipients = sumOf(counted, ({ excluded }) => excluded === null)
  const outcome = recipients > notice.approvalAbove ? 'waiting' : 'approved'
  await move(tx, notice, outcome, outcome === 'approved' ? { approved_at: now } : {})
  await note(tx, notice, standing.actor, 'notice.sent', now, { status: outcome, recipients })
  return outcome === 'waiting' ? { outcome } : { outcome, leavesAt: leavesAt({ ...notice, approvedAt: now }) }
}

/** What was right when it was drafted may be wrong now: its time, its groups, who reads it. */
async function faultsNow(
  tx: Queryable,
  notice: Notice,
  standing: Standing,
  now: Date,
): Promise<NoticeFault[]> {
  const { sendAt, expiresAt, audience, purpose, texts, template } = notice
  if (!reaches(standing, audience.groupIds)) return [notYours]
  if (expiresAt !== null && expiresAt <= now)
    return [fault('expiresAt', 'in_past', 'The time after which it is not sent any more is over.')]
  if (sendAt !== null && sendAt < now)
    return [fault('sendAt', 'in_past', 'The time to send is over: write it again for a later one.')]
  const gone = await groupFaults(tx, notice.programmeId, audience)
  if (gone.length > 0) return gone
  return readerFaults(tx, { audience, purpose, texts, template: template ?? undefined }, notice)
}

/** By a second person who might have sent it herself. Of two at once one approves; the other hears by whom nothing is left to do. */
export async function approveNotice(
  tx: Queryable,
  noticeId: string,
  staffId: string,
  now: Date,
): Promise<Judged> {
  const notice = await readNotice(tx, noticeId, 'wait')
  if (notice === undefined) return refusal(unknown)
  const standing = await secondPerson(tx, notice, staffId)
  if (!('actor' in standing)) return refusal(standing)
  if (notice.status === 'approved' && notice.approverId === staffId) return { outcome: 'approved' }
  if (notice.status !== 'waiting') return refusal(already(notice.status))
  if (notice.expiresAt !== null && notice.expiresAt <= now)
    return refusal(fault('expiresAt', 'in_past', 'The time after which it is not sent any more is over.'))
  const gone = await groupFaults(tx, notice.programmeId, notice.audience)
  if (gone.length > 0) return refusal(...gone)
  await move(tx, notice, 'approved', { approved_at: now, approver_id: staffId })
  await note(tx, notice, standing.actor, 'notice.approved', now)
  return { outcome: 'approved' }
}

export async function refuseNotice(
  tx: Queryable,
  noticeId: string,
  staffId: string,
  now: Date,
): Promise<Judged> {
  const notice = await readNotice(tx, noticeId, 'wait')
  if (notice === undefined) return refusal(unknown)
  const standing = await secondPerson(tx, notice, staffId)
  if (!('actor' in standing)) return refusal(standing)
  if (notice.status !== 'waiting') return refusal(already(notice.status))
  await move(tx, notice, 'refused', { ended_at: now, ended_by: standing.actor })
  await note(tx, notice, standing.actor, 'notice.refused', now)
  return { outcome: 'turned_down' }
}

async function secondPerson(tx: Queryable, notice: Notice, staffId: string): Promise<Standing | NoticeFault> {
  if (notice.authorStaffId === staffId)
    return fault('notice', 'own_notice', 'A second person must approve it.')
  const standing = await standingOf(tx, notice.programmeId, { staffId })
  return standing !== undefined && reaches(standing, notice.audience.groupIds) ? standing : notYours
}

/** Takes it back whole, as long as nothing was handed on: a minute, or until its time. */
export async function undoNotice(tx: Queryable, noticeId: string, actor: string, now: Date): Promise<Undone> {
  const held = await holdFor(tx, noticeId, actor)
  if ('code' in held) return refusal(held)
  const { notice } = held
  if (notice.status === 'undone') return { outcome: 'undone' }
  if (!['draft', 'waiting', 'approved'].includes(notice.status)) return refusal(already(notice.status))
  const start = startOf(notice)
  if (start !== undefined && start <= now)
    return refusal(fault('notice', 'too_late', 'It begins to leave: it can only be stopped.'))
  await move(tx, notice, 'undone', { ended_at: now, ended_by: actor })
  await note(tx, notice, actor, 'notice.undone', now)
  return { outcome: 'undone' }
}

const leftSql = `
  select count(*) filter (where status in ('submitting', 'submitted', 'sent', 'delivered', 'undelivered', 'unknown'))::int as left
    from messages where notice_id = $1`

const cancelSql = movingStatement(
  `update messages m set status = 'cancelled', reason = 'stopped', updated_at = $1
    where m.notice_id = $2 and m.status in ('created', 'queued', 'claimed')`,
  'operator',
  'count(*)::int as cancelled',
)

/** What has not left never does; what the sender holds at this moment is asked once more before it goes. */
export async function stopNotice(
  tx: Queryable,
  noticeId: string,
  actor: string,
  now: Date,
): Promise<Stopped> {
  const held = await holdFor(tx, noticeId, actor)
  if ('code' in held) return { ...refusal(held), cancelled: 0, left: 0 }
  const { notice } = held
  const leftNow = async () => (await tx.query<{ left: number }>(leftSql, [noticeId])).rows[0]?.left ?? 0
  if (notice.status === 'stopped') return { outcome: 'stopped', cancelled: 0, left: await leftNow() }
  if (!['waiting', 'approved', 'sending'].includes(notice.status))
    return { ...refusal(already(notice.status)), cancelled: 0, left: await leftNow() }
  await move(tx, notice, 'stopped', { ended_at: now, ended_by: actor })
  const cancelled =
    (await tx.query<{ cancelled: number }>(cancelSql, [now, noticeId])).rows[0]?.cancelled ?? 0
  const left = await leftNow()
  await note(tx, notice, actor, 'notice.stopped', now, { status: 'stopped', cancelled, left })
  return { outcome: 'stopped', cancelled, left }
}

/** The notice, held, if this actor may end it: its author, or whoever reaches all of its groups. */
async function holdFor(
  tx: Queryable,
  noticeId: string,
  actor: string,
): Promise<{ notice: Notice } | NoticeFault> {
  const notice = await readNotice(tx, noticeId, 'wait')
  if (notice === undefined) return unknown
  const standing = await standingOfActor(tx, notice.programmeId, actor)
  if (standing === undefined) return notYours
  const { staffId, memberId } = standing
  const isOwn =
    (staffId !== null && staffId === notice.authorStaffId) ||
    (memberId !== null && memberId === notice.authorMemberId)
  // An officer ends only her own: her facilitator's notice to the same group is not hers.
  const reachesIt = memberId === null && reaches(standing, notice.audience.groupIds)
  return isOwn || reachesIt ? { notice } : notYours
}

/** Column names are ours. */
async function move(
  tx: Queryable,
  { id }: Notice,
  status: NoticeStatus,
  set: Readonly<Record<string, unknown>>,
): Promise<void> {
  const sets = Object.keys(set).map((column, index) => `, ${column} = $${index + 3}`)
  await tx.query(`update notices set status = $2${sets.join('')} where id = $1`, [
    id,
    status,
    ...Object.values(set),
  ])
}

async function note(
  tx: Queryable,
  { id, programmeId, status }: Notice,
  actor: string,
  action: string,
  now: Date,
  after: object = { status: action.slice('notice.'.length) },
): Promise<void> {
  const subject = `notice:${id}`
  await recordAudit(tx, { at: now, programmeId, actor, action, subject, before: { status }, after })
}
