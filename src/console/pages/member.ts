// One member: who she is, her phones, what she agreed to, her cases and messages; her money only for roles that may see it.
import { randomUUID } from 'node:crypto'
import type { Decimal } from 'decimal.js'
import { localParts } from '../../calendar.ts'
import { caseKinds, openCase } from '../../cases/cases.ts'
import { resetPinAndClose } from '../../cases/pin-reset.ts'
import { namedReads } from '../../db.ts'
import { RequestError } from '../../errors.ts'
import { readMovements, readPosition } from '../../ledger/position.ts'
import { html, type Markup } from '../../markup.ts'
import { confirmPhone } from '../../members/rebind.ts'
import { doubtMember } from '../../members/reverify.ts'
import { parseMsisdn } from '../../msisdn.ts'
import {
  amountText,
  badge,
  button,
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
import { changesThings, everyRole, memberScopeSql, seesAmounts, workingRoles } from '../roles.ts'
import { casesSeen, caseTable } from './cases.ts'
import { consentForm, consentTable, writeConsents } from './consents.ts'
import { statusBadge } from './messages.ts'

export const memberRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/members/:id', roles: everyRole, handle: (context) => memberPage(context) },
  {
    method: 'post',
    path: '/members/:id/pin-reset',
    roles: ['facilitator', 'branch', 'administrator'],
    handle: resetPin,
  },
  { method: 'post', path: '/members/:id/reverify', roles: workingRoles, handle: reportPhone },
  { method: 'post', path: '/members/:id/consents', roles: workingRoles, handle: consent },
  { method: 'post', path: '/members/:id/cases', roles: workingRoles, handle: ask },
  { method: 'post', path: '/members/:id/confirm', roles: workingRoles, handle: confirm },
]

interface MemberRow {
  id: string
  number: string
  firstName: string
  lastName: string
  alias: string
  status: string
  role: string
  language: string | null
  smsForm: string
  optedOutAt: Date | null
  groupId: string | null
  group: string | null
  hasPin: boolean
  lockedUntil: Date | null
}

/** Throws route.unknown for a member whom the role does not see, as for one who is not there. */
async function findMember({ tx, staff, params }: PageContext): Promise<MemberRow> {
  const { id = '' } = params
  if (!isId(id)) throw new RequestError('route.unknown')
  const { rows } = await tx.query<MemberRow>(
    `select m.id, m.number, m.first_name as "firstName", m.last_name as "lastName", m.alias, m.status, m.role, m.language,
            m.sms_form as "smsForm", m.opted_out_at as "optedOutAt", g.id as "groupId", g.name as group,
            n.member_id is not null as "hasPin", n.locked_until as "lockedUntil"
       from members m left join groups g on g.id = m.group_id left join member_pins n on n.member_id = m.id
      where m.id = $2::uuid and m.erased_at is null and ${memberScopeSql(staff, 'm', '$1')}`,
    [staff.id, id],
  )
  const [member] = rows
  if (member === undefined) throw new RequestError('route.unknown')
  return member
}

async function memberPage(context: PageContext, faults: readonly string[] = []): Promise<Page> {
  const { staff, say, i18n, now } = context
  const member = await findMember(context)
  const isLocked = member.lockedUntil !== null && member.lockedUntil > now
  const language =
    member.language !== null && i18n.languages.has(member.language)
      ? i18n.language(member.language).endonym
      : undefined
  const body = html`${faultSummary(say('fault.title'), faults)}
${facts([
  [say('member.number'), member.number],
  [say('member.alias'), member.alias],
  [say('group.group'), member.group === null ? undefined : link(`/groups/${member.groupId}`, member.group)],
  [say('member.role'), member.role === 'member' ? undefined : say(`member_role.${member.role}`)],
  [say('member.state'), say(`member_status.${member.status}`)],
  [say('member.language'), language],
  [say('member.sms_form'), say(`sms_form.${member.smsForm}`)],
  [
    say('member.pin'),
    say(isLocked ? 'member.pin_locked' : member.hasPin ? 'member.pin_set' : 'member.pin_none'),
  ],
  [say('member.opted_out'), member.optedOutAt === null ? undefined : moment(context, member.optedOutAt)],
])}
${seesAmounts(staff) ? await moneyOf(context, member) : nothing}
${await phonesOf(context, member)}
${await consentTable(context, member.id)}
${changesThings(staff) ? await consentForm(context, member) : nothing}
${await casesOf(context, member)}
${seesAmounts(staff) ? await messagesOf(context, member) : nothing}
${changesThings(staff) ? actsOf(context, member) : nothing}`
  const title = `${member.firstName} ${member.lastName}`
  return { title, body, ...(faults.length > 0 ? { status: 422 } : {}) }
}

async function moneyOf(context: PageContext, { id }: MemberRow): Promise<Markup> {
  const { tx, say, now, programme, i18n, tag } = context
  const reads = namedReads(tx)
  const today = localParts(now, programme.timeZone).date
  const { currency, loans, savings } = await readPosition(reads, id, now, today)
  const movements = await readMovements(reads, id, 20)
  const amount = (value: Decimal) => amountText({ i18n, tag }, value, currency)
  return html`<h2>${say('member.money')}</h2>
${facts([[say('money.savings'), savings === undefined ? undefined : amount(savings)]])}
${table(
  say('money.loans'),
  [
    { title: say('money.loan'), cell: ({ number }) => number },
    { title: say('money.outstanding'), cell: ({ outstanding }) => amount(outstanding), figures: true },
    {
      title: say('money.overdue'),
      cell: ({ overdue }) => (overdue.greaterThan(0) ? amount(overdue) : ''),
      figures: true,
    },
    { title: say('money.next'), cell: ({ next }) => next?.dueDate ?? '' },
    {
      title: say('money.next_amount'),
      cell: ({ next }) => (next === undefined ? '' : amount(next.remaining)),
      figures: true,
    },
  ],
  loans,
  say('money.no_loan'),
)}
${table(
  say('money.movements'),
  [
    { title: say('money.day'), cell: ({ bookedDate }) => bookedDate },
    { title: say('money.kind'), cell: ({ kind }) => say(`entry_kind.${kind}`) },
    { title: say('money.amount'), cell: ({ amount: value }) => amount(value), figures: true },
    {
      title: say('member.state'),
      cell: ({ reversed }) => (reversed ? badge(say('money.reversed'), 'bad') : ''),
    },
  ],
  movements,
  say('money.no_movement'),
)}`
}

async function phonesOf(context: PageContext, { id }: MemberRow): Promise<Markup> {
  const { tx, say } = context
  const { rows } = await tx.query<{
    msisdn: string
    isPrimary: boolean
    reason: string | null
    shared: number
    blocked: boolean
    seenAt: Date
  }>(
    `select p.msisdn, mp.is_primary as "isPrimary", mp.reverify_reason as reason, p.network_blocked_at is not null as blocked,
            p.last_seen_at as "seenAt",
            (select count(*) from member_phones o where o.phone_id = p.id)::int as shared
       from member_phones mp join phones p on p.id = mp.phone_id where mp.member_id = $1 order by mp.is_primary desc, p.msisdn`,
    [id],
  )
  return table(
    say('member.phones'),
    [
      { title: say('member.phone'), cell: ({ msisdn }) => phoneText(context, msisdn) },
      {
        title: say('member.state'),
        cell: ({ isPrimary, reason, shared, blocked }) =>
          html`${isPrimary ? badge(say('phone.primary')) : nothing} ${
            reason === null ? nothing : badge(say(`reverify.${reason}`), 'bad')
          } ${shared > 1 ? badge(say('phone.shared', { count: shared })) : nothing} ${
            blocked ? badge(say('phone.blocked'), 'bad') : nothing
          }`,
      },
      { title: say('phone.seen'), cell: ({ seenAt }) => moment(context, seenAt) },
    ],
    rows,
    say('member.no_phone'),
  )
}

/** That a member asked for a social worker is nobody else's to know: what may be seen is asked where cases are read. */
async function casesOf(context: PageContext, { id }: MemberRow): Promise<Markup> {
  const { say } = context
  const ofHers = { memberId: id, limit: 20 }
  const open = await casesSeen(context, { ...ofHers, status: 'open' })
  const closed = await casesSeen(context, { ...ofHers, status: 'closed' })
  return caseTable(context, say('member.cases'), [...open, ...closed])
}

async function messagesOf(context: PageContext, { id }: MemberRow): Promise<Markup> {
  const { tx, say } = context
  const { rows } = await tx.query<{ id: string; purpose: string; status: string; createdAt: Date }>(
    `select id, purpose, status, created_at as "createdAt" from messages where member_id = $1 order by id desc limit 20`,
    [id],
  )
  return table(
    say('menu.messages'),
    [
      {
        title: say('message.written'),
        cell: (row) => html`<a href="/console/messages/${row.id}">${moment(context, row.createdAt)}</a>`,
      },
      { title: say('message.purpose'), cell: ({ purpose }) => say(`purpose.${purpose}`) },
      { title: say('message.status'), cell: ({ status }) => statusBadge(say, status) },
    ],
    rows,
    say('message.none'),
  )
}

function actsOf(context: PageContext, { id }: MemberRow): Markup {
  const { say, staff } = context
  const resets = ['facilitator', 'branch', 'administrator'].includes(staff.role)
  return html`<h2>${say('member.acts')}</h2>
${openingForm(context, id)}
${resets ? form(context, `/members/${id}/pin-reset`, html`<p>${say('act.pin_reset_lead')}</p>${button(say('act.pin_reset'), { danger: true })}`) : nothing}
${form(context, `/members/${id}/reverify`, html`<p>${say('act.reverify_lead')}</p>${button(say('act.reverify'), { danger: true })}`)}
${form(
  context,
  `/members/${id}/confirm`,
  html`<p>${say('act.confirm_lead')}</p>${field('phone', say('member.phone'), { type: 'tel', required: true, autocomplete: 'off' })}${button(say('act.confirm'))}`,
)}`
}

/** What this role could see again: whoever sends her to a social worker lets her dial for it. */
const kindsFor = ({ role }: Pick<PageContext['staff'], 'role'>) =>
  caseKinds.filter((kind) => kind !== 'social_worker' || role === 'social_worker')

function openingForm(context: PageContext, id: string): Markup {
  const { say, staff, programme, i18n } = context
  const kinds = kindsFor(staff).map((value) => ({ value, text: say(`case_kind.${value}`) }))
  const tongues = programme.languages.map((value) => ({ value, text: i18n.language(value).endonym }))
  return form(
    context,
    `/members/${id}/cases`,
    html`<p>${say('case.open_lead')}</p>${select('kind', say('case.kind'), kinds)}${select('language', say('case.language'), [{ value: '', text: say('form.own_language') }, ...tongues])}${button(say('case.open'))}`,
  )
}

async function ask(context: PageContext): Promise<Page> {
  const { tx, staff, actor, now, form: sent, say, programme } = context
  const { id } = await findMember(context)
  const kind = kindsFor(staff).find((one) => one === sent.kind)
  const language = programme.languages.find((tag) => tag === sent.language)
  if (kind === undefined || (language === undefined && (sent.language ?? '') !== ''))
    return memberPage(context, [say('fault.choice')])
  const { reference, openedNow } = await openCase(tx, {
    programmeId: staff.programmeId,
    memberId: id,
    kind,
    hopKey: `console/${randomUUID()}`,
    now,
    language,
    by: actor,
  })
  if (!openedNow) return memberPage(context, [say('fault.case_open', { reference })])
  return { to: `/members/${id}`, done: 'case_opened' }
}

async function consent(context: PageContext): Promise<Page> {
  const { id } = await findMember(context)
  const fault = await writeConsents(context, id)
  return typeof fault === 'string' ? memberPage(context, [fault]) : fault
}

/** Whoever is signed in saw her in person: the rule of members/pin-reset.ts asks for the facilitator of her group. */
async function resetPin(context: PageContext) {
  const { tx, staff, actor, now } = context
  const { id, number } = await findMember(context)
  const reset = { programmeId: staff.programmeId, member: number, confirmedBy: staff.msisdn, actor, at: now }
  await resetPinAndClose(tx, reset)
  return { to: `/members/${id}`, done: 'pin_reset' }
}

async function reportPhone(context: PageContext) {
  const { tx, actor, now } = context
  const { id } = await findMember(context)
  const doubted = await doubtMember(tx, { memberId: id, actor, now })
  return { to: `/members/${id}`, done: doubted.length > 0 ? 'reverify' : 'unchanged' }
}

async function confirm(context: PageContext) {
  const { tx, staff, actor, now, form: fields, programme, say } = context
  const { id } = await findMember(context)
  const msisdn = parseMsisdn(fields.phone ?? '', programme.country)
  if (msisdn === undefined)
    return {
      title: say('fault.title'),
      status: 422,
      body: html`<p>${say('fault.phone')}</p><p>${link(`/members/${id}`, say('form.back'))}</p>`,
    }
  const { state } = await confirmPhone(tx, {
    programmeId: staff.programmeId,
    memberId: id,
    msisdn,
    by: { staff: staff.msisdn },
    actor,
    now,
  })
  return { to: `/members/${id}`, done: state === 'bound' ? 'phone_bound' : 'phone_waiting' }
}
