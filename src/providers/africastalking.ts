// In: one text and its receivers. Out: what Africa's Talking said for each, in our words, through its official SDK.
// Must never send again what may have gone: only a connection that was never made, or a plain refusal, counts as "not sent".

import { randomUUID } from 'node:crypto'
import http from 'node:http'
import https from 'node:https'
import { createRequire } from 'node:module'
import { z } from 'zod'
import { SendError, type SendErrorCode } from '../errors.ts'

export interface SendCall {
  senderId: string
  text: string
  /** E.164, each once. */
  recipients: readonly string[]
}

export type RecipientResult = { msisdn: string } & (
  | {
      accepted: true
      providerMessageId: string | undefined
      cost?: { amount: string; currency: string }
      segments?: number
    }
  | {
      accepted: false
      error: SendError
      /** The receiver blocked us: an opt-out to record. */
      optOut: boolean
      /** The account, not the message, is at fault: stop sending for a while. */
      pauseLane: boolean
    }
)

export interface SmsProvider {
  name: string
  /** One call; resolves with a result for every recipient, rejects with a SendError that holds for all of them. */
  send(call: SendCall): Promise<RecipientResult[]>
  /** Recipients of one call. The providers publish no limit; small calls keep the event loop free. */
  recipientsMax: number
}

export interface AfricasTalkingOptions {
  username: string
  apiKey: string
  /** Without a path, for example https://api.africastalking.com. */
  baseUrl: string
  timeoutMs: number
  /** [100] */
  recipientsMax?: number
}

type RecipientFault = { code: SendErrorCode; optOut?: true; pauseLane?: true }

/**
 * What a recipient's statusCode means to us; 100 to 102 are acceptances.
 * https://developers.africastalking.com/docs/sms/sending/bulk ("status codes"); the classes are ours.
 */
const faultsByStatusCode: Readonly<Record<number, RecipientFault>> = {
  401: { code: 'send.rejected' }, // RiskHold
  402: { code: 'send.account', pauseLane: true }, // InvalidSenderId
  403: { code: 'send.number_invalid' }, // InvalidPhoneNumber
  404: { code: 'send.number_invalid' }, // UnsupportedNumberType
  405: { code: 'send.account', pauseLane: true }, // InsufficientBalance
  406: { code: 'send.blacklisted', optOut: true }, // UserInBlacklist
  407: { code: 'send.rejected' }, // CouldNotRoute
  409: { code: 'send.provider_retryable' }, // DoNotDisturbRejection: outside the hours that the network allows
  429: { code: 'send.throttled' },
  // The provider says for this receiver that it failed, so a second try cannot double it.
  500: { code: 'send.provider_retryable' }, // InternalServerError
  501: { code: 'send.provider_retryable' }, // GatewayError
  502: { code: 'send.rejected' }, // RejectedByGateway
}
const acceptedStatusCodes: ReadonlySet<number> = new Set([100, 101, 102])

/** Words of the answer's Message when it names no recipients; the same page. */
const faultsByMessage: readonly (readonly [RegExp, SendErrorCode])[] = [
  [/InvalidSenderId/i, 'send.account'],
  [/Insufficient\s*Balance/i, 'send.account'],
]

/**
 * Words of a delivery report. https://developers.africastalking.com/docs/sms/notifications ("status"). "Expired" there means that
 * the network discarded the message, not that our time for it was over.
 */
export const africasTalkingReportWords = {
  Sent: 'sent',
  Submitted: 'sent',
  Buffered: 'sent',
  Success: 'delivered',
  Failed: 'undelivered',
  Rejected: 'rejected',
  AbsentSubscriber: 'undelivered',
  Expired: 'undelivered',
} as const

/** Reasons in a delivery report that say that nobody has this number; the misspelt one is the provider's own. The same page. */
export const africasTalkingGoneReasons: ReadonlySet<string> = new Set([
  'UserDoesNotExist',
  'NotNetworkSubcriber',
  'NotNetworkSubscriber',
])

const recipientSchema = z.object({
  statusCode: z.number().int(),
  number: z.string(),
  messageId: z.string().optional(),
  cost: z.string().optional(),
  messageParts: z.number().int().positive().optional().catch(undefined),
})
const answerSchema = z.object({
  SMSMessageData: z.object({ Message: z.string().optional(), Recipients: z.array(z.unknown()) }),
})

type SdkModule = (options: { username: string; apiKey: string }) => {
  SMS: { send(call: { to: string[]; message: string; from: string }): Promise<unknown> }
  INSIGHTS: { checkSimSwapState(msisdns: string[]): Promise<unknown> }
}
interface AxiosConfig {
  url?: string
  headers: { get(name: string): unknown; set(name: string, value: string): void }
  [setting: string]: unknown
}
interface AxiosModule {
  interceptors: { request: { use(intercept: (config: AxiosConfig) => AxiosConfig): void } }
}
interface SdkCommon {
  phoneUtil: { isValidNumber(msisdn: string): boolean }
}

// The SDK takes neither a base URL nor a timeout, and keeps both in modules of its own, which are reached here by its package.
const sdkRequire = createRequire(createRequire(import.meta.url).resolve('africastalking/package.json'))
const sdkModule = sdkRequire('./index.js') as SdkModule
const sdkCommon = sdkRequire('./lib/common.js') as SdkCommon
const sdkAxios = sdkRequire('axios') as AxiosModule

interface Instance {
  apiKey: string
  url: string
  timeoutMs: number
  settings: Record<string, unknown>
}

/**
 * Instances by the token that each hands to the SDK in place of its key. The key's header is the one thing that the SDK carries
 * untouched from an instance into its request, so the request can be told apart here and nothing global has to change:
 * several base URLs live in one process, and other users of axios are left alone.
 */
const instances = new Map<string, Instance>()
sdkAxios.interceptors.request.use((config) => {
  const instance = instances.get(String(config.headers.get('apikey')))
  if (instance === undefined) return config
  config.headers.set('apikey', instance.apiKey)
  // axios' own timeout starts again with every byte; this one holds for the whole call.
  const signal = AbortSignal.timeout(instance.timeoutMs)
  return Object.assign(config, instance.settings, { url: instance.url, signal })
})

/** Bytes of an answer that we read; 1,000 recipients take about 150 kB. */
const answerBytesMax = 1_000_000
/** Shorter than the keep-alive time of common servers, so that we do not write into a connection that is being closed. */
const idleSocketMs = 4_000

export function createAfricasTalking(options: AfricasTalkingOptions): SmsProvider {
  const { SMS } = sdkFor(options, `${options.baseUrl.replace(/\/+$/, '')}/version1/messaging`)

  return {
    name: 'africastalking',
    recipientsMax: options.recipientsMax ?? 100,
    async send({ senderId, text, recipients }) {
      // The SDK refuses the whole call for one number that it does not know, so such numbers stay out of it.
      const valid = recipients.filter(isKnownNumber)
      const refused = recipients
        .filter((msisdn) => !valid.includes(msisdn))
        .map((msisdn) => fault(msisdn, { code: 'send.number_invalid' }))
      if (valid.length === 0) return refused
      let answer: unknown
      try {
        answer = await SMS.send({ to: valid, message: text, from: senderId })
      } catch (cause) {
        throw callError(cause)
      }
      return [...readAnswer(answer, valid), ...refused]
    },
  }
}
/** The SDK with our key, address and time limit. */
export function sdkFor(options: AfricasTalkingOptions, url: string): ReturnType<SdkModule> {
  const token = `instance-${randomUUID()}`
  const agentOptions = {
    keepAlive: true,
    maxSockets: 256,
    scheduling: 'lifo' as const,
    timeout: idleSocketMs,
  }
  instances.set(token, {
    apiKey: options.apiKey,
    url,
    timeoutMs: options.timeoutMs,
    settings: {
      timeout: options.timeoutMs,
      httpAgent: new http.Agent(agentOptions),
      httpsAgent: new https.Agent(agentOptions),
      // A redirect would post the message again, and a proxy from the environment is not ours to follow.
      maxRedirects: 0,
      proxy: false,
      maxContentLength: answerBytesMax,
      transitional: { clarifyTimeoutError: true, silentJSONParsing: false, forcedJSONParsing: true },
      responseType: 'json',
    },
  })
  return sdkModule({ username: options.username, apiKey: token })
}
function isKnownNumber(msisdn: string): boolean {
  try {
    return sdkCommon.phoneUtil.isValidNumber(msisdn)
  } catch {
    return false
  }
}

function fault(msisdn: string, { code, optOut, pauseLane }: RecipientFault): RecipientResult {
  return {
    msisdn,
    accepted: false,
    error: new SendError(code),
    optOut: optOut === true,
    pauseLane: pauseLane === true,
  }
}

/** Results for every number we asked for. One that the answer does not name may or may not have gone. */
function readAnswer(answer: unknown, asked: readonly string[]): RecipientResult[] {
  const parsed = answerSchema.safeParse(answer)
  if (!parsed.success) throw new SendError('send.broken_answer')
  const { Message, Recipients } = parsed.data.SMSMessageData
  if (Recipients.length === 0) throw new SendError(codeOfMessage(Message))
  const byNumber = new Map<string, RecipientResult>()
  for (const entry of Recipients) {
    const recipient = recipientSchema.safeParse(entry)
    if (recipient.success) byNumber.set(recipient.data.number, readRecipient(recipient.data))
  }
  return asked.map((msisdn) => byNumber.get(msisdn) ?? fault(msisdn, { code: 'send.broken_answer' }))
}

function codeOfMessage(message: string | undefined): SendErrorCode {
  const known = faultsByMessage.find(([pattern]) => pattern.test(message ?? ''))
  return known?.[1] ?? 'send.no_recipients'
}

function readRecipient(recipient: z.infer<typeof recipientSchema>): RecipientResult {
  const { number, statusCode, messageId, cost, messageParts } = recipient
  if (!acceptedStatusCodes.has(statusCode)) {
    // A code that the table does not know says neither yes nor no.
    return fault(number, faultsByStatusCode[statusCode] ?? { code: 'send.broken_answer' })
  }
  const price = /^([A-Z]{3}) (\d+(?:\.\d+)?)$/.exec(cost ?? '')
  return {
    msisdn: number,
    accepted: true,
    providerMessageId:
      messageId === undefined || messageId === 'None' || messageId === '' ? undefined : messageId,
    ...(price?.[1] === undefined || price[2] === undefined
      ? {}
      : { cost: { currency: price[1], amount: price[2] } }),
    ...(messageParts === undefined ? {} : { segments: messageParts }),
  }
}

/** What axios and Node attach to an error; all of it optional. */
const causeSchema = z.object({
  code: z.string().optional().catch(undefined),
  syscall: z.string().optional().catch(undefined),
  response: z.object({ status: z.number() }).optional().catch(undefined),
  cause: z
    .object({ syscall: z.string().optional().catch(undefined) })
    .optional()
    .catch(undefined),
})

/** Faults of the connection itself, before the first byte of a request could leave. https://nodejs.org/api/errors.html */
const neverConnected = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
])
const timeouts = new Set(['ETIMEDOUT', 'ECONNABORTED', 'ERR_CANCELED'])

function callError(cause: unknown): SendError {
  const parsed = causeSchema.safeParse(cause)
  // The SDK rejects with the bare body when the status is another 2xx than 201: it was taken, and we cannot read how.
  if (!(cause instanceof Error) || !parsed.success) return new SendError('send.broken_answer')
  const { code, syscall, response, cause: inner } = parsed.data
  if (response !== undefined) return new SendError(codeOfHttpStatus(response.status))
  const step = syscall ?? inner?.syscall
  if (code !== undefined && neverConnected.has(code)) return new SendError('send.refused_connection')
  if (step === 'connect' || step === 'getaddrinfo') return new SendError('send.refused_connection')
  if (code !== undefined && timeouts.has(code)) return new SendError('send.timeout')
  return new SendError('send.broken_answer')
}

/** https://developers.africastalking.com/docs/errors; a refusal with a 4xx status took nothing, a 5xx may have. */
function codeOfHttpStatus(status: number): SendErrorCode {
  if (status === 401 || status === 403) return 'send.unauthorised'
  if (status === 402) return 'send.account'
  if (status === 409) return 'send.provider_retryable'
  if (status === 408) return 'send.timeout'
  if (status === 429) return 'send.throttled'
  if (status >= 400 && status < 500) return 'send.request_invalid'
  if (status >= 500) return 'send.server_error'
  return 'send.broken_answer'
}
