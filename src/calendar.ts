// In: instants and a time zone. Out: calendar days and minutes of the day there. Never reads the time itself.

/** A calendar day, "2026-11-22". */
export type CalendarDate = string

interface LocalParts {
  readonly date: CalendarDate
  /** 0 is Sunday. */
  readonly weekday: number
  readonly minuteOfDay: number
}

const formatters = new Map<string, Intl.DateTimeFormat>()

function formatterFor(timeZone: string): Intl.DateTimeFormat {
  let formatter = formatters.get(timeZone)
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-US-u-ca-gregory-nu-latn', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
    })
    formatters.set(timeZone, formatter)
  }
  return formatter
}

/** The minute that was asked for last in each zone: screens ask for the present one. */
const lastAsked = new Map<string, { minute: number; parts: LocalParts }>()

/**
 * Day, weekday and minute of the day of an instant in a time zone, for instants since 1972: no zone has been off by seconds since.
 * Throws a RangeError for an unknown zone.
 */
export function localParts(at: Date, timeZone: string): LocalParts {
  const minute = Math.floor(at.getTime() / 60_000)
  const last = lastAsked.get(timeZone)
  if (last !== undefined && last.minute === minute) return last.parts
  const parts = partsIn(timeZone, at)
  lastAsked.set(timeZone, { minute, parts })
  return parts
}

function partsIn(timeZone: string, at: Date): LocalParts {
  // "11/22/2026, 10:05": taking it apart is far cheaper than formatToParts.
  const text = formatterFor(timeZone).format(at)
  const comma = text.indexOf(',')
  const date = `${text.slice(6, comma).padStart(4, '0')}-${text.slice(0, 2)}-${text.slice(3, 5)}`
  const minuteOfDay = Number(text.slice(comma + 2, comma + 4)) * 60 + Number(text.slice(comma + 5, comma + 7))
  return { date, weekday: weekdayOf(date), minuteOfDay }
}

/** 0 is Sunday. */
export function weekdayOf(date: CalendarDate): number {
  return new Date(`${date}T00:00:00Z`).getUTCDay()
}

export function addDays(date: CalendarDate, days: number): CalendarDate {
  const at = new Date(`${date}T00:00:00Z`)
  at.setUTCDate(at.getUTCDate() + days)
  return at.toISOString().slice(0, 10)
}

const solarHijriFormat = new Intl.DateTimeFormat('en-US-u-ca-persian-nu-latn', {
  timeZone: 'UTC',
  month: 'numeric',
  day: 'numeric',
})

/** Day and month (1 to 12) of a Gregorian day in the solar Hijri year of Afghanistan and Iran. */
export function solarHijri(date: CalendarDate): { day: number; month: number } {
  const [month, day] = solarHijriFormat
    .format(new Date(`${date}T00:00:00Z`))
    .split('/')
    .map(Number)
  return { day: day ?? 0, month: month ?? 0 }
}

/** That many Mondays to Fridays later that are no holiday. */
export function addWorkingDays(
  date: CalendarDate,
  days: number,
  holidays: readonly CalendarDate[] = [],
): CalendarDate {
  let day = date
  for (let left = days; left > 0; ) {
    day = addDays(day, 1)
    if (weekdayOf(day) % 6 !== 0 && !holidays.includes(day)) left -= 1
  }
  return day
}

/** The instant at which that minute of that day begins in a zone; in a gap of summer time, the instant after the gap. */
export function instantAt(date: CalendarDate, minuteOfDay: number, timeZone: string): Date {
  const asUtc = Date.parse(`${date}T00:00:00Z`) + minuteOfDay * 60_000
  let guess = asUtc
  for (let round = 0; round < 2; round += 1) {
    const seen = localParts(new Date(guess), timeZone)
    const seenUtc = Date.parse(`${seen.date}T00:00:00Z`) + seen.minuteOfDay * 60_000
    guess += asUtc - seenUtc
  }
  return new Date(guess)
}

/** True for "2024-02-29", false for "2023-02-29" and for anything that is not a day. */
export function isCalendarDate(text: string): boolean {
  // JavaScript knows a year 0, PostgreSQL does not.
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text) || text.startsWith('0000')) return false
  const at = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(at.getTime()) && at.toISOString().slice(0, 10) === text
}

/** A day of the years 1900 to 2199; others are slips of the keyboard, and dates beyond them break what reads them. */
export function isPlausibleDay(text: string): boolean {
  return isCalendarDate(text) && text >= '1900' && text < '2200'
}

/** True for a name of the IANA database that this Node knows. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name })
    return true
  } catch {
    return false
  }
}
