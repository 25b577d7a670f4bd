import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { createCallbacks } from '../../src/http/callbacks.ts'
import { answerTheRest, createApp, listen } from '../../src/http/server.ts'
import { recordSimAnswer } from '../../src/members/sim-swap.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createSimChecks, type SimChecks } from '../../src/outbound/sim-checks.ts'
import { createSimSwapCheck } from '../../src/providers/sim-swap.ts'
import { createEmulator, type Emulator } from '../../src/simulator/emulator.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import {
  createMember,
  createProgramme,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'
import { showFigure } from '../support/promises.ts'
import { callbackSecret, createUssdUnderTest, type UssdUnderTest } from '../support/ussd.ts'

const clock = fixedClock(testNow)
const account = { username: 'test', apiKey: 'key' }
let database: TestDatabase
let programme: TestProgramme
let under: UssdUnderTest
let emulator: Emulator
let checks: SimChecks
let away: SimChecks
let web: { url: string; close(): Promise<void> }
let member: TestMember

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  programme = await createProgramme(db)
  await db.pool.query('update programmes set sim_swap_check = true')
  under = await createUssdUnderTest(database)
  const unused = () => Promise.resolve()
  const app = createApp()
  app.use(
    createCallbacks({
      secret: callbackSecret,
      logger: silentLogger,
      metrics: createMetrics(),
      handlers: {
        ussd: () => Promise.resolve('END'),
        ussdMalformed: () => 'END',
        ussdEnd: unused,
        sms: unused,
        delivery: unused,
        optOut: unused,
        simSwap: async (answer) => {
          const doubted = await db.transaction((tx) => recordSimAnswer(tx, answer, clock.now()))
          if (doubted === undefined) throw new Error('not known yet')
        },
      },
    }),
  )
  answerTheRest(app, silentLogger)
  web = await listen(app, 0)
  emulator = createEmulator({
    ...account,
    clock,
    logger: silentLogger,
    callbackBaseUrl: web.url,
    callbackSecret,
    retryDelaysMs: [20, 20, 20, 100, 1_000],
  })
  const to = (baseUrl: string) =>
    createSimChecks({
      db,
      clock,
      logger: silentLogger,
      check: createSimSwapCheck({ ...account, baseUrl, timeoutMs: 2_000 }),
    })
  checks = to(await emulator.listen(0))
  away = to('http://127.0.0.1:1')
})
afterAll(async () => {
  await emulator.close()
  await web.close()
  await under.close()
  await database.drop()
})

let count = 0
beforeEach(async () => {
  count += 1
  clock.set(testNow)
  under.clock.set(testNow)
  member = await createMember(database.db, programme, {
    number: `S${count}`,
    msisdn: `+22177090${String(count).padStart(4, '0')}`,
  })
  await database.db.pool.query('update members set created_at = $1', [new Date('2026-01-05T10:00:00Z')])
  await database.db.pool.query('delete from sim_checks')
})

let dials = 0
/** She dials, goes to her account and chooses a PIN; gives the last screen. */
async function choosePin(): Promise<string> {
  dials += 1
  let screen = ''
  for (const text of ['', '1', '1*2846', '1*2846*2846'])
    if (!screen.startsWith('END'))
      screen = await under.ussd.answer({
        provider: 'africastalking',
        sessionId: `sim${dials}`,
        msisdn: member.msisdn,
        serviceCode: '*384*1#',
        text,
      })
  return screen
}

const hasPin = async () =>
  ((await database.db.pool.query('select 1 from member_pins where member_id = $1', [member.id])).rowCount ??
    0) > 0

const later = (minutes: number) => {
  const at = new Date(clock.now().getTime() + minutes * 60_000)
  clock.set(at)
  under.clock.set(at)
}

async function askAndHear(): Promise<number> {
  const asked = await checks.askOnce()
  await emulator.settled()
  return asked
}

test('a first PIN waits for the network; a SIM that is not new lets her on at the next dial', async () => {
  expect(await choosePin()).toMatch(/^END Nous v.rifions d'abord/)
  expect(await hasPin()).toBe(false)
  expect(await askAndHear()).toBe(1)
  expect(await choosePin()).toMatch(/^CON/)
  expect(await hasPin()).toBe(true)
})

test('a new SIM puts the number in doubt: no PIN can be set, the account is closed', async () => {
  emulator.swapSim(member.msisdn, '21-11-2026')
  await choosePin()
  await askAndHear()
  await database.db.pool.query("update phones set language = 'fr' where id = $1", [member.phoneId])
  expect(await choosePin()).not.toMatch(/PIN|code/i)
  expect(await hasPin()).toBe(false)
  const { rows } = await database.db.pool.query(
    'select reverify_reason as reason from member_phones where member_id = $1',
    [member.id],
  )
  expect(rows).toEqual([{ reason: 'sim_swap' }])
  const audit = await database.db.pool.query('select actor from audit_log where subject = $1', [
    `member:${member.id}`,
  ])
  expect(audit.rows).toEqual([{ actor: 'system:sim_swap' }])
})

test('a swap from before she joined, or from before or on the day that two people bound the phone, says nothing', async () => {
  emulator.swapSim(member.msisdn, '04-01-2026')
  await choosePin()
  await askAndHear()
  expect(await choosePin()).toMatch(/^CON/)
  expect(await hasPin()).toBe(true)

  await database.db.pool.query('delete from member_pins')
  await database.db.pool.query('delete from sim_checks')
  await database.db.pool.query(
    "update member_phones set bound_at = '2026-11-22T09:00:00Z' where member_id = $1",
    [member.id],
  )
  emulator.swapSim(member.msisdn, '22-11-2026')
  await choosePin()
  await askAndHear()
  await choosePin()
  expect(await hasPin()).toBe(true)
})

test('while the check is away no first PIN is set, and the question is asked when it is back', async () => {
  await choosePin()
  await expect(away.askOnce()).rejects.toThrow()
  later(5)
  expect(await choosePin()).toMatch(/^END/)
  expect(await hasPin()).toBe(false)
  expect(await askAndHear()).toBe(1)
  await choosePin()
  expect(await hasPin()).toBe(true)
})

test('dialling again and again costs one question, an answer that never comes another after a while', async () => {
  for (let dial = 0; dial < 20; dial += 1) await choosePin()
  const wanted = async () => (await database.db.pool.query('select 1 from sim_checks')).rowCount
  expect(await wanted()).toBe(1)
  await database.db.pool.query("update sim_checks set asked_at = $1, request_id = 'lost'", [clock.now()])
  later(14)
  await choosePin()
  expect(await wanted()).toBe(1)
  later(2)
  await choosePin()
  expect(await wanted()).toBe(2)
  showFigure('S5', 'first PIN on a swapped SIM: 0 of 1 set; 20 dials cost 1 question; check away: 0 PINs set')
})

test('a word that nobody knows is no answer', async () => {
  await choosePin()
  await database.db.pool.query("update sim_checks set asked_at = $1, request_id = 'odd'", [clock.now()])
  const answer = { requestId: 'odd', status: 'Maybe' }
  expect(await database.db.transaction((tx) => recordSimAnswer(tx, answer, clock.now()))).toEqual([])
  expect(await choosePin()).toMatch(/^END/)
})

test('a programme without the check asks nothing', async () => {
  await database.db.pool.query('update programmes set sim_swap_check = false')
  const plain = await createUssdUnderTest(database)
  const before = under
  under = plain
  try {
    await choosePin()
    expect(await hasPin()).toBe(true)
    expect((await database.db.pool.query('select 1 from sim_checks')).rowCount).toBe(0)
  } finally {
    under = before
    await plain.close()
    await database.db.pool.query('update programmes set sim_swap_check = true')
  }
})

test.each([
  ['no JSON', 'requestId=1', 400],
  ['a missing field', '{"status": "Swapped"}', 400],
  ['a question that nobody asked', '{"requestId": "none", "status": "Swapped"}', 500],
])('the callback refuses %s', async (_what, body, status) => {
  const response = await fetch(`${web.url}/callbacks/africastalking/${callbackSecret}/sim-swap`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json' },
  })
  expect(response.status).toBe(status)
})
