// In: repayments whose receipts are being written. Out: a code for each; and for a code that somebody typed, what that receipt states.
// Must never tell whose receipt it is, nor let anybody try codes without end.
import { randomInt } from 'node:crypto'
import { Decimal } from 'decimal.js'
import type { CalendarDate } from '../calendar.ts'
import type { Pipeline, Queryable } from '../db.ts'
import type { Amount } from '../money.ts'

/** Damm's quasigroup of order 10: the check digit shows every single wrong digit and every swap of two neighbours. */
const dammRows = [
  '0317598642',
  '7092154863',
  '4206871359',
  '1750983426',
  '6123045978',
  '3674209581',
  '5869720134',
  '8945362017',
  '9438617205',
  '2581436790',
]

function dammOf(digits: string): number {
  let interim = 0
  for (const digit of digits) interim = Number(dammRows[interim]?.[Number(digit)])
  return interim
}

/** The five digits with their check digit. */
export function withCheckDigit(digits: string): string {
  return `${digits}${dammOf(digits)}`
}

/** Six digits whose check digit is right; says nothing about whether a receipt has it. */
export function isReceiptCode(text: string): boolean {
  return /^\d{6}$/.test(text) && dammOf(text) === 0
}

/** A code that is older may be given out again: 100,000 codes then serve 66,000 receipts a month in one programme. */
const openDays = 45
const roundsMax = 40

export interface Receipt {
  programmeId: string
  entryId: string
  memberId: string
}

const keyOf = ({ entryId, memberId }: Pick<Receipt, 'entryId' | 'memberId'>) => `${entryId}/${memberId}`

/**
 * A code for each receipt, drawn at random, inside the transaction that writes it. One that has a code keeps it. A receipt is left out
 * when nearly every code of its programme is open.
 */
export async function issueReceiptCodes(
  tx: Queryable,
  receipts: readonly Receipt[],
  now: Date,
): Promise<(receipt: Pick<Receipt, 'entryId' | 'memberId'>) => string | undefined> {
  const codes = new Map<string, string>()
  type Row = { entryId: string; memberId: string; code: string }
  const note = (rows: readonly Row[]) => {
    for (const row of rows) codes.set(keyOf(row), row.code)
  }
  if (receipts.length > 0) {
    const known = await tx.query<Row>(
      `select entry_id as "entryId", member_id as "memberId", code from receipt_codes where entry_id = any($1::uuid[])`,
      [receipts.map(({ entryId }) => entryId)],
    )
    note(known.rows)
  }
  const reusableAt = new Date(now.getTime() - openDays * 86_400_000)
  for (let round = 0; round < roundsMax; round += 1) {
    const drawn = new Map<string, Receipt & { code: string }>()
    for (const receipt of receipts) {
      if (codes.has(keyOf(receipt))) continue
      const code = withCheckDigit(String(randomInt(100_000)).padStart(5, '0'))
      // One statement may not touch a row twice: of two that draw the same, one draws again.
      drawn.set(`${receipt.programmeId}/${code}`, { ...receipt, code })
    }
    if (drawn.size === 0) break
    // In one order, so that two transactions at once cannot wait for each other.
    const rows = [...drawn.entries()].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, row]) => row)
    const written = await tx.query<Row>(
      `insert into receipt_codes as r (programme_id, code, entry_id, member_id, issued_at)
       select programme_id, code, entry_id, member_id, $5
         from unnest($1::uuid[], $2::text[], $3::uuid[], $4::uuid[]) as w(programme_id, code, entry_id, member_id)
       on conflict (programme_id, code) do update
         set id = excluded.id, entry_id = excluded.entry_id, member_id = excluded.member_id, issued_at = excluded.issued_at
         where r.issued_at < $6
       returning entry_id as "entryId", member_id as "memberId", code`,
      [
        rows.map((row) => row.programmeId),
        rows.map((row) => row.code),
        rows.map((row) => row.entryId),
        rows.map((row) => row.memberId),
        now,
        reusableAt,
      ],
    )
    note(written.rows)
  }
  return (receipt) => codes.get(keyOf(receipt))
}

/** An hour of one phone: enough for a facilitator with a whole group's receipts, and for a few slips of the finger. */
export const triesMax = 60
export const missesMax = 5
/** An hour of all phones of a programme together. */
export const programmeMissesMax = 300

export interface Verifying {
  programmeId: string
  code: string
  /** Keyed hash of the caller's number. */
  caller: string
  /** Keyed hash of the code, for the event of a miss. */
  codeMark: string
  /** Names this very callback: a phone's latest one again counts once. */
  hopKey: string
  now: Date
}

export type Verified = { outcome: 'found'; receiptId: string } | { outcome: 'unknown' | 'too_often' }

// One statement: the counters are raised, under their limits, by the same commit that finds or misses. A row that is at its limit is
// not raised, and then nothing is said.
const verifySql = `
  with receipt as (
    select id from receipt_codes where programme_id = $1 and code = $2
  ), miss as (
    select (not exists (select from receipt))::int as misses
  ), phone as (
    insert into verification_tries as t (programme_id, caller, hour, tries, misses, last_key)
    select $1, $3, $4, 1, misses, $5 from miss
     where not exists (select from verification_tries where programme_id = $1 and caller = '' and hour = $4 and misses >= $8)
        or exists (select from verification_tries where programme_id = $1 and caller = $3 and hour = $4 and last_key = $5)
    on conflict (programme_id, caller, hour) do update
      set tries = t.tries + (t.last_key <> excluded.last_key)::int,
          misses = t.misses + case when t.last_key <> excluded.last_key then excluded.misses else 0 end,
          last_key = excluded.last_key
      where t.last_key = excluded.last_key or (t.tries < $6 and t.misses < $7)
    returning old.last_key is distinct from new.last_key as counted
  ), house as (
    insert into verification_tries as t (programme_id, caller, hour, tries, misses, last_key)
    select $1, '', $4, 1, misses, $5 from miss, phone where phone.counted
    on conflict (programme_id, caller, hour) do update
      set tries = t.tries + 1, misses = t.misses + excluded.misses where t.misses < $8
    returning 1
  ), verdict as (
    select exists (select from phone where not counted) or exists (select from house) as allowed
  ), noted as (
    insert into unmatched_codes (programme_id, occurred_at, phone_mark, code_mark, well_formed, dedupe_key)
    select $1, $9, left($3, 8), $10, $11, $5 from miss, verdict where misses = 1 and allowed
    on conflict (dedupe_key) do nothing
  )
  select allowed, (select id from receipt) as "receiptId" from verdict`

/** Counts the try, and says whether a receipt has this code. A code that nobody has becomes an event for staff. */
export async function verifyReceipt(db: Queryable, ask: Verifying): Promise<Verified> {
  const hour = new Date(Math.floor(ask.now.getTime() / 3_600_000) * 3_600_000)
  const { rows } = await db.query<{ allowed: boolean; receiptId: string | null }>(verifySql, [
    ask.programmeId,
    ask.code,
    ask.caller,
    hour,
    ask.hopKey,
    triesMax,
    missesMax,
    programmeMissesMax,
    ask.now,
    ask.codeMark,
    isReceiptCode(ask.code),
  ])
  const [row] = rows
  if (row?.allowed !== true) return { outcome: 'too_often' }
  return row.receiptId === null ? { outcome: 'unknown' } : { outcome: 'found', receiptId: row.receiptId }
}

export interface ReceiptFacts {
  amount: Amount
  bookedDate: CalendarDate
  group: string | null
  reversed: boolean
}

const factsSql = `
  select e.booked_date as "bookedDate", g.name as "group",
         exists (select from entries r where r.reverses_id = e.id) as reversed,
         (select abs(sum(p.amount)) from postings p join accounts a on a.id = p.account_id and a.purpose = 'loan'
           where p.entry_id = e.id and a.member_id = c.member_id) as amount
    from receipt_codes c
    join entries e on e.id = c.entry_id
    join members m on m.id = c.member_id
    left join groups g on g.id = m.group_id
   where c.id = $1 and c.programme_id = $2`

/** All that anybody may see of a receipt. Undefined when its code was given out again. */
export async function readReceipt(
  reads: Pipeline,
  programmeId: string,
  receiptId: string,
): Promise<ReceiptFacts | undefined> {
  const [row] = await reads.query<Omit<ReceiptFacts, 'amount'> & { amount: string | null }>(
    'receipt-facts',
    factsSql,
    [receiptId, programmeId],
  )
  return row === undefined ? undefined : { ...row, amount: new Decimal(row.amount ?? 0) }
}

/** The code that stands on her receipt of an entry. */
export async function readReceiptCode(
  reads: Pipeline,
  memberId: string,
  entryId: string,
): Promise<string | undefined> {
  const [row] = await reads.query<{ code: string }>(
    'receipt-code',
    'select code from receipt_codes where entry_id = $1 and member_id = $2',
    [entryId, memberId],
  )
  return row?.code
}
