import { afterAll, beforeAll, expect, test } from 'vitest'
import { createLogger } from '../../src/logger.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createUssdUnderTest, createWorld, numbers } from '../support/ussd.ts'

let database: TestDatabase

beforeAll(async () => {
  database = await createTestDatabase()
  await (await createWorld(database.db)).reset()
})
afterAll(() => database.drop())

test('a callback is one log line and one count, without number, text or PIN', async () => {
  const lines: string[] = []
  const logger = createLogger('debug', { write: (line: string) => lines.push(line) })
  const under = await createUssdUnderTest(database, { logger })
  const inputs = ['', '1', '1*7391', '1*7391*7391', '1*7391*7391*hello', '1*7391']
  for (const text of inputs)
    await under.ussd.answer({
      provider: 'africastalking',
      sessionId: 'ATUid_log',
      msisdn: numbers.awa,
      serviceCode: '*384*1#',
      text,
    })
  await under.ussd.answer({
    provider: 'africastalking',
    sessionId: 'x',
    msisdn: numbers.awa,
    serviceCode: '*1#',
    text: '7391',
  })
  expect(lines).toHaveLength(inputs.length + 1)
  const all = lines.join('')
  expect(all).not.toMatch(/(?<![0-9])7391(?![0-9])|hello|770000001|ATUid_log|Awa/)
  expect(JSON.parse(lines[2] ?? '{}')).toMatchObject({
    event: 'ussd.hop',
    programme: 'fansoto',
    state: 'pin',
    outcome: 'pin_wrong',
    msisdn: '+22177*****01',
  })
  const figures = await under.metrics.registry.metrics()
  expect(figures).toContain('tama_ussd_hops_total{outcome="pin_wrong"} 2')
  expect(figures).toContain('tama_ussd_hops_total{outcome="unknown_code"} 1')
  expect(figures).not.toContain('7391*')
  await under.close()
})
