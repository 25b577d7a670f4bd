import { afterAll, beforeAll, expect, test } from 'vitest'
import { createApiKey } from '../../src/http/keys.ts'
import { recordWords } from '../../src/members/consent.ts'
import { createPins } from '../../src/members/pin.ts'
import { createMessages } from '../../src/outbound/outbox.ts'
import { exportedTables, exportMember } from '../../src/privacy/export.ts'
import { type ApiUnderTest, serveApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  createLoan,
  createMember,
  createProgramme,
  repay,
  save,
  sayingAt,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'
import { showFigure } from '../support/promises.ts'
import { testPepper, testPin } from '../support/ussd.ts'

let database: TestDatabase
let programme: TestProgramme
let member: TestMember
let neighbour: TestMember
let api: ApiUnderTest
let key: string
let otherKey: string

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  programme = await createProgramme(db)
  const other = await createProgramme(db, { code: 'other', serviceCode: '*384*2', shortcode: '21385' })
  member = await createMember(db, programme, { number: 'M-HER', firstName: 'Zeynaboulaye' })
  neighbour = await createMember(db, programme, {
    number: 'M-NEXT',
    firstName: 'Khadijatou',
    phoneId: member.phoneId,
  })
  await createPins({ db, pepper: testPepper }).set(member.id, testPin, testNow)
  await createLoan(db, programme, member, { number: 'L-HER' })
  await createLoan(db, programme, neighbour, { number: 'L-NEXT' })
  await repay(db, programme, 'L-HER', '1234')
  await save(db, programme, member, '5678')
  await save(db, programme, neighbour, '98765')
  await recordWords(db.pool, [
    { ...sayingAt(testNow), memberId: member.id, purpose: 'meeting', granted: false },
  ])
  await createMessages(db.pool, [
    {
      programmeId: programme.id,
      memberId: member.id,
      purpose: 'receipt',
      template: 'receipt.loan_repayment',
      lane: 'urgent',
      dedupeKey: 'hers',
      notBefore: testNow,
    },
  ])
  key = await createApiKey(db, programme.id, 'office')
  otherKey = await createApiKey(db, other.id, 'office')
  api = await serveApi(db)
})
afterAll(async () => {
  await api.close()
  await database.drop()
})

const exported = () =>
  exportMember(database.db.pool, {
    programmeId: programme.id,
    memberId: member.id,
    actor: 'operator',
    now: testNow,
  })

test('every table that refers to a member, or to what is hers, is in the export', async () => {
  const { rows } = await database.db.pool.query<{ table: string }>(
    `with recursive refers (relation) as (
       select 'members'::regclass::oid
       union
       select c.conrelid from pg_constraint c join refers r on c.confrelid = r.relation
        where c.contype = 'f' and r.relation in (select unnest($1::regclass[])::oid))
     select relation::regclass::text as table from refers
     union select table_name from information_schema.columns
            where table_schema = 'public' and column_name in ('member_id', 'phone_id', 'officer_id')
     order by 1`,
    [['members', 'loans', 'accounts', 'messages', 'phones', 'cases']],
  )
  // Who belongs to nobody: an entry's marks say nothing of a person.
  expect(rows.map(({ table }) => table).filter((table) => !Object.hasOwn(exportedTables, table))).toEqual([])
  expect(rows.length).toBeGreaterThan(10)
  showFigure('P4', `${rows.length} tables refer to a member or what is hers, all in the export`)
})

test('the export holds what she has everywhere, amounts exact, and no PIN', async () => {
  const { format, tables } = await exported()
  expect(format).toBe('tama-member/1')
  expect(tables.members).toMatchObject([{ number: 'M-HER', first_name: 'Zeynaboulaye' }])
  expect(tables.phones).toMatchObject([{ msisdn: member.msisdn }])
  expect(tables.loans).toMatchObject([{ number: 'L-HER' }])
  expect(tables.instalments).toHaveLength(3)
  expect(tables.consents).toContainEqual(expect.objectContaining({ purpose: 'meeting', granted: false }))
  expect(tables.messages).toMatchObject([{ dedupe_key: 'hers' }])
  expect(JSON.stringify(tables.postings)).toContain('"amount":"-1234.0000"')
  expect(JSON.stringify(tables.postings)).toContain('"amount":"-5678.0000"')
  expect(tables.member_pins).toMatchObject([{ tries: 0 }])
  const whole = JSON.stringify(tables)
  expect(whole).not.toMatch(/argon2|"hash"|last_try_key/)
  for (const others of [neighbour.id, 'Khadijatou', 'L-NEXT', '98765']) expect(whole).not.toContain(others)
})

test('the route gives it to her own programme alone, and the audit log says who asked', async () => {
  const ask = (bearer: string) => api.call(bearer, 'get', '/members/M-HER/export')
  const answer = await ask(key)
  expect(answer.status).toBe(200)
  expect(JSON.parse(answer.text)).toMatchObject({ tables: { members: [{ number: 'M-HER' }] } })
  expect((await ask(otherKey)).status).toBe(404)
  const { rows } = await database.db.pool.query(
    "select actor, subject from audit_log where action = 'member.exported' and actor = 'api:office'",
  )
  expect(rows).toEqual([{ actor: 'api:office', subject: `member:${member.id}` }])
})
