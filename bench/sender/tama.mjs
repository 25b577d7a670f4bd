// Tama from outbox to submitted, with the real decider, one call a message.
// node tama.mjs COUNT CALLS_MAX PROVIDER_URL bare|sdk DATABASE_URL REDIS_URL|- [BULK] [CALLS_AHEAD_MAX]
import { systemClock } from '../../dist/clock.js'
import { createDb } from '../../dist/db.js'
import { loadI18n } from '../../dist/i18n.js'
import { createLogger } from '../../dist/logger.js'
import { createMetrics } from '../../dist/metrics.js'
import { createDecider } from '../../dist/outbound/decision.js'
import { createMessages } from '../../dist/outbound/outbox.js'
import { createQueues } from '../../dist/outbound/queue.js'
import { createRelay } from '../../dist/outbound/relay.js'
import { createSender } from '../../dist/outbound/sender.js'
import { createAfricasTalking } from '../../dist/providers/africastalking.js'
import { median } from '../support.mjs'
import { createCall } from './call.mjs'

const [countText, callsMax, providerUrl, kind, databaseUrl, redisText, bulkText = '0', aheadText = '0'] =
  process.argv.slice(2)
const count = Number(countText)
const bulk = Number(bulkText)
const redisUrl = redisText === '-' ? undefined : redisText
const logger = createLogger('warn')
const db = createDb({ url: databaseUrl, logger })
const metrics = createMetrics()
const clock = systemClock
const run = `${process.pid}-${Date.now()}`

const { rows: receivers } = await db.pool.query(`
  select m.id as "memberId", m.programme_id as "programmeId", e.id as "entryId"
    from members m
    join lateral (select e.id from entries e join postings p on p.entry_id = e.id join accounts a on a.id = p.account_id
                   where a.member_id = m.id and e.kind = 'loan_repayment' limit 1) e on true
    join member_phones mp on mp.member_id = m.id and mp.is_primary
   where m.status = 'active' and m.language is not null`)

async function write(total, lane, name) {
  const messages = Array.from({ length: total }, (_, index) => {
    const receiver = receivers[index % receivers.length]
    return {
      ...receiver,
      purpose: 'receipt',
      template: 'receipt.loan_repayment',
      lane,
      dedupeKey: `${name}/${run}/${index}`,
      notBefore: new Date(Date.now() - 1_000),
    }
  })
  for (let at = 0; at < total; at += 5_000) await createMessages(db.pool, messages.slice(at, at + 5_000))
}

const call = createCall(providerUrl)
const bare = {
  name: 'bare',
  recipientsMax: 1,
  send: async ({ text, recipients }) => {
    const providerMessageId = await call(recipients[0], text)
    return [{ msisdn: recipients[0], accepted: true, providerMessageId }]
  },
}
const provider =
  kind === 'sdk'
    ? createAfricasTalking({ username: 'bench', apiKey: 'key', baseUrl: providerUrl, timeoutMs: 20_000 })
    : bare
const queues = createQueues({ databaseUrl, redisUrl, logger })
await queues.ready()
const shared = { db, databaseUrl, queues, clock, logger, metrics }
const decide = createDecider({ db, i18n: loadI18n('locales') })
const calls = { callsMax: Number(callsMax), callsAheadMax: Number(aheadText), recipientsPerCall: 1 }
const sender = createSender({ ...shared, provider, decide, ...calls })
const relay = createRelay(shared)

// Asked seldom and through the small partial indexes: the question must not be what is measured.
const isOpen = async (lane) => {
  const { rows } = await db.pool.query(
    `select exists (select from messages where lane = $1 and status = 'created')
         or exists (select from messages where lane = $1 and status in ('queued', 'claimed', 'submitting')) as open`,
    [lane],
  )
  return rows[0].open
}
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

if (bulk > 0) await write(bulk, 'bulk', 'bulk')
else await write(count, 'planned', 'bench')
await db.pool.query('analyze messages')
await sender.start()
const startedMs = performance.now()
const startedAt = new Date()
await relay.start()
let result
if (bulk === 0) {
  while (await isOpen('planned')) await pause(500)
  const { rows } = await db.pool.query(
    `select extract(epoch from max(submitted_at) - $1::timestamptz) as seconds, count(*) filter (where status = 'submitted')::int as submitted from messages where dedupe_key like $2`,
    [startedAt, `bench/${run}/%`],
  )
  result = { rate: rows[0].submitted / Number(rows[0].seconds), submitted: rows[0].submitted }
} else {
  // Urgent ones trickle in while the bulk lane drains.
  const waits = []
  for (let index = 0; (await isOpen('bulk')) && index < 600; index += 1) {
    await write(1, 'urgent', `urgent-${index}`)
    await pause(150)
  }
  const { rows } = await db.pool.query(
    `select extract(epoch from submitted_at - created_at) * 1000 as ms from messages where dedupe_key like $1 and submitted_at is not null`,
    [`urgent-%/${run}/%`],
  )
  for (const row of rows) waits.push(Number(row.ms))
  waits.sort((a, b) => a - b)
  const { rows: sent } = await db.pool.query(
    `select count(*)::int as drained from messages where lane = 'bulk' and status = 'submitted'`,
  )
  const [{ drained }] = sent
  result = {
    urgent: waits.length,
    p50Ms: median(waits),
    p95Ms: waits[Math.floor(waits.length * 0.95)],
    drained,
    bulkRate: drained / ((performance.now() - startedMs) / 1000),
  }
}
console.log(JSON.stringify(result))
await relay.stop()
await sender.stop()
process.exit(0)
