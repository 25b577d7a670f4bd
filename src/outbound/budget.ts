// In: messages that are about to be submitted. Out: those that their programme's budget carries, and for each other one how long it
// waits. Taken before the call and given back when there was none, so that many processes together never spend more than the budget.
import type { Queryable } from '../db.ts'

export interface Spending {
  messageId: string
  segments: number
}

export interface Refusal {
  messageId: string
  /** "code_limit": three codes to one receiver in ten minutes; it never goes. */
  reason: 'budget_minute' | 'budget_day' | 'code_limit'
  /** Null when it never goes. */
  notBefore: Date | null
}

/** One statement a batch. Rejects only when the database is away. */
export async function takeBudget(db: Queryable, asked: readonly Spending[], now: Date): Promise<Refusal[]> {
  if (asked.length === 0) return []
  const { rows } = await db.query<Refusal & { [column: string]: unknown }>(
    `select message_id as "messageId", refused as reason, not_before as "notBefore"
       from take_segments($1::uuid[], $2::int[], $3)`,
    [asked.map(({ messageId }) => messageId), asked.map(({ segments }) => segments), now],
  )
  return rows
}

/** For messages that were not submitted after all. A window that is over keeps what was taken. */
export async function giveBudgetBack(db: Queryable, released: readonly Spending[], now: Date): Promise<void> {
  if (released.length === 0) return
  await db.query(
    `update segment_budgets b
        set minute_used = case when b.minute = date_trunc('minute', $3::timestamptz)
                               then greatest(0, b.minute_used - r.segments) else b.minute_used end,
            day_used = greatest(0, b.day_used - r.segments)
       from (select m.programme_id, sum(w.segments)::int as segments
               from unnest($1::uuid[], $2::int[]) as w (id, segments) join messages m on m.id = w.id
              group by 1) r
      where b.programme_id = r.programme_id`,
    [released.map(({ messageId }) => messageId), released.map(({ segments }) => segments), now],
  )
}

/** For every programme whether messages wait for the next day because this one's budget is spent. */
export async function readSpent(db: Queryable, now: Date): Promise<Map<string, boolean>> {
  const { rows } = await db.query<{ id: string; isSpent: boolean }>(
    `select p.id, coalesce(b.spent_day = ($1::timestamptz at time zone p.time_zone)::date, false) as "isSpent"
       from programmes p left join segment_budgets b on b.programme_id = p.id`,
    [now],
  )
  return new Map(rows.map(({ id, isSpent }) => [id, isSpent]))
}
