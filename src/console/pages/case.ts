// One case: what is asked, by when, who has it; to be taken, given an appointment and closed. What may not be seen is not there.
import { instantAt, isPlausibleDay, localParts } from '../../calendar.ts'
import { appointCase } from '../../cases/appointment.ts'
import {
  type CaseAct,
  type CaseState,
  candidatesFor,
  caseByReference,
  caseOutcomes,
  closeCase,
  handCase,
  takeCase,
} from '../../cases/cases.ts'
import { RequestError } from '../../errors.ts'
import { html, type Markup } from '../../markup.ts'
import {
  badge,
  button,
  facts,
  faultSummary,
  field,
  form,
  link,
  moment,
  nothing,
  select,
} from '../elements.ts'
import { isId } from '../ids.ts'
import type { ConsoleRoute, Page, PageContext } from '../page.ts'
import { changesThings, everyRole, workingRoles } from '../roles.ts'
import { promiseText, stateOf } from './cases.ts'

export const caseRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/cases/:reference', roles: everyRole, handle: (context) => casePage(context) },
  { method: 'post', path: '/cases/:reference/take', roles: workingRoles, handle: take },
  { method: 'post', path: '/cases/:reference/appointment', roles: workingRoles, handle: appoint },
  { method: 'post', path: '/cases/:reference/hand', roles: workingRoles, handle: hand },
  { method: 'post', path: '/cases/:reference/close', roles: workingRoles, handle: close },
]

function actOf({ staff, actor, now, params }: PageContext): CaseAct & { staffId: string } {
  const { programmeId, role, id } = staff
  return { programmeId, role, staffId: id, reference: params.reference ?? '', by: actor, now }
}

async function casePage(context: PageContext, fault?: string): Promise<Page> {
  const { tx, say, staff, i18n } = context
  const act = actOf(context)
  const found = await caseByReference(tx, act, act.reference)
  if (found === undefined) throw new RequestError('route.unknown')
  const { reference, memberId, firstName, lastName, member, entry, language, status } = found
  const at = (instant: Date | null) => (instant === null ? undefined : moment(context, instant))
  const spoken = language === null ? undefined : i18n.languages.get(language)
  const body = html`${faultSummary(say('fault.title'), fault === undefined ? [] : [fault])}
${facts([
  [say('case.kind'), say(`case_kind.${found.kind}`)],
  [say('member.name'), link(`/members/${memberId}`, `${firstName} ${lastName} (${member})`)],
  [
    say('case.language'),
    spoken === undefined
      ? undefined
      : html`<span lang="${spoken.base}" dir="${spoken.direction}">${spoken.endonym}</span>`,
  ],
  [
    say('case.entry'),
    entry === null
      ? undefined
      : `${say(`entry_kind.${entry.kind}`)}, ${entry.bookedDate}, ${entry.reference}`,
  ],
  [say('member.state'), badge(say(`case_state.${stateOf(found)}`), found.overdue ? 'bad' : 'plain')],
  [say('case.promised'), promiseText(context, found)],
  [say('case.owner'), found.owner ?? say('case.nobody')],
  [say('case.opened'), at(found.openedAt)],
  [say('case.taken'), at(found.takenAt)],
  [say('case.appointment'), at(found.appointmentAt)],
  [say('case.passed_on'), at(found.escalatedAt)],
  [say('case.closed'), at(found.closedAt)],
  [say('case.outcome'), found.outcome === null ? undefined : say(`case_outcome.${found.outcome}`)],
])}
${status === 'open' && changesThings(staff) ? await acts(context, found) : nothing}
<p>${link('/cases', say('form.back'))}</p>`
  return { title: `${say('case.title')} ${reference}`, body, ...(fault === undefined ? {} : { status: 422 }) }
}

async function acts(context: PageContext, found: CaseState): Promise<Markup> {
  const { say, programme } = context
  const path = `/cases/${found.reference}`
  const local = found.appointmentAt === null ? undefined : localParts(found.appointmentAt, programme.timeZone)
  const two = (value: number) => String(value).padStart(2, '0')
  const time =
    local === undefined ? '' : `${two(Math.floor(local.minuteOfDay / 60))}:${two(local.minuteOfDay % 60)}`
  return html`<h2>${say('case.acts')}</h2>
${found.takenAt === null ? form(context, `${path}/take`, button(say('case.take'))) : nothing}
${found.kind === 'pin_reset' ? html`<p class="hint">${say('case.pin_hint')}</p>` : nothing}
${
  found.kind === 'adviser'
    ? html`${form(
        context,
        `${path}/appointment`,
        html`<p>${say('case.appointment_lead')}</p>${field('day', say('form.day'), { type: 'date', value: local?.date ?? '', required: true })}${field('time', say('case.time'), { type: 'time', value: time, required: true })}${button(say('case.appoint'))}`,
      )}${local === undefined ? nothing : form(context, `${path}/appointment`, button(say('case.no_appointment'), { danger: true }))}`
    : nothing
}
${await handing(context, found)}
${form(
  context,
  `${path}/close`,
  html`${select(
    'outcome',
    say('case.outcome'),
    caseOutcomes.map((outcome) => ({ value: outcome, text: say(`case_outcome.${outcome}`) })),
  )}${button(say('case.close'))}`,
)}`
}

async function handing(context: PageContext, { id, reference }: CaseState): Promise<Markup> {
  const { tx, say } = context
  const candidates = await candidatesFor(tx, id)
  if (candidates.length === 0) return nothing
  const choices = candidates.map(({ id: value, firstName, lastName, role, speaks, open }) => {
    const told = [say(`role.${role}`), ...(speaks === true ? [say('case.speaks')] : [])].join(', ')
    return { value, text: `${firstName} ${lastName} (${told}; ${say('case.has_open', { count: open })})` }
  })
  return form(
    context,
    `/cases/${reference}/hand`,
    html`${select('owner', say('case.hand_to'), choices)}${button(say('case.hand'))}`,
  )
}

async function hand(context: PageContext): Promise<Page> {
  const { tx, say, form: values } = context
  const act = actOf(context)
  const { owner = '' } = values
  if (!isId(owner)) return casePage(context, say('fault.choice'))
  const handed = await handCase(tx, { ...act, ownerId: owner })
  if (handed === undefined) throw new RequestError('route.unknown')
  if (!handed) return casePage(context, say('fault.case_not_handed'))
  // Who has handed it over may see it no more.
  return { to: '/cases', done: 'case_handed' }
}

async function take(context: PageContext): Promise<Page> {
  const { tx, say } = context
  const act = actOf(context)
  const taken = await takeCase(tx, act)
  if (taken === undefined) throw new RequestError('route.unknown')
  if (taken.takenNow) return { to: `/cases/${act.reference}`, done: 'case_taken' }
  return casePage(context, say(taken.case.status === 'closed' ? 'fault.case_over' : 'fault.case_taken'))
}

async function appoint(context: PageContext): Promise<Page> {
  const { tx, say, now, programme, form: values } = context
  const { day = '', time = '' } = values
  let at: Date | null = null
  if (day !== '' || time !== '') {
    const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time) ?? []
    if (!isPlausibleDay(day) || hours === undefined) return casePage(context, say('fault.case_moment'))
    at = instantAt(day, Number(hours) * 60 + Number(minutes), programme.timeZone)
    if (at <= now) return casePage(context, say('fault.case_moment'))
  }
  const act = actOf(context)
  const done = await appointCase(tx, { ...act, at })
  if (done === undefined) throw new RequestError('route.unknown')
  if (done.changed) return { to: `/cases/${act.reference}`, done: 'saved' }
  return casePage(context, say(done.case.status === 'closed' ? 'fault.case_over' : 'fault.refused'))
}

async function close(context: PageContext): Promise<Page> {
  const { tx, say, form: values } = context
  const outcome = caseOutcomes.find((one) => one === values.outcome)
  const act = actOf(context)
  if (outcome === undefined) return casePage(context, say('fault.choice'))
  const closed = await closeCase(tx, { ...act, outcome })
  if (closed === undefined) throw new RequestError('route.unknown')
  if (!closed.closedNow) return casePage(context, say('fault.case_over'))
  return { to: `/cases/${act.reference}`, done: 'case_closed' }
}
