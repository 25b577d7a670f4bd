// What the provider's callbacks may never do to us, over real HTTP: each bad one gets a clear answer, has no effect, and the
// next good one is answered.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createCallbacks } from '../../src/http/callbacks.ts'
import { answerTheRest, createApp, type HttpServer, listen } from '../../src/http/server.ts'
import { createLogger } from '../../src/logger.ts'
import { createMetrics } from '../../src/metrics.ts'

const secret = 'a-secret-of-many-letters-1234'
const malformed = 'END We did not understand.'
const taken: { route: string; fields: Record<string, unknown> }[] = []
const lines: string[] = []
const metrics = createMetrics()
let failing = false
let server: HttpServer

const take = (route: string) => async (fields: object) => {
  if (failing) throw new Error('the database is away')
  taken.push({ route, fields: { ...fields } })
}

beforeAll(async () => {
  const app = createApp()
  const logger = createLogger('trace', { write: (line: string) => lines.push(line) })
  app.use(
    createCallbacks({
      secret,
      logger,
      metrics,
      handlers: {
        ussd: async (fields) => {
          await take('ussd')(fields)
          return 'CON Hello'
        },
        ussdMalformed: () => malformed,
        ussdEnd: take('ussd-end'),
        sms: take('sms'),
        delivery: take('delivery'),
        optOut: take('opt-out'),
      },
    }),
  )
  answerTheRest(app, logger)
  server = await listen(app, 0, '127.0.0.1')
})
afterAll(() => server.close())
beforeEach(() => {
  taken.length = 0
  lines.length = 0
  failing = false
})

const good: Record<string, Record<string, string>> = {
  ussd: { sessionId: 'ATUid_1', phoneNumber: '+221770000001', serviceCode: '*384*1#', text: '' },
  'ussd-end': {
    sessionId: 'ATUid_1',
    phoneNumber: '+221770000001',
    serviceCode: '*384*1#',
    status: 'Success',
    input: '1*7391',
  },
  sms: { date: '2026-11-22 10:00:00', from: '+221770000001', id: 'abc', text: 'solde', to: '21384' },
  delivery: { id: 'ATXid_1', status: 'Success', phoneNumber: '+221770000001' },
  'opt-out': { senderId: 'FANSOTO', phoneNumber: '+221770000001' },
}
const routes = Object.keys(good)
const formType = 'application/x-www-form-urlencoded'

interface Sent {
  body?: string | Buffer
  type?: string
  secret?: string
  method?: string
  headers?: Record<string, string>
}

async function send(route: string, { body, type = formType, headers, ...rest }: Sent = {}) {
  const response = await fetch(
    `${server.url.replace('localhost', '127.0.0.1')}/callbacks/africastalking/${rest.secret ?? secret}/${route}`,
    {
      method: rest.method ?? 'POST',
      headers: { 'content-type': type, ...headers },
      ...(rest.method === 'GET' ? {} : { body: body ?? form(good[route]) }),
    },
  )
  return { status: response.status, text: await response.text() }
}

const form = (fields: Record<string, string> = {}) => new URLSearchParams(fields).toString()
const without = (route: string, name: string) =>
  form(Object.fromEntries(Object.entries(good[route] ?? {}).filter(([field]) => field !== name)))

/** Refused as its route refuses: USSD in plain words, all others with 400 and the field; nothing is done, and it goes on. */
async function expectRefused(route: string, sent: Sent, fault: string | RegExp) {
  const answer = await send(route, sent)
  if (route === 'ussd') expect(answer).toEqual({ status: 200, text: malformed })
  else {
    expect(answer.status).toBe(400)
    expect(answer.text).toMatch(fault)
  }
  expect(taken).toEqual([])
  expect((await send(route)).status).toBe(200)
  expect(taken).toHaveLength(1)
}

it.each(routes)('a good %s reaches its handler once, with its fields', async (route) => {
  expect(await send(route)).toEqual({ status: 200, text: route === 'ussd' ? 'CON Hello' : '' })
  expect(taken).toHaveLength(1)
  expect(good[route]).toMatchObject(taken[0]?.fields ?? { nothing: true })
})

it('what only the network should know of a dialogue does not reach the handler', async () => {
  await send('ussd-end')
  expect(JSON.stringify(taken)).not.toContain('7391')
})

describe('the secret', () => {
  it.each([
    ['wrong', 'nope'],
    ['one letter short', secret.slice(0, -1)],
    ['in other letters', secret.toUpperCase()],
    ['missing', ''],
    ['not decodable', '%E0%A4%A'],
  ])('%s is 404 on every route and has no effect', async (_, wrong) => {
    for (const route of routes) {
      expect((await send(route, { secret: wrong })).status).toBe(404)
      expect((await send(route, { secret: wrong, body: 'x'.repeat(1_048_576) })).status).toBe(404)
    }
    expect(taken).toEqual([])
  })

  it('stands in no answer and no line, whatever method or path it comes with', async () => {
    const answers = [
      await send('ussd', { method: 'GET' }),
      await send('ussd', { method: 'PUT' }),
      await send('nothing'),
      await send('ussd/more'),
    ]
    for (const { status, text } of answers) {
      expect(status).toBe(404)
      expect(text).toBe('There is nothing here')
    }
    expect(lines.join('')).not.toContain(secret)
  })
})

describe.each(routes)('%s', (route) => {
  const optional = new Set(['networkCode', 'failureReason', 'linkId', 'input'])
  const required = Object.keys(good[route] ?? {}).filter(
    (name) => !optional.has(name) && (route !== 'delivery' || name === 'id'),
  )

  it.each(required)('without %s names the field', async (name) => {
    await expectRefused(route, { body: without(route, name) }, `${name}: is missing`)
  })

  it('with a field given twice names it', async () => {
    const name = required[0] ?? ''
    await expectRefused(route, { body: `${form(good[route])}&${name}=other` }, `${name}: is given twice`)
  })

  it('with a wrongly percent-encoded field names it', async () => {
    const name = required[0] ?? ''
    for (const wrong of ['%E0%A4%A', '%ff', '%zz', '%ED%A0%80']) {
      taken.length = 0
      await expectRefused(
        route,
        { body: `${without(route, name)}&${name}=${wrong}` },
        `${name}: is wrongly encoded`,
      )
    }
  })

  it('in Latin-1 or UTF-16 names the body', async () => {
    await expectRefused(route, { body: Buffer.from('text=caf\xe9', 'latin1') }, 'body: is not UTF-8')
    taken.length = 0
    await expectRefused(route, { body: Buffer.from(`\ufeff${form(good[route])}`, 'utf16le') }, 'body')
  })

  it.each(['application/json', 'text/plain', 'multipart/form-data; boundary=x', 'application/xml'])(
    'as %s names the content type',
    async (type) => {
      await expectRefused(route, { type, body: JSON.stringify(good[route]) }, 'content-type: must be')
    },
  )

  it('without a body names what is missing', async () => {
    await expectRefused(route, { body: '' }, /^\w+: is missing/)
  })

  it
    .skipIf(route === 'delivery')
    .each(
      route === 'sms'
        ? ['', 'a\u0007b', 'x'.repeat(121)]
        : ['12345', '221770000001', '+0770000001', '+22177000000a', '', '+2217700000011234567'],
    )('with the number "%s" names the field', async (msisdn) => {
    const name = route === 'sms' ? 'from' : 'phoneNumber'
    await expectRefused(route, { body: form({ ...good[route], [name]: msisdn }) }, `${name}: must be`)
  })

  it('with a control character or 10,000 letters in an id names the field', async () => {
    const name = required.find((field) => ['sessionId', 'id', 'senderId'].includes(field)) ?? ''
    for (const wrong of ['a\0b', 'a\nb', 'x'.repeat(10_000), '']) {
      taken.length = 0
      await expectRefused(route, { body: form({ ...good[route], [name]: wrong }) }, `${name}: `)
    }
  })

  it('of 1 MB is refused, and the process goes on', async () => {
    const answer = await send(route, { body: `${form(good[route])}&more=${'x'.repeat(1_048_576)}` })
    expect(answer).toEqual(
      route === 'ussd'
        ? { status: 200, text: malformed }
        : { status: 413, text: 'body: is larger than 32768 bytes' },
    )
    expect(taken).toEqual([])
    expect((await send(route)).status).toBe(200)
  })

  it('in a compression that is not what it says is refused', async () => {
    for (const encoding of ['gzip', 'br', 'foo']) {
      const answer = await send(route, { headers: { 'content-encoding': encoding } })
      if (route === 'ussd') expect(answer.text).toBe(malformed)
      else expect(answer.text).toBe('body: cannot be read')
    }
    expect(taken).toEqual([])
  })

  it('ignores fields that it does not know, thousands of them too', async () => {
    const many = Array.from({ length: 2_000 }, (_, index) => `f${index}=1`).join('&')
    expect((await send(route, { body: `__proto__=1&${form(good[route])}&${many}` })).status).toBe(200)
    expect(taken).toHaveLength(1)
  })

  it('that our side fails on is 500, so that the provider tries again', async () => {
    failing = true
    expect(await send(route)).toEqual({ status: 500, text: 'Try again later' })
    failing = false
    expect((await send(route)).status).toBe(200)
  })
})

it('a service code, a status and a text of any kind stay within their limits', async () => {
  for (const serviceCode of ['384', '*384*1#x', '*', '', `*${'1'.repeat(40)}#`])
    await expectRefused('ussd', { body: form({ ...good.ussd, serviceCode }) }, '').then(() => {
      taken.length = 0
    })
  await expectRefused('sms', { body: form({ ...good.sms, text: 'x'.repeat(4_001) }) }, 'text: ')
  taken.length = 0
  expect((await send('delivery', { body: form({ ...good.delivery, status: 'NeverHeardOf' }) })).status).toBe(
    200,
  )
})

// Its id says whose it is; refused, it would be lost.
it.each([
  ['phoneNumber', '+1'],
  ['phoneNumber', 'Wave'],
  ['phoneNumber', ''],
  ['status', ''],
  ['status', 'a\u0007b'],
  ['networkCode', 'a b'],
  ['failureReason', 'x'.repeat(121)],
])('a delivery report with the %s "%s" is taken without it', async (name, wrong) => {
  const { [name]: _, ...rest } = good.delivery as Record<string, string>
  expect((await send('delivery', { body: form({ ...good.delivery, [name]: wrong }) })).status).toBe(200)
  const fields = name === 'status' ? { ...rest, status: 'unreadable' } : rest
  expect(taken).toEqual([{ route: 'delivery', fields }])
})

// The provider would send a refused one again and again.
it.each(['Wave', 'ORANGE 24', '21384', '221770000001'])(
  'an SMS from "%s", which is no phone, is taken',
  async (from) => {
    expect((await send('sms', { body: form({ ...good.sms, from }) })).status).toBe(200)
    expect(taken).toMatchObject([{ route: 'sms', fields: { from } }])
  },
)

it('bad callbacks leave lines and counts that hold nothing that was sent', async () => {
  const body = form({ sessionId: 'ATUid_7391', phoneNumber: '7391', serviceCode: '*7391#', text: '1*7391' })
  for (const route of routes) {
    await send(route, { body })
    await send(route, { body, type: 'application/json' })
    await send(route, { body: `text=${encodeURIComponent('1*7391')}&text=7391` })
    await send(route, { body: `7391=%zz&text=%zz7391` })
    await send(route, { body: '7391=1&7391=2' })
  }
  expect(lines.length).toBeGreaterThanOrEqual(routes.length * 5)
  const told = lines.map((line) => JSON.stringify({ ...(JSON.parse(line) as object), time: 0 }))
  expect(told.join('')).not.toContain('7391')
  expect(await metrics.registry.metrics()).not.toMatch(/[="]7391/)
})
