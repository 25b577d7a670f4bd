// S9: nobody can make a programme spend more than it has set: its budgets are exact over all processes, and codes are few.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createAlarms } from '../../src/alarms.ts'
import { fixedClock } from '../../src/clock.ts'
import { createMetrics } from '../../src/metrics.ts'
import { giveBudgetBack, takeBudget } from '../../src/outbound/budget.ts'
import { createMessages } from '../../src/outbound/outbox.ts'
import { createQueues } from '../../src/outbound/queue.ts'
import { createRelay } from '../../src/outbound/relay.ts'
import { createSender } from '../../src/outbound/sender.ts'
import { createWatch, watchTimes } from '../../src/outbound/watch.ts'
import { createAfricasTalking } from '../../src/providers/africastalking.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import { type OutboundFixture, outboundFixture, sendAll, startTestProvider } from '../support/outbound.ts'
import { atScale, showFigure } from '../support/promises.ts'

const now = new Date('2026-11-22T10:00:20Z')
const minute = 60_000
let database: TestDatabase
let outbound: OutboundFixture

beforeAll(async () => {
  database = await createTestDatabase()
  outbound = await outboundFixture(database.db, 50)
})
afterAll(() => database.drop())
beforeEach(() => database.db.pool.query('truncate messages, message_events, segment_budgets, code_sends'))

const limits = (minuteMax: number, dayMax: number) =>
  database.db.pool.query('update programmes set segments_minute_max = $1, segments_day_max = $2', [
    minuteMax,
    dayMax,
  ])

async function write(count: number, purpose: 'reply' | 'notice' | 'code', phone?: number): Promise<string[]> {
  const key = `${purpose}/${Math.random()}`
  await createMessages(
    database.db.pool,
    Array.from({ length: count }, (_, index) => ({
      programmeId: outbound.programmeId,
      phoneId: outbound.phones[phone ?? index % outbound.phones.length]?.id ?? '',
      purpose,
      template: 'notice.test',
      lane: 'planned' as const,
      dedupeKey: `${key}/${index}`,
      notBefore: new Date(0),
    })),
  )
  const { rows } = await database.db.pool.query<{ id: string }>(
    'select id from messages where dedupe_key like $1 order by id',
    [`${key}/%`],
  )
  return rows.map(({ id }) => id)
}
const take = (ids: readonly string[], at = now, segments = 1) =>
  takeBudget(
    database.db.pool,
    ids.map((messageId) => ({ messageId, segments })),
    at,
  )
const passed = async (ids: readonly string[], at = now, segments = 1) =>
  ids.length - (await take(ids, at, segments)).length

test.each([
  ['a minute', 1_000, 100_000],
  ['a day', 100_000, 1_000],
])(
  '16 processes with more demand than a budget of 1,000 for %s let exactly 1,000 through',
  async (span, minuteMax, dayMax) => {
    const processes = atScale(4, 16)
    await limits(minuteMax, dayMax)
    await write(2_000, 'notice')
    await write(300, 'reply')
    const program = join(import.meta.dirname, '..', 'support', 'budget-process.mjs')
    const running = Array.from({ length: processes }, (_, share) => {
      const child = spawn(process.execPath, [
        program,
        database.url,
        `${share}`,
        `${processes}`,
        now.toISOString(),
      ])
      let text = ''
      child.stdout.on('data', (chunk: Buffer) => {
        text += chunk.toString()
      })
      return { child, text: () => text, ended: new Promise((resolve) => child.once('close', resolve)) }
    })
    await expect
      .poll(() => running.every(({ text }) => text().includes('ready')), { timeout: 60_000 })
      .toBe(true)
    for (const { child } of running) child.stdin.write('go\n')
    await Promise.all(running.map(({ ended }) => ended))
    const results = running.map(
      ({ text }) => JSON.parse(text().split('\n')[1] ?? '') as { reply: number; notice: number },
    )
    const sum = (purpose: 'reply' | 'notice') => results.reduce((total, result) => total + result[purpose], 0)
    expect(sum('reply') + sum('notice')).toBe(1_000)
    // Notices may not touch the tenth that is kept for answers.
    expect(sum('notice')).toBeLessThanOrEqual(900)
    expect(sum('reply')).toBeGreaterThanOrEqual(100)
    showFigure(
      'S9',
      `${processes} processes, 2,300 segments wanted, 1,000 for ${span}: ${sum('notice')} of notices and ${sum('reply')} of answers passed`,
    )
  },
  120_000,
)

test('what is over a minute comes back at the pace of the budget; answers wait a minute at most', async () => {
  await limits(100, 100_000)
  const refusals = await take(await write(300, 'notice'))
  expect(refusals).toHaveLength(210)
  const waitsMs = refusals.map(({ notBefore }) => (notBefore?.getTime() ?? 0) - now.getTime())
  expect(Math.min(...waitsMs)).toBe(40_000)
  expect(Math.max(...waitsMs)).toBeLessThan(40_000 + 2.1 * minute)
  expect(new Set(refusals.map(({ reason }) => reason))).toEqual(new Set(['budget_minute']))
  const replies = await take(await write(20, 'reply'))
  expect(replies).toHaveLength(10)
  for (const { notBefore } of replies)
    expect((notBefore?.getTime() ?? 0) - now.getTime()).toBeLessThan(minute)
  expect(await passed(await write(50, 'notice'), new Date(now.getTime() + minute))).toBe(50)
})

test('what is over the day waits for the next local day, with an alarm until then', async () => {
  await limits(1_000, 100)
  await database.db.pool.query(`update programmes set time_zone = 'America/Port-au-Prince'`)
  const clock = fixedClock(now)
  const alarms = createAlarms({ clock, logger: silentLogger, metrics: createMetrics() })
  const watch = createWatch({
    ...database,
    clock,
    logger: silentLogger,
    alarms,
    times: watchTimes(minute),
  })
  const spent = async () => {
    await watch.look()
    return alarms.list().filter(({ code }) => code === 'budget.spent')
  }
  expect(await passed(await write(90, 'notice'))).toBe(90)
  expect(await spent()).toEqual([])
  const [refusal] = await take(await write(1, 'notice'))
  expect(refusal).toMatchObject({ reason: 'budget_day', notBefore: new Date('2026-11-23T05:00:00Z') })
  expect(await spent()).toMatchObject([{ where: outbound.programmeId }])
  expect(await passed(await write(12, 'reply'))).toBe(10)
  clock.advanceMs(24 * 60 * minute)
  expect(await spent()).toEqual([])
  expect(await passed(await write(91, 'notice'), clock.now())).toBe(90)
  await database.db.pool.query(`update programmes set time_zone = 'Africa/Dakar'`)
})

test('long texts count by their segments, and what was not submitted is given back', async () => {
  await limits(100, 100)
  const ids = await write(40, 'reply')
  expect(await passed(ids, now, 3)).toBe(33)
  const first = ids.slice(0, 10).map((messageId) => ({ messageId, segments: 3 }))
  await giveBudgetBack(database.db.pool, first, now)
  expect(await passed(await write(40, 'reply'))).toBe(31)
  // A process whose clock is behind counts in the window of the others.
  expect(await passed(await write(1, 'reply'), new Date(now.getTime() - minute))).toBe(0)
})

test('a number gets three codes in ten minutes, from however many processes; the same code again is no new one', async () => {
  await limits(10_000, 10_000)
  const codes = await write(12, 'code', 0)
  const verdicts = (await Promise.all(codes.map((id) => take([id])))).flat()
  expect(verdicts).toHaveLength(9)
  for (const verdict of verdicts) expect(verdict).toMatchObject({ reason: 'code_limit', notBefore: null })
  const refused = new Set(verdicts.map(({ messageId }) => messageId))
  const [sent = ''] = codes.filter((id) => !refused.has(id))
  expect(await passed([sent])).toBe(1)
  expect(await passed(await write(1, 'code', 1))).toBe(1)
  expect(await passed(await write(1, 'code', 0), new Date(now.getTime() + 10 * minute))).toBe(1)
})

test('the sender hands the provider no more than the budget, and the rest when its time comes', async () => {
  await limits(50, 1_000)
  const network = await startTestProvider()
  const queues = createQueues({ databaseUrl: database.url, redisUrl: undefined, logger: silentLogger })
  await queues.ready()
  const clock = fixedClock(now)
  const shared = {
    db: database.db,
    databaseUrl: database.url,
    queues,
    clock,
    logger: silentLogger,
    metrics: createMetrics(),
  }
  const account = { username: 'sandbox', apiKey: 'key', baseUrl: network.url, timeoutMs: 20_000 }
  const relay = createRelay({ ...shared, recoverMs: 100, pollMs: 100 })
  const sender = createSender({
    ...shared,
    provider: createAfricasTalking(account),
    decide: sendAll(database.db),
  })
  try {
    await write(120, 'notice')
    await relay.start()
    await sender.start()
    const reached = () => network.calls.reduce((sum, { recipients }) => sum + recipients.length, 0)
    const waiting = async () => (await outbound.statuses()).created ?? 0
    await expect.poll(waiting, { timeout: 20_000 }).toBe(75)
    await expect.poll(reached, { timeout: 20_000 }).toBe(45)
    clock.advanceMs(2 * minute)
    await expect.poll(reached, { timeout: 20_000 }).toBe(90)
    clock.advanceMs(2 * minute)
    await expect.poll(reached, { timeout: 20_000 }).toBe(120)
  } finally {
    await relay.stop()
    await sender.stop()
    await queues.close()
    await network.stop()
  }
}, 90_000)
