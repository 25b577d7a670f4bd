// In: what a program asks of meetings and trainings. Out: what is ahead, changes, who came and who is ready for a first loan.
// Must never show a member of another programme, nor change what has begun.
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Queryable } from '../db.ts'
import { RequestError } from '../errors.ts'
import { type Attended, attendanceOf, firstLoanReadiness, takeAttendance } from '../meetings/attendance.ts'
import type { Changed, Gathering } from '../meetings/gatherings.ts'
import {
  addMeeting,
  cancelMeeting,
  type Meeting,
  meetingOf,
  meetingsFrom,
  moveMeeting,
  restoreMeeting,
} from '../meetings/meetings.ts'
import {
  addSession,
  cancelSession,
  moveSession,
  restoreSession,
  sessionOf,
  sessionsFrom,
  type TrainingSession,
} from '../meetings/trainings.ts'
import { groupOf, meetingRefusal, printable, unknownPart } from './api-groups.ts'
import type { Answer } from './api-schemas.ts'
import { type ApiCaller, actorOf } from './keys.ts'
import { cutPage, type ListOrder, nextAnswer, type Page, pageQuery, placeOf } from './paging.ts'

const instant = z.iso
  .datetime({ offset: true })
  .describe('An instant with its offset: 2026-12-01T10:00:00+01:00')
const place = printable(80)

export const meetingsQuery = z.strictObject({
  from: instant.optional().describe('The first instant [now]'),
  ...pageQuery,
})

export const newMeetingSchema = z.strictObject({
  startsAt: instant,
  place: place.optional().describe('Left out: where the group usually meets'),
})
export const newTrainingSchema = newMeetingSchema.extend({ module: z.int().min(1).max(10_000) })

export const gatheringChangeSchema = z
  .strictObject({
    startsAt: instant.optional(),
    place: place.optional(),
    status: z
      .enum(['planned', 'cancelled'])
      .optional()
      .describe('"planned" puts a cancelled one back; by itself, without another hour or place'),
  })
  .refine(
    ({ startsAt, place, status }) =>
      (startsAt !== undefined || place !== undefined) !== (status !== undefined),
    { path: ['status'], message: 'give either status, or startsAt or place or both' },
  )

const gathering = {
  id: z.uuid(),
  group: z.string(),
  startsAt: z.string(),
  place: z.string(),
  status: z.enum(['planned', 'cancelled']),
}
export const meetingAnswer = z.object({
  ...gathering,
  occurrenceDate: z
    .string()
    .nullable()
    .describe('The day that the calendar gave it; null: written by itself'),
})
export const trainingAnswer = z.object({
  ...gathering,
  module: z.int(),
  initial: z.boolean().describe('One of those that every member takes before her first loan'),
  titles: z.record(z.string(), z.string()),
})
const toTell = z.int().describe('Members who get a message unless, when it is sent, they know already')
export const meetingsAnswer = z.object({ meetings: z.array(meetingAnswer), next: nextAnswer })
export const trainingsAnswer = z.object({ trainings: z.array(trainingAnswer), next: nextAnswer })
export const meetingChangedAnswer = meetingAnswer.extend({ toTell })
export const trainingChangedAnswer = trainingAnswer.extend({ toTell })

export const attendanceSchema = z.strictObject({
  attendance: z
    .array(z.strictObject({ member: printable(60).describe('Member number'), attended: z.boolean() }))
    .min(1)
    .max(500),
})
export const attendanceAnswer = z.object({
  attendance: z.array(
    z.object({
      member: z.string(),
      alias: z.string(),
      announced: z.enum(['yes', 'no']).nullable().describe('Her own word before a meeting'),
      attended: z.boolean().nullable().describe('Null: nobody took it down'),
    }),
  ),
})

export const readinessAnswer = z.object({
  members: z.array(
    z.object({
      member: z.string(),
      alias: z.string(),
      attended: z.int().describe('Initial sessions that she attended'),
      needed: z.int(),
      borrowed: z.boolean().describe('She has or had a loan'),
      ready: z.boolean().describe('All of them attended, and no loan ever'),
    }),
  ),
})

const bodyOf = ({ id, groupCode, startsAt, place, status }: Meeting | TrainingSession) => ({
  id,
  group: groupCode,
  startsAt: startsAt.toISOString(),
  place,
  status,
})
const meetingBody = (meeting: Meeting) => ({ ...bodyOf(meeting), occurrenceDate: meeting.occurrenceDate })
const trainingBody = (session: TrainingSession) => {
  const { module, initial, titles } = session
  return { ...bodyOf(session), module, initial, titles }
}

interface Ask {
  tx: Queryable
  clock: Clock
  caller: ApiCaller
}

type ListAsk = z.output<typeof meetingsQuery>

const timeOrder = (name: string): ListOrder => ({
  name,
  columns: [
    ['starts_at', 'timestamptz'],
    ['id', 'uuid'],
  ],
})
const placeInTime = ({ startsAt, id }: { startsAt: Date; id: string }) => [
  // Kept to the millisecond; a cursor has microseconds.
  startsAt.toISOString().replace('Z', '000Z'),
  id,
]

function timePlace(order: ListOrder, { cursor }: Page) {
  if (cursor === undefined) return undefined
  const [startsAt = '', id = ''] = placeOf(order, cursor)
  return { startsAt, id }
}

const firstInstant = (from: string | undefined, clock: Clock) =>
  from === undefined ? clock.now() : new Date(from)

export async function meetingsOfGroup(
  { tx, clock, caller }: Ask,
  code: string,
  { from, ...page }: ListAsk,
): Promise<Answer<z.infer<typeof meetingsAnswer>>> {
  const { id } = await groupOf(tx, caller, code)
  const order = timeOrder('meetings')
  const meetings = await meetingsFrom(
    tx,
    id,
    firstInstant(from, clock),
    page.limit + 1,
    timePlace(order, page),
  )
  const { rows, next } = cutPage(order, meetings, page, placeInTime)
  return { status: 200, body: { meetings: rows.map(meetingBody), next } }
}

export async function trainingsOfGroup(
  { tx, clock, caller }: Ask,
  code: string,
  { from, ...page }: ListAsk,
): Promise<Answer<z.infer<typeof trainingsAnswer>>> {
  const { id } = await groupOf(tx, caller, code)
  const order = timeOrder('trainings')
  const sessions = await sessionsFrom(
    tx,
    id,
    firstInstant(from, clock),
    page.limit + 1,
    timePlace(order, page),
  )
  const { rows, next } = cutPage(order, sessions, page, placeInTime)
  return { status: 200, body: { trainings: rows.map(trainingBody), next } }
}

export async function writeMeeting(
  { tx, clock, caller }: Ask,
  code: string,
  { startsAt, place }: z.output<typeof newMeetingSchema>,
): Promise<Answer<z.infer<typeof meetingAnswer>>> {
  const { id: groupId } = await groupOf(tx, caller, code)
  const act = { by: actorOf(caller), now: clock.now() }
  const added = await addMeeting(tx, { groupId, startsAt: new Date(startsAt), place, ...act })
  if ('fault' in added) throw meetingRefusal(added.fault)
  return { status: added.outcome === 'added' ? 201 : 200, body: meetingBody(added.meeting) }
}

export async function writeTraining(
  { tx, clock, caller }: Ask,
  code: string,
  { startsAt, place, module }: z.output<typeof newTrainingSchema>,
): Promise<Answer<z.infer<typeof trainingAnswer>>> {
  const { id: groupId } = await groupOf(tx, caller, code)
  const act = { by: actorOf(caller), now: clock.now() }
  const added = await addSession(tx, { groupId, module, startsAt: new Date(startsAt), place, ...act })
  if ('fault' in added) throw meetingRefusal(added.fault)
  return { status: added.outcome === 'added' ? 201 : 200, body: trainingBody(added.session) }
}

type ChangeAsk = z.output<typeof gatheringChangeSchema>

export async function patchMeeting(
  { tx, clock, caller }: Ask,
  id: string,
  asked: ChangeAsk,
): Promise<Answer<z.infer<typeof meetingChangedAnswer>>> {
  const meetingId = uuidOf(id)
  const meeting = await meetingOf(tx, meetingId)
  if (meeting === undefined) throw unknownPart('id')
  const act = { meetingId, by: actorOf(caller), now: clock.now() }
  const { gathering, ...done } = settled(
    asked.status === 'cancelled'
      ? await cancelMeeting(tx, act)
      : asked.status === 'planned'
        ? await restoreMeeting(tx, act)
        : await moveMeeting(tx, { ...act, ...wished(asked, meeting) }),
  )
  return { status: done.status, body: { ...meetingBody(gathering), toTell: done.toTell } }
}

export async function patchTraining(
  { tx, clock, caller }: Ask,
  id: string,
  asked: ChangeAsk,
): Promise<Answer<z.infer<typeof trainingChangedAnswer>>> {
  const sessionId = uuidOf(id)
  const session = await sessionOf(tx, sessionId)
  if (session === undefined) throw unknownPart('id')
  const act = { sessionId, by: actorOf(caller), now: clock.now() }
  const { gathering, ...done } = settled(
    asked.status === 'cancelled'
      ? await cancelSession(tx, act)
      : asked.status === 'planned'
        ? await restoreSession(tx, act)
        : await moveSession(tx, { ...act, ...wished(asked, session) }),
  )
  return { status: done.status, body: { ...trainingBody(gathering), toTell: done.toTell } }
}

const wished = ({ startsAt, place }: ChangeAsk, before: Gathering) => ({
  startsAt: startsAt === undefined ? before.startsAt : new Date(startsAt),
  place,
})

function settled<Of extends Gathering>(
  change: Changed<Of>,
): { status: 200 | 201; gathering: Of; toTell: number } {
  if (change.outcome === 'refused') throw meetingRefusal(change.fault)
  const { outcome, gathering, toTell } = change
  return { status: outcome === 'changed' ? 201 : 200, gathering, toTell }
}

/** What is no id is the id of nothing. */
function uuidOf(id: string): string {
  if (!z.uuid().safeParse(id).success) throw unknownPart('id')
  return id
}

async function attendedOf(tx: Queryable, kind: 'meeting' | 'training', id: string): Promise<Attended> {
  const uuid = uuidOf(id)
  const found = kind === 'meeting' ? await meetingOf(tx, uuid) : await sessionOf(tx, uuid)
  if (found === undefined) throw unknownPart('id')
  return kind === 'meeting' ? { meetingId: uuid } : { sessionId: uuid }
}

export async function attendanceState(
  { tx }: Ask,
  kind: 'meeting' | 'training',
  id: string,
): Promise<Answer<z.infer<typeof attendanceAnswer>>> {
  return attendanceBody(tx, await attendedOf(tx, kind, id), 200)
}

async function attendanceBody(tx: Queryable, of: Attended, status: 200 | 201) {
  const rows = await attendanceOf(tx, of)
  const attendance = rows.map(({ number: member, alias, announced, attended }) => ({
    member,
    alias,
    announced,
    attended,
  }))
  return { status, body: { attendance } }
}

/** Members whom the request leaves out stay as they are. One that cannot be taken down refuses them all. */
export async function putAttendance(
  { tx, clock, caller }: Ask,
  kind: 'meeting' | 'training',
  id: string,
  { attendance }: z.output<typeof attendanceSchema>,
): Promise<Answer<z.infer<typeof attendanceAnswer>>> {
  const of = await attendedOf(tx, kind, id)
  const before = new Map((await attendanceOf(tx, of)).map((row) => [row.number, row]))
  let changed = false
  for (const [index, { member, attended }] of attendance.entries()) {
    const row = before.get(member)
    const field = `attendance[${index}].member`
    if (row === undefined) throw new RequestError('member.unknown', { field })
    const act = { memberId: row.memberId, attended, by: actorOf(caller), now: clock.now() }
    if (!(await takeAttendance(tx, of, act)))
      throw new RequestError('meeting.refused', { field, detail: 'is off, or has not begun' })
    changed ||= row.attended !== attended
  }
  return attendanceBody(tx, of, changed ? 201 : 200)
}

export async function readinessOf(
  { tx, caller }: Ask,
  code: string,
): Promise<Answer<z.infer<typeof readinessAnswer>>> {
  const { id } = await groupOf(tx, caller, code)
  const members = (await firstLoanReadiness(tx, id)).map(
    ({ number: member, alias, attended, needed, borrowed, ready }) => ({
      member,
      alias,
      attended,
      needed,
      borrowed,
      ready,
    }),
  )
  return { status: 200, body: { members } }
}
