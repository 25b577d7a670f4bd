import { Decimal } from 'decimal.js'
import { describe, expect, test } from 'vitest'
import {
  checkSchedule,
  instalmentTotal,
  type NewInstalment,
  type NewLoan,
} from '../../../src/ledger/loans.ts'
import {
  dueDatesFrom,
  emergencySchedule,
  flatInterest,
  interestFreeSchedule,
  seasonalSchedule,
  spreadEqually,
  standardSchedule,
} from '../../../src/ledger/schedules.ts'

const d = (value: number | string) => new Decimal(value)
const sum = (schedule: NewInstalment[], part: 'principal' | 'interest' | 'fee' | 'insurance') =>
  schedule.reduce((total, one) => total.plus(one[part]), d(0)).toFixed()
const loanOf = (product: NewLoan['product'], principal: Decimal, instalments: NewInstalment[]): NewLoan => ({
  number: 'L1',
  memberId: 'm',
  product,
  cycle: 1,
  principal,
  instalments,
})

describe('due dates', () => {
  test('a month step keeps the day and falls back to the last day of a short month', () => {
    expect(dueDatesFrom('2026-11-30', { months: 1 }, 5)).toEqual([
      '2026-11-30',
      '2026-12-30',
      '2027-01-30',
      '2027-02-28',
      '2027-03-30',
    ])
    expect(dueDatesFrom('2028-01-31', { months: 1 }, 2)).toEqual(['2028-01-31', '2028-02-29'])
  })

  test('a step of 14 days crosses months and years', () => {
    expect(dueDatesFrom('2026-12-20', { days: 14 }, 3)).toEqual(['2026-12-20', '2027-01-03', '2027-01-17'])
  })
})

describe('products', () => {
  test('what does not divide falls into the last share, in the decimals of the currency', () => {
    expect(spreadEqually(d(100_000), 7, 'XOF').map(String)).toEqual([...Array(6).fill('14285'), '14290'])
    expect(spreadEqually(d('100'), 3, 'EUR').map(String)).toEqual(['33.33', '33.33', '33.34'])
    expect(spreadEqually(d('1'), 3, 'TND').map(String)).toEqual(['0.333', '0.333', '0.334'])
  })

  test('flat interest is rounded half up to the currency', () => {
    expect(flatInterest(d(12_345), d('2.5'), 'XOF').toFixed()).toBe('309')
    expect(flatInterest(d('127'), d('2.5'), 'EUR').toFixed()).toBe('3.18')
  })

  test('a standard loan sums exactly for every number of instalments', () => {
    for (let count = 1; count <= 36; count += 1) {
      const schedule = standardSchedule({
        currency: 'XOF',
        principal: d(100_000),
        interest: d(7_777),
        insurance: d(1_001),
        dueDates: dueDatesFrom('2026-12-01', { months: 1 }, count),
      })
      expect(schedule).toHaveLength(count)
      expect(sum(schedule, 'principal')).toBe('100000')
      expect(sum(schedule, 'interest')).toBe('7777')
      expect(sum(schedule, 'insurance')).toBe('1001')
      checkSchedule(loanOf('standard', d(100_000), schedule), 'XOF')
    }
  })

  test('an emergency loan has one to three instalments', () => {
    const terms = (count: number) => ({
      currency: 'XOF',
      principal: d(15_000),
      fee: d(300),
      dueDates: dueDatesFrom('2026-12-01', { days: 14 }, count),
    })
    expect(emergencySchedule(terms(3)).map((one) => instalmentTotal(one).toFixed())).toEqual([
      '5100',
      '5100',
      '5100',
    ])
    expect(() => emergencySchedule(terms(4))).toThrow(
      expect.objectContaining({ code: 'loan.schedule_invalid', field: 'dueDates' }),
    )
    expect(() => emergencySchedule(terms(0))).toThrow(
      expect.objectContaining({ code: 'loan.schedule_invalid' }),
    )
  })

  test('an interest-free loan takes its fee with the first instalment', () => {
    const schedule = interestFreeSchedule({
      currency: 'EUR',
      principal: d(127),
      fee: d('6.35'),
      dueDates: dueDatesFrom('2026-12-01', { months: 1 }, 3),
    })
    expect(schedule.map((one) => one.fee.toFixed())).toEqual(['6.35', '0', '0'])
    expect(schedule.map((one) => one.principal.toFixed())).toEqual(['42.33', '42.33', '42.34'])
    checkSchedule(loanOf('interest_free', d(127), schedule), 'EUR')
  })

  test('a seasonal loan pays interest through the season and a balloon after the harvest', () => {
    const terms = {
      currency: 'XOF',
      principal: d(200_000),
      interest: d(20_001),
      dueDates: ['2026-08-01', '2026-10-01', '2027-01-15'],
    }
    const balloon = seasonalSchedule({ ...terms, balloon: d(200_000) })
    expect(balloon.map((one) => instalmentTotal(one).toFixed())).toEqual(['6667', '6667', '206667'])
    const partly = seasonalSchedule({ ...terms, balloon: d(150_001) })
    expect(partly.map((one) => one.principal.toFixed())).toEqual(['24999', '25000', '150001'])
    expect(() => seasonalSchedule({ ...terms, balloon: d(200_001) })).toThrow(
      expect.objectContaining({ field: 'balloon' }),
    )
  })
})

describe('checkSchedule', () => {
  const zero = d(0)
  const good: NewInstalment = {
    dueDate: '2026-12-01',
    principal: d(100),
    interest: zero,
    fee: zero,
    insurance: zero,
  }
  const cases: [what: string, product: NewLoan['product'], instalments: NewInstalment[], field: string][] = [
    ['no instalment', 'standard', [], 'instalments'],
    ['a day that is none', 'standard', [{ ...good, dueDate: '2026-02-30' }], 'instalments[0].dueDate'],
    [
      'days that fall back',
      'standard',
      [
        { ...good, principal: d(50) },
        { ...good, principal: d(50), dueDate: '2026-11-30' },
      ],
      'instalments[1].dueDate',
    ],
    ['a negative part', 'standard', [{ ...good, interest: d(-1) }], 'instalments[0].interest'],
    ['finer than the currency', 'standard', [{ ...good, fee: d('0.5') }], 'instalments[0].fee'],
    ['an empty instalment', 'standard', [good, { ...good, principal: zero }], 'instalments[1]'],
    ['a sum that is not the principal', 'standard', [good, good], 'instalments'],
    [
      'interest on an interest-free loan',
      'interest_free',
      [{ ...good, interest: d(1) }],
      'instalments[0].interest',
    ],
    ['four emergency instalments', 'emergency', Array(4).fill({ ...good, principal: d(25) }), 'instalments'],
  ]
  test.each(cases)('refuses %s and names the field', (_what, product, instalments, field) => {
    expect(() => checkSchedule(loanOf(product, d(100), instalments), 'XOF')).toThrow(
      expect.objectContaining({ code: 'loan.schedule_invalid', field }),
    )
  })

  test('accepts two instalments on one day and any amounts', () => {
    const instalments = [
      { ...good, principal: d(1) },
      { ...good, principal: d(99), interest: d(5_000) },
    ]
    expect(() => checkSchedule(loanOf('standard', d(100), instalments), 'XOF')).not.toThrow()
  })
})
