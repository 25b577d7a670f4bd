// In: a browser. Out: a basic phone on the emulated network, its inbox, and what became of each message.
// Must never serve a number that is not on the demo's own list, and never be mounted in production.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import express, { type NextFunction, type Request, type Response, type Router } from 'express'
import helmet from 'helmet'
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { PhoneChoice } from './demo-phones.ts'
import type { Emulator } from './emulator.ts'
import { faultsSchema } from './faults.ts'
import type { Repayment } from './repay.ts'
import type { TrailMessage } from './trail.ts'
import type { Transcripts } from './transcript.ts'

export interface PhoneDeps {
  emulator: Emulator
  clock: Clock
  logger: Logger
  /** The phones a visitor may choose; asked once, and again while it gives none. */
  phones(): Promise<PhoneChoice[]>
  /** Each phone's last dialogue, to be saved as a test. */
  transcripts: Transcripts
  /** Last messages of a number in Tama's tables: trail.ts. */
  messageTrail(msisdn: string): Promise<TrailMessage[]>
  /** Posts a repayment for the number's holder: repay.ts. */
  repayDemo(msisdn: string): Promise<Repayment>
}

const pageFiles = [
  ['/', 'phone.html', 'html'],
  ['/phone.css', 'phone.css', 'css'],
  ['/trail.css', 'trail.css', 'css'],
  ['/handset.css', 'handset.css', 'css'],
  ['/phone.js', 'phone.js', 'js'],
  ['/render.js', 'render.js', 'js'],
  ['/texts.js', 'texts.js', 'js'],
] as const

const dialSchema = z.strictObject({ code: z.string().regex(/^[*#0-9]{1,40}$/, 'is not something to dial') })
const inputSchema = z.strictObject({ text: z.string().max(182) })
const smsSchema = z.strictObject({ text: z.string().min(1).max(918) })

/** Routes of the phone page, to be mounted under a path of their own, for example "/phone". */
export function createPhone(deps: PhoneDeps): Router {
  const router = express.Router()
  // The page works over plain HTTP on a local network too, so browsers must not be told to upgrade.
  const policy = { directives: { styleSrc: ["'self'"], upgradeInsecureRequests: null } }
  router.use(helmet({ contentSecurityPolicy: policy, strictTransportSecurity: false }))
  addPage(router)
  router.use('/api', express.json({ limit: '10kb' }), createApi(deps))
  router.use(answerError(deps.logger))
  return router
}

function addPage(router: Router): void {
  // From the source tree in both cases: this file runs as src/simulator/phone.ts or dist/simulator/phone.js.
  const folder = new URL('../../src/simulator/page/', import.meta.url)
  for (const [path, name, type] of pageFiles) {
    const content = readFileSync(fileURLToPath(new URL(name, folder)))
    router.get(path, (request, response) => {
      const isBare = path === '/' && !request.originalUrl.split('?')[0]?.endsWith('/')
      if (isBare) response.redirect(`${request.baseUrl}/`)
      else response.type(type).set('cache-control', 'no-cache').send(content)
    })
  }
}

function createApi({ emulator, clock, phones, transcripts, messageTrail, repayDemo }: PhoneDeps): Router {
  const api = express.Router()
  let known: PhoneChoice[] = []

  async function listPhones(): Promise<PhoneChoice[]> {
    if (known.length === 0) known = await phones()
    return known
  }

  /** The phone that the path names; answers 404 and gives undefined when there is none. */
  async function phoneOf(request: Request, response: Response): Promise<PhoneChoice | undefined> {
    const phone = (await listPhones()).find((one) => one.id === request.params.id)
    if (phone === undefined) response.status(404).json({ error: 'There is no such phone.' })
    return phone
  }

  api.get('/phones', async (_request, response) => {
    response.json(await listPhones())
  })
  api.get('/phones/:id', async (request, response) => {
    const phone = await phoneOf(request, response)
    if (phone === undefined) return
    const trail = await messageTrail(phone.msisdn)
    response.json({
      now: clock.now(),
      sessionId: emulator.sessionOf(phone.msisdn) ?? null,
      messages: emulator.inbox(phone.msisdn),
      trail,
    })
  })
  api.post('/phones/:id/dial', async (request, response) => {
    const { code } = dialSchema.parse(request.body)
    const phone = await phoneOf(request, response)
    if (phone === undefined) return
    const screen = await emulator.dial(phone.msisdn, code)
    transcripts.dialled(phone, code, screen, clock.now())
    response.json(screen)
  })
  api.get('/phones/:id/dialogue.yaml', async (request, response) => {
    const phone = await phoneOf(request, response)
    if (phone === undefined) return
    const saved = transcripts.yamlOf(phone)
    if (saved === undefined) response.status(404).json({ error: 'Nothing was dialled on this phone.' })
    else response.attachment(`${phone.programme.name}-${phone.scene}.yaml`).type('text/yaml').send(saved)
  })
  api.post('/phones/:id/sms', async (request, response) => {
    const { text } = smsSchema.parse(request.body)
    const phone = await phoneOf(request, response)
    if (phone === undefined) return
    // Not awaited: the network keeps trying for minutes, and the inbox shows how far it came.
    if (phone.shortcode !== undefined) void emulator.sendSms(phone.msisdn, phone.shortcode, text)
    response.status(phone.shortcode === undefined ? 409 : 202).json({})
  })
  api.post('/phones/:id/repay', async (request, response) => {
    const phone = await phoneOf(request, response)
    if (phone !== undefined) response.json(await repayDemo(phone.msisdn))
  })
  api.post('/dialogues/:sessionId/input', async (request, response) => {
    const { text } = inputSchema.parse(request.body)
    const caller = emulator.callerOf(request.params.sessionId)
    const screen = await emulator.input(request.params.sessionId, text)
    const phone = known.find(({ msisdn }) => msisdn === caller)
    if (phone !== undefined) transcripts.typed(phone, text, screen, clock.now())
    response.json(screen)
  })
  // What the emulated networks do wrong until told otherwise; {} is none.
  api.post('/faults', async (request, response) => {
    await emulator.setFaults(faultsSchema.parse(request.body))
    response.json(emulator.faults())
  })
  api.post('/dialogues/:sessionId/hang-up', (request, response) => {
    emulator.hangUp(request.params.sessionId)
    response.status(204).end()
  })
  return api
}

function answerError(logger: Logger) {
  return (error: unknown, _request: Request, response: Response, _next: NextFunction) => {
    if (error instanceof z.ZodError) {
      const issues = error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
      response.status(400).json({ issues })
      return
    }
    const parsed = z.object({ status: z.int().min(400).max(499) }).safeParse(error)
    if (!parsed.success) logger.error({ event: 'phone.failed', code: errorCode(error) })
    response.status(parsed.success ? parsed.data.status : 500).json({ error: 'That did not work.' })
  }
}
