// In: the provider's callbacks. Out: 200 with the answer; 404 for a wrong secret, 503 while none is set, 400 that names the field (USSD: END in plain words).
// Must never log or echo a path, a text or a body: the path holds the secret, the text may hold a PIN.
import { hash, timingSafeEqual } from 'node:crypto'
import express, { type Request, type RequestHandler, type Response, Router } from 'express'
import { z } from 'zod'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { AddressCheck } from './addresses.ts'
import type { ProgrammeSecrets } from './callback-secrets.ts'
import { problemOf, retryAfterSeconds } from './problem.ts'

/** AT's fields are short; a USSD text of 2,000 characters in percent-encoding is 18 kB at most. */
const bodyBytesMax = 32_768

const msisdn = z.string().regex(/^\+[1-9]\d{6,14}$/, 'must be a phone number in E.164 form')
// No control characters: PostgreSQL takes no NUL, and none belongs in an id.
const identifier = z.string().regex(/^[^\p{Cc}]{1,200}$/u, 'must be 1 to 200 printable characters')
const word = z.string().regex(/^[^\p{Cc}]{1,120}$/u, 'must be 1 to 120 printable characters')
const networkCode = z
  .string()
  .regex(/^\w{0,20}$/)
  .optional()

const ussdSchema = z.object({
  sessionId: identifier,
  phoneNumber: msisdn,
  networkCode,
  serviceCode: z.string().regex(/^\*[\d*]{1,30}#?$/, 'must look like *384*1#'),
  text: z.string().max(4_000),
})
const ussdEndSchema = z.object({
  sessionId: identifier,
  phoneNumber: msisdn,
  serviceCode: z.string().max(40),
  status: word,
})
const smsSchema = z.object({
  date: z.string().max(40),
  // A name ("Wave") or a short code may write to us too: taken and remembered, never answered. Refused, it would come again.
  from: word,
  id: identifier,
  linkId: z.string().max(200).optional(),
  text: z.string().max(4_000),
  to: word,
})
/** Only the id is needed: a report that is refused for another field is lost, and the id says whose it is. */
const deliverySchema = z.object({
  id: identifier,
  status: word.catch('unreadable'),
  phoneNumber: msisdn.optional().catch(undefined),
  networkCode: networkCode.catch(undefined),
  failureReason: word.optional().catch(undefined),
})
const optOutSchema = z.object({ senderId: word, phoneNumber: msisdn })

const simSwapSchema = z.object({
  requestId: identifier,
  status: word,
  lastSimSwapDate: z.string().max(40).optional(),
})

export type UssdFields = z.infer<typeof ussdSchema>
export type UssdEndFields = z.infer<typeof ussdEndSchema>
export type SmsFields = z.infer<typeof smsSchema>
export type DeliveryFields = z.infer<typeof deliverySchema>
export type OptOutFields = z.infer<typeof optOutSchema>
export type SimSwapFields = z.infer<typeof simSwapSchema>

/** `only` names the one programme that the caller's secret opens; undefined: the secret is the house's own and opens all. */
export interface CallbackHandlers {
  ussd(fields: UssdFields, only?: string): Promise<string>
  /** What a dialogue hears whose callback cannot be read: "END" and plain words. */
  ussdMalformed(): string
  ussdEnd(fields: UssdEndFields, only?: string): Promise<void>
  sms(fields: SmsFields, only?: string): Promise<void>
  delivery(fields: DeliveryFields, only?: string): Promise<void>
  optOut(fields: OptOutFields, only?: string): Promise<void>
  /** Only where SIMs are asked for. */
  simSwap?(fields: SimSwapFields, only?: string): Promise<void>
}

export interface CallbackOptions {
  /** The house's own, which opens the callbacks of all programmes. */
  secret: string | undefined
  programmeSecrets?: ProgrammeSecrets
  /** Whence callbacks may come [anywhere]. */
  isAllowed?: AddressCheck
  handlers: CallbackHandlers
  logger: Logger
  metrics: Metrics
}

/** Router for `/callbacks/africastalking/:secret/...`. */
export function createCallbacks(options: CallbackOptions): Router {
  const { handlers, logger, metrics } = options
  const router = Router()
  const guard = createGuard(options)
  // Read as bytes: a wrong encoding must be seen, not repaired into question marks.
  const body = express.raw({ type: () => true, limit: bodyBytesMax })

  const route = <Fields>(
    name: string,
    schema: FormSchema<Fields>,
    work: (fields: Fields, only: string | undefined) => Promise<string>,
    malformed?: () => string,
    read: typeof readForm = readForm,
  ) => {
    router.post(`/callbacks/africastalking/:secret/${name}`, guard, body, (request, response) => {
      const form = read(request, schema)
      if ('fault' in form) {
        metrics.requests.inc({ route: name, status: 'malformed' })
        logger.info({ event: 'callback.malformed', route: name, field: form.field })
        if (malformed === undefined) plain(response, 400, form.fault)
        else plain(response, 200, malformed())
        return
      }
      work(form.fields, response.locals.only as string | undefined).then(
        (answer) => {
          metrics.requests.inc({ route: name, status: '200' })
          plain(response, 200, answer)
        },
        (error: unknown) => {
          // Anything but 200 makes the provider try again, which is what an outage on our side needs.
          const status = problemOf(error).status === 503 ? 503 : 500
          metrics.requests.inc({ route: name, status: String(status) })
          logger.error({ event: 'callback.failed', route: name, code: errorCode(error) })
          if (status === 503) response.setHeader('retry-after', String(retryAfterSeconds))
          plain(response, status, 'Try again later')
        },
      )
    })
  }
  const silent =
    <Fields>(work: (fields: Fields, only: string | undefined) => Promise<void>) =>
    (fields: Fields, only: string | undefined) =>
      work(fields, only).then(() => '')

  route('ussd', ussdSchema, handlers.ussd, handlers.ussdMalformed)
  route('ussd-end', ussdEndSchema, silent(handlers.ussdEnd))
  route('sms', smsSchema, silent(handlers.sms))
  route('delivery', deliverySchema, silent(handlers.delivery))
  route('opt-out', optOutSchema, silent(handlers.optOut))
  // The insights API posts JSON where the others post forms.
  const { simSwap } = handlers
  if (simSwap !== undefined) route('sim-swap', simSwapSchema, silent(simSwap), undefined, readJson)

  // Too large, broken off, or an encoding that we do not take: the same words as for any unreadable callback.
  router.use(((
    error: { status?: number },
    request: Request,
    response: Response,
    next: (error?: unknown) => void,
  ) => {
    if (!request.path.startsWith('/callbacks/')) return next(error)
    // A secret that cannot even be decoded is a wrong one.
    if (response.locals.isProvider !== true) return plain(response, 404, 'Not found')
    const status = error.status ?? 500
    metrics.requests.inc({ route: 'callback', status: status < 500 ? 'malformed' : '500' })
    logger.info({ event: 'callback.unreadable', status })
    if (request.path.endsWith('/ussd') && status < 500) plain(response, 200, handlers.ussdMalformed())
    else if (status === 413) plain(response, 413, `body: is larger than ${bodyBytesMax} bytes`)
    else plain(response, status, 'body: cannot be read')
  }) as express.ErrorRequestHandler)
  return router
}

/**
 * Lets a provider in that knows a secret; only hashes of one length are compared, and all of them, so that the time taken tells nothing
 * about any. A wrong secret and a wrong address get the same answer as an address that does not exist.
 */
function createGuard({ secret, programmeSecrets, isAllowed, logger }: CallbackOptions): RequestHandler {
  const houseHash = secret === undefined ? undefined : sha256(secret)
  return async (request, response, next) => {
    if (isAllowed?.(request.ip) === false) {
      logger.warn({ event: 'callback.address_refused' })
      return plain(response, 404, 'Not found')
    }
    const hash = sha256(String(request.params.secret))
    if (houseHash === undefined || !timingSafeEqual(hash, houseHash)) {
      const found = (await programmeSecrets?.find(hash)) ?? 'none_set'
      if (found === 'wrong' || (found === 'none_set' && houseHash !== undefined))
        return plain(response, 404, 'Not found')
      // Open to nobody rather than to all; the provider tries again.
      if (typeof found === 'string') return plain(response, 503, 'Callbacks are closed')
      response.locals.only = found.programmeId
    }
    response.locals.isProvider = true
    next()
  }
}

function sha256(text: string): Buffer {
  return hash('sha256', text, 'buffer')
}

function plain(response: Response, status: number, text: string): void {
  response.statusCode = status
  response.setHeader('content-type', 'text/plain; charset=utf-8')
  response.end(text)
}

type FormSchema<Fields> = z.ZodType<Fields> & { shape: object }
type Form<Fields> = { fields: Fields } | { fault: string; field: string }

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/** Reads a form body; a field that is missing, doubled, wrong or not UTF-8 is named. */
export function readForm<Fields>(request: Request, schema: FormSchema<Fields>): Form<Fields> {
  const type = request.headers['content-type'] ?? ''
  if (!type.startsWith('application/x-www-form-urlencoded'))
    return { field: 'content-type', fault: 'content-type: must be application/x-www-form-urlencoded' }
  const values = Object.create(null) as Record<string, string>
  const bytes = request.body as Buffer | undefined
  let text: string
  try {
    text = strictUtf8.decode(bytes ?? new Uint8Array())
  } catch {
    return { field: 'body', fault: 'body: is not UTF-8' }
  }
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const at = pair.indexOf('=')
    const name = decode(at < 0 ? pair : pair.slice(0, at))
    const value = decode(at < 0 ? '' : pair.slice(at + 1))
    if (name === undefined) return { field: 'body', fault: 'body: a field name is wrongly encoded' }
    // A name is logged and echoed, so only our own: a member's input could be taken for one.
    if (!Object.hasOwn(schema.shape, name)) continue
    if (value === undefined) return { field: name, fault: `${name}: is wrongly encoded` }
    if (Object.hasOwn(values, name)) return { field: name, fault: `${name}: is given twice` }
    values[name] = value
  }
  const parsed = schema.safeParse(values)
  if (parsed.success) return { fields: parsed.data }
  const issue = parsed.error.issues[0]
  const field = String(issue?.path[0] ?? 'body')
  return {
    field,
    fault: `${field}: ${values[field] === undefined ? 'is missing' : (issue?.message ?? 'is wrong')}`,
  }
}

/** Reads a JSON body; a field that is missing or wrong is named. */
function readJson<Fields>(request: Request, schema: FormSchema<Fields>): Form<Fields> {
  let value: unknown
  try {
    value = JSON.parse(strictUtf8.decode((request.body as Buffer | undefined) ?? new Uint8Array()))
  } catch {
    return { field: 'body', fault: 'body: is not JSON' }
  }
  const parsed = schema.safeParse(value)
  if (parsed.success) return { fields: parsed.data }
  const field = String(parsed.error.issues[0]?.path[0] ?? 'body')
  return { field, fault: `${field}: is missing or wrong` }
}

function decode(text: string): string | undefined {
  // Most names and values are plain.
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
