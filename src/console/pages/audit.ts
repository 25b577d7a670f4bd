// The audit log of the programme: who did what to what, with what was before and after.
import { addDays, instantAt, isCalendarDate } from '../../calendar.ts'
import { html } from '../../markup.ts'
import { button, field, link, moment, nothing, searchForm, table, withQuery } from '../elements.ts'
import type { ConsoleRoute, PageContext } from '../page.ts'

export const auditRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/audit', roles: ['administrator', 'auditor'], handle: auditPage },
]

const rowsMax = 50

interface AuditRow {
  id: string
  at: Date
  actor: string
  action: string
  subject: string
  before: object | null
  after: object | null
}

async function auditPage(context: PageContext) {
  const { tx, say, query, programme } = context
  const { actor = '', action = '', subject = '', day = '', before = '' } = query
  const isDay = isCalendarDate(day)
  const { rows } = await tx.query<AuditRow>(
    `select id, at, actor, action, subject, before, after from audit_log
      where ($1 = '' or actor = $1) and ($2 = '' or action = $2) and ($3 = '' or subject = $3)
        and ($4::timestamptz is null or at >= $4) and ($5::timestamptz is null or at < $5)
        and ($6::bigint is null or id < $6)
      order by id desc limit ${rowsMax + 1}`,
    [
      actor,
      action,
      subject,
      isDay ? instantAt(day, 0, programme.timeZone) : null,
      isDay ? instantAt(addDays(day, 1), 0, programme.timeZone) : null,
      /^\d{1,18}$/.test(before) ? before : null,
    ],
  )
  const shown = rows.slice(0, rowsMax)
  const names = await namesOf(context, shown)
  const written = (value: object | null) =>
    value === null ? '' : html`<code>${JSON.stringify(value)}</code>`
  const body = html`${searchForm(
    '/audit',
    html`${field('actor', say('audit.actor'), { value: actor })}${field('action', say('audit.action'), { value: action })}${field('subject', say('audit.subject'), { value: subject })}${field('day', say('form.day'), { value: day, type: 'date' })}${button(say('form.search'))}`,
  )}
${table(
  say('menu.audit'),
  [
    { title: say('audit.at'), cell: ({ at }) => moment(context, at) },
    {
      title: say('audit.actor'),
      cell: (row) =>
        link(
          withQuery(context, '/audit', { actor: row.actor, before: '' }),
          names.get(row.actor) ?? row.actor,
        ),
    },
    { title: say('audit.action'), cell: (row) => row.action },
    {
      title: say('audit.subject'),
      cell: (row) =>
        link(
          withQuery(context, '/audit', { subject: row.subject, before: '' }),
          names.get(row.subject) ?? row.subject,
        ),
    },
    { title: say('audit.before'), cell: (row) => written(row.before) },
    { title: say('audit.after'), cell: (row) => written(row.after) },
  ],
  shown,
  say('audit.none'),
  { isPage: true },
)}
${rows.length > rowsMax ? html`<p>${link(withQuery(context, '/audit', { before: shown.at(-1)?.id ?? '' }), say('form.older'))}</p>` : nothing}`
  return { title: say('menu.audit'), body }
}

/** The log keeps ids; whoever reads it wants to know who that was. */
async function namesOf({ tx }: PageContext, rows: readonly AuditRow[]): Promise<Map<string, string>> {
  const named = [...new Set(rows.flatMap(({ actor, subject }) => [actor, subject]))]
  const ids = (kind: string) =>
    named
      .filter((name) => name.startsWith(`${kind}:`))
      .map((name) => name.slice(kind.length + 1))
      .filter((id) => /^[0-9a-f-]{36}$/.test(id))
  const found = await tx.query<{ name: string; who: string }>(
    `select 'staff:' || id as name, first_name || ' ' || last_name as who from staff where id = any($1::uuid[])
     union all select 'member:' || id, number from members where id = any($2::uuid[])`,
    [ids('staff'), ids('member')],
  )
  return new Map(found.rows.map(({ name, who }) => [name, who]))
}
