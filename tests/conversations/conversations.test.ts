import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { playDialogue, readDialogue, record } from '../support/dialogue.ts'
import { testNow } from '../support/fixtures.ts'
import {
  createUssdUnderTest,
  createWorld,
  serveUssd,
  type UssdUnderTest,
  type World,
} from '../support/ussd.ts'

const folder = import.meta.dirname
const files = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml'))
  .sort()
const records = process.env.TAMA_RECORD === '1'

let database: TestDatabase
let world: World
let under: UssdUnderTest
let server: Awaited<ReturnType<typeof serveUssd>>

beforeAll(async () => {
  database = await createTestDatabase()
  world = await createWorld(database.db)
  under = await createUssdUnderTest(database)
  server = await serveUssd(under.ussd)
})

afterAll(async () => {
  await server.close()
  await under.close()
  await database.drop()
})

test('at least forty dialogues are recorded', () => {
  expect(files.length).toBeGreaterThanOrEqual(40)
})

describe.each(files)('%s', (file) => {
  const dialogue = readDialogue(join(folder, file))

  test(dialogue.name, async () => {
    await world.reset(dialogue)
    under.clock.set(testNow)
    const menu = under.menus.get('member')
    if (menu === undefined) throw new Error('no menu')
    const played = await playDialogue(dialogue, {
      url: server.url,
      label: file.replace('.yaml', ''),
      advanceMs: (ms) => under.clock.advanceMs(ms),
      useMenuVersion: (version) => under.menus.set('member', { ...menu, version }),
    })
    under.menus.set('member', menu)
    if (records) record(join(folder, file), played)
    for (const { step, replies, septets, first } of played) {
      expect(new Set(replies).size, 'the same callback gets the same bytes').toBe(1)
      expect(replies[0]).toMatch(/^(CON|END) /)
      expect(septets, 'every letter is in GSM-7').toBeDefined()
      expect(septets).toBeLessThanOrEqual(first ? 140 : 160)
      if (!records) expect(replies[0]).toBe(step.expect?.replace(/\n$/, ''))
    }
  })
})
