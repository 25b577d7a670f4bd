// In: loans with their schedules. Out: account, loan and instalments, and the entries that hand out and pay back.
// Must never store what is paid: that follows from the loan account's balance alone (allocation.ts).
import { Decimal } from 'decimal.js'
import { type CalendarDate, isCalendarDate } from '../calendar.ts'
import type { Queryable } from '../db.ts'
import { RequestError } from '../errors.ts'
import { type Amount, currencyExponent } from '../money.ts'
import { chart, loanAccountCode, openAccounts } from './accounts.ts'
import type { NewEntry, NewPosting } from './entries.ts'
import { refusing } from './refusals.ts'

export interface NewInstalment {
  dueDate: CalendarDate
  principal: Amount
  interest: Amount
  fee: Amount
  insurance: Amount
}

export const loanProducts = ['standard', 'emergency', 'interest_free'] as const
export type LoanProduct = (typeof loanProducts)[number]

export interface NewLoan {
  number: string
  memberId: string
  product: LoanProduct
  /** First loan is cycle 1. */
  cycle: number
  principal: Amount
  /** In due order; numbers follow from it. */
  instalments: readonly NewInstalment[]
}

const parts = ['principal', 'interest', 'fee', 'insurance'] as const

/** All that one instalment asks for. */
export function instalmentTotal(instalment: NewInstalment): Amount {
  return instalment.principal.plus(instalment.interest).plus(instalment.fee).plus(instalment.insurance)
}

/**
 * Throws RequestError loan.schedule_invalid, with the field (after `path`), unless: there is an instalment, dates are days in rising
 * order (two on one day are allowed), no amount is negative or finer than the currency, none is empty, the principals
 * sum to the loan's principal, an emergency loan has at most three instalments and an interest-free one no interest.
 */
export function checkSchedule(loan: NewLoan, currency: string, path = ''): void {
  const refuse = (field: string, detail: string) => {
    throw new RequestError('loan.schedule_invalid', { field: `${path}${field}`, detail })
  }
  const exponent = currencyExponent(currency)
  if (loan.instalments.length === 0) refuse('instalments', 'there is none')
  if (loan.product === 'emergency' && loan.instalments.length > 3)
    refuse('instalments', 'an emergency loan has at most three')
  if (!loan.principal.isPositive() || loan.principal.isZero()) refuse('principal', 'must be above zero')
  let principal = new Decimal(0)
  let previous = ''
  loan.instalments.forEach((instalment, index) => {
    const where = `instalments[${index}]`
    if (!isCalendarDate(instalment.dueDate)) refuse(`${where}.dueDate`, 'is not a day')
    if (instalment.dueDate < previous) refuse(`${where}.dueDate`, 'is before the instalment above it')
    previous = instalment.dueDate
    for (const part of parts) {
      const amount = instalment[part]
      if (!amount.isFinite() || (amount.isNegative() && !amount.isZero()))
        refuse(`${where}.${part}`, 'must not be negative')
      if (amount.decimalPlaces() > exponent) refuse(`${where}.${part}`, 'has more decimals than the currency')
    }
    if (instalmentTotal(instalment).isZero()) refuse(where, 'asks for nothing')
    if (loan.product === 'interest_free' && !instalment.interest.isZero())
      refuse(`${where}.interest`, 'an interest-free loan bears none')
    principal = principal.plus(instalment.principal)
  })
  if (!principal.equals(loan.principal))
    refuse('instalments', 'their principals do not sum to the principal of the loan')
}

/**
 * Opens accounts, loans and instalments, any number in four round trips. Throws loan.schedule_invalid,
 * loan.number_taken or member.unknown; the caller's transaction is lost then. The money moves by `disbursementOf`.
 */
export async function createLoans(
  tx: Queryable,
  programmeId: string,
  currency: string,
  loans: readonly NewLoan[],
): Promise<void> {
  if (loans.length === 0) return
  for (const [index, loan] of loans.entries()) checkSchedule(loan, currency, `loans[${index}].`)
  await refusing(async () => {
    const accountIds = await openAccounts(
      tx,
      programmeId,
      loans.map((loan) => ({
        code: loanAccountCode(loan.number),
        type: 'asset',
        purpose: 'loan',
        currency,
        memberId: loan.memberId,
      })),
    )
    const inserted = await tx.query<{ id: string; number: string }>(
      `insert into loans (programme_id, account_id, number, member_id, product, cycle, principal)
       select $1, t.account_id, t.number, m.id, t.product, t.cycle, t.principal
         from unnest($2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::int[], $7::numeric[])
           as t (account_id, number, member_id, product, cycle, principal)
         left join members m on m.id = t.member_id and m.programme_id = $1
       on conflict do nothing returning id, number`,
      [
        programmeId,
        loans.map((loan) => accountIds.get(loanAccountCode(loan.number))),
        loans.map((loan) => loan.number),
        loans.map((loan) => loan.memberId),
        loans.map((loan) => loan.product),
        loans.map((loan) => loan.cycle),
        loans.map((loan) => loan.principal.toFixed()),
      ],
    )
    const idByNumber = new Map(inserted.rows.map((row) => [row.number, row.id]))
    const taken = loans.findIndex((loan) => !idByNumber.has(loan.number))
    if (taken !== -1 || idByNumber.size < loans.length)
      throw new RequestError('loan.number_taken', { field: `loans[${Math.max(taken, 0)}].number` })
    await insertInstalments(tx, loans, idByNumber)
  })
}

async function insertInstalments(
  tx: Queryable,
  loans: readonly NewLoan[],
  idByNumber: ReadonlyMap<string, string>,
): Promise<void> {
  const rows = loans.flatMap((loan) =>
    loan.instalments.map((instalment, index) => ({
      ...instalment,
      loanId: idByNumber.get(loan.number),
      number: index + 1,
    })),
  )
  await tx.query(
    `insert into instalments (loan_id, number, due_date, principal, interest, fee, insurance)
     select * from unnest($1::uuid[], $2::int[], $3::date[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[])`,
    [
      rows.map((row) => row.loanId),
      rows.map((row) => row.number),
      rows.map((row) => row.dueDate),
      ...parts.map((part) => rows.map((row) => row[part].toFixed())),
    ],
  )
}

/** Hands the principal out of the cash account and charges all that is to be paid to the loan account. */
export function disbursementOf(loan: NewLoan, bookedDate: CalendarDate): NewEntry {
  const sum = (part: (typeof parts)[number]) =>
    loan.instalments.reduce((total, instalment) => total.plus(instalment[part]), new Decimal(0))
  const total = loan.instalments.reduce((all, one) => all.plus(instalmentTotal(one)), new Decimal(0))
  const postings: NewPosting[] = [
    { account: loanAccountCode(loan.number), amount: total },
    { account: chart.cash, amount: loan.principal.negated() },
    { account: chart.interest, amount: sum('interest').negated() },
    { account: chart.fees, amount: sum('fee').negated() },
    { account: chart.insurance, amount: sum('insurance').negated() },
  ]
  return {
    reference: `disbursement/${loan.number}`,
    kind: 'loan_disbursement',
    bookedDate,
    postings: postings.filter((posting) => !posting.amount.isZero()),
  }
}

/** A payment into the cash account; `amount` above zero. */
export function repaymentOf(
  loanNumber: string,
  amount: Amount,
  bookedDate: CalendarDate,
  reference: string,
): NewEntry {
  return {
    reference,
    kind: 'loan_repayment',
    bookedDate,
    postings: [
      { account: chart.cash, amount },
      { account: loanAccountCode(loanNumber), amount: amount.negated() },
    ],
  }
}
