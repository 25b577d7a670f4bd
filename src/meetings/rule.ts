// In: a rule of RFC 5545 as somebody wrote it. Out: the same rule in one spelling, or what is wrong with it; and the days that it yields.
// Days only: the hour is the wall clock's, there where the programme is. Must never run on for a rule that yields nothing.
import { RRuleTemporal } from 'rrule-temporal'
import { addDays, type CalendarDate, isPlausibleDay } from '../calendar.ts'
import type { MeetingFault } from './fault.ts'

const weekdays = ['MO', 'TU', 'WE', 'TH', 'FR', 'SA', 'SU'] as const
const frequencies = ['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY'] as const
type Frequency = (typeof frequencies)[number]

/** In the order in which a rule is written down. Hours and what only years know are no part of a meeting's rule. */
const partNames = [
  'FREQ',
  'INTERVAL',
  'COUNT',
  'UNTIL',
  'BYMONTH',
  'BYMONTHDAY',
  'BYDAY',
  'BYSETPOS',
  'WKST',
] as const
type PartName = (typeof partNames)[number]
type Parts = Partial<Record<PartName, string>>

const ruleCharactersMax = 200

const fault = (code: MeetingFault['code'], detail: string): MeetingFault => ({ field: 'rule', code, detail })

/** "+1TU, 3tu" and the like become "1TU,3TU"; what a part may not hold is undefined. */
const spelled: Readonly<Record<PartName, (value: string) => string | undefined>> = {
  FREQ: (value) => frequencies.find((one) => one === value),
  INTERVAL: (value) => whole(value, 1, 99),
  COUNT: (value) => whole(value, 1, 1_000),
  // The day counts, whatever hour stands behind it.
  UNTIL: (value) => {
    const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})(?:T\d{6}Z?)?$/.exec(value) ?? []
    return isPlausibleDay(`${year}-${month}-${day}`) ? `${year}${month}${day}` : undefined
  },
  BYMONTH: (value) => listed(value, (one) => whole(one, 1, 12)),
  BYMONTHDAY: (value) => listed(value, (one) => signed(one, 31)),
  BYDAY: (value) =>
    listed(value, (one) => {
      const [, place = '', weekday = ''] = /^([+-]?\d{0,2})([A-Z]{2})$/.exec(one) ?? []
      if (!weekdays.some((known) => known === weekday)) return undefined
      if (place === '') return weekday
      const ordinal = signed(place, 53)
      return ordinal === undefined ? undefined : `${ordinal}${weekday}`
    }),
  BYSETPOS: (value) => listed(value, (one) => signed(one, 366)),
  WKST: (value) => weekdays.find((one) => one === value),
}

function whole(text: string, from: number, to: number): string | undefined {
  const value = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN
  return value >= from && value <= to ? String(value) : undefined
}

/** From 1 or from -1 on. */
function signed(text: string, max: number): string | undefined {
  const value = /^[+-]?\d{1,3}$/.test(text) ? Number(text) : 0
  return value !== 0 && Math.abs(value) <= max ? String(value) : undefined
}

function listed(text: string, one: (part: string) => string | undefined): string | undefined {
  const parts = text.split(',').map((part) => one(part))
  return parts.some((part) => part === undefined) ? undefined : [...new Set(parts)].join(',')
}

/** The rule in one spelling, or every fault of it. `startsOn` is the first day that it may yield. */
export function readRule(
  written: string,
  startsOn: CalendarDate,
): { rule: string } | { faults: MeetingFault[] } {
  if (!isPlausibleDay(startsOn))
    return {
      faults: [{ field: 'startsOn', code: 'date.invalid', detail: 'must be a day such as 2026-11-24' }],
    }
  const { parts, faults } = readParts(written)
  if (faults.length === 0) faults.push(...combinationFaults(parts))
  if (faults.length > 0) return { faults }
  const rule = partNames
    .flatMap((name) =>
      parts[name] === undefined || (name === 'INTERVAL' && parts[name] === '1')
        ? []
        : [`${name}=${parts[name]}`],
    )
    .join(';')
  // A leap day comes once in four years, and at times once in eight.
  if (daysOf(rule, startsOn, startsOn, addDays(startsOn, 8 * 366)).length === 0)
    return { faults: [fault('rule.never', 'yields no day in the eight years from its first day on')] }
  return { rule }
}

function readParts(written: string): { parts: Parts; faults: MeetingFault[] } {
  const parts: Parts = {}
  const faults: MeetingFault[] = []
  const text = written
    .trim()
    .replace(/^RRULE:/i, '')
    .toUpperCase()
  if (text.length > ruleCharactersMax || !/^[A-Z0-9=;,+-]+$/.test(text))
    return { parts, faults: [fault('rule.malformed', 'must look like FREQ=MONTHLY;BYDAY=1TU,3TU')] }
  for (const part of text.split(';').filter((one) => one !== '')) {
    const [written, value = '', ...rest] = part.split('=')
    const name = partNames.find((known) => known === written)
    if (name === undefined)
      faults.push(fault('rule.part', `has a part that is none of ${partNames.join(', ')}`))
    else if (parts[name] !== undefined) faults.push(fault('rule.twice', `has ${name} twice`))
    else {
      parts[name] = value
      const good = rest.length > 0 ? undefined : spelled[name](value)
      if (good === undefined) faults.push(fault('rule.value', `has no such value for ${name}`))
      else parts[name] = good
    }
  }
  if (parts.FREQ === undefined) faults.push(fault('rule.freq', `needs FREQ: ${frequencies.join(', ')}`))
  return { parts, faults }
}

/** What RFC 5545, 3.3.10 does not allow together. */
function combinationFaults(parts: Parts): MeetingFault[] {
  const faults: MeetingFault[] = []
  const refuse = (detail: string) => faults.push(fault('rule.combination', detail))
  const frequency = parts.FREQ as Frequency
  const ordinals = (parts.BYDAY ?? '').split(',').flatMap((day) => day.match(/-?\d+/)?.[0] ?? [])
  if (parts.COUNT !== undefined && parts.UNTIL !== undefined) refuse('has both COUNT and UNTIL')
  if (ordinals.length > 0 && (frequency === 'DAILY' || frequency === 'WEEKLY'))
    refuse(`counts weekdays in BYDAY, which FREQ=${frequency} does not know`)
  if (frequency === 'MONTHLY' && ordinals.some((ordinal) => Math.abs(Number(ordinal)) > 5))
    refuse('names a sixth or later weekday of a month in BYDAY')
  if (frequency === 'WEEKLY' && parts.BYMONTHDAY !== undefined)
    refuse('has BYMONTHDAY, which FREQ=WEEKLY does not know')
  if (parts.BYSETPOS !== undefined && (parts.BYDAY ?? parts.BYMONTHDAY ?? parts.BYMONTH) === undefined)
    refuse('has BYSETPOS without BYDAY, BYMONTHDAY or BYMONTH')
  return faults
}

/** The days of a rule in one spelling, both ends included. The day it starts on counts only when the rule names it. */
export function daysOf(
  rule: string,
  startsOn: CalendarDate,
  from: CalendarDate,
  until: CalendarDate,
): CalendarDate[] {
  if (until < from || until < startsOn) return []
  // As midnights of UTC: a calendar without summer time, so that a day is a day.
  const start = `DTSTART:${startsOn.replaceAll('-', '')}T000000Z`
  const inUtc = rule.replace(/UNTIL=(\d{8})/, 'UNTIL=$1T000000Z')
  const series = new RRuleTemporal({ rruleString: `${start}\nRRULE:${inUtc}`, strict: true })
  const midnight = (day: CalendarDate) => new Date(`${day}T00:00:00Z`)
  return series.between(midnight(from), midnight(until), true).map((day) => day.toString().slice(0, 10))
}
