// The console over real HTTP, and a browser of a few lines: it keeps cookies and sends the forms that it is shown.
import { fixedClock } from '../../src/clock.ts'
import { createConsole } from '../../src/console/console.ts'
import type { Budgets } from '../../src/console/limits.ts'
import { openSession } from '../../src/console/sessions.ts'
import type { Db } from '../../src/db.ts'
import { answerTheRest, createApp, listen } from '../../src/http/server.ts'
import { loadI18n } from '../../src/i18n.ts'
import { createLogger } from '../../src/logger.ts'
import type { StaffRole } from '../../src/members/staff.ts'
import { createMetrics } from '../../src/metrics.ts'
import { readMenus } from '../../src/ussd/menu.ts'
import { testNow } from './fixtures.ts'

const i18n = loadI18n('locales')
const { menus } = readMenus('menus')

export const consolePepper = 'console-pepper-of-the-tests-0123456789'

export interface ConsoleReply {
  status: number
  text: string
  location: string | null
  headers: Headers
}

export interface TestBrowser {
  cookies: Map<string, string>
  get(path: string, headers?: Record<string, string>): Promise<ConsoleReply>
  /** Sends fields as they are given. */
  send(
    path: string,
    fields: Record<string, string | string[]>,
    headers?: Record<string, string>,
  ): Promise<ConsoleReply>
  /** Sends fields with the secret of the page that was read last. */
  submit(path: string, fields?: Record<string, string | string[]>): Promise<ConsoleReply>
}

export interface ConsoleUnderTest {
  url: string
  clock: ReturnType<typeof fixedClock>
  /** Every line that was logged. */
  log(): string
  browser(): TestBrowser
  /** A browser that is signed in as this member of staff. */
  signedIn(staffId: string): Promise<TestBrowser>
  close(): Promise<void>
}

export interface ServeOptions {
  budgets?: Budgets
  production?: boolean
  clock?: ReturnType<typeof fixedClock>
}

export async function serveConsole(db: Db, options: ServeOptions = {}): Promise<ConsoleUnderTest> {
  const clock = options.clock ?? fixedClock(testNow)
  const lines: string[] = []
  const logger = createLogger('trace', { write: (line: string) => void lines.push(line) })
  const app = createApp()
  app.use(
    '/console',
    createConsole({
      db,
      clock,
      logger,
      metrics: createMetrics(),
      texts: () => ({ i18n, menus }),
      pepper: consolePepper,
      production: options.production ?? false,
      limits: { idleMs: 30 * 60_000, wholeMs: 12 * 3_600_000 },
      ...(options.budgets === undefined ? {} : { budgets: options.budgets }),
      alarms: () => [],
    }),
  )
  answerTheRest(app, logger)
  const server = await listen(app, 0, '127.0.0.1')
  const url = server.url.replace('localhost', '127.0.0.1')
  return {
    url,
    clock,
    log: () => lines.join(''),
    browser: () => openBrowser(url),
    async signedIn(staffId) {
      const browser = openBrowser(url)
      browser.cookies.set('tama-session', await openSession(db.pool, staffId, clock.now()))
      return browser
    },
    close: () => server.close(0),
  }
}

export function openBrowser(url: string): TestBrowser {
  const cookies = new Map<string, string>()
  let secret = ''
  async function ask(path: string, init: RequestInit): Promise<ConsoleReply> {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(`${url}/console${path}`, {
      ...init,
      redirect: 'manual',
      headers: { ...(init.headers as Record<string, string>), ...(cookie === '' ? {} : { cookie }) },
    })
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (value === '') cookies.delete(name)
      else cookies.set(name, value)
    }
    const text = await response.text()
    secret = /name="csrf" value="([^"]+)"/.exec(text)?.[1] ?? secret
    return {
      status: response.status,
      text,
      location: response.headers.get('location'),
      headers: response.headers,
    }
  }
  const send: TestBrowser['send'] = (path, fields, headers = {}) => {
    const body = new URLSearchParams()
    for (const [name, value] of Object.entries(fields))
      for (const one of Array.isArray(value) ? value : [value]) body.append(name, one)
    return ask(path, { method: 'POST', body, headers: { 'sec-fetch-site': 'same-origin', ...headers } })
  }
  return {
    cookies,
    get: (path, headers = {}) => ask(path, { headers }),
    send,
    async submit(path, fields = {}) {
      if (secret === '') await ask('/', {})
      return send(path, { csrf: secret, ...fields })
    },
  }
}

let people = 0

/** A member of staff of this role; a facilitator of the programme's one group when `groupId` is given. */
export async function createStaff(
  db: Db,
  programmeId: string,
  role: StaffRole,
  { groupId, msisdn, language = 'en' }: { groupId?: string; msisdn?: string; language?: string } = {},
): Promise<{ id: string; msisdn: string }> {
  people += 1
  const number = msisdn ?? `+2217711${String(people).padStart(5, '0')}`
  const { rows } = await db.pool.query<{ id: string }>(
    `insert into staff (programme_id, first_name, last_name, msisdn, role, language)
     values ($1, $2, 'Sonko', $3, $4, $5) returning id`,
    [programmeId, `Nafi${people}`, number, role, language],
  )
  const id = rows[0]?.id ?? ''
  if (groupId !== undefined)
    await db.pool.query('update groups set facilitator_id = $2 where id = $1', [groupId, id])
  return { id, msisdn: number }
}

/** The code on its way to a number, read as the sender reads it; undefined when there is none. */
export async function codeFor(db: Db, msisdn: string): Promise<string | undefined> {
  const { rows } = await db.pool.query<{ digits: string }>(
    `select m.params->>'digits' as digits from messages m join phones p on p.id = m.phone_id
      where p.msisdn = $1 and m.template = 'code.sign_in' order by m.id desc limit 1`,
    [msisdn],
  )
  return rows[0]?.digits
}
