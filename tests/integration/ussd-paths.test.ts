// Where dialogues stop: counted by screen, once a dialogue, over several processes; never who dialled.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createMetrics } from '../../src/metrics.ts'
import { purge } from '../../src/privacy/retention.ts'
import { createPathCounter, type PathCounter, pathCounts } from '../../src/ussd/paths.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import {
  createUssdUnderTest,
  createWorld,
  numbers,
  testPin,
  type UssdUnderTest,
  type World,
} from '../support/ussd.ts'

let database: TestDatabase
let world: World
let processes: { under: UssdUnderTest; paths: PathCounter }[]
let dialled = 0

beforeAll(async () => {
  database = await createTestDatabase()
  world = await createWorld(database.db)
  const open = async () => {
    const paths = createPathCounter({ db: database.db, logger: silentLogger })
    return { paths, under: await createUssdUnderTest(database, { paths }) }
  }
  processes = [await open(), await open()]
})
afterAll(async () => {
  for (const { under } of processes) await under.close()
  await database.drop()
})
beforeEach(async () => {
  await world.reset()
  await database.db.pool.query('delete from ussd_path_counts')
})

/** Each hop of a dialogue comes to the other process. */
async function walk(msisdn: string, ...inputs: string[]): Promise<void> {
  dialled += 1
  const sessionId = `paths-${dialled}`
  let text = ''
  for (const [hop, input] of ['', ...inputs].entries()) {
    text = text === '' ? input : `${text}*${input}`
    const call = {
      provider: 'africastalking',
      sessionId,
      msisdn,
      serviceCode: '*384*1#',
      text,
    }
    await processes[hop % 2]?.under.ussd.answer(call)
  }
}

async function counts(): Promise<Record<string, string>> {
  for (const { paths } of processes) await paths.flush()
  const rows = await pathCounts(database.db.pool, world.programme.id, '2026-11-22', '2026-11-22')
  return Object.fromEntries(
    rows.map(({ menu, state, shown, stopped }) => [`${menu}.${state}`, `${shown} ${stopped}`]),
  )
}

describe('a dialogue', () => {
  test('counts once on every screen that it showed, and as stopped on the last one', async () => {
    await walk(numbers.awa, '1', testPin, '1')
    await walk(numbers.mary, '1')
    expect(await counts()).toEqual({
      'member.home': '2 0',
      'member.pin': '2 1',
      'member.account': '1 0',
      'member.loan': '1 1',
    })
  })

  test('that comes back to a screen is one there', async () => {
    await walk(numbers.awa, '2', '0', '2', '0', '2')
    expect(await counts()).toEqual({ 'member.home': '1 0', 'member.meeting': '1 1' })
  })

  test('that came to an end stopped nowhere', async () => {
    await walk(numbers.awa, '1', '1111', '1112', '1113')
    const found = await counts()
    expect(found['member.pin_locked']).toBe('1 0')
    expect(found['member.pin']).toBe('1 0')
  })

  test('whose callbacks are repeated counts once', async () => {
    dialled += 1
    for (const text of ['', '', '2', '2', '2'])
      await processes[0]?.under.ussd.answer({
        provider: 'africastalking',
        sessionId: `paths-${dialled}`,
        msisdn: numbers.awa,
        serviceCode: '*384*1#',
        text,
      })
    expect(await counts()).toEqual({ 'member.home': '1 0', 'member.meeting': '1 1' })
  })

  test('of a stranger counts in the menu that he sees', async () => {
    await walk(numbers.stranger, '2')
    expect(await counts()).toEqual({ 'public.home': '1 0', 'public.help': '1 1' })
  })
})

test('a hundred dialogues at once lose no count, and as many stopped as did not end', async () => {
  await Promise.all(
    Array.from({ length: 100 }, (_, at) => walk(`+2217799${10_000 + at}`, ...(at % 2 === 0 ? ['2'] : []))),
  )
  const found = await counts()
  expect(found).toEqual({ 'public.home': '100 50', 'public.help': '50 50' })
})

test('what cannot be written now is written with the next minute', async () => {
  await walk(numbers.awa, '2')
  await database.db.pool.query('alter table ussd_path_counts rename to away')
  for (const { paths } of processes) await paths.flush()
  await database.db.pool.query('alter table away rename to ussd_path_counts')
  await walk(numbers.mary)
  expect(await counts()).toEqual({ 'member.home': '2 1', 'member.meeting': '1 1' })
})

test('counts are kept for 400 days', async () => {
  const { db } = database
  await walk(numbers.awa)
  await counts()
  const keepDays = { texts: 90, callbacks: 30, dialogues: 7 }
  const after = (days: number) => new Date(Date.UTC(2026, 10, 22 + days, 12))
  const forget = (days: number) =>
    purge({ db, logger: silentLogger, metrics: createMetrics(), keepDays }, after(days))
  expect((await forget(400)).ussd_path_counts).toBe(0)
  expect((await forget(401)).ussd_path_counts).toBe(1)
})

test('the table knows no column for a number, a member or a text', async () => {
  const { rows } = await database.db.pool.query<{ name: string }>(
    `select column_name as name from information_schema.columns where table_name = 'ussd_path_counts' order by 1`,
  )
  expect(rows.map(({ name }) => name)).toEqual(['day', 'menu', 'programme_id', 'shown', 'state', 'stopped'])
})
