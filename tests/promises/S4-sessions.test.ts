// S4: a session cannot be taken over, replayed, stretched or stepped through out of turn; on both session stores.
import fc from 'fast-check'
import { Redis } from 'ioredis'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createPipeline } from '../../src/db.ts'
import { createPostgresSessions, createRedisSessions } from '../../src/ussd/session-store.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import { createProgramme } from '../support/fixtures.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts'
import {
  createUssdUnderTest,
  createWorld,
  numbers,
  testPin,
  type UssdUnderTest,
  type World,
} from '../support/ussd.ts'

const over = 'END Ce dialogue est fini. Composez *384*1# pour recommencer.'
/** Only an account of hers has amounts. */
const money = /\d F\b/

let database: TestDatabase
let world: World
let redis: TestRedis | undefined

beforeAll(async () => {
  database = await createTestDatabase()
  world = await createWorld(database.db)
  await createProgramme(database.db, { code: 'other', serviceCode: '*385*1', senderId: 'OTHER' })
  if (hasRedis) redis = await startRedis()
  else console.info('S4 on Redis: skipped, redis-server is not installed')
})
afterAll(async () => {
  await redis?.stop()
  await database.drop()
})

describe.each(['PostgreSQL', 'Redis'] as const)('dialogues in %s', (store) => {
  const isSkipped = store === 'Redis' && !hasRedis
  const it = test.skipIf(isSkipped)
  let under: UssdUnderTest
  let sessions = 0

  beforeEach(async () => {
    if (isSkipped) return
    await world.reset()
    const pipeline = () =>
      createPipeline({ url: database.url, logger: silentLogger, name: 'sessions', asynchronousCommit: true })
    under = await createUssdUnderTest(database, {
      sessions:
        store === 'PostgreSQL'
          ? createPostgresSessions(pipeline())
          : createRedisSessions(new Redis(redis?.url ?? '')),
    })
    sessions += 1
  })
  afterEach(() => under?.close())

  const call = (text: string, overrides: { msisdn?: string; serviceCode?: string; provider?: string } = {}) =>
    under.ussd.answer({
      provider: 'africastalking',
      sessionId: `${store}-${sessions}`,
      msisdn: numbers.awa,
      serviceCode: '*384*1#',
      text,
      ...overrides,
    })
  /** Up to her account, with the PIN given. */
  const open = async () => {
    await call('')
    await call('1')
    const account = await call(`1*${testPin}`)
    expect(account).toMatch(money)
    return account
  }
  const events = async (event: string) =>
    (await under.metrics.sessions.get()).values.find(({ labels }) => labels.event === event)?.value ?? 0

  it('the same session id from another number, service code or provider is another dialogue', async () => {
    await open()
    const path = `1*${testPin}*1`
    for (const stranger of [
      { msisdn: numbers.mary },
      { msisdn: numbers.stranger },
      { msisdn: numbers.shared },
      { serviceCode: '*385*1#' },
      { serviceCode: '*386#' },
      { provider: 'another' },
    ]) {
      expect(await call(path, stranger)).not.toMatch(money)
      expect(await call('', stranger)).not.toMatch(money)
    }
    expect(await call(path)).toMatch(money)
  })

  it('a path that was never answered and goes on from nothing gets END and an event; her dialogue goes on', async () => {
    await open()
    const before = await events('refused_mismatch')
    for (const path of ['2', '1*9999', '1*9999*1', '1*1', '0', `1*${testPin.slice(0, 3)}`])
      expect(await call(path)).toBe(over)
    expect(await events('refused_mismatch')).toBe(before + 6)
    expect(await call(`1*${testPin}*1`)).toMatch(money)
  })

  it('after END nothing goes on: END and an event; the END itself is repeated to the letter', async () => {
    await call('')
    await call('1')
    await call('1*9999')
    await call('1*9999*8888')
    const end = await call('1*9999*8888*7777')
    expect(end).toMatch(/^END /)
    for (const input of ['1', testPin, '0', '00']) expect(await call(`1*9999*8888*7777*${input}`)).toBe(over)
    expect(await call('1*9999*8888*7777')).toBe(end)
    expect(await events('refused_ended')).toBe(4)
  })

  it('is over 180 seconds after it began, however busy it was kept', async () => {
    await open()
    let path = `1*${testPin}`
    for (let seconds = 0; seconds < 180; seconds += 60) {
      under.clock.advanceMs(60_000)
      path += '*1*0'
      expect(await call(path.slice(0, -2))).toMatch(money)
      expect(await call(path)).toMatch(money)
    }
    under.clock.advanceMs(1)
    expect(await call(`${path}*1`)).toBe(over)
    expect(await events('refused_old')).toBe(1)
    expect(await call('')).not.toMatch(money)
  })

  it('two different ways on at once: one is taken, the other gets END', async () => {
    await open()
    const replies = await Promise.all(['1', '2', '3'].map((input) => call(`1*${testPin}*${input}`)))
    expect(replies.filter((reply) => reply === over)).toHaveLength(2)
  })

  it('no way past the PIN: jumps, joined inputs and random paths never show money', async () => {
    const input = fc.constantFrom(
      '1',
      '2',
      '3',
      '4',
      '5',
      '0',
      '00',
      '98',
      '',
      '*',
      '#',
      '9999',
      '1*1',
      '**1',
      `${testPin}*1`,
      `*${testPin}`,
    )
    const path = fc.array(input, { maxLength: 8 })
    let paths = 0
    await fc.assert(
      fc.asyncProperty(path, fc.boolean(), fc.boolean(), async (inputs, oneByOne, plainDial) => {
        sessions += 1
        paths += 1
        const texts = oneByOne
          ? inputs.map((_, index) => inputs.slice(0, index + 1).join('*'))
          : [inputs.join('*')]
        for (const text of plainDial ? ['', ...texts] : texts) expect(await call(text)).not.toMatch(money)
        if (paths % 20 === 0) await world.reset()
      }),
      { numRuns: atScale(100, 3_000) },
    )
    showFigure('S4', `${store}: ${paths} random paths without the PIN, none showed an amount`)
  })
})
