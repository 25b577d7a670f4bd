// Every process is told to go and started anew, one after the other, while members ask and messages leave: nobody notices.
import { describe, expect, it, onTestFinished } from 'vitest'
import { auditMessages, countByStatus, sentTwice } from '../support/audit.ts'
import { anyServing, pause, postCallback, smsFields, ussdFields } from '../support/callers.ts'
import { createCrowd } from '../support/crowd.ts'
import { backends, startHarness } from '../support/harness.ts'
import { atScale, showFigure } from '../support/promises.ts'

const restarts = atScale(5, 50)
const exitMaxMs = 40_000

describe.each(backends)('with the queue on %s', (backend) => {
  it(`${restarts} rolling restarts under load: exit 0 within 40 s each, no unknown, every caller answered`, {
    timeout: atScale(180_000, 1_800_000),
  }, async () => {
    const harness = await startHarness({ backend })
    onTestFinished(() => harness.close())
    const { db, provider, ends } = harness
    const crowd = await createCrowd(db, atScale(6_000, 60_000))
    // Now and then the network takes its time: a drain must wait for it.
    provider.answer = (_, accept) =>
      setTimeout(accept, Math.random() < 0.02 ? 3_000 : 50 + Math.random() * 150)
    const webs = [harness.keep('web'), harness.keep('web')]
    const workers = [harness.keep('worker'), harness.keep('worker')]
    const places = [...workers, ...webs, harness.keep('planner')]
    await Promise.all(places.map((place) => place.filled()))

    let over = false
    let posted = 0
    let callbacks = 0
    const posting = (async () => {
      for (; !over && posted < crowd.size; posted += 1) {
        await crowd.deposit(posted)
        await pause(25)
      }
    })()
    const calling = (async () => {
      for (; !over && callbacks < crowd.size; callbacks += 1) {
        const msisdn = crowd.msisdnOf(callbacks)
        const isText = callbacks % 4 === 0
        const fields = isText
          ? smsFields(`ask-${callbacks}`, msisdn, 'AIDE')
          : ussdFields(`ATUid_${callbacks}`, msisdn, '')
        const { status } = await callSurely(webs, isText ? 'sms' : 'ussd', fields)
        expect(status).toBe(200)
        await pause(20)
      }
    })()
    for (let restart = 0; restart < restarts; restart += 1) {
      const place = places[restart % places.length]
      await place?.filled()
      await pause(200 + Math.random() * 300)
      await place?.end('SIGTERM')
      await place?.filled()
    }
    over = true
    await Promise.all([posting, calling])

    const told = ends.filter(({ asked }) => asked === 'SIGTERM')
    expect(told.map(({ role, code, output }) => `${role} ${code} ${output.slice(-300)}`)).toEqual(
      told.map(({ role, output }) => `${role} 0 ${output.slice(-300)}`),
    )
    expect(ends.length).toBe(restarts)
    const slowestMs = Math.max(...told.map(({ tookMs }) => tookMs))
    expect(slowestMs).toBeLessThan(exitMaxMs)
    await expect
      .poll(async () => Object.keys(await countByStatus(db)), { timeout: 90_000, interval: 500 })
      .toEqual(['submitted'])
    expect(sentTwice(provider)).toEqual([])
    await auditMessages(db)
    showFigure(
      'R15',
      `${backend}: ${restarts} restarts under ${posted} postings and ${callbacks} callbacks: exit 0 within ${(slowestMs / 1000).toFixed(1)} s, ` +
        '0 unknown, 0 lost, 0 twice, every callback answered',
    )
  })
})

/** As a load balancer: a connection that nobody takes goes to the other process; an answer is an answer. */
async function callSurely(
  webs: Parameters<typeof anyServing>[0],
  route: 'ussd' | 'sms',
  fields: Record<string, string>,
): Promise<{ status: number }> {
  for (;;) {
    const base = anyServing(webs)
    try {
      if (base !== undefined) return await postCallback(base, route, fields)
    } catch (error) {
      const { code } = (error as { cause?: { code?: string } }).cause ?? {}
      if (code !== 'ECONNREFUSED') throw error
    }
    await pause(20)
  }
}
