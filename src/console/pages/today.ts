// Today: what needs whoever is signed in, and nothing else.
import { addDays, instantAt, localParts } from '../../calendar.ts'
import { html, type Markup } from '../../markup.ts'
import { facts, link, live, moment, nothing, table } from '../elements.ts'
import type { ConsoleRoute, PageContext } from '../page.ts'
import { everyRole, groupScopeSql, memberScopeSql } from '../roles.ts'
import { casesSeen, caseTable } from './cases.ts'

export const todayRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/', roles: everyRole, handle: today },
]

async function today(context: PageContext) {
  const { say } = context
  const parts = [
    await casesOf(context),
    await noticesToApprove(context),
    await noticesNotReached(context),
    await meetingsOf(context),
    await forOperators(context),
  ].filter((part) => part.markup !== '')
  const body = parts.length === 0 ? html`<p class="empty">${say('today.nothing')}</p>` : html`${parts}`
  return { title: say('menu.today'), body: live(context, 'today', body) }
}

/** Of an office all that are open; of the others what waits for them. */
async function casesOf(context: PageContext): Promise<Markup> {
  const { staff, say } = context
  if (staff.role === 'auditor') return nothing
  const sharesAll =
    staff.role === 'branch' || staff.role === 'administrator' || staff.role === 'social_worker'
  const rows = await casesSeen(context, {
    status: 'open',
    limit: 20,
    ...(sharesAll ? {} : { ownerId: staff.id }),
  })
  return rows.length === 0 ? nothing : caseTable(context, say('today.cases'), rows)
}

async function noticesToApprove(context: PageContext): Promise<Markup> {
  const { tx, staff, say } = context
  if (staff.role !== 'branch' && staff.role !== 'administrator') return nothing
  const { rows } = await tx.query<{ id: string; purpose: string; createdAt: Date; author: string | null }>(
    `select n.id, n.purpose, n.created_at as "createdAt", s.first_name || ' ' || s.last_name as author
       from notices n left join staff s on s.id = n.author_staff_id
      where n.status = 'waiting' and n.author_staff_id is distinct from $1::uuid order by n.created_at limit 20`,
    [staff.id],
  )
  if (rows.length === 0) return nothing
  return table(
    say('today.to_approve'),
    [
      { title: say('notice.written'), cell: ({ createdAt }) => moment(context, createdAt) },
      { title: say('notice.author'), cell: ({ author }) => author ?? '' },
      {
        title: say('message.purpose'),
        cell: ({ id, purpose }) => link(`/notices/${id}`, say(`purpose.${purpose}`)),
      },
    ],
    rows,
    '',
  )
}

async function noticesNotReached(context: PageContext): Promise<Markup> {
  const { tx, staff, say, now } = context
  const { rows } = await tx.query<{
    id: string
    groupId: string | null
    group: string
    createdAt: Date
    count: number
  }>(
    `select n.id, r.group_id as "groupId", g.name as group, n.created_at as "createdAt", count(*)::int as count
       from notices n join notice_recipients r on r.notice_id = n.id join members mb on mb.id = r.member_id
       left join groups g on g.id = r.group_id left join messages m on m.id = r.message_id
      where n.created_at > $2 and r.told_at is null and r.excluded is null
        and m.status in ('failed', 'undelivered', 'rejected', 'expired') and ${memberScopeSql(staff, 'mb', '$1')}
      group by n.id, n.created_at, r.group_id, g.name order by n.created_at desc limit 20`,
    [staff.id, new Date(now.getTime() - 30 * 24 * 3_600_000)],
  )
  if (rows.length === 0) return nothing
  return table(
    say('today.not_reached'),
    [
      { title: say('notice.written'), cell: ({ createdAt }) => moment(context, createdAt) },
      {
        title: say('group.group'),
        cell: ({ id, groupId, group }) =>
          groupId === null ? '' : link(`/notices/${id}/read-out?group=${groupId}`, group),
      },
      { title: say('today.people'), cell: ({ count }) => count, figures: true },
    ],
    rows,
    '',
  )
}

async function meetingsOf(context: PageContext): Promise<Markup> {
  const { tx, staff, say, now, programme } = context
  const { date } = localParts(now, programme.timeZone)
  const { rows } = await tx.query<{ startsAt: Date; groupId: string; name: string; place: string }>(
    `select t.starts_at as "startsAt", g.id as "groupId", g.name, t.place
       from meetings t join groups g on g.id = t.group_id
      where t.status = 'planned' and t.starts_at >= $2 and t.starts_at < $3 and ${groupScopeSql(staff, 'g', '$1')}
      order by t.starts_at, g.name limit 50`,
    [staff.id, instantAt(date, 0, programme.timeZone), instantAt(addDays(date, 1), 0, programme.timeZone)],
  )
  if (rows.length === 0) return nothing
  return table(
    say('today.meetings'),
    [
      { title: say('meeting.time'), cell: ({ startsAt }) => moment(context, startsAt) },
      { title: say('group.group'), cell: ({ groupId, name }) => link(`/groups/${groupId}`, name) },
      { title: say('group.place'), cell: ({ place }) => place },
    ],
    rows,
    '',
  )
}

/** Messages of unknown outcome, and alarms of this process. */
async function forOperators({ tx, staff, say, alarms }: PageContext): Promise<Markup> {
  if (staff.role !== 'branch' && staff.role !== 'administrator') return nothing
  const { rows } = await tx.query<{ count: number }>(
    `select count(*)::int as count from messages where status = 'unknown'`,
  )
  const unknown = rows[0]?.count ?? 0
  const raised = staff.role === 'administrator' ? alarms() : []
  if (unknown === 0 && raised.length === 0) return nothing
  return html`<h2>${say('today.operators')}</h2>${facts([
    [say('today.unknown'), unknown === 0 ? undefined : link('/messages?status=unknown', String(unknown))],
    [say('today.alarms'), raised.length === 0 ? undefined : raised.join(', ')],
  ])}`
}
