// "This is not right": one key opens one case about the entry, with a reference and the day by which she will hear; staff close it.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createApiKey } from '../../src/http/keys.ts'
import { type ApiUnderTest, serveApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createProgramme } from '../support/fixtures.ts'
import { atScale, showFigure } from '../support/promises.ts'
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
let under: UssdUnderTest
let api: ApiUnderTest
let key: string
let dialled = 0

beforeAll(async () => {
  database = await createTestDatabase()
  world = await createWorld(database.db)
  under = await createUssdUnderTest(database)
  api = await serveApi(database.db)
  key = await createApiKey(database.db, world.programme.id, 'office')
})
afterAll(async () => {
  await api.close()
  await under.close()
  await database.drop()
})
beforeEach(() => world.reset())

interface Row {
  reference: string
  status: string
  promised: string | null
  entry: string | null
  kind: string | null
}

const cases = async () =>
  (
    await database.db.pool.query<Row>(
      `select c.reference, c.status, c.promised_date::text as promised, e.reference as entry, e.kind
         from cases c left join entries e on e.id = c.entry_id where c.kind = 'dispute' order by c.opened_at, c.id`,
    )
  ).rows

/** Dials once and types one input after the other; the last screen. */
async function walk(msisdn: string, ...inputs: string[]): Promise<string> {
  dialled += 1
  let path = ''
  let screen = ''
  for (const input of ['', ...inputs]) {
    path = path === '' ? input : `${path}*${input}`
    screen = await under.ussd.answer({
      provider: 'africastalking',
      sessionId: `t4-${dialled}`,
      msisdn,
      serviceCode: '*384*1#',
      text: path,
    })
  }
  return screen
}

describe('one key opens a case', () => {
  test.each([
    ['the account', ['1', testPin, '9'], 'savings_withdrawal'],
    ['the loan', ['1', testPin, '1', '9'], 'loan_repayment'],
    ['the savings', ['1', testPin, '2', '9'], 'savings_withdrawal'],
    ['a repayment, as its receipt', ['1', testPin, '3', '2', '9'], 'loan_repayment'],
    ['a loan paid out', ['1', testPin, '3', '4', '9'], 'loan_disbursement'],
  ])('on %s, about the entry behind it, with a reference and a day', async (_screen, inputs, kind) => {
    const screen = await walk(numbers.awa, ...inputs)
    const rows = await cases()
    expect(rows).toMatchObject([{ status: 'open', promised: '2026-11-25', kind }])
    expect(screen).toContain(rows[0]?.reference)
    expect(screen).toContain('mer 25 nov')
  })

  test('of nobody who has not shown her PIN', async () => {
    for (const inputs of [['1', '9'], ['1*9'], ['1', '1111', '9'], ['1*3*2*9'], ['9']])
      await walk(numbers.awa, ...inputs)
    for (const inputs of [['1', '9'], ['9'], ['1*9']]) await walk(numbers.stranger, ...inputs)
    expect(await cases()).toEqual([])
  })

  test('about the account as a whole where nothing ever moved', async () => {
    await walk(numbers.nobody, '1', testPin, '9')
    await walk(numbers.nobody, '1', testPin, '9')
    expect(await cases()).toMatchObject([{ status: 'open', entry: null }])
  })
})

test('the same entry disputed again and again, at once and from other dialogues, is one open case with one reference', async () => {
  const times = atScale(20, 300)
  const screens = await Promise.all(
    Array.from({ length: times }, () => walk(numbers.awa, '1', testPin, '3', '2', '9')),
  )
  const rows = await cases()
  expect(rows).toHaveLength(1)
  const references = new Set(screens.map((screen) => /[0-9A-Z]{6}/.exec(screen)?.[0]))
  expect([...references]).toEqual([rows[0]?.reference])
  await walk(numbers.awa, '1', testPin, '3', '1', '9')
  expect(await cases()).toHaveLength(2)
  showFigure('T4', `${times} disputes of one entry at once: 1 case, 1 reference`)
})

test('the day is as many working days ahead as the programme says', async () => {
  const { pool } = database.db
  await pool.query('update programmes set answer_working_days = 6')
  const later = await createUssdUnderTest(database)
  await later.ussd.answer({
    provider: 'africastalking',
    sessionId: 't4-later',
    msisdn: numbers.awa,
    serviceCode: '*384*1#',
    text: '1',
  })
  for (const text of [`1*${testPin}`, `1*${testPin}*9`])
    await later.ussd.answer({
      provider: 'africastalking',
      sessionId: 't4-later',
      msisdn: numbers.awa,
      serviceCode: '*384*1#',
      text,
    })
  await later.close()
  await pool.query('update programmes set answer_working_days = 3')
  // From a Sunday: six days from Monday to Friday and the Monday after.
  expect(await cases()).toMatchObject([{ promised: '2026-11-30' }])
})

describe('the back office', () => {
  const list = async (as = key) => JSON.parse((await api.call(as, 'get', '/cases')).text).cases
  const close = (reference: string, outcome: string, as = key) =>
    api.call(as, 'post', `/cases/${reference}/close`, { outcome })

  test('lists open cases with entry, owner and day, those promised first at the head', async () => {
    await walk(numbers.awa, '4', '1')
    await walk(numbers.mary, '1', testPin, '3', '2', '9')
    expect(await list()).toMatchObject([
      { kind: 'call_back', member: 'N-awa', entry: null, promisedDate: '2026-11-24' },
      {
        kind: 'dispute',
        member: 'N-mary',
        owner: 'Binta',
        entry: { kind: 'loan_repayment', bookedDate: '2026-10-24' },
        promisedDate: '2026-11-25',
        status: 'open',
        outcome: null,
      },
    ])
  })

  test('closes a case once, with an outcome; a new dispute is then a new case', async () => {
    await walk(numbers.awa, '1', testPin, '3', '2', '9')
    const [{ reference }] = await list()
    expect((await close(reference, 'corrected')).status).toBe(201)
    expect((await close(reference, 'corrected')).status).toBe(200)
    expect((await close(reference, 'confirmed')).status).toBe(409)
    expect((await close(reference, 'nonsense')).status).toBe(400)
    expect((await close('NOCASE', 'answered')).status).toBe(404)
    expect(await list()).toEqual([])
    await walk(numbers.awa, '1', testPin, '3', '2', '9')
    const [next] = await list()
    expect(next.reference).not.toBe(reference)
  })

  test('sees and closes nothing of another programme', async () => {
    const other = await createProgramme(database.db, {
      code: 'other',
      serviceCode: '*384*2',
      shortcode: '21385',
    })
    const theirs = await createApiKey(database.db, other.id, 'office')
    await walk(numbers.awa, '1', testPin, '9')
    const [{ reference }] = await list()
    expect(await list(theirs)).toEqual([])
    expect((await close(reference, 'answered', theirs)).status).toBe(404)
    expect(await cases()).toMatchObject([{ status: 'open' }])
  })
})
