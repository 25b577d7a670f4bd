// In: the balance of a loan account and its schedule. Out: what of each instalment is still to be paid.
// Pure. The same rule stands as SQL in position.ts; tests hold the two together.
import { Decimal } from 'decimal.js'
import type { Amount } from '../money.ts'

/** What an instalment asks for, or what of it is unpaid. */
export interface InstalmentParts {
  fee: Amount
  insurance: Amount
  interest: Amount
  principal: Amount
}

/** A payment covers the parts of an instalment in this order. */
const paymentOrder = ['fee', 'insurance', 'interest', 'principal'] as const

export type Unpaid<Instalment extends InstalmentParts> = Instalment & {
  amount: Amount
  remaining: Amount
  unpaid: InstalmentParts
}

export interface Allocation<Instalment extends InstalmentParts> {
  instalments: Unpaid<Instalment>[]
  /** Paid beyond the schedule, at least zero: the balance is below zero by this much. */
  overpaid: Amount
  /** Charged to the account beyond the schedule (a later fee), at least zero. */
  unscheduled: Amount
}

/**
 * Allocates from the end: remaining(i) = clamp(balance - amounts of later instalments, 0, amount(i)), which equals
 * laying payments on instalments in due order. `instalments` stand in due order (date, then number). A reversal needs
 * nothing of its own: it moves the balance back.
 */
export function allocate<Instalment extends InstalmentParts>(
  balance: Amount,
  instalments: readonly Instalment[],
): Allocation<Instalment> {
  const zero = new Decimal(0)
  let left = balance
  const allocated = instalments
    .toReversed()
    .map((instalment) => {
      const amount = sumOf(instalment)
      const remaining = Decimal.max(zero, Decimal.min(left, amount))
      left = left.minus(amount)
      return { ...instalment, amount, remaining, unpaid: splitUnpaid(instalment, amount.minus(remaining)) }
    })
    .reverse()
  return {
    instalments: allocated,
    overpaid: balance.isNegative() ? balance.negated() : zero,
    unscheduled: Decimal.max(zero, left),
  }
}

function sumOf(parts: InstalmentParts): Amount {
  return parts.fee.plus(parts.insurance).plus(parts.interest).plus(parts.principal)
}

function splitUnpaid(instalment: InstalmentParts, paid: Amount): InstalmentParts {
  let left = paid
  const unpaid: Partial<InstalmentParts> = {}
  for (const part of paymentOrder) {
    const covered = Decimal.min(left, instalment[part])
    unpaid[part] = instalment[part].minus(covered)
    left = left.minus(covered)
  }
  return unpaid as InstalmentParts
}
