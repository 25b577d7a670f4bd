// In: a request. Out: what is known of it before anybody knows whose it is: its language, its fields; and the page that says why not.
import type { Request, Response } from 'express'
import type { Clock } from '../clock.ts'
import type { Db } from '../db.ts'
import type { I18n } from '../i18n.ts'
import type { Logger } from '../logger.ts'
import { html } from '../markup.ts'
import type { ProgrammeInfo } from '../members/programmes.ts'
import type { Metrics } from '../metrics.ts'
import type { Menu } from '../ussd/menu.ts'
import type { Cookies } from './cookies.ts'
import { pageOf } from './layout.ts'
import type { Budgets, Limits } from './limits.ts'
import { menuFor } from './menu.ts'
import type { SignedIn } from './page.ts'
import { csrfOf, newToken, type SessionLimits } from './sessions.ts'
import { consoleLanguage, createSay, type Say } from './words.ts'

/** The texts of the moment. */
export interface Texts {
  i18n: I18n
  menus: ReadonlyMap<string, Menu>
}

export interface ConsoleDeps {
  db: Db
  clock: Clock
  logger: Logger
  metrics: Metrics
  texts(): Texts
  pepper: string
  production: boolean
  limits: SessionLimits
  budgets?: Budgets
  /** Alarms that stand in this process, by their codes. */
  alarms(): readonly string[]
}

/** One request, before anybody knows whose it is. */
export interface Visit {
  texts: Texts
  tag: string
  say: Say
}

export interface House extends ConsoleDeps {
  cookies: Cookies
  guard: Limits
}

export function visitOf(
  { cookies, texts }: House,
  request: Request,
  staff?: SignedIn,
  programme?: ProgrammeInfo,
): Visit {
  const now = texts()
  const accepted = request.acceptsLanguages().map((tag) => tag.split('-')[0])
  const wishes = staff === undefined ? accepted : [staff.language]
  const tag = consoleLanguage(now.i18n, [
    cookies.language(request),
    ...wishes,
    ...(programme?.languages ?? []),
  ])
  return { texts: now, tag, say: createSay(now.i18n, tag) }
}

/** Something that renews itself in a page, or fills a part of it. */
export const isPart = (request: Request) => request.get('hx-request') === 'true'

/** A body that express did not read is no form. */
export function readFields(body: unknown): Record<string, string[]> {
  if (typeof body !== 'object' || body === null) return {}
  return Object.fromEntries(
    Object.entries(body).map(([name, value]) => [
      name,
      (Array.isArray(value) ? value : [value])
        .filter((one): one is string => typeof one === 'string')
        // PostgreSQL takes no NUL, and nobody types one.
        .map((one) => one.replaceAll('\0', '')),
    ]),
  )
}

export function firstOf(fields: Readonly<Record<string, string[]>>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).map(([name, [first = '']]) => [name, first.trim()]))
}

/** Below /console. */
export function addressOf(request: Request): string {
  return request.originalUrl.replace(/^\/console/, '') || '/'
}

/** A page with one sentence: why something was not done. */
export async function showText(
  house: House,
  request: Request,
  response: Response,
  status: number,
  key: string,
  staff?: SignedIn,
): Promise<void> {
  const { texts, tag, say } = visitOf(house, request, staff)
  const token = house.cookies.session(request) ?? newToken()
  response.status(status).type('html')
  response.send(
    pageOf({
      i18n: texts.i18n,
      tag,
      say,
      title: say('fault.title'),
      body: html`<p>${say(key)}</p><p><a href="/console/">${say('fault.home')}</a></p>`,
      programme: undefined,
      staff,
      menu: staff === undefined ? [] : menuFor(staff.role),
      address: '/',
      csrf: csrfOf(token),
      done: undefined,
    }),
  )
}
