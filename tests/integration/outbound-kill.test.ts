// Worker processes are killed with SIGKILL while they send: nothing is lost, nothing goes twice, and what is not known is listed.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createQueues } from '../../src/outbound/queue.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import {
  type OutboundFixture,
  outboundFixture,
  startTestProvider,
  type TestProvider,
} from '../support/outbound.ts'
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts'

const script = join(import.meta.dirname, '../support/sender-process.mjs')
const isBuilt = existsSync(join(import.meta.dirname, '../../dist/outbound/sender.js'))
if (!isBuilt) console.warn('dist is not built (npm run build): the kill test is skipped')

const messages = 300
const kills = 10
const callsMax = 5

describe.each([
  { backend: 'PostgreSQL', available: isBuilt },
  { backend: 'Redis', available: isBuilt && hasRedis },
])('killed workers with the queue on $backend', ({ backend, available }) => {
  describe.skipIf(!available)('', () => {
    let database: TestDatabase
    let redis: TestRedis | undefined
    let outbound: OutboundFixture
    let network: TestProvider
    const workers = new Set<ChildProcess>()

    beforeAll(async () => {
      database = await createTestDatabase()
      redis = backend === 'Redis' ? await startRedis() : undefined
      outbound = await outboundFixture(database.db, messages)
      network = await startTestProvider()
      network.answer = (_, accept) => setTimeout(accept, 30)
      const queues = createQueues({ databaseUrl: database.url, redisUrl: redis?.url, logger: silentLogger })
      await queues.ready()
      await queues.close()
    })
    afterAll(async () => {
      await Promise.all([...workers].map((worker) => ended(worker, 'SIGTERM')))
      await network.stop()
      await redis?.stop()
      await database.drop()
    })

    async function startWorker(): Promise<ChildProcess> {
      const options = { databaseUrl: database.url, redisUrl: redis?.url, providerUrl: network.url, callsMax }
      const worker = spawn(process.execPath, [script, JSON.stringify(options)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      workers.add(worker)
      await new Promise((resolve) => worker.stdout?.once('data', resolve))
      return worker
    }
    function ended(worker: ChildProcess, signal: NodeJS.Signals): Promise<unknown> {
      workers.delete(worker)
      const gone = new Promise((resolve) => worker.once('exit', resolve))
      worker.kill(signal)
      return gone
    }

    it(`${messages} messages, ${kills} kills: none twice, none lost, unknown at most the calls under way`, {
      timeout: 180_000,
    }, async () => {
      await outbound.write(messages)
      for (let kill = 0; kill < kills; kill++) {
        const worker = await startWorker()
        const seen = network.calls.length
        // In the middle of calls: some have arrived and wait for their answer.
        await vi.waitFor(() => expect(network.calls.length).toBeGreaterThan(seen + 6), {
          timeout: 30_000,
          interval: 5,
        })
        await ended(worker, 'SIGKILL')
      }
      await startWorker()
      await vi.waitFor(
        async () => {
          const { submitted = 0, unknown = 0 } = await outbound.statuses()
          expect(submitted + unknown).toBe(messages)
        },
        { timeout: 90_000, interval: 250 },
      )
      const calls = network.calls.map((call) => call.text)
      expect(calls.length - new Set(calls).size).toBe(0)
      const { unknown = 0 } = await outbound.statuses()
      expect(unknown).toBeLessThanOrEqual(kills * callsMax)
      console.info(
        `${backend}: ${kills} kills left ${unknown} of ${messages} messages unknown, none went twice`,
      )
    })
  })
})
