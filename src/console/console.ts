// In: a browser's request. Out: a page for who is signed in. Who, whether she may, whether the form is hers, the transaction of her
// programme and the audit are seen to here for all pages alike. Must never show a page's fault, nor keep half of an act.
import compression from 'compression'
import express, {
  type ErrorRequestHandler,
  type Request,
  type RequestHandler,
  type Response,
  Router,
} from 'express'
import helmet from 'helmet'
import { elapsedMs } from '../clock.ts'
import { DependencyError, errorCode, InvariantError, RequestError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { loadProgrammes, type ProgrammeInfo } from '../members/programmes.ts'
import { createAssets } from './assets.ts'
import { createCookies } from './cookies.ts'
import { pageOf } from './layout.ts'
import { createLimits } from './limits.ts'
import { menuFor } from './menu.ts'
import type { ConsoleRoute, Page, PageContext, SignedIn } from './page.ts'
import { consoleRoutes } from './routes.ts'
import { csrfOf, findSession, isCsrfOf } from './sessions.ts'
import { createSignIn } from './sign-in.ts'
import { addSignInRoutes } from './sign-in-routes.ts'
import { receiveFile } from './upload.ts'
import {
  addressOf,
  type ConsoleDeps,
  firstOf,
  type House,
  isPart,
  readFields,
  showText,
  type Visit,
  visitOf,
} from './visit.ts'

const formBytesMax = 102_400

/** Router for /console. */
export function createConsole(deps: ConsoleDeps): Router {
  const { db, pepper, production, budgets, logger } = deps
  const house: House = {
    ...deps,
    cookies: createCookies(production),
    guard: createLimits(db, pepper, budgets),
  }
  const router = Router()
  router.use(headers(production))
  router.use(compression())
  router.use('/assets', createAssets())
  router.use(watch(deps))
  router.use(refuseOtherSites(house))
  router.use(express.urlencoded({ extended: false, limit: formBytesMax, parameterLimit: 2_000 }))
  addSignInRoutes(router, house, createSignIn({ db, pepper }))
  for (const route of consoleRoutes)
    router[route.method](route.path, (request, response, next) => {
      response.locals.route = `${route.method} ${route.path}`
      answer(house, route, request, response).catch(next)
    })
  router.use((request, response, next) => {
    showFault(house, request, response, new RequestError('route.unknown')).catch(next)
  })
  router.use(onError(house, logger))
  return router
}

function headers(production: boolean): RequestHandler {
  const own = ["'self'"]
  return helmet({
    contentSecurityPolicy: {
      useDefaults: false,
      directives: {
        defaultSrc: ["'none'"],
        scriptSrc: own,
        styleSrc: own,
        connectSrc: own,
        imgSrc: [...own, 'data:'],
        formAction: own,
        baseUri: ["'none'"],
        frameAncestors: ["'none'"],
      },
    },
    // A demo on a local network has no TLS, and browsers must not be told that it had.
    strictTransportSecurity: production,
    xFrameOptions: { action: 'deny' },
    referrerPolicy: { policy: 'same-origin' },
  })
}

/** One line and one count a request, the path named by its pattern: it holds ids. */
function watch({ logger, metrics }: ConsoleDeps): RequestHandler {
  return (_request, response, next) => {
    response.setHeader('cache-control', 'no-store')
    const startMs = elapsedMs()
    response.once('finish', () => {
      const route = `console ${response.locals.route ?? 'other'}`
      const status = String(response.statusCode)
      metrics.requests.inc({ route, status })
      logger.info({ event: 'console.request', route, status, durationMs: Math.round(elapsedMs() - startMs) })
    })
    next()
  }
}

/** A browser says whence a form comes; what comes from another site changes nothing here, whatever it brings. */
function refuseOtherSites(house: House): RequestHandler {
  return (request, response, next) => {
    if (request.method === 'GET' || request.method === 'HEAD') return next()
    const site = request.get('sec-fetch-site')
    const origin = request.get('origin')
    const isOther =
      (site !== undefined && site !== 'same-origin' && site !== 'none') ||
      (origin !== undefined && hostOf(origin) !== request.get('host'))
    if (!isOther) return next()
    showText(house, request, response, 403, 'fault.other_site').catch(next)
  }
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host
  } catch {
    return undefined
  }
}

async function answer(
  house: House,
  route: ConsoleRoute,
  request: Request,
  response: Response,
): Promise<void> {
  const { db, clock, cookies, guard, limits } = house
  const now = clock.now()
  const token = cookies.session(request)
  const staff = await findSession(db, token, now, limits, !isPart(request))
  if (staff === undefined || token === undefined) return toSignIn(request, response)
  if (!(await guard.page(token))) return showText(house, request, response, 429, 'fault.too_often', staff)
  const programme = (await loadProgrammes(db)).find(({ id }) => id === staff.programmeId)
  if (programme === undefined) throw new InvariantError('a session without its programme')
  const visit = visitOf(house, request, staff, programme)
  if (!route.roles.includes(staff.role)) return showText(house, request, response, 403, 'fault.role', staff)
  const upload =
    route.upload === true && request.is('multipart/form-data') ? await receiveFile(request) : undefined
  try {
    // What is too large was not read, its secret neither.
    if (upload?.tooLarge === true)
      return await showText(house, request, response, 413, 'fault.too_large', staff)
    const sent = upload?.fields ?? readFields(request.body)
    const isHers = route.method === 'get' || isCsrfOf(token, sent.csrf?.[0] ?? '')
    if (!isHers) return await showText(house, request, response, 403, 'fault.stale_form', staff)
    const csrf = csrfOf(token)
    const page = await db
      .inProgramme(staff.programmeId, async (tx) => {
        const context: PageContext = {
          tx,
          db,
          logger: house.logger,
          now,
          staff,
          actor: `staff:${staff.id}`,
          programme,
          texts: visit.texts,
          i18n: visit.texts.i18n,
          tag: visit.tag,
          say: visit.say,
          params: readParams(request),
          query: firstOf(readFields(request.query)),
          form: firstOf(sent),
          list: (name) => sent[name] ?? [],
          address: addressOf(request),
          csrf,
          alarms: house.alarms,
          file: upload?.file,
        }
        return route.method === 'get' ? route.handle(context) : act(route, context)
      })
      .catch((error: unknown) => {
        if (error instanceof TakenBack) return error.page
        throw error
      })
    send(request, response, { page, visit, staff, programme, csrf })
  } finally {
    await upload?.remove()
  }
}

/** Leaves the transaction with a page that says why nothing was done. */
class TakenBack extends Error {
  readonly page: Page
  constructor(page: Page) {
    super('taken back')
    this.page = page
  }
}

/** What a page changed must stand in the audit log; a page that says why it did nothing has changed nothing. */
async function act(route: ConsoleRoute, context: PageContext): Promise<Page> {
  const { tx, actor } = context
  const last = await tx.query<{ id: string }>(
    'select coalesce(max(id), 0)::text as id from (select id from audit_log order by id desc limit 1) newest',
  )
  const page = await route.handle(context)
  if ('body' in page) throw new TakenBack(page)
  if ('to' in page && page.done !== undefined && page.done !== 'unchanged') {
    const noted = await tx.query('select 1 from audit_log where id > $1 and actor = $2 limit 1', [
      last.rows[0]?.id ?? '0',
      actor,
    ])
    if (noted.rowCount === 0) throw new InvariantError(`${route.path} changed something and left no trace`)
  }
  return page
}

function readParams(request: Request): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.params).map(([name, value]) => [name, String(value).replaceAll('\0', '')]),
  )
}

/** A part that renews itself asks the browser to load the page, which leads to the sign-in. */
function toSignIn(request: Request, response: Response): void {
  if (isPart(request)) response.status(200).set('hx-refresh', 'true').send('')
  else response.redirect(303, '/console/sign-in')
}

interface Shown {
  page: Page
  visit: Visit
  staff: SignedIn
  programme: ProgrammeInfo
  csrf: string
}

function send(request: Request, response: Response, shown: Shown): void {
  const { page, visit, staff, programme, csrf } = shown
  if ('file' in page) {
    response.attachment(page.file.name).type(page.file.type).send(page.file.content)
    return
  }
  if ('to' in page) {
    const mark = page.done === undefined ? '' : `${page.to.includes('?') ? '&' : '?'}done=${page.done}`
    response.redirect(303, `/console${page.to}${mark}`)
    return
  }
  response.status(page.status ?? 200).type('html')
  if (isPart(request)) {
    response.send(page.body.markup)
    return
  }
  const done = `done.${firstOf(readFields(request.query)).done ?? ''}`
  response.send(
    pageOf({
      ...visit,
      i18n: visit.texts.i18n,
      title: page.title,
      body: page.body,
      programme: programme.name,
      staff,
      menu: menuFor(staff.role),
      address: addressOf(request),
      csrf,
      done: visit.texts.i18n.has(visit.tag, 'console', done) ? visit.say(done) : undefined,
    }),
  )
}

async function showFault(house: House, request: Request, response: Response, error: RequestError) {
  const key = `fault.${error.code.replaceAll('.', '_')}`
  const { texts, tag } = visitOf(house, request)
  const known = texts.i18n.has(tag, 'console', key)
  await showText(house, request, response, error.status, known ? key : 'fault.refused')
}

const isAway = (error: unknown) =>
  error instanceof DependencyError || /^(ECONN|EPIPE|57|53|08)/.test(errorCode(error))

function onError(house: House, logger: Logger): ErrorRequestHandler {
  return (error: { status?: number }, request, response, next) => {
    if (response.headersSent) return next(error)
    if (error instanceof RequestError) {
      showFault(house, request, response, error).catch(next)
      return
    }
    const status = error instanceof URIError ? 400 : (error.status ?? (isAway(error) ? 503 : 500))
    if (status >= 500) logger.error({ event: 'console.failed', code: errorCode(error) })
    const key = status === 413 ? 'fault.too_large' : status < 500 ? 'fault.refused' : 'fault.ours'
    showText(house, request, response, status, key).catch(next)
  }
}
