// What a caller cannot do to the others: hold connections by writing slowly, send without end, or frame a page.
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createAlarms } from '../../src/alarms.ts'
import { fixedClock } from '../../src/clock.ts'
import { createOperations } from '../../src/http/operations.ts'
import { answerTheRest, createApp, type HttpServer, listen } from '../../src/http/server.ts'
import { createMetrics } from '../../src/metrics.ts'
import { silentLogger } from '../support/database.ts'
import { testNow } from '../support/fixtures.ts'

const adminKey = 'admin-key-of-the-test-0123456789'
let server: HttpServer
let port: number
let base: string

beforeAll(async () => {
  const app = createApp()
  const metrics = createMetrics()
  app.use(
    createOperations({
      metrics,
      checks: {},
      alarms: createAlarms({ clock: fixedClock(testNow), logger: silentLogger, metrics }),
      sample: () => Promise.resolve(),
      queues: [],
      adminKey,
    }),
  )
  answerTheRest(app, silentLogger)
  server = await listen(app, 0, '127.0.0.1')
  base = server.url.replace('localhost', '127.0.0.1')
  port = Number(new URL(base).port)
})
afterAll(() => server.close())

function open(text: string): { socket: Socket; ended: Promise<number> } {
  const startMs = performance.now()
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => undefined)
  socket.on('data', () => undefined)
  socket.write(text)
  return {
    socket,
    ended: new Promise((resolve) => socket.once('close', () => resolve(performance.now() - startMs))),
  }
}

it('300 callers who write their headers one letter a second are cut off in time, and hold up nobody meanwhile', async () => {
  const slow = Array.from({ length: 300 }, () => open('GET /healthz HTTP/1.1\r\nHost: x\r\n'))
  const dribble = setInterval(() => {
    for (const { socket } of slow) if (socket.writable) socket.write('x')
  }, 1_000)
  try {
    const startMs = performance.now()
    const answers = await Promise.all(Array.from({ length: 50 }, () => fetch(`${base}/healthz`)))
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200))
    expect(performance.now() - startMs).toBeLessThan(5_000)
    // 10 s for the headers, looked at every 2 s.
    const tookMs = await Promise.all(slow.map(({ ended }) => ended))
    expect(Math.max(...tookMs)).toBeLessThan(20_000)
  } finally {
    clearInterval(dribble)
    for (const { socket } of slow) socket.destroy()
  }
}, 40_000)

it('headers without end are refused', async () => {
  const { socket, ended } = open(
    `GET /healthz HTTP/1.1\r\nHost: x\r\n${`x: ${'y'.repeat(1_000)}\r\n`.repeat(40)}`,
  )
  await ended
  socket.destroy()
  expect((await fetch(`${base}/healthz`)).status).toBe(200)
})

it('pages and the board may not be framed, sniffed or run scripts of others', async () => {
  for (const path of ['/admin/queues', '/admin/queues/']) {
    const headers = { authorization: `Basic ${Buffer.from(`x:${adminKey}`).toString('base64')}` }
    const page = await fetch(`${base}${path}`, { headers })
    expect(page.status).toBe(200)
    const policy = page.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("script-src 'self';")
    expect(policy).toContain("frame-ancestors 'self'")
    expect(page.headers.get('x-content-type-options')).toBe('nosniff')
    expect(page.headers.get('x-frame-options')).toBe('SAMEORIGIN')
    expect(page.headers.get('x-powered-by')).toBeNull()
  }
  expect((await fetch(`${base}/admin/queues`)).status).toBe(401)
})
