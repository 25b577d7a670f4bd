// Every list of the API is walked by one kind of cursor. The lists come from the table of routes, so that a new one cannot be forgotten.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApiKey } from '../../src/http/keys.ts'
import { routes } from '../../src/http/routes.ts'
import { type ApiUnderTest, createGround, type Ground, sampleOf, serveApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  createLoan,
  createMember,
  createProgramme,
  repay,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'

let database: TestDatabase
let programme: TestProgramme
let api: ApiUnderTest
let key: string
let ground: Ground

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  ground = await createGround(database.db, programme)
  key = await createApiKey(database.db, programme.id, 'walker')
  api = await serveApi(database.db)
})
afterAll(async () => {
  await api.close()
  await database.drop()
})

const lists = routes.filter(
  ({ query }) => query.safeParse({ limit: '1' }).success && query.safeParse({ limit: '0' }).success === false,
)

let added = 0
/** Adds one row to the list, somewhere in its order. */
const adders: Readonly<Record<string, () => Promise<unknown>>> = {
  'get /members': () => member(),
  'get /loans': async () => loan(await her()),
  'get /members/:number/loans': async () => loan(await her()),
  'get /entries': () => repay(database.db, programme, ground.loan, 1),
  'get /accounts/:code/statement': () =>
    repay(database.db, programme, ground.loan, 1, {
      bookedDate: added % 2 === 0 ? '2026-11-01' : '2026-11-21',
    }),
  'get /consents': () => member(),
  'get /messages': () =>
    database.db.pool.query(
      `insert into messages (programme_id, member_id, purpose, template, lane, dedupe_key, not_before, created_at)
       select programme_id, id, 'reply', 't', 'urgent', $2, $3, $3 from members where number = $1`,
      [ground.member, `walk/${added}`, new Date(testNow.getTime() + ((added * 7_919) % 100) * 1_000)],
    ),
  'get /notices': () => createNotice(),
  'get /notices/:id/recipients': async () => {
    const { id } = await member()
    await database.db.pool.query('insert into notice_recipients (notice_id, member_id) values ($1, $2)', [
      ground.notice,
      id,
    ])
  },
  'get /groups': () =>
    database.db.prisma.group.create({
      data: {
        programmeId: programme.id,
        code: `${(added * 7_919) % 1_000}-${added}`,
        name: 'Walk',
        place: 'x',
      },
    }),
  'get /groups/:code/meetings': () => gathering('insert into meetings (group_id, starts_at, place)'),
  'get /groups/:code/trainings': () =>
    gathering('insert into training_sessions (module_id, group_id, starts_at, place)', true),
  'get /cases': async () => {
    const { id } = await member()
    await database.db.pool.query(
      `insert into cases (programme_id, member_id, kind, reference, dedupe_key, opened_at, promised_date)
       values ($1, $2, 'call_back', $3, $3, $4, $5)`,
      [programme.id, id, `W${added}`, testNow, added % 3 === 0 ? null : `2026-12-${10 + ((added * 7) % 20)}`],
    )
  },
  'get /webhooks': () =>
    database.db.pool.query(
      `insert into webhooks (programme_id, url, events, created_at) values ($1, 'https://hears.example', '{}', $2)`,
      [programme.id, testNow],
    ),
  'get /webhooks/:id/deliveries': () =>
    database.db.pool.query(
      `insert into webhook_deliveries (webhook_id, event, payload, created_at) values ($1, 'case.opened', '{}', $2)`,
      [ground.webhook, testNow],
    ),
  'get /unmatched-codes': () =>
    database.db.pool.query(
      `insert into unmatched_codes (programme_id, occurred_at, phone_mark, code_mark, well_formed, dedupe_key)
       values ($1, $2, 'phone', $3, true, $3)`,
      [programme.id, testNow, `walk/${added}`],
    ),
}
const gathering = (insert: string, taught = false) => {
  const module = taught ? '(select id from training_modules limit 1), ' : ''
  return database.db.pool.query(`${insert} select ${module}id, $2, 'x' from groups where code = $1`, [
    ground.gathered.group,
    new Date(testNow.getTime() + (1 + ((added * 7_919) % 1_000)) * 3_600_000),
  ])
}
const createNotice = () =>
  database.db.pool.query(
    `insert into notices (programme_id, channel, purpose, audience, dedupe_key, created_at)
     values ($1, 'api', 'service', '{}', $2, $3)`,
    [programme.id, `walk/${added}`, testNow],
  )
const add = (route: string) => {
  added += 1
  const adder = adders[route]
  if (adder === undefined) throw new Error(`tests/integration/api-paging.test.ts adds no row to "${route}"`)
  return adder()
}
const member = () =>
  createMember(database.db, programme, { number: `walk-${(added * 7_919) % 1_000}-${added}` })
const her = async () => {
  const { rows } = await database.db.pool.query('select id, number from members where number = $1', [
    ground.member,
  ])
  return { ...rows[0], msisdn: '', phoneId: '' }
}
const loan = (of: Awaited<ReturnType<typeof member>>) =>
  createLoan(database.db, programme, of, { number: `walk-${(added * 7_919) % 1_000}-${added}` })

interface Listed {
  rows: string[]
  next: string | null
}

function listed(text: string): Listed {
  const body = JSON.parse(text) as Record<string, unknown>
  const rows = Object.values(body).find(Array.isArray) as unknown[]
  return { rows: rows.map((row) => JSON.stringify(row)), next: body.next as string | null }
}

describe.each(lists.map((route) => [`${route.method} ${route.path}`] as const))('%s', (route) => {
  const path = (more: string) => {
    const sample = sampleOf(route, ground).path
    return `${sample}${sample.includes('?') ? '&' : '?'}${more}`
  }
  const get = (more: string) => api.call(key, 'get', path(more))

  it('shows each row that was there once, while rows are added before, between and behind', async () => {
    for (let count = 0; count < 7; count += 1) await add(route)
    const whole = listed((await get('limit=200')).text)
    expect(whole.next).toBeNull()
    expect(whole.rows.length).toBeGreaterThanOrEqual(7)
    // A balance, or what is outstanding, may change with what is added; the names of rows do not.
    const nameOf = (row: string) => {
      const { balance: _balance, reversed: _reversed, outstanding: _outstanding, ...rest } = JSON.parse(row)
      return JSON.stringify(rest)
    }
    const seen: string[] = []
    let cursor: string | undefined
    for (let page = 0; page < 100; page += 1) {
      const reply = await get(`limit=2${cursor === undefined ? '' : `&cursor=${cursor}`}`)
      expect(reply.status, reply.text).toBe(200)
      const { rows, next } = listed(reply.text)
      seen.push(...rows.map(nameOf))
      if (page < 5) await add(route)
      const link = /^<([^>]+)>; rel="next"$/.exec(reply.headers.get('link') ?? '')?.[1]
      expect(link === undefined).toBe(next === null)
      if (next === null || link === undefined) break
      expect(new URL(link, api.url).searchParams.get('cursor')).toBe(next)
      expect(new URL(link, api.url).searchParams.get('limit')).toBe('2')
      cursor = next
    }
    expect(seen.length).toBe(new Set(seen).size)
    for (const row of whole.rows.map(nameOf)) expect(seen).toContain(row)
  })

  it.each([
    ['limit', '0'],
    ['limit', '201'],
    ['limit', 'many'],
    ['limit', '1.5'],
    ['cursor', 'x'],
    ['cursor', ''],
    ['cursor', Buffer.from('["elsewhere","1"]').toString('base64url')],
    ['cursor', Buffer.from('{"a":1}').toString('base64url')],
    ['filter', 'unknown'],
  ])('%s=%s is refused by name', async (field, value) => {
    const reply = await get(`${field}=${value}`)
    expect(reply.status).toBe(400)
    expect(JSON.parse(reply.text)).toMatchObject({ code: 'request.field_invalid', field })
  })

  it('takes no cursor with a place that is none', async () => {
    const first = listed((await get('limit=1')).text)
    const place = JSON.parse(Buffer.from(first.next ?? '', 'base64url').toString()) as string[]
    for (const wrong of [
      place.slice(1),
      [...place, 'x'],
      place.map((part, index) => (index === 0 ? part : '\0')),
      place.map((part, index) => (index === 0 ? part : { a: 1 })),
    ]) {
      const reply = await get(`cursor=${Buffer.from(JSON.stringify(wrong)).toString('base64url')}`)
      expect(reply.status, JSON.stringify(wrong)).toBe(400)
    }
  })
})

it('there are lists, and each can be walked', () => {
  expect(lists.length).toBeGreaterThanOrEqual(8)
})
