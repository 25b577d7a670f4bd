// S17: whatever arrives at any public route, the process answers, goes on, and does nothing that it refused. One real process with every
// role, written to by raw sockets, so that broken HTTP gets through too.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { createApiKey } from '../../src/http/keys.ts'
import { createGround, sampleRequests } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createProgramme } from '../support/fixtures.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { freePort } from '../support/redis.ts'
import { changedTables, snapshotTables } from '../support/tables.ts'
import { startTama, type Tama } from '../support/tama.ts'

const secret = 'fuzz-callback-secret-0123456789'
const adminKey = 'fuzz-admin-key-0123456789-abcdef'
const formType = 'application/x-www-form-urlencoded'
/** More than this is a leak, not the heap's breathing. */
const growthMbMax = 150

interface Wire {
  method: string
  path: string
  headers: Record<string, string>
  body: string | Buffer
}

let database: TestDatabase
let tama: Tama
let port: number
let folder: string
let good: Wire[]
let key: string

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  const programme = await createProgramme(db)
  const ground = await createGround(db, programme)
  // Nothing here is due, so nothing but the heartbeat moves by itself.
  await db.pool.query(`update instalments set due_date = due_date + 3650`)
  await db.pool.query(`update cases set promised_date = promised_date + 3650`)
  await db.pool.query(`update ledger_events set handled_at = now()`)
  key = await createApiKey(db, programme.id, 'fuzz')
  port = await freePort()
  folder = mkdtempSync(join(tmpdir(), 'tama-fuzz-'))
  tama = startTama(['serve'], {
    DATABASE_URL: database.url,
    PORT: String(port),
    TAMA_DATA: folder,
    CALLBACK_SECRET: secret,
    PIN_PEPPER: 'fuzz-pin-pepper-0123456789-abcdef',
    ADMIN_KEY: adminKey,
    LOG_LEVEL: 'error',
    API_CALLS_PER_MINUTE: '1000000',
    NODE_OPTIONS: '--max-old-space-size=200',
  })
  await tama.printed(/Metrics/)
  await vi.waitFor(
    async () => expect(await status({ method: 'GET', path: '/readyz', headers: {}, body: '' })).toBe(200),
    { timeout: 60_000, interval: 500 },
  )
  const phoneNumber = '+221770000001'
  const post = (path: string, fields: Record<string, string>): Wire => ({
    method: 'POST',
    path,
    headers: { 'content-type': formType },
    body: new URLSearchParams(fields).toString(),
  })
  const callback = `/callbacks/africastalking/${secret}`
  const phones = JSON.parse(await (await fetch(`http://127.0.0.1:${port}/phone/api/phones`)).text()) as {
    id: string
  }[]
  const json = (method: string, path: string, body?: unknown, headers = {}): Wire => ({
    method,
    path,
    headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    body: body === undefined ? '' : JSON.stringify(body),
  })
  good = [
    post(`${callback}/ussd`, { sessionId: 'ATUid_1', phoneNumber, serviceCode: '*384*1#', text: '1*2' }),
    post(`${callback}/ussd-end`, {
      sessionId: 'ATUid_1',
      phoneNumber,
      serviceCode: '*384*1#',
      status: 'Success',
    }),
    post(`${callback}/sms`, {
      date: '2026-11-22 10:00:00',
      from: phoneNumber,
      id: 'a1',
      text: 'solde',
      to: '21384',
    }),
    post(`${callback}/delivery`, { id: 'ATXid_1', status: 'Success', phoneNumber }),
    post(`${callback}/opt-out`, { senderId: 'FANSOTO', phoneNumber }),
    ...Object.entries(sampleRequests).map(([route, sample]) => {
      const { path, body } = sample(ground)
      return json(route.split(' ')[0]?.toUpperCase() ?? '', `/api/v1${path}`, body, {
        authorization: `Bearer ${key}`,
        'idempotency-key': 'fuzz',
      })
    }),
    json('GET', '/api/v1/openapi.json'),
    ...['/healthz', '/readyz', '/metrics', '/phone/', '/phone/phone.js', '/phone/api/phones'].map((path) =>
      json('GET', path),
    ),
    ...['', '/', '/api/queues', '/static/x'].map((path) =>
      json('GET', `/admin/queues${path}`, undefined, {
        authorization: `Basic ${Buffer.from(`x:${adminKey}`).toString('base64')}`,
      }),
    ),
    json('POST', `/phone/api/phones/${phones[0]?.id}/dial`, { code: '*384*1#' }),
    json('POST', `/phone/api/phones/${phones[0]?.id}/sms`, { text: 'solde' }),
    json('POST', `/phone/api/dialogues/none/input`, { text: '1' }),
    json('POST', `/phone/api/dialogues/none/hang-up`),
  ]
}, 180_000)
afterAll(async () => {
  tama.child.kill('SIGTERM')
  await tama.ended
  rmSync(folder, { recursive: true, force: true })
  await database.drop()
})

/**
 * Sends the bytes; the status, or undefined when the server hung up without one. Who promised more bytes than she sends gives up after
 * `patienceMs`, which the server takes as an end of both sides.
 */
function status(wire: Wire, patienceMs = 20_000): Promise<number | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    let head = ''
    const patience = setTimeout(() => socket.end(), patienceMs)
    const done = () => {
      clearTimeout(patience)
      socket.destroy()
      const found = /^HTTP\/1\.1 (\d{3})/.exec(head)?.[1]
      resolve(found === undefined ? undefined : Number(found))
    }
    socket.setTimeout(25_000, () => {
      head = 'HTTP/1.1 599 no answer'
      done()
    })
    socket.on('data', (chunk) => {
      if (head.length < 64) head += chunk.toString('latin1')
    })
    socket.on('error', done)
    socket.on('close', done)
    const body = Buffer.isBuffer(wire.body) ? wire.body : Buffer.from(wire.body)
    const lines = Object.entries({
      host: 'x',
      connection: 'close',
      'content-length': String(body.length),
      ...wire.headers,
    })
    const start = `${wire.method} ${wire.path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
    socket.write(Buffer.concat([Buffer.from(start, 'latin1'), body]))
  })
}

const nasty = [
  '',
  '\0',
  '%00',
  '%',
  '%zz',
  '%E0%A4%A',
  '..',
  '../../etc/passwd',
  '%2e%2e%2f',
  '//',
  '\\',
  '__proto__',
  'constructor',
  'toString',
  "' or 1=1 --",
  '{{7*7}}',
  '<script>',
  '\ud800',
  '\u202e',
  'é',
  '🙂',
  '9'.repeat(400),
  '-0',
  '1e999',
  'NaN',
  'null',
  'true',
  '[]',
  '{"a":',
  '*'.repeat(200),
  '#',
  '*#*#',
  'x'.repeat(5_000),
  '\r\nX: y',
  '+',
  '&&&===',
  'a[b]=c',
  ';',
]
const scrap = fc.oneof(
  fc.constantFrom(...nasty),
  fc.string({ maxLength: 60 }),
  fc.string({ unit: 'binary', maxLength: 40 }),
)
const mutation = fc.record({
  kind: fc.constantFrom(
    'method',
    'path',
    'query',
    'header',
    'type',
    'bytes',
    'cut',
    'grow',
    'value',
    'double',
    'json',
    'length',
  ),
  at: fc.nat(10_000),
  scrap,
})
type Mutation = typeof mutation extends fc.Arbitrary<infer One> ? One : never

const cutIn = (text: string, at: number, scrapText: string, take: number) => {
  const place = text.length === 0 ? 0 : at % text.length
  return text.slice(0, place) + scrapText + text.slice(place + take)
}
const methods = [
  'GET',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'HEAD',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'FOO',
  'get',
]
const types = [
  'application/json',
  formType,
  'text/plain',
  'multipart/form-data; boundary=x',
  'application/json; charset=utf-7',
  '',
  '\xff',
]
const headerNames = [
  'authorization',
  'content-encoding',
  'transfer-encoding',
  'idempotency-key',
  'x-forwarded-for',
  'expect',
  'range',
  'host',
  'accept',
  'x',
]

function mutate(wire: Wire, { kind, at, scrap: text }: Mutation): Wire {
  const body = wire.body.toString()
  switch (kind) {
    case 'method':
      return { ...wire, method: methods[at % methods.length] ?? 'GET' }
    case 'path':
      return { ...wire, path: cutIn(wire.path, at, at % 2 === 0 ? text : encodeLoosely(text), at % 7) }
    case 'query':
      return { ...wire, path: `${wire.path}?${text}=${encodeLoosely(text)}&limit=${at}` }
    case 'header':
      return { ...wire, headers: { ...wire.headers, [headerNames[at % headerNames.length] ?? 'x']: text } }
    case 'type':
      return { ...wire, headers: { ...wire.headers, 'content-type': types[at % types.length] ?? '' } }
    case 'bytes':
      return {
        ...wire,
        body: Buffer.concat([
          Buffer.from(body).subarray(0, at % (body.length + 1)),
          Buffer.from(text, 'latin1'),
        ]),
      }
    case 'cut':
      return { ...wire, body: body.slice(0, at % (body.length + 1)) }
    case 'grow':
      return { ...wire, body: body + text.repeat(1 + (at % 50)) }
    case 'value':
      return { ...wire, body: cutIn(body, at, encodeLoosely(text), at % 9) }
    case 'double':
      return { ...wire, body: `${body}&${body}` }
    case 'json':
      return { ...wire, body: jsonScraps(body, at, text) }
    case 'length':
      return { ...wire, headers: { ...wire.headers, 'content-length': String(at % 400) } }
  }
}

/** Percent-encoding that a lone surrogate does not stop. */
const encodeLoosely = (text: string) => encodeURIComponent(text.replace(/[\ud800-\udfff]/g, '?'))

/** Puts a scrap or a wrong type in the place of one value. */
function jsonScraps(body: string, at: number, text: string): string {
  const values: unknown[] = [
    text,
    null,
    at,
    -at,
    1e308,
    [],
    {},
    [[[]]],
    true,
    { [text]: text },
    Array(300).fill(text),
  ]
  try {
    const parsed = JSON.parse(body) as Record<string, unknown>
    const names = Object.keys(parsed)
    const name = names[at % names.length] ?? 'x'
    return JSON.stringify({ ...parsed, [name]: values[at % values.length] })
  } catch {
    return JSON.stringify(values[at % values.length])
  }
}

const rssMb = () =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${tama.child.pid}/status`, 'utf8'))?.[1]) / 1_024

/** Bounded in time: what is not sent by then is not sent, and the figure says how much was. */
const bound = { interruptAfterTimeLimit: atScale(20_000, 240_000), markInterruptAsFailure: false }
const together = atScale(20, 100)

it('a request that is refused changes no row of any table', async () => {
  const wrongSecret = fc.stringMatching(/^[\w.~-]{1,60}$/)
  const refused = fc
    .tuple(fc.nat(10_000), wrongSecret, scrap, fc.nat(6))
    .map(([which, word, text, kind]): Wire => {
      const wire = good[which % good.length] as Wire
      if (wire.path.startsWith('/callbacks/'))
        // A wrong secret; or the right one, and a body that lacks its end.
        return kind > 2
          ? { ...wire, path: wire.path.replace(secret, word) }
          : { ...wire, body: wire.body.toString().replace(/phoneNumber|senderId|from|^id/, 'none') }
      if (wire.path.startsWith('/api/v1') && !wire.path.endsWith('openapi.json'))
        return kind > 2
          ? { ...wire, headers: { ...wire.headers, authorization: `Bearer ${word}` } }
          : {
              ...wire,
              body: wire.method === 'GET' ? '' : JSON.stringify({ reference: text }),
              path: wire.method === 'GET' ? `/api/v1/loans/${word}` : wire.path,
            }
      if (wire.path.startsWith('/admin'))
        return { ...wire, headers: { authorization: `Basic ${Buffer.from(`x:${word}`).toString('base64')}` } }
      return { method: 'POST', path: `/phone/api/phones/${word}/dial`, headers: {}, body: text }
    })
  // First, while nothing that was asked for is under way: the fuzzing sends messages whose reports come late.
  // A key keeps the day of its last call, so it is used before anything is counted.
  await status({
    method: 'GET',
    path: '/api/v1/cases',
    headers: { authorization: `Bearer ${key}` },
    body: '',
  })
  const { pool } = database.db
  let before = await snapshotTables(pool, ['heartbeats'])
  await expect
    .poll(
      async () => {
        const now = await snapshotTables(pool, ['heartbeats'])
        const still = changedTables(before, now).length === 0
        before = now
        return still
      },
      { timeout: 60_000, interval: 3_000 },
    )
    .toBe(true)
  let sent = 0
  await fc.assert(
    fc.asyncProperty(fc.array(refused, { minLength: together, maxLength: together }), async (wires) => {
      for (const [index, answer] of (await Promise.all(wires.map((wire) => status(wire)))).entries()) {
        sent += 1
        const { method, path } = wires[index] as Wire
        // A dialogue that cannot be read is ended in words, with 200: the network shows nothing else.
        const ended = answer === 200 && path.endsWith('/ussd')
        if (!ended && !(answer !== undefined && answer >= 400 && answer < 500))
          throw new Error(`${answer} for ${method} ${path.slice(0, 200)}`)
      }
    }),
    { numRuns: atScale(40, 1_000), ...bound },
  )
  expect(changedTables(before, await snapshotTables(pool, ['heartbeats']))).toEqual([])
  showFigure('S17', `${sent} refused requests, 0 rows changed`)
}, 600_000)

it('random and mutated requests on every public route: no 500, no silence, no leak, the process lives', async () => {
  const request = fc
    .tuple(fc.nat(10_000), fc.array(mutation, { maxLength: 4 }))
    .map(([which, mutations]) => mutations.reduce(mutate, good[which % good.length] as Wire))
  let sent = 0
  const statuses = new Map<number | undefined, number>()
  const send = async (wires: Wire[]) => {
    for (const [index, answer] of (await Promise.all(wires.map((wire) => status(wire, 300)))).entries()) {
      sent += 1
      statuses.set(answer, (statuses.get(answer) ?? 0) + 1)
      const { method, path } = wires[index] as Wire
      // A database that is busy is no fault of the request.
      if (answer !== undefined && answer >= 500 && !(answer === 503 && path.startsWith('/readyz')))
        throw new Error(`${answer} for ${method} ${path.slice(0, 200)}`)
    }
  }
  const run = (numRuns: number) =>
    fc.assert(fc.asyncProperty(fc.array(request, { minLength: together, maxLength: together }), send), {
      numRuns,
      ...bound,
    })
  await run(atScale(20, 100))
  const before = rssMb()
  await run(atScale(80, 1_000))
  const growth = rssMb() - before
  expect(tama.child.exitCode).toBeNull()
  // The ground has a webhook that is disabled, which is an alarm.
  expect(tama.output()).not.toMatch(/"level":(50|60)(?!.*"webhook\.failing")/)
  expect(growth).toBeLessThan(growthMbMax)
  // Most were understood well enough to be answered.
  expect((statuses.get(undefined) ?? 0) / sent).toBeLessThan(0.5)
  expect(statuses.get(200) ?? 0).toBeGreaterThan(0)
  showFigure(
    'S17',
    `${sent} random and mutated requests, 0 answers of 500, memory ${Math.round(growth)} MB more`,
  )
}, 600_000)
