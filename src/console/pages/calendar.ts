// When a group meets and what it is taught: its calendar with a preview, what lies ahead, and who is ready for a first loan.
import { addDays, localParts } from '../../calendar.ts'
import { RequestError } from '../../errors.ts'
import { html, type Markup } from '../../markup.ts'
import { firstLoanReadiness } from '../../meetings/attendance.ts'
import { calendarOf, readCalendar, setCalendar } from '../../meetings/calendars.ts'
import type { MeetingFault } from '../../meetings/fault.ts'
import { addMeeting, type Meeting, meetingsFrom } from '../../meetings/meetings.ts'
import { previewCalendar } from '../../meetings/preview.ts'
import { addSession, sessionsFrom, type TrainingSession } from '../../meetings/trainings.ts'
import {
  badge,
  button,
  facts,
  faultSummary,
  field,
  form,
  link,
  momentText,
  nothing,
  searchForm,
  select,
  table,
} from '../elements.ts'
import { isId } from '../ids.ts'
import type { ConsoleRoute, Page, PageContext } from '../page.ts'
import { everyRole, groupScopeSql } from '../roles.ts'
import {
  faultKey,
  fullName,
  minuteOf,
  momentFields,
  momentOf,
  offBadge,
  planningRoles,
  timeText,
  titleOf,
} from './meetings.ts'

export const calendarRoutes: readonly ConsoleRoute[] = [
  {
    method: 'get',
    path: '/groups/:id/calendar',
    roles: everyRole,
    handle: (context) => calendarPage(context, []),
  },
  { method: 'post', path: '/groups/:id/calendar', roles: planningRoles, handle: set },
  { method: 'post', path: '/groups/:id/meetings', roles: planningRoles, handle: addOne },
  {
    method: 'get',
    path: '/groups/:id/training',
    roles: everyRole,
    handle: (context) => trainingPage(context, []),
  },
  { method: 'post', path: '/groups/:id/training', roles: planningRoles, handle: addTraining },
]

interface Group {
  id: string
  name: string
  place: string
}

/** Throws route.unknown for a group that the role does not see, as for one that is not there. */
async function find({ tx, staff, params }: PageContext): Promise<Group> {
  const { id = '' } = params
  if (!isId(id)) throw new RequestError('route.unknown')
  const { rows } = await tx.query<Group>(
    `select g.id, g.name, g.place from groups g where g.id = $2::uuid and ${groupScopeSql(staff, 'g', '$1')}`,
    [staff.id, id],
  )
  const [group] = rows
  if (group === undefined) throw new RequestError('route.unknown')
  return group
}

/** Rhythms that most groups have, by what stands before the weekday in their rule. */
const rhythms: Readonly<Record<string, (weekday: string) => string>> = {
  weekly: (weekday) => `FREQ=WEEKLY;BYDAY=${weekday}`,
  fortnightly: (weekday) => `FREQ=WEEKLY;INTERVAL=2;BYDAY=${weekday}`,
  first_third: (weekday) => `FREQ=MONTHLY;BYDAY=1${weekday},3${weekday}`,
  second_fourth: (weekday) => `FREQ=MONTHLY;BYDAY=2${weekday},4${weekday}`,
  first: (weekday) => `FREQ=MONTHLY;BYDAY=1${weekday}`,
  last: (weekday) => `FREQ=MONTHLY;BYDAY=-1${weekday}`,
}
const weekdays = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const

/** Of the form or of the preview's address. */
function wished(fields: Readonly<Record<string, string>>) {
  const { rhythm = '', weekday = '', rule = '', startsOn = '', time = '', place = '' } = fields
  const known = weekdays.find((one) => one === weekday)
  const made = known === undefined ? undefined : rhythms[rhythm]?.(known)
  return { rhythm, weekday, rule: made ?? rule, startsOn, time, place }
}

async function calendarPage(context: PageContext, faults: string[]): Promise<Page> {
  const { tx, staff, say, now } = context
  const group = await find(context)
  const calendar = await calendarOf(tx, group.id)
  const meetings = await meetingsFrom(tx, group.id, now, 20)
  const mayPlan = planningRoles.includes(staff.role)
  const body = html`${faultSummary(say('fault.title'), faults)}
${facts([
  [say('group.group'), link(`/groups/${group.id}`, group.name)],
  [say('calendar.rule'), calendar?.rule ?? say('calendar.none')],
  [say('calendar.starts_on'), calendar?.startsOn],
  [say('meeting.hour'), calendar === undefined ? undefined : timeText(calendar.startMinute)],
  [say('group.place'), calendar?.place ?? group.place],
])}
${gatheringTable(context, 'meetings', meetings)}
${mayPlan ? planningForms(context, group) : nothing}`
  return { title: say('calendar.title'), body, ...(faults.length > 0 ? { status: 422 } : {}) }
}

function gatheringTable(
  context: PageContext,
  folder: 'meetings' | 'trainings',
  rows: readonly (Meeting | TrainingSession)[],
): Markup {
  const { say, programme } = context
  return table<Meeting | TrainingSession>(
    say(folder === 'meetings' ? 'meeting.ahead' : 'training.ahead'),
    [
      {
        title: say('meeting.time'),
        cell: ({ id, startsAt }) => link(`/${folder}/${id}`, momentText(programme.timeZone, startsAt)),
      },
      ...(folder === 'trainings'
        ? [
            {
              title: say('meeting.topic'),
              cell: (row: Meeting | TrainingSession) => ('titles' in row ? titleOf(context, row) : ''),
            },
          ]
        : []),
      { title: say('group.place'), cell: ({ place }) => place },
      { title: say('member.state'), cell: ({ status }) => offBadge(context, status) },
    ],
    rows,
    say('group.no_meetings'),
  )
}

function planningForms(context: PageContext, group: Group): Markup {
  const { say, query, now, programme } = context
  const today = localParts(now, programme.timeZone).date
  const wish = wished({ startsOn: today, place: group.place, rhythm: 'first_third', weekday: 'TU', ...query })
  const choices = [
    ...Object.keys(rhythms).map((value) => ({ value, text: say(`rhythm.${value}`) })),
    { value: 'rule', text: say('rhythm.rule') },
  ]
  return html`<h2>${say('calendar.change')}</h2>
${searchForm(
  `/groups/${group.id}/calendar`,
  html`${select('rhythm', say('calendar.rhythm'), choices, wish.rhythm)}${select(
    'weekday',
    say('calendar.weekday'),
    weekdays.map((value) => ({ value, text: say(`weekday.${value}`) })),
    wish.weekday,
  )}${field('rule', say('calendar.rule'), { value: wish.rhythm === 'rule' ? wish.rule : '', hint: say('calendar.rule_hint'), maxlength: 200 })}${field('startsOn', say('calendar.starts_on'), { type: 'date', value: wish.startsOn, required: true })}${field('time', say('meeting.hour'), { type: 'time', value: wish.time, required: true })}${field('place', say('group.place'), { value: wish.place, maxlength: 80 })}${button(say('calendar.preview'))}`,
)}
${query.rhythm === undefined ? nothing : previewOf(context, group, wish)}
<h2>${say('meeting.add')}</h2>
${form(context, `/groups/${group.id}/meetings`, html`${momentFields(context, context.form.date ?? '', context.form.time ?? '', context.form.place ?? group.place)}${button(say('meeting.add'))}`)}`
}

/** What the rule would yield, and beside it the one step that sets it. */
function previewOf(context: PageContext, group: Group, wish: ReturnType<typeof wished>): Markup {
  const { say, i18n, now, programme } = context
  const startMinute = minuteOf(wish.time) ?? -1
  const place = wish.place === '' ? group.place : wish.place
  const read = readCalendar({ rule: wish.rule, startsOn: wish.startsOn, startMinute, place })
  if ('faults' in read) return faultSummary(say('fault.title'), faultsOf(context, read.faults))
  const { timeZone, holidays } = programme
  const { rule } = read
  const ask = { rule, startsOn: wish.startsOn, startMinute, timeZone, holidays, now, limit: 8 }
  // The console's languages are members' languages too, but for Dutch and the like in a programme that does not speak it.
  const tag = i18n.languages.has(context.tag) ? context.tag : (programme.languages[0] ?? 'en')
  const hidden = { rule, startsOn: wish.startsOn, time: wish.time, place }
  return html`<h2>${say('calendar.preview')}</h2><ul>${previewCalendar(i18n, tag, ask).map(
    ({ date, words, holiday }) =>
      html`<li>${words} <span class="hint">${date}</span> ${holiday ? badge(say('calendar.holiday'), 'bad') : nothing}</li>`,
  )}</ul><p class="hint">${say('calendar.set_hint')}</p>${form(
    context,
    `/groups/${group.id}/calendar`,
    html`${Object.entries(hidden).map(([name, value]) => html`<input type="hidden" name="${name}" value="${value}">`)}${button(say('calendar.set'))}`,
  )}`
}

function faultsOf({ say }: PageContext, faults: readonly MeetingFault[]): string[] {
  return faults.map(({ code }) => say(`meeting_fault.${faultKey(code)}`))
}

async function set(context: PageContext): Promise<Page> {
  const { tx, now, actor: by, form: sent } = context
  const { id: groupId } = await find(context)
  const { rule, startsOn, time, place } = wished(sent)
  const startMinute = minuteOf(time) ?? -1
  const asked = { groupId, rule, startsOn, startMinute, by, now }
  const done = await setCalendar(tx, { ...asked, place: place === '' ? undefined : place })
  if ('faults' in done) return calendarPage(context, faultsOf(context, done.faults))
  return { to: `/groups/${groupId}/calendar`, done: done.outcome === 'set' ? 'saved' : 'unchanged' }
}

async function addOne(context: PageContext): Promise<Page> {
  const { tx, now, actor: by, form: sent } = context
  const { id: groupId } = await find(context)
  const startsAt = momentOf(context) ?? new Date(Number.NaN)
  const place = sent.place === '' ? undefined : sent.place
  const done = await addMeeting(tx, { groupId, startsAt, place, by, now })
  if ('fault' in done) return calendarPage(context, faultsOf(context, [done.fault]))
  return { to: `/meetings/${done.meeting.id}`, done: done.outcome === 'added' ? 'saved' : 'unchanged' }
}

async function trainingPage(context: PageContext, faults: string[]): Promise<Page> {
  const { tx, staff, say, now, programme } = context
  const group = await find(context)
  const from = new Date(now.getTime() - 30 * 86_400_000)
  const sessions = await sessionsFrom(tx, group.id, from, 50)
  const readiness = await firstLoanReadiness(tx, group.id)
  const modules = await tx.query<TrainingSession>(
    'select number as module, titles from training_modules where programme_id = $1 order by number limit 200',
    [programme.id],
  )
  const choices = modules.rows.map((row) => ({ value: String(row.module), text: titleOf(context, row) }))
  const tomorrow = addDays(localParts(now, programme.timeZone).date, 1)
  const add =
    planningRoles.includes(staff.role) && choices.length > 0
      ? html`<h2>${say('training.add')}</h2>${form(
          context,
          `/groups/${group.id}/training`,
          html`${select('module', say('meeting.topic'), choices, context.form.module)}${momentFields(context, context.form.date ?? tomorrow, context.form.time ?? '', context.form.place ?? group.place)}${button(say('training.add'))}`,
        )}`
      : nothing
  const body = html`${faultSummary(say('fault.title'), faults)}
${facts([[say('group.group'), link(`/groups/${group.id}`, group.name)]])}
${table(
  say('training.readiness'),
  [
    { title: say('member.name'), cell: (row) => link(`/members/${row.memberId}`, fullName(row)) },
    {
      title: say('training.attended'),
      cell: ({ attended, needed }) => `${attended} / ${needed}`,
      figures: true,
    },
    {
      title: say('member.state'),
      cell: ({ ready, borrowed }) =>
        ready ? badge(say('training.ready'), 'good') : borrowed ? say('training.borrowed') : '',
    },
  ],
  readiness,
  say('group.no_members'),
)}
${gatheringTable(context, 'trainings', sessions)}
${add}`
  return { title: say('training.title'), body, ...(faults.length > 0 ? { status: 422 } : {}) }
}

async function addTraining(context: PageContext): Promise<Page> {
  const { tx, now, actor: by, form: sent } = context
  const { id: groupId } = await find(context)
  const startsAt = momentOf(context) ?? new Date(Number.NaN)
  const place = sent.place === '' ? undefined : sent.place
  const module = /^\d{1,5}$/.test(sent.module ?? '') ? Number(sent.module) : 0
  const done = await addSession(tx, { groupId, module, startsAt, place, by, now })
  if ('fault' in done) return trainingPage(context, faultsOf(context, [done.fault]))
  return { to: `/trainings/${done.session.id}`, done: done.outcome === 'added' ? 'saved' : 'unchanged' }
}
