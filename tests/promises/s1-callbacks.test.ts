// S1: only who knows a valid secret is heard, and the secret of one programme opens that programme alone.
import { createHash, randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { createAddressCheck } from '../../src/http/addresses.ts'
import {
  addCallbackSecret,
  createProgrammeSecrets,
  listCallbackSecrets,
  retireCallbackSecret,
} from '../../src/http/callback-secrets.ts'
import { type CallbackOptions, createCallbacks } from '../../src/http/callbacks.ts'
import { answerTheRest, createApp, listen, trustProxies } from '../../src/http/server.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import {
  createMember,
  createProgramme,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { freePort } from '../support/redis.ts'
import { changedTables, snapshotTables } from '../support/tables.ts'
import { productionEnvironment, runTama, startTama, type Tama } from '../support/tama.ts'

const provider = 'africastalking'
const house = 'house-secret-of-the-test-0123456789'
let database: TestDatabase
let ours: TestProgramme
let theirs: TestProgramme
let ourMember: TestMember
let theirMember: TestMember

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  ours = await createProgramme(db)
  const other = {
    code: 'palmis',
    serviceCode: '*385*1',
    senderId: 'PALMIS',
    shortcode: '385',
    currency: 'HTG',
  }
  theirs = await createProgramme(db, other)
  ourMember = await createMember(db, ours, { msisdn: '+221770000001' })
  theirMember = await createMember(db, theirs, { msisdn: '+50937000001' })
  for (const [programme, member] of [
    [ours, ourMember],
    [theirs, theirMember],
  ] as const)
    await db.pool.query(
      `insert into messages (programme_id, member_id, phone_id, purpose, template, lane, dedupe_key, not_before, status, provider, provider_message_id)
       values ($1, $2, $3, 'notice', 'notice.test', 'bulk', 'k', $4, 'submitted', $5, $6)`,
      [programme.id, member.id, member.phoneId, testNow, provider, `ATXid_${programme.code}`],
    )
})
afterAll(() => database.drop())

const owner = (programme: TestProgramme) => ({ programmeId: programme.id, provider })
const addSecret = async (programme: TestProgramme, at = new Date(0)) => {
  const secret = await addCallbackSecret(database.db, owner(programme), at)
  if (secret === undefined) throw new Error('no secret')
  return secret
}
const lastId = async (programme: TestProgramme) =>
  (await listCallbackSecrets(database.db.pool, owner(programme))).at(-1)?.id ?? ''

/** A callback of each kind about a programme, the n-th of its kind. */
function callbacksOf(
  programme: TestProgramme,
  member: TestMember,
  n: number,
): [string, Record<string, string>][] {
  const [serviceCode, shortcode, senderId] =
    programme.code === 'palmis' ? ['*385*1#', '385', 'PALMIS'] : ['*384*1#', '21384', 'FANSOTO']
  const phoneNumber = member.msisdn
  return [
    ['ussd', { sessionId: `ATUid_${n}`, phoneNumber, serviceCode, text: '' }],
    ['ussd-end', { sessionId: `ATUid_${n}`, phoneNumber, serviceCode, status: 'Success' }],
    ['opt-out', { senderId, phoneNumber }],
    ['sms', { date: '2026-11-22 10:00:00', from: phoneNumber, id: `sms_${n}`, text: 'STOP', to: shortcode }],
    ['delivery', { id: `ATXid_${programme.code}`, status: 'Success', phoneNumber }],
  ]
}

async function post(base: string, secret: string, route: string, form: Record<string, string>, headers = {}) {
  const response = await fetch(`${base}/callbacks/${provider}/${secret}/${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body: new URLSearchParams(form).toString(),
  })
  return { status: response.status, text: await response.text() }
}

describe('forged callbacks against a running process', () => {
  let tama: Tama
  let base: string
  let ourSecret: string
  let theirSecret: string
  let retired: string

  beforeAll(async () => {
    retired = await addSecret(ours)
    await retireCallbackSecret(database.db, owner(ours), await lastId(ours), new Date())
    ourSecret = await addSecret(ours)
    theirSecret = await addSecret(theirs)
    const port = await freePort()
    tama = startTama(['serve', 'web'], {
      DATABASE_URL: database.url,
      PORT: String(port),
      CALLBACK_SECRET: house,
      PIN_PEPPER: randomBytes(32).toString('base64url'),
      ADMIN_KEY: randomBytes(32).toString('base64url'),
      LOG_LEVEL: 'trace',
    })
    await tama.printed(/at http/)
    base = `http://127.0.0.1:${port}`
  })
  afterAll(async () => {
    tama.child.kill('SIGTERM')
    await tama.ended
  })

  const swapCase = (text: string) =>
    text.replace(/[a-z]/gi, (sign) => (sign === sign.toUpperCase() ? sign.toLowerCase() : sign.toUpperCase()))
  const forgeries: readonly [string, (n: number) => string][] = [
    ['random', () => randomBytes(32).toString('base64url')],
    ['empty or one sign', (n) => 'x'.repeat(n % 2)],
    ['retired', () => retired],
    ['truncated', (n) => ourSecret.slice(0, 1 + (n % 42))],
    ['lengthened', (n) => ourSecret + 'A'.repeat(1 + (n % 40))],
    ['in other cases', () => swapCase(ourSecret)],
    ['of the house in other cases', () => house.toUpperCase()],
    ['one sign changed', (n) => ourSecret.replace(ourSecret.charAt(n % 43), '.')],
    [
      'encoded twice',
      () => encodeURIComponent([...ourSecret].map((sign) => `%${sign.charCodeAt(0).toString(16)}`).join('')),
    ],
    ['its hash', () => createHash('sha256').update(ourSecret).digest('hex')],
    ['not decodable', () => `${ourSecret}%E0%A4%A`],
    ['two as one', () => `${ourSecret},${theirSecret}`],
  ]

  it('leave every row of every table as it was; what a valid secret sends does not', async () => {
    const { pool } = database.db
    const total = atScale(1_000, 10_000)
    const before = await snapshotTables(pool)
    let sent = 0
    const statuses = new Set<number>()
    for (let n = 0; sent < total; n += 1) {
      const [, forge] = forgeries[n % forgeries.length] ?? ['', () => '']
      const wrong = callbacksOf(ours, ourMember, n).map(([route, form]) => post(base, forge(n), route, form))
      // The right secret of another programme, for what is not its own.
      const foreign = callbacksOf(ours, ourMember, n).map(([route, form]) =>
        post(base, theirSecret, route, form),
      )
      for (const { status } of await Promise.all(wrong)) statuses.add(status)
      for (const reply of await Promise.all(foreign)) {
        expect(reply.status).toBe(200)
        expect(reply.text).not.toMatch(/^CON/)
      }
      sent += wrong.length + foreign.length
    }
    expect([...statuses]).toEqual([404])
    expect(changedTables(before, await snapshotTables(pool))).toEqual([])

    // The same callbacks with what opens them: this test could have failed.
    for (const [secret, programme, member] of [
      [ourSecret, ours, ourMember],
      [house, theirs, theirMember],
    ] as const)
      for (const [route, form] of callbacksOf(programme, member, sent + programme.code.length)) {
        const start = await snapshotTables(pool)
        expect((await post(base, secret, route, form)).status).toBe(200)
        const changed = changedTables(start, await snapshotTables(pool))
        if (route === 'ussd-end') expect(changed).toEqual([])
        else expect(changed.length, `${route} of ${programme.code}`).toBeGreaterThan(0)
      }
    showFigure('S1', `${sent} forged callbacks of ${forgeries.length + 1} kinds: 0 rows changed`)
  }, 300_000)

  it('with secrets of any length get the same bytes', async () => {
    const replies = []
    for (const length of [1, 21, 22, 42, 43, 44, 64, 1_000, 8_000])
      replies.push(await post(base, 'a'.repeat(length), 'ussd', {}))
    expect(new Set(replies.map(({ status, text }) => `${status} ${text}`))).toEqual(
      new Set(['404 Not found']),
    )
  })

  it('and good ones leave no secret in any line, error or metric', async () => {
    for (const secret of [ourSecret, theirSecret, retired, house]) {
      await post(base, secret, 'nothing', {})
      await post(base, secret, 'sms', { text: 'x'.repeat(40_000) })
      await post(base, `${secret}%zz`, 'ussd', {})
      await fetch(`${base}/callbacks/${provider}/${secret}/ussd`)
    }
    const metrics = await (await fetch(`${base}/metrics`)).text()
    for (const secret of [ourSecret, theirSecret, retired, house]) {
      expect(tama.output()).not.toContain(secret)
      expect(metrics).not.toContain(secret)
      const rows = await database.db.pool.query('select * from callback_secrets')
      expect(JSON.stringify(rows.rows)).not.toContain(secret)
    }
    expect(tama.output()).toContain('callback.unreadable')
  })
})

describe('a report that came before its message', () => {
  it('with the secret of one programme never settles a message of another', async () => {
    const { recordDeliveryReport } = await import('../../src/outbound/delivery-report.ts')
    const clock = fixedClock(testNow)
    const early = { provider, providerMessageId: 'ATXid_early', status: 'Success', msisdn: ourMember.msisdn }
    const outcome = await recordDeliveryReport(database.db, clock, { ...early, programmeId: theirs.id })
    expect(outcome).toBe('waiting')
    const { rows } = await database.db.pool.query<{ id: string }>(
      `insert into messages (programme_id, member_id, phone_id, purpose, template, lane, dedupe_key, not_before, status, provider, provider_message_id)
       values ($1, $2, $3, 'notice', 'notice.test', 'bulk', 'early', $4, 'submitted', $5, 'ATXid_early') returning id`,
      [ours.id, ourMember.id, ourMember.phoneId, testNow, provider],
    )
    const { matchReports } = await import('../../src/outbound/delivery-report.ts')
    expect(await matchReports({ db: database.db, clock })).toBe(0)
    await recordDeliveryReport(database.db, clock, { ...early, programmeId: ours.id })
    const status = await database.db.pool.query('select status from messages where id = $1', [rows[0]?.id])
    expect(status.rows[0].status).toBe('delivered')
  })
})

describe('secrets', () => {
  const serve = async (options: Partial<CallbackOptions>, trusted: readonly string[] = []) => {
    const app = createApp()
    trustProxies(app, trusted)
    const nothing = () => Promise.resolve()
    const handlers = {
      ussd: (_fields: unknown, only?: string) => Promise.resolve(`CON ${only ?? 'all'}`),
      ussdMalformed: () => 'END',
      ussdEnd: nothing,
      sms: nothing,
      delivery: nothing,
      optOut: nothing,
    }
    app.use(
      createCallbacks({
        secret: undefined,
        handlers,
        logger: silentLogger,
        metrics: createMetrics(),
        ...options,
      }),
    )
    answerTheRest(app, silentLogger)
    const server = await listen(app, 0, '127.0.0.1')
    return { ...server, url: server.url.replace('localhost', '127.0.0.1') }
  }
  const dial = (base: string, secret: string, headers = {}) =>
    post(
      base,
      secret,
      'ussd',
      { sessionId: 'a', phoneNumber: '+221770000001', serviceCode: '*384*1#', text: '' },
      headers,
    )

  it('overlap while one follows the other: two at a time, the old one until its end, each of 256 bits', async () => {
    const { db } = database
    const programme = await createProgramme(db, {
      code: 'rotating',
      serviceCode: '*386*1',
      senderId: 'ROT',
      shortcode: '386',
    })
    const clock = fixedClock(testNow)
    const programmeSecrets = createProgrammeSecrets({
      db,
      clock,
      logger: silentLogger,
      provider,
      refreshMs: 0,
    })
    const server = await serve({ programmeSecrets })
    try {
      const first = await addSecret(programme, testNow)
      const firstId = await lastId(programme)
      const second = await addSecret(programme, testNow)
      expect([first, second].map((secret) => Buffer.from(secret, 'base64url').length)).toEqual([32, 32])
      expect(await addCallbackSecret(db, owner(programme), testNow)).toBeUndefined()
      const together = await Promise.all(
        Array.from({ length: 5 }, () => addCallbackSecret(db, owner(programme), testNow)),
      )
      expect(together.filter((secret) => secret !== undefined)).toEqual([])
      const end = new Date(testNow.getTime() + 3_600_000)
      expect(await retireCallbackSecret(db, owner(programme), firstId, testNow, end)).toBe(true)
      const opened = async () =>
        Promise.all([first, second].map(async (secret) => (await dial(server.url, secret)).text))
      expect(await opened()).toEqual([`CON ${programme.id}`, `CON ${programme.id}`])
      clock.set(new Date(end.getTime() - 1))
      expect(await opened()).toEqual([`CON ${programme.id}`, `CON ${programme.id}`])
      clock.set(end)
      expect(await opened()).toEqual(['Not found', `CON ${programme.id}`])
      expect(await addCallbackSecret(db, owner(programme), end)).toBeDefined()
      expect(await retireCallbackSecret(db, owner(ours), firstId, testNow)).toBe(false)
    } finally {
      await server.close()
    }
  })

  it('of nobody: 503 and closed, not open; 404 once there is one, 503 while the database cannot say', async () => {
    const empty = await createTestDatabase()
    const clock = fixedClock(testNow)
    const asked = { db: empty.db, clock, logger: silentLogger, provider, refreshMs: 0 }
    const bare = await serve({})
    const server = await serve({ programmeSecrets: createProgrammeSecrets(asked) })
    try {
      for (const secret of ['undefined', 'null', 'x'.repeat(43), ''])
        for (const url of [bare.url, server.url])
          expect((await dial(url, secret)).status, secret).toBe(secret === '' ? 404 : 503)
      const programme = await createProgramme(empty.db)
      const secret = await addCallbackSecret(empty.db, owner(programme), testNow)
      expect((await dial(server.url, 'wrong')).status).toBe(404)
      expect((await dial(server.url, secret ?? '')).status).toBe(200)
      const away = await serve({ programmeSecrets: createProgrammeSecrets({ ...asked }) })
      await empty.drop()
      expect((await dial(away.url, secret ?? '')).status).toBe(503)
      // What was known before the outage goes on.
      expect((await dial(server.url, secret ?? '')).status).toBe(200)
      await away.close()
    } finally {
      await Promise.all([bare.close(), server.close()])
    }
  })

  it('from an address that is not allowed count for nothing, whatever X-Forwarded-For says', async () => {
    const isAllowed = createAddressCheck(['192.0.2.0/24', '2001:db8::/32'])
    const direct = await serve({ secret: house, isAllowed })
    const behind = await serve({ secret: house, isAllowed }, ['127.0.0.1'])
    const from = async (base: string, forwarded?: string) =>
      (await dial(base, house, forwarded === undefined ? {} : { 'x-forwarded-for': forwarded })).status
    try {
      expect(await from(direct.url)).toBe(404)
      expect(await from(direct.url, '192.0.2.1')).toBe(404)
      expect(await from(behind.url)).toBe(404)
      expect(await from(behind.url, '192.0.2.1')).toBe(200)
      expect(await from(behind.url, '2001:db8::1')).toBe(200)
      expect(await from(behind.url, '::ffff:192.0.2.1')).toBe(200)
      // The proxy adds the true address last; what stands before it was written by the caller.
      expect(await from(behind.url, '192.0.2.1, 198.51.100.9')).toBe(404)
      expect(await from(behind.url, '127.0.0.1, 192.0.2.1, 198.51.100.9')).toBe(404)
      expect(await from(behind.url, 'nonsense')).toBe(404)
    } finally {
      await Promise.all([direct.close(), behind.close()])
    }
  })

  it('are made, listed and retired on the command line, each shown once', async () => {
    const words = ['--programme', 'palmis']
    const environment = productionEnvironment(database.url)
    const added = await runTama(['callback-secret', 'add', ...words], environment)
    const secret = /^[\w-]{43}$/m.exec(added.output)?.[0] ?? 'none'
    expect(added.code).toBe(0)
    const listed = await runTama(['callback-secret', 'list', ...words], environment)
    expect(listed.output).not.toContain(secret)
    const id = /^([\da-f-]{36}) {2}since .* valid$/gm
    const ids = [...listed.output.matchAll(id)].map((match) => match[1] ?? '')
    expect(ids).toHaveLength(2)
    const retiring = await runTama(['callback-secret', 'retire', ids[0] ?? '', ...words], environment)
    expect(retiring).toMatchObject({ code: 0 })
    expect((await runTama(['callback-secret', 'list', ...words], environment)).output).toContain('retired 20')
  }, 120_000)
})
