// Groups, and one group with its officers, members, meetings and what was agreed.

import { RequestError } from '../../errors.ts'
import { html } from '../../markup.ts'
import {
  badge,
  button,
  facts,
  field,
  link,
  moment,
  momentText,
  nothing,
  searchForm,
  table,
} from '../elements.ts'
import { isId } from '../ids.ts'
import type { ConsoleRoute, PageContext } from '../page.ts'
import { everyRole, groupScopeSql } from '../roles.ts'

export const groupRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/groups', roles: everyRole, handle: groupsPage },
  { method: 'get', path: '/groups/:id', roles: everyRole, handle: groupPage },
]

const rowsMax = 100

interface GroupRow {
  id: string
  code: string
  name: string
  place: string
  facilitator: string | null
  members: number
  nextMeeting: Date | null
}

const groupSql = (scope: string) => `
  select g.id, g.code, g.name, g.place, s.first_name || ' ' || s.last_name as facilitator,
         (select count(*) from members m where m.group_id = g.id and m.status <> 'left')::int as members,
         (select min(t.starts_at) from meetings t
           where t.group_id = g.id and t.status = 'planned' and t.starts_at >= $2) as "nextMeeting"
    from groups g left join staff s on s.id = g.facilitator_id
   where ${scope}`

async function groupsPage(context: PageContext) {
  const { tx, staff, say, now, query } = context
  const wanted = query.q ?? ''
  const { rows } = await tx.query<GroupRow>(
    `${groupSql(groupScopeSql(staff, 'g', '$1'))}
       and ($3 = '' or g.name ilike '%' || $3 || '%' or g.code ilike $3 || '%' or g.place ilike '%' || $3 || '%')
     order by g.code limit ${rowsMax}`,
    [staff.id, now, likeText(wanted)],
  )
  const body = html`${searchForm('/groups', html`${field('q', say('group.search'), { value: wanted, type: 'search' })}${button(say('form.search'))}`)}
${table(
  say('menu.groups'),
  [
    { title: say('group.code'), cell: ({ code }) => code },
    { title: say('group.group'), cell: ({ id, name }) => link(`/groups/${id}`, name) },
    { title: say('group.place'), cell: ({ place }) => place },
    { title: say('group.facilitator'), cell: ({ facilitator }) => facilitator ?? '' },
    { title: say('group.members'), cell: ({ members }) => members, figures: true },
    {
      title: say('meeting.next'),
      cell: ({ nextMeeting }) => (nextMeeting === null ? '' : moment(context, nextMeeting)),
    },
  ],
  rows,
  say('group.none'),
  { isPage: true },
)}
${rows.length === rowsMax ? html`<p class="hint">${say('form.narrow', { count: rowsMax })}</p>` : nothing}`
  return { title: say('menu.groups'), body }
}

/** What a search means by itself, without LIKE's own signs. */
export const likeText = (text: string): string => text.slice(0, 80).replace(/[\\%_]/g, '\\$&')

async function groupPage(context: PageContext) {
  const { tx, staff, say, now, params } = context
  const { id = '' } = params
  if (!isId(id)) throw new RequestError('route.unknown')
  const { rows } = await tx.query<GroupRow>(
    `${groupSql(groupScopeSql(staff, 'g', '$1'))} and g.id = $3::uuid`,
    [staff.id, now, id],
  )
  const [group] = rows
  if (group === undefined) throw new RequestError('route.unknown')
  const body = html`${facts([
    [say('group.code'), group.code],
    [say('group.place'), group.place],
    [say('group.facilitator'), group.facilitator ?? undefined],
    [say('group.members'), String(group.members)],
    [say('meeting.next'), group.nextMeeting === null ? undefined : moment(context, group.nextMeeting)],
  ])}
<p>${link(`/groups/${id}/calendar`, say('calendar.title'))} · ${link(`/groups/${id}/training`, say('training.title'))}</p>
${await membersTable(context, id)}
${await meetingsTable(context, id)}`
  return { title: group.name, body }
}

interface MemberRow {
  id: string
  number: string
  firstName: string
  lastName: string
  role: string
  status: string
  inDoubt: boolean
  hasPhone: boolean
}

async function membersTable({ tx, say }: PageContext, groupId: string) {
  const { rows } = await tx.query<MemberRow>(
    `select m.id, m.number, m.first_name as "firstName", m.last_name as "lastName", m.role, m.status,
            exists (select 1 from member_phones p where p.member_id = m.id and p.is_primary) as "hasPhone",
            exists (select 1 from member_phones p where p.member_id = m.id and p.is_primary and p.reverify_since is not null)
              as "inDoubt"
       from members m where m.group_id = $1 and m.status <> 'left'
      order by array_position(array['president', 'treasurer', 'educator'], m.role), m.last_name, m.first_name limit 200`,
    [groupId],
  )
  return table(
    say('group.members'),
    [
      { title: say('member.number'), cell: ({ number }) => number },
      {
        title: say('member.name'),
        cell: ({ id, firstName, lastName }) => link(`/members/${id}`, `${firstName} ${lastName}`),
      },
      {
        title: say('member.role'),
        cell: ({ role }) => (role === 'member' ? '' : say(`member_role.${role}`)),
      },
      {
        title: say('member.state'),
        cell: ({ status, inDoubt, hasPhone }) =>
          html`${status === 'active' ? nothing : badge(say(`member_status.${status}`), 'bad')} ${
            !hasPhone
              ? badge(say('member.no_phone'))
              : inDoubt
                ? badge(say('member.in_doubt'), 'bad')
                : nothing
          }`,
      },
    ],
    rows,
    say('group.no_members'),
  )
}

async function meetingsTable(context: PageContext, groupId: string) {
  const { tx, say, now } = context
  const { rows } = await tx.query<{
    id: string
    startsAt: Date
    place: string
    status: string
    coming: number
    came: number
  }>(
    `(select t.id, t.starts_at as "startsAt", t.place, t.status,
             (select count(*) from meeting_answers a where a.meeting_id = t.id and a.coming)::int as coming,
             (select count(*) from meeting_attendances a where a.meeting_id = t.id and a.attended)::int as came
        from meetings t where t.group_id = $1 and t.starts_at < $2 order by t.starts_at desc limit 5)
     union all
     (select t.id, t.starts_at, t.place, t.status,
             (select count(*) from meeting_answers a where a.meeting_id = t.id and a.coming)::int,
             (select count(*) from meeting_attendances a where a.meeting_id = t.id and a.attended)::int
        from meetings t where t.group_id = $1 and t.starts_at >= $2 order by t.starts_at limit 5)
     order by 2 desc`,
    [groupId, now],
  )
  return table(
    say('group.meetings'),
    [
      {
        title: say('meeting.time'),
        cell: ({ id, startsAt }) => link(`/meetings/${id}`, momentText(context.programme.timeZone, startsAt)),
      },
      { title: say('group.place'), cell: ({ place }) => place },
      { title: say('member.state'), cell: ({ status }) => say(`meeting_status.${status}`) },
      { title: say('meeting.announced'), cell: ({ coming }) => coming, figures: true },
      { title: say('meeting.came'), cell: ({ came }) => came, figures: true },
    ],
    rows,
    say('group.no_meetings'),
  )
}
