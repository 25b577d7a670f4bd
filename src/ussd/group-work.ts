// In: a dialogue of staff or of an elected officer. Out: the group that it is about, if it is theirs now, and its meetings.
// Asked anew by every screen and every act: who lost a role in the middle of a dialogue finds nothing.
import { type CalendarDate, instantAt, localParts } from '../calendar.ts'
import type { Db } from '../db.ts'
import { type Meeting, meetingOf, meetingsFrom, upcomingMeetings } from '../meetings/meetings.ts'
import { groupOfOfficer, groupOfStaff, type WorkGroup } from '../members/own-groups.ts'
import type { ProgrammeInfo } from '../members/programmes.ts'
import type { Author } from '../notices/notices.ts'
import type { Dialogue } from './session.ts'

interface Work {
  db: Db
  programme: ProgrammeInfo
  dialogue: Dialogue
  now: Date
}

/** What a screen list shows at a time: with the keys behind it, one digit each. */
export const listWindow = 7

export async function groupIn({ db, programme, dialogue }: Work): Promise<WorkGroup | undefined> {
  const { staffId, memberId, noted } = dialogue
  if (staffId !== undefined)
    return noted.group === undefined ? undefined : groupOfStaff(db.pool, programme.id, staffId, noted.group)
  return memberId === undefined ? undefined : groupOfOfficer(db.pool, memberId)
}

/** Throws for a dialogue of nobody: the gates have seen to it that there is one. */
export function authorIn({ dialogue }: Pick<Work, 'dialogue'>): Author {
  const { staffId, memberId } = dialogue
  if (staffId !== undefined) return { staffId }
  if (memberId === undefined) throw new RangeError(`State ${dialogue.state} needs to know who works there`)
  return { memberId }
}

/** As the audit log names who works. */
export function actorIn(work: Pick<Work, 'dialogue'>): string {
  const author = authorIn(work)
  if ('staffId' in author) return `staff:${author.staffId}`
  return 'memberId' in author ? `member:${author.memberId}` : `api:${author.api}`
}

export const todayIn = ({ now, programme }: Pick<Work, 'now' | 'programme'>): CalendarDate =>
  localParts(now, programme.timeZone).date

export async function nextMeeting({ db, now }: Work, groupId: string): Promise<Meeting | undefined> {
  return (await upcomingMeetings(db.pool, groupId, now, 1))[0]
}

/** The one that was picked to be moved or cancelled, if it is the group's. */
export async function chosenMeeting(work: Work): Promise<Meeting | undefined> {
  const { meeting: id } = work.dialogue.noted
  const group = await groupIn(work)
  const meeting = id === undefined ? undefined : await meetingOf(work.db.pool, id)
  return group !== undefined && meeting?.groupId === group.id ? meeting : undefined
}

/** Attendance is taken from this long before the hour. */
const earlyMs = 3 * 3_600_000

/** The meeting of today that people come to or came to, where there is one; the last that has begun counts. */
export async function meetingOfToday(work: Work, groupId: string): Promise<Meeting | undefined> {
  const today = todayIn(work)
  const from = instantAt(today, 0, work.programme.timeZone)
  const meetings = await meetingsFrom(work.db.pool, groupId, from, 5)
  return meetings.findLast(
    ({ startsAt, status }) =>
      status === 'planned' &&
      localParts(startsAt, work.programme.timeZone).date === today &&
      startsAt.getTime() - earlyMs <= work.now.getTime(),
  )
}

/** What a long list shows now, and whether there is more; behind its end it begins again. */
export function windowOf<Row>(dialogue: Dialogue, rows: readonly Row[]): { rows: Row[]; facts: string[] } {
  const from =
    rows.length === 0 ? 0 : windowStart(dialogue) % (Math.ceil(rows.length / listWindow) * listWindow)
  return {
    rows: rows.slice(from, from + listWindow),
    facts: rows.length > listWindow ? ['has_next'] : [],
  }
}

export const windowKey = (state: string) => `from.${state}`
export const windowStart = ({ noted, state }: Dialogue) => Number(noted[windowKey(state)] ?? 0)
