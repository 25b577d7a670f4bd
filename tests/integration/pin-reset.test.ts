import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createApiKey } from '../../src/http/keys.ts'
import { createPins } from '../../src/members/pin.ts'
import { resetPinInPerson } from '../../src/members/pin-reset.ts'
import { serveApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  createMember,
  createProgramme,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'
import { runTama } from '../support/tama.ts'

const facilitator = '+221776000001'
const stranger = '+221776000002'
let database: TestDatabase
let programme: TestProgramme
let member: TestMember
let pins: ReturnType<typeof createPins>

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  programme = await createProgramme(db)
  member = await createMember(db, programme, { number: 'M-1' })
  pins = createPins({ db, pepper: 'pepper' })
  const person = { programmeId: programme.id, firstName: 'Binta', lastName: 'Sané', language: 'fr' }
  const hers = await db.prisma.staff.create({ data: { ...person, msisdn: facilitator, role: 'facilitator' } })
  await db.prisma.staff.create({ data: { ...person, msisdn: stranger, role: 'facilitator' } })
  await db.prisma.group.update({ where: { id: programme.groupId }, data: { facilitatorId: hers.id } })
})
afterAll(() => database.drop())

beforeEach(async () => {
  await pins.set(member.id, '2846', testNow)
  await database.db.pool.query(`update member_pins set lock_level = 3, locked_until = '9999-12-31'`)
})

const reset = (confirmedBy: string, number = 'M-1') =>
  database.db.transaction((tx) =>
    resetPinInPerson(tx, {
      programmeId: programme.id,
      member: number,
      confirmedBy,
      actor: 'api:office',
      at: testNow,
    }),
  )
const locked = async () => (await pins.verify(member.id, '2846', 'try', testNow)).verdict

test('the facilitator of her group takes PIN and lock away, and the audit log names who confirmed it', async () => {
  expect(await locked()).toBe('locked')
  await reset(facilitator)
  expect(await locked()).toBe('none')
  const { rows } = await database.db.pool.query(
    `select actor, action, subject, before, after->>'confirmedBy' ~ '^staff:[0-9a-f-]{36}$' as named
       from audit_log where action = 'pin.reset'`,
  )
  expect(rows).toEqual([
    {
      actor: 'api:office',
      action: 'pin.reset',
      subject: `member:${member.id}`,
      before: { pin: true, lockLevel: 3 },
      named: true,
    },
  ])
})

test('nobody else can: not another facilitator, not one who has left, not for a member who is not there', async () => {
  await expect(reset(stranger)).rejects.toMatchObject({
    code: 'pin.not_her_facilitator',
    field: 'confirmedBy',
  })
  await expect(reset('+221770000000')).rejects.toMatchObject({ code: 'pin.not_her_facilitator' })
  await expect(reset(facilitator, 'M-2')).rejects.toMatchObject({ code: 'member.unknown' })
  await database.db.pool.query('update staff set active = false where msisdn = $1', [facilitator])
  await expect(reset(facilitator)).rejects.toMatchObject({ code: 'pin.not_her_facilitator' })
  await database.db.pool.query('update staff set active = true')
  expect(await locked()).toBe('locked')
})

test('a facilitator who is a member too is no witness of herself, on whichever of her phones', async () => {
  const self = await createMember(database.db, programme, { number: 'M-SELF', msisdn: '+221776000009' })
  await pins.set(self.id, '2846', testNow)
  const { id } = await database.db.prisma.phone.create({
    data: { programmeId: programme.id, msisdn: facilitator },
  })
  await database.db.prisma.memberPhone.create({
    data: { memberId: self.id, phoneId: id, isPrimary: false, boundAt: testNow },
  })
  await expect(reset(facilitator, 'M-SELF')).rejects.toMatchObject({ code: 'pin.not_her_facilitator' })
  expect((await pins.verify(self.id, '2846', 'self', testNow)).verdict).toBe('ok')
  await database.db.pool.query('delete from member_phones where phone_id = $1', [id])
  await reset(facilitator, 'M-SELF')
  expect((await pins.verify(self.id, '2846', 'self', testNow)).verdict).toBe('none')
})

test('the API does the same for the back office, and names the field that it refuses', async () => {
  const api = await serveApi(database.db)
  const key = await createApiKey(database.db, programme.id, 'office', ['members'])
  const ask = async (confirmedBy: string, number = 'M-1') => {
    const { status, text } = await api.call(key, 'post', `/members/${number}/pin-reset`, { confirmedBy })
    return { status, body: JSON.parse(text) }
  }
  expect(await ask(stranger)).toMatchObject({
    status: 422,
    body: { code: 'pin.not_her_facilitator', field: 'confirmedBy' },
  })
  expect(await ask('nobody')).toMatchObject({ status: 400, body: { field: 'confirmedBy' } })
  expect(await ask(facilitator, 'M-2')).toMatchObject({ status: 404, body: { code: 'route.unknown' } })
  expect(await locked()).toBe('locked')
  expect(await ask('77 600 00 01')).toEqual({ status: 201, body: { member: 'M-1', pin: 'none' } })
  expect(await locked()).toBe('none')
  await api.close()
})

test('"tama pin-reset" does the same for an operator, and refuses with a sentence', async () => {
  const environment = { DATABASE_URL: database.url }
  const words = ['--programme', 'fansoto']
  expect(await runTama(['pin-reset', 'M-1', stranger, ...words], environment)).toMatchObject({ code: 2 })
  expect(await locked()).toBe('locked')
  expect(await runTama(['pin-reset', 'M-1', '77 600 00 01', ...words], environment)).toMatchObject({
    code: 0,
  })
  expect(await locked()).toBe('none')
}, 120_000)
