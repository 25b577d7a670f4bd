// Members by the API: found, enrolled, changed; and what is refused.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApiKey } from '../../src/http/keys.ts'
import { type ApiUnderTest, serveApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createMember, createProgramme, type TestProgramme } from '../support/fixtures.ts'

interface Reply {
  [field: string]: unknown
}

let database: TestDatabase
let programme: TestProgramme
let api: ApiUnderTest
let key: string

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  key = await createApiKey(database.db, programme.id, 'office')
  api = await serveApi(database.db)
  await database.db.prisma.group.create({
    data: { programmeId: programme.id, code: 'G02', name: 'Kairaba', place: 'Brin' },
  })
})
afterAll(async () => {
  await api.close()
  await database.drop()
})

async function call(method: string, path: string, body?: unknown, headers: object = {}) {
  const reply = await api.call(key, method, path, body, headers)
  return { status: reply.status, body: JSON.parse(reply.text) as Reply }
}

const awa = {
  number: 'N/1',
  firstName: 'Awa',
  lastName: 'Diédhiou',
  group: 'G02',
  role: 'treasurer',
  language: 'wo',
  birthYear: 1990,
  phones: ['77 301 00 01', '+221 77 301 00 02'],
}

describe('enrolling', () => {
  test('a member is there with her group and phones, masked, and the first phone is hers to be written to', async () => {
    const reply = await call('POST', '/members', awa)
    expect(reply.status).toBe(201)
    expect(reply.body).toMatchObject({
      number: 'N/1',
      firstName: 'Awa',
      alias: 'Awa',
      group: 'G02',
      role: 'treasurer',
      status: 'active',
      language: 'wo',
      birthYear: 1990,
      erased: false,
      phones: [
        { primary: true, state: 'bound' },
        { primary: false, state: 'bound' },
      ],
    })
    expect(JSON.stringify(reply.body)).not.toContain('773010001')
    const { rows } = await database.db.pool.query(
      `select p.msisdn, p.raw from member_phones mp join phones p on p.id = mp.phone_id join members m on m.id = mp.member_id
        where m.number = 'N/1' and mp.is_primary`,
    )
    expect(rows).toEqual([{ msisdn: '+221773010001', raw: '77 301 00 01' }])
    expect(await call('GET', '/members/N%2F1')).toMatchObject({ status: 200, body: reply.body })
  })

  test('the same again is 200; other content under her number is 409 and changes nothing', async () => {
    const again = await call('POST', '/members', awa)
    expect(again.status).toBe(200)
    for (const change of [{ lastName: 'Sané' }, { group: 'G01' }, { phones: ['77 301 00 09'] }]) {
      const other = await call('POST', '/members', { ...awa, ...change })
      expect(other).toMatchObject({ status: 409, body: { code: 'member.number_taken', field: 'number' } })
    }
    expect((await call('GET', '/members/N%2F1')).body).toEqual(again.body)
  })

  test('20 of one number at once make one member', async () => {
    const replies = await Promise.all(
      Array.from({ length: 20 }, () => call('POST', '/members', { ...awa, number: 'N/2', phones: [] })),
    )
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1)
    expect(replies.filter(({ status }) => status === 200)).toHaveLength(19)
  })

  test.each([
    [{ group: 'none' }, 422, 'group.unknown', 'group'],
    [{ language: 'de' }, 400, 'request.field_invalid', 'language'],
    [{ phones: ['77 301 00 01', '12'] }, 400, 'request.field_invalid', 'phones[1]'],
    [{ firstName: '' }, 400, 'request.field_invalid', 'firstName'],
    [{ firstName: 'A\u0000' }, 400, 'request.field_invalid', 'firstName'],
    [{ role: 'queen' }, 400, 'request.field_invalid', 'role'],
    [{ birthYear: 1.5 }, 400, 'request.field_invalid', 'birthYear'],
    [{ savings: '1' }, 400, 'request.field_invalid', 'savings'],
  ])('%j is refused by name, and nobody is enrolled', async (change, status, code, field) => {
    const reply = await call('POST', '/members', { ...awa, number: 'N/bad', ...change })
    expect(reply).toMatchObject({ status, body: { code, field } })
    expect((await call('GET', '/members/N%2Fbad')).status).toBe(404)
  })
})

describe('finding', () => {
  test('by group, state and how a name begins, whatever is typed', async () => {
    await createMember(database.db, programme, { number: 'F-1', firstName: 'Fatou 100%', status: 'left' })
    await createMember(database.db, programme, { number: 'F-2', firstName: 'Fatoumata' })
    const found = async (query: string) =>
      ((await call('GET', `/members?${query}`)).body.members as { number: string }[]).map(
        ({ number }) => number,
      )
    expect(await found('text=FATOU')).toEqual(['F-1', 'F-2'])
    expect(await found('text=fatou&status=active')).toEqual(['F-2'])
    expect(await found('text=fat%C3%B2u%20100%25')).toEqual(['F-1'])
    expect(await found('text=%25')).toEqual([])
    expect(await found('text=_')).toEqual([])
    expect(await found('text=n%2F')).toEqual(['N/1', 'N/2'])
    expect(await found('text=awa%20di%C3%A9')).toEqual(['N/1', 'N/2'])
    expect(await found('group=G02')).toEqual(['N/1', 'N/2'])
    expect(await found('group=none')).toEqual([])
    expect((await call('GET', '/members?status=gone')).body).toMatchObject({ status: 400, field: 'status' })
  })
})

describe('changing', () => {
  test('what is given changes, the rest stays, and the log says from what to what without a name', async () => {
    const before = (await call('GET', '/members/N%2F1')).body
    const reply = await call('PATCH', '/members/N%2F1', {
      firstName: 'Aminata',
      role: 'member',
      group: 'G01',
      language: null,
    })
    expect(reply).toMatchObject({
      status: 201,
      body: { ...(before as object), firstName: 'Aminata', role: 'member', group: 'G01', language: null },
    })
    const { rows } = await database.db.pool.query(
      `select actor, action, before - 'group' as before, after - 'group' as after, before ? 'group' as grouped
         from audit_log order by id desc limit 1`,
    )
    expect(rows).toEqual([
      {
        actor: 'api:office',
        action: 'member.changed',
        before: { role: 'treasurer', language: 'wo' },
        after: { role: 'member', language: null, renamed: ['firstName'] },
        grouped: true,
      },
    ])
    expect((await call('PATCH', '/members/N%2F1', { firstName: 'Aminata', group: 'G01' })).status).toBe(200)
  })

  test('a phone goes, and messages go to the other one', async () => {
    const reply = await call('PATCH', '/members/N%2F1', { phones: { remove: ['77 301 00 01'] } })
    expect(reply).toMatchObject({ status: 201, body: { phones: [{ primary: true }] } })
    expect((await call('PATCH', '/members/N%2F1', { phones: { remove: ['77 301 00 01'] } })).status).toBe(200)
  })

  test('a new number of a member who had one is never bound on one word', async () => {
    const second = await call('PATCH', '/members/N%2F1', { phones: { add: ['77 301 00 07'] } })
    expect(second).toMatchObject({
      status: 409,
      body: { code: 'phone.confirmation_needed', field: 'phones.add' },
    })
    const swapped = await call('PATCH', '/members/N%2F1', {
      phones: { add: ['77 301 00 07'], remove: ['77 301 00 02'] },
    })
    expect(swapped).toMatchObject({ status: 409, body: { code: 'phone.confirmation_needed' } })
    expect((await call('GET', '/members/N%2F1')).body.phones).toHaveLength(1)
    // Who once chose a PIN has something to lose, also when her numbers were taken away before.
    await database.db.pool.query(
      `insert into member_pins (member_id, hash, set_at) select id, 'none', now() from members where number = 'N/1'`,
    )
    await call('PATCH', '/members/N%2F1', { phones: { remove: ['77 301 00 02'] } })
    const later = await call('PATCH', '/members/N%2F1', { phones: { add: ['77 301 00 07'] } })
    expect(later).toMatchObject({ status: 409, body: { code: 'phone.confirmation_needed' } })
  })

  test('who has none yet gets her first', async () => {
    const reply = await call('PATCH', '/members/N%2F2', { phones: { add: ['77 301 00 08'] } })
    expect(reply).toMatchObject({ status: 201, body: { phones: [{ primary: true, state: 'bound' }] } })
    expect((await call('PATCH', '/members/N%2F2', { phones: { add: ['77 301 00 08'] } })).status).toBe(200)
  })

  test('nothing to change, a member who is nobody, and one who was erased', async () => {
    expect((await call('PATCH', '/members/N%2F2', {})).body).toMatchObject({ status: 400 })
    expect((await call('PATCH', '/members/nobody', { role: 'member' })).status).toBe(404)
    await call('POST', '/members/N%2F2/erasure', {})
    const reply = await call('PATCH', '/members/N%2F2', { firstName: 'Awa' })
    expect(reply).toMatchObject({ status: 409, body: { code: 'member.erased' } })
    expect((await call('GET', '/members/N%2F2')).body).toMatchObject({ erased: true, phones: [] })
  })
})
