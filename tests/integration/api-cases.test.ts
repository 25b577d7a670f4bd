// Cases through the API: lists, pages, opening, taking, appointments; and what no key ever sees.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CaseKind, caseKinds, openCase } from '../../src/cases/cases.ts'
import { createApiKey } from '../../src/http/keys.ts'
import { type ApiUnderTest, serveApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  appointFacilitator,
  createLoan,
  createMember,
  createProgramme,
  repay,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'

let database: TestDatabase
let api: ApiUnderTest
let programme: TestProgramme
let awa: TestMember
let mary: TestMember
let key: string
const facilitator = '+221776100001'

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  programme = await createProgramme(db)
  await appointFacilitator(db, programme, facilitator)
  for (const [role, msisdn] of [
    ['social_worker', '+221776100002'],
    ['adviser', '+221776100003'],
    ['auditor', '+221776100004'],
  ])
    await db.pool.query(
      `insert into staff (programme_id, first_name, last_name, msisdn, role, language) values ($1, $2, 'T', $3, $2, 'fr')`,
      [programme.id, role, msisdn],
    )
  awa = await createMember(db, programme, { number: 'N-awa' })
  mary = await createMember(db, programme, { number: 'N-mary' })
  api = await serveApi(db)
  key = await createApiKey(db, programme.id, 'office')
})
afterAll(async () => {
  await api.close()
  await database.drop()
})
beforeEach(() => database.db.pool.query('delete from cases; delete from messages'))

const ask = (kind: CaseKind, member = awa) =>
  openCase(database.db.pool, {
    programmeId: programme.id,
    memberId: member.id,
    kind,
    hopKey: `${kind}-${member.number}-${Math.random()}`,
    now: testNow,
  })
const call = async (method: string, path: string, body?: unknown) => {
  const { status, text } = await api.call(key, method, path, body)
  return { status, body: JSON.parse(text) }
}
const listed = async (query = '') => (await call('get', `/cases${query}`)).body.cases

test('the list is filtered by state, kind, member and promise, and read page by page', async () => {
  for (const kind of ['call_back', 'dispute', 'adviser'] as const) await ask(kind)
  await ask('call_back', mary)
  const kinds = (found: { kind: string }[]) => found.map(({ kind }) => kind)
  expect(kinds(await listed())).toEqual(['call_back', 'call_back', 'dispute', 'adviser'])
  expect(kinds(await listed('?kind=dispute'))).toEqual(['dispute'])
  expect(kinds(await listed('?member=N-mary'))).toEqual(['call_back'])
  expect(await listed('?member=nobody')).toEqual([])
  expect(await listed('?status=closed')).toEqual([])
  expect(await listed('?overdue=true')).toEqual([])
  api.clock.set(new Date('2026-11-25T08:00:00Z'))
  expect(await listed('?overdue=true')).toHaveLength(2)
  api.clock.set(testNow)
  const first = await call('get', '/cases?limit=3')
  const second = await call('get', `/cases?limit=3&cursor=${first.body.next}`)
  expect([first.body.cases.length, second.body.cases.length, second.body.next]).toEqual([3, 1, null])
  expect((await call('get', `/cases?status=closed&cursor=${first.body.next}`)).status).toBe(400)
  for (const query of ['?kind=social_worker', '?status=gone', '?overdue=maybe', '?cursor=x', '?owner=x'])
    expect((await call('get', `/cases${query}`)).status).toBe(400)
})

describe('of a social worker’s case', () => {
  test('nothing is listed, opened, taken, fixed or closed: it is not there', async () => {
    const { reference } = await ask('social_worker')
    expect(await listed()).toEqual([])
    expect(await listed('?member=N-awa')).toEqual([])
    const missing = await call('post', '/cases/AAAAAA/close', { outcome: 'answered' })
    for (const [act, body] of [
      ['close', { outcome: 'answered' }],
      ['take', { staff: '+221776100002' }],
      ['appointment', { at: '2026-11-26T10:00:00Z' }],
    ] as const) {
      const reply = await call('post', `/cases/${reference}/${act}`, body)
      expect([act, reply.status, reply.body]).toEqual([act, 404, missing.body])
    }
    expect((await call('post', '/members/N-awa/cases', { kind: 'social_worker' })).status).toBe(400)
    const { rows } = await database.db.pool.query('select status, taken_at, appointment_at from cases')
    expect(rows).toEqual([{ status: 'open', taken_at: null, appointment_at: null }])
  })

  test('an export does not tell it from any other', async () => {
    for (const kind of caseKinds) await ask(kind)
    const reply = await api.call(key, 'get', '/members/N-awa/export')
    expect(JSON.parse(reply.text).tables.cases).toHaveLength(caseKinds.length)
    expect(reply.text).not.toMatch(/social/)
    const { rows } = await database.db.pool.query<{ id: string }>('select id from staff')
    for (const { id } of rows) expect(reply.text).not.toContain(id)
  })
})

describe('opening', () => {
  test('one that is open already is the same', async () => {
    const first = await call('post', '/members/N-awa/cases', { kind: 'adviser', language: 'fr' })
    expect(first).toMatchObject({ status: 201, body: { kind: 'adviser', language: 'fr', owner: 'adviser' } })
    const second = await call('post', '/members/N-awa/cases', { kind: 'adviser', language: 'fr' })
    expect(second).toEqual({ status: 200, body: first.body })
  })

  test('a dispute about an entry of hers, and of nobody else’s', async () => {
    const loan = await createLoan(database.db, programme, awa)
    await repay(database.db, programme, loan.number, 500, { reference: 'paid/awa' })
    const opened = await call('post', '/members/N-awa/cases', { kind: 'dispute', entry: 'paid/awa' })
    expect(opened).toMatchObject({ status: 201, body: { entry: { reference: 'paid/awa' } } })
    const others = await call('post', '/members/N-mary/cases', { kind: 'dispute', entry: 'paid/awa' })
    expect(others).toMatchObject({ status: 400, body: { field: 'entry' } })
  })

  test.each([
    ['no kind', {}, 'kind'],
    ['an unknown kind', { kind: 'complaint' }, 'kind'],
    ['a language that is not spoken there', { kind: 'adviser', language: 'tlh' }, 'language'],
    ['an entry beside another kind', { kind: 'call_back', entry: 'x' }, 'entry'],
  ])('%s is refused by name', async (_what, body, field) => {
    expect(await call('post', '/members/N-awa/cases', body)).toMatchObject({ status: 400, body: { field } })
  })
})

describe('taking', () => {
  test('one has it, another is told, and once closed nobody', async () => {
    const { reference } = await ask('call_back')
    const take = (staff: string) => call('post', `/cases/${reference}/take`, { staff })
    expect(await take('77 610 00 01')).toMatchObject({
      status: 201,
      body: { owner: 'Binta', takenAt: testNow.toISOString() },
    })
    expect((await take(facilitator)).status).toBe(200)
    expect(await take('+221776100003')).toMatchObject({ status: 409, body: { code: 'case.taken' } })
    await call('post', `/cases/${reference}/close`, { outcome: 'answered' })
    expect(await take(facilitator)).toMatchObject({ status: 409, body: { code: 'case.over' } })
  })

  test.each(['+221776100004', '+221779999999', 'nobody'])(
    'nobody who works with members: %s',
    async (staff) => {
      const { reference } = await ask('call_back')
      const reply = await call('post', `/cases/${reference}/take`, { staff })
      expect(reply).toMatchObject({ status: 400, body: { field: 'staff' } })
    },
  )
})

describe('an appointment', () => {
  test('is fixed, moved and taken back, and the case is taken with it', async () => {
    const { reference } = await ask('adviser')
    const fix = (at: unknown) => call('post', `/cases/${reference}/appointment`, { at })
    expect(await fix('2026-11-26T10:00:00+01:00')).toMatchObject({
      status: 201,
      body: { appointmentAt: '2026-11-26T09:00:00.000Z', takenAt: testNow.toISOString() },
    })
    expect((await fix('2026-11-26T09:00:00Z')).status).toBe(200)
    expect(await fix(null)).toMatchObject({ status: 201, body: { appointmentAt: null } })
    for (const wrong of ['2026-11-22T09:59:00Z', 'tomorrow', 3])
      expect(await fix(wrong)).toMatchObject({ status: 400, body: { field: 'at' } })
  })

  test('is none of another kind, nor of a closed case', async () => {
    const other = await ask('call_back')
    const at = '2026-11-26T10:00:00Z'
    const refused = await call('post', `/cases/${other.reference}/appointment`, { at })
    expect(refused).toMatchObject({ status: 422, body: { code: 'case.no_appointment' } })
    const { reference } = await ask('adviser')
    await call('post', `/cases/${reference}/close`, { outcome: 'withdrawn' })
    const late = await call('post', `/cases/${reference}/appointment`, { at })
    expect(late).toMatchObject({ status: 409, body: { code: 'case.over' } })
  })
})
