// The whole outbound path on a real queue and a real HTTP provider, on both backends of the queue, with its crash points.
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type Clock, systemClock } from '../../src/clock.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createCanary, readCanary } from '../../src/outbound/canary.ts'
import type { Decision } from '../../src/outbound/decision.ts'
import { recordDeliveryReport } from '../../src/outbound/delivery-report.ts'
import { sampleMessages } from '../../src/outbound/gauges.ts'
import { createQueues, type Queues } from '../../src/outbound/queue.ts'
import { createRelay, type Relay, type RelayOptions } from '../../src/outbound/relay.ts'
import { createSender, type Sender, type SenderOptions } from '../../src/outbound/sender.ts'
import { createAfricasTalking } from '../../src/providers/africastalking.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import {
  type OutboundFixture,
  outboundFixture,
  refusal,
  sendAll,
  startTestProvider,
  type TestProvider,
} from '../support/outbound.ts'
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts'

const provider = 'africastalking'
const waitFor = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 25_000, interval: 50 })

describe.each([
  { backend: 'PostgreSQL', available: true },
  { backend: 'Redis', available: hasRedis },
])('the outbound path with its queue on $backend', ({ backend, available }) => {
  describe.skipIf(!available)('', () => {
    let database: TestDatabase
    let redis: TestRedis | undefined
    let outbound: OutboundFixture
    let network: TestProvider
    let queues: Queues
    const running: (Relay | Sender)[] = []
    const metrics = createMetrics()

    beforeAll(async () => {
      database = await createTestDatabase()
      redis = backend === 'Redis' ? await startRedis() : undefined
      outbound = await outboundFixture(database.db)
      network = await startTestProvider()
      queues = createQueues({ databaseUrl: database.url, redisUrl: redis?.url, logger: silentLogger })
      await queues.ready()
    })
    afterEach(async () => {
      for (const part of running.splice(0).reverse()) await part.stop()
      network.answer = (_, accept) => accept()
      network.calls.length = 0
      await database.db.pool.query('truncate messages, message_events, delivery_reports, heartbeats')
    })
    afterAll(async () => {
      await queues.close()
      await network.stop()
      await redis?.stop()
      await database.drop()
    })

    async function startRelay(options: Partial<RelayOptions> = {}): Promise<Relay> {
      const relay = createRelay({ ...shared(), recoverMs: 100, pollMs: 200, ...options })
      running.push(relay)
      await relay.start()
      return relay
    }
    async function startSender(options: Partial<SenderOptions> = {}): Promise<Sender> {
      const sender = createSender({
        ...shared(),
        provider: createAfricasTalking({
          username: 'sandbox',
          apiKey: 'key',
          baseUrl: network.url,
          timeoutMs: 20_000,
        }),
        decide: sendAll(database.db),
        stalledIntervalMs: 500,
        ...options,
      })
      running.push(sender)
      await sender.start()
      return sender
    }
    const shared = () => ({
      db: database.db,
      databaseUrl: database.url,
      queues,
      clock: systemClock,
      logger: silentLogger,
      metrics,
    })
    const report = (providerMessageId: string, status: string, msisdn?: string, clock: Clock = systemClock) =>
      recordDeliveryReport(database.db, clock, { provider, providerMessageId, status, msisdn }, metrics)
    const settles = (id: string, status: string) =>
      waitFor(async () => expect(await outbound.statusOf(id)).toBe(status))

    it('a message goes from the outbox to her phone, and every step is a row', async () => {
      await startRelay()
      await startSender()
      const [id = ''] = await outbound.write(1, { lane: 'urgent' })
      await settles(id, 'submitted')
      const providerId = network.idOf(`Message ${id}`) ?? ''
      expect(await report(providerId, 'Sent')).toBe('moved')
      expect(await report(providerId, 'Success')).toBe('moved')
      expect(await report(providerId, 'Success')).toBe('unchanged')
      expect(await report(providerId, 'Sent')).toBe('unchanged')
      expect(await outbound.story(id)).toEqual([
        'created>queued',
        'queued>claimed',
        'claimed>submitting',
        'submitting>submitted',
        'submitted>sent',
        'sent>delivered',
      ])
      const { rows } = await database.db.pool.query(
        'select cost, cost_currency, language, text, phone_id from messages where id = $1',
        [id],
      )
      expect(rows[0]).toMatchObject({
        cost: '12.000000',
        cost_currency: 'XOF',
        language: 'fr',
        text: `Message ${id}`,
      })
    })

    it('hundreds in all lanes each go once, with two relays at work', async () => {
      await Promise.all([startRelay(), startRelay()])
      await startSender()
      for (const lane of ['urgent', 'planned', 'bulk'] as const) await outbound.write(60, { lane, key: lane })
      await waitFor(async () => expect(await outbound.statuses()).toEqual({ submitted: 180 }))
      expect(new Set(network.calls.map((call) => call.text)).size).toBe(180)
      expect(network.calls).toHaveLength(180)
    })

    it('one text to many goes in few calls, and each receiver has her own provider id', async () => {
      const decide = sendAll(database.db)
      await outbound.write(60)
      await startSender({
        decide: async (ids) =>
          (await decide(ids)).map((decision) => ({ ...decision, text: 'Reunion demain' }) as Decision),
      })
      await startRelay()
      await waitFor(async () => expect(await outbound.statuses()).toEqual({ submitted: 60 }))
      // 20 phones, 60 messages: no number stands twice in a call.
      expect(network.calls.map((call) => call.recipients.length)).toEqual([20, 20, 20])
      const { rows } = await database.db.pool.query(
        'select count(distinct provider_message_id)::int as ids from messages',
      )
      expect(rows[0]).toEqual({ ids: 60 })
    })

    it('what is no longer true or wanted does not leave, and says why', async () => {
      const [paid = '', stopped = '', late = '', faulty = '', quiet = '', forgotten = '', goes = ''] =
        await outbound.write(7)
      const tomorrow = new Date(systemClock.now().getTime() + 86_400_000)
      const verdicts: Record<string, Decision> = {
        [paid]: { messageId: paid, action: 'cancel', reason: 'paid' },
        [stopped]: { messageId: stopped, action: 'suppress', reason: 'opted_out' },
        [late]: { messageId: late, action: 'expire', reason: 'expired' },
        [faulty]: { messageId: faulty, action: 'fail', reason: 'no_phone' },
        [quiet]: { messageId: quiet, action: 'defer', reason: 'quiet_hours', notBefore: tomorrow },
      }
      const decide = sendAll(database.db)
      await startSender({
        decide: async (ids) => [
          ...Object.values(verdicts),
          ...(await decide(ids.filter((id) => !(id in verdicts) && id !== forgotten))),
        ],
      })
      await startRelay()
      await settles(goes, 'submitted')
      const { rows } = await database.db.pool.query<{ id: string; status: string; reason: string | null }>(
        'select id, status, reason from messages',
      )
      expect(Object.fromEntries(rows.map(({ id, status, reason }) => [id, `${status} ${reason}`]))).toEqual({
        [paid]: 'cancelled paid',
        [stopped]: 'suppressed opted_out',
        [late]: 'expired expired',
        [faulty]: 'failed no_phone',
        [quiet]: 'created quiet_hours',
        [forgotten]: 'failed undecided',
        [goes]: 'submitted null',
      })
      expect(network.calls).toHaveLength(1)
      const deferred = await database.db.pool.query(
        'select not_before, attempts from messages where id = $1',
        [quiet],
      )
      expect(deferred.rows).toEqual([{ not_before: tomorrow, attempts: 0 }])
    })

    it('a stop while her message waits in a claimed batch holds it back', async () => {
      const ids = await outbound.write(2)
      let release: () => void = () => undefined
      const held = new Promise<void>((resolve) => {
        release = resolve
      })
      const decide = sendAll(database.db)
      await startSender({
        decide: async (batch) => {
          const decisions = await decide(batch)
          await held
          return decisions
        },
      })
      await startRelay()
      await settles(ids[0] ?? '', 'claimed')
      await database.db.pool.query(`update messages set status = 'suppressed' where id = $1`, [ids[0]])
      release()
      await settles(ids[1] ?? '', 'submitted')
      expect(await outbound.statusOf(ids[0] ?? '')).toBe('suppressed')
      expect(network.calls.map((call) => call.text)).toEqual([`Message ${ids[1]}`])
    })

    describe('when the queue or a process is lost', () => {
      it('rows of a lost queue get a new job', async () => {
        const relay = await startRelay({ recoverMs: 60_000, leaseMs: 300 })
        const ids = await outbound.write(30)
        await waitFor(async () => expect(await outbound.statuses()).toEqual({ queued: 30 }))
        for (const queue of queues.all) await queue.obliterate({ force: true })
        await startSender()
        await waitFor(async () => {
          await relay.recover()
          expect(await outbound.statuses()).toEqual({ submitted: 30 })
        })
        expect(network.calls).toHaveLength(30)
        expect(await outbound.story(ids[0] ?? '')).toContain('queued>queued')
      })

      it('a job that still waits is left alone, however long', async () => {
        const relay = await startRelay({ recoverMs: 60_000, leaseMs: 60_000 })
        const [id = ''] = await outbound.write(1)
        await settles(id, 'queued')
        await database.db.pool.query(`update messages set updated_at = updated_at - interval '90 seconds'`)
        expect(await relay.recover()).toBe(0)
        expect(await outbound.statusOf(id)).toBe('queued')
        for (const queue of queues.all) await queue.obliterate({ force: true })
      })

      it('a batch claimed by a process that died is taken again and sent once', async () => {
        const ids = await outbound.write(20)
        const dead = '01234567-89ab-4def-8123-456789abcdef'
        await database.db.pool.query(
          `update messages set status = 'claimed', batch_id = $1, updated_at = now() - interval '2 minutes'`,
          [dead],
        )
        await startSender()
        await startRelay()
        await waitFor(async () => expect(await outbound.statuses()).toEqual({ submitted: 20 }))
        expect(network.calls).toHaveLength(20)
        expect(await outbound.story(ids[0] ?? '')).toEqual([
          'claimed>queued',
          'queued>claimed',
          'claimed>submitting',
          'submitting>submitted',
        ])
      })

      it('a call that its process did not survive is unknown and never made again', async () => {
        const [id = ''] = await outbound.write(1)
        await database.db.pool.query(
          `update messages set status = 'submitting', batch_id = gen_random_uuid(), updated_at = now() - interval '2 minutes'
            where id = $1`,
          [id],
        )
        await startSender()
        await startRelay()
        await settles(id, 'unknown')
        expect(network.calls).toEqual([])
      })

      it('a worker that finds its queue dead says so instead of waiting silently', async () => {
        const nowhere = createQueues({
          databaseUrl: 'postgres://nobody@127.0.0.1:1/none',
          redisUrl: undefined,
          logger: silentLogger,
        })
        await expect(nowhere.ready()).rejects.toMatchObject({ code: 'dependency.queue' })
        await expect(
          nowhere.work('outbound-bulk', { concurrency: 1, stalledIntervalMs: 1_000 }, async () => undefined),
        ).rejects.toMatchObject({ code: 'dependency.queue' })
        await nowhere.close().catch(() => undefined)
      })

      it('stopping finishes the calls under way and gives the rest back', async () => {
        await outbound.write(40)
        const held: (() => void)[] = []
        network.answer = (_, accept) => held.push(accept)
        const sender = await startSender({ callsMax: 4 })
        await startRelay()
        await waitFor(async () => expect(held).toHaveLength(4))
        const [relay] = running.splice(1)
        await relay?.stop()
        const stopped = sender.stop()
        running.length = 0
        await waitFor(async () => expect((await outbound.statuses()).created).toBe(36))
        for (const accept of held) accept()
        await stopped
        expect(await outbound.statuses()).toEqual({ submitted: 4, created: 36 })
        expect(network.calls).toHaveLength(4)
      })
    })

    it('calls marked ahead wait their turn, and go back when the sender stops', async () => {
      await outbound.write(40)
      const held: (() => void)[] = []
      network.answer = (_, accept) => held.push(accept)
      const sender = await startSender({ callsMax: 4, callsAheadMax: 3 })
      await startRelay()
      await waitFor(async () => expect((await outbound.statuses()).submitting).toBe(7))
      await waitFor(async () => expect(held).toHaveLength(4))
      const [relay] = running.splice(1)
      await relay?.stop()
      const stopped = sender.stop()
      running.length = 0
      await waitFor(async () => expect((await outbound.statuses()).created).toBe(33))
      for (const accept of held) accept()
      await stopped
      expect(await outbound.statuses()).toEqual({ submitted: 4, created: 36 })
      expect(network.calls).toHaveLength(4)
    })

    describe('when the provider does not take a message', () => {
      it('a provider that is away costs a try and a pause, and the message goes when it is back', async () => {
        const [id = ''] = await outbound.write(1, { lane: 'urgent' })
        const away = await startTestProvider()
        await away.stop()
        const late = createAfricasTalking({ username: 'u', apiKey: 'k', baseUrl: away.url, timeoutMs: 1_000 })
        const sender = await startSender({ provider: late, retryBaseMs: 100 })
        await startRelay()
        await waitFor(async () => {
          const { rows } = await database.db.pool.query('select attempts from messages where id = $1', [id])
          expect(rows[0]?.attempts).toBeGreaterThanOrEqual(2)
        })
        await sender.stop()
        running.splice(running.indexOf(sender), 1)
        await startSender({ retryBaseMs: 100 })
        await settles(id, 'submitted')
        expect(network.calls).toHaveLength(1)
      })

      it('a message that is refused again and again fails at last', async () => {
        const [id = ''] = await outbound.write(1)
        network.answer = (call, _, end) => end(201, refusal(call, 501))
        await startSender({ retryBaseMs: 20, attemptsMax: 3 })
        await startRelay()
        await settles(id, 'failed')
        expect(network.calls).toHaveLength(3)
      })

      it('an empty account rests the lane, burns no message, and goes on by itself', async () => {
        await outbound.write(30)
        let broke = true
        network.answer = (call, accept, end) => (broke ? end(201, refusal(call, 405)) : accept())
        await startSender({ callsMax: 2, pauseMs: 400 })
        await startRelay()
        await waitFor(async () => {
          expect((await metrics.lanePaused.get()).values).toContainEqual({
            value: 1,
            labels: { lane: 'planned' },
          })
        })
        await waitFor(async () => expect(await outbound.statuses()).toEqual({ created: 30 }))
        expect(network.calls.length).toBeLessThanOrEqual(4)
        broke = false
        await waitFor(async () => expect(await outbound.statuses()).toEqual({ submitted: 30 }))
        const { rows } = await database.db.pool.query('select max(attempts) as tries from messages')
        expect(rows[0]).toEqual({ tries: 0 })
      })

      it('a receiver who blocked us is rejected and her phone remembers it', async () => {
        const [id = ''] = await outbound.write(1)
        network.answer = (call, _, end) => end(201, refusal(call, 406))
        await startSender()
        await startRelay()
        await settles(id, 'rejected')
        const { rows } = await database.db.pool.query(
          'select p.network_block_source as out from messages m join phones p on p.id = m.phone_id where m.id = $1',
          [id],
        )
        expect(rows).toEqual([{ out: 'send' }])
      })

      it.each([
        ['hangs', () => undefined],
        ['breaks off', (_: unknown, __: unknown, end: (status: number) => void) => end(500)],
      ])(
        'a provider that %s after taking it leaves it unknown, and it is not sent again',
        async (_, answer) => {
          const [id = ''] = await outbound.write(1)
          network.answer = answer
          const sdk = createAfricasTalking({
            username: 'u',
            apiKey: 'k',
            baseUrl: network.url,
            timeoutMs: 300,
          })
          await startSender({ provider: sdk })
          const relay = await startRelay()
          await settles(id, 'unknown')
          await relay.recover()
          expect(network.calls).toHaveLength(1)
        },
      )
    })

    describe('delivery reports', () => {
      it('one that comes before its submit is saved is not lost', async () => {
        const [id = ''] = await outbound.write(1, { lane: 'urgent' })
        network.answer = (call, _, end) => {
          void report('ATXid_early', 'Success', call.recipients[0]).then((outcome) => {
            expect(outcome).toBe('waiting')
            end(201, {
              SMSMessageData: {
                Message: 'Sent',
                Recipients: [{ statusCode: 101, number: call.recipients[0], messageId: 'ATXid_early' }],
              },
            })
          })
        }
        await startSender()
        const relay = await startRelay({ recoverMs: 60_000 })
        await relay.enqueueDue('urgent')
        await settles(id, 'delivered')
        expect((await outbound.story(id)).slice(-2)).toEqual(['submitting>submitted', 'submitted>delivered'])
      })

      it('the one open unknown of a phone is settled by a report to its number', async () => {
        const [id = ''] = await outbound.write(1)
        network.answer = () => undefined
        const sdk = createAfricasTalking({ username: 'u', apiKey: 'k', baseUrl: network.url, timeoutMs: 300 })
        await startSender({ provider: sdk })
        await startRelay()
        await waitFor(async () => expect(network.calls).toHaveLength(1))
        // It comes while the call still hangs: only the relay's next round can settle it.
        expect(await report('ATXid_lost', 'Sent', network.calls[0]?.recipients[0])).toBe('waiting')
        await settles(id, 'sent')
        expect(await report('ATXid_lost', 'Success')).toBe('moved')
        expect(await outbound.statusOf(id)).toBe('delivered')
      })

      it('two open unknowns of one phone are not guessed apart', async () => {
        const { phones } = outbound
        const [first = '', second = ''] = await outbound.write(2)
        await database.db.pool.query(
          `update messages set status = 'unknown', phone_id = $1, updated_at = now() where id = any($2::uuid[])`,
          [phones[0]?.id, [first, second]],
        )
        await database.db.pool.query(
          `insert into message_events (message_id, from_status, to_status, source, occurred_at)
           select id, 'claimed', 'submitting', 'sender', now() - interval '1 minute' from unnest($1::uuid[]) as t(id)`,
          [[first, second]],
        )
        expect(await report('ATXid_whose', 'Success', phones[0]?.msisdn)).toBe('waiting')
        expect(await outbound.statuses()).toEqual({ unknown: 2 })
      })

      it('an unknown id and an unknown word are stored and move nothing', async () => {
        const [id = ''] = await outbound.write(1)
        await database.db.pool.query(
          `update messages set status = 'submitted', provider = $2, provider_message_id = 'ATXid_w' where id = $1`,
          [id, provider],
        )
        expect(await report('ATXid_w', 'Teleported')).toBe('unknown_word')
        expect(await report('ATXid_w', 'constructor')).toBe('unknown_word')
        expect(await report('ATXid_nobody', 'Success', '+15550000000')).toBe('waiting')
        expect(await outbound.statusOf(id)).toBe('submitted')
        const { rows } = await database.db.pool.query(
          'select status, matched_at is null as open from delivery_reports',
        )
        expect(rows).toEqual([
          { status: 'Teleported', open: false },
          { status: 'constructor', open: false },
          { status: 'Success', open: true },
        ])
      })
    })

    it('the canary proves the queue by a job done', async () => {
      expect(await readCanary(database.db)).toBeUndefined()
      const canary = createCanary({
        db: database.db,
        queues,
        clock: systemClock,
        logger: silentLogger,
        everyMs: 60_000,
      })
      await canary.start()
      await waitFor(async () => expect(await readCanary(database.db)).toBeInstanceOf(Date))
      await canary.stop()
    })

    it('the gauges show what waits and for how long', async () => {
      const now = systemClock.now()
      await outbound.write(3, { lane: 'bulk', notBefore: new Date(now.getTime() - 90_000) })
      await sampleMessages(database.db, { now: () => now }, metrics)
      expect((await metrics.messages.get()).values).toContainEqual({
        value: 3,
        labels: { status: 'created', lane: 'bulk' },
      })
      expect((await metrics.oldestQueuedSeconds.get()).values).toContainEqual({
        value: 90,
        labels: { lane: 'bulk' },
      })
    })
  })
})
