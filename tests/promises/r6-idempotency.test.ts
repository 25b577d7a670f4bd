// R6: a client may repeat any write. The routes come from the router itself, so that a new one cannot be forgotten.
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { createApiKey } from '../../src/http/keys.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createDaily } from '../../src/privacy/daily.ts'
import {
  type ApiUnderTest,
  createGround,
  type Ground,
  isWrite,
  routesIn,
  sampleOf,
  serveApi,
} from '../support/api.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import { createProgramme, type TestProgramme, testNow } from '../support/fixtures.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { freePort } from '../support/redis.ts'
import { changedTables, snapshotTables } from '../support/tables.ts'
import { startTama, type Tama } from '../support/tama.ts'

let database: TestDatabase
let programme: TestProgramme
let api: ApiUnderTest
let key: string
let writes: string[]

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  key = await createApiKey(database.db, programme.id, 'back office')
  api = await serveApi(database.db)
  writes = routesIn(api.router).filter(isWrite)
})
afterAll(async () => {
  await api.close()
  await database.drop()
})

/** A busy machine takes its time to notice what was killed. */
const patience = { timeout: 20_000 }
const at100 = Array.from({ length: 100 }, (_, index) => index)
const keyed = (name: string) => ({ 'idempotency-key': name })
const answersOf = (replies: { status: number; text: string }[]) =>
  new Set(replies.map(({ status, text }) => `${status} ${text}`))

/** Rows by table, without the ids that differ between two runs of one request and the one head that the first audited act makes. */
async function countRows(): Promise<Record<string, string>> {
  const figures = await snapshotTables(database.db.pool, ['idempotency_keys', 'api_keys', 'audit_heads'])
  return Object.fromEntries(
    Object.entries(figures).map(([name, figure]) => [name, figure.split(' ')[0] ?? '']),
  )
}

async function send(route: string, ground: Ground, headers: object, change: object = {}) {
  const { path, body } = sampleOf(route, ground)
  return api.call(
    key,
    route.split(' ')[0] ?? '',
    path,
    body === undefined ? undefined : { ...body, ...change },
    headers,
  )
}

/** What one request of this route writes, by table. */
async function effectOf(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const before = await countRows()
  await work()
  const after = await countRows()
  return Object.fromEntries(
    Object.keys(after)
      .map((name) => [name, Number(after[name]) - Number(before[name])])
      .filter(([, rows]) => rows !== 0),
  )
}

it('the router has writing routes, each with a sample request', async () => {
  expect(writes.length).toBeGreaterThanOrEqual(3)
  const ground = await createGround(database.db, programme)
  for (const route of writes) sampleOf(route, ground)
})

it('one key used 100 times at once has one effect on every writing route, and all get the same bytes', async () => {
  const rounds = atScale(1, 5)
  let requests = 0
  for (const route of writes) {
    const single = await createGround(database.db, programme)
    const once = await effectOf(async () => {
      expect((await send(route, single, {})).status, route).toBeLessThan(300)
    })
    for (let round = 0; round < rounds; round += 1) {
      const ground = await createGround(database.db, programme)
      const replies: Awaited<ReturnType<typeof send>>[] = []
      const together = await effectOf(async () => {
        replies.push(
          ...(await Promise.all(at100.map(() => send(route, ground, keyed(`k ${route} ${round}`))))),
        )
      })
      requests += replies.length
      expect(together, route).toEqual(once)
      expect(answersOf(replies).size, route).toBe(1)
      expect(replies[0]?.status, route).toBeLessThan(300)
      expect(
        replies.filter(({ headers }) => headers.get('idempotency-replayed') === null),
        route,
      ).toHaveLength(1)
    }
  }
  showFigure('R6', `${writes.length} routes, ${requests} requests, ${writes.length * rounds} effects`)
}, 120_000)

it('a changed body, path or method under a used key answers 409 and changes nothing', async () => {
  for (const route of writes) {
    const ground = await createGround(database.db, programme)
    const name = keyed(`changed ${route}`)
    expect((await send(route, ground, name)).status, route).toBeLessThan(300)
    const before = await snapshotTables(database.db.pool)
    const { changed } = sampleOf(route, ground)
    const other = await createGround(database.db, programme)
    const grown = await snapshotTables(database.db.pool)
    const replies = [
      ...(changed === undefined
        ? []
        : await Promise.all(at100.slice(90).map(() => send(route, ground, name, changed)))),
      await send(route, other, name),
    ]
    for (const reply of replies) {
      expect(reply.status, route).toBe(409)
      expect(JSON.parse(reply.text)).toMatchObject({ code: 'idempotency.conflict', field: 'idempotency-key' })
    }
    expect(changedTables(grown, await snapshotTables(database.db.pool))).toEqual([])
    expect(before).not.toEqual(grown)
  }
}, 120_000)

it('a key is the one of its API key: another one of the programme may use the same name', async () => {
  const second = await createApiKey(database.db, programme.id, 'second')
  const ground = await createGround(database.db, programme)
  const other = await createGround(database.db, programme)
  const first = await send('post /entries', ground, keyed('same name'))
  const { path, body } = sampleOf('post /entries', other)
  const reply = await api.call(second, 'post', path, body, keyed('same name'))
  expect([first.status, reply.status]).toEqual([201, 201])
  expect(reply.text).not.toBe(first.text)
})

it('a refused write is not remembered: the same key goes through once the reason is gone', async () => {
  const ground = await createGround(database.db, programme)
  const refused = await send('post /loans', ground, keyed('later'), { principal: '2001' })
  expect(refused.status).toBe(422)
  expect((await send('post /loans', ground, keyed('later'))).status).toBe(201)
})

it.each([
  ['empty', ''],
  ['too long', 'x'.repeat(256)],
  ['not ASCII', 'cl\xe9'],
])('a key that is %s is 400', async (_, name) => {
  const ground = await createGround(database.db, programme)
  const reply = await send('post /entries', ground, keyed(name))
  expect(reply.status).toBe(400)
  expect(JSON.parse(reply.text)).toMatchObject({ code: 'request.field_invalid', field: 'idempotency-key' })
})

it('a key is remembered for seven days, and then forgotten', async () => {
  const ground = await createGround(database.db, programme)
  await send('post /entries', ground, keyed('week'))
  const dayMs = 24 * 3_600_000
  const daily = createDaily({
    db: database.db,
    clock: fixedClock(testNow),
    logger: silentLogger,
    metrics: createMetrics(),
    keepDays: { texts: 90, callbacks: 30, dialogues: 7 },
  })
  const remembers = async () => {
    const found = await database.db.pool.query(`select 1 from idempotency_keys where key = 'week'`)
    return found.rowCount === 1
  }
  await daily.runOnce(new Date(testNow.getTime() + 7 * dayMs - 1))
  expect(await remembers()).toBe(true)
  await daily.runOnce(new Date(testNow.getTime() + 7 * dayMs + 1))
  expect(await remembers()).toBe(false)
})

describe('a process that is killed', () => {
  let tama: Tama
  let port: number
  const start = async () => {
    port = await freePort()
    const secret = 'x'.repeat(32)
    tama = startTama(['serve', 'web'], {
      DATABASE_URL: database.url,
      PORT: String(port),
      CALLBACK_SECRET: secret,
      PIN_PEPPER: secret,
      ADMIN_KEY: secret,
    })
    await tama.printed(/at http/)
  }
  const kill = async () => {
    tama.child.kill('SIGKILL')
    await tama.ended
  }
  const toProcess = async (ground: Ground, name: string) => {
    const { path, body } = sampleOf('post /entries', ground)
    const response = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...keyed(name) },
      body: JSON.stringify(body),
    })
    return { status: response.status, text: await response.text() }
  }
  const effects = async (ground: Ground) => {
    const found = await database.db.pool.query('select 1 from entries where reference = $1', [
      `sample/${ground.member}`,
    ])
    const kept = await database.db.pool.query('select 1 from idempotency_keys where answer like $1', [
      `%"sample/${ground.member}"%`,
    ])
    return { entries: found.rowCount, answers: kept.rowCount }
  }

  it('between effect and commit leaves neither effect nor answer; the repetition has the one effect', async () => {
    await start()
    const ground = await createGround(database.db, programme)
    const holder = await database.db.pool.connect()
    try {
      // The posting waits for this lock in the middle of its transaction, its entry already written.
      await holder.query('begin')
      await holder.query(`select 1 from accounts where code = $1 for update`, [`savings/${ground.member}`])
      const cut = toProcess(ground, 'mid').catch((error: unknown) => error)
      await expect
        .poll(async () => {
          const waiting = await database.db.pool.query(
            `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
          )
          return waiting.rowCount
        }, patience)
        .toBe(1)
      await kill()
      expect(await cut).toBeInstanceOf(Error)
    } finally {
      await holder.query('rollback')
      holder.release()
    }
    await start()
    await expect.poll(() => effects(ground), patience).toEqual({ entries: 0, answers: 0 })
    expect((await toProcess(ground, 'mid')).status).toBe(201)
    expect(await effects(ground)).toEqual({ entries: 1, answers: 1 })
    await kill()
  }, 60_000)

  it('at any moment of a write leaves both or neither, and the repetition makes it one', async () => {
    const kills = atScale(3, 30)
    let committed = 0
    for (let turn = 0; turn < kills; turn += 1) {
      await start()
      const ground = await createGround(database.db, programme)
      // Opens connections first, so that the write itself is short.
      await toProcess(await createGround(database.db, programme), `warm ${turn}`)
      const socket = connect(port, '127.0.0.1')
      const { path, body } = sampleOf('post /entries', ground)
      const text = JSON.stringify(body)
      socket.on('error', () => undefined)
      socket.write(
        `POST /api/v1${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\n` +
          `Idempotency-Key: any ${turn}\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
      )
      await new Promise((resolve) => setTimeout(resolve, (turn * 23) % 70))
      await kill()
      socket.destroy()
      await expect
        .poll(async () => {
          const { entries, answers } = await effects(ground)
          return entries === answers
        }, patience)
        .toBe(true)
      committed += (await effects(ground)).entries ?? 0
      const { path: again, body: same } = sampleOf('post /entries', ground)
      expect((await api.call(key, 'post', again, same, keyed(`any ${turn}`))).status).toBe(201)
      expect(await effects(ground)).toEqual({ entries: 1, answers: 1 })
    }
    showFigure(
      'R6',
      `${kills} kills in the middle of a write (${committed} after its commit): one effect each`,
    )
  }, 240_000)
})
