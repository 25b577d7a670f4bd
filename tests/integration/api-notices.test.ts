// Notices as a program writes and follows them over HTTP: what it may, what waits for a person, what it is told.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApiKey } from '../../src/http/keys.ts'
import { approveNotice } from '../../src/notices/notices.ts'
import { type ApiUnderTest, serveApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createMember, createProgramme, type TestProgramme, testNow } from '../support/fixtures.ts'
import { bringTo, createStaff, minutesOn, noticePlanner } from '../support/notices.ts'

let database: TestDatabase
let programme: TestProgramme
let api: ApiUnderTest
let key: string
let references = 0

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  api = await serveApi(database.db)
  key = await createApiKey(database.db, programme.id, 'office', ['read', 'programme'])
  for (const number of ['A1', 'A2', 'A3']) await createMember(database.db, programme, { number })
  await createMember(database.db, programme, { number: 'A4', status: 'left' })
})
afterAll(async () => {
  await api.close()
  await database.drop()
})

const call = async (method: string, path: string, body?: unknown, as = key) => {
  const { status, text } = await api.call(as, method, path, body)
  return { status, body: JSON.parse(text) }
}

const ask = (change: object = {}) => ({
  reference: `n/${++references}`,
  purpose: 'service',
  groups: ['G01'],
  texts: { fr: 'Le bureau est fermé demain.' },
  ...change,
})

async function drafted(change: object = {}): Promise<string> {
  const { status, body } = await call('post', '/notices', ask(change))
  expect(status).toBe(201)
  return body.id
}

describe('a notice over the API', () => {
  it('is written, shown, sent, followed and told, page by page', async () => {
    const asked = ask()
    const { status, body } = await call('post', '/notices', asked)
    expect([status, body.status, body.channel]).toEqual([201, 'draft', 'api'])
    expect(await call('post', '/notices', asked)).toMatchObject({ status: 200, body: { id: body.id } })
    const at = `/notices/${body.id}`
    expect((await call('get', `${at}/preview`)).body).toMatchObject({
      recipients: 3,
      excluded: { left: 1 },
      languages: [{ text: 'Le bureau est fermé demain.', segments: 1 }],
      cost: null,
      needsApproval: false,
    })
    expect((await call('post', `${at}/send`, {})).body).toEqual({ id: body.id, outcome: 'approved' })
    await noticePlanner(database.db).planOnce(minutesOn(2))
    await bringTo(database.db, body.id, 'A1', 'delivered')
    await bringTo(database.db, body.id, 'A2', 'undelivered', 'AbsentSubscriber')
    expect((await call('get', at)).body).toMatchObject({
      status: 'sending',
      total: 4,
      recipients: { reached: 1, not_reached: 1, waiting: 1, excluded: 1 },
      groups: [{ group: 'G01', recipients: { reached: 1 } }],
    })
    const first = await call('get', `${at}/recipients?limit=2`)
    expect(first.body).toMatchObject({
      recipients: [{ member: 'A1' }, { member: 'A2' }],
      next: expect.any(String),
    })
    const second = await call('get', `${at}/recipients?limit=2&cursor=${first.body.next}`)
    expect(second.body).toMatchObject({
      recipients: [{ member: 'A3' }, { member: 'A4', reason: 'left' }],
      next: null,
    })
    expect((await call('get', `${at}/recipients?state=not_reached&group=G01`)).body.recipients).toEqual([
      { member: 'A2', state: 'not_reached', reason: 'AbsentSubscriber', toldAt: null },
    ])
    await database.db.pool.query(
      `insert into groups (programme_id, code, name, place) values ($1, 'G-OTHER', 'Autre', 'x')`,
      [programme.id],
    )
    expect((await call('get', `${at}/recipients?group=G-OTHER`)).body).toEqual({ recipients: [], next: null })
    expect((await call('get', `${at}/recipients?group=G01`)).body.recipients).toHaveLength(4)
    expect(await call('post', `${at}/told`, { member: 'A2' })).toEqual({
      status: 201,
      body: { member: 'A2', state: 'told' },
    })
    expect((await call('post', `${at}/told`, { member: 'A2' })).status).toBe(200)
    expect((await call('post', `${at}/told`, { member: 'Z9' })).status).toBe(404)
    expect((await call('post', `${at}/stop`, {})).body).toEqual({
      id: body.id,
      outcome: 'stopped',
      cancelled: 1,
      left: 2,
    })
    expect((await call('post', `${at}/undo`, {})).body).toMatchObject({
      status: 409,
      code: 'notice.too_late',
    })
    const newest = await drafted()
    const page = await call('get', '/notices?limit=1')
    expect(page.body).toMatchObject({ notices: [{ id: newest }], next: expect.any(String) })
    expect((await call('get', `/notices?limit=1&cursor=${page.body.next}`)).body.notices).toMatchObject([
      { id: body.id, status: 'stopped' },
    ])
  })

  it('above the limit waits for a person; no route approves', async () => {
    await database.db.pool.query('update programmes set approval_above = 2')
    const id = await drafted()
    expect((await call('post', `/notices/${id}/send`, {})).body.outcome).toBe('waiting')
    expect((await call('post', `/notices/${id}/approve`, {})).status).toBe(404)
    const person = await createStaff(database.db, programme, 'branch')
    expect(await database.db.transaction((tx) => approveNotice(tx, id, person, testNow))).toEqual({
      outcome: 'approved',
    })
    expect((await call('post', `/notices/${id}/undo`, {})).body.outcome).toBe('undone')
    await database.db.pool.query('update programmes set approval_above = 200')
  })

  it('names every field that is wrong in the words of this API', async () => {
    const wrong = await call(
      'post',
      '/notices',
      ask({ texts: { fr: 'n'.repeat(161), ps: 'x' }, sendAt: '2020-01-01T10:00:00Z' }),
    )
    expect(wrong).toMatchObject({ status: 422, body: { code: 'notice.refused', field: 'sendAt' } })
    expect(wrong.body.detail).toMatch(
      /sendAt in_past.*texts\.ps language_unknown.*texts\.fr text_too_long: In fr it takes 161 septets/,
    )
    expect((await call('post', '/notices', ask({ groups: ['G01', 'G99'] }))).body).toMatchObject({
      status: 422,
      field: 'groups[1]',
    })
    expect((await call('post', '/notices', ask({ groups: [] }))).body).toMatchObject({
      status: 400,
      field: 'groups',
    })
    expect((await call('post', '/notices', ask({ text: 'x' }))).body).toMatchObject({
      status: 400,
      field: 'text',
    })
    const taken = ask()
    await call('post', '/notices', taken)
    expect((await call('post', '/notices', { ...taken, texts: { fr: 'Autre.' } })).body).toMatchObject({
      status: 409,
      field: 'reference',
    })
  })

  it.each([
    ['nobody is in', { groups: ['G-EMPTY'] }, 'groups', 'audience_empty'],
    ['a language without a text', { texts: { wo: 'Bureau bi tëj na.' } }, 'texts.fr', 'text_missing'],
    ['a moment that is over', { sendAt: '2026-11-22T09:59:59Z' }, 'sendAt', 'in_past'],
    [
      'an end before the start',
      { sendAt: '2027-01-02T10:00:00Z', expiresAt: '2027-01-01T10:00:00Z' },
      'expiresAt',
      'before_start',
    ],
  ])('%s: refused by name, and nothing is written', async (_what, change, field, code) => {
    const { pool } = database.db
    await pool.query(
      `insert into groups (programme_id, code, name, place) values ($1, 'G-EMPTY', 'Vide', 'x') on conflict do nothing`,
      [programme.id],
    )
    const rows = async () =>
      (
        await pool.query(
          'select (select count(*) from notices) as notices, (select count(*) from audit_log) as audit',
        )
      ).rows[0]
    const before = await rows()
    const { status, body } = await call('post', '/notices', ask(change))
    expect([status, body.code, body.field]).toEqual([422, 'notice.refused', field])
    expect(body.detail).toContain(code)
    expect(await rows()).toEqual(before)
  })

  it('whose group is deleted meanwhile is refused when it is sent, and stays a draft', async () => {
    const { pool } = database.db
    await pool.query(
      `insert into groups (programme_id, code, name, place) values ($1, 'G-GONE', 'Bientôt', 'x')`,
      [programme.id],
    )
    const one = await createMember(database.db, programme, { number: 'A9', msisdn: '+221775550009' })
    const into = (code: string) =>
      pool.query('update members set group_id = (select id from groups where code = $2) where id = $1', [
        one.id,
        code,
      ])
    await into('G-GONE')
    const id = await drafted({ groups: ['G-GONE'] })
    await into('G01')
    await pool.query(`delete from groups where code = 'G-GONE'`)
    const reply = await call('post', `/notices/${id}/send`, {})
    expect(reply).toMatchObject({ status: 422, body: { code: 'notice.refused' } })
    expect(reply.body.detail).toContain('group_unknown')
    expect((await call('get', `/notices/${id}`)).body.status).toBe('draft')
    expect((await call('get', `/notices/${id}/preview`)).body).toMatchObject({ recipients: 0 })
  })

  it('sent and undone by many calls at once is sent once and undone once', async () => {
    const id = await drafted()
    const sent = await Promise.all(Array.from({ length: 5 }, () => call('post', `/notices/${id}/send`, {})))
    expect(new Set(sent.map(({ body }) => body.outcome))).toEqual(new Set(['approved']))
    await Promise.all(Array.from({ length: 5 }, () => call('post', `/notices/${id}/undo`, {})))
    const { rows } = await database.db.pool.query(
      'select action, count(*)::int as count from audit_log where subject = $1 group by 1 order by 1',
      [`notice:${id}`],
    )
    expect(rows.map(({ action, count }) => `${action} ${count}`)).toEqual([
      'notice.drafted 1',
      'notice.sent 1',
      'notice.undone 1',
    ])
    expect((await call('get', `/notices/${id}`)).body.status).toBe('undone')
  })

  it('is not there for ids that are none, and not written with a key that only reads', async () => {
    for (const id of ['1', 'null', '0199b000-0000-7000-8000-000000000009'])
      for (const [method, path] of [
        ['get', ''],
        ['get', '/preview'],
        ['get', '/recipients'],
        ['post', '/send'],
        ['post', '/stop'],
        ['post', '/undo'],
      ] as const)
        expect(
          (await call(method, `/notices/${id}${path}`, method === 'post' ? {} : undefined)).status,
          `${id}${path}`,
        ).toBe(404)
    const reader = await createApiKey(database.db, programme.id, 'reader', ['read', 'members', 'entries'])
    expect((await call('post', '/notices', ask(), reader)).status).toBe(403)
    expect((await call('get', '/notices', undefined, reader)).status).toBe(200)
  })
})
