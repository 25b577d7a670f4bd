// When the watch calls the queue silent.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createAlarms } from '../../src/alarms.ts'
import { fixedClock } from '../../src/clock.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createWatch, watchTimes } from '../../src/outbound/watch.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import { testNow } from '../support/fixtures.ts'

const minute = 60_000
let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

test('a house that was down is not called silent before its workers had the time of a beat', async () => {
  const clock = fixedClock(testNow)
  const alarms = createAlarms({ clock, logger: silentLogger, metrics: createMetrics() })
  await database.db.pool.query(`insert into heartbeats (name, beat_at) values ('queue', $1)`, [
    new Date(testNow.getTime() - 600 * minute),
  ])
  const watch = createWatch({ ...database, clock, logger: silentLogger, alarms, times: watchTimes(minute) })
  const codes = async () => {
    await watch.look()
    return alarms.list().map(({ code }) => code)
  }
  expect(await codes()).not.toContain('queue.silent')
  clock.advanceMs(minute)
  expect(await codes()).toContain('queue.silent')
})
