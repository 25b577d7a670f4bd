// The code on a receipt: whoever dials it sees amount, day and group and nothing else; guessing codes is bounded, and is seen.
import { randomInt } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { createApiKey } from '../../src/http/keys.ts'
import { reverseEntry } from '../../src/ledger/entries.ts'
import {
  isReceiptCode,
  missesMax,
  programmeMissesMax,
  triesMax,
  verifyReceipt,
  withCheckDigit,
} from '../../src/ledger/receipt-codes.ts'
import { type ApiUnderTest, serveApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  createLoan,
  createMember,
  createProgramme,
  repay,
  type TestMember,
  testNow,
  testToday,
} from '../support/fixtures.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { startTelling, type TellingHouse } from '../support/told.ts'
import {
  createUssdUnderTest,
  createWorld,
  i18n,
  numbers,
  type UssdUnderTest,
  type World,
} from '../support/ussd.ts'

const receipts = atScale(30, 1_000)

let database: TestDatabase
let world: World
let house: TellingHouse
let under: UssdUnderTest
let api: ApiUnderTest
let key: string
let dialled = 0
let payer: TestMember
let loan: string

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  world = await createWorld(db)
  payer = await createMember(db, world.programme, {
    firstName: 'Zeynaboulaye',
    number: 'M-PAYER',
    smsForm: 'full',
  })
  loan = (await createLoan(db, world.programme, payer, { number: 'L-PAYER' })).number
  house = await startTelling(database, world.programme, i18n, fixedClock(testNow))
  under = await createUssdUnderTest(database)
  api = await serveApi(db)
  key = await createApiKey(db, world.programme.id, 'office')
})
afterAll(async () => {
  await api.close()
  await under.close()
  await house.stop()
  await database.drop()
})
beforeEach(async () => {
  await database.db.pool.query('delete from verification_tries; delete from unmatched_codes')
  under.clock.set(testNow)
})

/** A dialogue of one deep dial. */
function dial(msisdn: string, text: string): Promise<string> {
  dialled += 1
  return under.ussd.answer({
    provider: 'africastalking',
    sessionId: `t3-${dialled}`,
    msisdn,
    serviceCode: '*384*1#',
    text,
  })
}

/** On no receipt, and with the check digit that it would have. */
async function freeCode(): Promise<string> {
  for (;;) {
    const code = withCheckDigit(String(randomInt(100_000)).padStart(5, '0'))
    const { rowCount } = await database.db.pool.query('select 1 from receipt_codes where code = $1', [code])
    if (rowCount === 0) return code
  }
}

async function codeOf(entryId: string): Promise<string> {
  const { rows } = await database.db.pool.query<{ code: string }>(
    'select code from receipt_codes where entry_id = $1',
    [entryId],
  )
  return rows[0]?.code ?? ''
}

const unmatched = async () =>
  (await database.db.pool.query<{ count: number }>('select count(*)::int as count from unmatched_codes'))
    .rows[0]?.count

test('each repayment receipt bears a code of six digits of its own, under which any phone sees what it states', async () => {
  const paid: { id: string; amount: number }[] = []
  for (let index = 0; index < receipts; index += 1)
    paid.push({
      ...(await repay(database.db, world.programme, loan, 10 + (index % 20))),
      amount: 10 + (index % 20),
    })
  await house.settled()
  const codes = new Set<string>()
  for (const { id, amount } of paid) {
    const code = await codeOf(id)
    expect(isReceiptCode(code)).toBe(true)
    codes.add(code)
    const { rows } = await database.db.pool.query<{ text: string }>(
      'select text from messages where entry_id = $1',
      [id],
    )
    expect(rows[0]?.text).toContain(code)
    const screen = await dial(`+22178${String(randomInt(10_000_000)).padStart(7, '0')}`, `7*${code}`)
    expect(screen).toBe(`CON Recu: ${amount} F, dim 22 nov\nGroupe: Jappo\n0 Retour\n00 Accueil`)
  }
  expect(codes.size).toBe(receipts)
  showFigure('T3', `${receipts} receipts, ${codes.size} codes, each verified from a phone that nobody knows`)
})

test('the code says nothing of whose receipt it is, to nobody, and the same to all', async () => {
  const { id } = await repay(database.db, world.programme, loan, 77)
  await house.settled()
  const code = await codeOf(id)
  const { msisdn: bare } = await database.db.prisma.phone.create({
    data: { programmeId: world.programme.id, msisdn: '+221770000098' },
  })
  const screens = new Set<string>()
  for (const msisdn of [numbers.stranger, bare, numbers.suspended, numbers.awa, numbers.ami, payer.msisdn])
    screens.add(await dial(msisdn, `7*${code}`))
  screens.delete([...screens].find((screen) => screen.includes('1 Francais')) ?? '')
  expect([...screens]).toEqual(['CON Recu: 77 F, dim 22 nov\nGroupe: Jappo\n0 Retour\n00 Accueil'])
})

test('a receipt whose entry was undone says so', async () => {
  const { id, reference } = await repay(database.db, world.programme, loan, 78)
  await house.settled()
  await database.db.transaction((tx) =>
    reverseEntry(tx, world.programme.id, 'test', {
      reference: `undo/${reference}`,
      reverses: reference,
      bookedDate: testToday,
    }),
  )
  expect(await dial(numbers.stranger, `7*${await codeOf(id)}`)).toMatch(
    /^CON Ce recu est annulé: 78 F, dim 22 nov/,
  )
})

test('a code of another programme is unknown here', async () => {
  const other = await createProgramme(database.db, {
    code: 'other',
    serviceCode: '*384*2',
    shortcode: '21385',
  })
  const member = await createMember(database.db, other)
  const theirs = await createLoan(database.db, other, member)
  const { id } = await repay(database.db, other, theirs.number, 79)
  await house.events.drainOnce()
  const code = await codeOf(id)
  await database.db.pool.query('delete from receipt_codes where code = $1 and programme_id <> $2', [
    code,
    other.id,
  ])
  expect(await dial(numbers.stranger, `7*${code}`)).toContain("Aucun recu n'a ce code")
})

test('a code that is on no receipt is an event without number or code, told to the back office of this programme', async () => {
  const code = await freeCode()
  const slip = `${code.slice(0, 5)}${(Number(code[5]) + 1) % 10}`
  await dial(numbers.stranger, `7*${code}`)
  await dial(numbers.stranger, `7*${slip}`)
  await dial(numbers.awa, `7*${code}`)
  const { text } = await api.call(key, 'get', '/unmatched-codes')
  const { unmatchedCodes: told } = JSON.parse(text)
  expect(told).toMatchObject([{ wellFormed: true }, { wellFormed: false }, { wellFormed: true }])
  expect(told[0].code).toBe(told[2].code)
  expect(told[0].phone).not.toBe(told[2].phone)
  expect(told[1].phone).toBe(told[2].phone)
  const { rows } = await database.db.pool.query<{ row: string }>(
    'select to_jsonb(t)::text as row from unmatched_codes t union all select to_jsonb(t)::text from verification_tries t',
  )
  for (const { row } of rows) {
    const values = Object.values(JSON.parse(row) as object).map(String)
    for (const secret of [code, slip, numbers.stranger, numbers.awa]) expect(values).not.toContain(secret)
  }
})

test('the same callback again is one try, and one event', async () => {
  const call = {
    provider: 'africastalking',
    sessionId: 't3-again',
    msisdn: numbers.stranger,
    serviceCode: '*384*1#',
    text: `7*${await freeCode()}`,
  }
  const answers = await Promise.all(Array.from({ length: 20 }, () => under.ussd.answer(call)))
  expect(new Set(answers).size).toBe(1)
  expect(await unmatched()).toBe(1)
  const { rows } = await database.db.pool.query(
    "select tries, misses from verification_tries where caller <> ''",
  )
  expect(rows).toEqual([{ tries: 1, misses: 1 }])
})

test('one number misses five times an hour, however many it tries at once, and then not even a right code is looked at', async () => {
  const { id } = await repay(database.db, world.programme, loan, 80)
  await house.settled()
  const right = `7*${await codeOf(id)}`
  const wrong = await Promise.all(Array.from({ length: 200 }, freeCode))
  const screens = await Promise.all(wrong.map((code) => dial(numbers.stranger, `7*${code}`)))
  expect(screens.filter((screen) => screen.startsWith('CON'))).toHaveLength(missesMax)
  expect(screens.filter((screen) => screen.startsWith('END Trop'))).toHaveLength(200 - missesMax)
  expect(await unmatched()).toBe(missesMax)
  expect(await dial(numbers.stranger, right)).toMatch(/^END Trop/)
  expect(await dial(numbers.awa, right)).toMatch(/^CON Recu/)
  under.clock.advanceMs(3_600_000)
  expect(await dial(numbers.stranger, right)).toMatch(/^CON Recu/)
  showFigure('T3', `200 guesses of one number at once: ${missesMax} looked at`)
})

test('one number looks at sixty receipts an hour', async () => {
  const { id } = await repay(database.db, world.programme, loan, 81)
  await house.settled()
  const right = `7*${await codeOf(id)}`
  const screens = await Promise.all(
    Array.from({ length: triesMax + 20 }, () => dial(numbers.stranger, right)),
  )
  expect(screens.filter((screen) => screen.startsWith('CON'))).toHaveLength(triesMax)
})

test('all numbers of a programme together miss three hundred times an hour', async () => {
  const asks = programmeMissesMax + atScale(100, 2_000)
  const guess = async (index: number) =>
    verifyReceipt(database.db.pool, {
      programmeId: world.programme.id,
      code: await freeCode(),
      caller: `caller/${index % Math.ceil(asks / missesMax)}`,
      codeMark: 'mark',
      hopKey: `all/${index}`,
      now: testNow,
    })
  const outcomes: string[] = []
  for (let from = 0; from < asks; from += 50) {
    const batch = Array.from({ length: Math.min(50, asks - from) }, (_, index) => guess(from + index))
    outcomes.push(...(await Promise.all(batch)).map(({ outcome }) => outcome))
  }
  expect(outcomes.filter((outcome) => outcome === 'unknown')).toHaveLength(programmeMissesMax)
  expect(outcomes.filter((outcome) => outcome === 'too_often')).toHaveLength(asks - programmeMissesMax)
  expect(await unmatched()).toBe(programmeMissesMax)
  showFigure('T3', `${asks} guesses of many numbers: ${programmeMissesMax} looked at`)
}, 120_000)
