// What lies ahead for the groups that the role sees, and one meeting or training: moved, cancelled or put back with a look at who will be
// told, and attendance taken with one tap a member.
import { instantAt, isPlausibleDay, localParts } from '../../calendar.ts'
import { RequestError } from '../../errors.ts'
import { html, type Markup } from '../../markup.ts'
import { type AttendanceRow, attendanceOf, takeAttendance } from '../../meetings/attendance.ts'
import type { Changed, Gathering, GatheringKind } from '../../meetings/gatherings.ts'
import { cancelMeeting, meetingOf, moveMeeting, restoreMeeting } from '../../meetings/meetings.ts'
import { whoIsToBeTold } from '../../meetings/telling.ts'
import {
  cancelSession,
  moveSession,
  restoreSession,
  sessionOf,
  type TrainingSession,
} from '../../meetings/trainings.ts'
import type { StaffRole } from '../../members/staff.ts'
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
  momentText,
  nothing,
  table,
} from '../elements.ts'
import { isId } from '../ids.ts'
import type { ConsoleRoute, Page, PageContext } from '../page.ts'
import { everyRole, groupScopeSql } from '../roles.ts'

/** Who moves and cancels meetings; a facilitator those of her own groups. */
export const planningRoles: readonly StaffRole[] = ['facilitator', 'branch', 'administrator']

const kinds = { meetings: 'meeting', trainings: 'training' } as const satisfies Record<string, GatheringKind>
type Folder = keyof typeof kinds

const routesOf = (folder: Folder): ConsoleRoute[] => [
  { method: 'get', path: `/${folder}/:id`, roles: everyRole, handle: (context) => page(context, folder, []) },
  ...(['move', 'cancel', 'restore', 'attendance'] as const).map(
    (act): ConsoleRoute => ({
      method: 'post',
      path: `/${folder}/:id/${act}`,
      roles: planningRoles,
      handle: (context) => acts[act](context, folder),
    }),
  ),
]

export const meetingRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/meetings', roles: everyRole, handle: aheadPage },
  ...routesOf('meetings'),
  ...routesOf('trainings'),
]

interface AheadRow {
  id: string
  folder: Folder
  startsAt: Date
  place: string
  status: string
  groupId: string
  group: string
  /** Nobody has taken attendance of it. */
  open: boolean
}

const dayMs = 86_400_000
const rowsMax = 200

async function aheadPage(context: PageContext): Promise<Page> {
  const { tx, staff, say, now } = context
  const one = (folder: Folder, gatherings: string, came: string, key: string) => `
    select t.id, '${folder}' as folder, t.starts_at as "startsAt", t.place, t.status, g.id as "groupId", g.name as "group",
           not exists (select 1 from ${came} a where a.${key} = t.id) as open
      from ${gatherings} t join groups g on g.id = t.group_id
     where ${groupScopeSql(staff, 'g', '$1')} and t.starts_at > $2 and t.starts_at < $3`
  const { rows } = await tx.query<AheadRow>(
    `${one('meetings', 'meetings', 'meeting_attendances', 'meeting_id')} union all
     ${one('trainings', 'training_sessions', 'training_attendances', 'session_id')} order by 3, 1 limit ${rowsMax}`,
    [staff.id, new Date(now.getTime() - 7 * dayMs), new Date(now.getTime() + 14 * dayMs)],
  )
  const columns = [
    { title: say('meeting.time'), cell: (row: AheadRow) => toGathering(context, row) },
    { title: say('meeting.what'), cell: ({ folder }: AheadRow) => say(`purpose.${kinds[folder]}`) },
    {
      title: say('group.group'),
      cell: ({ groupId, group }: AheadRow) => link(`/groups/${groupId}`, group),
    },
    { title: say('group.place'), cell: ({ place }: AheadRow) => place },
    { title: say('member.state'), cell: ({ status }: AheadRow) => offBadge(context, status) },
  ]
  const ahead = rows.filter(({ startsAt }) => startsAt > now)
  const open = rows.filter((row) => row.startsAt <= now && row.open && row.status === 'planned')
  const body = html`${open.length === 0 ? nothing : table(say('meeting.to_take'), columns, open, '')}
${table(say('meeting.ahead'), columns, ahead, say('group.no_meetings'))}
${rows.length === rowsMax ? html`<p class="hint">${say('form.narrow', { count: rowsMax })}</p>` : nothing}`
  return { title: say('menu.meetings'), body }
}

const toGathering = ({ programme }: PageContext, { folder, id, startsAt }: AheadRow) =>
  link(`/${folder}/${id}`, momentText(programme.timeZone, startsAt))

/** That it is off; what is planned needs no word. */
export const offBadge = ({ say }: PageContext, status: string): Markup =>
  status === 'cancelled' ? badge(say('meeting_status.cancelled'), 'bad') : nothing

/** Throws route.unknown for what the role does not see, as for what is not there. */
async function find(
  { tx, staff, params }: PageContext,
  folder: Folder,
): Promise<(Gathering & { groupName: string }) | TrainingSession> {
  const { id = '' } = params
  if (!isId(id)) throw new RequestError('route.unknown')
  const found = await (folder === 'meetings' ? meetingOf(tx, id) : sessionOf(tx, id))
  const seen =
    found === undefined
      ? undefined
      : await tx.query(
          `select 1 from groups g where g.id = $2::uuid and ${groupScopeSql(staff, 'g', '$1')}`,
          [staff.id, found.groupId],
        )
  if (found === undefined || seen?.rowCount !== 1) throw new RequestError('route.unknown')
  return found
}

/** Short names are not enough: several of a group may share one. */
export const fullName = ({ firstName, lastName }: Pick<AttendanceRow, 'firstName' | 'lastName'>): string =>
  `${firstName} ${lastName}`

/** Attendance may be taken from here on; see attendance.ts. */
const earlyMs = 3 * 3_600_000

async function page(context: PageContext, folder: Folder, faults: string[]): Promise<Page> {
  const { tx, staff, say, now, programme } = context
  const one = await find(context, folder)
  const isAhead = one.startsAt > now
  const mayPlan = planningRoles.includes(staff.role)
  const title = 'titles' in one ? titleOf(context, one) : undefined
  const rows = await attendanceOf(tx, folder === 'meetings' ? { meetingId: one.id } : { sessionId: one.id })
  const mayTake = mayPlan && one.status === 'planned' && one.startsAt.getTime() - now.getTime() <= earlyMs
  const body = html`${faultSummary(say('fault.title'), faults)}
${facts([
  [say('meeting.time'), moment(context, one.startsAt)],
  [say('group.group'), link(`/groups/${one.groupId}`, one.groupName)],
  [say('group.place'), one.place],
  [say('meeting.topic'), title],
  [say('member.state'), one.status === 'cancelled' ? offBadge(context, one.status) : undefined],
])}
${mayTake ? takingForm(context, folder, one.id, rows) : nothing}
${mayPlan && isAhead ? await changeForms(context, folder, one) : nothing}
${mayTake ? nothing : attendanceTable(context, rows)}`

  return {
    title: `${say(`purpose.${kinds[folder]}`)} ${momentText(programme.timeZone, one.startsAt)}`,
    body,
    ...(faults.length > 0 ? { status: 422 } : {}),
  }
}

export function titleOf({ tag, programme }: PageContext, { titles, module }: TrainingSession): string {
  const title = [tag, ...programme.languages]
    .map((language) => titles[language])
    .find((one) => one !== undefined)
  return title === undefined ? String(module) : `${module}. ${title}`
}

function attendanceTable(context: PageContext, rows: readonly AttendanceRow[]): Markup {
  const { say } = context
  return table(
    say('meeting.attendance'),
    [
      { title: say('member.name'), cell: (row) => link(`/members/${row.memberId}`, fullName(row)) },
      {
        title: say('meeting.announced'),
        cell: ({ announced }) => (announced === null ? '' : say(`meeting.${announced}`)),
      },
      {
        title: say('meeting.came'),
        cell: ({ attended }) => (attended === null ? '' : say(attended ? 'meeting.yes' : 'meeting.no')),
      },
    ],
    rows,
    say('group.no_members'),
  )
}

/** Every member once: who is ticked came, who is not did not. */
function takingForm(
  context: PageContext,
  folder: Folder,
  id: string,
  rows: readonly AttendanceRow[],
): Markup {
  const { say } = context
  if (rows.length === 0) return nothing
  const boxes = rows.map((row) => {
    const { memberId, announced, attended } = row
    const word = announced === null ? '' : ` (${say('meeting.announced')}: ${say(`meeting.${announced}`)})`
    return checkbox('came', `${fullName(row)}${word}`, attended ?? announced === 'yes', memberId)
  })
  return html`<h2>${say('meeting.take')}</h2><p class="hint">${say('meeting.take_hint')}</p>${form(
    context,
    `/${folder}/${id}/attendance`,
    html`${boxes}${button(say('form.save'))}`,
  )}`
}

async function changeForms(context: PageContext, folder: Folder, one: Gathering): Promise<Markup> {
  const { tx, say, programme, form: sent } = context
  const told = await whoIsToBeTold(tx, kinds[folder], one.id)
  const notice =
    told.length === 0
      ? say('meeting.tell_nobody')
      : say('meeting.tell', { count: told.length, names: told.map(fullName).join(', ') })
  const path = `/${folder}/${one.id}`
  if (one.status === 'cancelled')
    return html`<h2>${say('meeting.restore')}</h2><p>${notice}</p>${form(context, `${path}/restore`, button(say('meeting.restore')))}`
  const { date, minuteOfDay } = localParts(one.startsAt, programme.timeZone)
  return html`<h2>${say('meeting.move')}</h2><p>${notice}</p>
${form(context, `${path}/move`, html`${momentFields(context, sent.date ?? date, sent.time ?? timeText(minuteOfDay), sent.place ?? one.place)}${button(say('meeting.move'))}`)}
<h2>${say('meeting.cancel')}</h2>${form(context, `${path}/cancel`, button(say('meeting.cancel'), { danger: true }))}`
}

export const timeText = (minute: number): string =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`

export function momentFields({ say }: PageContext, date: string, time: string, place: string): Markup {
  return html`${field('date', say('form.day'), { type: 'date', value: date, required: true })}${field('time', say('meeting.hour'), { type: 'time', value: time, required: true })}${field('place', say('group.place'), { value: place, maxlength: 80 })}`
}

/** As the clocks there show; undefined for what is no day or no hour. */
export function momentOf({ form, programme }: PageContext): Date | undefined {
  const minute = minuteOf(form.time ?? '')
  return isPlausibleDay(form.date ?? '') && minute !== undefined
    ? instantAt(form.date ?? '', minute, programme.timeZone)
    : undefined
}

export function minuteOf(time: string): number | undefined {
  const [, hour, minute] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time) ?? []
  return hour === undefined ? undefined : Number(hour) * 60 + Number(minute)
}

type Act = (context: PageContext, folder: Folder) => Promise<Page>

async function change(
  context: PageContext,
  folder: Folder,
  act: (id: string) => Promise<Changed<Gathering>>,
): Promise<Page> {
  const { id } = await find(context, folder)
  const done = await act(id)
  if (done.outcome === 'refused')
    return page(context, folder, [context.say(`meeting_fault.${faultKey(done.fault.code)}`)])
  return { to: `/${folder}/${id}`, done: done.outcome === 'changed' ? 'saved' : 'unchanged' }
}

/** Codes of faults as text keys: a point parts keys. */
export const faultKey = (code: string): string => code.replace('.', '_')

const acts: Record<'move' | 'cancel' | 'restore' | 'attendance', Act> = {
  move(context, folder) {
    const { tx, now, actor: by, form: sent } = context
    const startsAt = momentOf(context) ?? new Date(Number.NaN)
    const wish = { startsAt, place: sent.place, by, now }
    return change(context, folder, (id) =>
      folder === 'meetings'
        ? moveMeeting(tx, { meetingId: id, ...wish })
        : moveSession(tx, { sessionId: id, ...wish }),
    )
  },
  cancel(context, folder) {
    const { tx, now, actor: by } = context
    return change(context, folder, (id) =>
      folder === 'meetings'
        ? cancelMeeting(tx, { meetingId: id, by, now })
        : cancelSession(tx, { sessionId: id, by, now }),
    )
  },
  restore(context, folder) {
    const { tx, now, actor: by } = context
    return change(context, folder, (id) =>
      folder === 'meetings'
        ? restoreMeeting(tx, { meetingId: id, by, now })
        : restoreSession(tx, { sessionId: id, by, now }),
    )
  },
  async attendance(context, folder) {
    const { tx, now, actor: by, list } = context
    const { id } = await find(context, folder)
    const of = folder === 'meetings' ? { meetingId: id } : { sessionId: id }
    const came = new Set(list('came'))
    let isChanged = false
    for (const { memberId, attended } of await attendanceOf(tx, of)) {
      const act = { memberId, attended: came.has(memberId), by, now }
      if (!(await takeAttendance(tx, of, act)))
        return page(context, folder, [context.say('meeting_fault.not_begun')])
      isChanged ||= attended !== act.attended
    }
    return { to: `/${folder}/${id}`, done: isChanged ? 'saved' : 'unchanged' }
  },
}
