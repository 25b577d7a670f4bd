// In: HTTP as the official SDK speaks it, and orders to fail. Out: documented answers, or the failure that was ordered.
import { timingSafeEqual } from 'node:crypto'
import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import { z } from 'zod'
import { type FaultState, type Faults, type FaultsInput, faultsSchema } from './faults.ts'
import { type Messaging, sendCallSchema } from './messaging.ts'

const simCallSchema = z.object({
  username: z.string(),
  phoneNumbers: z
    .array(z.string().regex(/^\+\d{7,15}$/))
    .min(1)
    .max(100),
})

export interface EndpointDeps {
  username: string
  apiKey: string
  faults: FaultState
  messaging: Messaging
  setFaults(input: FaultsInput): Promise<void>
  /** Takes a question about a number's SIM and gives its name; the answer goes to the callback. */
  askSim(msisdn: string): string
  /** What GET /emulator shows. */
  overview(): Record<string, unknown>
  pause(ms: number): Promise<void>
  counted(event: 'messagingCalls' | 'userCalls' | 'unauthorised' | 'recipients' | 'accepted'): void
}

export function createEndpoints(deps: EndpointDeps): Router {
  const { faults, messaging, counted } = deps

  const isAuthorised = (request: Request, username: unknown) =>
    isSameText(request.get('apikey') ?? '', deps.apiKey) && username === deps.username

  function refuseKey(response: Response): void {
    counted('unauthorised')
    response.status(401).type('text/plain').send('The supplied authentication is invalid')
  }

  async function answerSend(request: Request, response: Response): Promise<void> {
    counted('messagingCalls')
    const outage = faults.takeOutage()
    const { slowMs, outageAfterAccept } = faults.current()
    if (slowMs > 0) await deps.pause(slowMs)
    if (outage !== undefined && !outageAfterAccept) failCall(outage, response)
    else takeCall(request, response, outage)
  }

  function takeCall(request: Request, response: Response, outage: Faults['outage']): void {
    const call = sendCallSchema.safeParse(request.body)
    if (!call.success) {
      const fields = call.error.issues.map((issue) => issue.path.join('.') || 'body').join(', ')
      response.status(400).type('text/plain').send(`Request is missing required form field: ${fields}`)
      return
    }
    if (!isAuthorised(request, call.data.username)) {
      refuseKey(response)
      return
    }
    const answer = messaging.send(call.data, faults.current())
    for (const { statusCode } of answer.SMSMessageData.Recipients) {
      counted('recipients')
      if (statusCode <= 102) counted('accepted')
    }
    if (outage === undefined) response.status(201).json(answer)
    else failCall(outage, response)
  }

  function answerUser(request: Request, response: Response): void {
    counted('userCalls')
    if (isAuthorised(request, request.query.username))
      response.json({ UserData: { balance: messaging.balance() } })
    else refuseKey(response)
  }

  /** As the SDK's insights speak: JSON in, a name for each question out. */
  function answerSimSwap(request: Request, response: Response): void {
    const call = simCallSchema.safeParse(request.body)
    if (!call.success) response.status(400).type('text/plain').send('Bad request')
    else if (!isAuthorised(request, call.data.username)) refuseKey(response)
    else
      response.status(201).json({
        status: 'Processed',
        responses: call.data.phoneNumbers.map((phoneNumber) => ({
          phoneNumber,
          requestId: deps.askSim(phoneNumber),
          status: 'Queued',
        })),
      })
  }

  async function answerSetFaults(request: Request, response: Response): Promise<void> {
    const parsed = faultsSchema.safeParse(request.body)
    const issues = (parsed.error?.issues ?? []).map((issue) => `${issue.path.join('.')}: ${issue.message}`)
    // A refusal without an end could never be taken back through the port that it shuts.
    if (parsed.data?.outage === 'refuse' && parsed.data.outageMs === undefined)
      issues.push('outageMs: a refusal that is set over HTTP needs an end')
    if (parsed.data === undefined || issues.length > 0) {
      response.status(400).json({ issues })
      return
    }
    const wanted = parsed.data
    response.once('finish', () => void deps.setFaults(wanted))
    response.json(wanted)
  }

  // Before the body is read: as near to "nobody listens" as a shared port can come.
  function refuseEarly(_request: Request, response: Response, next: NextFunction): void {
    if (faults.current().outage === 'refuse') failCall(faults.takeOutage(), response)
    else next()
  }

  const form = express.urlencoded({ extended: false, limit: '1mb' })
  const json = express.json({ limit: '100kb' })
  return express
    .Router()
    .post('/version1/messaging', refuseEarly, form, answerSend)
    .get('/version1/user', answerUser)
    .post('/v1/sim-swap', refuseEarly, json, answerSimSwap)
    .get('/emulator', (_request, response) => {
      response.json(deps.overview())
    })
    .post('/emulator/faults', json, answerSetFaults)
}

function failCall(outage: Faults['outage'], response: Response): void {
  if (outage === 'hang') return
  if (outage === 'refuse' || outage === 'reset') response.socket?.destroy()
  else if (outage === 'garbage') response.status(201).type('text/html').send('<html>It works!</html>')
  else if (outage === 'no_recipients')
    response.status(201).json({ SMSMessageData: { Message: 'InsufficientCredit', Recipients: [] } })
  else if (outage === 'unavailable_503') response.status(503).type('text/plain').send('Service Unavailable')
  else if (outage === 'throttle_429') response.status(429).type('text/plain').send('Too Many Requests')
  else response.status(500).type('text/plain').send('Internal Server Error')
}

function isSameText(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)]
  return left.length === right.length && timingSafeEqual(left, right)
}
