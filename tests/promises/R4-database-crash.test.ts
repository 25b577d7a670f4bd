// PostgreSQL is stopped without a goodbye while a back office posts and workers send; Redis is killed. Nothing is left half done.
import { describe, expect, it, onTestFinished } from 'vitest'
import { ageOpenMessages, auditLedger, auditMessages, countByStatus, sentTwice } from '../support/audit.ts'
import { pause } from '../support/callers.ts'
import { createCrowd } from '../support/crowd.ts'
import { backends, startHarness, startOwnServer } from '../support/harness.ts'
import { atScale, isFull, showFigure } from '../support/promises.ts'
import { freePort, startRedis } from '../support/redis.ts'

const crashes = atScale(3, 20)
const backMaxMs = 10_000

describe.each(backends)('with the queue on %s', (backend) => {
  it(`${crashes} crashes of the database: sending again within 10 s of its return, nothing half, none lost, none twice`, {
    timeout: atScale(180_000, 1_200_000),
  }, async () => {
    const server = await startOwnServer()
    onTestFinished(() => server.remove())
    const redisPort = await freePort()
    let redis = backend === 'Redis' ? await startRedis(redisPort) : undefined
    onTestFinished(() => redis?.stop())
    const harness = await startHarness({ backend, databaseUrl: server.url, redisUrl: redis?.url })
    onTestFinished(() => harness.close())
    const { db, provider, ends } = harness
    const probes = crashes * 2
    const crowd = await createCrowd(db, 20_000)
    provider.answer = (_, accept) => setTimeout(accept, 20 + Math.random() * 100)
    const places = [harness.keep('worker'), harness.keep('worker')]
    await Promise.all(places.map((place) => place.filled()))

    let posted = probes
    let over = false
    const posting = (async () => {
      while (!over) {
        await crowd.depositSurely(posted)
        posted += 1
        await pause(15)
      }
    })()

    // Some absences are short, some long enough for every client to have slowed its tries down.
    const absenceMs = (crash: number) => (crash % 7 === 6 ? 20_000 : Math.random() * 3_000)
    const backMs: number[] = []
    let probe = 0
    const sendsAgain = async () => {
      const startedMs = performance.now()
      const msisdn = crowd.msisdnOf(probe)
      await crowd.depositSurely(probe)
      probe += 1
      await expect
        .poll(() => provider.calls.some((call) => call.recipients.includes(msisdn)), {
          timeout: 6 * backMaxMs,
          interval: 20,
        })
        .toBe(true)
      backMs.push(performance.now() - startedMs)
    }
    for (let crash = 0; crash < crashes; crash += 1) {
      await pause(300 + Math.random() * 1_500)
      await server.stopHard()
      await pause(absenceMs(crash))
      await server.start()
      await sendsAgain()
      await auditLedger(db)
      if (redis === undefined) continue
      await pause(300 + Math.random() * 700)
      await redis.stop()
      await pause(absenceMs(crash))
      redis = await startRedis(redisPort)
      await sendsAgain()
    }
    over = true
    await posting
    const rest = Array.from({ length: probes - probe }, (_, index) => probe + index)
    for (const index of rest) await crowd.depositSurely(index)

    if (!isFull) await ageOpenMessages(db)
    await expect
      .poll(() => countByStatus(db).then(({ submitted = 0, unknown = 0 }) => submitted + unknown), {
        timeout: 120_000,
        interval: 500,
      })
      .toBe(posted)
    const { unknown = 0 } = await countByStatus(db)
    expect(sentTwice(provider)).toEqual([])
    await auditMessages(db)
    await auditLedger(db)
    expect(Math.max(...backMs)).toBeLessThan(backMaxMs)
    // A process may give up and be started again; it must say so by its exit code.
    expect(ends.filter(({ code }) => code === 0).map(({ output }) => output)).toEqual([])
    showFigure(
      'R4',
      `${backend}: ${crashes} crashes of PostgreSQL${backend === 'Redis' ? ` and ${crashes} of Redis` : ''} under ${posted} postings: ` +
        `sending again after ${(Math.max(...backMs) / 1000).toFixed(1)} s at most, 0 half, 0 lost, 0 twice, ${unknown} unknown, ` +
        `${ends.length} processes started again`,
    )
  })
})
