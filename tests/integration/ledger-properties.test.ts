// Random postings, payments and reversals in random order; after each, what a member is shown must equal a plain
// recomputation from the list of what was done, which lays payments on instalments one by one in due order.
import { Decimal } from 'decimal.js'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addDays, type CalendarDate } from '../../src/calendar.ts'
import { savingsAccountCode } from '../../src/ledger/accounts.ts'
import { allocate } from '../../src/ledger/allocation.ts'
import { type NewEntry, postEntries, reverseEntry } from '../../src/ledger/entries.ts'
import {
  createLoans,
  disbursementOf,
  type NewInstalment,
  type NewLoan,
  repaymentOf,
} from '../../src/ledger/loans.ts'
import { readBalances, readMovements, readPosition, readSchedule } from '../../src/ledger/position.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  createMember,
  createProgramme,
  type TestMember,
  type TestProgramme,
  testNow,
  testToday,
} from '../support/fixtures.ts'

let database: TestDatabase
let programme: TestProgramme

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db, { currency: 'EUR' })
})
afterAll(() => database.drop())

type Step =
  | { do: 'repay' | 'charge'; loan: number; cents: number; daysAgo: number }
  | { do: 'save'; cents: number; daysAgo: number }
  | { do: 'reverse'; pick: number }
  | { do: 'repeat'; pick: number }

const cents = fc.integer({ min: 1, max: 40_000 })
const daysAgo = fc.integer({ min: 0, max: 60 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('repay' as const), loan: fc.nat(1), cents, daysAgo }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('charge' as const), loan: fc.nat(1), cents, daysAgo }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('save' as const),
      cents: cents.chain((amount) => fc.constantFrom(amount, -amount)),
      daysAgo,
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('reverse' as const), pick: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('repeat' as const), pick: fc.nat(50) }) },
)
const part = fc.integer({ min: 0, max: 5_000 })
interface PlannedInstalment {
  days: number
  principal: number
  interest: number
  fee: number
  insurance: number
}
const instalment: fc.Arbitrary<PlannedInstalment> = fc.record({
  days: fc.integer({ min: -40, max: 40 }),
  principal: fc.integer({ min: 1, max: 20_000 }),
  interest: part,
  fee: part,
  insurance: part,
})
const schedule = fc.array(instalment, { minLength: 1, maxLength: 6 })

const money = (amountCents: number) => new Decimal(amountCents).dividedBy(100)

interface Posted {
  entry: NewEntry
  step: Exclude<Step, { do: 'reverse' | 'repeat' }>
  reversed: boolean
}

let count = 0

/** Instalments due first stand first; on one day the order of the list holds. */
function loanOf(member: TestMember, plan: readonly PlannedInstalment[]): NewLoan {
  count += 1
  const instalments = plan
    .toSorted((a, b) => a.days - b.days)
    .map(
      (one): NewInstalment => ({
        dueDate: addDays(testToday, one.days),
        principal: money(one.principal),
        interest: money(one.interest),
        fee: money(one.fee),
        insurance: money(one.insurance),
      }),
    )
  const principal = instalments.reduce((sum, one) => sum.plus(one.principal), new Decimal(0))
  return {
    number: `P${count}`,
    memberId: member.id,
    product: 'standard',
    cycle: count,
    principal,
    instalments,
  }
}

function entryOf(loans: NewLoan[], member: TestMember, work: Posted['step']): NewEntry {
  count += 1
  const bookedDate = addDays(testToday, -work.daysAgo)
  const reference = `step/${count}`
  const amount = money(work.cents)
  if (work.do === 'save')
    return {
      reference,
      kind: work.cents > 0 ? 'savings_deposit' : 'savings_withdrawal',
      bookedDate,
      postings: [
        { account: savingsAccountCode(member.number), amount: amount.negated() },
        { account: 'cash', amount },
      ],
    }
  const number = loans[work.loan]?.number ?? ''
  if (work.do === 'repay') return repaymentOf(number, amount, bookedDate, reference)
  return {
    reference,
    kind: 'fee',
    bookedDate,
    postings: [
      { account: `loan/${number}`, amount },
      { account: 'fees', amount: amount.negated() },
    ],
  }
}

/** The plain recomputation: later charges first, then each instalment in due order, as long as the money lasts. */
function pour(loan: NewLoan, index: number, posted: Posted[]) {
  const standing = posted.filter((one) => !one.reversed)
  let paid = 0
  let charged = 0
  for (const { step: work } of standing) {
    if (work.do === 'repay' && work.loan === index) paid += work.cents
    if (work.do === 'charge' && work.loan === index) charged += work.cents
  }
  let left = paid - Math.min(paid, charged)
  let total = charged
  const instalments = loan.instalments.map((one) => {
    const asked = Number(one.principal.plus(one.interest).plus(one.fee).plus(one.insurance).times(100))
    const covered = Math.min(asked, left)
    left -= covered
    total += asked
    return { dueDate: one.dueDate, asked, remaining: asked - covered }
  })
  return { outstanding: total - paid, instalments }
}

function expectedLoans(loans: NewLoan[], posted: Posted[], today: CalendarDate) {
  return loans
    .map((loan, index) => ({ loan, ...pour(loan, index, posted) }))
    .filter(({ outstanding }) => outstanding > 0)
    .map(({ loan, outstanding, instalments }) => {
      const next = instalments.find((one) => one.remaining > 0 && one.dueDate >= today)
      const overdue = instalments
        .filter((one) => one.dueDate < today)
        .reduce((sum, one) => sum + one.remaining, 0)
      return {
        number: loan.number,
        outstanding: money(outstanding).toFixed(),
        overdue: money(overdue).toFixed(),
        next: next === undefined ? undefined : [next.dueDate, money(next.remaining).toFixed()],
        schedule: instalments.map((one) => [
          one.dueDate,
          money(one.asked).toFixed(),
          money(one.remaining).toFixed(),
        ]),
      }
    })
}

async function shownLoans(member: TestMember) {
  const { reads } = database.db
  const [position, balances, rows] = await Promise.all([
    readPosition(reads, member.id, testNow, testToday),
    readBalances(reads, member.id, testToday),
    readSchedule(reads, member.id),
  ])
  const { currency, loans: owed, savings } = position
  expect(balances).toEqual({ currency, loans: owed, savings })
  const loans = owed.map((loan) => ({
    number: loan.number,
    outstanding: loan.outstanding.toFixed(),
    overdue: loan.overdue.toFixed(),
    next: loan.next === undefined ? undefined : [loan.next.dueDate, loan.next.remaining.toFixed()],
    schedule: rows
      .filter((row) => row.loanNumber === loan.number)
      .map((row) => [row.dueDate, row.amount.toFixed(), row.remaining.toFixed()]),
  }))
  return { loans, savings: savings?.toFixed() }
}

async function take(work: Step, loans: NewLoan[], member: TestMember, posted: Posted[]): Promise<void> {
  const { db } = database
  if (work.do !== 'reverse' && work.do !== 'repeat') {
    const entry = entryOf(loans, member, work)
    await db.transaction((tx) => postEntries(tx, programme.id, 'test', [entry]))
    posted.push({ entry, step: work, reversed: false })
    return
  }
  const target = posted[work.pick % Math.max(1, posted.length)]
  if (target === undefined) return
  if (work.do === 'repeat') {
    const again = await db.transaction((tx) => postEntries(tx, programme.id, 'test', [target.entry]))
    expect(again[0]?.outcome).toBe('already_posted')
    return
  }
  count += 1
  const reversal = { reference: `reversal/${count}`, reverses: target.entry.reference, bookedDate: testToday }
  const reversing = db.transaction((tx) => reverseEntry(tx, programme.id, 'test', reversal))
  if (target.reversed) await expect(reversing).rejects.toMatchObject({ code: 'entry.already_reversed' })
  else await reversing
  target.reversed = true
}

test('after any postings, payments and reversals the position equals a plain recomputation', async () => {
  const { db } = database
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(schedule, schedule),
      fc.array(step, { minLength: 1, maxLength: 14 }),
      async (plans, steps) => {
        const member = await createMember(db, programme)
        const loans = plans.map((plan) => loanOf(member, plan))
        await db.transaction(async (tx) => {
          await createLoans(tx, programme.id, 'EUR', loans)
          const handedOut = loans.map((loan) => disbursementOf(loan, addDays(testToday, -70)))
          await postEntries(tx, programme.id, 'test', handedOut)
        })
        const posted: Posted[] = []
        for (const work of steps) {
          await take(work, loans, member, posted)
          const saved = posted.reduce(
            (sum, one) => sum + (one.step.do === 'save' && !one.reversed ? one.step.cents : 0),
            0,
          )
          const expected = {
            loans: expectedLoans(loans, posted, testToday),
            savings: money(saved).toFixed(),
          }
          expect(await shownLoans(member)).toEqual(expected)
        }
        const movements = await readMovements(db.reads, member.id, 100)
        const reversed = movements.filter((movement) => movement.reversed)
        expect(movements).toHaveLength(posted.length + loans.length)
        expect(reversed).toHaveLength(posted.filter((one) => one.reversed).length)
      },
    ),
    { numRuns: 200, interruptAfterTimeLimit: 10_000 },
  )
  const sums = await db.pool.query('select sum(amount) as total from postings')
  expect(Number(sums.rows[0]?.total)).toBe(0)
}, 60_000)

test('the pure allocation equals laying payments one by one in due order', () => {
  fc.assert(
    fc.property(schedule, fc.array(cents, { maxLength: 12 }), (plan, payments) => {
      const loan = loanOf({ id: '', number: '', msisdn: '', phoneId: '' }, plan)
      const posted = payments.map(
        (amount): Posted => ({
          entry: repaymentOf(loan.number, money(amount), testToday, ''),
          step: { do: 'repay', loan: 0, cents: amount, daysAgo: 0 },
          reversed: false,
        }),
      )
      const expected = pour(loan, 0, posted)
      const allocation = allocate(money(expected.outstanding), loan.instalments)
      expect(allocation.instalments.map((one) => one.remaining.times(100).toNumber())).toEqual(
        expected.instalments.map((one) => one.remaining),
      )
      for (const one of allocation.instalments) {
        const { fee, insurance, interest, principal } = one.unpaid
        expect(fee.plus(insurance).plus(interest).plus(principal).equals(one.remaining)).toBe(true)
      }
    }),
  )
})
