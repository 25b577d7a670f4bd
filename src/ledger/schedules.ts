// In: the terms of a product. Out: its instalments, summing exactly: what does not divide falls into the last one.
// Pure. Any other schedule can be handed to createLoans directly; these are the programmes' usual ones.
import { Decimal } from 'decimal.js'
import { addDays, type CalendarDate } from '../calendar.ts'
import { RequestError } from '../errors.ts'
import { type Amount, currencyExponent } from '../money.ts'
import type { NewInstalment } from './loans.ts'

export type Step = { days: number } | { months: number }

/** `count` days from `first` on; a month step keeps the day of the month where the month has it, else its last day. */
export function dueDatesFrom(first: CalendarDate, step: Step, count: number): CalendarDate[] {
  return Array.from({ length: count }, (_, index) =>
    'days' in step ? addDays(first, step.days * index) : addMonths(first, step.months * index),
  )
}

function addMonths(date: CalendarDate, months: number): CalendarDate {
  const [year = 0, month = 0, day = 0] = date.split('-').map(Number)
  const monthIndex = year * 12 + (month - 1) + months
  const firstOfMonth = `${String(Math.floor(monthIndex / 12)).padStart(4, '0')}-${String((monthIndex % 12) + 1).padStart(2, '0')}-01`
  // The 1st plus 31 days lies in the next month, whose day tells this month's length.
  const overshoot = Number(addDays(firstOfMonth, 31).slice(8)) - 1
  return addDays(firstOfMonth, Math.min(day, 31 - overshoot) - 1)
}

/** Flat interest on the whole principal, for example 2.5 per cent; rounded half up to the currency's last decimal. */
export function flatInterest(principal: Amount, ratePercent: Amount, currency: string): Amount {
  return principal
    .times(ratePercent)
    .dividedBy(100)
    .toDecimalPlaces(currencyExponent(currency), Decimal.ROUND_HALF_UP)
}

interface Terms {
  currency: string
  principal: Amount
  dueDates: readonly CalendarDate[]
}

const zero = new Decimal(0)

/** Equal instalments; interest, and insurance where there is one, are spread like the principal. */
export function standardSchedule(
  terms: Terms & { interest: Amount; insurance?: Amount; fee?: Amount },
): NewInstalment[] {
  const count = terms.dueDates.length
  const spread = (amount: Amount) => spreadEqually(amount, count, terms.currency)
  return assemble(terms.dueDates, {
    principal: spread(terms.principal),
    interest: spread(terms.interest),
    insurance: spread(terms.insurance ?? zero),
    fee: spread(terms.fee ?? zero),
  })
}

/** "Coup de Pouce": a small help in one to three instalments, with interest or a small fee, never insurance. */
export function emergencySchedule(terms: Terms & { interest?: Amount; fee?: Amount }): NewInstalment[] {
  if (terms.dueDates.length > 3)
    throw new RequestError('loan.schedule_invalid', {
      field: 'dueDates',
      detail: 'an emergency loan has at most three instalments',
    })
  return standardSchedule({ ...terms, interest: terms.interest ?? zero })
}

/**
 * No interest; one up-front fee. The fee is charged to the loan account at the disbursement, like all that is to be
 * paid, and collected whole with the first instalment, so that she is handed the full principal.
 */
export function interestFreeSchedule(terms: Terms & { fee: Amount }): NewInstalment[] {
  const count = terms.dueDates.length
  return assemble(terms.dueDates, {
    principal: spreadEqually(terms.principal, count, terms.currency),
    interest: [],
    insurance: [],
    fee: [terms.fee],
  })
}

/**
 * For harvests: nothing is due before the first date (the grace), the last instalment carries `balloon` of the
 * principal and the others share the rest. Interest is spread over all dates, so small payments can keep the habit;
 * with a balloon equal to the principal the others are interest only.
 */
export function seasonalSchedule(
  terms: Terms & { interest: Amount; balloon: Amount; insurance?: Amount },
): NewInstalment[] {
  const count = terms.dueDates.length
  const early = terms.principal.minus(terms.balloon)
  if (early.isNegative() || (count === 1 && !early.isZero()))
    throw new RequestError('loan.schedule_invalid', {
      field: 'balloon',
      detail: 'does not fit the principal',
    })
  const spread = (amount: Amount) => spreadEqually(amount, count, terms.currency)
  return assemble(terms.dueDates, {
    principal: [...(count > 1 ? spreadEqually(early, count - 1, terms.currency) : []), terms.balloon],
    interest: spread(terms.interest),
    insurance: spread(terms.insurance ?? zero),
    fee: [],
  })
}

/** Shares that sum exactly to `amount`: rounded down to the currency's last decimal, the remainder in the last. */
export function spreadEqually(amount: Amount, count: number, currency: string): Amount[] {
  if (count < 1)
    throw new RequestError('loan.schedule_invalid', { field: 'dueDates', detail: 'there is no due date' })
  const share = amount.dividedBy(count).toDecimalPlaces(currencyExponent(currency), Decimal.ROUND_DOWN)
  const shares = Array.from({ length: count - 1 }, () => share)
  return [...shares, amount.minus(share.times(count - 1))]
}

/** Columns of amounts by part; a part that has no amount for a date asks for nothing there. */
function assemble(
  dueDates: readonly CalendarDate[],
  columns: Record<'principal' | 'interest' | 'insurance' | 'fee', readonly Amount[]>,
): NewInstalment[] {
  return dueDates.map((dueDate, index) => ({
    dueDate,
    principal: columns.principal[index] ?? zero,
    interest: columns.interest[index] ?? zero,
    insurance: columns.insurance[index] ?? zero,
    fee: columns.fee[index] ?? zero,
  }))
}
