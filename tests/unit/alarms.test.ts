// Alarms against a real HTTP hook that fails, hangs and comes back.
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Alarms, createAlarms } from '../../src/alarms.ts'
import { fixedClock } from '../../src/clock.ts'
import { createMetrics } from '../../src/metrics.ts'
import { noticedWithinMs, watchTimes } from '../../src/outbound/watch.ts'
import { silentLogger } from '../support/database.ts'

describe('alarms', () => {
  let hook: Server
  let url: string
  let heard: unknown[]
  let refusals: number
  let alarms: Alarms
  const metrics = createMetrics()
  const clock = fixedClock('2026-11-24T08:00:00Z')
  const gauge = async () => (await metrics.alarms.get()).values.find((v) => v.labels.code === 'lane.paused')

  beforeEach(async () => {
    heard = []
    refusals = 0
    clock.set('2026-11-24T08:00:00Z')
    hook = createServer((request, response) => {
      let body = ''
      request.on('data', (part: Buffer) => {
        body += part.toString()
      })
      request.on('end', () => {
        if (refusals > 0) {
          refusals -= 1
          // Every other time the connection is cut.
          if (refusals % 2 === 0) request.socket.destroy()
          else response.writeHead(503).end()
          return
        }
        heard.push(JSON.parse(body))
        response.writeHead(204).end()
      })
    })
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(hook.address() as AddressInfo).port}/alarm`
    alarms = createAlarms({ clock, logger: silentLogger, metrics, url, retryMs: 5 })
  })
  afterEach(async () => {
    await alarms.close()
    hook.closeAllConnections()
    await new Promise((resolve) => hook.close(resolve))
  })

  it('what is raised twice is told once, listed once and counted once; what is not raised cannot be cleared', async () => {
    alarms.clear('lane.paused', 'bulk')
    alarms.raise('lane.paused', 'urgent')
    clock.advanceMs(1_000)
    alarms.raise('lane.paused', 'urgent')
    alarms.raise('lane.paused', 'bulk')
    expect(alarms.list().map(({ where }) => where)).toEqual(['urgent', 'bulk'])
    expect((await gauge())?.value).toBe(2)
    alarms.clear('lane.paused', 'urgent')
    alarms.clear('lane.paused', 'urgent')
    expect((await gauge())?.value).toBe(1)
    const since = '2026-11-24T08:00:00.000Z'
    await vi.waitFor(() =>
      expect(heard).toEqual([
        { code: 'lane.paused', where: 'urgent', since },
        { code: 'lane.paused', where: 'bulk', since: '2026-11-24T08:00:01.000Z' },
        { code: 'lane.paused', where: 'urgent', since, clearedAt: '2026-11-24T08:00:01.000Z' },
      ]),
    )
  })

  it('a hook that refuses and cuts the line hears everything in the end, in order', async () => {
    refusals = 7
    alarms.raise('queue.silent')
    alarms.clear('queue.silent')
    await vi.waitFor(() => expect(heard).toHaveLength(2), { timeout: 10_000 })
    expect(heard[0]).not.toHaveProperty('clearedAt')
    expect(heard[1]).toHaveProperty('clearedAt')
  })

  it('a hook that hangs holds nobody up, and the end waits a second for it at most', async () => {
    hook.removeAllListeners('request')
    const startedMs = performance.now()
    for (let count = 0; count < 1_000; count++) {
      alarms.raise('outbox.waiting', 'bulk')
      alarms.clear('outbox.waiting', 'bulk')
    }
    expect(performance.now() - startedMs).toBeLessThan(1_000)
    await alarms.close()
    expect(performance.now() - startedMs).toBeLessThan(3_000)
  })
})

describe('the watch', () => {
  it('notices a stand-still within two minutes at every allowed beat, and never before two beats were missed', () => {
    for (const seconds of [1, 20, 30]) {
      const times = watchTimes(seconds * 1_000)
      expect(noticedWithinMs(times)).toBeLessThan(120_000)
      expect(times.canaryLateMs).toBeGreaterThan(2 * times.canaryEveryMs)
    }
    expect(noticedWithinMs(watchTimes(20_000))).toBe(75_000)
  })
})
