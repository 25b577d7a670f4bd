// In: a member's situation and her group's meeting days. Out: her loans, payments and savings up to today.
// Pure: the same draws give the same money. Amounts, rhythms and rates follow what social programmes in Casamance publish.
import { Decimal } from 'decimal.js'
import { addDays, type CalendarDate } from '../calendar.ts'
import { chart, savingsAccountCode } from '../ledger/accounts.ts'
import type { NewEntry } from '../ledger/entries.ts'
import { instalmentTotal, type NewInstalment, type NewLoan, repaymentOf } from '../ledger/loans.ts'
import {
  emergencySchedule,
  flatInterest,
  interestFreeSchedule,
  seasonalSchedule,
  standardSchedule,
} from '../ledger/schedules.ts'
import type { Amount } from '../money.ts'
import type { Random } from './random.ts'

export const seedCurrency = 'XOF'

export interface MeetingDays {
  today: CalendarDate
  /** After today. */
  next: CalendarDate
  stepDays: 14 | 28
}

export interface SeedLoan {
  loan: Omit<NewLoan, 'memberId'>
  disbursedDate: CalendarDate
}

export interface SeedMoney {
  loans: SeedLoan[]
  /** Payments and savings; disbursements follow from the loans. */
  entries: NewEntry[]
  reversals: { reference: string; reverses: string; bookedDate: CalendarDate }[]
}

export type MoneySituation =
  | 'newcomer'
  | 'dormant'
  | 'due_in_three_days'
  | 'first_time'
  | 'suspended'
  | 'overpaid'
  | 'corrected'
  | 'usual'

/** Of the principal, in a period of 28 days. */
const interestPercent = new Decimal(1)
const insuranceEach = new Decimal(100)
const upFrontFeePercent = 3
/** Instalments paid on the day they fall due. */
const onTimeShare = 0.97
/** Of those who borrow, how many have stopped paying. */
const arrearsShare = 0.01
const thousand = (count: number): Amount => new Decimal(count).times(1_000)
/** First loan to seventh, in thousands. */
const usualThousands = [90, 120, 150, 200, 250, 350, 450] as const

export function planMoney(
  random: Random,
  memberNumber: string,
  days: MeetingDays,
  situation: MoneySituation,
): SeedMoney {
  const money: SeedMoney = { loans: [], entries: [], reversals: [] }
  planSavings(random, memberNumber, days, situation, money)
  if (situation === 'newcomer' || situation === 'first_time') return money
  const cycle = situation === 'due_in_three_days' ? 3 : random.between(1, 7)
  const number = (suffix: string | number) => `${memberNumber}-${suffix}`
  const finished = (): SeedLoan => {
    const last = situation === 'dormant' ? -between28(random, 8, 14) : -between28(random, 1, 3)
    return standardLoan(random, number(1), 1, everyStep(addDays(days.next, last), 28, 5, -4))
  }
  if (situation === 'dormant' || situation === 'overpaid') {
    const loan = finished()
    payAll(loan, money, situation === 'overpaid' ? new Decimal(500) : new Decimal(0))
    return money
  }
  if (cycle > 1 && random.chance(0.4)) {
    const span = 28 * 14
    payAll(
      standardLoan(
        random,
        number(cycle - 1),
        cycle - 1,
        everyStep(addDays(days.today, -span - 30), 28, 4, -3),
      ),
      money,
      new Decimal(0),
    )
  }
  if (situation === 'usual' && random.chance(0.12)) return money
  const running = runningLoan(random, number(cycle), cycle, days, situation)
  paySoFar(random, running, days, situation, money)
  if (situation === 'usual' && random.chance(0.08))
    paySoFar(random, emergencyLoan(random, number('E'), cycle, days), days, situation, money)
  return money
}

const between28 = (random: Random, from: number, to: number) => 28 * random.between(from, to)

/** `count` days in equal steps; `offset` 0 starts at `anchor`, -2 lets the third fall on it. */
function everyStep(anchor: CalendarDate, stepDays: number, count: number, offset: number): CalendarDate[] {
  return Array.from({ length: count }, (_, index) => addDays(anchor, (index + offset) * stepDays))
}

function principalOf(random: Random, cycle: number): Amount {
  if (random.chance(0.1)) return thousand(random.between(32, 60))
  if (cycle === 1) return thousand(random.between(16, 20) * 5)
  const usual = usualThousands[cycle - 1] ?? 450
  return thousand(Math.min(450, Math.round((usual * random.between(90, 110)) / 500) * 5))
}

function standardLoan(random: Random, number: string, cycle: number, dueDates: CalendarDate[]): SeedLoan {
  const principal = principalOf(random, cycle)
  const [first = '', second = first] = dueDates
  const stepDays = (Date.parse(second) - Date.parse(first)) / 86_400_000 || 28
  const interest = flatInterest(
    principal,
    interestPercent.times((dueDates.length * stepDays) / 28),
    seedCurrency,
  )
  const insurance = random.chance(0.5) ? insuranceEach.times(dueDates.length) : new Decimal(0)
  const instalments = standardSchedule({ currency: seedCurrency, principal, dueDates, interest, insurance })
  return {
    loan: { number, product: 'standard', cycle, principal, instalments },
    disbursedDate: addDays(first, -stepDays),
  }
}

function runningLoan(
  random: Random,
  number: string,
  cycle: number,
  days: MeetingDays,
  situation: MoneySituation,
): SeedLoan {
  if (situation === 'due_in_three_days')
    return standardLoan(random, number, cycle, everyStep(addDays(days.today, 3), 28, 6, -2))
  const stepDays = days.stepDays === 28 || random.chance(0.5) ? 28 : 14
  const count = [3, 4, 5, 6, 8, 10, 12][random.between(0, 6)] ?? 6
  const least = situation === 'corrected' ? 1 : 0
  const dueDates = everyStep(days.next, stepDays, count, -random.between(least, count - 1))
  const kind =
    situation === 'corrected' ? 'standard' : random.pick({ standard: 80, interestFree: 10, seasonal: 10 })
  if (kind === 'seasonal') return seasonalLoan(random, number, cycle, days.today)
  if (kind !== 'interestFree') return standardLoan(random, number, cycle, dueDates)
  const principal = principalOf(random, cycle)
  const fee = principal.times(upFrontFeePercent).dividedBy(100)
  const instalments = interestFreeSchedule({ currency: seedCurrency, principal, dueDates, fee })
  return {
    loan: { number, product: 'interest_free', cycle, principal, instalments },
    disbursedDate: addDays(dueDates[0] ?? days.today, -stepDays),
  }
}

/** Handed out before the rains; nothing is due for four months, and seven tenths after the harvest, November to January. */
function seasonalLoan(random: Random, number: string, cycle: number, today: CalendarDate): SeedLoan {
  const shiftDays = random.between(-30, 30)
  const year = Number(today.slice(0, 4))
  const harvests = [year, year - 1].map((of) => addDays(`${of}-12-15`, shiftDays))
  const harvest = harvests.find((date) => addDays(date, -180) <= today) ?? addDays(today, 60)
  const principal = principalOf(random, cycle)
  const instalments = seasonalSchedule({
    currency: seedCurrency,
    principal,
    dueDates: [-56, -28, 0].map((before) => addDays(harvest, before)),
    interest: flatInterest(principal, interestPercent.times(6), seedCurrency),
    balloon: principal.times(7).dividedBy(10),
  })
  return {
    loan: { number, product: 'standard', cycle, principal, instalments },
    disbursedDate: addDays(harvest, -180),
  }
}

function emergencyLoan(random: Random, number: string, cycle: number, days: MeetingDays): SeedLoan {
  const principal = thousand(random.between(10, 20))
  const instalments = emergencySchedule({
    currency: seedCurrency,
    principal,
    dueDates: everyStep(days.next, days.stepDays, random.between(1, 2), 0),
    fee: new Decimal(200),
  })
  return {
    loan: { number, product: 'emergency', cycle, principal, instalments },
    disbursedDate: addDays(days.next, -days.stepDays),
  }
}

function repay(
  { loan }: SeedLoan,
  index: number,
  amount: Amount,
  bookedDate: CalendarDate,
  money: SeedMoney,
): void {
  money.entries.push(repaymentOf(loan.number, amount, bookedDate, `repayment/${loan.number}/${index + 1}`))
}

function payAll(seedLoan: SeedLoan, money: SeedMoney, extra: Amount): void {
  money.loans.push(seedLoan)
  const { instalments } = seedLoan.loan
  instalments.forEach((instalment, index) => {
    const due = instalmentTotal(instalment)
    repay(
      seedLoan,
      index,
      index === instalments.length - 1 ? due.plus(extra) : due,
      instalment.dueDate,
      money,
    )
  })
}

function paySoFar(
  random: Random,
  seedLoan: SeedLoan,
  { today, stepDays }: MeetingDays,
  situation: MoneySituation,
  money: SeedMoney,
): void {
  money.loans.push(seedLoan)
  const { instalments, number } = seedLoan.loan
  const punctual = situation === 'due_in_three_days' || situation === 'corrected'
  const stops = !punctual && random.chance(arrearsShare)
  const due = instalments.filter(({ dueDate }) => dueDate <= today)
  due.forEach((instalment, index) => {
    if (stops && index > 0) return
    const paidDate = whenPaid(random, instalment, stepDays, punctual)
    if (paidDate <= today) repay(seedLoan, index, instalmentTotal(instalment), paidDate, money)
  })
  const ahead = instalments[due.length]
  const yesterday = addDays(today, -1)
  const early = !punctual && !stops && seedLoan.disbursedDate <= yesterday && random.chance(0.02)
  if (early && ahead !== undefined) repay(seedLoan, due.length, instalmentTotal(ahead), yesterday, money)
  const last = money.entries.at(-1)
  if (situation === 'corrected' && last?.kind === 'loan_repayment') {
    money.entries.push({ ...last, reference: `${last.reference}/double` })
    money.reversals.push({
      reference: `correction/${number}`,
      reverses: `${last.reference}/double`,
      bookedDate: last.bookedDate,
    })
  }
}

function whenPaid(
  random: Random,
  { dueDate }: NewInstalment,
  stepDays: number,
  punctual: boolean,
): CalendarDate {
  const onTime = random.chance(onTimeShare)
  const lateDays = random.chance(0.7) ? stepDays : random.between(2, 20)
  return onTime || punctual ? dueDate : addDays(dueDate, lateDays)
}

/** Small sums at the last six meetings, now and then some taken out; a dormant book has not moved for months. */
function planSavings(
  random: Random,
  memberNumber: string,
  days: MeetingDays,
  situation: MoneySituation,
  money: SeedMoney,
): void {
  const dormantDays = situation === 'dormant' ? 28 * 7 : 0
  const meetings = situation === 'newcomer' ? 2 : 6
  let balance = 0
  for (let back = meetings; back >= 1; back -= 1) {
    const bookedDate = addDays(days.next, -back * days.stepDays - dormantDays)
    const draw = random.next()
    const isWithdrawal = draw > 0.95 && balance >= 2_000
    if (draw > 0.6 && !isWithdrawal) continue
    const amount = isWithdrawal ? Math.floor(balance / 2_000) * 1_000 : random.between(1, 6) * 500
    balance += isWithdrawal ? -amount : amount
    const change = new Decimal(isWithdrawal ? -amount : amount)
    money.entries.push({
      reference: `${isWithdrawal ? 'withdrawal' : 'deposit'}/${memberNumber}/${bookedDate}`,
      kind: isWithdrawal ? 'savings_withdrawal' : 'savings_deposit',
      bookedDate,
      postings: [
        { account: chart.cash, amount: change },
        { account: savingsAccountCode(memberNumber), amount: change.negated() },
      ],
    })
  }
}
