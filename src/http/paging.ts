// In: a list and the cursor of a page. Out: the rows after it and the cursor of the next page. One way for every list of the API.
// Must never skip or repeat a row that was there before the walk: a cursor names the place of the last row, not a count.
import { z } from 'zod'
import { isPlausibleDay } from '../calendar.ts'
import type { Queryable } from '../db.ts'
import { RequestError } from '../errors.ts'

const limitMax = 200

/** What the query of every list may say. */
export const pageQuery = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(limitMax)
    .default(50)
    .meta({ description: 'Rows of a page', type: 'integer' }),
  cursor: z.string().min(1).max(600).optional().describe('The "next" of an earlier page of this list'),
}

export interface Page {
  limit: number
  cursor?: string | undefined
}

export const nextAnswer = z
  .string()
  .nullable()
  .describe('Hand it back as "cursor" to read on, or follow the Link header; null on the last page')

/** How one part of a row's place is written in a cursor, so that no cursor can make a statement fail. */
const parts = {
  uuid: z.guid(),
  bigint: z.string().regex(/^\d{1,18}$/),
  date: z.string().refine(isPlausibleDay),
  timestamptz: z.iso.datetime({ precision: 6 }).refine((text) => isPlausibleDay(text.slice(0, 10))),
  text: z
    .string()
    .max(200)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u),
} as const

/** A list whose rows stand in an order that never changes: together, its columns are unique and are not written again. */
export interface ListOrder {
  /** Names the list in its cursors, so that those of another are refused. */
  name: string
  columns: readonly (readonly [sql: string, type: keyof typeof parts])[]
  newestFirst?: true
}

/** A cursor is opaque to who holds it: what is in it may change. */
export function cursorOf({ name }: ListOrder, place: readonly string[]): string {
  return Buffer.from(JSON.stringify([name, ...place])).toString('base64url')
}

/** Throws request.field_invalid for anything that is no cursor of this list. */
export function placeOf({ name, columns }: ListOrder, cursor: string): string[] {
  const refused = () =>
    new RequestError('request.field_invalid', {
      field: 'cursor',
      detail: 'must be the "next" of an earlier page of this list',
    })
  let read: unknown
  try {
    read = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    throw refused()
  }
  const wanted = z.tuple([z.literal(name), ...columns.map(([, type]) => parts[type])])
  const parsed = wanted.safeParse(read)
  if (!parsed.success) throw refused()
  return parsed.data.slice(1)
}

/** A column of a row's place as a cursor holds it. */
function textOf([sql, type]: ListOrder['columns'][number]): string {
  return type === 'timestamptz'
    ? `to_char(${sql} at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`
    : `(${sql})::text`
}

export interface ListQuery {
  /** What stands between "select" and "from". */
  select: string
  /** From "from" to the end of its conditions, of which there is at least one. */
  from: string
  values: readonly unknown[]
  page: Page
}

/** One statement. The names of `Row` are those of `select`. */
export async function readPage<Row extends object>(
  tx: Queryable,
  order: ListOrder,
  { select, from, values, page }: ListQuery,
): Promise<{ rows: Row[]; next: string | null }> {
  const { columns, newestFirst = false } = order
  const place = page.cursor === undefined ? [] : placeOf(order, page.cursor)
  const direction = newestFirst ? 'desc' : 'asc'
  const after =
    place.length === 0
      ? ''
      : `and (${columns.map(([sql]) => sql).join(', ')}) ${newestFirst ? '<' : '>'}
         (${columns.map(([, type], index) => `$${values.length + index + 1}::${type}`).join(', ')})`
  const { rows } = await tx.query<{ place: string[]; [column: string]: unknown }>(
    `select ${select}, array[${columns.map(textOf).join(', ')}] as place ${from} ${after}
      order by ${columns.map(([sql]) => `${sql} ${direction}`).join(', ')} limit $${values.length + place.length + 1}`,
    [...values, ...place, page.limit + 1],
  )
  const shown = rows.slice(0, page.limit)
  const last = rows.length > page.limit ? shown.at(-1) : undefined
  return {
    rows: shown.map(({ place: _place, ...row }) => row as Row),
    next: last === undefined ? null : cursorOf(order, last.place),
  }
}

/** A page of a list that is read elsewhere: `rows` hold one more than it has room for, when there are more. */
export function cutPage<Row>(
  order: ListOrder,
  rows: readonly Row[],
  { limit }: Page,
  placeIn: (row: Row) => readonly string[],
): { rows: Row[]; next: string | null } {
  const shown = rows.slice(0, limit)
  const last = rows.length > limit ? shown.at(-1) : undefined
  return { rows: shown, next: last === undefined ? null : cursorOf(order, placeIn(last)) }
}

/** The page after this one, as RFC 8288 writes it; undefined where there is none. */
export function linkToNext(
  path: string,
  query: Readonly<Record<string, unknown>>,
  body: unknown,
): string | undefined {
  if (typeof body !== 'object' || body === null || !('next' in body) || typeof body.next !== 'string')
    return undefined
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (typeof value === 'string') search.set(name, value)
  search.set('cursor', body.next)
  return `<${path}?${search}>; rel="next"`
}
