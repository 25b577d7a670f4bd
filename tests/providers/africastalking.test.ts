// Case tables over real HTTP, through the real SDK, against a small local server that answers what each case says.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { SendError, type SendErrorCode } from '../../src/errors.ts'
import { createAfricasTalking, type SmsProvider } from '../../src/providers/africastalking.ts'
import { freePort } from '../support/redis.ts'

interface Seen {
  path: string | undefined
  apiKey: string | string[] | undefined
  form: URLSearchParams
}

let server: Server
let baseUrl: string
let seen: Seen[] = []
let answer: (response: ServerResponse, form: URLSearchParams) => void

beforeAll(async () => {
  server = createServer((request: IncomingMessage, response) => {
    let body = ''
    request.on('data', (part: Buffer) => {
      body += part.toString()
    })
    request.on('end', () => {
      const form = new URLSearchParams(body)
      seen.push({ path: request.url, apiKey: request.headers.apikey, form })
      answer(response, form)
    })
  })
  const port = await freePort()
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  baseUrl = `http://127.0.0.1:${port}`
})
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  seen = []
  answer = accept
})

const sunu = '+221771234501'
const call = (...recipients: string[]) => ({
  senderId: 'TAMA',
  text: 'Composez *384*1#',
  recipients: recipients.length === 0 ? [sunu] : recipients,
})
const provider = (options: { baseUrl?: string; timeoutMs?: number; apiKey?: string } = {}): SmsProvider =>
  createAfricasTalking({
    username: 'sandbox',
    apiKey: options.apiKey ?? 'key-one',
    baseUrl: options.baseUrl ?? baseUrl,
    timeoutMs: options.timeoutMs ?? 5_000,
  })

function reply(response: ServerResponse, status: number, body: string, type = 'application/json'): void {
  response.writeHead(status, { 'content-type': type }).end(body)
}
function envelope(recipients: unknown[], message = 'Sent to 1/1 Total Cost: KES 0.8000'): string {
  return JSON.stringify({ SMSMessageData: { Message: message, Recipients: recipients } })
}
function accept(response: ServerResponse, form: URLSearchParams): void {
  const numbers = (form.get('to') ?? '').split(',')
  reply(
    response,
    201,
    envelope(
      numbers.map((number, index) => ({
        statusCode: 101,
        number,
        status: 'Success',
        cost: 'KES 0.8000',
        messageId: `ATXid_${index}`,
        messageParts: 2,
      })),
    ),
  )
}

async function faultOf(sending: Promise<unknown>): Promise<SendError> {
  const fault = await sending.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!(fault instanceof SendError)) throw new Error('no SendError')
  return fault
}

describe('a call that the provider takes', () => {
  it('carries sender, text, numbers and the real key to the configured address', async () => {
    const results = await provider().send(call(sunu, '+221771234502'))
    expect(seen).toHaveLength(1)
    expect(seen[0]).toMatchObject({ path: '/version1/messaging', apiKey: 'key-one' })
    expect(Object.fromEntries(seen[0]?.form ?? [])).toEqual({
      username: 'sandbox',
      to: `${sunu},+221771234502`,
      message: 'Composez *384*1#',
      from: 'TAMA',
      bulkSMSMode: '1',
    })
    expect(results).toEqual([
      {
        msisdn: sunu,
        accepted: true,
        providerMessageId: 'ATXid_0',
        cost: { currency: 'KES', amount: '0.8000' },
        segments: 2,
      },
      {
        msisdn: '+221771234502',
        accepted: true,
        providerMessageId: 'ATXid_1',
        cost: { currency: 'KES', amount: '0.8000' },
        segments: 2,
      },
    ])
  })

  it('keeps two instances with their own keys and addresses apart in one process', async () => {
    const [one, two] = [provider(), provider({ apiKey: 'key-two', baseUrl: `${baseUrl}/elsewhere/` })]
    await Promise.all([one.send(call()), two.send(call()), one.send(call())])
    expect(seen.map(({ path, apiKey }) => `${apiKey} ${path}`).sort()).toEqual([
      'key-one /version1/messaging',
      'key-one /version1/messaging',
      'key-two /elsewhere/version1/messaging',
    ])
  })

  it('a message id "None", a missing cost and missing parts are simply not known', async () => {
    answer = (response, form) =>
      reply(response, 201, envelope([{ statusCode: 100, number: form.get('to'), messageId: 'None' }]))
    expect(await provider().send(call())).toEqual([
      { msisdn: sunu, accepted: true, providerMessageId: undefined },
    ])
  })

  it('one number that the SDK refuses does not sink the other nine', async () => {
    const numbers = Array.from({ length: 9 }, (_, index) => `+22177123451${index}`)
    const results = await provider().send(call(...numbers.slice(0, 4), '+000', ...numbers.slice(4)))
    expect(seen[0]?.form.get('to')).toBe(numbers.join())
    expect(results.filter((result) => result.accepted).map((result) => result.msisdn)).toEqual(numbers)
    const refused = results.filter((result) => !result.accepted)
    expect(refused).toMatchObject([{ msisdn: '+000', error: { code: 'send.number_invalid', retry: false } }])
  })

  it('only refused numbers make no call at all', async () => {
    const results = await provider().send(call('+000', 'nonsense'))
    expect(seen).toEqual([])
    expect(results.map((result) => result.accepted)).toEqual([false, false])
  })
})

describe('every status code of a recipient', () => {
  it.each<
    [number, SendErrorCode | 'accepted', Partial<Record<'retry' | 'optOut' | 'pauseLane' | 'unknown', true>>]
  >([
    [100, 'accepted', {}],
    [101, 'accepted', {}],
    [102, 'accepted', {}],
    [401, 'send.rejected', {}],
    [402, 'send.account', { retry: true, pauseLane: true }],
    [403, 'send.number_invalid', {}],
    [404, 'send.number_invalid', {}],
    [405, 'send.account', { retry: true, pauseLane: true }],
    [406, 'send.blacklisted', { optOut: true }],
    [407, 'send.rejected', {}],
    [409, 'send.provider_retryable', { retry: true }],
    [429, 'send.throttled', { retry: true }],
    [500, 'send.provider_retryable', { retry: true }],
    [501, 'send.provider_retryable', { retry: true }],
    [502, 'send.rejected', {}],
    [999, 'send.broken_answer', { unknown: true }],
  ])('%i means %s %o', async (statusCode, meaning, flags) => {
    answer = (response, form) =>
      reply(response, 201, envelope([{ statusCode, number: form.get('to'), messageId: 'None', cost: '0' }]))
    const [result] = await provider().send(call())
    if (result === undefined || result.accepted) {
      expect(meaning).toBe('accepted')
      return
    }
    expect(result.error.code).toBe(meaning)
    expect(result.error.retry).toBe(flags.retry === true)
    expect(result.error.outcomeUnknown).toBe(flags.unknown === true)
    expect(result.optOut).toBe(flags.optOut === true)
    expect(result.pauseLane).toBe(flags.pauseLane === true)
  })

  it('a number that the answer leaves out, or names unreadably, may have gone', async () => {
    answer = (response) =>
      reply(response, 201, envelope([{ statusCode: 101, number: sunu, messageId: 'a' }, { number: 7 }]))
    const results = await provider().send(call(sunu, '+221771234502'))
    expect(results).toMatchObject([
      { msisdn: sunu, accepted: true },
      {
        msisdn: '+221771234502',
        accepted: false,
        error: { code: 'send.broken_answer', outcomeUnknown: true },
      },
    ])
  })
})

describe('a call that fails as a whole', () => {
  it.each<[string, SendErrorCode, (response: ServerResponse) => void]>([
    [
      'no recipients and "InvalidSenderId"',
      'send.account',
      (r) => reply(r, 201, envelope([], 'InvalidSenderId')),
    ],
    [
      'no recipients and a low balance',
      'send.account',
      (r) => reply(r, 201, envelope([], 'InsufficientBalance')),
    ],
    [
      'no recipients and other words',
      'send.no_recipients',
      (r) => reply(r, 201, envelope([], 'Nothing sent')),
    ],
    ['malformed JSON', 'send.broken_answer', (r) => reply(r, 201, '{"SMSMessageData":')],
    ['another shape', 'send.broken_answer', (r) => reply(r, 201, '{"data":[]}')],
    ['a page of HTML', 'send.broken_answer', (r) => reply(r, 201, '<html></html>', 'text/html')],
    ['status 200 instead of 201', 'send.broken_answer', (r) => reply(r, 200, envelope([]))],
    ['a redirect', 'send.broken_answer', (r) => r.writeHead(302, { location: '/elsewhere' }).end()],
    ['status 400', 'send.request_invalid', (r) => reply(r, 400, 'Bad request', 'text/plain')],
    [
      'status 401',
      'send.unauthorised',
      (r) => reply(r, 401, 'The supplied authentication is invalid', 'text/plain'),
    ],
    ['status 409', 'send.provider_retryable', (r) => reply(r, 409, '{}')],
    ['status 429', 'send.throttled', (r) => reply(r, 429, '{}')],
    ['status 500', 'send.server_error', (r) => reply(r, 500, 'oops', 'text/plain')],
    ['status 503', 'send.server_error', (r) => reply(r, 503, '{}')],
    ['a connection cut before the answer', 'send.broken_answer', (r) => r.destroy()],
    [
      'a connection cut in the answer',
      'send.broken_answer',
      (r) => r.writeHead(201).write('{"SMS', () => r.destroy()),
    ],
  ])('%s is %s', async (_, code, answering) => {
    answer = answering
    const fault = await faultOf(provider().send(call()))
    expect(fault.code).toBe(code)
    expect(seen.length).toBe(1)
  })

  it('a server that hangs is a timeout with an unknown outcome, within our own time', async () => {
    answer = () => undefined
    const fault = await faultOf(provider({ timeoutMs: 200 }).send(call()))
    expect(fault).toMatchObject({ code: 'send.timeout', outcomeUnknown: true, retry: false })
  })

  it('a server that drips bytes for ever is a timeout too', async () => {
    const drips: NodeJS.Timeout[] = []
    answer = (response) => {
      response.writeHead(201)
      drips.push(setInterval(() => response.write(' '), 40))
    }
    const fault = await faultOf(provider({ timeoutMs: 300 }).send(call()))
    for (const drip of drips) clearInterval(drip)
    expect(fault.code).toBe('send.timeout')
  })

  it('a slow answer within our time is an acceptance', async () => {
    answer = (response, form) => setTimeout(() => accept(response, form), 300)
    expect(await provider({ timeoutMs: 3_000 }).send(call())).toMatchObject([{ accepted: true }])
  })

  it.each([
    ['a dead server', async () => `http://127.0.0.1:${await freePort()}`],
    ['a name that does not resolve', async () => 'http://provider.invalid'],
  ])('%s took nothing: the call may be made again', async (_, address) => {
    const fault = await faultOf(provider({ baseUrl: await address() }).send(call()))
    expect(fault).toMatchObject({ code: 'send.refused_connection', retry: true, outcomeUnknown: false })
  })

  it('no fault names the text, the number or the key', async () => {
    answer = (response) => reply(response, 500, 'oops', 'text/plain')
    const fault = await faultOf(provider().send(call()))
    expect(`${fault.message} ${JSON.stringify(fault)}`).not.toMatch(/\+221|Composez|key-one/)
  })
})
