// S3: a PIN is never stored, logged or queued. Canaries go through every flow, also while the databases are killed under it; then all
// that was written anywhere is searched: tables, the server's files, Redis, jobs, logs, metrics, alarms, SMS and answers.
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createApiKey } from '../../src/http/keys.ts'
import { type Fields, openDialogue, postCallback, smsFields, ussdFields } from '../support/callers.ts'
import {
  appointFacilitator,
  createLoan,
  createMember,
  createProgramme,
  type TestMember,
} from '../support/fixtures.ts'
import {
  type Backend,
  backends,
  callbackSecret,
  type Harness,
  type OwnServer,
  type Place,
  startHarness,
  startOwnServer,
} from '../support/harness.ts'
import { isFull, showFigure } from '../support/promises.ts'
import { freePort, startRedis, type TestRedis } from '../support/redis.ts'
import { dumpDatabase, dumpRedis, readFolder, traceOf } from '../support/search.ts'

const pin = '739154'
const wrong = '739155'
const second = '862093'
const third = '850317'
const canaries = [pin, wrong, second, third]
/** Only an account of hers has amounts. */
const money = /\d F\b/
const facilitator = '+221776000001'

interface World {
  backend: Backend
  /** At full size: a database server of the trial's own, to be killed and read. */
  server: OwnServer | undefined
  redis: TestRedis | undefined
  harness: Harness
  web: Place
  worker: Place
  apiKey: string
  members: Record<'awa' | 'fatou' | 'khady' | 'mary' | 'ndeye', TestMember>
  /** All that was answered to anybody. */
  heard: string[]
  /** Bodies that the operator's hook got. */
  alarms: string[]
  /** What lay in Redis before it was killed. */
  kept: string[]
}

/** `npm test` kills Redis only: a server of its own takes longer than all the rest. There dialogues and jobs lie outside the database. */
const tried = isFull ? backends : backends.slice(-1)

describe.each(tried)('with queue and dialogues in %s', (backend) => {
  it('a PIN that went through every flow and failure stands nowhere', { timeout: 240_000 }, async () => {
    const world = await openWorld(backend)
    const flows = [...flowsOf(world), ...failuresOf(world)]
    for (const flow of flows) await flow()
    const places = await collect(world)
    const found = Object.entries(places).flatMap(([place, text]) =>
      canaries.flatMap((canary) => {
        const trace = traceOf(canary, text)
        return trace === undefined ? [] : [`${place}: ${trace}`]
      }),
    )
    expect(found).toEqual([])
    const bytes = Object.values(places).reduce((sum, text) => sum + text.length, 0)
    showFigure(
      'S3',
      `${backend}: ${flows.length} flows, ${world.heard.length} answers, ${Object.keys(places).length} places with ${Math.round(bytes / 1_000_000)} MB searched, ${found.length} hits`,
    )
  })
})

it('the search finds a PIN that stands somewhere', () => {
  for (const text of [
    `text=1*${pin}`,
    JSON.stringify({ pin }),
    `text=1%2A${pin}%2A1`,
    `\\x${Buffer.from(pin).toString('hex')}`,
    createHash('sha256').update(pin).digest('base64url'),
  ])
    expect(traceOf(pin, text), text).toBeDefined()
  expect(traceOf(pin, `+221${pin}77`)).toBeUndefined()
})

async function openWorld(backend: Backend): Promise<World> {
  const server = isFull ? await startOwnServer() : undefined
  onTestFinished(() => server?.remove())
  const redisPort = await freePort()
  const redis = backend === 'Redis' ? await startRedis(redisPort) : undefined
  const alarms: string[] = []
  const harness = await startHarness({
    backend,
    ...(server === undefined ? {} : { databaseUrl: server.url }),
    redisUrl: redis?.url,
    environment: { LOG_LEVEL: 'trace', CANARY_SECONDS: '1', ALARM_URL: await openHook(alarms) },
  })
  onTestFinished(() => harness.close())
  const { db } = harness
  const programme = await createProgramme(db)
  await db.pool.query('update programmes set wrong_pins_max = 1')
  const awa = await createMember(db, programme)
  const fatou = await createMember(db, programme, { firstName: 'Fatou' })
  const members = {
    awa,
    fatou,
    khady: await createMember(db, programme, { firstName: 'Khady', phoneId: fatou.phoneId }),
    mary: await createMember(db, programme, { firstName: 'Mary', language: 'en' }),
    ndeye: await createMember(db, programme, { firstName: 'Ndeye' }),
  }
  for (const member of Object.values(members)) await createLoan(db, programme, member)
  await appointFacilitator(db, programme, facilitator)
  const world: World = {
    backend,
    server,
    redis,
    harness,
    web: harness.keep('web'),
    worker: harness.keep('worker'),
    apiKey: await createApiKey(db, programme.id, 'office'),
    members,
    heard: [],
    alarms,
    kept: [],
  }
  onTestFinished(() => world.redis?.stop())
  await Promise.all([world.web.filled(), world.worker.filled()])
  return world
}

/** Where the operator is told of alarms. */
async function openHook(bodies: string[]): Promise<string> {
  const hook = createServer((request, response) => {
    request.setEncoding('utf8').on('data', (part: string) => bodies.push(part))
    request.on('end', () => response.end())
  })
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    hook.close()
  })
  return `http://127.0.0.1:${(hook.address() as AddressInfo).port}/hook`
}

let sessions = 0

function speakerOf({ web, heard }: World) {
  const base = () => web.serving()?.url ?? ''
  const send = async (route: 'ussd' | 'ussd-end' | 'sms', fields: Fields) => {
    const reply = await postCallback(base(), route, fields)
    heard.push(reply.text)
    return reply
  }
  const say = async (fields: Fields) => (await send('ussd', fields)).text
  const raw = async (path: string, init: RequestInit) => {
    const response = await fetch(base() + path, init)
    const text = await response.text()
    heard.push([...response.headers].join('\n'), text)
    return { status: response.status, text }
  }
  return {
    send,
    say,
    raw,
    dial: (member: TestMember) => {
      sessions += 1
      return openDialogue(say, `ATUid_s3_${sessions}`, member.msisdn)
    },
  }
}

function flowsOf(world: World): (() => Promise<void>)[] {
  const { send, say, raw, dial } = speakerOf(world)
  const { awa, fatou, mary, ndeye } = world.members
  const auth = { authorization: `Bearer ${world.apiKey}`, 'content-type': 'application/json' }
  const reset = (member: TestMember) =>
    raw(`/api/v1/members/${member.number}/pin-reset`, {
      method: 'POST',
      headers: auth,
      body: JSON.stringify({ confirmedBy: facilitator }),
    })
  const ussd = `/callbacks/africastalking/${callbackSecret}/ussd`
  const form = (body: string) => ({
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body,
  })
  return [
    // Set, used, wrong, changed.
    async () => expect(await dial(awa)('1', pin, pin, '1')).toMatch(money),
    async () => expect(await dial(awa)('1', pin)).toMatch(money),
    async () => expect(await dial(awa)('1', wrong)).toContain('Code faux'),
    async () => expect(await dial(awa)('1', `${pin}${pin}`, `${pin}#`, pin)).toMatch(money),
    async () => expect(await dial(awa)('5', '2', '1', pin, second, third, second, second)).toContain('code'),
    async () => expect(await dial(awa)('1', second)).toMatch(money),
    // Reset in person, and chosen anew.
    async () => expect((await reset(awa)).status).toBe(201),
    async () => expect(await dial(awa)('1', pin, pin)).toMatch(money),
    // Dialled at once with the code, and behind choices that wait for it.
    async () => expect(await dial(awa)(`1*${pin}`)).toMatch(/^(CON|END)/),
    async () => expect(await dial(awa)(`1*1*${pin}`, pin)).toMatch(/^(CON|END)/),
    async () => expect(await dial(awa)(`${pin}`)).toMatch(/^(CON|END)/),
    async () => {
      const fields = ussdFields('ATUid_code', awa.msisdn, '')
      expect(await say({ ...fields, serviceCode: `*384*1*${pin}#` })).toMatch(/^END/)
      expect((await send('ussd-end', { ...fields, serviceCode: `*384*1*${pin}#`, status: pin })).status).toBe(
        200,
      )
    },
    // A shared phone: language, then chosen by alias, each with her own PIN.
    async () => expect(await dial(fatou)('', '1', '1', '1', pin, pin)).toMatch(money),
    async () => expect(await dial(fatou)('', '2', '1', '2', second, second)).toMatch(money),
    async () => expect(await dial(fatou)('', '2', '1', pin, '1', pin)).toMatch(money),
    // Sent by SMS by mistake.
    async () => {
      for (const [index, text] of [pin, `PIN ${pin}`, `solde ${pin}`, `mon code est ${pin}`].entries())
        expect((await send('sms', smsFields(`s3-${index}`, mary.msisdn, text))).status).toBe(200)
      await send('sms', smsFields('s3-name', pin, pin))
    },
    // The same callback again, at once and later.
    async () => {
      const path = ussdFields('ATUid_replay', mary.msisdn, '1')
      await say(path)
      const typed = { ...path, text: `1*${pin}` }
      const replies = await Promise.all([say(typed), say(typed), say(typed)])
      expect(new Set(replies).size).toBe(1)
      expect(await say({ ...typed, text: `1*${pin}*${pin}` })).toMatch(money)
      expect(await say({ ...typed, text: `1*${wrong}*${pin}` })).toMatch(/^END/)
    },
    // Callbacks and requests that nobody can read.
    async () => {
      const bad = `sessionId=ATUid_bad&phoneNumber=%2B221770000001&serviceCode=*384*1%23`
      for (const body of [
        `${bad}&text=1*${pin}&text=${pin}`,
        `${bad}&text=1*${pin}%E0%A4`,
        `${bad}&${pin}=1&text=%`,
        `sessionId=&phoneNumber=${pin}&serviceCode=${pin}&text=1*${pin}`,
        `${bad}&text=1*${pin}${'*1'.repeat(20_000)}`,
      ])
        expect((await raw(ussd, form(body))).status).toBe(200)
      await raw(ussd, { method: 'POST', headers: auth, body: JSON.stringify({ text: `1*${pin}` }) })
      await raw(`/callbacks/africastalking/${pin}/ussd`, form(`${bad}&text=1*${pin}`))
      await raw(`/nowhere/${pin}?pin=${pin}`, {})
      await raw(`/api/v1/members/${pin}/position?pin=${pin}`, { headers: auth })
      await raw('/api/v1/entries', { method: 'POST', headers: auth, body: `{"pin": ${pin}` })
      await raw('/api/v1/entries', {
        method: 'POST',
        headers: auth,
        body: JSON.stringify({ pin, [pin]: pin }),
      })
      await raw('/api/v1/entries', { headers: { authorization: `Bearer ${pin}` } })
    },
    // Guessed until it is locked; the operator is told.
    async () => {
      await dial(ndeye)('1', pin, pin)
      for (const guess of [wrong, second, third]) await dial(ndeye)('1', guess)
      expect(await dial(ndeye)('1', pin)).not.toMatch(money)
      await expect.poll(() => world.alarms.join(''), { timeout: 10_000 }).toContain('pin.guessing')
    },
  ]
}

/** Real kills in mid-dialogue; what is typed meanwhile is answered, and kept nowhere either. */
function failuresOf(world: World): (() => Promise<void>)[] {
  const { send, dial, raw } = speakerOf(world)
  const { awa, mary } = world.members
  const typedInto = async (away: () => Promise<void>, back: () => Promise<void>) => {
    const [inside, changing, atPin] = [dial(awa), dial(mary), dial(awa)]
    await Promise.all([inside('1', pin), changing('5', '2', '1', pin), atPin('1')])
    await away()
    const replies = [inside('1'), changing(second, second), atPin(pin), dial(mary)(`1*${pin}`)]
    const others = [
      send('sms', smsFields(`s3-away-${sessions}`, mary.msisdn, `solde ${pin}`)),
      raw('/api/v1/entries', {
        method: 'POST',
        headers: { authorization: `Bearer ${world.apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ pin }),
      }),
    ]
    for (const reply of await Promise.all(replies)) expect(reply).toMatch(/^(CON|END) /)
    await Promise.all(others)
    await back()
    await expect
      .poll(async () => (await dial(awa)('1', pin)).match(money)?.length, { timeout: 30_000, interval: 200 })
      .toBe(1)
  }
  const { redis, server } = world
  const failures: (() => Promise<void>)[] = []
  if (server !== undefined) failures.push(() => typedInto(server.stopHard, server.start))
  if (redis !== undefined)
    failures.push(() =>
      typedInto(
        async () => {
          world.kept.push(await dumpRedis(redis.url))
          await world.redis?.stop()
        },
        async () => {
          world.redis = await startRedis(Number(new URL(redis.url).port))
        },
      ),
    )
  return failures
}

async function collect(world: World): Promise<Record<string, string>> {
  const { harness, web, worker, redis, server } = world
  const running = [web, worker].flatMap((place) => place.running() ?? [])
  const metrics = await Promise.all(running.map(async ({ url }) => (await fetch(`${url}/metrics`)).text()))
  const places = {
    database: await dumpDatabase(harness.db.pool),
    'files of the database server': server === undefined ? '' : readFolder(server.folder),
    redis: [...world.kept, redis === undefined ? '' : await dumpRedis(redis.url)].join('\n'),
    logs: [...harness.ends.map(({ output }) => output), ...running.map(({ tama }) => tama.output())].join(
      '\n',
    ),
    metrics: metrics.join('\n'),
    alarms: world.alarms.join('\n'),
    sms: harness.provider.calls.map(({ text }) => text).join('\n'),
    answers: world.heard.join('\n'),
  }
  // What is searched must be there.
  expect(places.database).toContain('pin.changed')
  expect(places.logs).toContain('"event":"ussd.hop"')
  expect(places.metrics).toContain('tama_ussd_hops_total')
  if (redis !== undefined) expect(places.redis).toContain('tama:ussd:')
  return places
}
