// In: what a program asks of groups and their calendars. Out: groups, when they meet, and what a rule would yield.
// Must never change more of a group than what the request names.
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Queryable } from '../db.ts'
import { InvariantError, RequestError } from '../errors.ts'
import type { I18n } from '../i18n.ts'
import { calendarOf, endCalendar, setCalendar } from '../meetings/calendars.ts'
import type { MeetingFault } from '../meetings/fault.ts'
import { upcomingMeetings } from '../meetings/meetings.ts'
import { previewCalendar } from '../meetings/preview.ts'
import { readRule } from '../meetings/rule.ts'
import { changeGroup, type GroupState, groupByCode, openGroup } from '../members/groups.ts'
import { findStaff } from '../members/staff.ts'
import { parseMsisdn } from '../msisdn.ts'
import { type Answer, day } from './api-schemas.ts'
import { type ApiCaller, actorOf } from './keys.ts'
import { nextAnswer, type Page, pageQuery, readPage } from './paging.ts'

export const printable = (charactersMax: number) =>
  z
    .string()
    .min(1)
    .max(charactersMax)
    .regex(/^[^\p{C}]*$/u, 'must be printable characters')

const facilitator = z
  .string()
  .min(1)
  .max(30)
  .describe('Phone of an active member of staff, international or as written in the country')

export const groupSchema = z.strictObject({
  code: printable(60).describe("The programme's own code of the group"),
  name: printable(80),
  place: printable(80).describe('Where the group usually meets'),
  facilitator: facilitator.optional(),
})

export const groupChangeSchema = z.strictObject({
  name: printable(80).optional(),
  place: printable(80).optional(),
  facilitator: facilitator.nullable().optional().describe('Null: nobody'),
})

export const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as "10:00"')
  .describe('As the clocks of the programme show, all year')

const calendarFields = {
  rule: z
    .string()
    .min(1)
    .max(200)
    .regex(/^[^\p{C}]*$/u, 'must be printable characters')
    .describe('RFC 5545, with FREQ of days, weeks, months or years: "FREQ=MONTHLY;BYDAY=1TU,3TU"'),
  startsOn: day.describe('No meeting before this day; one on it only where the rule names it'),
  at: timeOfDay,
}

export const calendarSchema = z.union([
  z.strictObject({ ...calendarFields, place: printable(80).optional() }),
  z.strictObject({ rule: z.null().describe('The group meets by no rule any more') }),
])

export const calendarPreviewSchema = z.strictObject({
  ...calendarFields,
  language: printable(40).optional().describe('Of the words [the first of the programme]'),
  limit: z.int().min(1).max(60).default(10),
})

const calendarAnswer = z
  .object({ rule: z.string(), startsOn: z.string(), at: z.string(), place: z.string() })
  .nullable()
  .describe('Null: its meetings are written one by one')

export const groupAnswer = z.object({
  code: z.string(),
  name: z.string(),
  place: z.string(),
  facilitator: z.string().nullable().describe('First name'),
  calendar: calendarAnswer,
  nextMeeting: z.object({ id: z.uuid(), startsAt: z.string(), place: z.string() }).nullable(),
})

export const groupsQuery = z.strictObject(pageQuery)
export const groupsAnswer = z.object({
  groups: z.array(
    groupAnswer
      .omit({ calendar: true, nextMeeting: true })
      .extend({ members: z.int().describe('Active ones') }),
  ),
  next: nextAnswer,
})

export const calendarSetAnswer = z.object({
  calendar: calendarAnswer,
  written: z.int().describe('Meetings of the next 120 days that are new'),
  kept: z.int().describe('Meetings of days on which the group met by the old calendar too'),
  cancelled: z.int(),
  toTell: z.int().describe('Members who get a message unless, when it is sent, they know already'),
})

export const calendarPreviewAnswer = z.object({
  days: z.array(
    z.object({
      date: z.string(),
      startsAt: z.string(),
      words: z.string().describe('As a member would read it'),
      holiday: z.boolean().describe('Nobody works on it; the meeting is written all the same'),
    }),
  ),
})

/** What is refused by meetings and calendars, in the words of their own fault. */
export function meetingRefusal({ field, code, detail }: MeetingFault): RequestError {
  if (code === 'meeting.unknown' || code === 'group.unknown') return unknownPart(field)
  return new RequestError('meeting.refused', {
    field: field === 'startMinute' ? 'at' : field,
    detail: `${code}: ${detail}`,
  })
}

export function unknownPart(field: string): RequestError {
  return new RequestError('route.unknown', { field, detail: 'there is nothing under this name' })
}

export async function groupOf(tx: Queryable, caller: ApiCaller, code: string): Promise<GroupState> {
  const group = await groupByCode(tx, caller.programmeId, code)
  if (group === undefined) throw unknownPart('code')
  return group
}

async function facilitatorOf(tx: Queryable, caller: ApiCaller, phone: string): Promise<string> {
  const { rows } = await tx.query<{ country: string }>('select country from programmes where id = $1', [
    caller.programmeId,
  ])
  const msisdn = parseMsisdn(phone, rows[0]?.country ?? '')
  const id =
    msisdn === undefined ? undefined : (await findStaff(tx, caller.programmeId, [msisdn])).get(msisdn)
  if (id === undefined) throw new RequestError('staff.unknown', { field: 'facilitator' })
  return id
}

const clockText = (minute: number) =>
  `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
const minuteOf = (time: string) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))

async function stateOf(tx: Queryable, group: GroupState, now: Date): Promise<z.infer<typeof groupAnswer>> {
  const calendar = await calendarOf(tx, group.id)
  const [next] = await upcomingMeetings(tx, group.id, now, 1)
  const { code, name, place, facilitatorName } = group
  return {
    code,
    name,
    place,
    facilitator: facilitatorName,
    calendar: calendarBody(calendar),
    nextMeeting:
      next === undefined ? null : { id: next.id, startsAt: next.startsAt.toISOString(), place: next.place },
  }
}

type CalendarState = Awaited<ReturnType<typeof calendarOf>>

function calendarBody(calendar: CalendarState): z.infer<typeof calendarAnswer> {
  if (calendar === undefined) return null
  const { rule, startsOn, startMinute, place } = calendar
  return { rule, startsOn, at: clockText(startMinute), place }
}

export async function groupsPage(
  tx: Queryable,
  caller: ApiCaller,
  page: Page,
): Promise<Answer<z.infer<typeof groupsAnswer>>> {
  type Listed = z.infer<typeof groupsAnswer>['groups'][number]
  // "place" is taken by the place of a row in its list.
  const { rows, next } = await readPage<Omit<Listed, 'place'> & { where: string }>(
    tx,
    { name: 'groups', columns: [['g.code', 'text']] },
    {
      select: `g.code, g.name, g.place as "where", s.first_name as facilitator,
        (select count(*)::int from members m where m.group_id = g.id and m.status = 'active') as members`,
      from: 'from groups g left join staff s on s.id = g.facilitator_id where g.programme_id = $1',
      values: [caller.programmeId],
      page,
    },
  )
  const groups = rows.map(({ where: place, ...group }) => ({ ...group, place }))
  return { status: 200, body: { groups, next } }
}

export async function groupState(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  code: string,
): Promise<Answer<z.infer<typeof groupAnswer>>> {
  return { status: 200, body: await stateOf(tx, await groupOf(tx, caller, code), clock.now()) }
}

/** A code that is used answers 200 when all of it is the same, else 409. */
export async function writeGroup(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  asked: z.output<typeof groupSchema>,
): Promise<Answer<z.infer<typeof groupAnswer>>> {
  const { code, name, place } = asked
  const facilitatorId =
    asked.facilitator === undefined ? null : await facilitatorOf(tx, caller, asked.facilitator)
  const now = clock.now()
  const { programmeId } = caller
  const act = { by: actorOf(caller), now }
  const { opened, group } = await openGroup(tx, { programmeId, code, name, place, facilitatorId, ...act })
  const isSame =
    group.name === name &&
    group.place === place &&
    (asked.facilitator === undefined || group.facilitatorId === facilitatorId)
  if (!opened && !isSame) throw new RequestError('group.code_taken', { field: 'code' })
  return { status: opened ? 201 : 200, body: await stateOf(tx, group, now) }
}

export async function patchGroup(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  code: string,
  { name, place, facilitator: phone }: z.output<typeof groupChangeSchema>,
): Promise<Answer<z.infer<typeof groupAnswer>>> {
  await groupOf(tx, caller, code)
  const facilitatorId = typeof phone === 'string' ? await facilitatorOf(tx, caller, phone) : phone
  const now = clock.now()
  const { programmeId } = caller
  const change = { programmeId, code, name, place, facilitatorId, by: actorOf(caller), now }
  const done = await changeGroup(tx, change)
  if (done === undefined) throw unknownPart('code')
  return { status: done.changed ? 201 : 200, body: await stateOf(tx, done.group, now) }
}

export async function putCalendar(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  code: string,
  asked: z.output<typeof calendarSchema>,
): Promise<Answer<z.infer<typeof calendarSetAnswer>>> {
  const { id: groupId } = await groupOf(tx, caller, code)
  const act = { groupId, by: actorOf(caller), now: clock.now() }
  if (asked.rule === null) {
    const ended = await endCalendar(tx, act)
    const nothing = { calendar: null, written: 0, kept: 0 }
    return {
      status: ended === undefined ? 200 : 201,
      body: { ...nothing, cancelled: 0, toTell: 0, ...ended },
    }
  }
  const { rule, startsOn, at, place } = asked
  const set = await setCalendar(tx, { ...act, rule, startsOn, startMinute: minuteOf(at), place })
  if ('faults' in set) throw firstOf(set.faults)
  const { outcome, calendar, ...figures } = set
  const body = { calendar: calendarBody(calendar), ...figures }
  return { status: outcome === 'set' ? 201 : 200, body }
}

function firstOf(faults: readonly MeetingFault[]): Error {
  const [first] = faults
  return first === undefined ? new InvariantError('refused without a fault') : meetingRefusal(first)
}

/** Writes nothing. */
export async function previewOfCalendar(
  tx: Queryable,
  { clock, i18n }: { clock: Clock; i18n: I18n },
  caller: ApiCaller,
  code: string,
  { rule, startsOn, at, language, limit }: z.output<typeof calendarPreviewSchema>,
): Promise<Answer<z.infer<typeof calendarPreviewAnswer>>> {
  await groupOf(tx, caller, code)
  const { rows } = await tx.query<{ timeZone: string; languages: string[]; holidays: string[] }>(
    'select time_zone as "timeZone", languages, holidays::text[] as holidays from programmes where id = $1',
    [caller.programmeId],
  )
  const programme = rows[0]
  if (programme === undefined) throw new InvariantError('the programme of a key is gone')
  const tag = language ?? programme.languages.find((one) => i18n.languages.has(one))
  if (tag === undefined || !i18n.languages.has(tag))
    throw new RequestError('request.field_invalid', { field: 'language', detail: 'there are no texts in it' })
  const startMinute = minuteOf(at)
  const read = readRule(rule, startsOn)
  if ('faults' in read) throw firstOf(read.faults)
  const ask = { rule: read.rule, startsOn, startMinute, limit, now: clock.now(), ...programme }
  const days = previewCalendar(i18n, tag, ask).map(({ startsAt, ...rest }) => ({
    ...rest,
    startsAt: startsAt.toISOString(),
  }))
  return { status: 200, body: { days } }
}
