// In: JSON requests of a programme's back office with its API key. Out: entries, loans, positions, statements, message states.
// Must never show one programme's data to the key of another, and never half do a write.
import { isUtf8 } from 'node:buffer'
import compression from 'compression'
import express, { type Request, type RequestHandler, type Response, Router } from 'express'
import { type Clock, elapsedMs } from '../clock.ts'
import type { Db } from '../db.ts'
import { InvariantError, RequestError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { parseInput } from './api-schemas.ts'
import { answerOf, writeOnce } from './idempotency.ts'
import { type ApiCaller, findCallerByKey } from './keys.ts'
import { openApiDocument } from './openapi.ts'
import { linkToNext } from './paging.ts'
import { apiErrorHandler } from './problem.ts'
import { createRateLimit, type RateLimit, rateHeaders } from './rate-limit.ts'
import { sendReference } from './reference.ts'
import type { Route, RouteDeps } from './route.ts'
import { routes } from './routes.ts'

export interface ApiDeps extends Omit<RouteDeps, 'forgetDialogues'> {
  db: Db
  logger: Logger
  metrics: Metrics
  /** What one key may ask in a minute, of all processes together. */
  callsPerMinute: number
  /** Without it, dialogues of a member who is erased end by themselves within minutes. */
  forgetDialogues?: RouteDeps['forgetDialogues']
}

const bodyBytesMax = 102_400

/** Router for `/api/v1`. */
export function createApi(deps: ApiDeps): Router {
  const { db, clock, logger } = deps
  const limit = createRateLimit(deps)
  const router = Router()
  router.use(watch(deps))
  router.get('/openapi.json', compression(), (_request, response) => {
    response.json(openApiDocument())
  })
  router.get('/', compression(), (_request, response) => sendReference(response))
  router.use(requireKey(db, clock))
  router.use(refuseHaste(limit))
  router.use(unlessGet(refuseOtherTypes))
  router.use(unlessGet(refuseTooLarge))
  router.use(
    unlessGet(
      express.json({
        limit: bodyBytesMax,
        verify: (_request, _response, bytes) => {
          if (!isUtf8(bytes)) throw new Error('the body is not UTF-8')
        },
      }),
    ),
  )

  for (const route of routes)
    router[route.method](route.path, (request, response, next) => {
      response.locals.route = `${route.method} ${route.path}`
      answer(deps, route, request, response).catch(next)
    })
  router.use(() => {
    throw new RequestError('route.unknown')
  })
  router.use(apiErrorHandler(logger))
  return router
}

async function answer(deps: ApiDeps, route: Route, request: Request, response: Response) {
  const { db, clock, texts, webhooks, forgetDialogues = () => Promise.resolve(0) } = deps
  const routeDeps = { clock, texts, webhooks, forgetDialogues }
  const caller: unknown = response.locals.caller
  if (!isCaller(caller)) throw new InvariantError('a route runs without its key check')
  if (!caller.scopes.includes(route.scope))
    throw new RequestError('auth.scope', { detail: `this route needs the scope "${route.scope}"` })
  const input = inputOf(route, request)
  const { status, text, replayed } = await db.inProgramme(caller.programmeId, (tx) => {
    const work = () => route.handle({ tx, ...routeDeps, caller, ...input })
    if (!route.writes)
      return work().then((found) => {
        const link = linkToNext(request.baseUrl + request.path, request.query, found.body)
        if (link !== undefined) response.setHeader('link', link)
        return answerOf(found)
      })
    return writeOnce(
      tx,
      {
        apiKeyId: caller.keyId,
        programmeId: caller.programmeId,
        key: request.get('idempotency-key'),
        request: [route.method, request.path, request.body],
        at: clock.now(),
      },
      work,
    )
  })
  if (replayed) response.setHeader('idempotency-replayed', 'true')
  const shown = route.reveal === undefined ? text : JSON.stringify(route.reveal(JSON.parse(text), routeDeps))
  response.status(status).type('json').send(shown)
}

/** One line and one count a request; the path is named by its pattern, since it holds member numbers. */
function watch({ logger, metrics }: ApiDeps): RequestHandler {
  return (_request, response, next) => {
    // Answers hold what members owe: no cache on the way keeps them, no browser takes them for something else.
    response.setHeader('cache-control', 'no-store')
    response.setHeader('x-content-type-options', 'nosniff')
    const startMs = elapsedMs()
    response.once('finish', () => {
      const route = `api ${response.locals.route ?? 'other'}`
      const status = String(response.statusCode)
      metrics.requests.inc({ route, status })
      logger.info({ event: 'api.request', route, status, durationMs: Math.round(elapsedMs() - startMs) })
    })
    next()
  }
}

function requireKey(db: Db, clock: Clock): RequestHandler {
  return (request, response, next) => {
    const key = /^Bearer ([\w-]{20,100})$/i.exec(request.headers.authorization ?? '')?.[1]
    if (key === undefined) throw new RequestError('auth.missing')
    findCallerByKey(db, key, clock.now()).then((caller) => {
      if (caller === undefined) return next(new RequestError('auth.missing'))
      response.locals.caller = caller
      next()
    }, next)
  }
}

function refuseHaste(limit: RateLimit): RequestHandler {
  return (_request, response, next) => {
    const caller: unknown = response.locals.caller
    if (!isCaller(caller)) throw new InvariantError('calls are counted without a key check')
    limit(caller.keyId).then((standing) => {
      for (const [name, value] of Object.entries(rateHeaders(standing))) response.setHeader(name, value)
      next(standing.allowed ? undefined : new RequestError('rate.exceeded'))
    }, next)
  }
}

/** A get has no body that means anything: none is read. */
function unlessGet(handler: RequestHandler): RequestHandler {
  return (request, response, next) => (request.method === 'GET' ? next() : handler(request, response, next))
}

/** A body of another type would be left unread and look like an empty one. No body has no type. */
const refuseOtherTypes: RequestHandler = (request, _response, next) => {
  if (request.get('content-length') !== '0' && request.is('application/json') === false)
    throw new RequestError('request.content_type', { field: 'content-type' })
  next()
}

/** The parser would read all of it before it refuses: who says that it is too long is told at once, and the connection ends with that. */
const refuseTooLarge: RequestHandler = (request, response, next) => {
  if (Number(request.get('content-length') ?? 0) > bodyBytesMax) {
    response.setHeader('connection', 'close')
    throw new RequestError('request.too_large', { field: 'body' })
  }
  next()
}

function isCaller(value: unknown): value is ApiCaller {
  return typeof value === 'object' && value !== null && 'programmeId' in value
}

function inputOf(route: Route, request: Request) {
  const params: Record<string, string> = {}
  for (const [name, value] of Object.entries(request.params)) {
    // PostgreSQL takes no NUL, and no stored name has one.
    if (typeof value !== 'string' || value.includes('\0')) throw new RequestError('route.unknown')
    params[name] = value
  }
  const query = parseInput(route.query, { ...request.query })
  const sent: unknown = route.bodyNeeded ? request.body : (request.body ?? {})
  return { params, query, body: route.body === undefined ? undefined : parseInput(route.body, sent) }
}
