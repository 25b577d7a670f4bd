// In: a calendar that somebody writes. Out: the days that it would yield, in the words of a language, before anything is written.
// Holidays of the programme are kept and marked: many groups meet on them, and whoever reads the preview moves the others.
import type { CalendarDate } from '../calendar.ts'
import type { I18n } from '../i18n.ts'
import { occurrencesOf } from './ahead.ts'

export interface PreviewAsk {
  /** In the one spelling of rule.ts. */
  rule: string
  startsOn: CalendarDate
  startMinute: number
  timeZone: string
  holidays: readonly CalendarDate[]
  now: Date
  /** At most so many days. */
  limit: number
}

export interface PreviewedDay {
  date: CalendarDate
  startsAt: Date
  /** "mar 24 nov, 10:00". */
  words: string
  /** Nobody works on it. */
  holiday: boolean
}

/** Ten years: a rule of every other month yields sixty days in them. */
const lookedAheadDays = 10 * 366

export function previewCalendar(i18n: I18n, language: string, ask: PreviewAsk): PreviewedDay[] {
  return occurrencesOf(ask, ask.now, lookedAheadDays)
    .slice(0, ask.limit)
    .map(({ date, startsAt }) => ({
      date,
      startsAt,
      words: `${i18n.date(language, date)}, ${i18n.time(language, ask.startMinute)}`,
      holiday: ask.holidays.includes(date),
    }))
}
