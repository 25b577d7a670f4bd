// What an SMS would cost, asked before anybody sends it.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApiKey } from '../../src/http/keys.ts'
import { type ApiUnderTest, serveApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createProgramme } from '../support/fixtures.ts'

let database: TestDatabase
let api: ApiUnderTest
let priced: string
let free: string

beforeAll(async () => {
  database = await createTestDatabase()
  const programme = await createProgramme(database.db)
  await database.db.pool.query(
    `update programmes set segment_price = 12.5, segment_currency = 'XOF' where id = $1`,
    [programme.id],
  )
  const other = await createProgramme(database.db, {
    code: 'palmis',
    serviceCode: '*385*1',
    senderId: 'PALMIS',
    shortcode: '385',
    currency: 'HTG',
  })
  priced = await createApiKey(database.db, programme.id, 'reader', ['read'])
  free = await createApiKey(database.db, other.id, 'reader', ['read'])
  api = await serveApi(database.db)
})
afterAll(async () => {
  await api.close()
  await database.drop()
})

const estimate = async (body: unknown, key = priced, headers: object = {}) => {
  const { status, text } = await api.call(key, 'post', '/texts/estimate', body, headers)
  return { status, body: JSON.parse(text) }
}

describe('a text before it is sent', () => {
  test('is spelt by the rules of its language and priced by its segments', async () => {
    expect(await estimate({ text: 'Jërëjëf, ŋ', language: 'wo' })).toEqual({
      status: 200,
      body: {
        text: 'Jerejef, ng',
        encoding: 'gsm7',
        units: 11,
        segments: 1,
        costly: [],
        over: null,
        segmentsWithoutCostly: 1,
        cost: { amount: '12.5', currency: 'XOF' },
      },
    })
  })

  test('names the letters that cost, and the one with which a second segment begins', async () => {
    const text = `${'a'.repeat(70)}ëb`
    const { body } = await estimate({ text })
    expect(body).toMatchObject({
      text,
      encoding: 'ucs2',
      units: 72,
      segments: 2,
      costly: ['ë'],
      over: { character: 'ë', at: 70 },
      segmentsWithoutCostly: 1,
      cost: { amount: '25', currency: 'XOF' },
    })
    expect((await estimate({ text, language: 'wo-x-script' })).body).toMatchObject({ segments: 2 })
  })

  test('has no cost where the programme knows no price', async () => {
    expect((await estimate({ text: 'a' }, free)).body.cost).toBeNull()
  })

  test.each([
    [{}, 'text'],
    [{ text: '' }, 'text'],
    [{ text: 12 }, 'text'],
    [{ text: 'a\u0000b' }, 'text'],
    [{ text: 'a\tb' }, 'text'],
    [{ text: '\ud800' }, 'text'],
    [{ text: 'a'.repeat(1601) }, 'text'],
    [{ text: 'a', language: 'xx' }, 'language'],
    [{ text: 'a', language: 7 }, 'language'],
    [{ text: 'a', to: '+221770000001' }, 'to'],
    [[], 'body'],
  ])('%j is refused, naming %s', async (body, field) => {
    expect(await estimate(body)).toMatchObject({
      status: 400,
      body: { code: 'request.field_invalid', field },
    })
  })

  test('is kept nowhere, not even under an Idempotency-Key', async () => {
    const { status } = await estimate({ text: 'Fay' }, priced, { 'idempotency-key': 'once' })
    expect(status).toBe(200)
    const { rows } = await database.db.pool.query('select count(*)::int as count from idempotency_keys')
    expect(rows).toEqual([{ count: 0 }])
  })
})
