// S16: failure is closed and says nothing. PostgreSQL and Redis are killed under dialogues in every kind of state, under requests and
// callbacks; secrets are missing or wrong. Nothing is posted, no word is put in her mouth, no answer names what broke.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { addCallbackSecret } from '../../src/http/callback-secrets.ts'
import { createApiKey } from '../../src/http/keys.ts'
import { sampleOf, sampleRequests } from '../support/api.ts'
import { openDialogue, postCallback, smsFields, ussdFields } from '../support/callers.ts'
import { createTestDatabase } from '../support/database.ts'
import {
  backends,
  type Harness,
  type OwnServer,
  type Place,
  startHarness,
  startOwnServer,
} from '../support/harness.ts'
import { isFull, showFigure } from '../support/promises.ts'
import { freePort, startRedis, type TestRedis } from '../support/redis.ts'
import { changedTables, snapshotTables } from '../support/tables.ts'
import { productionEnvironment, runTama, startTama } from '../support/tama.ts'
import {
  closingScreen,
  createWorld,
  numbers,
  type Person,
  testPepper,
  testPin,
  type World,
} from '../support/ussd.ts'

/** Only an account of hers has amounts. */
const money = /\d F\b/
/** What would tell a stranger how the house is built. */
const internals =
  /\b(select|insert|update|delete|from|where) [a-z_"]|\bat (\S+ \(|file:|node:|\/)|node_modules|\.[jt]s\b|Error\b|ECONN|127\.0\.0\.1|localhost|postgres|redis|bullmq|prisma|argon|pepper|stack/i
const newPin = '739154'

/** A dialogue that stands in each kind of state, and what she types when the database is gone. */
interface Case {
  state: string
  who: Person
  before: string[]
  typed: string
  /** The next screen needs no database: it may be shown. */
  mayGoOn?: true
}
const account = ['1', testPin]
const cases: Case[] = [
  { state: 'nothing yet', who: 'awa', before: [], typed: '' },
  { state: 'nothing yet, dialled at once', who: 'awa', before: [], typed: '1*1' },
  { state: 'nothing yet, a stranger', who: 'stranger', before: [], typed: '' },
  // She has chosen none yet: the list comes first.
  { state: 'language', who: 'ami', before: ['1'], typed: '1' },
  { state: 'help', who: 'awa', before: ['6'], typed: '0', mayGoOn: true },
  { state: 'who', who: 'shared', before: ['1', '1'], typed: '1' },
  { state: 'PIN', who: 'awa', before: ['1'], typed: testPin },
  { state: 'PIN, wrong', who: 'mary', before: ['1'], typed: '9999' },
  { state: 'new PIN', who: 'ami', before: ['1', '1'], typed: newPin },
  { state: 'new PIN again', who: 'ami', before: ['1', '1', newPin], typed: newPin },
  { state: 'old PIN', who: 'coumba', before: ['5', '2', '1'], typed: testPin },
  { state: 'account', who: 'awa', before: account, typed: '1' },
  { state: 'loan', who: 'mary', before: [...account, '1'], typed: '1' },
  { state: 'list', who: 'awa', before: [...account, '3'], typed: '0' },
  { state: 'info', who: 'coumba', before: [...account, '2'], typed: '0' },
  { state: 'meeting', who: 'mary', before: ['2'], typed: '1' },
  { state: 'call back', who: 'awa', before: ['4'], typed: '1' },
  { state: 'messages', who: 'awa', before: ['5', '3'], typed: '1' },
  { state: 'messages, all', who: 'mary', before: ['5', '3'], typed: '8' },
  { state: 'hours', who: 'coumba', before: ['5', '4'], typed: '1' },
  { state: 'consent', who: 'unasked', before: account, typed: '2' },
  { state: 'another language', who: 'late', before: ['5', '1'], typed: '2' },
]
const spoken = (who: Person) => (who === 'mary' ? 'en' : who === 'coumba' ? 'wo' : 'fr')

/** What an outage must leave as it is, whatever anybody typed into it. */
const books = ['accounts', 'entries', 'postings', 'loans', 'instalments', 'ledger_events', 'idempotency_keys']

let sessions = 0

// With Redis where there is one: then a dialogue's language is known while PostgreSQL is away.
describe.each(isFull ? backends : backends.slice(-1))('with dialogues in %s', (backend) => {
  let server: OwnServer
  let redis: TestRedis | undefined
  let harness: Harness
  let world: World
  let web: Place
  let key: string
  const heard: string[] = []

  beforeAll(async () => {
    server = await startOwnServer()
    redis = backend === 'Redis' ? await startRedis(await freePort()) : undefined
    harness = await startHarness({
      backend,
      databaseUrl: server.url,
      redisUrl: redis?.url,
      environment: { PIN_PEPPER: testPepper, LOG_LEVEL: 'info' },
    })
    const { db } = harness
    world = await createWorld(db)
    await db.pool.query(
      `insert into meetings (group_id, starts_at, place) select id, now() + interval '2 days', 'Ziguinchor' from groups`,
    )
    key = await createApiKey(db, world.programme.id, 'office')
    web = harness.keep('web')
    await web.filled()
  }, 120_000)
  afterAll(async () => {
    await harness?.close()
    await redis?.stop()
    await server?.remove()
  }, 60_000)

  const base = () => web.serving()?.url ?? ''
  const hear = (text: string) => {
    heard.push(text)
    return text
  }
  const begin = async (one: Case) => {
    sessions += 1
    const talk = openDialogue(
      async (fields) => hear((await postCallback(base(), 'ussd', fields)).text),
      `ATUid_s16_${sessions}`,
      numbers[one.who],
    )
    if (one.before.length > 0) expect(await talk(...one.before), one.state).toMatch(/^CON/)
    return () => talk(one.typed)
  }
  const api = async (method: string, path: string, body?: object, headers: object = {}) => {
    const response = await fetch(`${base()}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    return { status: response.status, headers: response.headers, text: hear(await response.text()) }
  }
  /** A read of the API and a dialogue go through again. */
  const isBack = async () => {
    sessions += 1
    const dialled = await postCallback(
      base(),
      'ussd',
      ussdFields(`ATUid_s16_${sessions}`, numbers.nobody, '6'),
    )
    return dialled.text.startsWith('CON') && (await api('GET', '/members/N-awa/position')).status === 200
  }
  const words = async () => {
    const { rows } = await harness.db.pool.query<{ word: string }>(
      `select member_id || ' ' || purpose || ' ' || granted || ' ' || collector as word from consents order by id`,
    )
    return rows.map(({ word }) => word)
  }
  /** Every answer that came late is worked out or given up: nothing of one outage falls into the next. */
  const settled = () =>
    expect
      .poll(
        () => {
          const log = web.running()?.tama.output() ?? ''
          const lines = (pattern: RegExp) => log.match(pattern)?.length ?? 0
          const late = lines(/"event":"ussd\.hop".*"outcome":"(late|failed)"/g)
          return late - lines(/"event":"ussd\.late_answer/g)
        },
        { timeout: 60_000, interval: 200 },
      )
      .toBe(0)
  /** Every dialogue afresh, so that the next outage finds each in its state. */
  const openAll = async () => {
    await settled()
    await world.reset()
    const typing: (() => Promise<string>)[] = []
    for (const one of cases) typing.push(await begin(one))
    return typing
  }
  const ground = () => ({
    caseReference: 'AB12CD',
    adviserCase: 'AB12CE',
    programme: world.programme,
    member: 'N-awa',
    loan: 'L-awa',
    untouchedLoan: 'nobody',
    message: '0199b000-0000-7000-8000-000000000003',
    consent: '1',
    webhook: '0199b000-0000-7000-8000-000000000004',
    delivery: '0199b000-0000-7000-8000-000000000005',
    disabledWebhook: '0199b000-0000-7000-8000-000000000006',
    entry: 'none',
    officer: 'N-mary',
    facilitator: '+221776000000',
    newPhone: '+221781230000',
    draft: '0199b000-0000-7000-8000-000000000001',
    notice: '0199b000-0000-7000-8000-000000000002',
    gathered: {
      group: 'G01',
      module: 1,
      attendant: 'N-awa',
      meetingBegun: '0199b000-0000-7000-8000-000000000003',
      meetingAhead: '0199b000-0000-7000-8000-000000000004',
      trainingBegun: '0199b000-0000-7000-8000-000000000005',
      trainingAhead: '0199b000-0000-7000-8000-000000000006',
    },
  })

  it('PostgreSQL killed: END in her language, 503 for the API and callbacks; nothing posted, no word but her own', async () => {
    const next = await openAll()
    const before = await snapshotTables(harness.db.pool)
    const said = await words()
    await server.stopHard()
    const replies = await Promise.all(next.map((type) => type()))
    const open = cases.flatMap((one, index) => {
      const isKnown = backend === 'Redis' && one.before.length > 0
      const language = isKnown ? spoken(one.who) : 'fr'
      const closed = ['late', 'late_again'].map((name) => closingScreen(language, name))
      const reply = replies[index] ?? ''
      const goesOn = isKnown && one.mayGoOn === true && /^CON/.test(reply) && !money.test(reply)
      return closed.includes(reply) || goesOn ? [] : [`${one.state}: ${reply}`]
    })
    expect(open).toEqual([])
    for (const route of Object.keys(sampleRequests)) {
      const { path, body } = sampleOf(route, ground())
      const answer = await api(route.split(' ')[0]?.toUpperCase() ?? '', path, body)
      expect(answer.status, route).toBe(503)
      expect(answer.headers.get('retry-after'), route).toMatch(/^\d+$/)
      expect(answer.headers.get('content-type'), route).toBe('application/problem+json')
      expect(Object.keys(JSON.parse(answer.text)).sort(), route).toEqual(['code', 'status', 'title', 'type'])
    }
    const report = { id: 'ATXid_none', status: 'Success', phoneNumber: numbers.awa }
    for (const [route, fields] of [
      ['sms', smsFields('s16-away', numbers.awa, 'STOP')],
      ['delivery', report],
      ['opt-out', { senderId: 'FANSOTO', phoneNumber: numbers.awa }],
    ] as const) {
      const answer = await postCallback(base(), route, fields)
      expect({ route, ...answer }).toEqual({ route, status: 503, text: 'Try again later' })
      heard.push(answer.text)
    }
    await server.start()
    await expect.poll(isBack, { timeout: 30_000, interval: 200 }).toBe(true)
    const changed = changedTables(before, await snapshotTables(harness.db.pool))
    expect(changed.filter((table) => books.includes(table))).toEqual([])
    await expectOnlyHerOwn(said)
    showFigure(
      'S16',
      `${backend}: PostgreSQL killed under ${cases.length} dialogues, ${Object.keys(sampleRequests).length} routes, 3 callbacks: all closed`,
    )
  }, 120_000)

  it('killed in the middle of a posting and of a PIN: 503 and END, nothing of either is kept', async () => {
    const { db } = harness
    await world.reset()
    const typing = await begin({ state: 'PIN', who: 'mary', before: ['1'], typed: testPin })
    const holder = await db.pool.connect()
    holder.on('error', () => undefined)
    await holder.query('begin')
    await holder.query(`select 1 from accounts where code = 'savings/N-awa' for update`)
    await holder.query('lock table member_pins in access exclusive mode')
    const { path, body } = sampleOf('post /entries', ground())
    const keyed = { 'idempotency-key': 's16 middle' }
    const posting = api('POST', path, body, keyed)
    const pin = typing()
    await expect
      .poll(
        async () =>
          (
            await db.reads.query<{ waiting: number }>(
              'waiting',
              `select count(*)::int as waiting from pg_stat_activity where wait_event_type = 'Lock'`,
              [],
            )
          )[0]?.waiting,
        { timeout: 7_000, interval: 100 },
      )
      .toBe(2)
    await server.stopHard()
    holder.release(true)
    expect((await posting).status).toBe(503)
    expect(await pin).toMatch(/^END /)
    expect(await pin).not.toMatch(money)
    await server.start()
    await expect.poll(isBack, { timeout: 30_000, interval: 200 }).toBe(true)
    const kept = await db.pool.query(
      `select 1 from entries where reference = 'sample/N-awa' union all select 1 from idempotency_keys`,
    )
    expect(kept.rowCount).toBe(0)
    expect((await api('POST', path, body, keyed)).status).toBe(201)
  }, 120_000)

  it.skipIf(backend !== 'Redis')(
    'Redis killed: END in the language of the programme, the API goes on, what needs a dialogue is 503; nothing changed',
    async () => {
      const next = await openAll()
      const before = await snapshotTables(harness.db.pool, ['ussd_replies', 'ussd_sessions'])
      const said = await words()
      const port = Number(new URL(redis?.url ?? '').port)
      await redis?.stop()
      for (const reply of await Promise.all(next.map((type) => type())))
        expect([closingScreen('fr', 'late'), closingScreen('fr', 'late_again')]).toContain(reply)
      expect(
        changedTables(before, await snapshotTables(harness.db.pool, ['ussd_replies', 'ussd_sessions'])),
      ).toEqual([])
      expect((await api('GET', '/members/N-awa/position')).status).toBe(200)
      const erasing = await api('POST', '/members/N-nobody/erasure', {})
      expect(erasing.status).toBe(503)
      expect(erasing.headers.get('retry-after')).toMatch(/^\d+$/)
      const { rows } = await harness.db.pool.query(`select erased_at from members where number = 'N-nobody'`)
      expect(rows).toEqual([{ erased_at: null }])
      redis = await startRedis(port)
      await expect.poll(isBack, { timeout: 30_000, interval: 200 }).toBe(true)
      // What was told to dial again is not done behind her back: nobody knows any more what her screen showed.
      await expectOnlyHerOwn(said)
      const after = await snapshotTables(harness.db.pool)
      expect(changedTables(before, after).filter((table) => books.includes(table))).toEqual([])
    },
    120_000,
  )

  it('no answer names what broke, and the log names nobody', () => {
    const told = heard.filter((text) => internals.test(text))
    expect(told).toEqual([])
    // Clocks, durations and hashes of sessions hold four digits of any kind.
    const log = [web.running()?.tama.output() ?? '', ...harness.ends.map(({ output }) => output)]
      .join('\n')
      .replaceAll(/"(time|ms|pid)":[\d.]+|"session":"[\da-f]+"/g, '')
    expect(log).toContain('"event":"ussd.hop"')
    for (const word of [
      ...Object.values(numbers),
      'Diatta',
      'Binta',
      testPin,
      newPin,
      testPepper,
      key,
      'L-awa',
      'N-awa',
    ])
      expect(log.includes(word), word).toBe(false)
    expect(log).not.toMatch(/\n\s+at |node_modules/)
    showFigure('S16', `${backend}: ${heard.length} answers, none names what broke`)
  })

  /** Consents may gain what she herself said before END, once: an answer that was late is worked out when the database is back. */
  async function expectOnlyHerOwn(said: readonly string[]): Promise<void> {
    await settled()
    const now = await words()
    expect(now.slice(0, said.length)).toEqual(said)
    const ids = Object.fromEntries(Object.entries(world.members).map(([who, { id }]) => [id, who]))
    const more = now.slice(said.length).map((word) => {
      const [id = '', ...rest] = word.split(' ')
      return `${ids[id]} ${rest.join(' ')}`
    })
    const own = new Set([
      'awa receipt false herself',
      'mary all false herself',
      ...['receipt', 'reminder', 'meeting', 'survey', 'promotion'].map(
        (purpose) => `unasked ${purpose} true herself`,
      ),
    ])
    expect(more.filter((word) => !own.has(word))).toEqual([])
    expect(new Set(more).size).toBe(more.length)
  }
})

describe('secrets', () => {
  it('missing in production: the start names them, with no value and no stack', async () => {
    const environment = productionEnvironment('postgres://nobody:hidden-word@127.0.0.1:1/none')
    const { PIN_PEPPER: _pepper, ADMIN_KEY: _key, ...rest } = environment
    const { code, output } = await runTama(['serve', 'web'], rest)
    expect(code).toBe(1)
    expect(output).toContain('PIN_PEPPER: production needs it')
    expect(output).toContain('ADMIN_KEY: production needs it')
    expect(output).not.toMatch(/hidden-word|^\s+at /m)
  })

  it('another pepper: her right PIN opens nothing, in her language, and callbacks without a secret are closed', async () => {
    const database = await createTestDatabase()
    const world = await createWorld(database.db)
    await world.reset()
    const { CALLBACK_SECRET: _secret, ...environment } = {
      ...productionEnvironment(database.url),
      PIN_PEPPER: 'another-pepper-0123456789',
      PORT: String(await freePort()),
    } as Record<string, string>
    const tama = startTama(['serve', 'web'], environment)
    try {
      const [, url = ''] = await tama.printed(/Tama web at (\S+)/)
      const closed = await postCallback(url, 'ussd', ussdFields('ATUid_closed', numbers.awa, ''))
      expect(closed).toEqual({ status: 503, text: 'Callbacks are closed' })
      const owner = { programmeId: world.programme.id, provider: 'africastalking' }
      const secret = await addCallbackSecret(database.db, owner, systemClock.now())
      const say = async (fields: Record<string, string>) => {
        const response = await fetch(`${url}/callbacks/africastalking/${secret}/ussd`, {
          method: 'POST',
          body: new URLSearchParams(fields),
        })
        return response.text()
      }
      // Every process knows a new secret within 5 seconds.
      await expect
        .poll(() => say(ussdFields('ATUid_pepper', numbers.mary, '1')), { timeout: 10_000, interval: 250 })
        .toMatch(/^CON/)
      const reply = await say(ussdFields('ATUid_pepper', numbers.mary, `1*${testPin}`))
      expect(reply).toContain('Wrong code')
      expect(reply).not.toMatch(money)
    } finally {
      tama.child.kill('SIGKILL')
      await tama.ended
      await database.drop()
    }
  }, 60_000)
})
