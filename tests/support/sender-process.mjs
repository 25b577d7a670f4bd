// A worker process of its own, to be killed: relay and sender over the built code, deciding to send everything.
import { systemClock } from '../../dist/clock.js'
import { createDb } from '../../dist/db.js'
import { createLogger } from '../../dist/logger.js'
import { createMetrics } from '../../dist/metrics.js'
import { createQueues } from '../../dist/outbound/queue.js'
import { createRelay } from '../../dist/outbound/relay.js'
import { createSender } from '../../dist/outbound/sender.js'
import { createAfricasTalking } from '../../dist/providers/africastalking.js'

const { databaseUrl, redisUrl, providerUrl, callsMax } = JSON.parse(process.argv[2] ?? '{}')
const logger = createLogger('silent')
const db = createDb({ url: databaseUrl, logger })
const queues = createQueues({ databaseUrl, redisUrl, logger })
const shared = { db, databaseUrl, queues, clock: systemClock, logger, metrics: createMetrics() }

async function decide(messageIds) {
  const { rows } = await db.pool.query(
    `select m.id, p.id as "phoneId", p.msisdn from messages m join phones p on p.id = m.phone_id
      where m.id = any($1::uuid[])`,
    [messageIds],
  )
  return rows.map(({ id, phoneId, msisdn }) => ({
    messageId: id,
    action: 'send',
    phoneId,
    msisdn,
    senderId: 'TAMA',
    language: 'fr',
    text: `Message ${id}`,
    segments: 1,
  }))
}

const relay = createRelay({ ...shared, leaseMs: 2_000, submittingMs: 15_000, recoverMs: 500, pollMs: 200 })
const sender = createSender({
  ...shared,
  provider: createAfricasTalking({
    username: 'sandbox',
    apiKey: 'key',
    baseUrl: providerUrl,
    timeoutMs: 10_000,
  }),
  decide,
  callsMax,
  lanes: ['planned'],
  stalledIntervalMs: 500,
})
await sender.start()
await relay.start()
process.on('SIGTERM', async () => {
  await relay.stop()
  await sender.stop()
  await queues.close()
  await db.close()
  process.exit(0)
})
process.stdout.write('ready\n')
