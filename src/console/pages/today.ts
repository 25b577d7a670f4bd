// Today: what needs whoever is signed in, and nothing else.
import { addDays, instantAt, localParts } from '../../calendar.ts'
import { countOpenCases } from '../../cases/cases.ts'
import { html, type Markup } from '../../markup.ts'
import { listNotices, noticeGroups, type RecipientState } from '../../notices/progress.ts'
import { facts, link, live, moment, nothing, table } from '../elements.ts'
import type { ConsoleRoute, PageContext } from '../page.ts'
import { everyRole, groupScopeSql } from '../roles.ts'
import { casesSeen, caseTable } from './cases.ts'
import { noticeReaders, ownGroupIds } from './notices.ts'

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
  const { tx, staff, say, now } = context
  if (staff.role === 'auditor') return nothing
  const sharesAll =
    staff.role === 'branch' || staff.role === 'administrator' || staff.role === 'social_worker'
  const rows = await casesSeen(context, {
    status: 'open',
    limit: 20,
    ...(sharesAll ? {} : { ownerId: staff.id }),
  })
  if (rows.length === 0) return nothing
  const { open, overdue } = await countOpenCases(tx, staff.id, staff.role, now)
  const mine =
    open === 0 ? nothing : html`<p>${link('/cases?mine=yes', say('today.mine', { open, overdue }))}</p>`
  return html`${caseTable(context, say('today.cases'), rows)}${mine}`
}

async function noticesToApprove(context: PageContext): Promise<Markup> {
  const { tx, staff, say } = context
  if (staff.role !== 'branch' && staff.role !== 'administrator') return nothing
  const waiting = await listNotices(tx, { programmeId: staff.programmeId, status: 'waiting', limit: 20 })
  const rows = waiting.filter(({ authorStaffId }) => authorStaffId !== staff.id)
  if (rows.length === 0) return nothing
  return table(
    say('today.to_approve'),
    [
      { title: say('notice.written'), cell: ({ createdAt }) => moment(context, createdAt) },
      { title: say('notice.author'), cell: ({ author }) => author ?? '' },
      {
        title: say('notice.about'),
        cell: ({ id, template }) => link(`/notices/${id}`, say(`notice_template.${template ?? 'free'}`)),
      },
      { title: say('message.purpose'), cell: ({ purpose }) => say(`purpose.${purpose}`) },
    ],
    rows,
    '',
  )
}

const notReached = ['not_reached', 'unknown'] as const satisfies readonly RecipientState[]
const groupsMax = 20

/** Of the newest notices of a month, group by group: who is still to be told in person. */
async function noticesNotReached(context: PageContext): Promise<Markup> {
  const { tx, staff, say, now } = context
  if (!noticeReaders.includes(staff.role)) return nothing
  const groupIds = await ownGroupIds(context)
  const since = new Date(now.getTime() - 30 * 24 * 3_600_000)
  const scope = groupIds === undefined ? {} : { groupIds }
  const newest = await listNotices(tx, { programmeId: staff.programmeId, limit: 10, ...scope })
  const rows: { id: string; createdAt: Date; groupId: string; group: string; count: number }[] = []
  for (const { id, createdAt, counts } of newest) {
    const left = groupsMax - rows.length
    if (createdAt < since || left === 0 || notReached.every((state) => counts[state] === 0)) continue
    for (const { groupId, name, counts: ofGroup } of await noticeGroups(tx, id, {
      ...scope,
      states: notReached,
      limit: left,
    }))
      if (groupId !== null) {
        const count = notReached.reduce((sum, state) => sum + ofGroup[state], 0)
        rows.push({ id, createdAt, groupId, group: name ?? '', count })
      }
  }
  if (rows.length === 0) return nothing
  return table(
    say('today.not_reached'),
    [
      { title: say('notice.written'), cell: ({ createdAt }) => moment(context, createdAt) },
      {
        title: say('group.group'),
        cell: ({ id, groupId, group }) => link(`/notices/${id}/read-out?group=${groupId}`, group),
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
    `select count(*)::int as count from messages where stage = 2`,
  )
  const unknown = rows[0]?.count ?? 0
  const raised = staff.role === 'administrator' ? alarms() : []
  if (unknown === 0 && raised.length === 0) return nothing
  return html`<h2>${say('today.operators')}</h2>${facts([
    [say('today.unknown'), unknown === 0 ? undefined : link('/messages?status=unknown', String(unknown))],
    [say('today.alarms'), raised.length === 0 ? undefined : raised.join(', ')],
  ])}`
}
