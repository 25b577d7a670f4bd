// R16: a database restored to an hour ago sends nothing by itself: found, paused, shown, reconciled, and let go by an operator alone.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import express from 'express'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { createDb, type Db } from '../../src/db.ts'
import { listen } from '../../src/http/server.ts'
import { recordDeliveryReport } from '../../src/outbound/delivery-report.ts'
import { createMessages } from '../../src/outbound/outbox.ts'
import { readPause } from '../../src/outbound/pause.ts'
import { reconcileReports } from '../../src/outbound/reconcile.ts'
import { checkRestore, fileMark } from '../../src/outbound/restore.ts'
import { createEmulator } from '../../src/simulator/emulator.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import {
  createLoan,
  createMember,
  createProgramme,
  repay,
  type TestMember,
  type TestProgramme,
} from '../support/fixtures.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { freePort, hasRedis, startRedis } from '../support/redis.ts'
import { runTama, startTama, type Tama } from '../support/tama.ts'

const clock = systemClock
const folder = mkdtempSync(join(tmpdir(), 'tama-r16-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const paid = atScale(3, 50)

describe.each([
  { backend: 'PostgreSQL', available: true },
  { backend: 'Redis', available: hasRedis },
])('a restored database with the queue on $backend', ({ backend, available }) => {
  it.skipIf(!available)(
    'starts paused, shows what it would send, learns from reports, and sends only what an operator lets go',
    { timeout: 240_000 },
    async () => {
      const original = await createTestDatabase()
      const redis = backend === 'Redis' ? await startRedis() : undefined
      const emulator = createEmulator({ clock, logger: silentLogger, username: 'tama', apiKey: 'key' })
      const baseUrl = await emulator.listen(0)
      const webhooks = await startReceiver()
      const environment = async (url: string) => ({
        DATABASE_URL: url,
        ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
        TAMA_DATA: folder,
        AT_USERNAME: 'tama',
        AT_API_KEY: 'key',
        AT_BASE_URL: baseUrl,
        CANARY_SECONDS: '1',
        PORT: String(await freePort()),
      })
      const startWorker = async (url: string) => {
        const settings = await environment(url)
        const tama = startTama(['serve', 'worker'], settings)
        await tama.printed(/Tama worker at/)
        return { ...tama, url: `http://127.0.0.1:${settings.PORT}` }
      }
      const stop = async (tama: Tama) => {
        tama.child.kill('SIGTERM')
        await tama.ended
      }
      const people = await seed(original.db, paid + 1)
      await stop(await startWorker(original.url))
      // Receipts of these are not written yet, and one reminder waits for its hour.
      for (const { loan } of people.members.slice(0, paid))
        await repay(original.db, people.programme, loan, 1_000)
      const delivery = await openHeardCase(original.db, people, `${webhooks.url}/hook`)
      await original.db.close()
      const name = `${new URL(original.url).pathname.slice(1)}_r`
      await admin(`create database ${name} template ${new URL(original.url).pathname.slice(1)}`)
      const restoredUrl = original.url.replace(/[^/]*$/, name)
      const restored = createDb({ url: restoredUrl, logger: silentLogger })

      // The hour that the backup does not know.
      const lost = await startWorker(original.url)
      await vi.waitFor(() => expect(emulator.calls().accepted).toBe(paid), { timeout: 60_000 })
      await vi.waitFor(() => expect(webhooks.heard).toEqual([delivery]), { timeout: 30_000 })
      await stop(lost)

      const worker = await startWorker(restoredUrl)
      try {
        const ready = async () => {
          const response = await fetch(`${worker.url}/readyz`)
          return { status: response.status, text: await response.text() }
        }
        await vi.waitFor(
          async () => {
            expect(await ready()).toMatchObject({
              status: 503,
              text: expect.stringContaining('outbox.paused'),
            })
          },
          { timeout: 30_000 },
        )
        const last = people.members[paid]
        if (last === undefined) throw new Error('no member')
        await repay(restored, people.programme, last.loan, 1_000)
        await vi.waitFor(
          async () => {
            const { output } = await runTama(['outbox'], await environment(restoredUrl))
            expect(output).toMatch(new RegExp(`receipt {2}may have gone {2}${paid} `))
            expect(output).toMatch(/receipt {2}surely unsent {2}1 /)
          },
          { timeout: 60_000, interval: 500 },
        )
        // The network still reports what the lost hour sent: the first receipt is then known to be out.
        const first = people.members[0]
        const [message] = emulator.inbox(first?.msisdn ?? '')
        await recordDeliveryReport(restored, clock, {
          provider: 'africastalking',
          providerMessageId: message?.id ?? '',
          status: 'Success',
          msisdn: first?.msisdn ?? '',
        })
        const statuses = async () => {
          const { rows } = await restored.pool.query<{ status: string; count: number }>(
            'select status, count(*)::int as count from messages group by status order by status',
          )
          return Object.fromEntries(rows.map(({ status, count }) => [status, count]))
        }
        await vi.waitFor(async () => expect(await statuses()).toEqual({ created: paid, delivered: 1 }), {
          timeout: 30_000,
        })
        expect(emulator.calls().accepted).toBe(paid)
        // Whether this webhook was taken back in the lost hour, or has another secret now, nobody here can know.
        expect(webhooks.heard).toEqual([delivery])

        expect((await runTama(['outbox', 'resume'], await environment(restoredUrl))).code).toBe(2)
        const resume = ['outbox', 'resume', '--doubtful', 'suppress']
        expect((await runTama(resume, await environment(restoredUrl))).output).toContain(
          `${paid - 1} suppressed`,
        )
        await vi.waitFor(
          async () => expect(await statuses()).toEqual({ delivered: 1, suppressed: paid - 1, submitted: 1 }),
          { timeout: 60_000 },
        )
        expect(emulator.calls().accepted).toBe(paid + 1)
        expect(emulator.inbox(last.msisdn)).toHaveLength(1)
        const { rows } = await restored.pool.query('select actor, action from audit_log order by id')
        expect(rows).toEqual(
          expect.arrayContaining([
            { actor: 'system:restore', action: 'outbox.paused' },
            { actor: 'operator', action: 'outbox.resumed' },
          ]),
        )
        await vi.waitFor(async () => expect((await ready()).status).toBe(200), { timeout: 30_000 })
        // Told again, by the id by which the receiver knows that it has it.
        await vi.waitFor(() => expect(webhooks.heard).toEqual([delivery, delivery]), { timeout: 30_000 })
        showFigure('R16', `${backend}: ${paid} receipts of the lost hour, none sent again, 1 new one sent`)
      } finally {
        await stop(worker)
        await webhooks.close()
        await emulator.close()
        await redis?.stop()
        await restored.close()
        await admin(`drop database ${name} with (force)`)
        await admin(`drop database ${new URL(original.url).pathname.slice(1)} with (force)`)
      }
    },
  )
})

describe('what detects a restore', () => {
  let database: TestDatabase
  let people: Awaited<ReturnType<typeof seed>>
  beforeAll(async () => {
    database = await createTestDatabase()
    people = await seed(database.db, 4)
  })
  afterAll(() => database.drop())
  const check = (mark = fileMark(folder)) =>
    checkRestore({ db: database.db, clock, logger: silentLogger, mark })
  const letGo = () => database.db.pool.query('update outbox_pauses set resumed_at = now()')
  const note = (count: number) =>
    database.db.pool.query(
      `insert into message_events (message_id, from_status, to_status, source, occurred_at)
       select uuidv7(), 'created', 'queued', 'relay', now() from generate_series(1, $1::int)`,
      [count],
    )

  it('a first start and every further one are no restore', async () => {
    expect(await check()).toBe(false)
    await note(10)
    expect(await check()).toBe(false)
    expect(await check()).toBe(false)
  })

  it('files put back in place: the same server and database, with fewer rows than the mark outside knows', async () => {
    await database.db.pool.query('delete from message_events where id > 5')
    expect(await check()).toBe(true)
    expect((await readPause(database.db.pool))?.cause).toBe('lost_rows')
    await letGo()
    expect(await check()).toBe(false)
  })

  it('a mark that cannot be read is not written over: it may know of rows that are lost', async () => {
    const written: bigint[] = []
    const unread = {
      read: () => Promise.reject(new Error('away')),
      write: (_: string, newest: bigint) => Promise.resolve(void written.push(newest)),
    }
    expect(await check(unread)).toBe(false)
    expect(written).toEqual([])
    expect(await check({ ...unread, read: async () => undefined })).toBe(false)
    expect(written).toHaveLength(1)
  })

  it('a new timeline: paused when nothing outside tells that no row is missing, else a replica that took over', async () => {
    const move = () => database.db.pool.query(`update lineage set identity = identity || '-before'`)
    await move()
    expect(await check()).toBe(false)
    await move()
    expect(await check(fileMark(join(folder, 'elsewhere')))).toBe(true)
    expect((await readPause(database.db.pool))?.cause).toBe('other_server')
    await letGo()
  })

  it('reports of messages to three members for whom one waits; two are not enough', async () => {
    const later = { now: () => new Date(clock.now().getTime() + 120_000) }
    await createMessages(
      database.db.pool,
      people.members.map(({ id }) => ({
        programmeId: people.programme.id,
        memberId: id,
        purpose: 'notice',
        template: 'notice.test',
        lane: 'bulk',
        dedupeKey: `waiting/${id}`,
        notBefore: new Date(clock.now().getTime() - 1_000),
      })),
    )
    // What is not due yet cannot be what the network reports.
    const early = people.members[3]
    await database.db.pool.query(
      `update messages set not_before = now() + interval '1 hour' where member_id = $1`,
      [early?.id],
    )
    const report = (index: number, status: string) =>
      recordDeliveryReport(database.db, clock, {
        provider: 'africastalking',
        providerMessageId: `ATXid_lost_${index}`,
        status,
        msisdn: people.members[index]?.msisdn ?? '',
      })
    const reconcile = () => reconcileReports({ db: database.db, clock: later, logger: silentLogger })
    for (const index of [0, 1, 3]) await report(index, 'Success')
    await report(0, 'Sent')
    expect(await reconcile()).toBe(0)
    expect(await readPause(database.db.pool)).toBeUndefined()
    await report(2, 'Teleported')
    expect(await reconcile()).toBe(0)
    await report(2, 'Success')
    expect(await reconcile()).toBe(3)
    expect((await readPause(database.db.pool))?.cause).toBe('reports')
  })

  it('a plain role of the database can ask for all of it', async () => {
    const role = `plain_${process.pid}`
    await database.db.pool.query(`create role ${role} login password 'plain'`)
    await database.db.pool.query(`grant select, insert, update on all tables in schema public to ${role}`)
    await database.db.pool.query(`grant usage on all sequences in schema public to ${role}`)
    const url = new URL(database.url)
    url.username = role
    url.password = 'plain'
    const db = createDb({ url: url.href, logger: silentLogger })
    await expect(checkRestore({ db, clock, logger: silentLogger, mark: fileMark(folder) })).resolves.toBe(
      true,
    )
    await db.close()
    await database.db.pool.query(`drop owned by ${role}; drop role ${role}`)
  })
})

/** Members with a loan each, in a programme that sends all day. */
async function seed(
  db: Db,
  count: number,
): Promise<{ programme: TestProgramme; members: (TestMember & { loan: string })[] }> {
  const programme = await createProgramme(db)
  await db.pool.query('update programmes set send_from_minute = 0, send_until_minute = 1440')
  const members: (TestMember & { loan: string })[] = []
  for (let index = 0; index < count; index++) {
    const member = await createMember(db, programme, {
      msisdn: `+2217710000${String(index).padStart(2, '0')}`,
    })
    const { number } = await createLoan(db, programme, member, { number: `R${index}` })
    members.push({ ...member, loan: number })
  }
  return { programme, members }
}

/** A case that a webhook is to hear of; the id of its delivery. */
async function openHeardCase(db: Db, people: Awaited<ReturnType<typeof seed>>, url: string): Promise<string> {
  await db.pool.query(
    'insert into webhooks (programme_id, url, events, created_at) values ($1, $2, $3, now())',
    [people.programme.id, url, ['case.opened']],
  )
  await db.pool.query(
    `insert into cases (programme_id, member_id, kind, reference, dedupe_key, opened_at)
     values ($1, $2, 'call_back', 'R16', 'R16', now())`,
    [people.programme.id, people.members[0]?.id],
  )
  const { rows } = await db.pool.query<{ id: string }>('select id from webhook_deliveries')
  return rows[0]?.id ?? ''
}

/** A program that is told of events: the ids that it heard. */
async function startReceiver() {
  const heard: string[] = []
  const app = express()
  app.post('/hook', (request, response) => {
    heard.push(request.get('webhook-id') ?? '')
    response.status(204).end()
  })
  const { url, close } = await listen(app, 0, '127.0.0.1')
  return { url: url.replace('localhost', '127.0.0.1'), heard, close }
}

async function admin(sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('adminUrl') })
  await client.connect()
  await client.query(sql)
  await client.end()
}
