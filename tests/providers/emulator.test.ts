// The emulator, driven by the official SDK as it comes from the registry.
import { createRequire } from 'node:module'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { createEmulator, type Emulator, type EmulatorOptions } from '../../src/simulator/emulator.ts'
import { type CallbackServer, startCallbackServer } from '../support/callbacks.ts'
import { silentLogger } from '../support/database.ts'

interface Sdk {
  SMS: { send(call: { to: string[]; message: string; from?: string; enqueue?: boolean }): Promise<SdkAnswer> }
}
interface SdkAnswer {
  SMSMessageData: { Message: string; Recipients: Record<string, unknown>[] }
}

const require = createRequire(import.meta.url)
const africasTalking = require('africastalking') as (options: { username: string; apiKey: string }) => Sdk
const urls = require('africastalking/lib/common.js') as { SMS_URL: string }

const awa = '+221771234567'
const binta = '+221781234567'
const clock = fixedClock('2026-11-22T09:00:00Z')
const closers: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
})

function newEmulator(options: Partial<EmulatorOptions> = {}): Emulator {
  const emulator = createEmulator({
    clock,
    logger: silentLogger,
    username: 'tama',
    apiKey: 'key',
    seed: 1,
    ...options,
  })
  closers.push(() => emulator.close())
  return emulator
}

async function startSdk(options: Partial<EmulatorOptions> = {}, apiKey = 'key') {
  const emulator = newEmulator(options)
  const url = await emulator.listen(0)
  const sdk = africasTalking({ username: 'tama', apiKey })
  urls.SMS_URL = `${url}/version1/messaging`
  return { emulator, url, sms: sdk.SMS }
}

async function startTama(behaviour: Parameters<typeof startCallbackServer>[0] = {}): Promise<CallbackServer> {
  const tama = await startCallbackServer(behaviour)
  closers.push(() => tama.close())
  return tama
}

function calledBack(tama: CallbackServer): Partial<EmulatorOptions> {
  return { callbackBaseUrl: tama.url, callbackSecret: tama.secret, retryDelaysMs: [1, 1, 1] }
}

describe('sending through the official SDK', () => {
  it('an accepted message has the documented answer, and the phone and the bill have it too', async () => {
    const { emulator, sms } = await startSdk()
    const answer = await sms.send({ to: [awa], message: 'Mardi 10h', from: 'FANSOTO' })
    expect(answer).toEqual({
      SMSMessageData: {
        Message: 'Sent to 1/1 Total Cost: KES 0.8000',
        Recipients: [
          {
            statusCode: 101,
            number: awa,
            status: 'Success',
            cost: 'KES 0.8000',
            messageId: expect.stringMatching(/^ATXid_[0-9a-f]{32}$/),
            messageParts: 1,
          },
        ],
      },
    })
    expect(emulator.inbox(awa)).toMatchObject([{ peer: 'FANSOTO', text: 'Mardi 10h', encoding: 'gsm7' }])
    expect(emulator.bill()).toEqual({ currency: 'KES', total: '0.8000', messages: 1, segments: 1 })
  })

  it('enqueued messages are answered 102 Queued', async () => {
    const { sms } = await startSdk()
    const answer = await sms.send({ to: [awa], message: 'a', enqueue: true })
    expect(answer.SMSMessageData.Recipients).toMatchObject([{ statusCode: 102, status: 'Queued' }])
  })

  it('segments are counted and paid in the text’s own encoding', async () => {
    const { emulator, sms } = await startSdk({ currency: 'XOF', segmentCost: '15' })
    await sms.send({ to: [awa], message: 'a'.repeat(161) })
    await sms.send({ to: [awa], message: `ŋ${'a'.repeat(70)}` })
    expect(emulator.inbox(awa)).toMatchObject([
      { segments: 2, encoding: 'gsm7', cost: 'XOF 30.0000' },
      { segments: 2, encoding: 'ucs2', cost: 'XOF 30.0000' },
    ])
    expect(emulator.bill()).toEqual({ currency: 'XOF', total: '60.0000', messages: 2, segments: 4 })
  })

  it.each([
    [401, 'RiskHold'],
    [402, 'InvalidSenderId'],
    [403, 'InvalidPhoneNumber'],
    [404, 'UnsupportedNumberType'],
    [405, 'InsufficientBalance'],
    [406, 'UserInBlacklist'],
    [407, 'CouldNotRoute'],
    [409, 'DoNotDisturbRejection'],
    [500, 'InternalServerError'],
    [501, 'GatewayError'],
    [502, 'RejectedByGateway'],
  ])(
    'a recipient refused with %i %s is not sent, not billed, and does not sink the others',
    async (code, status) => {
      const { emulator, sms } = await startSdk()
      await emulator.setFaults({ recipients: { [awa]: code } })
      const answer = await sms.send({ to: [awa, binta], message: 'a' })
      expect(answer.SMSMessageData.Message).toBe('Sent to 1/2 Total Cost: KES 0.8000')
      expect(answer.SMSMessageData.Recipients).toMatchObject([
        { statusCode: code, status, number: awa, cost: '0', messageId: 'None' },
        { statusCode: 101, number: binta },
      ])
      expect(emulator.inbox(awa)).toEqual([])
      expect(emulator.bill().messages).toBe(1)
    },
  )

  it('a number that does not exist is 403, a fixed line 404, a blacklisted one 406', async () => {
    const { emulator, url } = await startSdk()
    await emulator.setFaults({ blacklist: [binta] })
    // Past the SDK, which refuses such numbers itself.
    const response = await fetch(`${url}/version1/messaging`, {
      method: 'POST',
      headers: { apikey: 'key' },
      body: new URLSearchParams({ username: 'tama', to: `+2217,+221338210000,${binta}`, message: 'a' }),
    })
    const answer = (await response.json()) as SdkAnswer
    expect(answer.SMSMessageData.Recipients.map((recipient) => recipient.statusCode)).toEqual([403, 404, 406])
    expect(answer.SMSMessageData.Message).toBe('Sent to 0/3 Total Cost: 0')
  })

  it('an empty balance refuses the rest of a batch with 405', async () => {
    const { emulator, sms } = await startSdk({ balance: '1' })
    const answer = await sms.send({ to: [awa, binta], message: 'a' })
    expect(answer.SMSMessageData.Recipients.map((recipient) => recipient.statusCode)).toEqual([101, 405])
    expect(emulator.balance()).toBe('KES 0.2000')
  })

  it('an unknown sender ID gets no recipients at all', async () => {
    const { emulator, sms } = await startSdk({ senderIds: ['FANSOTO'] })
    const answer = await sms.send({ to: [awa], message: 'a', from: 'OTHER' })
    expect(answer.SMSMessageData).toEqual({ Message: 'InvalidSenderId', Recipients: [] })
    expect(emulator.calls().accepted).toBe(0)
  })

  it('the opt-out tail lengthens and prices only the first message of a sender to a subscriber', async () => {
    const { emulator, sms } = await startSdk({ optOutTail: '\nSTOP *456*9*5#' })
    const message = 'a'.repeat(150)
    await sms.send({ to: [awa], message, from: 'FANSOTO' })
    await sms.send({ to: [awa], message, from: 'FANSOTO' })
    expect(emulator.inbox(awa).map((sms) => [sms.segments, sms.text.endsWith('*5#')])).toEqual([
      [2, true],
      [1, false],
    ])
  })

  it('a wrong key is 401 and nothing is sent', async () => {
    const { emulator, sms } = await startSdk({}, 'wrong')
    await expect(sms.send({ to: [awa], message: 'a' })).rejects.toMatchObject({ response: { status: 401 } })
    expect(emulator.bill().messages).toBe(0)
  })

  it('a form without a message is 400 and names the field', async () => {
    const { url } = await startSdk()
    const body = new URLSearchParams({ username: 'tama', to: awa })
    const response = await fetch(`${url}/version1/messaging`, {
      method: 'POST',
      headers: { apikey: 'key' },
      body,
    })
    expect([response.status, await response.text()]).toEqual([
      400,
      'Request is missing required form field: message',
    ])
  })

  it('the balance is told to the account’s holder only', async () => {
    const { url } = await startSdk({ balance: '1785.5' })
    const ask = (apikey: string) => fetch(`${url}/version1/user?username=tama`, { headers: { apikey } })
    expect(await (await ask('key')).json()).toEqual({ UserData: { balance: 'KES 1785.5000' } })
    expect((await ask('wrong')).status).toBe(401)
  })

  it('a phone keeps its last messages only', async () => {
    const { emulator, sms } = await startSdk({ messagesMax: 3 })
    for (const message of ['1', '2', '3', '4', '5']) await sms.send({ to: [awa], message })
    expect(emulator.inbox(awa).map((sms) => sms.text)).toEqual(['3', '4', '5'])
    expect(emulator.bill().messages).toBe(5)
  })

  it('the same seed gives the same message ids', async () => {
    const ids = []
    for (const seed of [7, 7, 8]) {
      const { emulator, sms } = await startSdk({ seed })
      await sms.send({ to: [awa], message: 'a' })
      ids.push(emulator.inbox(awa)[0]?.id)
    }
    expect(ids[0]).toBe(ids[1])
    expect(ids[0]).not.toBe(ids[2])
  })
})

describe('outages on demand', () => {
  it.each([
    ['error_500', { response: { status: 500 } }],
    ['unavailable_503', { response: { status: 503 } }],
    ['throttle_429', { response: { status: 429 } }],
    ['reset', { code: 'ECONNRESET' }],
  ] as const)(
    '%s fails the call and sends nothing, for as many calls as ordered',
    async (outage, rejection) => {
      const { emulator, sms } = await startSdk()
      await emulator.setFaults({ outage, outageCalls: 2 })
      for (const _call of [1, 2])
        await expect(sms.send({ to: [awa], message: 'a' })).rejects.toMatchObject(rejection)
      expect(emulator.bill().messages).toBe(0)
      await sms.send({ to: [awa], message: 'a' })
      expect(emulator.bill().messages).toBe(1)
    },
  )

  it('an outage after acceptance sends the message and then fails the call', async () => {
    const { emulator, sms } = await startSdk()
    await emulator.setFaults({ outage: 'reset', outageAfterAccept: true, outageCalls: 1 })
    await expect(sms.send({ to: [awa], message: 'a' })).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(emulator.inbox(awa)).toHaveLength(1)
  })

  it('refused means that nobody listens, until the outage is taken back', async () => {
    const { emulator, sms } = await startSdk()
    await emulator.setFaults({ outage: 'refuse' })
    await expect(sms.send({ to: [awa], message: 'a' })).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await emulator.setFaults({})
    await sms.send({ to: [awa], message: 'a' })
    expect(emulator.inbox(awa)).toHaveLength(1)
  })

  it('a hanging call is never answered', async () => {
    const { emulator, url } = await startSdk()
    await emulator.setFaults({ outage: 'hang' })
    const call = fetch(`${url}/version1/messaging`, {
      method: 'POST',
      headers: { apikey: 'key' },
      body: new URLSearchParams({ username: 'tama', to: awa, message: 'a' }),
      signal: AbortSignal.timeout(100),
    })
    await expect(call).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(emulator.calls()).toMatchObject({ messagingCalls: 1, accepted: 0 })
  })

  it('a slow call is answered late', async () => {
    const { emulator, sms } = await startSdk()
    await emulator.setFaults({ slowMs: 80 })
    const startedMs = performance.now()
    await sms.send({ to: [awa], message: 'a' })
    expect(performance.now() - startedMs).toBeGreaterThan(70)
  })

  it('an answer that is not JSON, and one without recipients, come as 201', async () => {
    const { emulator, sms } = await startSdk()
    await emulator.setFaults({ outage: 'garbage', outageCalls: 1 })
    expect(await sms.send({ to: [awa], message: 'a' })).toBe('<html>It works!</html>')
    await emulator.setFaults({ outage: 'no_recipients' })
    expect((await sms.send({ to: [awa], message: 'a' })).SMSMessageData.Recipients).toEqual([])
  })

  it('faults are set over HTTP, and a wrong order names its field and changes nothing', async () => {
    const { emulator, url } = await startSdk()
    const order = (body: unknown) =>
      fetch(`${url}/emulator/faults`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      })
    expect((await order({ everyRecipient: 405 })).status).toBe(200)
    await vi.waitFor(() => expect(emulator.faults().everyRecipient).toBe(405))
    const wrong = await order({ outage: 'sulk', slowMs: -1, recipients: { [awa]: 999 } })
    expect(wrong.status).toBe(400)
    expect(JSON.stringify(await wrong.json())).toMatch(/outage.*slowMs.*recipients/)
    expect((await order({ outage: 'refuse' })).status).toBe(400)
    expect(emulator.faults().everyRecipient).toBe(405)
    const overview = (await (await fetch(`${url}/emulator`)).json()) as { faults: unknown }
    expect(overview.faults).toMatchObject({ everyRecipient: 405 })
  })
})

describe('delivery reports', () => {
  it('a message is reported Sent and then Success with the documented fields', async () => {
    const tama = await startTama()
    const { emulator, sms } = await startSdk(calledBack(tama))
    const answer = await sms.send({ to: [awa], message: 'a' })
    await emulator.settled()
    const id = answer.SMSMessageData.Recipients[0]?.messageId
    const fields = { id, phoneNumber: awa, networkCode: '99999' }
    expect(tama.formsOf('delivery')).toEqual([
      { ...fields, status: 'Sent' },
      { ...fields, status: 'Success' },
    ])
    expect(emulator.inbox(awa)).toMatchObject([{ status: 'Success', reported: true }])
  })

  it('final words follow the mix, and the bad ones carry a reason', async () => {
    const tama = await startTama()
    const delivery = { mix: { Success: 1, Failed: 1, Rejected: 1, Expired: 1 }, intermediate: undefined }
    const { emulator, sms } = await startSdk({ ...calledBack(tama), delivery })
    for (let sent = 0; sent < 40; sent += 1) await sms.send({ to: [awa], message: 'a' })
    await emulator.settled()
    const forms = tama.formsOf('delivery')
    expect(forms).toHaveLength(40)
    expect([...new Set(forms.map((form) => form.status))].sort()).toEqual([
      'Expired',
      'Failed',
      'Rejected',
      'Success',
    ])
    for (const form of forms.filter((form) => form.status === 'Failed'))
      expect(form.failureReason).toBe('DeliveryFailure')
  })

  it('one network fails, until it is told otherwise; the others deliver', async () => {
    const tama = await startTama()
    const { emulator, sms } = await startSdk({ ...calledBack(tama), delivery: { intermediate: undefined } })
    const words = async () => {
      await sms.send({ to: ['+221781230001', '+221771230001'], message: 'a' })
      await emulator.settled()
      return ['+221781230001', '+221771230001'].map((to) => emulator.inbox(to).at(-1)?.status)
    }
    await emulator.setFaults({ lastWords: { '+22178': 'Failed' } })
    expect(await words()).toEqual(['Failed', 'Success'])
    await emulator.setFaults({})
    expect(await words()).toEqual(['Success', 'Success'])
    await expect(emulator.setFaults({ lastWords: { 78: 'Failed' } })).rejects.toThrow()
  })

  it('duplicates, reordering and loss happen to the ordered share', async () => {
    const tama = await startTama()
    const delivery = { duplicateShare: 1, reorderShare: 1, delayMs: [400, 400] as const }
    const twice = await startSdk({ ...calledBack(tama), delivery })
    await twice.sms.send({ to: [awa], message: 'a' })
    await twice.emulator.settled()
    expect(tama.formsOf('delivery').map((form) => form.status)).toEqual([
      'Success',
      'Success',
      'Sent',
      'Sent',
    ])
    expect(twice.emulator.inbox(awa)).toMatchObject([{ status: 'Success' }])
    const lost = await startSdk({ ...calledBack(tama), delivery: { lossShare: 1 } })
    await lost.sms.send({ to: [awa], message: 'a' })
    await lost.emulator.settled()
    expect(tama.formsOf('delivery')).toHaveLength(4)
    expect(lost.emulator.calls()).toMatchObject({ reports: 0, reportsLost: 2 })
    expect(lost.emulator.inbox(awa)).toMatchObject([{ status: 'Success', reported: false }])
  })

  it('a report that is not answered 200 is posted again until it is', async () => {
    let refusals = 2
    const tama = await startTama({ status: () => (refusals-- > 0 ? 503 : 200) })
    const { emulator, sms } = await startSdk({ ...calledBack(tama), delivery: { intermediate: undefined } })
    await sms.send({ to: [awa], message: 'a' })
    await emulator.settled()
    expect(tama.formsOf('delivery').map((form) => form.status)).toEqual(['Success', 'Success', 'Success'])
    expect(emulator.calls()).toMatchObject({ reports: 1, reportsRefused: 2 })
  })
})

describe('SMS from a phone', () => {
  it('is posted with the documented fields, twice under one id when ordered', async () => {
    const tama = await startTama()
    const emulator = newEmulator(calledBack(tama))
    expect(await emulator.sendSms(awa, '20880', 'STOP', 2)).toBe(true)
    const [first, second] = tama.formsOf('sms')
    expect(first).toEqual({
      date: '2026-11-22T09:00:00Z',
      from: awa,
      to: '20880',
      text: 'STOP',
      id: expect.any(String),
      networkCode: '99999',
    })
    expect(second).toEqual(first)
    expect(emulator.inbox(awa)).toMatchObject([{ direction: 'written', status: 'Success' }])
  })

  it('an opt-out at the network is called back and refuses further messages with 406', async () => {
    const tama = await startTama()
    const { emulator, sms } = await startSdk(calledBack(tama))
    await emulator.optOut(awa, 'FANSOTO')
    expect(tama.formsOf('opt-out')).toEqual([{ senderId: 'FANSOTO', phoneNumber: awa }])
    const answer = await sms.send({ to: [awa], message: 'a' })
    expect(answer.SMSMessageData.Recipients).toMatchObject([{ statusCode: 406 }])
  })
})

describe('USSD', () => {
  const echo = (form: Record<string, string>) =>
    form.text?.endsWith('9') === true ? 'END Bye' : `CON [${form.text}]`

  async function startPhone(options: Partial<EmulatorOptions> = {}, ussd: typeof echo = echo) {
    const tama = await startTama({ ussd })
    return { tama, emulator: newEmulator({ ...calledBack(tama), serviceCodes: ['*384*1#'], ...options }) }
  }

  it('the first text is empty, and every input is appended with a star as it was typed', async () => {
    const { tama, emulator } = await startPhone()
    const first = await emulator.dial(awa, '*384*1#')
    expect(first).toMatchObject({ text: '[]', open: true, septets: 4, source: 'application' })
    const sessionId = first.sessionId ?? ''
    expect(sessionId).toMatch(/^ATUid_[0-9a-f]{32}$/)
    await emulator.input(sessionId, '1')
    await emulator.input(sessionId, '2*3')
    await emulator.input(sessionId, '')
    expect(await emulator.input(sessionId, '#9')).toMatchObject({ text: 'Bye', open: false })
    expect(tama.formsOf('ussd').map((form) => form.text)).toEqual(['', '1', '1*2*3', '1*2*3*', '1*2*3**#9'])
    expect(tama.formsOf('ussd')[0]).toEqual({
      sessionId,
      phoneNumber: awa,
      networkCode: '99999',
      serviceCode: '*384*1#',
      text: '',
    })
  })

  it('a deep dial puts the rest of the code into the first text', async () => {
    const { tama, emulator } = await startPhone()
    const { sessionId } = await emulator.dial(awa, '*384*1*1*2#')
    await emulator.input(sessionId ?? '', '3')
    expect(tama.formsOf('ussd')).toMatchObject([
      { serviceCode: '*384*1#', text: '1*2' },
      { serviceCode: '*384*1#', text: '1*2*3' },
    ])
  })

  it('a code that nobody serves reaches nobody', async () => {
    const { tama, emulator } = await startPhone()
    expect(await emulator.dial(awa, '*384*12#')).toMatchObject({ source: 'failed', sessionId: undefined })
    expect(tama.received).toEqual([])
  })

  it('an END is notified as Success with its whole path', async () => {
    const { tama, emulator } = await startPhone()
    const { sessionId } = await emulator.dial(awa, '*384*1#')
    await emulator.input(sessionId ?? '', '9')
    await emulator.settled()
    expect(tama.formsOf('ussd-end')).toMatchObject([
      { sessionId, status: 'Success', hopsCount: '2', input: '9', lastAppResponse: 'END Bye' },
    ])
    expect(await emulator.input(sessionId ?? '', '1')).toMatchObject({ source: 'failed', open: false })
  })

  it.each([
    ['a reply without CON or END', { ussd: () => 'Hello' }],
    ['a reply with another status', { ussd: echo, status: () => 500 }],
  ])('%s ends the dialogue as Failed', async (_name, behaviour) => {
    const tama = await startTama(behaviour)
    const emulator = newEmulator({ ...calledBack(tama), retryDelaysMs: [] })
    expect(await emulator.dial(awa, '*384*1#')).toMatchObject({ source: 'failed', open: false })
    await emulator.settled()
    expect(tama.formsOf('ussd-end')).toMatchObject([{ status: 'Failed', errorMessage: 'Invalid reply' }])
  })

  it('a reply that comes too late ends the dialogue as Failed', async () => {
    const never = () => new Promise<string>(() => {})
    const tama = await startTama({ ussd: never })
    const emulator = newEmulator({ ...calledBack(tama), ussdReplyMs: 50 })
    expect(await emulator.dial(awa, '*384*1#')).toMatchObject({ source: 'failed' })
    await emulator.settled()
    expect(tama.formsOf('ussd-end')).toMatchObject([{ status: 'Failed', errorMessage: 'No reply in time' }])
  })

  it.each([
    ['hanging up', {}, (emulator: Emulator, sessionId: string) => emulator.hangUp(sessionId)],
    ['dialling again', {}, (emulator: Emulator) => emulator.dial(awa, '*384*1#')],
    ['saying nothing', { ussdIdleMs: 30 }, () => undefined],
    ['talking too long', { ussdSessionMs: 30 }, () => undefined],
  ])('%s ends the dialogue as Incomplete', async (_name, options, leave) => {
    const { tama, emulator } = await startPhone(options)
    const { sessionId } = await emulator.dial(awa, '*384*1#')
    await leave(emulator, sessionId ?? '')
    await vi.waitFor(() =>
      expect(tama.formsOf('ussd-end')).toMatchObject([{ sessionId, status: 'Incomplete' }]),
    )
    expect(emulator.callerOf(sessionId ?? '')).toBeUndefined()
  })
})
