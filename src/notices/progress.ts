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

/** One group and state; groups and states without a member have none. */
interface Count {
  groupId: string | null
  state: RecipientState
  members: number
}

/** A notice to more members than this is counted by the planner, not by whoever looks at it. */
export const countedLiveMax = 5_000

async function countNow(tx: Queryable, noticeId: string): Promise<Count[]> {
  const { rows } = await tx.query<Count>(
    `select group_id as "groupId", state, count(*)::int as members
       from (${statedSql} where r.notice_id = $1) stated group by 1, 2`,
    [noticeId],
  )
  return rows
}

/** Keeps the counts of a large notice with it: by group, and the sums by state, which lists read without the others. */
export async function keepCounts(tx: Queryable, noticeId: string, now: Date): Promise<void> {
  const counts = await countNow(tx, noticeId)
  await tx.query('update notices set counts = $2, totals = $3, counted_at = $4 where id = $1', [
    noticeId,
    JSON.stringify(counts),
    JSON.stringify(sumOf(counts)),
    now,
  ])
}

function sumOf(counts: readonly Pick<Count, 'state' | 'members'>[]): StateCounts {
  const sums = noCounts()
  for (const { state, members } of counts) sums[state] += members
  return sums
}

/** Of a notice to thousands as it was some seconds ago (after its end: minutes), else as it is. */
export async function noticeTotals(tx: Queryable, noticeId: string): Promise<StateCounts> {
  const { rows } = await tx.query<{ totals: StateCounts | null }>(
    'select totals from notices where id = $1',
    [noticeId],
  )
  return rows[0]?.totals ?? sumOf(await countNow(tx, noticeId))
}

// What is kept is unpacked by the database, so that a page of groups brings no more than the page.
const groupsSql = `
  with counted as (
    select nullif(c->>'groupId', '')::uuid as group_id, c->>'state' as state, (c->>'members')::int as members
      from notices n cross join lateral jsonb_array_elements(n.counts) c where n.id = $1
    union all
    select group_id, state, count(*)::int from (${statedSql} where r.notice_id = $1) stated
     where (select counts is null from notices where id = $1) group by 1, 2
  )
  select c.group_id as "groupId", g.name, jsonb_object_agg(c.state, c.members) as counts
    from counted c left join groups g on g.id = c.group_id
   where $2::uuid[] is null or c.group_id = any($2)
   group by c.group_id, g.name
  having $3::text[] is null or bool_or(c.state = any($3))
   order by g.name, c.group_id limit $4 offset $5`

export interface GroupsAsked {
  /** Of these alone. */
  groupIds?: readonly string[]
  /** Only those with a member in one of these states. */
  states?: readonly RecipientState[]
  limit?: number
  offset?: number
}

/** By name; members without a group at the end, with null. As old as the totals. */
export async function noticeGroups(
  tx: Queryable,
  noticeId: string,
  { groupIds, states, limit, offset = 0 }: GroupsAsked = {},
): Promise<NoticeProgress['groups']> {
  const { rows } = await tx.query<NoticeProgress['groups'][number]>(groupsSql, [
    noticeId,
    groupIds ?? null,
    states ?? null,
    limit ?? null,
    offset,
  ])
  return rows.map((row) => ({ ...row, counts: { ...noCounts(), ...row.counts } }))
}

/** All of it, in every group: for a screen or a page ask for less. */
export async function noticeProgress(tx: Queryable, noticeId: string): Promise<NoticeProgress> {
  const byState = await noticeTotals(tx, noticeId)
  const total = recipientStates.reduce((sum, state) => sum + byState[state], 0)
  return { total, byState, groups: await noticeGroups(tx, noticeId) }
}

export interface ListedNotice {
  id: string
  status: NoticeStatus
  channel: NoticeChannel
  purpose: NoticePurpose
  template: string | null
  authorStaffId: string | null
  authorMemberId: string | null
  /** First and last name of staff. */
  author: string | null
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
  status?: NoticeStatus
  limit: number
  /** The id of the last notice of the page before. */
  before?: string
}

// Ids are made in the order of time.
const listSql = `
  select n.id, n.status, n.channel, n.purpose, n.template, n.author_staff_id as "authorStaffId",
         n.author_member_id as "authorMemberId", s.first_name || ' ' || s.last_name as author, n.created_at as "createdAt", n.send_at as "sendAt",
         n.approved_at as "approvedAt", n.ended_at as "endedAt", n.audience->'groupIds' as "groupIds", n.totals
    from notices n left join staff s on s.id = n.author_staff_id
   where n.programme_id = $1 and ($2::uuid is null or n.author_staff_id = $2) and ($6::text is null or n.status = $6)
     and ($3::uuid is null or n.id < $3)
     and ($4::text[] is null or n.audience->'groupIds' ?| $4 or exists (
       select 1 from notice_recipients r where r.notice_id = n.id and r.group_id = any($4::uuid[])))
   order by n.id desc limit $5`

/** Newest first. */
export async function listNotices(tx: Queryable, asked: NoticesAsked): Promise<ListedNotice[]> {
  const { rows } = await tx.query<Omit<ListedNotice, 'counts'> & { totals: StateCounts | null }>(listSql, [
    asked.programmeId,
    asked.authorStaffId ?? null,
    asked.before ?? null,
    asked.groupIds ?? null,
    asked.limit,
    asked.status ?? null,
  ])
  const { rows: counted } = await tx.query<Omit<Count, 'groupId'> & { id: string }>(
    `select notice_id as id, state, count(*)::int as members
       from (${statedSql} where r.notice_id = any($1)) stated group by 1, 2`,
    [rows.flatMap(({ id, totals }) => (totals === null ? [id] : []))],
  )
  return rows.map(({ totals, ...row }) => ({
    ...row,
    counts: totals ?? sumOf(counted.filter(({ id }) => id === row.id)),
  }))
}

export interface RecipientsAsked {
  /** Of these groups alone; null among them: who has none. */
  groupIds?: readonly (string | null)[]
  states?: readonly RecipientState[]
  limit: number
  /** The number of the last member of the page before. */
  after?: string
}

const recipientColumns = `
  select st.member_id as "memberId", mb.number, mb.first_name as "firstName", mb.last_name as "lastName", mb.alias,
         st.group_id as "groupId", st.state, st.reason, st.told_at as "toldAt"`
const recipientRest = `
     and ($2::text[] is null or st.state = any($2)) and ($3::text is null or mb.number > $3)
   order by mb.number limit $4`

// In the order of the members' own index, so that a page of a notice to 100,000 reads no more than the page.
const recipientsSql = `${recipientColumns}
    from members mb
   cross join lateral (${statedSql} where r.notice_id = $1 and r.member_id = mb.id) st
   where mb.programme_id = (select programme_id from notices where id = $1) ${recipientRest}`

// Some groups have fewer members than a programme: they are read whole.
const ofGroupsSql = `${recipientColumns}
    from (${statedSql} where r.notice_id = $1 and (r.group_id = any($5::uuid[]) or $6 and r.group_id is null)) st
    join members mb on mb.id = st.member_id
   where true ${recipientRest}`

/** By member number. */
export async function recipientsOf(
  tx: Queryable,
  noticeId: string,
  { groupIds, states, limit, after }: RecipientsAsked,
): Promise<Recipient[]> {
  const asked = [noticeId, states ?? null, after ?? null, limit]
  const { rows } =
    groupIds === undefined
      ? await tx.query<Recipient>(recipientsSql, asked)
      : await tx.query<Recipient>(ofGroupsSql, [
          ...asked,
          groupIds.filter((id) => id !== null),
          groupIds.includes(null),
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
  const recipients = await recipientsOf(tx, noticeId, {
    groupIds: [groupId],
    states: open,
    limit: readOutMax,
  })
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
  // A large notice is counted again in the planner's next round.
  await tx.query('update notices set counted_at = null where id = $1 and counts is not null', [noticeId])
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
