import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { createPipeline } from '../../src/db.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createTransitionWriter, type TransitionWriter } from '../../src/outbound/transitions.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import { type OutboundFixture, outboundFixture } from '../support/outbound.ts'

let database: TestDatabase
let outbound: OutboundFixture
let writer: TransitionWriter

beforeAll(async () => {
  database = await createTestDatabase()
  outbound = await outboundFixture(database.db)
  const pipelines = [1, 2].map(() =>
    createPipeline({ url: database.url, logger: silentLogger, name: 'marks' }),
  )
  writer = createTransitionWriter({
    pipelines,
    clock: systemClock,
    logger: silentLogger,
    metrics: createMetrics(),
  })
})
afterAll(async () => {
  await writer.close()
  await database.drop()
})

test('two jobs that move the same message at once: one moves it, and no move of anybody is lost', async () => {
  const [first = '', second = ''] = await outbound.write(2)
  await database.db.pool.query(`update messages set status = 'claimed'`)
  const start = (messageId: string) => writer.write([{ messageId, to: 'submitting', source: 'sender' }])
  const moved = await Promise.all([first, first, second, first].map(start))
  expect(
    moved
      .flat()
      .map(({ id }) => id)
      .sort(),
  ).toEqual([first, second].sort())
})
