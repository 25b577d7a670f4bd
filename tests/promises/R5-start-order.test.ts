// Everything is started while the databases are down: it says so, and serves soon after they are up, or has ended and says that.
import { describe, expect, it, onTestFinished } from 'vitest'
import { pause } from '../support/callers.ts'
import { createCrowd } from '../support/crowd.ts'
import { backends, type Place, startHarness, startOwnServer } from '../support/harness.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { freePort, startRedis, type TestRedis } from '../support/redis.ts'

/** How long the databases stay away; a start waits 30 s for them and then ends. */
const awayMs = atScale([3_000], [3_000, 20_000, 45_000])
const servingMaxMs = 30_000

const trials = backends.flatMap((backend) =>
  awayMs.flatMap((away) =>
    (backend === 'Redis' ? ['PostgreSQL first', 'Redis first'] : ['PostgreSQL']).map((order) => ({
      backend,
      away,
      order,
    })),
  ),
)

describe.each(trials)('$backend away for $away ms, then up: $order', ({ backend, away, order }) => {
  it('web, worker and planner are not ready meanwhile, and all serve within 30 s of it', {
    timeout: 240_000,
  }, async () => {
    const server = await startOwnServer()
    onTestFinished(() => server.remove())
    const redisPort = await freePort()
    let redis: TestRedis | undefined
    onTestFinished(() => redis?.stop())
    const harness = await startHarness({
      backend,
      databaseUrl: server.url,
      redisUrl: `redis://127.0.0.1:${redisPort}`,
    })
    onTestFinished(() => harness.close())
    const crowd = await createCrowd(harness.db, 3)
    await server.stopHard()

    const places = (['web', 'worker', 'planner'] as const).map((role) => harness.keep(role))
    const answers = new Map<Place, number>()
    const startedMs = performance.now()
    while (performance.now() - startedMs < away || answers.size < places.length) {
      for (const place of places) {
        const answer = await ready(place)
        if (answer === undefined) continue
        expect(answer).toBe(503)
        answers.set(place, (answers.get(place) ?? 0) + 1)
      }
      await pause(100)
    }
    const startRedisNow = async () => {
      if (backend === 'Redis') redis = await startRedis(redisPort)
    }
    if (order === 'Redis first') await startRedisNow()
    if (order === 'Redis first') await pause(1_000)
    await server.start()
    if (order === 'PostgreSQL first') await pause(1_000)
    if (order !== 'Redis first') await startRedisNow()

    const upMs = performance.now()
    await expect
      .poll(() => Promise.all(places.map(ready)), { timeout: servingMaxMs, interval: 100 })
      .toEqual([200, 200, 200])
    const tookMs = performance.now() - upMs
    await crowd.deposit(0)
    await expect
      .poll(() => harness.provider.calls.length, { timeout: 10_000, interval: 50 })
      .toBeGreaterThan(0)
    for (const { code } of harness.ends) expect(code).toBe(1)
    showFigure(
      'R5',
      `${backend}, away ${away / 1_000} s${backend === 'Redis' ? `, ${order}` : ''}: all ready ${(tookMs / 1_000).toFixed(1)} s after, ` +
        `${harness.ends.length} ended and were started again`,
    )
  })
})

/** Status of /readyz; undefined while nobody listens there. */
async function ready(place: Place): Promise<number | undefined> {
  const running = place.running()
  if (running === undefined) return undefined
  const response = await fetch(`${running.url}/readyz`).catch(() => undefined)
  await response?.text()
  return response?.status
}
