// In: rows of instalments, consecutive rows of one number making one loan. Out: loans with schedules, and their disbursements.
// Must never change a loan that is already there.
import { Decimal } from 'decimal.js'
import type pg from 'pg'
import { z } from 'zod'
import type { CalendarDate } from '../calendar.ts'
import { RequestError } from '../errors.ts'
import { openAccounts, standardAccounts } from '../ledger/accounts.ts'
import { postEntries } from '../ledger/entries.ts'
import { checkSchedule, createLoans, disbursementOf, loanProducts, type NewLoan } from '../ledger/loans.ts'
import type { AddFault } from './faults.ts'
import {
  bookedDate,
  date,
  emptyIsUndefined,
  type ImportProgramme,
  optionalAmount,
  text,
  wholeNumber,
  word,
} from './fields.ts'
import { type ImportChange, type ImportKind, type Numbered, rowsAgree, type Written } from './kind.ts'

const rowSchema = ({ currencyCode }: ImportProgramme, lastDay: CalendarDate) =>
  z
    .object({
      number: text(60),
      member: text(60),
      product: word(loanProducts),
      cycle: emptyIsUndefined(wholeNumber(1, 1000)),
      principal: optionalAmount(currencyCode),
      disbursed_date: bookedDate(lastDay),
      due_date: date,
      principal_due: optionalAmount(currencyCode),
      interest: optionalAmount(currencyCode),
      fee: optionalAmount(currencyCode),
      insurance: optionalAmount(currencyCode),
    })
    .superRefine(({ principal }, context) => {
      if (principal === undefined)
        context.addIssue({ code: 'custom', path: ['principal'], message: 'field.missing' })
    })

type LoanRow = z.infer<ReturnType<typeof rowSchema>>

interface ImportedLoan {
  /** Member number; the id is looked up when the loan is written. */
  member: string
  disbursedDate: CalendarDate
  loan: NewLoan
}

const zero = new Decimal(0)

/** Nothing may be paid out after `lastDay`. */
export function loansKind(
  programme: ImportProgramme,
  lastDay: CalendarDate,
): ImportKind<LoanRow, ImportedLoan> {
  const seen = new Set<string>()
  return {
    columns: {
      required: ['number', 'member', 'product', 'principal', 'disbursed_date', 'due_date', 'principal_due'],
      optional: ['cycle', 'interest', 'fee', 'insurance'],
    },
    row: rowSchema(programme, lastDay),
    groupBy: 'number',
    groupRowsMax: { rows: 1_000, fault: 'loan.too_many_rows' },
    build: (rows, addFault) => {
      const first = rows[0]
      if (first === undefined) return undefined
      if (seen.has(first.value.number)) {
        addFault(first.line, 'number', 'loan.doubled')
        return undefined
      }
      seen.add(first.value.number)
      return buildLoan(first.value, rows, programme.currencyCode, addFault)
    },
    write: (tx, loans, addFault) => writeLoans(tx, programme, loans, addFault),
  }
}

function buildLoan(
  first: LoanRow,
  rows: readonly Numbered<LoanRow>[],
  currency: string,
  addFault: AddFault,
): ImportedLoan | undefined {
  const agree = rowsAgree(
    rows,
    ['member', 'product', 'cycle', 'principal', 'disbursed_date'],
    (line, column) => addFault(line, column, 'loan.rows_differ'),
  )
  if (!agree) return undefined
  if (first.due_date < first.disbursed_date) {
    addFault(rows[0]?.line ?? 0, 'due_date', 'loan.due_before_disbursed')
    return undefined
  }
  const loan: NewLoan = {
    number: first.number,
    memberId: '',
    product: first.product,
    cycle: first.cycle ?? 1,
    principal: first.principal ?? zero,
    instalments: rows.map(({ value }) => ({
      dueDate: value.due_date,
      principal: value.principal_due ?? zero,
      interest: value.interest ?? zero,
      fee: value.fee ?? zero,
      insurance: value.insurance ?? zero,
    })),
  }
  try {
    checkSchedule(loan, currency)
  } catch (error) {
    if (!(error instanceof RequestError)) throw error
    const { row, column } = instalmentPlace(error.field ?? '')
    const detail = error.detail === undefined ? undefined : `Here it ${error.detail}.`
    addFault(rows[row]?.line ?? 0, column, 'loan.schedule_invalid', detail)
    return undefined
  }
  return { member: first.member, disbursedDate: first.disbursed_date, loan }
}

/** "instalments[3].dueDate" is row 3, column due_date; a fault of the loan as a whole is its first row's. */
export function instalmentPlace(field: string): { row: number; column: string } {
  const [, index, part] = /^instalments\[(\d+)\](?:\.(\w+))?$/.exec(field) ?? []
  if (index === undefined) return { row: 0, column: field === 'principal' ? 'principal' : 'principal_due' }
  const columns: Readonly<Record<string, string>> = { dueDate: 'due_date', principal: 'principal_due' }
  return { row: Number(index), column: columns[part ?? ''] ?? part ?? 'principal_due' }
}

async function writeLoans(
  tx: pg.PoolClient,
  programme: ImportProgramme,
  loans: readonly Numbered<ImportedLoan>[],
  addFault: AddFault,
): Promise<Written> {
  const members = await tx.query<{ id: string; number: string }>(
    'select id, number from members where programme_id = $1 and number = any($2)',
    [programme.id, loans.map(({ value }) => value.member)],
  )
  const memberIds = new Map(members.rows.map((row) => [row.number, row.id]))
  const stored = await storedContents(tx, programme.id, loans)
  const fresh: { loan: NewLoan; disbursedDate: CalendarDate }[] = []
  const changes: ImportChange[] = []
  let alreadyThere = 0
  for (const { line, value } of loans) {
    const memberId = memberIds.get(value.member)
    const content = stored.get(value.loan.number)
    if (memberId === undefined) addFault(line, 'member', 'member.unknown')
    else if (content === undefined) {
      fresh.push({ loan: { ...value.loan, memberId }, disbursedDate: value.disbursedDate })
      changes.push({ row: line, isNew: true, columns: [] })
    } else if (content === contentOf({ ...value.loan, memberId }, value.disbursedDate)) alreadyThere += 1
    else addFault(line, 'number', 'loan.number_taken')
  }
  if (fresh.length > 0) {
    await openAccounts(tx, programme.id, standardAccounts(programme.currencyCode))
    await createLoans(
      tx,
      programme.id,
      programme.currencyCode,
      fresh.map(({ loan }) => loan),
    )
    await postEntries(
      tx,
      programme.id,
      'import',
      fresh.map(({ loan, disbursedDate }) => disbursementOf(loan, disbursedDate)),
    )
  }
  return { written: fresh.length, alreadyThere, changes }
}

interface StoredLoan {
  number: string
  memberId: string
  product: NewLoan['product']
  cycle: number
  principal: string
  disbursedDate: CalendarDate | null
  instalments: [dueDate: CalendarDate, principal: string, interest: string, fee: string, insurance: string][]
}

/** What stands under these numbers already, in the form of `contentOf`. */
async function storedContents(
  tx: pg.PoolClient,
  programmeId: string,
  loans: readonly Numbered<ImportedLoan>[],
): Promise<Map<string, string>> {
  const { rows } = await tx.query<StoredLoan>(
    `select l.number, l.member_id as "memberId", l.product, l.cycle, l.principal::text,
            (select e.booked_date from entries e
              where e.programme_id = l.programme_id and e.reference = 'disbursement/' || l.number) as "disbursedDate",
            (select json_agg(json_build_array(i.due_date, i.principal::text, i.interest::text, i.fee::text, i.insurance::text)
                             order by i.number)
               from instalments i where i.loan_id = l.id) as instalments
       from loans l where l.programme_id = $1 and l.number = any($2)`,
    [programmeId, loans.map(({ value }) => value.loan.number)],
  )
  return new Map(
    rows.map((row) => {
      const instalments = row.instalments.map(([dueDate, principal, interest, fee, insurance]) => ({
        dueDate,
        principal: new Decimal(principal),
        interest: new Decimal(interest),
        fee: new Decimal(fee),
        insurance: new Decimal(insurance),
      }))
      const loan = { ...row, principal: new Decimal(row.principal), instalments }
      return [row.number, contentOf(loan, row.disbursedDate)]
    }),
  )
}

/** Two loans are the same when this text is. */
function contentOf(loan: NewLoan, disbursedDate: CalendarDate | null): string {
  const { memberId, product, cycle, principal, instalments } = loan
  return JSON.stringify([
    memberId,
    product,
    cycle,
    principal.toFixed(),
    disbursedDate,
    instalments.map((part) => [
      part.dueDate,
      part.principal.toFixed(),
      part.interest.toFixed(),
      part.fee.toFixed(),
      part.insurance.toFixed(),
    ]),
  ])
}
