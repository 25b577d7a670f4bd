import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { verifyAudit } from '../../src/audit.ts'
import { createPins } from '../../src/members/pin.ts'
import { findStaffByMsisdn } from '../../src/members/staff.ts'
import { resetStaffPin } from '../../src/members/staff-pin-reset.ts'
import { whoCalls } from '../../src/members/who-calls.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createProgramme, type TestProgramme, testNow } from '../support/fixtures.ts'
import { runTama } from '../support/tama.ts'

const binta = '+221776000001'
const oumar = '+221776000002'
const former = '+221776000003'
const auditor = '+221776000004'
let database: TestDatabase
let programme: TestProgramme
let pins: ReturnType<typeof createPins>
const ids: Record<string, string> = {}

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  programme = await createProgramme(db)
  pins = createPins({ db, pepper: 'pepper' })
  const people = [
    { msisdn: binta, role: 'facilitator' },
    { msisdn: oumar, role: 'administrator' },
    { msisdn: former, role: 'administrator', active: false },
    { msisdn: auditor, role: 'auditor' },
  ]
  for (const person of people) {
    const data = { programmeId: programme.id, firstName: 'Awa', lastName: 'Sané', language: 'fr', ...person }
    ids[person.msisdn] = (await db.prisma.staff.create({ data })).id
  }
})
afterAll(() => database.drop())

const id = (msisdn: string) => ids[msisdn] ?? ''

beforeEach(async () => {
  await database.db.pool.query('delete from staff_pins')
  await pins.staff.set(id(binta), '2846', testNow)
})

let tries = 0
async function tryPin(pin: string, now = testNow) {
  tries += 1
  return (await pins.staff.verify(id(binta), pin, `try-${tries}`, now)).verdict
}

const reset = (confirmedBy: string, actor = 'operator', whose = binta) =>
  database.db.transaction((tx) =>
    resetStaffPin(tx, {
      programmeId: programme.id,
      staff: { msisdn: whose },
      confirmedBy: { msisdn: confirmedBy },
      actor,
      at: testNow,
    }),
  )

test('the PIN of staff locks after three wrong tries, longer each time, as a member’s does, and the log says so', async () => {
  const after = (minutes: number) => new Date(testNow.getTime() + minutes * 60_000)
  for (const verdict of ['wrong', 'wrong', 'locked']) expect(await tryPin('9514')).toBe(verdict)
  expect(await tryPin('2846', after(14))).toBe('locked')
  for (const verdict of ['wrong', 'wrong', 'locked']) expect(await tryPin('9514', after(16))).toBe(verdict)
  expect(await tryPin('2846', after(60))).toBe('locked')
  expect(await tryPin('2846', after(16 + 24 * 60))).toBe('ok')
  const { rows } = await database.db.pool.query(
    `select actor, subject, after from audit_log where action = 'pin.locked' order by id`,
  )
  const subject = `staff:${id(binta)}`
  expect(rows).toEqual([
    { actor: 'system:pin', subject, after: { level: 1 } },
    { actor: 'system:pin', subject, after: { level: 2 } },
  ])
  const counted = await database.db.pool.query('select sum(count)::int as wrong from wrong_pins')
  expect(counted.rows).toEqual([{ wrong: 6 }])
})

test('setting and changing it are in the log, and a first one never replaces one that was set meanwhile', async () => {
  await database.db.pool.query('delete from staff_pins')
  const [mine, theirs] = await Promise.all([pins.staff.hash('8265'), pins.staff.hash('9473')])
  expect(await pins.staff.change(id(binta), mine, testNow)).toBe(false)
  expect(await pins.staff.setFirst(id(binta), mine, testNow)).toBe(true)
  expect(await pins.staff.setFirst(id(binta), theirs, testNow)).toBe(false)
  expect(await pins.staff.change(id(binta), theirs, testNow)).toBe(true)
  expect(await tryPin('9473')).toBe('ok')
  const { rows } = await database.db.pool.query(`select action from audit_log where actor = $1 order by id`, [
    `staff:${id(binta)}`,
  ])
  expect(rows.map(({ action }) => action)).toEqual(['pin.set', 'pin.changed'])
  expect((await verifyAudit(database.db.pool)).faults).toEqual([])
})

test('an administrator resets it, and the log names who confirmed', async () => {
  await reset(oumar, `staff:${id(oumar)}`)
  expect(await tryPin('2846')).toBe('none')
  const { rows } = await database.db.pool.query(
    `select actor, subject, before, after from audit_log where action = 'pin.reset' order by id desc limit 1`,
  )
  expect(rows).toEqual([
    {
      actor: `staff:${id(oumar)}`,
      subject: `staff:${id(binta)}`,
      before: { pin: true, lockLevel: 0 },
      after: { pin: false, confirmedBy: `staff:${id(oumar)}` },
    },
  ])
})

test('nobody else does, and nothing is changed or logged then', async () => {
  const before = await database.db.pool.query('select count(*) from audit_log')
  const refusal = { code: 'pin.not_an_administrator' }
  await expect(reset(binta)).rejects.toMatchObject(refusal)
  await expect(reset(former)).rejects.toMatchObject(refusal)
  await expect(reset(auditor)).rejects.toMatchObject(refusal)
  await expect(reset(oumar, `staff:${id(oumar)}`, oumar)).rejects.toMatchObject(refusal)
  await expect(reset(oumar, 'operator', '+221770000000')).rejects.toMatchObject({ code: 'staff.unknown' })
  expect(await tryPin('2846')).toBe('ok')
  expect((await database.db.pool.query('select count(*) from audit_log')).rows).toEqual(before.rows)
})

test('the operator resets that of the only administrator, who came in person', async () => {
  await pins.staff.set(id(oumar), '2846', testNow)
  await reset(oumar, 'operator', oumar)
  expect((await pins.staff.verify(id(oumar), '2846', 'only', testNow)).verdict).toBe('none')
})

test('the command line takes the numbers as they are written, and exits 2 when it is refused', async () => {
  const run = (...words: string[]) =>
    runTama(['pin-reset', '--staff', ...words], { DATABASE_URL: database.url })
  const refused = await run('77 600 00 01', '77 600 00 04', '--programme', 'fansoto')
  expect(refused.code).toBe(2)
  const done = await run('77 600 00 01', '77 600 00 02', '--programme', 'fansoto')
  expect(done.code).toBe(0)
  expect(await tryPin('2846')).toBe('none')
}, 60_000)

test('the phone knows active staff who may work by it, and nobody else', async () => {
  const { db } = database
  const known = async (msisdn: string) => (await whoCalls(db.reads, programme.id, msisdn)).staff?.role
  expect(await known(binta)).toBe('facilitator')
  expect(await known(former)).toBeUndefined()
  expect(await known(auditor)).toBeUndefined()
  expect(await known('+221770000000')).toBeUndefined()
  expect(await findStaffByMsisdn(db.pool, programme.id, former)).toMatchObject({ active: false })
})
