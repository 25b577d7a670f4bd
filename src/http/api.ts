// In: JSON requests of a programme's back office with its API key. Out: entries, loans, positions, statements, message states.
// Must never show one programme's data to the key of another, and never half do a write.
import { isUtf8 } from 'node:buffer'
import express, { type Request, type RequestHandler, Router } from 'express'
import { type Clock, elapsedMs } from '../clock.ts'
import type { Db } from '../db.ts'
import { InvariantError, RequestError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { ForgetDialogues } from '../privacy/erasure.ts'
import { confirm, phonesOf, reportPhones } from './api-phones.ts'
import { erase, exportOf } from './api-privacy.ts'
import { loanStateOf, messageStates, positionOf, statementOf } from './api-reads.ts'
import {
  type Answer,
  confirmationSchema,
  entrySchema,
  erasureSchema,
  loanSchema,
  messagesQuery,
  parseInput,
  reportSchema,
  reversalSchema,
  statementQuery,
} from './api-schemas.ts'
import { createLoan, postEntry, postReversal } from './api-writes.ts'
import { type ApiCaller, findCallerByKey } from './keys.ts'
import { openApiDocument } from './openapi.ts'
import { apiErrorHandler } from './problem.ts'

export interface ApiDeps {
  db: Db
  clock: Clock
  logger: Logger
  metrics: Metrics
  /** Dialogues that a member who is erased may have left; without it they end by themselves within minutes. */
  forgetDialogues?: ForgetDialogues
}

type Handler = (caller: ApiCaller, request: Request) => Promise<Answer>

const bodyBytesMax = 102_400

/** Router for `/api/v1`. */
export function createApi(deps: ApiDeps): Router {
  const { db, clock, logger, forgetDialogues = () => Promise.resolve(0) } = deps
  const router = Router()
  router.use(watch(deps))
  router.get('/openapi.json', (_request, response) => {
    response.json(openApiDocument)
  })
  router.use(requireKey(db))
  router.use(refuseOtherTypes)
  router.use(
    express.json({
      limit: bodyBytesMax,
      verify: (_request, _response, bytes) => {
        if (!isUtf8(bytes)) throw new Error('the body is not UTF-8')
      },
    }),
  )

  const routes: { method: 'get' | 'post'; path: string; handle: Handler }[] = [
    {
      method: 'post',
      path: '/entries',
      handle: (caller, request) => postEntry(db, caller, parseInput(entrySchema, request.body)),
    },
    {
      method: 'post',
      path: '/entries/:reference/reversal',
      handle: (caller, request) =>
        postReversal(db, caller, param(request, 'reference'), parseInput(reversalSchema, request.body)),
    },
    {
      method: 'post',
      path: '/loans',
      handle: (caller, request) => createLoan(db, caller, parseInput(loanSchema, request.body)),
    },
    {
      method: 'get',
      path: '/loans/:number',
      handle: (caller, request) => loanStateOf(db, caller, param(request, 'number')),
    },
    {
      method: 'get',
      path: '/members/:number/position',
      handle: (caller, request) => positionOf(db, clock, caller, param(request, 'number')),
    },
    {
      method: 'get',
      path: '/members/:number/phones',
      handle: (caller, request) => phonesOf(db, caller, param(request, 'number')),
    },
    {
      method: 'post',
      path: '/members/:number/reverify',
      handle: (caller, request) => {
        parseInput(reportSchema, request.body ?? {})
        return reportPhones(db, clock, caller, param(request, 'number'))
      },
    },
    {
      method: 'post',
      path: '/members/:number/confirmations',
      handle: (caller, request) =>
        confirm(db, clock, caller, param(request, 'number'), parseInput(confirmationSchema, request.body)),
    },
    {
      method: 'get',
      path: '/members/:number/export',
      handle: (caller, request) => exportOf(db, clock, caller, param(request, 'number')),
    },
    {
      method: 'post',
      path: '/members/:number/erasure',
      handle: (caller, request) =>
        erase(
          { db, clock, forgetDialogues },
          caller,
          param(request, 'number'),
          parseInput(erasureSchema, request.body ?? {}),
        ),
    },
    {
      method: 'get',
      path: '/accounts/:code/statement',
      handle: (caller, request) =>
        statementOf(db, caller, param(request, 'code'), parseInput(statementQuery, { ...request.query })),
    },
    {
      method: 'get',
      path: '/messages',
      handle: (caller, request) => messageStates(db, caller, parseInput(messagesQuery, { ...request.query })),
    },
  ]
  for (const { method, path, handle } of routes)
    router[method](path, (request, response, next) => {
      const caller: unknown = response.locals.caller
      if (!isCaller(caller)) throw new InvariantError('a route runs without its key check')
      response.locals.route = `${method} ${path}`
      handle(caller, request).then(({ status, body }) => response.status(status).json(body), next)
    })
  router.use(() => {
    throw new RequestError('route.unknown')
  })
  router.use(apiErrorHandler(logger))
  return router
}

/** One line and one count a request; the path is named by its pattern, since it holds member numbers. */
function watch({ logger, metrics }: ApiDeps): RequestHandler {
  return (_request, response, next) => {
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

function requireKey(db: Db): RequestHandler {
  return (request, response, next) => {
    const key = /^Bearer ([\w-]{20,100})$/i.exec(request.headers.authorization ?? '')?.[1]
    if (key === undefined) throw new RequestError('auth.missing')
    findCallerByKey(db, key).then((caller) => {
      if (caller === undefined) return next(new RequestError('auth.missing'))
      response.locals.caller = caller
      next()
    }, next)
  }
}

/** A body of another type would be left unread and look like an empty one. */
const refuseOtherTypes: RequestHandler = (request, _response, next) => {
  if (request.is('application/json') === false)
    throw new RequestError('request.content_type', { field: 'content-type' })
  next()
}

function isCaller(value: unknown): value is ApiCaller {
  return typeof value === 'object' && value !== null && 'programmeId' in value
}

function param(request: Request, name: string): string {
  const value = request.params[name]
  // PostgreSQL takes no NUL, and no stored name has one.
  if (typeof value !== 'string' || value.includes('\0')) throw new RequestError('route.unknown')
  return value
}
