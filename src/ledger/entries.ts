// In: entries of a poster, each under her own reference. Out: ids, and whether each was posted now or before.
// Must never post half an entry: a refusal loses the caller's transaction.
import { Decimal } from 'decimal.js'
import { addDays, type CalendarDate } from '../calendar.ts'
import type { Queryable } from '../db.ts'
import { InvariantError, RequestError, type RequestErrorCode } from '../errors.ts'
import { type Amount, currencyExponent } from '../money.ts'
import { refusing } from './refusals.ts'

export const entryKinds = [
  'loan_disbursement',
  'loan_repayment',
  'savings_deposit',
  'savings_withdrawal',
  'fee',
  'adjustment',
  'opening',
  'reversal',
] as const
export type EntryKind = (typeof entryKinds)[number]

export interface NewPosting {
  /** Account code. */
  account: string
  /** Debit above zero, credit below. */
  amount: Amount
}

export interface NewEntry {
  /** The poster's own, unique in the programme; posting it twice is one entry. */
  reference: string
  kind: Exclude<EntryKind, 'reversal'>
  bookedDate: CalendarDate
  description?: string
  postings: readonly NewPosting[]
}

/** What is booked has happened; at the date line it is tomorrow already. */
export function lastBookableDay(now: Date): CalendarDate {
  return addDays(now.toISOString().slice(0, 10), 1)
}

export interface PostedEntry {
  id: string
  reference: string
  outcome: 'posted' | 'already_posted'
}

export interface StoredEntry {
  id: string
  reference: string
  kind: EntryKind
  bookedDate: CalendarDate
  description: string | null
  /** Reference of the entry that this one reverses. */
  reverses: string | null
  /** Reference of the entry that reverses this one. */
  reversedBy: string | null
  postings: { account: string; amount: string }[]
}

/**
 * Posts any number of entries in four round trips (five when references were used before); order is kept in the answer.
 * Same reference and same content: already_posted. Other content: RequestError entry.reference_conflict. `field` of an
 * error names the entry, for example "entries[3].postings[1].account". Needs a transaction, and loses it on a refusal.
 */
export async function postEntries(
  tx: Queryable,
  programmeId: string,
  postedBy: string,
  entries: readonly NewEntry[],
): Promise<PostedEntry[]> {
  if (entries.length === 0) return []
  const firstIndexes = indexReferences(entries)
  return refusing(async () => {
    const idByReference = await insertEntries(tx, programmeId, postedBy, entries, firstIndexes)
    const isNew = (index: number) => {
      const reference = entries[index]?.reference ?? ''
      return idByReference.has(reference) && firstIndexes.get(reference) === index
    }
    const posted = new Set([...entries.keys()].filter(isNew))
    await insertPostings(tx, programmeId, entries, posted, idByReference)
    const before = entries.filter((entry) => !idByReference.has(entry.reference))
    if (before.length > 0) {
      const stored = await readEntries(
        tx,
        programmeId,
        before.map((entry) => entry.reference),
      )
      entries.forEach((entry, index) => {
        if (idByReference.has(entry.reference)) return
        const id = requireSameContent(entry, stored.get(entry.reference), `entries[${index}].reference`)
        idByReference.set(entry.reference, id)
      })
    }
    return entries.map(({ reference }, index): PostedEntry => {
      const id = idByReference.get(reference)
      if (id === undefined) throw new InvariantError('a posted entry has no id')
      return { id, reference, outcome: posted.has(index) ? 'posted' : 'already_posted' }
    })
  })
}

/** First index of each reference; a reference that stands twice in one batch with other content is a conflict. */
function indexReferences(entries: readonly NewEntry[]): Map<string, number> {
  const indexes = new Map<string, number>()
  entries.forEach((entry, index) => {
    const earlierIndex = indexes.get(entry.reference)
    const earlier = earlierIndex === undefined ? undefined : entries[earlierIndex]
    if (earlier === undefined) indexes.set(entry.reference, index)
    else if (contentOf(earlier) !== contentOf(entry))
      throw new RequestError('entry.reference_conflict', { field: `entries[${index}].reference` })
  })
  return indexes
}

async function insertEntries(
  tx: Queryable,
  programmeId: string,
  postedBy: string,
  entries: readonly NewEntry[],
  firstIndexes: ReadonlyMap<string, number>,
): Promise<Map<string, string>> {
  const rows = entries.filter((entry, index) => firstIndexes.get(entry.reference) === index)
  // A poster of the same reference who is still at work makes this wait for her commit; then it does nothing.
  const inserted = await tx.query<{ id: string; reference: string }>(
    `insert into entries (programme_id, posted_by, reference, kind, booked_date, description)
     select $1, $2, t.* from unnest($3::text[], $4::text[], $5::date[], $6::text[]) as t
     on conflict do nothing returning id, reference`,
    [
      programmeId,
      postedBy,
      rows.map((entry) => entry.reference),
      rows.map((entry) => entry.kind),
      rows.map((entry) => entry.bookedDate),
      rows.map((entry) => entry.description ?? null),
    ],
  )
  return new Map(inserted.rows.map((row) => [row.reference, row.id]))
}

interface PostableAccount {
  id: string
  code: string
  currency: string
  closed: boolean
}

async function insertPostings(
  tx: Queryable,
  programmeId: string,
  entries: readonly NewEntry[],
  posted: ReadonlySet<number>,
  idByReference: ReadonlyMap<string, string>,
): Promise<void> {
  if (posted.size === 0) return
  const codes = new Set<string>()
  for (const index of posted) for (const posting of entries[index]?.postings ?? []) codes.add(posting.account)
  const found = await tx.query<PostableAccount>(
    `select id, code, currency_code as currency, closed_at is not null as closed
       from accounts where programme_id = $1 and code = any($2)`,
    [programmeId, [...codes]],
  )
  const accounts = new Map(found.rows.map((row) => [row.code, row]))
  const entryIds: string[] = []
  const accountIds: string[] = []
  const amounts: string[] = []
  for (const index of posted) {
    const entry = entries[index]
    if (entry === undefined) continue
    checkEntry(entry, index, accounts)
    for (const posting of entry.postings) {
      entryIds.push(idByReference.get(entry.reference) ?? '')
      accountIds.push(accounts.get(posting.account)?.id ?? '')
      amounts.push(posting.amount.toFixed())
    }
  }
  await tx.query(
    `insert into postings (entry_id, account_id, amount)
     select * from unnest($1::uuid[], $2::uuid[], $3::numeric[])`,
    [entryIds, accountIds, amounts],
  )
  await checkNow(tx)
}

/** Brings the checks that wait for the commit forward, so that their faults surface in the call that caused them. */
async function checkNow(tx: Queryable): Promise<void> {
  await tx.query('set constraints entries_check immediate; set constraints entries_check deferred')
}

/** The database refuses all of this too; here the fault gets the name of its field. */
function checkEntry(entry: NewEntry, index: number, accounts: ReadonlyMap<string, PostableAccount>): void {
  function refuse(code: RequestErrorCode, path: string): never {
    throw new RequestError(code, { field: `entries[${index}].${path}` })
  }
  const currencies = new Set<string>()
  let total = new Decimal(0)
  for (const [postingIndex, posting] of entry.postings.entries()) {
    const path = `postings[${postingIndex}]`
    const account = accounts.get(posting.account)
    if (account === undefined) refuse('entry.account_unknown', `${path}.account`)
    if (account.closed) refuse('entry.account_closed', `${path}.account`)
    if (posting.amount.isZero() || !posting.amount.isFinite())
      refuse('request.field_invalid', `${path}.amount`)
    if (posting.amount.decimalPlaces() > currencyExponent(account.currency))
      refuse('entry.decimals', `${path}.amount`)
    currencies.add(account.currency)
    total = total.plus(posting.amount)
  }
  if (currencies.size > 1) refuse('entry.currency_mix', 'postings')
  if (entry.postings.length === 0 || !total.isZero()) refuse('entry.unbalanced', 'postings')
}

/** Posts the mirror of an entry. Repeating the same reversal under the same reference is already_posted. */
export async function reverseEntry(
  tx: Queryable,
  programmeId: string,
  postedBy: string,
  input: { reference: string; reverses: string; bookedDate: CalendarDate; description?: string },
): Promise<PostedEntry> {
  return refusing(async () => {
    const inserted = await tx.query<{ id: string; reversesId: string }>(
      `insert into entries (programme_id, posted_by, reference, kind, booked_date, description, reverses_id)
       select $1, $2, $3, 'reversal', $4::date, $6, id from entries where programme_id = $1 and reference = $5
       on conflict do nothing returning id, reverses_id as "reversesId"`,
      [programmeId, postedBy, input.reference, input.bookedDate, input.reverses, input.description ?? null],
    )
    const row = inserted.rows[0]
    if (row === undefined) return explainUnposted(tx, programmeId, input)
    await tx.query(
      `insert into postings (entry_id, account_id, amount)
       select $1, account_id, -amount from postings where entry_id = $2 order by id`,
      [row.id, row.reversesId],
    )
    await checkNow(tx)
    return { id: row.id, reference: input.reference, outcome: 'posted' }
  })
}

/** A reversal was not written: it was there before, its reference is another entry's, or its target is gone or reversed. */
async function explainUnposted(
  tx: Queryable,
  programmeId: string,
  input: { reference: string; reverses: string; bookedDate: CalendarDate; description?: string },
): Promise<PostedEntry> {
  const stored = await readEntries(tx, programmeId, [input.reference, input.reverses])
  const target = stored.get(input.reverses)
  const same = stored.get(input.reference)
  if (same !== undefined) {
    const equal =
      same.reverses === input.reverses &&
      same.bookedDate === input.bookedDate &&
      same.description === (input.description ?? null)
    if (!equal) throw new RequestError('entry.reference_conflict', { field: 'reference' })
    return { id: same.id, reference: input.reference, outcome: 'already_posted' }
  }
  if (target === undefined) throw new RequestError('entry.reversal_unknown', { field: 'reverses' })
  throw new RequestError('entry.already_reversed', { field: 'reverses' })
}

/** Entries by reference with their postings in posting order; unknown references are left out. */
export async function readEntries(
  tx: Queryable,
  programmeId: string,
  references: readonly string[],
): Promise<Map<string, StoredEntry>> {
  const found = await tx.query<StoredEntry>(
    `select e.id, e.reference, e.kind, e.booked_date as "bookedDate", e.description, target.reference as reverses,
            reversal.reference as "reversedBy",
            (select json_agg(json_build_object('account', a.code, 'amount', trim_scale(p.amount)::text) order by p.id)
               from postings p join accounts a on a.id = p.account_id where p.entry_id = e.id) as postings
       from entries e
       left join entries target on target.id = e.reverses_id
       left join entries reversal on reversal.reverses_id = e.id
      where e.programme_id = $1 and e.reference = any($2)`,
    [programmeId, references],
  )
  return new Map(found.rows.map((row) => [row.reference, row]))
}

function requireSameContent(entry: NewEntry, stored: StoredEntry | undefined, field: string): string {
  // Only a transaction that sees an old snapshot can miss the row that stood in its way.
  if (stored === undefined) throw new RequestError('entry.reference_concurrent', { field })
  const storedContent = contentOf({
    kind: stored.kind,
    bookedDate: stored.bookedDate,
    ...(stored.description === null ? {} : { description: stored.description }),
    postings: stored.postings.map(({ account, amount }) => ({ account, amount: new Decimal(amount) })),
  })
  if (storedContent !== contentOf(entry)) throw new RequestError('entry.reference_conflict', { field })
  return stored.id
}

/** Two entries are the same when this text is; the order of postings does not count. */
function contentOf(entry: Omit<NewEntry, 'reference' | 'kind'> & { kind: EntryKind }): string {
  const postings = entry.postings.map(({ account, amount }) => `${account}=${amount.toFixed()}`).sort()
  return JSON.stringify([entry.kind, entry.bookedDate, entry.description ?? null, postings])
}
