// The words of commands that look at the days of one programme.
import { addDays, type CalendarDate, instantAt, isPlausibleDay } from '../calendar.ts'
import { UsageError } from './command.ts'

export interface PeriodOptions {
  programme?: unknown
  from?: unknown
  until?: unknown
}

/** The programme's code and both days, which are included; UsageError names what is missing. */
export function readPeriod(options: PeriodOptions) {
  if (typeof options.programme !== 'string') throw new UsageError('Name the programme: --programme CODE.')
  const from = dayOf('--from', options.from)
  const until = dayOf('--until', options.until)
  if (until < from) throw new UsageError('--until is a day before --from.')
  return { code: options.programme, from, until }
}

function dayOf(name: string, value: unknown): CalendarDate {
  if (typeof value === 'string' && isPlausibleDay(value)) return value
  throw new UsageError(`${name} takes a day such as 2026-11-01.`)
}

/** From the first instant of the first day up to, not including, that after the last, there where the programme is. */
export function instantsOf(period: { from: CalendarDate; until: CalendarDate }, timeZone: string) {
  return {
    from: instantAt(period.from, 0, timeZone),
    until: instantAt(addDays(period.until, 1), 0, timeZone),
  }
}
