// In: a member's situation and her group's meeting days. Out: her loans, payments and savings up to today.
// Pure: the same draws give the same money. Rhythms follow what social programmes publish, amounts the profile's unit.
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
import type { MoneyTerms } from './profile.ts'
import type { Random } from './random.ts'

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

/** In units of the profile. */
const insuranceEach = 0.1
const emergencyFee = 0.2
/** Instalments paid on the day they fall due. */
const onTimeShare = 0.97
/** Of those who borrow, how many have stopped paying. */
const arrearsShare = 0.01
/** First loan to seventh, in units. */
const usualUnits = [90, 120, 150, 200, 250, 350, 450] as const

/** What sums are drawn from. */
interface Purse extends MoneyTerms {
  random: Random
  currency: string
}

const units = ({ unit }: MoneyTerms, count: number): Amount => new Decimal(count).times(unit)

export function planMoney(
  purse: Purse,
  memberNumber: string,
  days: MeetingDays,
  situation: MoneySituation,
): SeedMoney {
  const money: SeedMoney = { loans: [], entries: [], reversals: [] }
  const { random } = purse
  if (purse.takesSavings) planSavings(purse, memberNumber, days, situation, money)
  if (situation === 'newcomer' || situation === 'first_time') return money
  const cycle = situation === 'due_in_three_days' ? 3 : random.between(1, 7)
  const number = (suffix: string | number) => `${memberNumber}-${suffix}`
  const finished = (): SeedLoan => {
    const last = situation === 'dormant' ? -between28(random, 8, 14) : -between28(random, 1, 3)
    return usualLoan(purse, number(1), 1, everyStep(addDays(days.next, last), 28, 5, -4))
  }
  if (situation === 'dormant' || situation === 'overpaid') {
    const loan = finished()
    payAll(loan, money, units(purse, situation === 'overpaid' ? 0.5 : 0))
    return money
  }
  if (cycle > 1 && random.chance(0.4)) {
    const span = 28 * 14
    payAll(
      usualLoan(purse, number(cycle - 1), cycle - 1, everyStep(addDays(days.today, -span - 30), 28, 4, -3)),
      money,
      new Decimal(0),
    )
  }
  if (situation === 'usual' && random.chance(0.12)) return money
  const running = runningLoan(purse, number(cycle), cycle, days, situation)
  paySoFar(random, running, days, situation, money)
  if (situation === 'usual' && random.chance(0.08))
    paySoFar(random, emergencyLoan(purse, number('E'), cycle, days), days, situation, money)
  return money
}

const between28 = (random: Random, from: number, to: number) => 28 * random.between(from, to)

/** `count` days in equal steps; `offset` 0 starts at `anchor`, -2 lets the third fall on it. */
function everyStep(anchor: CalendarDate, stepDays: number, count: number, offset: number): CalendarDate[] {
  return Array.from({ length: count }, (_, index) => addDays(anchor, (index + offset) * stepDays))
}

function principalOf(purse: Purse, cycle: number): Amount {
  const { random } = purse
  if (random.chance(0.1)) return units(purse, random.between(32, 60))
  if (cycle === 1) return units(purse, random.between(16, 20) * 5)
  const usual = usualUnits[cycle - 1] ?? 450
  return units(purse, Math.min(450, Math.round((usual * random.between(90, 110)) / 500) * 5))
}

/** Days between the first two, as between all. */
function stepOf([first = '', second = first]: readonly CalendarDate[]): number {
  return (Date.parse(second) - Date.parse(first)) / 86_400_000 || 28
}

/** The programme's main product. */
function usualLoan(purse: Purse, number: string, cycle: number, dueDates: CalendarDate[]): SeedLoan {
  return purse.products.standard === 0
    ? interestFreeLoan(purse, number, cycle, dueDates, stepOf(dueDates))
    : standardLoan(purse, number, cycle, dueDates)
}

function standardLoan(purse: Purse, number: string, cycle: number, dueDates: CalendarDate[]): SeedLoan {
  const { random, currency } = purse
  const principal = principalOf(purse, cycle)
  const [first = ''] = dueDates
  const stepDays = stepOf(dueDates)
  const interest = flatInterest(
    principal,
    new Decimal(purse.interestPercent).times((dueDates.length * stepDays) / 28),
    currency,
  )
  const insurance = random.chance(0.5) ? units(purse, insuranceEach).times(dueDates.length) : new Decimal(0)
  const instalments = standardSchedule({ currency, principal, dueDates, interest, insurance })
  return {
    loan: { number, product: 'standard', cycle, principal, instalments },
    disbursedDate: addDays(first, -stepDays),
  }
}

/** Nothing but a fee, due with the first instalment or before. */
function interestFreeLoan(
  purse: Purse,
  number: string,
  cycle: number,
  dueDates: CalendarDate[],
  stepDays: number,
): SeedLoan {
  const principal = principalOf(purse, cycle)
  const fee = principal.times(purse.feePercent).dividedBy(100)
  const instalments = interestFreeSchedule({ currency: purse.currency, principal, dueDates, fee })
  return {
    loan: { number, product: 'interest_free', cycle, principal, instalments },
    disbursedDate: addDays(dueDates[0] ?? '', -stepDays),
  }
}

function runningLoan(
  purse: Purse,
  number: string,
  cycle: number,
  days: MeetingDays,
  situation: MoneySituation,
): SeedLoan {
  const { random } = purse
  if (situation === 'due_in_three_days')
    return usualLoan(purse, number, cycle, everyStep(addDays(days.today, 3), 28, 6, -2))
  const stepDays = days.stepDays === 28 || random.chance(0.5) ? 28 : 14
  const count = [3, 4, 5, 6, 8, 10, 12][random.between(0, 6)] ?? 6
  const least = situation === 'corrected' ? 1 : 0
  const dueDates = everyStep(days.next, stepDays, count, -random.between(least, count - 1))
  if (situation === 'corrected') return usualLoan(purse, number, cycle, dueDates)
  const kind = random.pick(purse.products)
  if (kind === 'seasonal') return seasonalLoan(purse, number, cycle, days.today)
  if (kind === 'interestFree') return interestFreeLoan(purse, number, cycle, dueDates, stepDays)
  return standardLoan(purse, number, cycle, dueDates)
}

/** Handed out before the rains; nothing is due for four months, and seven tenths after the harvest, November to January. */
function seasonalLoan(purse: Purse, number: string, cycle: number, today: CalendarDate): SeedLoan {
  const { random, currency } = purse
  const shiftDays = random.between(-30, 30)
  const year = Number(today.slice(0, 4))
  const harvests = [year, year - 1].map((of) => addDays(`${of}-12-15`, shiftDays))
  const harvest = harvests.find((date) => addDays(date, -180) <= today) ?? addDays(today, 60)
  const principal = principalOf(purse, cycle)
  const instalments = seasonalSchedule({
    currency,
    principal,
    dueDates: [-56, -28, 0].map((before) => addDays(harvest, before)),
    interest: flatInterest(principal, new Decimal(purse.interestPercent).times(6), currency),
    balloon: principal.times(7).dividedBy(10),
  })
  return {
    loan: { number, product: 'standard', cycle, principal, instalments },
    disbursedDate: addDays(harvest, -180),
  }
}

function emergencyLoan(purse: Purse, number: string, cycle: number, days: MeetingDays): SeedLoan {
  const { random, currency } = purse
  const principal = units(purse, random.between(10, 20))
  const instalments = emergencySchedule({
    currency,
    principal,
    dueDates: everyStep(days.next, days.stepDays, random.between(1, 2), 0),
    fee: units(purse, emergencyFee),
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
  purse: Purse,
  memberNumber: string,
  days: MeetingDays,
  situation: MoneySituation,
  money: SeedMoney,
): void {
  const { random } = purse
  const dormantDays = situation === 'dormant' ? 28 * 7 : 0
  const meetings = situation === 'newcomer' ? 2 : 6
  // In half units.
  let balance = 0
  for (let back = meetings; back >= 1; back -= 1) {
    const bookedDate = addDays(days.next, -back * days.stepDays - dormantDays)
    const draw = random.next()
    const isWithdrawal = draw > 0.95 && balance >= 4
    if (draw > 0.6 && !isWithdrawal) continue
    const amount = isWithdrawal ? Math.floor(balance / 4) * 2 : random.between(1, 6)
    balance += isWithdrawal ? -amount : amount
    const change = units(purse, (isWithdrawal ? -amount : amount) / 2)
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
