// In: which entries the back office asks for. Out: entries with their postings, in the order in which they were written.
import { z } from 'zod'
import type { Queryable } from '../db.ts'
import { RequestError } from '../errors.ts'
import { entryKinds, readEntries, type StoredEntry } from '../ledger/entries.ts'
import { type Answer, day, entryAnswer, printable } from './api-schemas.ts'
import type { ApiCaller } from './keys.ts'
import { type ListOrder, nextAnswer, pageQuery, readPage } from './paging.ts'

export const storedEntryAnswer = entryAnswer.extend({
  reversedBy: z.string().nullable().describe('Reference of the entry that reverses this one'),
})

export const entriesQuery = z.strictObject({
  account: printable(120).optional().describe('Account code: entries with a posting on it'),
  kind: z.enum(entryKinds).optional(),
  bookedFrom: day.optional(),
  bookedUntil: day.optional().describe('That day included'),
  ...pageQuery,
})

export const entriesAnswer = z.object({ entries: z.array(storedEntryAnswer), next: nextAnswer })

/** Ids grow with time, so that what is posted during a walk comes at its end. */
const order: ListOrder = { name: 'entries', columns: [['e.id', 'uuid']] }

export async function entriesOf(
  tx: Queryable,
  caller: ApiCaller,
  query: z.infer<typeof entriesQuery>,
): Promise<Answer<z.infer<typeof entriesAnswer>>> {
  const { account, kind, bookedFrom, bookedUntil } = query
  const { rows, next } = await readPage<{ reference: string }>(tx, order, {
    select: 'e.reference',
    from: `from entries e where e.programme_id = $1
      and ($2::text is null or exists (select 1 from postings p join accounts a on a.id = p.account_id
                                        where p.entry_id = e.id and a.programme_id = $1 and a.code = $2))
      and ($3::text is null or e.kind = $3) and ($4::date is null or e.booked_date >= $4) and ($5::date is null or e.booked_date <= $5)`,
    values: [caller.programmeId, account ?? null, kind ?? null, bookedFrom ?? null, bookedUntil ?? null],
    page: query,
  })
  const stored = await readEntries(
    tx,
    caller.programmeId,
    rows.map(({ reference }) => reference),
  )
  return {
    status: 200,
    body: { entries: rows.flatMap(({ reference }) => stored.get(reference) ?? []), next },
  }
}

export async function entryOf(
  tx: Queryable,
  caller: ApiCaller,
  reference: string,
): Promise<Answer<StoredEntry>> {
  const entry = (await readEntries(tx, caller.programmeId, [reference])).get(reference)
  if (entry === undefined)
    throw new RequestError('route.unknown', { field: 'reference', detail: 'no entry has this reference' })
  return { status: 200, body: entry }
}
