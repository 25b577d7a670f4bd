// In: a group, or one of its meetings. Out: what is ahead; a meeting written, moved, cancelled or put back, and those told who were told otherwise.
// Must never lose a meeting: one that is off stays as a cancelled row, under the day that its calendar gave it.
import { recordAudit } from '../audit.ts'
import type { CalendarDate } from '../calendar.ts'
import type { Queryable } from '../db.ts'
import { InvariantError } from '../errors.ts'
import type { MeetingFault } from './fault.ts'
import { type Changed, changed, type Gathering, placeFault, startFault } from './gatherings.ts'

export interface Meeting extends Gathering {
  groupCode: string
  groupName: string
  /** The calendar that gave it, and the day that it gave; null for one that was written by itself. */
  calendarId: string | null
  occurrenceDate: CalendarDate | null
  /** Somebody moved or cancelled it, or put it back. */
  byHand: boolean
}

const meetingSql = `
  select m.id, g.programme_id as "programmeId", m.group_id as "groupId", g.code as "groupCode", g.name as "groupName",
         m.starts_at as "startsAt", m.place, m.status, p.time_zone as "timeZone", m.calendar_id as "calendarId",
         m.occurrence_date as "occurrenceDate", m.by_hand as "byHand"
    from meetings m join groups g on g.id = m.group_id join programmes p on p.id = g.programme_id`

/** Undefined for an id that is no meeting's. */
export async function meetingOf(tx: Queryable, id: string): Promise<Meeting | undefined> {
  const { rows } = await tx.query<Meeting>(`${meetingSql} where m.id = $1`, [id])
  return rows[0]
}

/** Planned meetings of a group that have not begun, the next one first. */
export async function upcomingMeetings(
  tx: Queryable,
  groupId: string,
  now: Date,
  limit: number,
): Promise<Meeting[]> {
  const { rows } = await tx.query<Meeting>(
    `${meetingSql} where m.group_id = $1 and m.starts_at > $2 and m.status = 'planned'
      order by m.starts_at, m.id limit $3`,
    [groupId, now, limit],
  )
  return rows
}

/** All meetings of a group from an instant on, cancelled ones too, in the order of time. */
export async function meetingsFrom(
  tx: Queryable,
  groupId: string,
  from: Date,
  limit: number,
  /** The last one of the page before. */
  after?: { startsAt: string; id: string },
): Promise<Meeting[]> {
  const { rows } = await tx.query<Meeting>(
    `${meetingSql} where m.group_id = $1 and m.starts_at >= $2
        and ($4::timestamptz is null or (m.starts_at, m.id) > ($4, $5::uuid)) order by m.starts_at, m.id limit $3`,
    [groupId, from, limit, after?.startsAt ?? null, after?.id ?? null],
  )
  return rows
}

/** Meetings of a group before an instant that did take place, the latest first. */
export async function pastMeetings(
  tx: Queryable,
  groupId: string,
  before: Date,
  limit: number,
): Promise<Meeting[]> {
  const { rows } = await tx.query<Meeting>(
    `${meetingSql} where m.group_id = $1 and m.starts_at <= $2 and m.status = 'planned'
      order by m.starts_at desc, m.id limit $3`,
    [groupId, before, limit],
  )
  return rows
}

export interface NewMeeting {
  groupId: string
  startsAt: Date
  /** Left out: where the group usually meets. */
  place?: string | undefined
  by: string
  now: Date
}

/** One meeting beside the calendar. The same hour of the same group again is the same meeting. */
export async function addMeeting(
  tx: Queryable,
  { groupId, startsAt, place, by, now }: NewMeeting,
): Promise<{ outcome: 'added' | 'unchanged'; meeting: Meeting } | { fault: MeetingFault }> {
  const groups = await tx.query<{ programmeId: string; place: string }>(
    'select programme_id as "programmeId", place from groups where id = $1 for no key update',
    [groupId],
  )
  const group = groups.rows[0]
  if (group === undefined)
    return { fault: { field: 'group', code: 'group.unknown', detail: 'there is no such group' } }
  const where = place ?? group.place
  const fault = startFault(startsAt, now) ?? placeFault(where)
  if (fault !== undefined) return { fault }
  const standing = await tx.query<Meeting>(
    `${meetingSql} where m.group_id = $1 and m.starts_at = $2 and m.status = 'planned' limit 1`,
    [groupId, startsAt],
  )
  const there = standing.rows[0]
  if (there !== undefined) return { outcome: 'unchanged', meeting: there }
  const { rows } = await tx.query<{ id: string }>(
    'insert into meetings (group_id, starts_at, place) values ($1, $2, $3) returning id',
    [groupId, startsAt, where],
  )
  const meeting = await meetingOf(tx, rows[0]?.id ?? '')
  if (meeting === undefined) throw new InvariantError('a meeting was not written')
  await recordAudit(tx, {
    at: now,
    programmeId: group.programmeId,
    actor: by,
    action: 'meeting.added',
    subject: `meeting:${meeting.id}`,
    after: { group: `group:${groupId}`, startsAt: startsAt.toISOString() },
  })
  return { outcome: 'added', meeting }
}

interface Act {
  meetingId: string
  by: string
  now: Date
}

/** To another hour or place. A cancelled meeting is put back first. */
export async function moveMeeting(
  tx: Queryable,
  { meetingId: id, startsAt, place, by, now }: Act & { startsAt: Date; place?: string | undefined },
): Promise<Changed<Meeting>> {
  if ((await meetingOf(tx, id))?.status === 'cancelled')
    return {
      outcome: 'refused',
      fault: { field: 'status', code: 'meeting.cancelled', detail: 'is cancelled: put it back first' },
    }
  return changed(tx, { kind: 'meeting', id, startsAt, place, status: 'planned', by, now }, meetingOf)
}

export function cancelMeeting(tx: Queryable, { meetingId: id, by, now }: Act): Promise<Changed<Meeting>> {
  return changed(tx, { kind: 'meeting', id, status: 'cancelled', by, now }, meetingOf)
}

/** A cancelled meeting takes place after all, when and where it was to be. */
export function restoreMeeting(tx: Queryable, { meetingId: id, by, now }: Act): Promise<Changed<Meeting>> {
  return changed(tx, { kind: 'meeting', id, status: 'planned', by, now }, meetingOf)
}
