// Staff: who works here in which role. An administrator adds, changes, deactivates and ends sessions; each leaves before and after.
import { recordAudit } from '../../audit.ts'
import { RequestError } from '../../errors.ts'
import { html, type Markup } from '../../markup.ts'
import { isStaffRole, staffRoles } from '../../members/staff.ts'
import { parseMsisdn } from '../../msisdn.ts'
import {
  badge,
  button,
  checkbox,
  facts,
  faultSummary,
  field,
  form,
  link,
  moment,
  nothing,
  phoneText,
  select,
  table,
} from '../elements.ts'
import { isId } from '../ids.ts'
import type { ConsoleRoute, Page, PageContext } from '../page.ts'
import { officeRoles } from '../roles.ts'
import { endSessionsOf } from '../sessions.ts'

const administrators = ['administrator'] as const

export const staffRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/staff', roles: officeRoles, handle: listPage },
  { method: 'get', path: '/staff/new', roles: administrators, handle: (context) => newPage(context, {}, []) },
  { method: 'post', path: '/staff/new', roles: administrators, handle: add },
  { method: 'get', path: '/staff/:id', roles: officeRoles, handle: onePage },
  { method: 'post', path: '/staff/:id', roles: administrators, handle: change },
  { method: 'post', path: '/staff/:id/sessions', roles: administrators, handle: endSessions },
]

interface StaffRow {
  id: string
  firstName: string
  lastName: string
  msisdn: string
  role: string
  language: string
  languages: string[]
  active: boolean
  sessions: number
}

const staffSql = `
  select s.id, s.first_name as "firstName", s.last_name as "lastName", s.msisdn, s.role, s.language, s.languages, s.active,
         (select count(*) from console_sessions c where c.staff_id = s.id and c.ended_at is null and c.seen_at > $1)::int as sessions
    from staff s`

/** A session that was not used for so long is over, whatever the limits are. */
const shownForMs = 24 * 3_600_000

const since = ({ now }: PageContext) => new Date(now.getTime() - shownForMs)

async function listPage(context: PageContext) {
  const { tx, say, staff } = context
  const { rows } = await tx.query<StaffRow>(
    `${staffSql} order by s.active desc, s.last_name, s.first_name limit 500`,
    [since(context)],
  )
  const body = html`${staff.role === 'administrator' ? html`<p>${link('/staff/new', say('staff.add'))}</p>` : nothing}
${table(
  say('menu.staff'),
  [
    {
      title: say('member.name'),
      cell: ({ id, firstName, lastName }) => link(`/staff/${id}`, `${firstName} ${lastName}`),
    },
    { title: say('staff.role'), cell: ({ role }) => say(`role.${role}`) },
    { title: say('member.phone'), cell: ({ msisdn }) => phoneText(context, msisdn) },
    { title: say('staff.signed_in'), cell: ({ sessions }) => sessions, figures: true },
    { title: say('member.state'), cell: ({ active }) => (active ? '' : badge(say('staff.inactive'), 'bad')) },
  ],
  rows,
  say('staff.none'),
  { isPage: true },
)}`
  return { title: say('menu.staff'), body }
}

async function findOne(context: PageContext): Promise<StaffRow> {
  const { tx, params } = context
  if (!isId(params.id ?? '')) throw new RequestError('route.unknown')
  const { rows } = await tx.query<StaffRow>(`${staffSql} where s.id = $2::uuid`, [since(context), params.id])
  const [row] = rows
  if (row === undefined) throw new RequestError('route.unknown')
  return row
}

async function onePage(context: PageContext) {
  return showOne(context, await findOne(context), [])
}

async function showOne(context: PageContext, row: StaffRow, faults: string[]): Promise<Page> {
  const { tx, say, staff } = context
  const groups = await tx.query<{ id: string; name: string }>(
    'select id, name from groups where facilitator_id = $1 order by code',
    [row.id],
  )
  const sessions = await tx.query<{ createdAt: Date; seenAt: Date }>(
    `select created_at as "createdAt", seen_at as "seenAt" from console_sessions
      where staff_id = $1 and ended_at is null and seen_at > $2 order by seen_at desc limit 20`,
    [row.id, since(context)],
  )
  const isAdministrator = staff.role === 'administrator'
  const body = html`${faultSummary(say('fault.title'), faults)}
${facts([
  [say('staff.role'), say(`role.${row.role}`)],
  [say('member.phone'), phoneText(context, row.msisdn)],
  [say('member.state'), say(row.active ? 'staff.active' : 'staff.inactive')],
  [
    say('menu.groups'),
    groups.rows.length === 0
      ? undefined
      : html`${groups.rows.map(({ id, name }) => html`${link(`/groups/${id}`, name)} `)}`,
  ],
])}
${isAdministrator ? form(context, `/staff/${row.id}`, html`${fieldsOf(context, row)}${checkbox('active', say('staff.active'), row.active)}${button(say('form.save'))}`) : nothing}
${table(
  say('staff.sessions'),
  [
    { title: say('staff.since'), cell: ({ createdAt }) => moment(context, createdAt) },
    { title: say('phone.seen'), cell: ({ seenAt }) => moment(context, seenAt) },
  ],
  sessions.rows,
  say('staff.no_sessions'),
)}
${isAdministrator && sessions.rows.length > 0 ? form(context, `/staff/${row.id}/sessions`, button(say('staff.end_sessions'), { danger: true })) : nothing}`
  return { title: `${row.firstName} ${row.lastName}`, body, ...(faults.length > 0 ? { status: 422 } : {}) }
}

type Fields = Partial<Pick<StaffRow, 'firstName' | 'lastName' | 'msisdn' | 'role' | 'language' | 'languages'>>

function fieldsOf({ say, i18n, programme }: PageContext, values: Fields): Markup {
  const languages = [...new Set([...programme.languages, 'fr', 'en', 'nl'])].filter((tag) =>
    i18n.languages.has(tag),
  )
  const nameOf = (tag: string) => i18n.language(tag).endonym
  return html`${field('firstName', say('staff.first_name'), { value: values.firstName ?? '', required: true, maxlength: 80 })}
${field('lastName', say('staff.last_name'), { value: values.lastName ?? '', required: true, maxlength: 80 })}
${field('phone', say('member.phone'), { value: values.msisdn ?? '', type: 'tel', required: true, maxlength: 30 })}
${select(
  'role',
  say('staff.role'),
  staffRoles.map((value) => ({ value, text: say(`role.${value}`) })),
  values.role,
)}
${select(
  'language',
  say('member.language'),
  languages.map((value) => ({ value, text: nameOf(value) })),
  values.language,
)}
<fieldset><legend>${say('staff.languages')}</legend>${languages.map((tag) =>
    checkbox('languages', nameOf(tag), values.languages?.includes(tag) ?? false, tag),
  )}</fieldset>`
}

async function newPage(context: PageContext, values: Fields, faults: string[]): Promise<Page> {
  const { say } = context
  const body = html`${faultSummary(say('fault.title'), faults)}
${form(context, '/staff/new', html`${fieldsOf(context, values)}${button(say('form.save'))}`)}`
  return { title: say('staff.add'), body, ...(faults.length > 0 ? { status: 422 } : {}) }
}

interface Read {
  values: Required<Fields>
  faults: string[]
}

function readForm({ form: sent, list, programme, i18n, say }: PageContext): Read {
  const msisdn = parseMsisdn(sent.phone ?? '', programme.country)
  const values = {
    firstName: (sent.firstName ?? '').slice(0, 80),
    lastName: (sent.lastName ?? '').slice(0, 80),
    msisdn: msisdn ?? sent.phone ?? '',
    role: sent.role ?? '',
    language: sent.language ?? '',
    languages: list('languages').filter((tag) => i18n.languages.has(tag)),
  }
  const faults = [
    ...(values.firstName === '' || values.lastName === '' ? [say('fault.name')] : []),
    ...(msisdn === undefined ? [say('fault.phone')] : []),
    ...(isStaffRole(values.role) ? [] : [say('fault.choice')]),
    ...(i18n.languages.has(values.language) ? [] : [say('fault.choice')]),
  ]
  return { values, faults }
}

async function isTaken({ tx }: PageContext, msisdn: string, by: string | undefined): Promise<boolean> {
  const { rowCount } = await tx.query(
    'select 1 from staff where msisdn = $1 and id is distinct from $2::uuid',
    [msisdn, by ?? null],
  )
  return rowCount !== 0
}

async function add(context: PageContext) {
  const { tx, staff, say, now, actor } = context
  const { values, faults } = readForm(context)
  if (faults.length === 0 && (await isTaken(context, values.msisdn, undefined)))
    faults.push(say('fault.number_taken'))
  if (faults.length > 0) return newPage(context, values, faults)
  const { rows } = await tx.query<{ id: string }>(
    `insert into staff (programme_id, first_name, last_name, msisdn, role, language, languages)
     values ($1, $2, $3, $4, $5, $6, $7) returning id`,
    [
      staff.programmeId,
      values.firstName,
      values.lastName,
      values.msisdn,
      values.role,
      values.language,
      values.languages,
    ],
  )
  const id = rows[0]?.id ?? ''
  await recordAudit(tx, {
    at: now,
    programmeId: staff.programmeId,
    actor,
    action: 'staff.added',
    subject: `staff:${id}`,
    after: noted({ ...values, active: true }),
  })
  return { to: `/staff/${id}`, done: 'saved' }
}

/** The audit log takes no names and numbers. */
function noted({ role, language, languages, active }: Required<Fields> & { active: boolean }) {
  return { role, language, languages, active }
}

/** Nobody takes the right to administer from herself: a programme would be left with nobody who may give it back. */
async function change(context: PageContext) {
  const { tx, staff, say, now, actor, form: sent } = context
  const before = await findOne(context)
  const { values, faults } = readForm(context)
  const active = sent.active === 'yes'
  if (before.id === staff.id && (!active || values.role !== 'administrator'))
    faults.push(say('fault.own_role'))
  if (faults.length === 0 && (await isTaken(context, values.msisdn, before.id)))
    faults.push(say('fault.number_taken'))
  if (faults.length > 0) return showOne(context, { ...before, ...values, active }, faults)
  const after = { ...values, active }
  const { sessions: _sessions, id: _id, ...was } = before
  const changed = (Object.keys(after) as (keyof typeof after)[]).filter(
    (name) => JSON.stringify(after[name]) !== JSON.stringify(was[name]),
  )
  if (changed.length === 0) return { to: `/staff/${before.id}`, done: 'unchanged' }
  await tx.query(
    `update staff set first_name = $2, last_name = $3, msisdn = $4, role = $5, language = $6, languages = $7, active = $8
      where id = $1`,
    [
      before.id,
      after.firstName,
      after.lastName,
      after.msisdn,
      after.role,
      after.language,
      after.languages,
      active,
    ],
  )
  // Another role, another number or none at all: whoever is signed in by the old one must show again who she is.
  const ends = !active || after.role !== was.role || after.msisdn !== was.msisdn
  if (ends && before.id !== staff.id) await endSessionsOf(tx, before.id, now)
  await recordAudit(tx, {
    at: now,
    programmeId: staff.programmeId,
    actor,
    action: 'staff.changed',
    subject: `staff:${before.id}`,
    before: noted(was),
    after: { ...noted(after), changed },
  })
  return { to: `/staff/${before.id}`, done: 'saved' }
}

async function endSessions(context: PageContext) {
  const { tx, staff, now, actor } = context
  const { id } = await findOne(context)
  const ended = await endSessionsOf(tx, id, now)
  if (ended === 0) return { to: `/staff/${id}`, done: 'unchanged' }
  await recordAudit(tx, {
    at: now,
    programmeId: staff.programmeId,
    actor,
    action: 'console.sessions_ended',
    subject: `staff:${id}`,
    before: { sessions: ended },
    after: { sessions: 0 },
  })
  return { to: `/staff/${id}`, done: 'sessions_ended' }
}
