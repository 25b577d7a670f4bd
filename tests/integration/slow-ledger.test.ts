import { createServer } from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createDb } from '../../src/db.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import {
  closingScreen,
  createUssdUnderTest,
  createWorld,
  numbers,
  testPin,
  type World,
} from '../support/ussd.ts'

let database: TestDatabase
let world: World

beforeAll(async () => {
  database = await createTestDatabase()
  world = await createWorld(database.db)
})
afterAll(() => database.drop())
beforeEach(() => world.reset())

const call = (sessionId: string, text: string, msisdn: string = numbers.awa) => ({
  provider: 'africastalking',
  sessionId,
  msisdn,
  serviceCode: '*384*1#',
  text,
})
const late = (language: string) => closingScreen(language, 'late')
/** Where no SMS is promised. */
const again = (language: string) => closingScreen(language, 'late_again')

/** Another connection holds the ledger's postings until released. */
async function stallLedger(): Promise<() => Promise<void>> {
  const holder = new pg.Client({ connectionString: database.url })
  await holder.connect()
  await holder.query('begin')
  await holder.query('lock table postings in access exclusive mode')
  return async () => {
    await holder.query('rollback')
    await holder.end()
  }
}

interface MessageRow {
  template: string
  purpose: string
  lane: string
  member_id: string | null
  status: string
}

/** The world's own notice aside. */
async function messages(): Promise<MessageRow[]> {
  const { rows } = await database.db.pool.query<MessageRow>(
    'select template, purpose, lane, member_id, status from messages where notice_id is null order by created_at',
  )
  return rows
}

describe('with the ledger stalled', () => {
  test('she gets END in her language in time, the same for the same callback, and one answer follows', async () => {
    const under = await createUssdUnderTest(database, { deadlineMs: 400 })
    await under.ussd.answer(call('a', '', numbers.mary))
    await under.ussd.answer(call('a', '1', numbers.mary))
    const release = await stallLedger()
    const text = `1*${testPin}`
    const replies = [
      await under.ussd.answer(call('a', text, numbers.mary)),
      await under.ussd.answer(call('a', text, numbers.mary)),
    ]
    expect(replies).toEqual([late('en'), late('en')])
    await release()
    await vi.waitFor(async () => expect(await messages()).toHaveLength(1), { timeout: 10_000 })
    expect(await messages()).toEqual([
      {
        template: 'answer.loan',
        purpose: 'reply',
        lane: 'urgent',
        member_id: world.members.mary?.id,
        status: 'created',
      },
    ])
    await vi.waitFor(async () =>
      expect(await under.ussd.answer(call('a', text, numbers.mary))).toBe(late('en')),
    )
    expect(await under.ussd.answer(call('a', `${text}*1`, numbers.mary))).toMatch(
      /^END This dialogue is over/,
    )
    await under.close()
    expect(await messages()).toHaveLength(1)
  })

  test('no answer about money follows before the PIN was right', async () => {
    const under = await createUssdUnderTest(database, { deadlineMs: 400 })
    await under.ussd.answer(call('b', ''))
    await under.ussd.answer(call('b', '1'))
    const blocked = new pg.Client({ connectionString: database.url })
    await blocked.connect()
    await blocked.query('begin')
    await blocked.query('lock table member_pins in access exclusive mode')
    expect(await under.ussd.answer(call('b', '1*9999'))).toBe(late('fr'))
    await blocked.query('rollback')
    await blocked.end()
    await vi.waitFor(async () => expect(await messages()).toHaveLength(1), { timeout: 10_000 })
    expect((await messages())[0]?.template).toBe('answer.dial')
    await under.close()
  })

  test('a stranger is promised no SMS, and gets none; a member who could not be read yet gets more than was promised', async () => {
    const under = await createUssdUnderTest(database, { deadlineMs: 400 })
    const blocked = new pg.Client({ connectionString: database.url })
    await blocked.connect()
    await blocked.query('begin')
    await blocked.query('lock table member_phones in access exclusive mode')
    const replies = await Promise.all([
      under.ussd.answer(call('s', '', '+221781239999')),
      under.ussd.answer(call('m', '')),
    ])
    expect(replies).toEqual([again('fr'), again('fr')])
    await blocked.query('rollback')
    await blocked.end()
    await vi.waitFor(async () => expect(await messages()).toHaveLength(1), { timeout: 10_000 })
    await under.close()
    expect(await messages()).toMatchObject([{ template: 'answer.dial' }])
  })

  test('a word that is worked out late counts from when she said it', async () => {
    const under = await createUssdUnderTest(database, { deadlineMs: 400 })
    await under.ussd.answer(call('w', '5', numbers.mary))
    await under.ussd.answer(call('w', '5*3', numbers.mary))
    const saidAt = under.clock.now()
    const blocked = new pg.Client({ connectionString: database.url })
    await blocked.connect()
    await blocked.query('begin; lock table consents in access exclusive mode')
    expect(await under.ussd.answer(call('w', '5*3*1', numbers.mary))).toBe(late('en'))
    under.clock.set(new Date(saidAt.getTime() + 60_000))
    // The try under way is lost with its connection; the next one comes a minute after she spoke.
    await blocked.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    )
    await blocked.query('rollback')
    await blocked.end()
    await vi.waitFor(async () => expect(await messages()).toHaveLength(1), { timeout: 10_000 })
    await under.close()
    const { rows } = await database.db.pool.query(
      `select purpose, granted, collected_at as at from consents where member_id = $1 and channel = 'ussd'`,
      [world.members.mary?.id],
    )
    expect(rows).toEqual([{ purpose: 'receipt', granted: false, at: saidAt }])
  })

  test('screens that need no ledger go on', async () => {
    const under = await createUssdUnderTest(database, { deadlineMs: 2_000 })
    const release = await stallLedger()
    expect(await under.ussd.answer(call('c', ''))).toMatch(/^CON Bienvenue/)
    expect(await under.ussd.answer(call('c', '6'))).toMatch(/^CON Composez/)
    await release()
    await under.close()
  })

  test('for 20 seconds, every callback answers within 8 seconds and the answer follows', async () => {
    const under = await createUssdUnderTest(database)
    const { awa, mary, coumba, late: lala, nobody } = numbers
    const dialogues = [awa, mary, coumba, lala, nobody]
    for (const msisdn of dialogues) {
      await under.ussd.answer(call('full', '', msisdn))
      await under.ussd.answer(call('full', '1', msisdn))
    }
    const release = await stallLedger()
    const releasing = new Promise<void>((resolve) => setTimeout(() => resolve(release()), 20_000))
    const startedMs = performance.now()
    const replies = await Promise.all(
      dialogues.map(async (msisdn) => {
        const reply = await under.ussd.answer(call('full', `1*${testPin}`, msisdn))
        return { reply, ms: performance.now() - startedMs }
      }),
    )
    for (const { reply, ms } of replies) {
      expect([late('fr'), late('en'), late('wo')]).toContain(reply)
      expect(ms).toBeLessThan(8_000)
    }
    await releasing
    await vi.waitFor(async () => expect(await messages()).toHaveLength(dialogues.length), { timeout: 20_000 })
    await under.close()
  }, 60_000)
})

test('a database that never answers still gives END in time, in the programme’s language', async () => {
  const silent = createServer(() => {})
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const address = silent.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  const url = `postgres://nobody:x@127.0.0.1:${address.port}/none`
  const deaf = createDb({ url, logger: silentLogger })
  const under = await createUssdUnderTest({ db: database.db, url }, { deadlineMs: 500 })
  const startedMs = performance.now()
  expect(await under.ussd.answer(call('d', ''))).toBe(again('fr'))
  expect(performance.now() - startedMs).toBeLessThan(3_000)
  await deaf.close()
  silent.close()
  silent.unref()
}, 30_000)

test('a database that is down gives END at once', async () => {
  const under = await createUssdUnderTest(
    { db: database.db, url: 'postgres://nobody:x@127.0.0.1:1/none' },
    { deadlineMs: 5_000 },
  )
  const startedMs = performance.now()
  expect(await under.ussd.answer(call('e', ''))).toBe(again('fr'))
  expect(performance.now() - startedMs).toBeLessThan(4_000)
})
