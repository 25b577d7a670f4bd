import { Redis } from 'ioredis'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createPipeline } from '../../src/db.ts'
import { keptMs, newDialogue, type Session } from '../../src/ussd/session.ts'
import {
  createPostgresSessions,
  createRedisSessions,
  type SessionStore,
} from '../../src/ussd/session-store.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import { testNow } from '../support/fixtures.ts'
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts'
import { createUssdUnderTest, createWorld, numbers, testPin, type World } from '../support/ussd.ts'

let database: TestDatabase
let world: World
let redis: TestRedis | undefined

beforeAll(async () => {
  database = await createTestDatabase()
  world = await createWorld(database.db)
  if (hasRedis) redis = await startRedis()
})

afterAll(async () => {
  await redis?.stop()
  await database.drop()
})

const backends: [string, () => SessionStore][] = [
  [
    'PostgreSQL',
    () =>
      createPostgresSessions(
        createPipeline({
          url: database.url,
          logger: silentLogger,
          name: 'sessions',
          asynchronousCommit: true,
        }),
      ),
  ],
]
if (hasRedis) backends.push(['Redis', () => createRedisSessions(new Redis(redis?.url ?? ''))])

describe.each(backends)('sessions in %s', (name, createStore) => {
  let store: SessionStore
  beforeAll(() => {
    store = createStore()
  })
  afterAll(() => store.close())

  const session = (state: string, lastAtMs = testNow.getTime()): Session => ({
    menuVersion: 1,
    phoneId: 'p',
    ended: false,
    seenLength: 0,
    seenHash: 'h',
    beganAtMs: lastAtMs,
    lastAtMs,
    dialogue: {
      ...newDialogue,
      state,
      trail: ['home'],
      shown: [{ key: '1', name: 'a' }],
      language: 'wo',
      values: { reference: 'ë ŋ ñ' },
    },
  })
  const saving = (key: string, version: number, state: string, reply = 'CON x', textHash = 't0') => ({
    key: `${name}-${key}`,
    version,
    session: session(state),
    caller: `caller-${name}-${key}`,
    textHash,
    reply,
  })
  const load = (key: string, textHash = 't0', now = testNow, caller = `caller-${name}-${key}`) =>
    store.load(`${name}-${key}`, textHash, caller, now)

  test('forgets every dialogue of a phone with its answers, and no other', async () => {
    const save = (key: string, phoneId: string) =>
      store.save({
        key,
        version: 0,
        session: { ...session('home'), phoneId },
        caller: `caller-${key}`,
        textHash: 'h',
        reply: `CON ${key}`,
      })
    await Promise.all([save('f1', 'gone'), save('f2', 'gone'), save('f3', 'stays')])
    expect(await store.forget(['gone', 'nobody'])).toBe(2)
    const left = await Promise.all(['f1', 'f2', 'f3'].map((key) => store.load(key, 'h', undefined, testNow)))
    expect(left.map(({ session, reply }) => session && reply)).toEqual([undefined, undefined, 'CON f3'])
    expect(await store.forget(['gone'])).toBe(0)
  })

  test('nothing is stored at first', async () => {
    expect(await load('empty')).toEqual({ session: undefined, version: 0, reply: undefined, last: undefined })
  })

  test('a session comes back as it was, with the answer to this very text', async () => {
    expect(await store.save(saving('a', 0, 'home', 'CON Réglages ë'))).toBe(true)
    const loaded = await load('a')
    expect(loaded.version).toBe(1)
    expect(loaded.reply).toBe('CON Réglages ë')
    expect(loaded.session).toEqual(JSON.parse(JSON.stringify(session('home'))))
    expect((await load('a', 'another')).reply).toBeUndefined()
  })

  test('of two saves of one version one counts', async () => {
    await store.save(saving('race', 0, 'home'))
    const both = await Promise.all([
      store.save(saving('race', 1, 'meeting', 'CON m', 't1')),
      store.save(saving('race', 1, 'training', 'CON t', 't2')),
    ])
    expect(both.filter(Boolean)).toHaveLength(1)
    const loaded = await load('race', both[0] ? 't1' : 't2')
    expect(loaded.session?.dialogue.state).toBe(both[0] ? 'meeting' : 'training')
    expect(loaded.reply).toBe(both[0] ? 'CON m' : 'CON t')
    expect((await load('race', both[0] ? 't2' : 't1')).reply).toBeUndefined()
  })

  test('of two first saves one counts', async () => {
    const both = await Promise.all([
      store.save(saving('first', 0, 'home', 'CON 1')),
      store.save(saving('first', 0, 'help', 'CON 2')),
    ])
    expect(both.filter(Boolean)).toHaveLength(1)
  })

  test('the newest dropped dialogue of a caller is found, for ten minutes', async () => {
    await store.save({ ...saving('old', 0, 'loan'), caller: `c-${name}` })
    const later = session('savings', testNow.getTime() + 5_000)
    await store.save({ ...saving('newer', 0, 'savings'), session: later, caller: `c-${name}` })
    const found = await load('fresh', 't0', testNow, `c-${name}`)
    expect(found.session).toBeUndefined()
    expect(found.last?.dialogue.state).toBe('savings')
    const tooLate = new Date(later.lastAtMs + keptMs)
    expect((await load('fresh', 't0', tooLate, `c-${name}`)).last).toBeUndefined()
    expect((await store.load(`${name}-fresh`, 't0', undefined, testNow)).last).toBeUndefined()
  })

  test('a session that is too old does not count, and its key can be used again', async () => {
    await store.save(saving('aged', 0, 'home', 'CON old'))
    const later = new Date(testNow.getTime() + keptMs + 1)
    const loaded = await load('aged', 't0', later)
    expect(loaded.session).toBeUndefined()
    expect(loaded.reply).toBeUndefined()
    expect(await store.save({ ...saving('aged', loaded.version, 'help', 'CON new') })).toBe(true)
    expect((await load('aged', 't0')).reply).toBe('CON new')
  })

  test('what has expired is removed', async () => {
    await store.save(saving('gone', 0, 'home'))
    await store.purgeExpired(new Date(testNow.getTime() + 10 * keptMs))
    if (name === 'PostgreSQL') {
      const left = await database.db.pool.query(
        'select 1 from ussd_sessions union all select 1 from ussd_replies',
      )
      expect(left.rowCount).toBe(0)
    } else {
      const client = new Redis(redis?.url ?? '')
      for (const key of await client.keys('tama:ussd:*')) expect(await client.pttl(key)).toBeGreaterThan(0)
      await client.quit()
    }
  })

  test('a whole dialogue goes the same way', async () => {
    await world.reset()
    const under = await createUssdUnderTest(database, { sessions: createStore() })
    const answer = (text: string) =>
      under.ussd.answer({
        provider: 'africastalking',
        sessionId: `whole-${name}`,
        msisdn: numbers.awa,
        serviceCode: '*384*1#',
        text,
      })
    expect(await answer('')).toContain('1 Mon compte')
    expect(await answer('1')).toContain('PIN')
    expect(await answer(`1*${testPin}`)).toContain('Reste à payer: 50 500 F')
    expect(await answer(`1*${testPin}*1`)).toContain('échéances')
    expect(await answer(`1*${testPin}`)).toContain('Épargne: 4 500 F')
    await under.close()
  })

  test('two processes that get the same callback at once answer the same, with one effect', async () => {
    await world.reset()
    const one = await createUssdUnderTest(database, { sessions: createStore() })
    const two = await createUssdUnderTest(database, { sessions: createStore() })
    const call = (text: string) => ({
      provider: 'africastalking',
      sessionId: `processes-${name}`,
      msisdn: numbers.coumba,
      serviceCode: '*384*1#',
      text,
    })
    for (const text of ['', '4', '4*1', '4*1*0', '4*1*0*0', '4*1*0*0*2', '4*1*0*0*2*1']) {
      const replies = await Promise.all([one, two, one, two].map(({ ussd }) => ussd.answer(call(text))))
      expect(new Set(replies).size).toBe(1)
    }
    const cases = await database.db.pool.query('select 1 from cases')
    expect(cases.rowCount).toBe(1)
    await one.close()
    await two.close()
  })

  test('what a member types never stands in what is stored', async () => {
    await world.reset()
    const under = await createUssdUnderTest(database, { sessions: createStore() })
    const pin = '7391'
    const say = async (sessionId: string, ...inputs: string[]) => {
      for (let length = 0; length <= inputs.length; length += 1)
        await under.ussd.answer({
          provider: 'africastalking',
          sessionId: `${sessionId}-${name}`,
          msisdn: numbers.ami,
          serviceCode: '*384*1#',
          text: inputs.slice(0, length).join('*'),
        })
    }
    await say('set', '1', '1', pin, '9999', pin, pin, '0', '5', '2', '1', pin, pin)
    await say('wrong place', pin, '1', '0', pin)
    await under.ussd.answer({
      provider: 'africastalking',
      sessionId: `deep-${name}`,
      msisdn: numbers.ami,
      serviceCode: '*384*1#',
      text: `1*${pin}*1`,
    })
    if (name === 'PostgreSQL') {
      const stored = await database.db.pool.query<{ all: string }>(
        `select string_agg(s::text, '\n') || (select string_agg(r::text, '\n') from ussd_replies r) as all
           from ussd_sessions s`,
      )
      expect(stored.rows[0]?.all).toContain('pin')
      expect(stored.rows[0]?.all).not.toMatch(/\b7391\b/)
    } else {
      const client = new Redis(redis?.url ?? '')
      for (const key of await client.keys('tama:ussd:*')) {
        const value =
          (await client.type(key)) === 'hash'
            ? JSON.stringify(await client.hgetall(key))
            : await client.get(key)
        expect(`${key} ${value}`).not.toMatch(/\b7391\b/)
      }
      await client.quit()
    }
    await under.close()
  })
})
