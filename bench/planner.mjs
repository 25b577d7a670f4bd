// The reminder planner over 1,000,000 instalments, 100,000 of them due in three days, against one plain INSERT ... SELECT of as many rows.
// Rounds interleaved, medians; each round's rows are taken away again.   node bench/planner.mjs [rounds]

import { addDays, localParts } from '../dist/calendar.js'
import { systemClock } from '../dist/clock.js'
import { createDb } from '../dist/db.js'
import { createLogger } from '../dist/logger.js'
import { createMetrics } from '../dist/metrics.js'
import { createPlanner } from '../dist/reminders/planner.js'
import { cleanUp, median, printTable, round, startDatabase } from './support.mjs'

const rounds = Number(process.argv[2] ?? 5)
const url = await startDatabase()
const logger = createLogger('silent')
const db = createDb({ url, logger })
const now = systemClock.now()
const today = localParts(now, 'Africa/Dakar').date
const members = 100_000

await db.transaction(async (tx) => {
  await tx.query('set local synchronous_commit = off')
  const { rows } =
    await tx.query(`insert into programmes (code, name, service_code, sender_id, currency_code, country, time_zone, languages)
    values ('bench', 'Bench', '*384*9', 'BENCH', 'XOF', 'SN', 'Africa/Dakar', '{fr}') returning id`)
  const programmeId = rows[0].id
  await tx.query(
    `insert into accounts (programme_id, code, type, purpose, currency_code) values ($1, 'cash', 'asset', 'cash', 'XOF')`,
    [programmeId],
  )
  await tx.query(
    `insert into members (programme_id, number, first_name, last_name, alias, language)
     select $1, 'M' || n, 'Awa', 'Diatta', 'Awa', 'fr' from generate_series(1, $2::int) n`,
    [programmeId, members],
  )
  await tx.query(`insert into consents (member_id, purpose, granted, channel, wording, language, collector, collected_at)
    select m.id, purpose, true, 'staff', 'sheet-1', 'fr', 'staff:bench', now() - interval '1 year'
      from members m, unnest(array['receipt', 'reminder', 'meeting']) as purpose`)
  await tx.query(
    `insert into phones (programme_id, msisdn) select $1, '+2217' || lpad(n::text, 8, '0') from generate_series(1, $2::int) n`,
    [programmeId, members],
  )
  await tx.query(`insert into member_phones (member_id, phone_id)
    select m.id, p.id from members m join phones p on p.msisdn = '+2217' || lpad(substr(m.number, 2), 8, '0')`)
  await tx.query(
    `insert into accounts (programme_id, code, type, purpose, currency_code, member_id)
     select programme_id, 'loan/' || number, 'asset', 'loan', 'XOF', id from members`,
  )
  await tx.query(`insert into loans (programme_id, member_id, account_id, number, product, principal)
    select a.programme_id, a.member_id, a.id, substr(a.code, 6), 'standard', 100000 from accounts a where a.purpose = 'loan'`)
  // Ten instalments: four behind, one in three days, five to come. The four are paid.
  await tx.query(
    `insert into instalments (loan_id, number, due_date, principal)
     select l.id, n, $1::date + 3 + (n - 5) * 14, 10000 from loans l, generate_series(1, 10) n`,
    [today],
  )
  for (const [name, kind, amount, day] of [
    ['disbursement', 'loan_disbursement', 100_000, -60],
    ['repayment-1', 'loan_repayment', -10_000, -53],
    ['repayment-2', 'loan_repayment', -10_000, -39],
    ['repayment-3', 'loan_repayment', -10_000, -25],
    ['repayment-4', 'loan_repayment', -10_000, -11],
  ]) {
    await tx.query(
      `insert into entries (programme_id, reference, kind, booked_date)
       select programme_id, $1 || '/' || number, $2, $3::date from loans`,
      [name, kind, addDays(today, day)],
    )
    await tx.query(
      `insert into postings (entry_id, account_id, amount)
       select e.id, x.account_id, x.amount from loans l
         join entries e on e.programme_id = l.programme_id and e.reference = $1 || '/' || l.number
         join accounts c on c.programme_id = l.programme_id and c.code = 'cash'
         cross join lateral (values (l.account_id, $2::numeric), (c.id, -$2::numeric)) x (account_id, amount)`,
      [name, amount],
    )
  }
  await tx.query('update ledger_events set handled_at = now()')
})
await db.pool.query('vacuum analyze')

const counts = (
  await db.pool.query(
    'select (select count(*)::int from instalments) as instalments, (select count(*)::int from postings) as postings',
  )
).rows[0]
const planner = createPlanner({ db, clock: systemClock, logger, metrics: createMetrics() })
const clear = async () => {
  await db.pool.query('truncate messages cascade')
  await db.pool.query('checkpoint')
}
const timed = async (work) => {
  const startedMs = performance.now()
  const result = await work()
  return { ms: performance.now() - startedMs, result }
}
const plainSql = `
  insert into messages (programme_id, member_id, purpose, template, lane, dedupe_key, instalment_id, not_before, expires_at)
  select l.programme_id, l.member_id, 'reminder', 'reminder.due_soon', 'planned', 'plain/' || i.id, i.id, now(), now() + interval '3 days'
    from instalments i join loans l on l.id = i.loan_id where i.due_date = $1::date + 3`
const plans = []
const plains = []
let written = 0
for (let at = 0; at < rounds; at += 1) {
  await clear()
  plains.push((await timed(() => db.pool.query(plainSql, [today]))).ms)
  await clear()
  const planned = await timed(() => planner.planOnce(now))
  plans.push(planned.ms)
  written = (await db.pool.query('select count(*)::int as written from messages')).rows[0].written
}
printTable(
  `Planner: ${round(counts.instalments)} instalments, ${round(counts.postings)} postings, ${rounds} rounds`,
  ['work', 'rows written', 'seconds', 'against plain', 'target'],
  [
    ['one plain INSERT ... SELECT', round(members), (median(plains) / 1000).toFixed(2), '1.00', ''],
    [
      'planner, all kinds',
      round(written),
      (median(plans) / 1000).toFixed(2),
      (median(plans) / median(plains)).toFixed(2),
      'at most 3',
    ],
  ],
)
await db.close()
await cleanUp()
process.exit(0)
