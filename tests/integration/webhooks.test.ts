// Webhooks: what is told, to whom, how it is signed, and what happens when nobody answers.
import { readFileSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createAlarms } from '../../src/alarms.ts'
import { openCase } from '../../src/cases/cases.ts'
import { fixedClock } from '../../src/clock.ts'
import { createApiKey } from '../../src/http/keys.ts'
import { recordWords } from '../../src/members/consent.ts'
import { createMetrics } from '../../src/metrics.ts'
import { eventSchemas, type WebhookEvent } from '../../src/webhooks/events.ts'
import { createTeller, pausesSeconds, type Teller } from '../../src/webhooks/teller.ts'
import { type ApiUnderTest, serveApi } from '../support/api.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import {
  createMember,
  createProgramme,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'

interface Heard {
  url: string
  headers: IncomingHttpHeaders
  body: string
}

const clock = fixedClock(testNow)
const houseSecret = 'x'.repeat(32)

let database: TestDatabase
let programme: TestProgramme
let member: TestMember
let api: ApiUnderTest
let key: string
let receiver: Server
let address: string
let teller: Teller
let heard: Heard[]
/** What the receiver answers; 0: nothing. */
let answers: () => number
const metrics = createMetrics()
const alarms = createAlarms({ clock, logger: silentLogger, metrics, url: undefined })

const newTeller = (more: object = {}) =>
  createTeller({
    db: database.db,
    clock,
    logger: silentLogger,
    metrics,
    alarms,
    houseSecret,
    rules: { guarded: true, privateHosts: ['127.0.0.1'] },
    ...more,
  })

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  member = await createMember(database.db, programme)
  key = await createApiKey(database.db, programme.id, 'crm')
  api = await serveApi(database.db, clock)
  receiver = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      heard.push({ url: request.url ?? '', headers: request.headers, body: Buffer.concat(parts).toString() })
      const status = answers()
      if (status !== 0) response.writeHead(status, { location: '/elsewhere' }).end('thanks')
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  address = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
  teller = newTeller()
})
beforeEach(() => {
  clock.set(testNow)
  heard = []
  answers = () => 200
})
afterEach(async () => {
  await database.db.pool.query('update webhooks set deleted_at = now() where deleted_at is null')
  await database.db.pool.query('update webhook_deliveries set next_at = null')
})
afterAll(async () => {
  receiver.closeAllConnections()
  await new Promise((resolve) => receiver.close(resolve))
  await api.close()
  await alarms.close()
  await database.drop()
})

async function call(method: string, path: string, body?: unknown, headers: object = {}) {
  const reply = await api.call(key, method, path, body, headers)
  return { status: reply.status, text: reply.text, body: JSON.parse(reply.text) as Record<string, unknown> }
}

/** Past the guard of the API, which knows no private host here. */
async function hook(events: readonly WebhookEvent[] = ['message.final'], path = '/hook') {
  const { rows } = await database.db.pool.query<{ id: string }>(
    'insert into webhooks (programme_id, url, events, created_at) values ($1, $2, $3, $4) returning id',
    [programme.id, address + path, events, testNow],
  )
  return rows[0]?.id ?? ''
}

let messages = 0
async function message(status = 'submitted', programmeId = programme.id) {
  messages += 1
  const { rows } = await database.db.pool.query<{ id: string }>(
    `insert into messages (programme_id, member_id, purpose, template, lane, dedupe_key, not_before, status, text, updated_at)
     values ($1, $2, 'receipt', 'receipt.loan_repayment', 'urgent', $3, $4, $5, 'secret words', $4) returning id`,
    [programmeId, member.id, `hook/${messages}`, testNow, status],
  )
  return rows[0]?.id ?? ''
}
const move = (id: string, status: string, reason: string | null = null) =>
  database.db.pool.query('update messages set status = $2, reason = $3, updated_at = $4 where id = $1', [
    id,
    status,
    reason,
    clock.now(),
  ])
const finalMessage = async () => {
  const id = await message()
  await move(id, 'delivered')
  return id
}
const later = (seconds: number) => clock.set(new Date(clock.now().getTime() + seconds * 1_000))
const deliveries = async (id: string) =>
  (await call('GET', `/webhooks/${id}/deliveries`)).body.deliveries as Record<string, unknown>[]

describe('what is told', () => {
  it('the final state of a message, by ids and stable words, whoever wrote it', async () => {
    await hook()
    const id = await message()
    await move(id, 'sent')
    expect(await teller.drainOnce()).toBe(0)
    await move(id, 'undelivered', 'absent')
    expect(await teller.drainOnce()).toBe(1)
    const body = JSON.parse(heard[0]?.body ?? '')
    expect(body).toEqual({
      type: 'message.final',
      timestamp: testNow.toISOString(),
      data: { message: id, purpose: 'receipt', status: 'undelivered', reason: 'absent' },
    })
    expect(eventSchemas['message.final'].safeParse(body).error).toBeUndefined()
    // The handset had it after all.
    await move(id, 'delivered')
    await teller.drainOnce()
    expect(heard.map((one) => JSON.parse(one.body).data.status)).toEqual(['undelivered', 'delivered'])
    expect(await call('GET', `/messages/${id}`)).toMatchObject({
      status: 200,
      body: { id, member: member.number, status: 'delivered' },
    })
  })

  it('a message that was refused before it began', async () => {
    await hook()
    await message('suppressed')
    await teller.drainOnce()
    expect(heard).toHaveLength(1)
  })

  it('an opened case, but never one for the social worker', async () => {
    await hook(['case.opened'])
    const ask = { programmeId: programme.id, memberId: member.id, now: testNow }
    const opened = await openCase(database.db.pool, { ...ask, kind: 'call_back', hopKey: 'w1' })
    await database.db.pool.query(
      `insert into cases (programme_id, member_id, kind, reference, dedupe_key, opened_at)
       values ($1, $2, 'social_worker', 'SOCIAL', 'SOCIAL', $3)`,
      [programme.id, member.id, testNow],
    )
    expect(await teller.drainOnce()).toBe(1)
    const body = JSON.parse(heard[0]?.body ?? '')
    expect(eventSchemas['case.opened'].safeParse(body).error).toBeUndefined()
    expect(body.data).toMatchObject({ case: opened.reference, kind: 'call_back' })
    expect(await call('GET', `/cases/${opened.reference}`)).toMatchObject({
      status: 200,
      body: { member: member.number },
    })
    const { rows } = await database.db.pool.query(
      `select 1 from webhook_deliveries where payload::text like '%SOCIAL%'`,
    )
    expect(rows).toEqual([])
  })

  it('every word of consent, and the API says whose', async () => {
    await hook(['consent.changed'])
    await recordWords(database.db.pool, [
      {
        memberId: member.id,
        purpose: 'survey',
        granted: false,
        channel: 'ussd',
        wording: '1',
        language: 'fr',
        collector: 'herself',
        at: testNow,
      },
    ])
    expect(await teller.drainOnce()).toBe(1)
    const body = JSON.parse(heard[0]?.body ?? '')
    expect(eventSchemas['consent.changed'].safeParse(body).error).toBeUndefined()
    expect(body.data).toMatchObject({ purpose: 'survey', granted: false, channel: 'ussd' })
    expect(await call('GET', `/consents/${body.data.change}`)).toMatchObject({
      status: 200,
      body: { member: member.number, purpose: 'survey' },
    })
  })

  it('no name, no number of hers and no text, in any event', async () => {
    await hook(['message.final', 'case.opened', 'consent.changed'])
    await finalMessage()
    await openCase(database.db.pool, {
      programmeId: programme.id,
      memberId: member.id,
      kind: 'call_back',
      hopKey: 'w2',
      now: testNow,
    })
    await teller.drainOnce()
    const all = JSON.stringify(heard)
    for (const word of ['Awa', 'Diatta', member.msisdn, member.number, member.id, 'secret words'])
      expect(all).not.toContain(word)
  })

  it('nothing to another programme, to one who did not ask for it, and of what was taken back', async () => {
    await hook(['case.opened'])
    await finalMessage()
    const other = await createProgramme(database.db, {
      code: 'palmis',
      serviceCode: '*385*1',
      senderId: 'PALMIS',
      shortcode: '385',
      currency: 'HTG',
    })
    await hook()
    await move(await message('submitted', other.id), 'delivered')
    const id = await message()
    await database.db
      .transaction(async (tx) => {
        await tx.query(`update messages set status = 'failed' where id = $1`, [id])
        throw new Error('taken back')
      })
      .catch(() => undefined)
    expect(await teller.drainOnce()).toBe(0)
  })

  it('what the API itself writes, as the role that sees one programme', async () => {
    await hook(['consent.changed'])
    const reply = await call('PUT', `/members/${member.number}/consents`, {
      consents: { survey: true },
      wording: 'sheet-1',
      language: 'fr',
      collectedAt: '2026-11-21T10:00:00Z',
    })
    expect(reply.status).toBe(201)
    expect(await teller.drainOnce()).toBe(1)
  })
})

describe('how it is told', () => {
  it('signed as the Standard Webhooks specification says, by the secret that was shown once', async () => {
    const { body: made } = await call('POST', '/webhooks', {
      url: 'https://crm.example/hook',
      events: ['message.final'],
    })
    await database.db.pool.query('update webhooks set url = $2 where id = $1', [made.id, `${address}/hook`])
    clock.set(new Date())
    await finalMessage()
    await teller.drainOnce()
    const [one] = heard
    const verify = (secret: string, body = one?.body ?? '') =>
      new Webhook(secret).verify(body, one?.headers as Record<string, string>)
    expect(verify(made.secret as string)).toMatchObject({ type: 'message.final' })
    expect(() => verify(made.secret as string, `${one?.body} `)).toThrow()
    expect(() => verify(`whsec_${Buffer.alloc(32).toString('base64')}`)).toThrow()
    expect(one?.headers).toMatchObject({ 'content-type': 'application/json', 'user-agent': 'Tama' })
  })

  it('the example of docs/api.md takes what is ours, and nothing else', async () => {
    const [, code = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync('docs/api.md', 'utf8')) ?? []
    const { verify } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as {
      verify(secret: string, headers: object, body: string): { type: string } | undefined
    }
    const { body: made } = await call('POST', '/webhooks', {
      url: 'https://crm.example/hook',
      events: ['message.final'],
    })
    await database.db.pool.query('update webhooks set url = $2 where id = $1', [made.id, `${address}/hook`])
    clock.set(new Date())
    const id = await finalMessage()
    await teller.drainOnce()
    const [one] = heard
    const secret = made.secret as string
    expect(verify(secret, one?.headers ?? {}, one?.body ?? '')).toMatchObject({ data: { message: id } })
    expect(verify(secret, one?.headers ?? {}, `${one?.body} `)).toBeUndefined()
    expect(
      verify(`whsec_${Buffer.alloc(32).toString('base64')}`, one?.headers ?? {}, one?.body ?? ''),
    ).toBeUndefined()
    const old = {
      ...one?.headers,
      'webhook-timestamp': String(Number(one?.headers['webhook-timestamp']) - 301),
    }
    expect(verify(secret, old, one?.body ?? '')).toBeUndefined()
  })

  it('after a rotation the secret before counts for a day, and no longer', async () => {
    const { body: made } = await call('POST', '/webhooks', {
      url: 'https://crm.example/hook',
      events: ['message.final'],
    })
    await database.db.pool.query('update webhooks set url = $2 where id = $1', [made.id, `${address}/hook`])
    const { body: rotated } = await call('POST', `/webhooks/${made.id}/rotate`)
    expect(rotated).toMatchObject({ id: made.id, secretNumber: 2 })
    expect(rotated.secret).not.toBe(made.secret)
    await finalMessage()
    await teller.drainOnce()
    later(24 * 3_600)
    await finalMessage()
    await teller.drainOnce()
    const takes = (secret: unknown, one: Heard | undefined) => {
      try {
        // Its clock is the machine's, so only what is signed is asked about.
        const expected = new Webhook(secret as string).sign(
          String(one?.headers['webhook-id']),
          new Date(Number(one?.headers['webhook-timestamp']) * 1_000),
          one?.body ?? '',
        )
        return String(one?.headers['webhook-signature']).split(' ').includes(expected)
      } catch {
        return false
      }
    }
    expect([takes(made.secret, heard[0]), takes(rotated.secret, heard[0])]).toEqual([true, true])
    expect([takes(made.secret, heard[1]), takes(rotated.secret, heard[1])]).toEqual([false, true])
  })

  it('no secret stands in the database, and a repeated request is shown the same one', async () => {
    const ask = { url: 'https://crm.example/twice', events: ['message.final'] }
    const first = await call('POST', '/webhooks', ask, { 'idempotency-key': 'hook' })
    const again = await call('POST', '/webhooks', ask, { 'idempotency-key': 'hook' })
    expect(again.text).toBe(first.text)
    const secret = (first.body.secret as string).replace('whsec_', '')
    for (const table of ['idempotency_keys', 'webhooks', 'audit_log', 'webhook_deliveries']) {
      const { rows } = await database.db.pool.query(
        `select 1 from ${table} t where t::text like '%' || $1 || '%' or t::text like '%whsec_%'`,
        [secret],
      )
      expect(rows, table).toEqual([])
    }
    const listed = await call('GET', '/webhooks')
    expect(listed.text).not.toContain(secret)
  })

  it('one redirect is a failure and is not followed', async () => {
    const id = await hook()
    answers = () => 302
    await finalMessage()
    await teller.drainOnce()
    expect(heard.map(({ url }) => url)).toEqual(['/hook'])
    expect(await deliveries(id)).toMatchObject([{ state: 'waiting', attempts: 1, lastStatus: 302 }])
  })

  it('no answer in time is a failure, and the delivery keeps its id and its bytes', async () => {
    const id = await hook()
    answers = () => 0
    await finalMessage()
    await newTeller({ timeoutMs: 200 }).drainOnce()
    expect(await deliveries(id)).toMatchObject([{ state: 'waiting', lastStatus: null, lastError: 'timeout' }])
    answers = () => 204
    later(pausesSeconds[0] ?? 0)
    await teller.drainOnce()
    expect(heard).toHaveLength(2)
    expect(heard[0]?.headers['webhook-id']).toBe(heard[1]?.headers['webhook-id'])
    expect(heard[0]?.body).toBe(heard[1]?.body)
    expect(await deliveries(id)).toMatchObject([{ state: 'delivered', attempts: 2, lastStatus: 204 }])
  })

  it('several processes share what is due, and each delivery is told once', async () => {
    const ids = await Promise.all([hook(), hook(['message.final'], '/other')])
    for (let count = 0; count < 25; count += 1) await finalMessage()
    const tellers = [newTeller(), newTeller(), newTeller()]
    for (let round = 0; round < 10; round += 1) await Promise.all(tellers.map((one) => one.drainOnce()))
    expect(heard).toHaveLength(50)
    expect(new Set(heard.map(({ headers }) => headers['webhook-id'])).size).toBe(50)
    for (const id of ids)
      expect((await deliveries(id)).every(({ state }) => state === 'delivered')).toBe(true)
  })

  it('a receiver that hangs holds up itself alone', async () => {
    const slow = await hook(['message.final'], '/slow')
    const quick = await hook(['message.final'], '/quick')
    answers = () => (heard.at(-1)?.url === '/slow' ? 0 : 200)
    const running = newTeller({ timeoutMs: 5_000, pollMs: 20 })
    running.start()
    try {
      for (let count = 0; count < 15; count += 1) await finalMessage()
      await expect
        .poll(async () => (await deliveries(quick)).filter(({ state }) => state === 'delivered').length, {
          timeout: 4_000,
        })
        .toBe(15)
      expect((await deliveries(slow)).every(({ state }) => state === 'waiting')).toBe(true)
    } finally {
      answers = () => 200
      receiver.closeAllConnections()
      await running.stop()
    }
  })

  it('a process that dies between the call and its note leaves the delivery to another, which tells it again by the same id', async () => {
    await hook()
    await finalMessage()
    // It dies: what it wanted to note is lost.
    const dying = Object.create(database.db.pool, {
      query: {
        value: (text: string, values: unknown[]) =>
          text.includes('delivered_at = $2')
            ? Promise.reject(new Error('killed'))
            : database.db.pool.query(text, values),
      },
    })
    await newTeller({ db: { ...database.db, pool: dying } }).drainOnce()
    expect(await teller.drainOnce()).toBe(0)
    later(60)
    expect(await teller.drainOnce()).toBe(1)
    expect(heard).toHaveLength(2)
    expect(new Set(heard.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
  })
})

describe('nobody answers', () => {
  it('it is told again with growing pauses for three days, then given up, and the alarm is raised', async () => {
    const id = await hook()
    answers = () => 503
    await finalMessage()
    const startMs = clock.now().getTime()
    const tries: number[] = []
    for (let hour = 0; hour < 6_000 && tries.length < pausesSeconds.length + 1; hour += 1) {
      const before = heard.length
      await teller.drainOnce()
      if (heard.length > before) tries.push(clock.now().getTime() - startMs)
      const { rows } = await database.db.pool.query<{ next: Date | null }>(
        'select next_at as next from webhook_deliveries where webhook_id = $1',
        [id],
      )
      if (rows[0]?.next === null || rows[0] === undefined) break
      clock.set(rows[0].next)
    }
    expect(tries).toHaveLength(pausesSeconds.length + 1)
    const pauses = tries.slice(1).map((at, index) => at - (tries[index] ?? 0))
    expect(pauses).toEqual(pausesSeconds.map((seconds) => seconds * 1_000))
    expect(pauses).toEqual(pauses.toSorted((left, right) => left - right))
    const days = (tries.at(-1) ?? 0) / 86_400_000
    expect(days).toBeGreaterThan(2.5)
    expect(days).toBeLessThanOrEqual(3)
    expect(await deliveries(id)).toMatchObject([{ state: 'given_up', attempts: pausesSeconds.length + 1 }])
    await teller.look()
    expect(alarms.list()).toMatchObject([{ code: 'webhook.failing', where: id }])
    expect((await call('GET', '/webhooks')).body.webhooks).toMatchObject([{ id, state: 'failing' }])
    // One answer is enough.
    answers = () => 200
    await finalMessage()
    await teller.drainOnce()
    await teller.look()
    expect(alarms.list()).toEqual([])
    expect((await call('GET', '/webhooks')).body.webhooks).toMatchObject([{ id, state: 'active' }])
  })

  it('five days without an answer disable it: nothing is written for it until it is enabled, and what it missed is replayed', async () => {
    const id = await hook()
    answers = () => 500
    await finalMessage()
    await teller.drainOnce()
    later(5 * 86_400)
    await finalMessage()
    await teller.drainOnce()
    expect((await call('GET', '/webhooks')).body.webhooks).toMatchObject([{ id, state: 'disabled' }])
    const { rows } = await database.db.pool.query(
      `select actor from audit_log where action = 'webhook.disabled' and subject = $1`,
      [`webhook:${id}`],
    )
    expect(rows).toEqual([{ actor: 'system:webhooks' }])
    expect((await deliveries(id)).map(({ state }) => state)).toEqual(['given_up', 'given_up'])
    await finalMessage()
    expect(await deliveries(id)).toHaveLength(2)
    answers = () => 200
    const stretch = { since: '2026-11-01T00:00:00Z', until: '2026-12-31T00:00:00Z' }
    expect((await call('POST', `/webhooks/${id}/replay`, stretch)).body).toMatchObject({
      status: 409,
      code: 'webhook.disabled',
    })
    expect((await call('POST', `/webhooks/${id}/enable`)).body).toMatchObject({ state: 'active' })
    heard = []
    expect((await call('POST', `/webhooks/${id}/replay`, stretch)).body).toEqual({ id, deliveries: 2 })
    await teller.drainOnce()
    expect(heard).toHaveLength(2)
    expect((await deliveries(id)).map(({ state }) => state)).toEqual(['delivered', 'delivered'])
  })

  it('410 disables it at once', async () => {
    const id = await hook()
    answers = () => 410
    await finalMessage()
    await teller.drainOnce()
    expect((await call('GET', '/webhooks')).body.webhooks).toMatchObject([{ id, state: 'disabled' }])
  })

  it('one delivery is told again by its own id; a deleted webhook is told nothing more', async () => {
    const id = await hook()
    await finalMessage()
    await finalMessage()
    await teller.drainOnce()
    const [newest] = await deliveries(id)
    expect((await call('POST', `/webhooks/${id}/replay`, { delivery: newest?.id })).body).toEqual({
      id,
      deliveries: 1,
    })
    await teller.drainOnce()
    expect(heard[2]?.headers['webhook-id']).toBe(newest?.id)
    await finalMessage()
    expect((await call('DELETE', `/webhooks/${id}`)).body).toEqual({ id, state: 'deleted' })
    expect(await teller.drainOnce()).toBe(0)
    expect((await call('GET', `/webhooks/${id}/deliveries`)).status).toBe(404)
    expect((await call('DELETE', `/webhooks/${id}`)).status).toBe(404)
  })
})

describe('where it may go', () => {
  it.each([
    ['http://crm.example/hook', 'must begin with https://'],
    ['ftp://crm.example/hook', 'must begin with https://'],
    ['nonsense', 'must be an address like https://example.org/tama'],
    ['https://user:word@crm.example/', 'must hold no user name and no password'],
    ['https://localhost/hook', 'must be reachable from anywhere'],
    ['https://api.localhost/hook', 'must be reachable from anywhere'],
    ['https://127.0.0.1/hook', 'must be reachable from anywhere'],
    ['https://2130706433/hook', 'must be reachable from anywhere'],
    ['https://0x7f.1/hook', 'must be reachable from anywhere'],
    ['https://10.1.2.3/hook', 'must be reachable from anywhere'],
    ['https://169.254.169.254/latest', 'must be reachable from anywhere'],
    ['https://100.64.0.1/', 'must be reachable from anywhere'],
    ['https://[::1]/hook', 'must be reachable from anywhere'],
    ['https://[::ffff:10.0.0.1]/hook', 'must be reachable from anywhere'],
    ['https://[fd00::1]/hook', 'must be reachable from anywhere'],
    ['https://[::127.0.0.1]/hook', 'must be reachable from anywhere'],
    ['https://[2002:7f00:1::]/hook', 'must be reachable from anywhere'],
    ['https://[fe80::1]/hook', 'must be reachable from anywhere'],
    ['https://[64:ff9b::a00:1]/hook', 'must be reachable from anywhere'],
  ])('%s is refused when it is given', async (url, detail) => {
    const reply = await call('POST', '/webhooks', { url, events: ['message.final'] })
    expect(reply.body).toMatchObject({ status: 400, field: 'url', detail })
  })

  it.each([
    [{ events: [] }, 'events'],
    [{ events: ['message.sent'] }, 'events[0]'],
    [{ events: ['case.opened', 'case.opened'] }, 'events'],
    [{ url: undefined }, 'url'],
  ])('%j is refused by name', async (change, field) => {
    const reply = await call('POST', '/webhooks', {
      url: 'https://crm.example/',
      events: ['case.opened'],
      ...change,
    })
    expect(reply.body).toMatchObject({ status: 400, field })
  })

  it('a name that resolves to a private address is not called, not even when another of its addresses is public', async () => {
    const id = await hook()
    await database.db.pool.query('update webhooks set url = $2 where id = $1', [
      id,
      address.replace('http://127.0.0.1', 'https://rebinding.example'),
    ])
    await finalMessage()
    const resolve = async () => [
      { address: '93.184.215.14', family: 4 },
      { address: '127.0.0.1', family: 4 },
    ]
    await newTeller({ resolve }).drainOnce()
    expect(heard).toEqual([])
    expect(await deliveries(id)).toMatchObject([{ state: 'waiting', lastError: 'address.private' }])
  })

  it('the address that was looked at is the one that is called, however the name changes', async () => {
    const id = await hook()
    const { port } = receiver.address() as AddressInfo
    await database.db.pool.query('update webhooks set url = $2 where id = $1', [
      id,
      `http://crm.lan:${port}/lan`,
    ])
    await finalMessage()
    let asked = 0
    const resolve = async () => {
      asked += 1
      return [{ address: asked === 1 ? '127.0.0.1' : '127.0.0.2', family: 4 }]
    }
    const rules = { guarded: true, privateHosts: ['crm.lan'] }
    await newTeller({ rules, resolve }).drainOnce()
    expect(asked).toBe(1)
    expect(heard).toMatchObject([{ url: '/lan', headers: { host: `crm.lan:${port}` } }])
  })

  it('a host that is allowed no longer is not called any more', async () => {
    const id = await hook()
    await finalMessage()
    await newTeller({ rules: { guarded: true, privateHosts: [] } }).drainOnce()
    expect(heard).toEqual([])
    expect(await deliveries(id)).toMatchObject([{ lastError: 'address.scheme' }])
  })

  it('a name that is nowhere is a failure like any other', async () => {
    const id = await hook()
    await finalMessage()
    await database.db.pool.query(`update webhooks set url = 'http://nowhere.lan/' where id = $1`, [id])
    const resolve = () => Promise.reject(Object.assign(new Error('no'), { code: 'ENOTFOUND' }))
    await newTeller({ rules: { guarded: false, privateHosts: [] }, resolve }).drainOnce()
    expect(await deliveries(id)).toMatchObject([{ state: 'waiting', lastError: 'ENOTFOUND' }])
  })
})
