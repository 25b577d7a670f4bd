// In: what was typed for a day, an hour or words. Out: the day, the hour or the words, or undefined. Pure.
import { addDays, type CalendarDate, solarHijri } from '../calendar.ts'
import { isPin } from '../members/pin.ts'

/** Digits of other scripts as our own. */
function latinDigits(typed: string): string {
  return typed.replace(/[٠-٩۰-۹]/g, (digit) => String((digit.codePointAt(0) ?? 0) & 0xf))
}

/** Four digits, also when parted: "2711", "27/11", "7 11" and "10h30". */
function twoNumbers(typed: string): [number, number] | undefined {
  const text = latinDigits(typed).trim()
  const parts = /^(\d{2})(\d{2})$/.exec(text) ?? /^(\d{1,2})\D{1,2}(\d{1,2})$/.exec(text)
  return parts === null ? undefined : [Number(parts[1]), Number(parts[2])]
}

const daysAhead = 366

/** The next day that is that day of that month, today included; undefined for a day that no year has. */
export function dayTyped(
  typed: string,
  today: CalendarDate,
  calendar: 'gregorian' | 'persian',
): CalendarDate | undefined {
  const numbers = twoNumbers(typed)
  if (numbers === undefined) return undefined
  const [day, month] = numbers
  for (let ahead = 0; ahead < daysAhead; ahead += 1) {
    const date = addDays(today, ahead)
    const there =
      calendar === 'persian'
        ? solarHijri(date)
        : { day: Number(date.slice(8, 10)), month: Number(date.slice(5, 7)) }
    if (there.day === day && there.month === month) return date
  }
  return undefined
}

/** "HH:MM". */
export function timeTyped(typed: string): string | undefined {
  const numbers = twoNumbers(typed)
  if (numbers === undefined) return undefined
  const [hour, minute] = numbers
  if (hour > 23 || minute > 59) return undefined
  return `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`
}

/** One line of words; undefined when there are none, or more than `charactersMax`, or when it could be a PIN that was typed a screen early. */
export function wordsTyped(typed: string, charactersMax: number): string | undefined {
  const line = typed.replace(/[\p{Cc}\p{Cs}\s]+/gu, ' ').trim()
  return line === '' || [...line].length > charactersMax || isPin(line) ? undefined : line
}
