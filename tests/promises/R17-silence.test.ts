// R17: a frozen worker, a cut LISTEN and a revoked key are noticed in time by metric, readiness and hook. Real processes, real signals.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Alarm } from '../../src/alarms.ts'
import { createMessages } from '../../src/outbound/outbox.ts'
import { noticedWithinMs, watchTimes } from '../../src/outbound/watch.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createProgramme, type TestProgramme } from '../support/fixtures.ts'
import { startTestProvider, type TestProvider } from '../support/outbound.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { freePort, hasRedis, startRedis, type TestRedis } from '../support/redis.ts'
import { startTama, type Tama } from '../support/tama.ts'

/** The default under `npm run promises`; everything scales with it. */
const canarySeconds = atScale(2, 20)
const withinMs = noticedWithinMs(watchTimes(canarySeconds * 1_000))

describe.each([
  { backend: 'PostgreSQL', available: true },
  { backend: 'Redis', available: hasRedis },
])('a silent stop with the queue on $backend', ({ backend, available }) => {
  describe.skipIf(!available)('', () => {
    let database: TestDatabase
    let redis: TestRedis | undefined
    let network: TestProvider
    let hook: Server
    let programme: TestProgramme
    let phoneId: string
    let web: Tama
    let worker: Tama
    const urls = { web: '', worker: '' }
    const heard: (Omit<Alarm, 'since'> & { since: string; clearedAt?: string })[] = []
    let written = 0

    beforeAll(async () => {
      database = await createTestDatabase()
      redis = backend === 'Redis' ? await startRedis() : undefined
      network = await startTestProvider()
      programme = await createProgramme(database.db)
      const { pool } = database.db
      await pool.query('update programmes set send_from_minute = 0, send_until_minute = 1440')
      const { rows } = await pool.query<{ id: string }>(
        `insert into phones (programme_id, msisdn, language) values ($1, '+221771000001', 'fr') returning id`,
        [programme.id],
      )
      phoneId = rows[0]?.id ?? ''
      hook = createServer((request, response) => {
        let body = ''
        request.on('data', (part: Buffer) => {
          body += part.toString()
        })
        request.on('end', () => {
          heard.push(JSON.parse(body))
          response.writeHead(204).end()
        })
      })
      await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
      const environment = {
        DATABASE_URL: database.url,
        ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
        TAMA_DATA: `/tmp/tama-r17-${process.pid}`,
        AT_USERNAME: 'tama',
        AT_API_KEY: 'key',
        AT_BASE_URL: network.url,
        ALARM_URL: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`,
        CANARY_SECONDS: String(canarySeconds),
        LOG_LEVEL: 'warn',
      }
      const start = async (role: 'web' | 'worker') => {
        const port = await freePort()
        urls[role] = `http://127.0.0.1:${port}`
        const tama = startTama(['serve', role], { ...environment, PORT: String(port) })
        await tama.printed(new RegExp(`Tama ${role} at`))
        return tama
      }
      worker = await start('worker')
      web = await start('web')
      await vi.waitFor(async () => expect((await ready('web')).status).toBe(200), { timeout: 30_000 })
    }, 120_000)
    afterAll(async () => {
      worker.child.kill('SIGCONT')
      for (const tama of [web, worker]) tama.child.kill('SIGTERM')
      await Promise.all([web.ended, worker.ended])
      hook.closeAllConnections()
      hook.close()
      await network.stop()
      await redis?.stop()
      await database.drop()
    }, 60_000)

    async function ready(role: 'web' | 'worker') {
      const response = await fetch(`${urls[role]}/readyz`)
      const body = (await response.json()) as { alarms: Alarm[] }
      return {
        status: response.status,
        alarms: body.alarms.map(({ code, where }) => `${code} ${where}`.trim()),
      }
    }
    const gauge = async (role: 'web' | 'worker', code: string) =>
      Number(
        new RegExp(`tama_alarms\\{code="${code}"\\} (\\d+)`).exec(
          await (await fetch(`${urls[role]}/metrics`)).text(),
        )?.[1],
      )
    const writeReply = () =>
      createMessages(database.db.pool, [
        {
          programmeId: programme.id,
          phoneId,
          purpose: 'reply',
          template: 'reply.stopped',
          lane: 'urgent',
          dedupeKey: `r17/${written++}`,
          notBefore: new Date(),
        },
      ])
    const told = (code: string) => heard.filter((alarm) => alarm.code === code)

    it('a frozen worker is missed by the others, and what waits is told too; both are cleared when it goes on', async () => {
      worker.child.kill('SIGSTOP')
      const startedMs = performance.now()
      await writeReply()
      const noticed = async (check: () => Promise<void>) => {
        await vi.waitFor(check, { timeout: withinMs, interval: 100 })
        return (performance.now() - startedMs) / 1_000
      }
      const silent = await noticed(async () => {
        expect(told('queue.silent').length).toBeGreaterThan(0)
        expect(await ready('web')).toMatchObject({ status: 503 })
        expect((await ready('web')).alarms).toContain('queue.silent')
        expect(await gauge('web', 'queue.silent')).toBe(1)
      })
      const waiting = await noticed(async () => {
        expect(told('outbox.waiting')).toMatchObject([{ where: 'urgent' }])
        expect(await gauge('web', 'outbox.waiting')).toBe(1)
      })
      expect(Object.keys(heard[0] ?? {}).sort()).toEqual(['code', 'since', 'where'])
      worker.child.kill('SIGCONT')
      await vi.waitFor(async () => expect(await ready('web')).toMatchObject({ status: 200, alarms: [] }), {
        timeout: 60_000,
      })
      await vi.waitFor(() => expect(told('queue.silent').some((alarm) => 'clearedAt' in alarm)).toBe(true))
      showFigure(
        'R17',
        `${backend}: beat ${canarySeconds} s, frozen worker noticed after ${silent.toFixed(0)} s, waiting message after ${waiting.toFixed(0)} s`,
      )
    }, 300_000)

    it('a cut LISTEN holds nothing up: the outbox is looked at anyway, and the connection is back', async () => {
      const before = network.calls.length
      const listeners = async (kill: boolean) => {
        const { rows } = await database.db.pool.query(
          `select pid ${kill ? ', pg_terminate_backend(pid)' : ''} from pg_stat_activity
            where application_name = 'tama-listen' and datname = current_database()`,
        )
        return rows.length
      }
      const count = await listeners(true)
      expect(count).toBeGreaterThan(0)
      await writeReply()
      await vi.waitFor(() => expect(network.calls.length).toBeGreaterThan(before), { timeout: 20_000 })
      await vi.waitFor(async () => expect(await listeners(false)).toBe(count), { timeout: 20_000 })
      expect(worker.output()).toContain('db.listen_lost')
    }, 60_000)

    it('a revoked key is told by the first message that meets it, costs that message nothing, and is over when the key works', async () => {
      const accept = network.answer
      network.answer = (_call, _accept, end) => end(401, 'The supplied authentication is invalid')
      const startedMs = performance.now()
      await writeReply()
      await vi.waitFor(
        async () => {
          expect(told('lane.paused')).toMatchObject([{ where: 'urgent' }])
          expect((await ready('worker')).alarms).toContain('lane.paused urgent')
          expect(await gauge('worker', 'lane.paused')).toBe(1)
        },
        { timeout: withinMs, interval: 100 },
      )
      const seconds = (performance.now() - startedMs) / 1_000
      network.answer = accept
      await vi.waitFor(
        async () => {
          const { rows } = await database.db.pool.query('select distinct status from messages')
          expect(rows).toEqual([{ status: 'submitted' }])
          expect((await ready('worker')).alarms).toEqual([])
        },
        { timeout: 90_000, interval: 500 },
      )
      showFigure('R17', `${backend}: revoked key noticed after ${seconds.toFixed(1)} s`)
    }, 300_000)
  })
})
