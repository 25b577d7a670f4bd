// Groups, calendars, meetings, trainings and attendance as a program of the back office sees and writes them.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createApiKey } from '../../src/http/keys.ts'
import { type ApiUnderTest, serveApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  appointFacilitator,
  createMember,
  createProgramme,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'

let database: TestDatabase
let programme: TestProgramme
let api: ApiUnderTest
let key: string

beforeAll(async () => {
  database = await createTestDatabase()
  api = await serveApi(database.db)
})
afterAll(async () => {
  await api.close()
  await database.drop()
})
beforeEach(async () => {
  api.clock.set(testNow)
  programme = await createProgramme(database.db, {
    code: `p${(await database.db.prisma.programme.count()) + 1}`,
  })
  key = await createApiKey(database.db, programme.id, 'back office')
})

async function call(method: string, path: string, body?: unknown) {
  const reply = await api.call(key, method, path, body)
  return { status: reply.status, body: JSON.parse(reply.text) }
}
const calendar = { rule: 'FREQ=MONTHLY;BYDAY=1TU,3TU', startsOn: '2026-12-01', at: '10:00' }

describe('a group', () => {
  test('is opened once by its code, found, listed page by page and changed', async () => {
    await appointFacilitator(database.db, programme, '+221776900001')
    const asked = { code: 'BIG 04/é', name: 'Jappo', place: 'Bignona', facilitator: '77 690 00 01' }
    const first = await call('post', '/groups', asked)
    expect(first).toEqual({
      status: 201,
      body: {
        code: 'BIG 04/é',
        name: 'Jappo',
        place: 'Bignona',
        facilitator: 'Binta',
        calendar: null,
        nextMeeting: null,
      },
    })
    expect((await call('post', '/groups', asked)).status).toBe(200)
    expect(await call('post', '/groups', { ...asked, name: 'Sopi' })).toMatchObject({
      status: 409,
      body: { code: 'group.code_taken', field: 'code' },
    })
    const path = `/groups/${encodeURIComponent(asked.code)}`
    expect((await call('get', path)).body).toEqual(first.body)
    expect(await call('patch', path, { facilitator: null, name: 'Sopi' })).toMatchObject({
      status: 201,
      body: { name: 'Sopi', place: 'Bignona', facilitator: null },
    })
    expect((await call('patch', path, { name: 'Sopi' })).status).toBe(200)
    const page = await call('get', '/groups?limit=1')
    expect(page.body.groups).toEqual([
      { code: 'BIG 04/é', name: 'Sopi', place: 'Bignona', facilitator: null, members: 0 },
    ])
    const next = await call('get', `/groups?limit=1&cursor=${page.body.next}`)
    expect(next.body).toMatchObject({ groups: [{ code: 'G01' }], next: null })
  })

  test('is not given to a stranger, nor found under a code that nobody has', async () => {
    expect(await call('patch', '/groups/G01', { facilitator: '77 999 99 99' })).toMatchObject({
      status: 422,
      body: { code: 'staff.unknown', field: 'facilitator' },
    })
    for (const path of ['/groups/G99', '/groups/G99/meetings', '/groups/G99/readiness'])
      expect(await call('get', path)).toMatchObject({ status: 404 })
  })
})

describe('a calendar', () => {
  test('is previewed with its holidays, set, and the same again changes nothing', async () => {
    await database.db.pool.query(`update programmes set holidays = '{2026-12-15}' where id = $1`, [
      programme.id,
    ])
    const preview = await call('post', '/groups/G01/calendar/preview', {
      ...calendar,
      language: 'en',
      limit: 2,
    })
    expect(preview).toEqual({
      status: 200,
      body: {
        days: [
          {
            date: '2026-12-01',
            startsAt: '2026-12-01T10:00:00.000Z',
            words: 'Tue 1 Dec, 10:00',
            holiday: false,
          },
          {
            date: '2026-12-15',
            startsAt: '2026-12-15T10:00:00.000Z',
            words: 'Tue 15 Dec, 10:00',
            holiday: true,
          },
        ],
      },
    })
    const set = await call('put', '/groups/G01/calendar', calendar)
    expect(set).toMatchObject({ status: 201, body: { written: 8, kept: 0, cancelled: 0, toTell: 0 } })
    expect((await call('put', '/groups/G01/calendar', calendar)).status).toBe(200)
    const group = await call('get', '/groups/G01')
    expect(group.body).toMatchObject({
      calendar: { ...calendar, place: 'Ziguinchor' },
      nextMeeting: { startsAt: '2026-12-01T10:00:00.000Z' },
    })
    expect((await call('put', '/groups/G01/calendar', { rule: null })).body).toEqual({
      calendar: null,
      written: 0,
      kept: 0,
      cancelled: 8,
      toTell: 0,
    })
    expect((await call('put', '/groups/G01/calendar', { rule: null })).status).toBe(200)
  })

  test.each([
    [{ rule: 'FREQ=WEEKLY;BYDAY=1TU' }, 422, 'meeting.refused', 'rule'],
    [{ rule: 'FREQ=WEEKLY;UNTIL=20200101' }, 422, 'meeting.refused', 'rule'],
    [{ startsOn: '2026-02-30' }, 400, 'request.field_invalid', undefined],
    [{ at: '25:00' }, 400, 'request.field_invalid', undefined],
    [{ place: '' }, 400, 'request.field_invalid', undefined],
  ])('%j is refused, and nothing is written', async (change, status, code, field) => {
    const reply = await call('put', '/groups/G01/calendar', { ...calendar, ...change })
    expect(reply).toMatchObject({ status, body: { code, ...(field === undefined ? {} : { field }) } })
    expect((await call('get', '/groups/G01')).body.calendar).toBeNull()
  })
})

describe('a meeting', () => {
  const write = async (startsAt = '2026-11-25T10:00:00+00:00') =>
    (await call('post', '/groups/G01/meetings', { startsAt })).body.id as string

  test('is written once, moved, cancelled and put back, each change once', async () => {
    const id = await write()
    expect(await write('2026-11-25T11:00:00+01:00')).toBe(id)
    const path = `/meetings/${id}`
    expect(await call('patch', path, { startsAt: '2026-11-26T10:00:00Z', place: 'Brin' })).toMatchObject({
      status: 201,
      body: {
        id,
        group: 'G01',
        startsAt: '2026-11-26T10:00:00.000Z',
        place: 'Brin',
        status: 'planned',
        toTell: 0,
      },
    })
    expect((await call('patch', path, { place: 'Brin' })).status).toBe(200)
    expect(await call('patch', path, { status: 'cancelled' })).toMatchObject({
      status: 201,
      body: { status: 'cancelled' },
    })
    expect(await call('patch', path, { place: 'Bignona' })).toMatchObject({
      status: 422,
      body: { code: 'meeting.refused', field: 'status' },
    })
    expect(await call('patch', path, { status: 'planned' })).toMatchObject({ status: 201 })
    const listed = await call('get', '/groups/G01/meetings')
    expect(listed.body.meetings).toMatchObject([{ id, occurrenceDate: null }])
    expect((await call('get', '/groups/G01/meetings?from=2026-11-27T00:00:00Z')).body.meetings).toEqual([])
  })

  test.each([
    [{}, 400],
    [{ status: 'cancelled', place: 'Brin' }, 400],
    [{ startsAt: 'tomorrow' }, 400],
    [{ startsAt: '2026-11-22T09:59:00Z' }, 422],
    [{ startsAt: '2036-11-22T09:59:00Z' }, 422],
    [{ place: 'x'.repeat(81) }, 400],
  ])('cannot become %j', async (change, status) => {
    const id = await write()
    expect((await call('patch', `/meetings/${id}`, change)).status).toBe(status)
  })

  test('that is none is not found', async () => {
    for (const id of ['00000000-0000-4000-8000-000000000000', 'x', '1'])
      for (const [method, path, body] of [
        ['patch', `/meetings/${id}`, { status: 'cancelled' }],
        ['get', `/meetings/${id}/attendance`],
        ['put', `/trainings/${id}/attendance`, { attendance: [{ member: 'M', attended: true }] }],
      ] as const)
        expect((await call(method, path, body)).status, `${method} ${path}`).toBe(404)
  })

  test('has its attendance taken when it begins, all of it or nothing', async () => {
    const id = await write()
    const [awa, binta] = [
      await createMember(database.db, programme, { alias: 'Awa' }),
      await createMember(database.db, programme, { alias: 'Binta' }),
    ]
    const path = `/meetings/${id}/attendance`
    const asked = {
      attendance: [
        { member: awa.number, attended: true },
        { member: binta.number, attended: false },
      ],
    }
    expect(await call('put', path, asked)).toMatchObject({ status: 422, body: { code: 'meeting.refused' } })
    api.clock.set(new Date('2026-11-25T10:05:00Z'))
    const strange = { attendance: [...asked.attendance, { member: 'X', attended: true }] }
    expect(await call('put', path, strange)).toMatchObject({
      status: 422,
      body: { code: 'member.unknown', field: 'attendance[2].member' },
    })
    expect(
      (await call('get', path)).body.attendance.map((row: { attended: unknown }) => row.attended),
    ).toEqual([null, null])
    expect(await call('put', path, asked)).toMatchObject({
      status: 201,
      body: {
        attendance: [
          { member: awa.number, alias: 'Awa', announced: null, attended: true },
          { member: binta.number, alias: 'Binta', announced: null, attended: false },
        ],
      },
    })
    expect((await call('put', path, asked)).status).toBe(200)
  })
})

test('trainings count towards a first loan', async () => {
  await database.db.pool.query(
    `insert into training_modules (programme_id, number, initial, titles) values ($1, 1, true, '{"fr": "La caisse"}')`,
    [programme.id],
  )
  const awa = await createMember(database.db, programme, { alias: 'Awa' })
  const written = await call('post', '/groups/G01/trainings', { module: 1, startsAt: '2026-11-25T10:00:00Z' })
  expect(written).toMatchObject({
    status: 201,
    body: { module: 1, initial: true, titles: { fr: 'La caisse' } },
  })
  const { id } = written.body
  expect(
    await call('post', '/groups/G01/trainings', { module: 9, startsAt: '2026-11-25T10:00:00Z' }),
  ).toMatchObject({
    status: 422,
    body: { field: 'module' },
  })
  api.clock.set(new Date('2026-11-25T10:05:00Z'))
  await call('put', `/trainings/${id}/attendance`, { attendance: [{ member: awa.number, attended: true }] })
  expect((await call('get', '/groups/G01/readiness')).body.members).toEqual([
    { member: awa.number, alias: 'Awa', attended: 1, needed: 1, borrowed: false, ready: true },
  ])
  expect((await call('get', '/groups/G01/trainings?from=2026-11-01T00:00:00Z')).body.trainings).toMatchObject(
    [{ id }],
  )
})
