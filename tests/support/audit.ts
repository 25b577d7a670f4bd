// What must hold when a trial is over, whatever was killed: read from the database, and compared with what the provider saw.
import { expect } from 'vitest'
import type { Db } from '../../src/db.ts'
import type { TestProvider } from './outbound.ts'

/** Debits equal credits by entry and by currency; no entry without postings, no posting without its entry. */
export async function auditLedger(db: Db): Promise<void> {
  const { rows } = await db.pool.query<{ fault: string }>(`
    select 'unbalanced entry' as fault from postings p join accounts a on a.id = p.account_id
     group by p.entry_id, a.currency_code having sum(p.amount) <> 0
    union all
    select 'unbalanced currency' from postings p join accounts a on a.id = p.account_id
     group by a.currency_code having sum(p.amount) <> 0
    union all
    select 'half an entry' from entries e where (select count(*) from postings p where p.entry_id = e.id) < 2`)
  expect(rows).toEqual([])
}

/** Every fact is told once, and every message is where its last step says that it is. */
export async function auditMessages(db: Db): Promise<void> {
  const { rows } = await db.pool.query<{ fault: string }>(`
    select 'entry without its message: ' || e.reference as fault from entries e
     where e.kind = 'savings_deposit' and not exists (select 1 from messages m where m.entry_id = e.id)
    union all
    select 'entry with two messages: ' || e.reference from entries e
      join messages m on m.entry_id = e.id where m.template <> 'correction.entry' group by e.reference having count(*) > 1
    union all
    select 'event not handled: ' || v.entry_id from ledger_events v where v.handled_at is null
    union all
    select 'status is not the last step: ' || m.status || ', ' || s.to_status from messages m
      join lateral (select to_status from message_events v where v.message_id = m.id order by v.id desc limit 1) s on true
     where m.status <> s.to_status
    union all
    select 'two calls on record: ' || message_id from message_events where to_status = 'submitting'
     group by message_id having count(*) > (
       select count(*) + 1 from message_events b
        where b.message_id = message_events.message_id and b.from_status = 'submitting' and b.to_status = 'created')`)
  expect(rows.slice(0, 10)).toEqual([])
}

/** Receivers to whom a text went more than once, as the provider counts: whatever it answered, it may have sent. */
export function sentTwice(provider: TestProvider): string[] {
  const seen = new Set<string>()
  const twice: string[] = []
  for (const { text, recipients } of provider.calls)
    for (const msisdn of recipients) {
      const key = `${msisdn} ${text}`
      if (seen.has(key)) twice.push(key)
      seen.add(key)
    }
  return twice
}

/** Messages by status. */
export async function countByStatus(db: Db): Promise<Record<string, number>> {
  const { rows } = await db.pool.query<{ status: string; count: number }>(
    'select status, count(*)::int as count from messages group by status',
  )
  return Object.fromEntries(rows.map(({ status, count }) => [status, count]))
}

/** As if so much time had passed since the open messages were last touched: spares a quick trial the relay's patience. */
export async function ageOpenMessages(db: Db, seconds = 60): Promise<void> {
  await db.pool.query(
    `update messages set updated_at = updated_at - $1 * interval '1 second' where status in ('queued', 'claimed', 'submitting')`,
    [seconds],
  )
  await db.pool.query(`update batches set moved_at = moved_at - $1 * interval '1 second'`, [seconds])
}
