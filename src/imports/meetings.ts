// In: rows of meetings: one hour of a group, or with a rule the calendar that begins there. Out: meetings, through the calendars' own code.
// Must never write a meeting again that somebody moved or cancelled since, nor put a meeting into another programme.
import type pg from 'pg'
import { z } from 'zod'
import { type CalendarDate, instantAt, isPlausibleDay } from '../calendar.ts'
import { setCalendar } from '../meetings/calendars.ts'
import { placeCharactersMax } from '../meetings/gatherings.ts'
import { readRule } from '../meetings/rule.ts'
import type { AddFault } from './faults.ts'
import { type ImportProgramme, optionalText, text } from './fields.ts'
import type { ImportKind, Numbered, Written } from './kind.ts'

/** "2026-12-01 10:00", as the clocks there show. */
const moment = z.string().transform((written, context): { date: CalendarDate; minute: number } => {
  const [, date = '', hour, minute] = /^(\d{4}-\d{2}-\d{2})[ T]([01]\d|2[0-3]):([0-5]\d)$/.exec(written) ?? []
  if (isPlausibleDay(date)) return { date, minute: Number(hour) * 60 + Number(minute) }
  context.addIssue({ code: 'custom', message: written === '' ? 'field.missing' : 'moment.invalid' })
  return z.NEVER
})

const rowSchema = z.object({
  group: text(60),
  starts_at: moment,
  rule: optionalText(200),
  place: optionalText(placeCharactersMax),
})
type MeetingRow = z.infer<typeof rowSchema>

export interface MeetingsOptions {
  programme: ImportProgramme
  now: Date
  /** Who hands the file in, for the audit log. */
  by: string
  /** Nobody is told of what a new calendar changes. */
  silent: boolean
}

export function meetingsKind(options: MeetingsOptions): ImportKind<MeetingRow, MeetingRow> {
  const seen = new Set<string>()
  return {
    columns: { required: ['group', 'starts_at'], optional: ['rule', 'place'] },
    row: rowSchema,
    groupBy: undefined,
    build: ([row], addFault) => {
      if (row === undefined) return undefined
      const { group, starts_at: at, rule } = row.value
      const key = rule === undefined ? `${group} ${at.date} ${at.minute}` : `${group} rule`
      if (seen.has(key)) {
        addFault(
          row.line,
          rule === undefined ? 'starts_at' : 'rule',
          rule === undefined ? 'meeting.doubled' : 'calendar.doubled',
        )
        return undefined
      }
      seen.add(key)
      return ruleIsSound(row, addFault) ? row.value : undefined
    },
    write: (tx, rows, addFault) => writeMeetings(tx, options, rows, addFault),
  }
}

function ruleIsSound({ line, value }: Numbered<MeetingRow>, addFault: AddFault): boolean {
  if (value.rule === undefined) return true
  const read = readRule(value.rule, value.starts_at.date)
  if (!('faults' in read)) return true
  for (const { detail } of read.faults) addFault(line, 'rule', 'rule.invalid', `It ${detail}.`)
  return false
}

async function writeMeetings(
  tx: pg.PoolClient,
  options: MeetingsOptions,
  rows: readonly Numbered<MeetingRow>[],
  addFault: AddFault,
): Promise<Written> {
  const { rows: groups } = await tx.query<{ code: string; id: string }>(
    'select code, id from groups where programme_id = $1 and code = any($2)',
    [options.programme.id, rows.map(({ value }) => value.group)],
  )
  const groupIds = new Map(groups.map(({ code, id }) => [code, id]))
  const known = rows.flatMap(({ line, value }) => {
    const groupId = groupIds.get(value.group)
    if (groupId === undefined) addFault(line, 'group', 'group.unknown')
    return groupId === undefined ? [] : [{ line, value, groupId }]
  })
  const singles = await writeSingles(
    tx,
    options,
    known.filter(({ value }) => value.rule === undefined),
  )
  const total = { ...singles }
  for (const { line, value, groupId } of known) {
    if (value.rule === undefined) continue
    const { date: startsOn, minute: startMinute } = value.starts_at
    const { programme: _programme, ...same } = options
    const asked = { ...same, groupId, rule: value.rule, startsOn, startMinute }
    const set = await setCalendar(tx, { ...asked, place: value.place })
    if ('faults' in set) for (const { detail } of set.faults) addFault(line, 'place', 'field.invalid', detail)
    else if (set.outcome === 'set') total.written += 1
    else total.alreadyThere += 1
  }
  return total
}

// A meeting that was moved or cancelled since it was imported is known by what it was.
const writeSql = `
  insert into meetings (group_id, starts_at, place)
  select w.group_id, w.starts_at, coalesce(w.place, g.place)
    from unnest($1::uuid[], $2::timestamptz[], $3::text[]) as w(group_id, starts_at, place)
    join groups g on g.id = w.group_id
   where not exists (select 1 from meetings m where m.group_id = w.group_id and m.starts_at = w.starts_at)
     and not exists (
       select 1 from former_rows f
        where f.relation = 'meetings' and f.was->>'group_id' = w.group_id::text
          and (f.was->>'starts_at')::timestamptz = w.starts_at)`

async function writeSingles(
  tx: pg.PoolClient,
  { programme }: MeetingsOptions,
  rows: readonly (Numbered<MeetingRow> & { groupId: string })[],
): Promise<Written> {
  const { rowCount } = await tx.query(writeSql, [
    rows.map(({ groupId }) => groupId),
    rows.map(({ value: { starts_at: at } }) => instantAt(at.date, at.minute, programme.timeZone)),
    rows.map(({ value }) => value.place ?? null),
  ])
  const written = rowCount ?? 0
  return { written, alreadyThere: rows.length - written }
}
