// In: calendars and the time. Out: their meetings of the days ahead, each at most once, whoever writes them and how often.
// A meeting of the same day that somebody wrote by itself is taken for the calendar's. Must never write for a calendar that has ended.
import { addDays, type CalendarDate, instantAt, localParts } from '../calendar.ts'
import type { Queryable } from '../db.ts'
import { daysOf } from './rule.ts'

/** So many days ahead meetings stand in the table. */
export const aheadDays = 120

export interface Calendar {
  id: string
  groupId: string
  /** In the one spelling of rule.ts. */
  rule: string
  startsOn: CalendarDate
  /** Local minute of the day. */
  startMinute: number
  place: string
  timeZone: string
}

export const calendarColumns = `c.id, c.group_id as "groupId", c.rule, c.starts_on as "startsOn",
       c.start_minute as "startMinute", c.place`

export interface Occurrence {
  date: CalendarDate
  startsAt: Date
}

/** What a rule yields from `now` on, at the wall clock's hour there; an hour that summer time skips begins after the gap. */
export function occurrencesOf(
  calendar: Pick<Calendar, 'rule' | 'startsOn' | 'startMinute' | 'timeZone'>,
  now: Date,
  days = aheadDays,
): Occurrence[] {
  const { rule, startsOn, startMinute, timeZone } = calendar
  const today = localParts(now, timeZone).date
  return daysOf(rule, startsOn, today, addDays(today, days))
    .map((date) => ({ date, startsAt: instantAt(date, startMinute, timeZone) }))
    .filter(({ startsAt }) => startsAt > now)
}

const wantedSql = `
  select * from unnest($1::uuid[], $2::uuid[], $3::date[], $4::timestamptz[], $5::text[], $6::timestamptz[], $7::timestamptz[])
    as w(group_id, calendar_id, day, starts_at, place, day_from, day_until)`

const adoptSql = `
  with wanted as (${wantedSql}), found as (
    select distinct on (w.calendar_id, w.day) m.id, w.*
      from wanted w
      join meetings m on m.group_id = w.group_id and m.calendar_id is null and m.status = 'planned'
       and m.starts_at >= w.day_from and m.starts_at < w.day_until
     where not exists (select 1 from meetings t where t.calendar_id = w.calendar_id and t.occurrence_date = w.day)
     order by w.calendar_id, w.day, m.starts_at, m.id
  )
  update meetings m set calendar_id = f.calendar_id, occurrence_date = f.day,
         by_hand = m.by_hand or m.starts_at <> f.starts_at or m.place <> f.place
    from found f where m.id = f.id`

const writeSql = `
  with wanted as (${wantedSql})
  insert into meetings (group_id, calendar_id, occurrence_date, starts_at, place)
  select group_id, calendar_id, day, starts_at, place from wanted
  on conflict (calendar_id, occurrence_date) do nothing`

/** Meetings written, for calendars that the transaction holds, so that none ends meanwhile. Two statements, whatever their number. */
export async function writeAhead(tx: Queryable, calendars: readonly Calendar[], now: Date): Promise<number> {
  const rows = calendars.flatMap((calendar) =>
    occurrencesOf(calendar, now).map(({ date, startsAt }) => ({ ...calendar, date, startsAt })),
  )
  if (rows.length === 0) return 0
  const values = [
    rows.map((row) => row.groupId),
    rows.map((row) => row.id),
    rows.map((row) => row.date),
    rows.map((row) => row.startsAt),
    rows.map((row) => row.place),
    rows.map((row) => instantAt(row.date, 0, row.timeZone)),
    rows.map((row) => instantAt(addDays(row.date, 1), 0, row.timeZone)),
  ]
  await tx.query(adoptSql, values)
  return (await tx.query(writeSql, values)).rowCount ?? 0
}
