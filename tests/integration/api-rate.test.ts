// What one key may ask in a minute, counted over all processes.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { createApiKey } from '../../src/http/keys.ts'
import { type ApiUnderTest, serveApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createProgramme, type TestProgramme } from '../support/fixtures.ts'

const start = new Date('2026-11-22T10:00:18Z')
const limit = 20
const clock = fixedClock(start)

let database: TestDatabase
let programme: TestProgramme
/** Two processes behind one address. */
let apis: ApiUnderTest[]

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  apis = [await serveApi(database.db, clock, limit), await serveApi(database.db, clock, limit)]
})
afterAll(async () => {
  for (const api of apis) await api.close()
  await database.drop()
})

const keyNamed = (name: string) => createApiKey(database.db, programme.id, name)
const ask = (process: number, key: string) => apis[process % 2]?.call(key, 'get', '/groups')

test('all processes together let a key ask so often a minute, then say when to come again; the next minute is a new one', async () => {
  clock.set(start)
  const key = await keyNamed('busy')
  const replies = await Promise.all(Array.from({ length: limit + 15 }, (_, call) => ask(call, key)))
  expect(replies.filter((reply) => reply?.status === 200)).toHaveLength(limit)
  const refused = replies.filter((reply) => reply?.status === 429)
  expect(refused).toHaveLength(15)
  for (const reply of refused) {
    expect(JSON.parse(reply?.text ?? '')).toMatchObject({ status: 429, code: 'rate.exceeded' })
    expect(reply?.headers.get('content-type')).toContain('application/problem+json')
    expect(reply?.headers.get('retry-after')).toBe('42')
    expect(reply?.headers.get('ratelimit')).toBe('"key";r=0;t=42')
  }
  clock.set(new Date('2026-11-22T10:00:59.500Z'))
  const last = await ask(0, key)
  expect([last?.status, last?.headers.get('retry-after')]).toEqual([429, '1'])
  clock.set(new Date('2026-11-22T10:01:00Z'))
  const next = await ask(1, key)
  expect(next?.status).toBe(200)
  expect(next?.headers.get('ratelimit')).toBe(`"key";r=${limit - 1};t=60`)
  expect(next?.headers.get('ratelimit-policy')).toBe(`"key";q=${limit};w=60`)
})

test('another key of the programme, and a caller without one, are not counted with it', async () => {
  const [busy, calm] = [await keyNamed('first'), await keyNamed('second')]
  for (let call = 0; call < limit; call += 1) expect((await ask(call, busy))?.status).toBe(200)
  expect((await ask(0, busy))?.status).toBe(429)
  expect((await ask(0, calm))?.status).toBe(200)
  const stranger = await ask(0, 'x'.repeat(43))
  expect([stranger?.status, stranger?.headers.get('ratelimit')]).toEqual([401, null])
})

test('a refused call is no call: nothing is written, and the same Idempotency-Key goes through later', async () => {
  const key = await keyNamed('writer')
  for (let call = 0; call < limit; call += 1) await ask(call, key)
  const member = { number: 'R-1', firstName: 'Awa', lastName: 'Sané' }
  const headers = { 'idempotency-key': 'once' }
  expect((await apis[0]?.call(key, 'post', '/members', member, headers))?.status).toBe(429)
  clock.set(new Date(clock.now().getTime() + 60_000))
  expect((await apis[1]?.call(key, 'post', '/members', member, headers))?.status).toBe(201)
})

test('a process whose clock is behind neither forgives nor forgets', async () => {
  const key = await keyNamed('skewed')
  const now = new Date(clock.now().getTime() + 60_000)
  clock.set(now)
  for (let call = 0; call < limit - 1; call += 1) await ask(call, key)
  clock.set(new Date(now.getTime() - 60_000))
  expect((await ask(0, key))?.status).toBe(200)
  clock.set(now)
  expect((await ask(1, key))?.status).toBe(429)
})
