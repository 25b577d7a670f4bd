// A dialogue is under way while the texts change: what she answers is what she was asked.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { I18n } from '../../src/i18n.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  createUssdUnderTest,
  createWorld,
  i18n,
  numbers,
  testPin,
  type UssdUnderTest,
  type World,
} from '../support/ussd.ts'

let database: TestDatabase
let world: World
let under: UssdUnderTest

beforeAll(async () => {
  database = await createTestDatabase()
  world = await createWorld(database.db)
  await world.reset()
  under = await createUssdUnderTest(database)
})
afterAll(async () => {
  await under.close()
  await database.drop()
})

/** The same texts, with another question about our messages. */
const asking = (version: string, wording: string): I18n => ({
  ...i18n,
  language: (tag) => ({ ...i18n.language(tag), consent: { version, wording } }),
})
const hop = (text: string) =>
  under.ussd.answer({
    provider: 'africastalking',
    sessionId: 'ATUid_live',
    msisdn: numbers.unasked,
    serviceCode: '*384*1#',
    text,
  })

test('her answer is recorded under the wording that stood on her screen', async () => {
  const { version, wording } = i18n.language('fr').consent
  await hop('')
  await hop('1')
  const asked = await hop(`1*${testPin}`)
  expect(asked).toContain(wording)
  under.ussd.use({ i18n: asking('2099-01', 'Autre question?'), menus: under.menus })
  const answered = await hop(`1*${testPin}*2`)
  expect(answered).toMatch(/^CON /)
  const { rows } = await database.db.pool.query<{ wording: string }>(
    'select distinct wording from consents where member_id = $1',
    [world.members.unasked?.id],
  )
  expect(rows).toEqual([{ wording: version }])
  // The same callback has the same bytes, whatever is served now.
  expect(await hop(`1*${testPin}*2`)).toBe(answered)
})
