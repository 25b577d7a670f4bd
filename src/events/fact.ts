// A committed entry as a handler sees it, and what a handler is. Handlers get facts in batches: one statement for many.
import type { CalendarDate } from '../calendar.ts'
import type { Queryable } from '../db.ts'
import type { EntryKind } from '../ledger/entries.ts'

export interface LedgerFact {
  eventId: string
  entryId: string
  kind: EntryKind
  programmeId: string
  bookedDate: CalendarDate
  /** Booked more than a week ago: an import of history, nothing to tell anybody today. */
  stale: boolean
  /** The entry that this one undoes. */
  reversesId: string | null
  /** Undone by another entry already. */
  reversed: boolean
  /** Members whose loan or savings accounts it touches; none for the programme's own entries. */
  memberIds: string[]
}

/**
 * Writes the messages that facts of one kind call for, inside `tx`. Rejects as a whole; the consumer then tries the facts
 * one by one.
 */
export type Handler = (tx: Queryable, facts: readonly LedgerFact[], now: Date) => Promise<void>

/** One entry may pay for a whole group: each member then has her own message. */
export function keyOf(prefix: string, fact: LedgerFact, memberId: string): string {
  return fact.memberIds.length === 1 ? `${prefix}/${fact.entryId}` : `${prefix}/${fact.entryId}/${memberId}`
}
