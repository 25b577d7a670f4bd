// Members: found by name, number, alias or phone, among those that the role sees.

import { html } from '../../markup.ts'
import { beginsSql } from '../../members/search.ts'
import { parseMsisdn } from '../../msisdn.ts'
import { csvFile } from '../csv-file.ts'
import { badge, button, field, link, nothing, phoneText, searchForm, table, withQuery } from '../elements.ts'
import type { ConsoleRoute, Page, PageContext } from '../page.ts'
import { everyRole, memberScopeSql, officeRoles } from '../roles.ts'

export const membersRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/members', roles: everyRole, handle: membersPage },
  {
    method: 'get',
    path: '/members.csv',
    roles: ['facilitator', ...officeRoles],
    handle: membersFile,
  },
]

const rowsMax = 50
/** Of a file: what a spreadsheet still opens. */
const fileRowsMax = 200_000

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

/** Numbers are looked up once, before. */
export const findsSql = `(${beginsSql('$2')}
  or m.id = any(array(select o.member_id from phones f join member_phones o on o.phone_id = f.id where f.msisdn = $3)))`

const findSql = (scope: string, words: string, limit: number) => `
  select m.id, m.number, m.first_name as "firstName", m.last_name as "lastName", m.alias, m.status, g.name as group,
         g.id as "groupId", p.msisdn
    from members m left join groups g on g.id = m.group_id
    left join member_phones mp on mp.member_id = m.id and mp.is_primary
    left join phones p on p.id = mp.phone_id
   where m.programme_id = $4 and ${scope} and m.erased_at is null and ${words}
   order by m.last_name, m.first_name, m.number limit ${limit}`

/** What the search leaves of those whom the role sees. */
async function find({ tx, staff, query, programme }: PageContext, limit: number): Promise<ListedMember[]> {
  const wanted = (query.q ?? '').slice(0, 80)
  const words = wanted === '' ? '$2::text is not null and $3::text is not null' : findsSql
  const { rows } = await tx.query<ListedMember>(findSql(memberScopeSql(staff, 'm', '$1'), words, limit), [
    staff.id,
    wanted,
    parseMsisdn(wanted, programme.country) ?? '',
    programme.id,
  ])
  return rows
}

async function membersFile(context: PageContext): Promise<Page> {
  const { say } = context
  const rows = await find(context, fileRowsMax)
  return csvFile(
    'members',
    ['member', 'first_name', 'last_name', 'alias', 'group', 'phone', 'status'].map((key) =>
      say(`column.${key}`),
    ),
    rows.map((row) => [
      row.number,
      row.firstName,
      row.lastName,
      row.alias,
      row.group ?? '',
      row.msisdn === null ? '' : phoneText(context, row.msisdn),
      row.status,
    ]),
  )
}

async function membersPage(context: PageContext) {
  const { staff, say, query } = context
  const wanted = query.q ?? ''
  const rows = await find(context, rowsMax)
  const mayTake = staff.role === 'facilitator' || officeRoles.includes(staff.role)
  const body = html`${searchForm(
    '/members',
    html`${field('q', say('member.search'), { value: wanted, type: 'search', hint: say('member.search_hint') })}${button(say('form.search'))}`,
  )}
${mayTake ? html`<p>${link(withQuery(context, '/members.csv', {}), say('form.csv'))}</p>` : nothing}
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
