// In: work that posts old entries. Out: the same entries, booked as already told, so that nobody gets a receipt for the past.
import type pg from 'pg'

/** Runs `work` in the transaction `tx`; events of other posters stay untouched. */
export async function withoutTelling<Result>(
  tx: pg.PoolClient,
  now: Date,
  work: () => Promise<Result>,
): Promise<Result> {
  const { rows } = await tx.query<{ id: string }>(
    'select coalesce(max(id), 0)::text as id from ledger_events',
  )
  const result = await work()
  await tx.query(
    `update ledger_events v set handled_at = $2 from entries e
      where v.id > $1 and v.handled_at is null and e.id = v.entry_id and e.tx_id = pg_current_xact_id()`,
    [rows[0]?.id ?? '0', now],
  )
  return result
}
