import { Decimal } from 'decimal.js'
import { describe, expect, test } from 'vitest'
import { allocate } from '../../../src/ledger/allocation.ts'

const d = (value: number | string) => new Decimal(value)
const instalment = (principal: number, interest = 0, insurance = 0, fee = 0) => ({
  principal: d(principal),
  interest: d(interest),
  insurance: d(insurance),
  fee: d(fee),
})

describe('allocate', () => {
  // Three instalments of 100 each; the balance is what is still to be paid.
  const cases: [what: string, balance: number, remaining: number[], overpaid: number, unscheduled: number][] =
    [
      ['nothing paid leaves every instalment whole', 300, [100, 100, 100], 0, 0],
      ['a partial payment lowers the first instalment', 260, [60, 100, 100], 0, 0],
      ['a payment of one instalment leaves the later ones', 200, [0, 100, 100], 0, 0],
      ['a payment across a border lowers the next one', 150, [0, 50, 100], 0, 0],
      ['an early payment of all but a little leaves the end', 1, [0, 0, 1], 0, 0],
      ['a paid loan leaves nothing', 0, [0, 0, 0], 0, 0],
      ['an over-payment is told apart', -40, [0, 0, 0], 40, 0],
      ['a later charge above the schedule is told apart', 330, [100, 100, 100], 0, 30],
    ]
  test.each(cases)('%s', (_what, balance, remaining, overpaid, unscheduled) => {
    const allocation = allocate(d(balance), [instalment(100), instalment(100), instalment(100)])
    expect(allocation.instalments.map((one) => one.remaining.toNumber())).toEqual(remaining)
    expect(allocation.overpaid.toNumber()).toBe(overpaid)
    expect(allocation.unscheduled.toNumber()).toBe(unscheduled)
  })

  const splits: [paid: number, fee: number, insurance: number, interest: number, principal: number][] = [
    [0, 5, 10, 15, 100],
    [3, 2, 10, 15, 100],
    [5, 0, 10, 15, 100],
    [12, 0, 3, 15, 100],
    [20, 0, 0, 10, 100],
    [31, 0, 0, 0, 99],
    [130, 0, 0, 0, 0],
  ]
  test.each(splits)(
    'a payment of %i covers fee, insurance, interest and principal in that order',
    (paid, fee, insurance, interest, principal) => {
      const { instalments } = allocate(d(130 - paid), [instalment(100, 15, 10, 5)])
      expect(instalments[0]?.unpaid).toEqual({
        fee: d(fee),
        insurance: d(insurance),
        interest: d(interest),
        principal: d(principal),
      })
    },
  )

  test('amounts of 16 digits and 4 decimals stay exact', () => {
    const large = '9999999999999999.9999'
    const { instalments, unscheduled } = allocate(
      d(large).times(3).plus('0.0001'),
      [instalment(0), instalment(0)].map((one) => ({ ...one, principal: d(large) })),
    )
    expect(instalments.map((one) => one.remaining.toFixed())).toEqual([large, large])
    expect(unscheduled.toFixed()).toBe('10000000000000000')
  })

  test('a schedule without instalments leaves the whole balance unscheduled', () => {
    expect(allocate(d(7), []).unscheduled.toNumber()).toBe(7)
  })
})
