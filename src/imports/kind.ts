// What one kind of file is: its columns, its rows, what rows make together and how that is written.
import type pg from 'pg'
import type { z } from 'zod'
import type { RequestError } from '../errors.ts'
import type { Columns } from './csv.ts'
import type { AddFault, ImportFaultCode } from './faults.ts'

export const importKinds = ['groups', 'members', 'loans', 'schedules', 'entries', 'meetings'] as const
export type ImportKindName = (typeof importKinds)[number]

export interface Numbered<Value> {
  /** Line in the file. */
  line: number
  value: Value
}

export interface ImportChange {
  /** Line in the file; of several that belong together, the first. */
  row: number
  /** False: it is there and becomes another. */
  isNew: boolean
  /** Whose content becomes another, where that is known. */
  columns: readonly string[]
}

export interface Written {
  written: number
  alreadyThere: number
  /** Line by line what is written, for a preview; kinds that write too much at once to say leave it out. */
  changes?: readonly ImportChange[]
}

export interface ImportKind<Row, Item> {
  columns: Columns
  row: z.ZodType<Row, unknown>
  /** Consecutive rows with the same text in this column make one item; undefined: every row is an item. */
  groupBy: string | undefined
  /** Rows that one item may have, and the fault of the row beyond. */
  groupRowsMax?: { rows: number; fault: ImportFaultCode }
  /** Makes an item of its rows (at least one), or notes why it cannot. */
  build(rows: readonly Numbered<Row>[], addFault: AddFault): Item | undefined
  /** Writes a batch set-based; what only the database knows becomes a fault. May leave the batch partly written then. */
  write(tx: pg.PoolClient, items: readonly Numbered<Item>[], addFault: AddFault): Promise<Written>
  /** Where in the file stands what the ledger refused of an item. */
  refusal?(
    item: Item,
    error: RequestError,
  ): { line: number; column: string; code: ImportFaultCode; detail: string | undefined } | undefined
}

/** Notes one fault a line and column at which rows differ from the first. */
export function rowsAgree<Row extends object>(
  rows: readonly Numbered<Row>[],
  columns: readonly (keyof Row & string)[],
  differs: (line: number, column: string) => void,
): boolean {
  const [first, ...others] = rows
  let agree = true
  for (const { line, value } of others)
    for (const column of columns)
      if (first !== undefined && String(value[column]) !== String(first.value[column])) {
        agree = false
        differs(line, column)
      }
  return agree
}
