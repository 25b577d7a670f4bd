// Members: found by name, number, alias or phone, among those that the role sees.
import { html } from '../../markup.ts'
import { parseMsisdn } from '../../msisdn.ts'
import { badge, button, field, link, nothing, phoneText, searchForm, table } from '../elements.ts'
import type { ConsoleRoute, PageContext } from '../page.ts'
import { everyRole, memberScopeSql } from '../roles.ts'
import { likeText } from './groups.ts'

export const membersRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/members', roles: everyRole, handle: membersPage },
]

const rowsMax = 50

export interface ListedMember {
  id: string
  number: string
  firstName: string
  lastName: string
  alias: string
  status: string
  group: string | null
  groupId: string | null
  msisdn: string | null
}

const findSql = (scope: string) => `
  select m.id, m.number, m.first_name as "firstName", m.last_name as "lastName", m.alias, m.status, g.name as group,
         g.id as "groupId", p.msisdn
    from members m left join groups g on g.id = m.group_id
    left join member_phones mp on mp.member_id = m.id and mp.is_primary
    left join phones p on p.id = mp.phone_id
   where ${scope} and m.erased_at is null
     and (m.number ilike $2 || '%' or m.alias ilike $2 || '%' or m.first_name ilike $2 || '%' or m.last_name ilike $2 || '%'
          or (m.first_name || ' ' || m.last_name) ilike $2 || '%' or (m.last_name || ' ' || m.first_name) ilike $2 || '%'
          or exists (select 1 from member_phones o join phones f on f.id = o.phone_id where o.member_id = m.id and f.msisdn = $3))
   order by m.last_name, m.first_name, m.number limit ${rowsMax}`

async function membersPage(context: PageContext) {
  const { tx, staff, say, query, programme } = context
  const wanted = query.q ?? ''
  const { rows } = await tx.query<ListedMember>(findSql(memberScopeSql(staff, 'm', '$1')), [
    staff.id,
    likeText(wanted),
    parseMsisdn(wanted, programme.country) ?? '',
  ])
  const body = html`${searchForm(
    '/members',
    html`${field('q', say('member.search'), { value: wanted, type: 'search', hint: say('member.search_hint') })}${button(say('form.search'))}`,
  )}
${table(
  say('menu.members'),
  [
    { title: say('member.number'), cell: ({ number }) => number },
    {
      title: say('member.name'),
      cell: ({ id, firstName, lastName }) => link(`/members/${id}`, `${firstName} ${lastName}`),
    },
    { title: say('member.alias'), cell: ({ alias }) => alias },
    {
      title: say('group.group'),
      cell: ({ group, groupId }) => (group === null ? '' : link(`/groups/${groupId}`, group)),
    },
    {
      title: say('member.phone'),
      cell: ({ msisdn }) => (msisdn === null ? badge(say('member.no_phone')) : phoneText(context, msisdn)),
    },
    {
      title: say('member.state'),
      cell: ({ status }) => (status === 'active' ? '' : badge(say(`member_status.${status}`), 'bad')),
    },
  ],
  rows,
  say('member.none'),
  { isPage: true },
)}
${rows.length === rowsMax ? html`<p class="hint">${say('form.narrow', { count: rowsMax })}</p>` : nothing}`
  return { title: say('menu.members'), body }
}
