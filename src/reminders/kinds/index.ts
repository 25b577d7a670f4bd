// The kinds of reminders. A new kind is one file and one line here.
import { dueMissed } from './due-missed.ts'
import { dueSoon } from './due-soon.ts'
import { meeting } from './meeting.ts'
import { training } from './training.ts'

/**
 * One SELECT of ours that yields the outbox's `plannedColumns` in order for all reminders that are due and not yet written.
 * Values: $1 programme id, $2 now, $3 the programme's business date.
 */
export interface ReminderKind {
  name: string
  select: string
}

export const reminderKinds: readonly ReminderKind[] = [dueSoon, dueMissed, meeting, training]
