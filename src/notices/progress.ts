// In: a notice, perhaps a group. Out: in plain words what became of it for each member, and the list of those to tell in person.
// The states follow from the messages as they stand: nothing is counted twice or kept beside them.
import { recordAudit } from '../audit.ts'
import type { Queryable } from '../db.ts'
import type { NoticePurpose } from './audience.ts'
import { type NoticeChannel, type NoticeStatus, readNotice } from './record.ts'
import { reaches, standingOfActor } from './rights.ts'

export const recipientStates = [
  'waiting',
  'sent',
  'reached',
  'not_reached',
  'opted_out',
  'excluded',
  'unknown',
  'told',
] as const
export type RecipientState = (typeof recipientStates)[number]

export type StateCounts = Record<RecipientState, number>

export interface NoticeProgress {
  total: number
  byState: StateCounts
  /** By name; members without a group at the end, with null. */
  groups: { groupId: string | null; name: string | null; counts: StateCounts }[]
}

export interface Recipient {
  memberId: string
  number: string
  firstName: string
  lastName: string
  alias: string
  groupId: string | null
  state: RecipientState
  /** A stable word: why not, where there is a reason. */
  reason: string | null
  toldAt: Date | null
}

/** One row a recipient with state and reason. A message of unknown outcome may have been sent once more: the later word counts. */
const statedSql = `
  select r.notice_id, r.member_id, r.group_id, r.told_at,
         case when r.told_at is not null then 'told'
              when r.excluded = 'opted_out' then 'opted_out'
              when r.excluded is not null then 'excluded'
              when s.status is null or s.status in ('created', 'queued', 'claimed', 'submitting') then 'waiting'
              when s.status in ('submitted', 'sent') then 'sent'
              when s.status = 'delivered' then 'reached'
              when s.status = 'unknown' then 'unknown'
              when s.status = 'suppressed' and s.reason = 'opted_out' then 'opted_out'
              else 'not_reached' end as state,
         case when r.excluded is not null then r.excluded
              when s.status in ('suppressed', 'cancelled', 'expired', 'failed', 'undelivered', 'rejected')
              then coalesce(s.reason, s.status) end as reason
    from notice_recipients r
    left join messages m on m.id = r.message_id
    left join messages again on again.resends_id = m.id and m.status <> 'delivered'
    left join lateral (
      select coalesce(again.status, m.status) as status,
             case when again.id is null then m.reason else again.reason end as reason) s on true`

const noCounts = (): StateCounts =>
  Object.fromEntries(recipientStates.map((state) => [state, 0])) as StateCounts

export async function noticeProgress(tx: Queryable, noticeId: string): Promise<NoticeProgress> {
  const { rows } = await tx.query<{
    groupId: string | null
    name: string | null
    state: RecipientState
    members: number
  }>(
    `select c.group_id as "groupId", g.name, c.state, c.members
       from (select group_id, state, count(*)::int as members from (${statedSql} where r.notice_id = $1) stated group by 1, 2) c
       left join groups g on g.id = c.group_id
      order by g.name nulls last, c.group_id`,
    [noticeId],
  )
  const progress: NoticeProgress = { total: 0, byState: noCounts(), groups: [] }
  for (const { groupId, name, state, members } of rows) {
    progress.total += members
    progress.byState[state] += members
    const last = progress.groups.at(-1)
    const group = last?.groupId === groupId ? last : { groupId, name, counts: noCounts() }
    if (group !== last) progress.groups.push(group)
    group.counts[state] += members
  }
  return progress
}

export interface ListedNotice {
  id: string
  status: NoticeStatus
  channel: NoticeChannel
  purpose: NoticePurpose
  template: string | null
  authorStaffId: string | null
  authorMemberId: string | null
  createdAt: Date
  sendAt: Date | null
  approvedAt: Date | null
  endedAt: Date | null
  /** Groups that it names; null: it names none. */
  groupIds: string[] | null
  counts: StateCounts
}

export interface NoticesAsked {
  programmeId: string
  /** Notices that went to members of one of these groups, or name one. */
  groupIds?: readonly string[]
  authorStaffId?: string
  limit: number
  /** The id of the last notice of the page before. */
  before?: string
}

// Ids are made in the order of time.
const listSql = `
  select n.id, n.status, n.channel, n.purpose, n.template, n.author_staff_id as "authorStaffId",
         n.author_member_id as "authorMemberId", n.created_at as "createdAt", n.send_at as "sendAt",
         n.approved_at as "approvedAt", n.ended_at as "endedAt", n.audience->'groupIds' as "groupIds"
    from notices n
   where n.programme_id = $1 and ($2::uuid is null or n.author_staff_id = $2)
     and ($3::uuid is null or n.id < $3)
     and ($4::text[] is null or n.audience->'groupIds' ?| $4 or exists (
       select 1 from notice_recipients r where r.notice_id = n.id and r.group_id::text = any($4)))
   order by n.id desc limit $5`

/** Newest first. */
export async function listNotices(tx: Queryable, asked: NoticesAsked): Promise<ListedNotice[]> {
  const { rows } = await tx.query<Omit<ListedNotice, 'counts'>>(listSql, [
    asked.programmeId,
    asked.authorStaffId ?? null,
    asked.before ?? null,
    asked.groupIds ?? null,
    asked.limit,
  ])
  const { rows: counted } = await tx.query<{ id: string; state: RecipientState; members: number }>(
    `select notice_id as id, state, count(*)::int as members
       from (${statedSql} where r.notice_id = any($1)) stated group by 1, 2`,
    [rows.map(({ id }) => id)],
  )
  const countsById = new Map(rows.map(({ id }) => [id, noCounts()]))
  for (const { id, state, members } of counted) {
    const counts = countsById.get(id)
    if (counts !== undefined) counts[state] = members
  }
  return rows.map((row) => ({ ...row, counts: countsById.get(row.id) ?? noCounts() }))
}

export interface RecipientsAsked {
  groupId?: string
  states?: readonly RecipientState[]
  limit: number
  offset?: number
  /** The number of the last member of the page before; cheaper than an offset. */
  after?: string
}

const recipientsSql = `
  select st.member_id as "memberId", mb.number, mb.first_name as "firstName", mb.last_name as "lastName", mb.alias,
         st.group_id as "groupId", st.state, st.reason, st.told_at as "toldAt"
    from (${statedSql} where r.notice_id = $1 and ($2::uuid is null or r.group_id = $2)) st
    join members mb on mb.id = st.member_id
   where ($3::text[] is null or st.state = any($3)) and ($4::text is null or mb.number > $4)
   order by mb.number limit $5 offset $6`

/** By member number. */
export async function recipientsOf(
  tx: Queryable,
  noticeId: string,
  { groupId, states, limit, offset = 0, after }: RecipientsAsked,
): Promise<Recipient[]> {
  const { rows } = await tx.query<Recipient>(recipientsSql, [
    noticeId,
    groupId ?? null,
    states ?? null,
    after ?? null,
    limit,
    offset,
  ])
  return rows
}

/** How many names one list to read out holds; a group has some 25 members. */
const readOutMax = 500

/**
 * Whom to tell in person at the next meeting: neither reached nor told. Those whose message is still on its way are among them, since it
 * may never arrive; who has left the programme is not.
 */
export async function unreachedOf(tx: Queryable, noticeId: string, groupId: string): Promise<Recipient[]> {
  const open = recipientStates.filter((state) => state !== 'reached' && state !== 'told')
  const recipients = await recipientsOf(tx, noticeId, { groupId, states: open, limit: readOutMax })
  return recipients.filter(({ reason }) => reason !== 'left')
}

/** Ticks a member off the list to read out. False when she is not on it, was told before, or is not `by`'s to tell. */
export async function markTold(
  tx: Queryable,
  { noticeId, memberId, by, now }: { noticeId: string; memberId: string; by: string; now: Date },
): Promise<boolean> {
  const notice = await readNotice(tx, noticeId)
  if (notice === undefined) return false
  const { programmeId } = notice
  const standing = await standingOfActor(tx, programmeId, by)
  if (standing === undefined) return false
  const { rows } = await tx.query<{ groupId: string | null }>(
    'select group_id as "groupId" from notice_recipients where notice_id = $1 and member_id = $2',
    [noticeId, memberId],
  )
  const groupId = rows[0]?.groupId
  if (groupId === undefined || !reaches(standing, groupId === null ? undefined : [groupId])) return false
  const { rowCount } = await tx.query(
    `update notice_recipients set told_at = $3, told_by = $4
      where notice_id = $1 and member_id = $2 and told_at is null`,
    [noticeId, memberId, now, by],
  )
  if (rowCount !== 1) return false
  await recordAudit(tx, {
    at: now,
    programmeId,
    actor: by,
    action: 'notice.told',
    subject: `notice:${noticeId}`,
    after: { member: memberId },
  })
  return true
}
