// In: when a group is to meet. Out: its calendar, its meetings written ahead, and those told who were told otherwise.
// Must never undo what somebody did by hand: a meeting that was moved or cancelled stays so under the new calendar.
import { recordAudit } from '../audit.ts'
import type { CalendarDate } from '../calendar.ts'
import type { Queryable } from '../db.ts'
import { InvariantError } from '../errors.ts'
import { aheadDays, type Calendar, calendarColumns, occurrencesOf, writeAhead } from './ahead.ts'
import type { MeetingFault } from './fault.ts'
import { placeFault } from './gatherings.ts'
import { readRule } from './rule.ts'
import { type ChangedGathering, tellOfChanges } from './telling.ts'

/** The calendar that stands; undefined for a group whose meetings are written one by one. */
export async function calendarOf(tx: Queryable, groupId: string): Promise<Calendar | undefined> {
  const { rows } = await tx.query<Calendar>(
    `select ${calendarColumns}, p.time_zone as "timeZone" from group_calendars c
       join groups g on g.id = c.group_id join programmes p on p.id = g.programme_id
      where c.group_id = $1 and c.ended_at is null order by c.created_at desc, c.id desc limit 1`,
    [groupId],
  )
  return rows[0]
}

export interface NewCalendar {
  groupId: string
  /** As of RFC 5545, with or without "RRULE:" before it. */
  rule: string
  /** No meeting before this day. */
  startsOn: CalendarDate
  startMinute: number
  /** Left out: where the group usually meets. */
  place?: string | undefined
  by: string
  now: Date
  /** Nobody is told of what it changes [false]. */
  silent?: boolean
}

/** `kept`: meetings of days on which the group met by the old calendar too. `toTell`: messages, as of a single change. */
export interface CalendarSet {
  outcome: 'set' | 'unchanged'
  calendar: Calendar
  written: number
  kept: number
  cancelled: number
  toTell: number
}

interface Group {
  programmeId: string
  place: string
  timeZone: string
}

/** One after the other for one group. */
async function lockGroup(tx: Queryable, groupId: string): Promise<Group | undefined> {
  const { rows } = await tx.query<Group>(
    `select g.programme_id as "programmeId", g.place, p.time_zone as "timeZone"
       from groups g join programmes p on p.id = g.programme_id where g.id = $1 for no key update of g`,
    [groupId],
  )
  return rows[0]
}

const unknownGroup: MeetingFault = { field: 'group', code: 'group.unknown', detail: 'there is no such group' }

/** What is wrong with a calendar before anything is written; and its rule in one spelling. */
export function readCalendar(
  asked: Pick<NewCalendar, 'rule' | 'startsOn' | 'startMinute'> & { place: string },
): { rule: string } | { faults: MeetingFault[] } {
  const read = readRule(asked.rule, asked.startsOn)
  const faults = 'faults' in read ? read.faults : []
  const isTime = Number.isInteger(asked.startMinute) && asked.startMinute >= 0 && asked.startMinute < 1_440
  if (!isTime)
    faults.push({ field: 'startMinute', code: 'time.invalid', detail: 'must be a minute of the day' })
  const place = placeFault(asked.place)
  if (place !== undefined) faults.push(place)
  return 'faults' in read || faults.length > 0 ? { faults } : read
}

/** Puts a calendar in the place of the old one. The same again changes nothing. */
export async function setCalendar(
  tx: Queryable,
  asked: NewCalendar,
): Promise<CalendarSet | { faults: MeetingFault[] }> {
  const { groupId, startsOn, startMinute, by, now } = asked
  const group = await lockGroup(tx, groupId)
  if (group === undefined) return { faults: [unknownGroup] }
  const place = asked.place ?? group.place
  const read = readCalendar({ ...asked, place })
  if ('faults' in read) return read
  const old = await calendarOf(tx, groupId)
  const { rule } = read
  const isSame =
    old?.rule === rule && old.startsOn === startsOn && old.startMinute === startMinute && old.place === place
  if (old !== undefined && isSame)
    return { outcome: 'unchanged', calendar: old, written: 0, kept: 0, cancelled: 0, toTell: 0 }
  await tx.query('update group_calendars set ended_at = $2 where group_id = $1 and ended_at is null', [
    groupId,
    now,
  ])
  const { rows } = await tx.query<{ id: string }>(
    `insert into group_calendars (group_id, rule, starts_on, start_minute, place, created_at)
     values ($1, $2, $3, $4, $5, $6) returning id`,
    [groupId, rule, startsOn, startMinute, place, now],
  )
  const id = rows[0]?.id
  if (id === undefined) throw new InvariantError('a calendar was not written')
  const calendar = { id, groupId, rule, startsOn, startMinute, place, timeZone: group.timeZone }
  const kept = await takeOver(tx, calendar, now)
  const cancelled = await cancelRest(tx, groupId, now)
  const written = await writeAhead(tx, [calendar], now)
  const changed = asked.silent === true ? [] : [...kept.changed, ...cancelled]
  const toTell = await tellOfChanges(tx, 'meeting', changed, now)
  const figures = { written, kept: kept.total, cancelled: cancelled.length }
  await recordAudit(tx, {
    at: now,
    programmeId: group.programmeId,
    actor: by,
    action: 'calendar.set',
    subject: `group:${groupId}`,
    ...(old === undefined
      ? {}
      : { before: { rule: old.rule, startsOn: old.startsOn, startMinute: old.startMinute } }),
    after: { rule, startsOn, startMinute, ...figures },
  })
  return { outcome: 'set', calendar, ...figures, toTell }
}

/** The group meets by no rule any more: what lies ahead and nobody touched is cancelled. Undefined when it had none. */
export async function endCalendar(
  tx: Queryable,
  { groupId, by, now }: Pick<NewCalendar, 'groupId' | 'by' | 'now'>,
): Promise<{ cancelled: number; toTell: number } | undefined> {
  const group = await lockGroup(tx, groupId)
  const old = await calendarOf(tx, groupId)
  if (group === undefined || old === undefined) return undefined
  await tx.query('update group_calendars set ended_at = $2 where group_id = $1 and ended_at is null', [
    groupId,
    now,
  ])
  const cancelled = await cancelRest(tx, groupId, now)
  const toTell = await tellOfChanges(tx, 'meeting', cancelled, now)
  await recordAudit(tx, {
    at: now,
    programmeId: group.programmeId,
    actor: by,
    action: 'calendar.ended',
    subject: `group:${groupId}`,
    before: { rule: old.rule, startsOn: old.startsOn, startMinute: old.startMinute },
    after: { cancelled: cancelled.length },
  })
  return { cancelled: cancelled.length, toTell }
}

// Of each day the meeting that stands for it: one that is planned or that somebody called off, of the calendar before; else one that
// an earlier change of calendar called off, which comes back.
const takeOverSql = `
  with wanted as (select * from unnest($2::date[], $3::timestamptz[]) as w(day, starts_at)), found as (
    select distinct on (w.day) m.id, w.day, w.starts_at, m.starts_at as previous_start,
           not m.by_hand and (m.status <> 'planned' or m.starts_at <> w.starts_at or m.place <> $4) as changes_now
      from wanted w
      join meetings m on m.group_id = $1 and m.occurrence_date = w.day
      join group_calendars c on c.id = m.calendar_id and c.id <> $5
     where m.starts_at > $6
     order by w.day, (m.status = 'planned' or m.by_hand) desc, c.created_at desc, m.id
  )
  update meetings m set calendar_id = $5, occurrence_date = f.day,
         starts_at = case when f.changes_now then f.starts_at else m.starts_at end,
         place = case when f.changes_now then $4 else m.place end,
         status = case when f.changes_now then 'planned' else m.status end,
         changes = m.changes + f.changes_now::int
    from found f where m.id = f.id
  returning m.id, f.previous_start as "previousStart", f.changes_now as "changesNow"`

async function takeOver(
  tx: Queryable,
  calendar: Calendar,
  now: Date,
): Promise<{ total: number; changed: ChangedGathering[] }> {
  const days = occurrencesOf(calendar, now, aheadDays)
  const { rows } = await tx.query<ChangedGathering & { changesNow: boolean }>(takeOverSql, [
    calendar.groupId,
    days.map(({ date }) => date),
    days.map(({ startsAt }) => startsAt),
    calendar.place,
    calendar.id,
    now,
  ])
  return { total: rows.length, changed: rows.filter(({ changesNow }) => changesNow) }
}

/** What calendars that have ended still plan, unless somebody moved it by hand. */
async function cancelRest(tx: Queryable, groupId: string, now: Date): Promise<ChangedGathering[]> {
  const { rows } = await tx.query<ChangedGathering>(
    `update meetings m set status = 'cancelled', changes = m.changes + 1
       from group_calendars c
      where c.id = m.calendar_id and c.ended_at is not null and m.group_id = $1
        and m.starts_at > $2 and m.status = 'planned' and not m.by_hand
     returning m.id, m.starts_at as "previousStart"`,
    [groupId, now],
  )
  return rows
}
