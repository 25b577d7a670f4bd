// In: the HTTP that Africa's Talking's SDK speaks, and what emulated members do. Out: answers, callbacks, inboxes, a bill.
// Must never reach a real network: it is for the demo, training and tests.
import { randomInt } from 'node:crypto'
import express, { type NextFunction, type Request, type Response } from 'express'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { measureSms } from '../encoding.ts'
import { InvariantError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { createDelivery, type DeliveryOptions } from './delivery.ts'
import { createDialogues } from './dialogues.ts'
import { createEndpoints } from './endpoints.ts'
import { createFaultState, type Faults, type FaultsInput, parseFaults } from './faults.ts'
import { createHandsets, type Handsets, type PhoneMessage } from './handsets.ts'
import { createListener, type Listener } from './listener.ts'
import { createMessaging } from './messaging.ts'
import { createPoster, type Poster } from './poster.ts'
import { createRandom, type Random } from './random.ts'

export interface EmulatorOptions {
  clock: Clock
  logger: Logger
  username: string
  apiKey: string
  /** Where Tama's callbacks are, without the path, and the secret in it; both can be set later by setCallbacks(). */
  callbackBaseUrl?: string
  callbackSecret?: string
  /** Makes ids, delays and chances reproducible; without it message ids differ from run to run, as a kept database needs. */
  seed?: number
  /** Codes that lead to Tama, for example ["*384*1#"] [any code does]. */
  serviceCodes?: readonly string[]
  delivery?: DeliveryOptions
  /** Pauses before each further try of a callback [1 s, 5 s, 30 s, 2 min, 5 min]. */
  retryDelaysMs?: readonly number[]
  /** ["KES"] */
  currency?: string
  /** Decimal text a segment ["0.8000"]. */
  segmentCost?: string
  /** Decimal text ["1000000"]. */
  balance?: string
  /** Sender IDs of the account [all]. */
  senderIds?: readonly string[]
  /** Put by the network behind the first message of a sender to a subscriber [none]. */
  optOutTail?: string
  /** Network code in callbacks ["99999", Africa's Talking's own test network]. */
  networkCode?: string
  /** Messages kept a phone [50] and phones kept [20,000]. */
  messagesMax?: number
  phonesMax?: number
  /** USSD timers: customer's answer [30 s], whole dialogue [180 s], application's reply [15 s]. */
  ussdIdleMs?: number
  ussdSessionMs?: number
  ussdReplyMs?: number
}

export type Emulator = ReturnType<typeof createEmulator>

const noCounts = {
  messagingCalls: 0,
  userCalls: 0,
  unauthorised: 0,
  /** Recipients in answered calls, and those of them that were taken. */
  recipients: 0,
  accepted: 0,
  /** Delivery reports answered 200, answered otherwise, and held back on purpose. */
  reports: 0,
  reportsRefused: 0,
  reportsLost: 0,
  inbound: 0,
  /** USSD callbacks made, and dialogues begun. */
  hops: 0,
  dialogues: 0,
}
type Counts = typeof noCounts

interface Parts {
  options: EmulatorOptions
  random: Random
  handsets: Handsets
  poster: Poster
  networkCode: string
  counted(event: keyof Counts): void
}

export function createEmulator(options: EmulatorOptions) {
  const { clock, logger, networkCode = '99999', messagesMax = 50, phonesMax = 20_000 } = options
  const counts = { ...noCounts }
  const parts: Parts = {
    options,
    networkCode,
    random: createRandom(options.seed ?? randomInt(2 ** 32 - 1)),
    handsets: createHandsets({ messagesMax, phonesMax }),
    poster: createPoster({ logger, retryDelaysMs: options.retryDelaysMs }),
    counted: (event) => {
      counts[event] += 1
    },
  }
  const { poster, handsets } = parts
  const outages = createOutages(poster)
  const messaging = buildMessaging(parts, outages.faults.current)
  const dialogues = buildDialogues(parts)
  const sims = createSims(parts)
  const router = createEndpoints({
    username: options.username,
    apiKey: options.apiKey,
    faults: outages.faults,
    messaging,
    setFaults: outages.set,
    askSim: sims.ask,
    overview: () => ({ faults: outages.faults.current(), calls: counts, bill: messaging.bill() }),
    pause: (ms) => new Promise((resolve) => poster.later(ms, resolve)),
    counted: parts.counted,
  })

  function setCallbacks(baseUrl: string, secret: string): void {
    poster.setBase(`${baseUrl.replace(/\/$/, '')}/callbacks/africastalking/${secret}`)
  }
  if (options.callbackBaseUrl !== undefined && options.callbackSecret !== undefined)
    setCallbacks(options.callbackBaseUrl, options.callbackSecret)

  return {
    /** The provider's endpoints and `/emulator`, `/emulator/faults`, to be mounted at the root of a server. */
    router,
    /** Listens on its own port of 127.0.0.1 (0: a free one); resolves to the base URL. */
    async listen(port: number): Promise<string> {
      const app = express().disable('x-powered-by').use(router).use(answerError)
      return `http://127.0.0.1:${await outages.listen(createListener(app, port))}`
    },
    /** Ends timers, callbacks under way and the own server. */
    async close(): Promise<void> {
      poster.close()
      await outages.close()
    },
    setCallbacks,
    /** Replaces all faults; what is not named is healthy. Throws a ZodError for wrong ones. */
    setFaults: (input: FaultsInput) => outages.set(input),
    faults: outages.faults.current,
    /** Counts since the start. */
    calls: (): Readonly<Counts> => ({ ...counts }),
    bill: messaging.bill,
    balance: messaging.balance,
    /** Last messages of a phone, received and written, oldest first. */
    inbox: handsets.list,
    /** Calls the listener with the number whose inbox or dialogue changed; the result ends that. */
    onChange: handsets.onChange,
    dial: dialogues.dial,
    input: dialogues.input,
    hangUp: dialogues.hangUp,
    callerOf: dialogues.callerOf,
    sessionOf: dialogues.sessionOf,
    /** A member writes an SMS to a short code; `copies` above 1 post the same id again. Resolves to whether one was answered 200. */
    sendSms: (from: string, to: string, text: string, copies = 1) =>
      writeSms(parts, clock, { from, to, text, copies }),
    /** The subscriber blocks a sender at the network: 406 from now on, and the opt-out callback. */
    async optOut(msisdn: string, senderId: string): Promise<boolean> {
      messaging.optOut(msisdn)
      return poster.deliver('opt-out', { senderId, phoneNumber: msisdn })
    },
    optIn: messaging.optIn,
    /** The number got a new SIM on this day, "24-11-2026"; "01-01-1900" takes it back. */
    swapSim: sims.swap,
    /** Resolves when no delivery report or other callback is planned or under way. */
    settled: poster.settled,
  }
}

function buildMessaging(
  { options, random, handsets, poster, networkCode, counted }: Parts,
  current: () => Faults,
) {
  const { clock } = options
  return createMessaging({
    clock,
    random,
    handsets,
    deliver: createDelivery({
      clock,
      handsets,
      poster,
      random,
      networkCode,
      counted,
      options: options.delivery ?? {},
      lastWord: (msisdn) =>
        Object.entries(current().lastWords).find(([start]) => msisdn.startsWith(start))?.[1],
    }),
    options: {
      currency: options.currency ?? 'KES',
      segmentCost: options.segmentCost ?? '0.8000',
      balance: options.balance ?? '1000000',
      senderIds: options.senderIds,
      optOutTail: options.optOutTail,
      subscribersMax: 200_000,
    },
  })
}

function buildDialogues({ options, random, handsets, poster, networkCode, counted }: Parts) {
  return createDialogues({
    clock: options.clock,
    logger: options.logger,
    poster,
    random,
    changed: handsets.changed,
    counted,
    options: {
      serviceCodes: options.serviceCodes ?? [],
      networkCode,
      idleMs: options.ussdIdleMs ?? 30_000,
      sessionMs: options.ussdSessionMs ?? 180_000,
      replyMs: options.ussdReplyMs ?? 15_000,
    },
  })
}

/** A number's SIM is its first one until swap() says otherwise. */
function createSims({ random, poster }: Parts) {
  const never = '01-01-1900'
  const swaps = new Map<string, string>()
  return {
    swap: (msisdn: string, day: string) => {
      swaps.set(msisdn, day)
    },
    ask(msisdn: string): string {
      const requestId = `ATSwpid_${random.hex(32)}`
      const lastSimSwapDate = swaps.get(msisdn) ?? never
      const status = lastSimSwapDate === never ? 'NotSwapped' : 'Swapped'
      if (poster.hasBase())
        poster.plan(0, () => poster.deliver('sim-swap', { requestId, status, lastSimSwapDate }))
      return requestId
    },
  }
}

/** Faults and the own port together: the outage "refuse" shuts the port until it is over. */
function createOutages(poster: Poster) {
  const faults = createFaultState()
  let listener: Listener | undefined
  let timer: NodeJS.Timeout | undefined

  async function openOrShut(): Promise<void> {
    if (listener === undefined) return
    const isRefused = faults.current().outage === 'refuse'
    if (isRefused && listener.isOpen()) await listener.shut()
    else if (!isRefused && !listener.isOpen()) await listener.open()
  }

  return {
    faults,
    async set(input: FaultsInput): Promise<void> {
      const next = parseFaults(input)
      faults.replace(next)
      poster.cancel(timer)
      const end = () => {
        faults.endOutage()
        void openOrShut()
      }
      timer = next.outageMs === undefined ? undefined : poster.later(next.outageMs, end)
      await openOrShut()
    },
    async listen(created: Listener): Promise<number> {
      if (listener !== undefined) throw new InvariantError('The emulator already listens')
      listener = created
      return created.open()
    },
    async close(): Promise<void> {
      if (listener?.isOpen()) await listener.shut()
      listener = undefined
    },
  }
}

async function writeSms(
  { random, handsets, poster, networkCode, counted }: Parts,
  clock: Clock,
  { from, to, text, copies }: { from: string; to: string; text: string; copies: number },
): Promise<boolean> {
  counted('inbound')
  const at = clock.now()
  const { encoding, segments } = measureSms(text)
  const message: PhoneMessage = {
    id: random.hex(32),
    direction: 'written',
    peer: to,
    text,
    encoding,
    segments,
    at,
    status: 'Sent',
    history: [{ status: 'Sent', at }],
    reported: false,
    cost: undefined,
  }
  handsets.add(from, message)
  const form = { date: `${at.toISOString().slice(0, 19)}Z`, from, id: message.id, text, to, networkCode }
  const heard = await Promise.all(Array.from({ length: copies }, () => poster.deliver('sms', form)))
  if (!heard.includes(true)) return false
  handsets.setStatus(from, message, 'Success', clock.now())
  handsets.setReported(from, message)
  return true
}

/** Body parsers fail with a status; nothing of the body is repeated. */
function answerError(error: unknown, _request: Request, response: Response, _next: NextFunction): void {
  const parsed = z.object({ status: z.int() }).safeParse(error)
  response
    .status(parsed.success ? parsed.data.status : 500)
    .type('text/plain')
    .send('Bad request')
}
