import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createApiKey } from '../../src/http/keys.ts'
import { type ApiUnderTest, routesIn, serveApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  createLoan,
  createMember,
  createProgramme,
  repay,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'

let database: TestDatabase
let programme: TestProgramme
let member: TestMember
let api: ApiUnderTest
let key: string

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  programme = await createProgramme(db)
  member = await createMember(db, programme, { number: 'M/77' })
  key = await createApiKey(db, programme.id, 'back office')
  api = await serveApi(db)
})
afterAll(async () => {
  await api.close()
  await database.drop()
})

interface Reply {
  status: number
  type: string | null
  body: Record<string, unknown>
}

async function call(method: string, path: string, options: RequestInit = {}): Promise<Reply> {
  const response = await fetch(api.url + path, {
    method,
    ...options,
    headers: { authorization: `Bearer ${key}`, ...options.headers },
  })
  const text = await response.text()
  return {
    status: response.status,
    type: response.headers.get('content-type'),
    body: JSON.parse(text) as Record<string, unknown>,
  }
}

function post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  return call('POST', path, {
    body: typeof body === 'string' || body instanceof Uint8Array ? (body as string) : JSON.stringify(body),
    headers: { 'content-type': 'application/json', ...headers },
  })
}

function deposit(reference: string, amount = '500') {
  return {
    reference,
    kind: 'savings_deposit',
    bookedDate: '2026-11-22',
    postings: [
      { account: 'cash', amount },
      { account: 'savings/M/77', amount: `-${amount}` },
    ],
  }
}

async function countEntries(): Promise<number> {
  const found = await database.db.pool.query<{ count: number }>('select count(*)::int as count from entries')
  return found.rows[0]?.count ?? -1
}

describe('posting an entry', () => {
  test('the first post answers 201 and a repetition answers 200 with the same body', async () => {
    const first = await post('/entries', deposit('d/1'))
    const again = await post('/entries', deposit('d/1'))
    expect(first.status).toBe(201)
    expect(first.body).toMatchObject({ reference: 'd/1', kind: 'savings_deposit', reverses: null })
    expect(again.status).toBe(200)
    expect(again.body).toEqual(first.body)
  })

  test('100 posts of one reference at once make one entry, one 201 and one body', async () => {
    const before = await countEntries()
    const replies = await Promise.all(Array.from({ length: 100 }, () => post('/entries', deposit('d/100'))))
    expect(replies.filter((reply) => reply.status === 201)).toHaveLength(1)
    expect(replies.filter((reply) => reply.status === 200)).toHaveLength(99)
    expect(new Set(replies.map((reply) => JSON.stringify(reply.body))).size).toBe(1)
    expect(await countEntries()).toBe(before + 1)
  })

  test('a changed body under a used reference answers 409, also when both come at once', async () => {
    await post('/entries', deposit('d/2'))
    const changed = await post('/entries', deposit('d/2', '501'))
    expect(changed).toMatchObject({
      status: 409,
      body: { code: 'entry.reference_conflict', field: 'reference' },
    })
    const race = await Promise.all(
      ['700', '701'].map((amount) => post('/entries', deposit('d/race', amount))),
    )
    expect(race.map((reply) => reply.status).sort()).toEqual([201, 409])
  })

  test('amounts written differently and postings in another order are the same entry', async () => {
    const entry = deposit('d/3')
    await post('/entries', entry)
    const rewritten = { ...entry, postings: entry.postings.toReversed() }
    rewritten.postings[1] = { account: 'cash', amount: '500.00' }
    expect((await post('/entries', rewritten)).status).toBe(200)
  })

  test('a repetition is answered although an account was closed meanwhile', async () => {
    const other = await createMember(database.db, programme, { number: 'M78' })
    const entry = deposit('d/4')
    entry.postings[1] = { account: `savings/${other.number}`, amount: '-500' }
    await post('/entries', entry)
    await database.db.pool.query("update accounts set closed_at = now() where code = 'savings/M78'")
    expect((await post('/entries', entry)).status).toBe(200)
    const late = await post('/entries', { ...entry, reference: 'd/5' })
    expect(late).toMatchObject({ status: 422, body: { code: 'entry.account_closed' } })
  })
})

describe('reversing an entry', () => {
  test('a reversal answers 201, then 200 with the same body, and another reversal answers 409', async () => {
    await post('/entries', deposit('rev/target'))
    const path = `/entries/${encodeURIComponent('rev/target')}/reversal`
    const reversal = { reference: 'rev/1', bookedDate: '2026-11-22' }
    const first = await post(path, reversal)
    const again = await post(path, reversal)
    expect(first).toMatchObject({ status: 201, body: { kind: 'reversal', reverses: 'rev/target' } })
    expect(again.status).toBe(200)
    expect(again.body).toEqual(first.body)
    const other = await post(path, { ...reversal, reference: 'rev/2' })
    expect(other).toMatchObject({ status: 409, body: { code: 'entry.already_reversed' } })
    const unknown = await post('/entries/nothing/reversal', { ...reversal, reference: 'rev/3' })
    expect(unknown).toMatchObject({ status: 422, body: { code: 'entry.reversal_unknown' } })
    const ofReversal = await post('/entries/rev%2F1/reversal', { ...reversal, reference: 'rev/4' })
    expect(ofReversal).toMatchObject({ status: 422, body: { code: 'entry.reversal_invalid' } })
  })

  test('50 identical reversals at once make one', async () => {
    await post('/entries', deposit('rev/many'))
    const replies = await Promise.all(
      Array.from({ length: 50 }, () =>
        post('/entries/rev%2Fmany/reversal', { reference: 'rev/many/1', bookedDate: '2026-11-22' }),
      ),
    )
    expect(replies.filter((reply) => reply.status === 201)).toHaveLength(1)
    expect(replies.filter((reply) => reply.status === 200)).toHaveLength(49)
  })
})

describe('bad input', () => {
  const base = deposit('bad/1')
  const withPosting = (posting: unknown) => ({ ...base, postings: [posting, base.postings[1]] })
  const cases: [what: string, body: unknown, status: number, code: string, field: string][] = [
    ['no reference', { ...base, reference: undefined }, 400, 'request.field_invalid', 'reference'],
    ['an empty reference', { ...base, reference: '' }, 400, 'request.field_invalid', 'reference'],
    ['a NUL in the reference', { ...base, reference: 'a\0b' }, 400, 'request.field_invalid', 'reference'],
    ['a lone surrogate', { ...base, reference: 'a\ud800' }, 400, 'request.field_invalid', 'reference'],
    ['an unknown kind', { ...base, kind: 'gift' }, 400, 'request.field_invalid', 'kind'],
    ['kind reversal', { ...base, kind: 'reversal' }, 400, 'request.field_invalid', 'kind'],
    ['a day that is none', { ...base, bookedDate: '2026-02-30' }, 400, 'request.field_invalid', 'bookedDate'],
    ['an unknown field', { ...base, colour: 'red' }, 400, 'request.field_invalid', 'colour'],
    ['one posting', { ...base, postings: [base.postings[0]] }, 400, 'request.field_invalid', 'postings'],
    ['postings that are no list', { ...base, postings: 'x' }, 400, 'request.field_invalid', 'postings'],
    [
      'an amount as a number',
      withPosting({ account: 'cash', amount: 500 }),
      400,
      'request.field_invalid',
      'postings[0].amount',
    ],
    [
      'an amount of zero',
      withPosting({ account: 'cash', amount: '0' }),
      400,
      'request.field_invalid',
      'postings[0].amount',
    ],
    [
      'an amount with an exponent',
      withPosting({ account: 'cash', amount: '5e2' }),
      400,
      'request.field_invalid',
      'postings[0].amount',
    ],
    ...['', 'abc', '\u0000', '2026-11-22', '..', '1,5', 'NaN'].map((amount): (typeof cases)[number] => [
      `the amount ${JSON.stringify(amount)}`,
      withPosting({ account: 'cash', amount }),
      400,
      'request.field_invalid',
      'postings[0].amount',
    ]),
    ['the year 1', { ...base, bookedDate: '0001-01-01' }, 400, 'request.field_invalid', 'bookedDate'],
    ['the year 9999', { ...base, bookedDate: '9999-12-31' }, 400, 'request.field_invalid', 'bookedDate'],
    ['a day to come', { ...base, bookedDate: '2199-12-31' }, 422, 'entry.date_future', 'bookedDate'],
    ['the year 0', { ...base, bookedDate: '0000-01-01' }, 400, 'request.field_invalid', 'bookedDate'],
    [
      'too many decimals',
      withPosting({ account: 'cash', amount: '500.5' }),
      422,
      'entry.decimals',
      'postings[0].amount',
    ],
    [
      'an unknown account',
      withPosting({ account: 'nowhere', amount: '500' }),
      422,
      'entry.account_unknown',
      'postings[0].account',
    ],
    ['no balance', withPosting({ account: 'cash', amount: '499' }), 422, 'entry.unbalanced', 'postings'],
    ['no object', '[]', 400, 'request.field_invalid', 'body'],
    ['invalid JSON', '{"reference": ', 400, 'request.malformed', 'body'],
    ['a bare word', '"x"', 400, 'request.malformed', 'body'],
    ['nothing', '', 400, 'request.field_invalid', 'reference'],
    ['bytes that are not UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 400, 'request.malformed', 'body'],
    [
      '1 MB',
      JSON.stringify({ ...base, description: 'x'.repeat(1_048_576) }),
      413,
      'request.too_large',
      'body',
    ],
  ]
  test.each(cases)(
    '%s answers a problem that names the field, and writes nothing',
    async (_what, body, status, code, field) => {
      const before = await countEntries()
      const reply = await post('/entries', body)
      expect(reply).toMatchObject({ status, type: 'application/problem+json', body: { status, code, field } })
      expect(reply.body.type).toBe(`urn:tama:problem:${code}`)
      expect(await countEntries()).toBe(before)
    },
  )

  test.each([
    ['that says so is refused before it comes', { 'content-length': String(200 * 1024 * 1024) }, 1],
    ['that does not say so is refused at its end', { 'transfer-encoding': 'chunked' }, 200 * 16],
  ])('a body of 200 MB %s, and is not held in memory', async (_what, length, parts) => {
    const before = [await countEntries(), process.memoryUsage().rss] as const
    const sending = request(`${api.url}/entries`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...length },
    })
    sending.on('error', () => undefined)
    const answered = once(sending, 'response')
    const part = Buffer.alloc(64 * 1024, ' ')
    for (let sent = 0; sent < parts; sent += 1) if (!sending.write(part)) await once(sending, 'drain')
    if (parts > 1) sending.end()
    const [response] = (await answered) as [IncomingMessage]
    let text = ''
    for await (const piece of response) text += String(piece)
    sending.destroy()
    expect(response.headers['content-type']).toContain('application/problem+json')
    expect(JSON.parse(text)).toMatchObject({ status: 413, code: 'request.too_large', field: 'body' })
    expect(await countEntries()).toBe(before[0])
    expect(process.memoryUsage().rss - before[1]).toBeLessThan(100 * 1024 * 1024)
  })

  test('another content type answers 415', async () => {
    const reply = await post('/entries', JSON.stringify(base), { 'content-type': 'text/plain' })
    expect(reply).toMatchObject({
      status: 415,
      body: { code: 'request.content_type', field: 'content-type' },
    })
  })

  test('no reversal is booked on a day to come', async () => {
    const future = { status: 422, body: { code: 'entry.date_future' } }
    expect(await post('/entries', { ...base, reference: 'to-be-undone' })).toMatchObject({ status: 201 })
    const reversal = { reference: 'rev/future', bookedDate: '2199-12-31' }
    expect(await post('/entries/to-be-undone/reversal', reversal)).toMatchObject(future)
  })

  test('a badly encoded path answers 400 and an unknown one 404', async () => {
    const badly = await post('/entries/%ff/reversal', { reference: 'x', bookedDate: '2026-11-22' })
    expect(badly.status).toBe(400)
    expect((await call('GET', '/nothing')).status).toBe(404)
    expect((await call('GET', '/accounts/a%00b/statement')).status).toBe(404)
  })

  test('after all of it the next request is answered', async () => {
    expect((await post('/entries', deposit('after'))).status).toBe(201)
  })
})

describe('keys', () => {
  test('a missing, wrong or revoked key answers 401 and writes nothing', async () => {
    const before = await countEntries()
    const revoked = await createApiKey(database.db, programme.id, 'old')
    await database.db.prisma.apiKey.updateMany({ where: { name: 'old' }, data: { revokedAt: testNow } })
    const headers = [
      {},
      { authorization: 'Bearer x' },
      { authorization: `Bearer ${revoked}` },
      { authorization: key },
    ]
    for (const header of headers) {
      const reply = await post('/entries', deposit('no key'), { authorization: '', ...header })
      expect(reply).toMatchObject({ status: 401, body: { code: 'auth.missing' } })
    }
    expect(await countEntries()).toBe(before)
  })

  test('a key is kept only as a hash', async () => {
    const rows = await database.db.pool.query('select * from api_keys')
    expect(JSON.stringify(rows.rows)).not.toContain(key)
    expect(Buffer.from(key, 'base64url')).toHaveLength(32)
  })

  test('the key of another programme sees nothing of this one', async () => {
    const other = await createProgramme(database.db, {
      code: 'palmis',
      serviceCode: '*385*1',
      currency: 'HTG',
    })
    const otherKey = await createApiKey(database.db, other.id, 'other')
    const headers = { authorization: `Bearer ${otherKey}` }
    expect((await call('GET', '/members/M%2F77/position', { headers })).status).toBe(404)
    expect((await call('GET', '/accounts/savings%2FM%2F77/statement', { headers })).status).toBe(404)
    const reply = await post('/entries', deposit('steal'), headers)
    expect(reply).toMatchObject({ status: 422, body: { code: 'entry.account_unknown' } })
    expect((await call('GET', '/messages?member=M%2F77', { headers })).status).toBe(404)
  })
})

describe('loans and reads', () => {
  const loan = {
    number: 'L/1',
    member: 'M/77',
    product: 'interest_free',
    cycle: 2,
    principal: '30000',
    disbursedDate: '2026-11-01',
    instalments: [
      { dueDate: '2026-11-20', principal: '10000', fee: '600' },
      { dueDate: '2026-12-20', principal: '10000' },
      { dueDate: '2027-01-20', principal: '10000' },
    ],
  }

  test('a loan is opened, handed out and seen in the position; its repetition answers 200, a change 409', async () => {
    const replies = await Promise.all(Array.from({ length: 10 }, () => post('/loans', loan)))
    expect(replies.map((reply) => reply.status).sort()).toEqual([...Array(9).fill(200), 201])
    expect(new Set(replies.map((reply) => JSON.stringify(reply.body))).size).toBe(1)
    const early = await post('/loans', { ...loan, number: 'L-future', disbursedDate: '2199-12-31' })
    expect(early).toMatchObject({ status: 422, body: { code: 'entry.date_future', field: 'disbursedDate' } })
    const changed = await post('/loans', { ...loan, disbursedDate: '2026-11-02' })
    expect(changed).toMatchObject({ status: 409, body: { code: 'loan.number_taken', field: 'number' } })
    await repay(database.db, programme, 'L/1', 600)
    const position = await call('GET', '/members/M%2F77/position')
    expect(position.body).toMatchObject({
      member: 'M/77',
      currency: 'XOF',
      loans: [
        {
          number: 'L/1',
          outstanding: '30000',
          overdue: '10000',
          next: { dueDate: '2026-12-20', remaining: '10000' },
        },
      ],
      nextMeeting: null,
      initialSessions: { done: 0, total: 0 },
    })
  })

  test('a loan shows what of each instalment is unpaid, part by part', async () => {
    const reply = await call('GET', '/loans/L%2F1')
    expect(reply.body).toMatchObject({
      member: 'M/77',
      outstanding: '30000',
      overpaid: '0',
      unscheduled: '0',
    })
    expect(reply.body.instalments).toMatchObject([
      { remaining: '10000', unpaid: { principal: '10000', fee: '0' } },
      { remaining: '10000' },
      { remaining: '10000' },
    ])
    expect((await call('GET', '/loans/none')).status).toBe(404)
  })

  test('a schedule that does not fit and an unknown member are refused, and nothing is half done', async () => {
    const short = await post('/loans', { ...loan, number: 'L/2', principal: '30001' })
    expect(short).toMatchObject({
      status: 422,
      body: { code: 'loan.schedule_invalid', field: 'instalments' },
    })
    const nameless = await post('/loans', { ...loan, number: 'L/2', principal: 'much' })
    expect(nameless).toMatchObject({ status: 400, body: { field: 'principal' } })
    const unknown = await post('/loans', { ...loan, number: 'L/2', member: 'nobody' })
    expect(unknown).toMatchObject({ status: 422, body: { code: 'member.unknown', field: 'member' } })
    const accounts = await database.db.pool.query("select 1 from accounts where code = 'loan/L/2'")
    expect(accounts.rowCount).toBe(0)
  })

  test('a statement pages through an account with a running balance', async () => {
    const reader = await createMember(database.db, programme, { number: 'M79' })
    const { number } = await createLoan(database.db, programme, reader)
    for (const amount of [1000, 2000, 500]) await repay(database.db, programme, number, amount)
    const path = `/accounts/${encodeURIComponent(`loan/${number}`)}/statement?limit=3`
    const first = await call('GET', path)
    expect(first.body).toMatchObject({ balance: '28000', purpose: 'loan' })
    const balances = (reply: Reply) => (reply.body.rows as { balance: string }[]).map((row) => row.balance)
    expect(balances(first)).toEqual(['31500', '30500', '28500'])
    const second = await call('GET', `${path}&cursor=${String(first.body.next)}`)
    expect(balances(second)).toEqual(['28000'])
    expect(second.body.next).toBeNull()
    const forged = (...place: string[]) => Buffer.from(JSON.stringify(place)).toString('base64url')
    for (const cursor of [
      'x',
      forged('statement', '0000-01-01', '1'),
      forged('statement', '2026-02-30', '1'),
      forged('statement', '2026-02-20', 'x'),
      forged('statement', '2026-02-20'),
      forged('messages', '2026-02-20', '1'),
    ])
      expect((await call('GET', `${path}&cursor=${cursor}`)).body).toMatchObject({
        status: 400,
        field: 'cursor',
      })
  })

  test('messages are listed with their moves and without their texts', async () => {
    const { db } = database
    const message = await db.prisma.message.create({
      data: {
        programmeId: programme.id,
        memberId: member.id,
        purpose: 'receipt',
        template: 'receipt.savings_deposit',
        lane: 'urgent',
        dedupeKey: 'receipt/x',
        status: 'queued',
        text: 'secret words',
        notBefore: testNow,
      },
    })
    await db.prisma.messageEvent.create({
      data: {
        messageId: message.id,
        fromStatus: 'created',
        toStatus: 'queued',
        source: 'relay',
        occurredAt: testNow,
      },
    })
    const reply = await call('GET', '/messages?member=M%2F77')
    expect(reply.body).toMatchObject({
      messages: [
        {
          id: message.id,
          status: 'queued',
          events: [{ from: 'created', to: 'queued', source: 'relay', at: '2026-11-22T10:00:00.000Z' }],
        },
      ],
    })
    expect(JSON.stringify(reply.body)).not.toContain('secret')
    expect((await call('GET', '/messages')).body.messages).toEqual(reply.body.messages)
    expect((await call('GET', '/messages?status=delivered')).body.messages).toEqual([])
    expect((await call('GET', '/messages?member=a&entry=b')).body).toMatchObject({
      status: 400,
      field: 'member',
    })
  })

  test('the OpenAPI page names every route and needs no key', async () => {
    const reply = await call('GET', '/openapi.json', { headers: { authorization: '' } })
    expect(reply.body.openapi).toBe('3.1.0')
    const documented = Object.entries(reply.body.paths as object).flatMap(([path, methods]) =>
      Object.keys(methods as object).map((method) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    )
    const served = routesIn(api.router)
    expect(documented.sort()).toEqual(served.sort())
  })
})
