// A programme whose members are told all kinds of things by the real relay and sender, against a provider of a few lines.
import { vi } from 'vitest'
import type { fixedClock } from '../../src/clock.ts'
import { createLedgerEvents, type LedgerEvents } from '../../src/events/consumer.ts'
import type { I18n } from '../../src/i18n.ts'
import { openAsOf } from '../../src/ledger/as-of.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createDecider } from '../../src/outbound/decision.ts'
import { createMessages } from '../../src/outbound/outbox.ts'
import { createQueues } from '../../src/outbound/queue.ts'
import { createRelay } from '../../src/outbound/relay.ts'
import { createSender } from '../../src/outbound/sender.ts'
import { type Verification, verifyMessages } from '../../src/outbound/verify.ts'
import { createAfricasTalking } from '../../src/providers/africastalking.ts'
import { silentLogger, type TestDatabase } from './database.ts'
import type { TestMember, TestProgramme } from './fixtures.ts'
import { startTestProvider, type TestProvider } from './outbound.ts'

export interface TellingHouse {
  network: TestProvider
  events: LedgerEvents
  /** A question that she asked by SMS, or in a dialogue that was too slow. */
  ask(member: TestMember, template: string): Promise<void>
  /** Resolves when every ledger event is handled and no message waits or is at work. */
  settled(): Promise<void>
  verify(): Promise<Verification>
  stop(): Promise<void>
}

export interface TellingOptions {
  /** Where the queue is [PostgreSQL]. */
  redisUrl?: string | undefined
  /** Where SMS go [a provider of a few lines, `network`]. */
  providerUrl?: string
  /** How often due messages are looked for when nothing wakes us [100]. */
  lookMs?: number
}

export async function startTelling(
  database: TestDatabase,
  programme: TestProgramme,
  i18n: I18n,
  clock: ReturnType<typeof fixedClock>,
  { redisUrl, providerUrl, lookMs = 100 }: TellingOptions = {},
): Promise<TellingHouse> {
  const { db, url } = database
  const metrics = createMetrics()
  const network = await startTestProvider()
  const queues = createQueues({ databaseUrl: url, redisUrl, logger: silentLogger })
  await queues.ready()
  const shared = { db, databaseUrl: url, queues, clock, logger: silentLogger, metrics }
  const provider = createAfricasTalking({
    username: 'sandbox',
    apiKey: 'key',
    baseUrl: providerUrl ?? network.url,
    timeoutMs: 20_000,
  })
  const relay = createRelay({ ...shared, recoverMs: 500, pollMs: lookMs })
  const sender = createSender({ ...shared, provider, pauseMs: 100, decide: createDecider({ db, i18n }) })
  const events = createLedgerEvents({ ...shared, pollMs: 50 })
  await sender.start()
  await relay.start()
  let asked = 0

  return {
    network,
    events,
    async ask(member, template) {
      asked += 1
      await createMessages(db.pool, [
        {
          programmeId: programme.id,
          memberId: member.id,
          phoneId: member.phoneId,
          purpose: 'reply',
          template,
          lane: 'urgent',
          dedupeKey: `asked/${asked}`,
          notBefore: clock.now(),
        },
      ])
    },
    async settled() {
      while ((await events.drainOnce()) > 0);
      await vi.waitFor(
        async () => {
          const { rows } = await db.pool.query<{ open: number }>(
            'select count(*)::int as open from messages where stage = 0 and not_before <= $1',
            [clock.now()],
          )
          if (rows[0]?.open !== 0) throw new Error(`${rows[0]?.open} messages are at work`)
        },
        { timeout: 60_000, interval: lookMs },
      )
    },
    async verify() {
      const asOf = openAsOf({ url, logger: silentLogger })
      try {
        const period = { from: new Date(0), until: new Date('2100-01-01T00:00:00Z') }
        return await verifyMessages({ db, asOf, i18n, programmeId: programme.id, ...period })
      } finally {
        await asOf.close()
      }
    },
    async stop() {
      await relay.stop()
      await sender.stop()
      await queues.close()
      await network.stop()
    },
  }
}
