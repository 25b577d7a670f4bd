// In: rows of postings, consecutive rows of one reference making one entry. Out: posted entries, through the ledger's own function.
// Must never post an entry twice, nor part of one.
import { Decimal } from 'decimal.js'
import type pg from 'pg'
import { z } from 'zod'
import type { CalendarDate } from '../calendar.ts'
import { openAccounts, savingsAccount, savingsAccountCode, standardAccounts } from '../ledger/accounts.ts'
import { entryKinds, type NewEntry, postEntries } from '../ledger/entries.ts'
import type { AddFault } from './faults.ts'
import { bookedDate, type ImportProgramme, optionalAmount, optionalText, text, word } from './fields.ts'
import { type ImportKind, type Numbered, rowsAgree, type Written } from './kind.ts'

const rowSchema = (programme: ImportProgramme, lastDay: CalendarDate) =>
  z
    .object({
      reference: text(200),
      kind: word(
        entryKinds.filter((kind) => kind !== 'reversal') as [NewEntry['kind'], ...NewEntry['kind'][]],
      ),
      booked_date: bookedDate(lastDay),
      description: optionalText(200),
      account: text(200),
      debit: optionalAmount(programme.currencyCode),
      credit: optionalAmount(programme.currencyCode),
    })
    .superRefine(({ debit, credit }, context) => {
      const sides = [debit, credit].filter((side) => side !== undefined)
      if (sides.length !== 1) context.addIssue({ code: 'custom', path: ['debit'], message: 'entry.one_side' })
      else if (sides[0]?.isZero() === true)
        context.addIssue({
          code: 'custom',
          path: [debit === undefined ? 'credit' : 'debit'],
          message: 'amount.zero',
        })
    })

type EntryRow = z.infer<ReturnType<typeof rowSchema>>

interface ImportedEntry extends NewEntry {
  /** Line of each posting. */
  lines: readonly number[]
}

const postingsMax = 1_000
const zero = new Decimal(0)

/** Nothing may be booked after `lastDay`. */
export function entriesKind(
  programme: ImportProgramme,
  lastDay: CalendarDate,
): ImportKind<EntryRow, ImportedEntry> {
  return {
    columns: {
      required: ['reference', 'kind', 'booked_date', 'account', 'debit', 'credit'],
      optional: ['description'],
    },
    row: rowSchema(programme, lastDay),
    groupBy: 'reference',
    groupRowsMax: { rows: postingsMax, fault: 'entry.too_many_rows' },
    build: buildEntry,
    write: (tx, entries, addFault) => writeEntries(tx, programme, entries, addFault),
  }
}

function buildEntry(rows: readonly Numbered<EntryRow>[], addFault: AddFault): ImportedEntry | undefined {
  const first = rows[0]
  if (first === undefined) return undefined
  const agree = rowsAgree(rows, ['kind', 'booked_date', 'description'], (line, column) =>
    addFault(line, column, 'entry.rows_differ'),
  )
  if (!agree) return undefined
  const postings = rows.map(({ value }) => ({
    account: value.account,
    amount: value.debit ?? (value.credit ?? zero).negated(),
  }))
  if (!postings.reduce((sum, { amount }) => sum.plus(amount), zero).isZero()) {
    addFault(first.line, 'debit', 'entry.unbalanced')
    return undefined
  }
  const { reference, kind, booked_date: bookedDate, description } = first.value
  return {
    reference,
    kind,
    bookedDate,
    ...(description === undefined ? {} : { description }),
    postings,
    lines: rows.map(({ line }) => line),
  }
}

async function writeEntries(
  tx: pg.PoolClient,
  programme: ImportProgramme,
  entries: readonly Numbered<ImportedEntry>[],
  addFault: AddFault,
): Promise<Written> {
  const doubled = await findDoubled(tx, programme.id, entries)
  for (const { line } of doubled) addFault(line, 'reference', 'entry.reference_doubled')
  const accounts = await findAccounts(tx, programme, entries)
  const sound = entries.filter(
    (entry) => !doubled.has(entry) && checkAccounts(entry.value, accounts, addFault),
  )
  const posted = await postEntries(
    tx,
    programme.id,
    'import',
    sound.map(({ value }) => value),
  )
  const written = posted.filter(({ outcome }) => outcome === 'posted').length
  return { written, alreadyThere: posted.length - written }
}

/** Entries whose reference stands before in the same file: in this batch, or posted by this very transaction. */
async function findDoubled(
  tx: pg.PoolClient,
  programmeId: string,
  entries: readonly Numbered<ImportedEntry>[],
): Promise<Set<Numbered<ImportedEntry>>> {
  const { rows } = await tx.query<{ reference: string }>(
    `select reference from entries
      where programme_id = $1 and reference = any($2) and tx_id = pg_current_xact_id()`,
    [programmeId, entries.map(({ value }) => value.reference)],
  )
  const seen = new Set(rows.map((row) => row.reference))
  return new Set(
    entries.filter(({ value: { reference } }) => {
      const before = seen.has(reference)
      seen.add(reference)
      return before
    }),
  )
}

/** Closed or not, by code. The programme's standard accounts and the savings books of known members are opened when missing. */
async function findAccounts(
  tx: pg.PoolClient,
  programme: ImportProgramme,
  entries: readonly Numbered<ImportedEntry>[],
): Promise<Map<string, { closed: boolean }>> {
  const codes = [...new Set(entries.flatMap(({ value }) => value.postings.map(({ account }) => account)))]
  const { rows } = await tx.query<{ code: string; closed: boolean }>(
    'select code, closed_at is not null as closed from accounts where programme_id = $1 and code = any($2)',
    [programme.id, codes],
  )
  const accounts = new Map(rows.map((row) => [row.code, { closed: row.closed }]))
  const missing = codes.filter((code) => !accounts.has(code))
  if (missing.length === 0) return accounts
  const currency = programme.currencyCode
  const prefix = savingsAccountCode('')
  const members = await tx.query<{ id: string; number: string }>(
    'select id, number from members where programme_id = $1 and number = any($2)',
    [
      programme.id,
      missing.filter((code) => code.startsWith(prefix)).map((code) => code.slice(prefix.length)),
    ],
  )
  const openable = [
    ...standardAccounts(currency).filter(({ code }) => missing.includes(code)),
    ...members.rows.map((member) => savingsAccount(member, currency)),
  ]
  await openAccounts(tx, programme.id, openable)
  for (const { code } of openable) accounts.set(code, { closed: false })
  return accounts
}

function checkAccounts(
  entry: ImportedEntry,
  accounts: ReadonlyMap<string, { closed: boolean }>,
  addFault: AddFault,
): boolean {
  let sound = true
  entry.postings.forEach(({ account }, index) => {
    const found = accounts.get(account)
    if (found?.closed === false) return
    sound = false
    addFault(entry.lines[index] ?? 0, 'account', found === undefined ? 'account.unknown' : 'account.closed')
  })
  return sound
}
