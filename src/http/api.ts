// In: JSON requests of a programme's back office with its API key. Out: entries, loans, positions, statements, message states.
// Must never show one programme's data to the key of another, and never half do a write.
import { isUtf8 } from 'node:buffer'
import express, { type Request, type RequestHandler, type Response, Router } from 'express'
import { type Clock, elapsedMs } from '../clock.ts'
import type { Db, Queryable } from '../db.ts'
import { InvariantError, RequestError } from '../errors.ts'
import type { I18n } from '../i18n.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { ForgetDialogues } from '../privacy/erasure.ts'
import { closeCaseOf, closingSchema, openCases, unmatchedCodes } from './api-cases.ts'
import { consentsOf, consentsSchema, putConsents } from './api-consents.ts'
import { confirm, phonesOf, reportPhones, resetPin } from './api-phones.ts'
import { erase, exportOf } from './api-privacy.ts'
import { loanStateOf, messageStates, positionOf, statementOf } from './api-reads.ts'
import {
  type Answer,
  confirmationSchema,
  entrySchema,
  erasureSchema,
  estimateSchema,
  loanSchema,
  messagesQuery,
  parseInput,
  pinResetSchema,
  reportSchema,
  reversalSchema,
  statementQuery,
} from './api-schemas.ts'
import { estimateText } from './api-texts.ts'
import { createLoan, postEntry, postReversal } from './api-writes.ts'
import { answerOf, writeOnce } from './idempotency.ts'
import { type ApiCaller, findCallerByKey, type Scope } from './keys.ts'
import { openApiDocument } from './openapi.ts'
import { apiErrorHandler } from './problem.ts'

export interface ApiDeps {
  db: Db
  clock: Clock
  logger: Logger
  metrics: Metrics
  /** The texts of the moment. */
  texts(): { i18n: Pick<I18n, 'languages'> }
  /** Dialogues that a member who is erased may have left; without it they end by themselves within minutes. */
  forgetDialogues?: ForgetDialogues
}

interface Route {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  path: string
  /** What the caller's key must be allowed. */
  scope: Scope
  /** It changes nothing, although what it reads comes in a body; a get never does. */
  reads?: true
  /** Runs in one transaction that sees and changes rows of the caller's programme only; a rejection takes it back. */
  handle(tx: Queryable, caller: ApiCaller, request: Request): Promise<Answer>
}

const bodyBytesMax = 102_400

/** Every route of `/api/v1`; a write needs nothing more to be repeated safely under an Idempotency-Key. */
function routesOf(clock: Clock, forgetDialogues: ForgetDialogues, texts: ApiDeps['texts']): readonly Route[] {
  return [
    {
      method: 'post',
      path: '/entries',
      scope: 'entries',
      handle: (tx, caller, request) => postEntry(tx, clock, caller, parseInput(entrySchema, request.body)),
    },
    {
      method: 'post',
      path: '/entries/:reference/reversal',
      scope: 'entries',
      handle: (tx, caller, request) =>
        postReversal(
          tx,
          clock,
          caller,
          param(request, 'reference'),
          parseInput(reversalSchema, request.body),
        ),
    },
    {
      method: 'post',
      path: '/loans',
      scope: 'entries',
      handle: (tx, caller, request) => createLoan(tx, clock, caller, parseInput(loanSchema, request.body)),
    },
    {
      method: 'get',
      path: '/loans/:number',
      scope: 'read',
      handle: (tx, caller, request) => loanStateOf(tx, caller, param(request, 'number')),
    },
    {
      method: 'get',
      path: '/members/:number/position',
      scope: 'read',
      handle: (tx, caller, request) => positionOf(tx, clock, caller, param(request, 'number')),
    },
    {
      method: 'get',
      path: '/members/:number/consents',
      scope: 'read',
      handle: (tx, caller, request) => consentsOf(tx, caller, param(request, 'number')),
    },
    {
      method: 'put',
      path: '/members/:number/consents',
      scope: 'members',
      handle: (tx, caller, request) =>
        putConsents(tx, clock, caller, param(request, 'number'), parseInput(consentsSchema, request.body)),
    },
    {
      method: 'get',
      path: '/members/:number/phones',
      scope: 'read',
      handle: (tx, caller, request) => phonesOf(tx, caller, param(request, 'number')),
    },
    {
      method: 'post',
      path: '/members/:number/reverify',
      scope: 'members',
      handle: (tx, caller, request) => {
        parseInput(reportSchema, request.body ?? {})
        return reportPhones(tx, clock, caller, param(request, 'number'))
      },
    },
    {
      method: 'post',
      path: '/members/:number/confirmations',
      scope: 'members',
      handle: (tx, caller, request) =>
        confirm(tx, clock, caller, param(request, 'number'), parseInput(confirmationSchema, request.body)),
    },
    {
      method: 'post',
      path: '/members/:number/pin-reset',
      scope: 'members',
      handle: (tx, caller, request) =>
        resetPin(tx, clock, caller, param(request, 'number'), parseInput(pinResetSchema, request.body)),
    },
    {
      method: 'get',
      path: '/members/:number/export',
      scope: 'members',
      handle: (tx, caller, request) => exportOf(tx, clock, caller, param(request, 'number')),
    },
    {
      method: 'post',
      path: '/members/:number/erasure',
      scope: 'members',
      handle: (tx, caller, request) =>
        erase(
          { tx, clock, forgetDialogues },
          caller,
          param(request, 'number'),
          parseInput(erasureSchema, request.body ?? {}),
        ),
    },
    {
      method: 'get',
      path: '/accounts/:code/statement',
      scope: 'read',
      handle: (tx, caller, request) =>
        statementOf(tx, caller, param(request, 'code'), parseInput(statementQuery, { ...request.query })),
    },
    {
      method: 'get',
      path: '/messages',
      scope: 'read',
      handle: (tx, caller, request) =>
        messageStates(tx, caller, parseInput(messagesQuery, { ...request.query })),
    },
    {
      method: 'get',
      path: '/cases',
      scope: 'read',
      handle: (tx, caller) => openCases(tx, caller),
    },
    {
      method: 'post',
      path: '/cases/:reference/close',
      scope: 'members',
      handle: (tx, caller, request) =>
        closeCaseOf(tx, clock, caller, param(request, 'reference'), parseInput(closingSchema, request.body)),
    },
    {
      method: 'get',
      path: '/unmatched-codes',
      scope: 'read',
      handle: (tx, caller) => unmatchedCodes(tx, caller),
    },
    {
      method: 'post',
      path: '/texts/estimate',
      scope: 'read',
      reads: true,
      handle: (tx, caller, request) =>
        estimateText(tx, texts().i18n, caller, parseInput(estimateSchema, request.body)),
    },
  ]
}

/** Router for `/api/v1`. */
export function createApi(deps: ApiDeps): Router {
  const { db, clock, logger, texts, forgetDialogues = () => Promise.resolve(0) } = deps
  const router = Router()
  router.use(watch(deps))
  router.get('/openapi.json', (_request, response) => {
    response.json(openApiDocument)
  })
  router.use(requireKey(db, clock))
  router.use(refuseOtherTypes)
  router.use(
    express.json({
      limit: bodyBytesMax,
      verify: (_request, _response, bytes) => {
        if (!isUtf8(bytes)) throw new Error('the body is not UTF-8')
      },
    }),
  )

  for (const route of routesOf(clock, forgetDialogues, texts))
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

async function answer({ db, clock }: ApiDeps, route: Route, request: Request, response: Response) {
  const caller: unknown = response.locals.caller
  if (!isCaller(caller)) throw new InvariantError('a route runs without its key check')
  if (!caller.scopes.includes(route.scope))
    throw new RequestError('auth.scope', { detail: `this route needs the scope "${route.scope}"` })
  const { status, text, replayed } = await db.inProgramme(caller.programmeId, (tx) => {
    const work = () => route.handle(tx, caller, request)
    if (route.method === 'get' || route.reads === true) return work().then(answerOf)
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
  response.status(status).type('json').send(text)
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
