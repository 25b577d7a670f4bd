// R13: a provider away for six hours, in every way that providers are away. Pauses are scaled: 20 ms stand for 30 s.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createAlarms } from '../../src/alarms.ts'
import { systemClock } from '../../src/clock.ts'
import { readI18n } from '../../src/i18n.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createDecider } from '../../src/outbound/decision.ts'
import { createMessages } from '../../src/outbound/outbox.ts'
import { createQueues, type Queues } from '../../src/outbound/queue.ts'
import { createRelay, type Relay } from '../../src/outbound/relay.ts'
import { createSender, type Sender } from '../../src/outbound/sender.ts'
import { createAfricasTalking } from '../../src/providers/africastalking.ts'
import { createEmulator, type Emulator } from '../../src/simulator/emulator.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import { createProgramme } from '../support/fixtures.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts'

const pauseMs = 20
const scale = pauseMs / 30_000
/** Six hours, shared by the kinds of outage. */
const outageMs = 6 * 3_600_000 * scale
const each = atScale(40, 600)
const callsMax = 4
const recipientsPerCall = 5

const outages = [
  { name: 'refusals', faults: { outage: 'refuse' }, unknown: false },
  { name: 'hangs', faults: { outage: 'hang' }, unknown: true },
  { name: 'cut connections', faults: { outage: 'reset' }, unknown: true },
  { name: '500s', faults: { outage: 'error_500' }, unknown: true },
  { name: 'an empty balance', faults: { everyRecipient: 405 }, unknown: false },
  { name: 'a refused sender', faults: { everyRecipient: 402 }, unknown: false },
] as const

describe.each([
  { backend: 'PostgreSQL', available: true },
  { backend: 'Redis', available: hasRedis },
])('six hours without a provider, the queue on $backend', ({ backend, available }) => {
  describe.skipIf(!available)('', () => {
    let database: TestDatabase
    let redis: TestRedis | undefined
    let emulator: Emulator
    let queues: Queues
    let sender: Sender
    let relay: Relay
    let programmeId: string
    let phones: { id: string }[]
    let written = 0
    const metrics = createMetrics()
    const alarms = createAlarms({ clock: systemClock, logger: silentLogger, metrics })

    beforeAll(async () => {
      database = await createTestDatabase()
      redis = backend === 'Redis' ? await startRedis() : undefined
      const { db, url: databaseUrl } = database
      programmeId = (await createProgramme(db)).id
      await db.pool.query('update programmes set send_from_minute = 0, send_until_minute = 1440')
      phones = (
        await db.pool.query<{ id: string }>(
          `insert into phones (programme_id, msisdn) select $1, '+22177' || (1000000 + i) from generate_series(1, 200) i
           returning id`,
          [programmeId],
        )
      ).rows
      emulator = createEmulator({
        clock: systemClock,
        logger: silentLogger,
        username: 'tama',
        apiKey: 'key',
        messagesMax: 10_000,
      })
      const baseUrl = await emulator.listen(0)
      queues = createQueues({ databaseUrl, redisUrl: redis?.url, logger: silentLogger })
      await queues.ready()
      const shared = { db, databaseUrl, queues, clock: systemClock, logger: silentLogger, metrics }
      const provider = createAfricasTalking({ username: 'tama', apiKey: 'key', baseUrl, timeoutMs: 400 })
      const decide = createDecider({ db, i18n: readI18n('locales').i18n })
      const limits = { callsMax, recipientsPerCall, pauseMs, retryBaseMs: pauseMs, retryMaxMs: pauseMs * 30 }
      sender = createSender({ ...shared, provider, decide, alarms, lanes: ['bulk'], ...limits })
      relay = createRelay({ ...shared, pollMs: 50, recoverMs: 200, submittingMs: 20_000, leaseMs: 5_000 })
      await sender.start()
      await relay.start()
    }, 60_000)
    afterAll(async () => {
      await relay.stop()
      await sender.stop()
      await queues.close()
      await emulator.close()
      await alarms.close()
      await redis?.stop()
      await database.drop()
    }, 60_000)

    /** Half of them are stale when the provider is back, half can wait. */
    async function write(count: number, now: number): Promise<void> {
      await createMessages(
        database.db.pool,
        Array.from({ length: count }, (_, index) => ({
          programmeId,
          phoneId: phones[(written + index) % phones.length]?.id ?? '',
          // An answer needs no consent, which this is not about.
          purpose: 'reply',
          template: 'reply.stopped',
          lane: 'bulk',
          dedupeKey: `r13/${written + index}`,
          notBefore: new Date(now - 1_000),
          expiresAt: new Date(index % 2 === 0 ? now + outageMs / outages.length / 2 : now + 3_600_000),
        })),
      )
      written += count
    }
    const counts = async () => {
      const { rows } = await database.db.pool.query<{ status: string; count: number }>(
        'select status, count(*)::int as count from messages group by status',
      )
      return Object.fromEntries(rows.map(({ status, count }) => [status, count])) as Record<string, number>
    }
    const isPaused = async () => (await metrics.lanePaused.get()).values.some(({ value }) => value === 1)

    it.each(outages)(
      '$name: the lane rests and tries with one message, nothing is lost, and it goes on by itself',
      { timeout: 120_000 },
      async ({ faults, unknown, name }) => {
        const before = { ...emulator.calls(), unknown: (await counts()).unknown ?? 0 }
        await emulator.setFaults(faults)
        const startedMs = systemClock.now().getTime()
        await write(each, startedMs)
        await vi.waitFor(async () => expect(await isPaused()).toBe(true), { timeout: 30_000, interval: 2 })
        expect(alarms.list()).toMatchObject([{ code: 'lane.paused', where: 'bulk' }])
        const left = outageMs / outages.length - (systemClock.now().getTime() - startedMs)
        await new Promise((resolve) => setTimeout(resolve, Math.max(left, 0)))
        const tries = emulator.calls().messagingCalls - before.messagingCalls
        await emulator.setFaults({})
        await vi.waitFor(
          async () => {
            const { created = 0, queued = 0, claimed = 0, submitting = 0 } = await counts()
            expect(created + queued + claimed + submitting).toBe(0)
          },
          { timeout: 90_000, interval: 100 },
        )
        await vi.waitFor(() => expect(alarms.list()).toEqual([]))
        const lost = ((await counts()).unknown ?? 0) - before.unknown
        // What was under way when it began, five more calls to find it out, and one message a try.
        const triesMax = outageMs / outages.length / (pauseMs * 0.75) + 1
        expect(lost).toBeLessThanOrEqual(unknown ? (callsMax + 5) * recipientsPerCall + triesMax : 0)
        console.info(`${backend}, ${name}: ${tries} calls arrived, ${lost} of ${each} messages unknown`)
      },
    )

    it('in the end every message is sent once, expired or listed as unknown, and none left after its time', async () => {
      const { submitted = 0, expired = 0, unknown = 0, ...rest } = await counts()
      expect(rest).toEqual({})
      expect(submitted + expired + unknown).toBe(outages.length * each)
      expect(expired).toBeGreaterThan(0)
      expect(emulator.calls().accepted).toBe(submitted)
      const { rows } = await database.db.pool.query(
        // A call may begin just before the end of a message's time and take its timeout.
        `select 1 from messages where submitted_at > expires_at + interval '1 second'`,
      )
      expect(rows).toEqual([])
      showFigure(
        'R13',
        `${backend}: ${outages.length * each} messages, ${submitted} sent once, ${expired} expired, ${unknown} unknown, 0 lost`,
      )
    })
  })
})
