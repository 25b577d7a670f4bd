// What the back office and staff take down over the API: obeyed at once, kept word by word, safe to repeat.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createApiKey } from '../../src/http/keys.ts'
import { readConsents, recordWords } from '../../src/members/consent.ts'
import { createMessages } from '../../src/outbound/outbox.ts'
import { type ApiUnderTest, serveApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  createMember,
  createProgramme,
  sayingAt,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'

let database: TestDatabase
let programme: TestProgramme
let member: TestMember
let api: ApiUnderTest
let key: string
let otherKey: string

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  programme = await createProgramme(db)
  const other = await createProgramme(db, { code: 'palmis', serviceCode: '*385*1' })
  key = await createApiKey(db, programme.id, 'back office')
  otherKey = await createApiKey(db, other.id, 'back office')
  await db.prisma.staff.create({
    data: {
      programmeId: programme.id,
      firstName: 'Binta',
      lastName: 'Sané',
      msisdn: '+221771110000',
      role: 'facilitator',
      language: 'fr',
    },
  })
  api = await serveApi(db)
})
afterAll(async () => {
  await api.close()
  await database.drop()
})
beforeEach(async () => {
  member = await createMember(database.db, programme)
})

async function call(
  method: 'GET' | 'PUT',
  body?: object,
  as = key,
  number = member.number,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const { status, text } = await api.call(as, method, `/members/${number}/consents`, body)
  return { status, body: JSON.parse(text) as Record<string, unknown> }
}

const said = { wording: 'sheet-2', language: 'wo', collectedAt: '2026-11-22T09:00:00.000Z' }

async function waitingReminder(): Promise<() => Promise<string>> {
  await createMessages(database.db.pool, [
    {
      programmeId: programme.id,
      memberId: member.id,
      purpose: 'reminder',
      template: 'reminder.due_soon',
      lane: 'planned',
      dedupeKey: `reminder/${member.id}`,
      notBefore: testNow,
    },
  ])
  return async () =>
    (
      await database.db.pool.query<{ status: string }>('select status from messages where member_id = $1', [
        member.id,
      ])
    ).rows[0]?.status ?? ''
}

describe('a word that is put', () => {
  test('counts at once, also for what waits, and is listed with all that proves it', async () => {
    const status = await waitingReminder()
    const put = await call('PUT', {
      ...said,
      consents: { reminder: false, survey: true },
      collector: '+221771110000',
    })
    expect(put.status).toBe(201)
    expect(await status()).toBe('suppressed')
    const { body } = await call('GET')
    expect(body).toEqual(put.body)
    expect(body).toMatchObject({
      member: member.number,
      stopped: false,
      networkBlocked: false,
      hours: null,
      consents: { receipt: true, reminder: false, meeting: true, survey: true },
    })
    const history = body.history as Record<string, unknown>[]
    expect(history.slice(0, 2)).toMatchObject([
      {
        purpose: 'survey',
        granted: true,
        channel: 'staff',
        wording: 'sheet-2',
        language: 'wo',
        at: said.collectedAt,
      },
      { purpose: 'reminder', granted: false, channel: 'staff' },
    ])
    expect(history).toHaveLength(7)
    expect(String(history[0]?.collector)).toMatch(/^staff:[\da-f-]{36}$/)
  })

  test('twice is one effect, and what she said since stands', async () => {
    const stop = { ...said, consents: { survey: false }, stopped: true }
    expect((await call('PUT', stop)).status).toBe(201)
    const before = (await call('GET')).body
    expect((await call('PUT', stop)).status).toBe(200)
    expect((await call('GET')).body).toEqual(before)

    const saying = sayingAt(new Date('2026-11-22T09:30:00Z'))
    await recordWords(database.db.pool, [
      { ...saying, memberId: member.id, purpose: 'survey', granted: true },
    ])
    expect((await call('PUT', { ...said, collectedAt: '2026-11-22T09:40:00Z', stopped: false })).status).toBe(
      201,
    )
    expect((await call('PUT', stop)).body).toMatchObject({ stopped: false, consents: { survey: true } })
  })

  test('by the key itself names the key, and the audit log holds who and what, without names', async () => {
    await call('PUT', { ...said, consents: { receipt: false } })
    const [newest] = ((await call('GET')).body.history ?? []) as Record<string, unknown>[]
    expect(newest).toMatchObject({ channel: 'api', collector: 'api:back office' })
    const { rows } = await database.db.pool.query(
      'select actor, action, after from audit_log where subject = $1',
      [`member:${member.id}`],
    )
    expect(rows).toEqual([
      { actor: 'api:back office', action: 'consents.set', after: { consents: { receipt: false } } },
    ])
  })

  test('sets and takes back the hours in which SMS may reach her', async () => {
    const hours = { from: '10:00', until: '16:00' }
    expect((await call('PUT', { ...said, hours })).body).toMatchObject({ hours })
    expect((await call('PUT', { ...said, hours })).status).toBe(200)
    expect((await readConsents(database.db.reads, member.id)).hours).toEqual({ from: 600, until: 960 })
    expect((await call('PUT', { ...said, hours: null })).body).toMatchObject({ hours: null })
  })
})

test.each([
  ['consents.receipt', { consents: { receipt: 'yes' } }],
  ['consents.loans', { consents: { loans: true } }],
  ['consents', {}],
  ['wording', { consents: { receipt: true }, wording: 'a b' }],
  ['language', { consents: { receipt: true }, language: 'de' }],
  ['collector', { consents: { receipt: true }, collector: '+221779999999' }],
  ['collectedAt', { consents: { receipt: true }, collectedAt: '2026-11-23T09:00:00Z' }],
  ['collectedAt', { consents: { receipt: true }, collectedAt: 'yesterday' }],
  ['hours.until', { hours: { from: '16:00', until: '10:00' } }],
  ['hours.from', { hours: { from: '25:00', until: '26:00' } }],
])('a wrong %s is refused by name, and nothing is written', async (field, change) => {
  const before = (await call('GET')).body
  expect(await call('PUT', { ...said, ...change })).toMatchObject({
    status: 400,
    body: { code: 'request.field_invalid', field },
  })
  expect((await call('GET')).body).toEqual(before)
})

test('the key of another programme finds nobody', async () => {
  for (const method of ['GET', 'PUT'] as const) {
    const body = method === 'PUT' ? { ...said, consents: { receipt: false } } : undefined
    expect(await call(method, body, otherKey)).toMatchObject({ status: 404, body: { code: 'route.unknown' } })
  }
  expect((await readConsents(database.db.reads, member.id)).granted.receipt).toBe(true)
})
