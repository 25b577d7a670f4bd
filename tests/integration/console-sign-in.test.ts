// Signing in to the console: a code by SMS, limits that hold, cookies that nobody can make up, and nothing that tells one number from another.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createSignIn } from '../../src/console/sign-in.ts'
import { loadI18n } from '../../src/i18n.ts'
import { loadProgrammes } from '../../src/members/programmes.ts'
import { createDecider } from '../../src/outbound/decision.ts'
import { moveMessages } from '../../src/outbound/transitions.ts'
import {
  type ConsoleUnderTest,
  codeFor,
  consolePepper,
  createStaff,
  serveConsole,
} from '../support/console.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createMember, createProgramme, type TestProgramme, testNow } from '../support/fixtures.ts'

let database: TestDatabase
let programme: TestProgramme
let console: ConsoleUnderTest

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  console = await serveConsole(database.db, { budgets: { asks: 500, entries: 500, pages: 500 } })
})
afterAll(async () => {
  await console.close()
  await database.drop()
})

const ask = async (number: string) => {
  const browser = console.browser()
  await browser.get('/sign-in')
  return { browser, page: await browser.submit('/sign-in', { number }) }
}

async function signIn(msisdn: string) {
  const { browser } = await ask(msisdn)
  const code = (await codeFor(database.db, msisdn)) ?? ''
  const entered = await browser.submit('/sign-in/code', { number: msisdn, code })
  return { browser, code, entered }
}

const moveOn = (minutes: number) => console.clock.advanceMs(minutes * 60_000)

describe('a member of staff', () => {
  it('signs in with the code that went to her number, and out again', async () => {
    const staff = await createStaff(database.db, programme.id, 'branch')
    const { browser, entered } = await signIn(staff.msisdn)
    expect(entered).toMatchObject({ status: 303, location: '/console/' })
    expect((await browser.get('/')).status).toBe(200)
    const token = browser.cookies.get('tama-session') ?? ''
    expect((await browser.submit('/sign-out')).location).toBe('/console/sign-in')
    browser.cookies.set('tama-session', token)
    expect(await browser.get('/')).toMatchObject({ status: 303, location: '/console/sign-in' })
    const { rows } = await database.db.pool.query(
      'select action from audit_log where actor = $1 order by id',
      [`staff:${staff.id}`],
    )
    expect(rows).toEqual([{ action: 'console.signed_in' }, { action: 'console.signed_out' }])
  })

  it('gets a new token with every sign-in, of 256 bits, kept as a hash', async () => {
    const staff = await createStaff(database.db, programme.id, 'branch')
    const tokens: string[] = []
    for (const _ of [1, 2]) {
      const { browser } = await signIn(staff.msisdn)
      tokens.push(browser.cookies.get('tama-session') ?? '')
    }
    expect(new Set(tokens).size).toBe(2)
    for (const token of tokens) {
      expect(Buffer.from(token, 'base64url').length).toBe(32)
      const { rows } = await database.db.pool.query(
        'select 1 from console_sessions c where c::text like $1',
        [`%${token}%`],
      )
      expect(rows).toEqual([])
    }
  })

  it('whose number is a member’s too gets her code in her own language as staff', async () => {
    const { db } = database
    const member = await createMember(db, programme, { language: 'wo' })
    const staff = await createStaff(db, programme.id, 'facilitator', {
      msisdn: member.msisdn,
      language: 'en',
    })
    await ask(staff.msisdn)
    const { rows } = await db.pool.query<{ id: string }>(
      `select id from messages where phone_id = $1 and template = 'code.sign_in'`,
      [member.phoneId],
    )
    const decide = createDecider({ db, i18n: loadI18n('locales') })
    const [decision] = await decide([rows[0]?.id ?? ''], console.clock.now())
    expect(decision).toMatchObject({ action: 'send', language: 'en', msisdn: member.msisdn, segments: 1 })
  })

  it('who is deactivated gets no code, and her session ends at once', async () => {
    const staff = await createStaff(database.db, programme.id, 'branch')
    const { browser } = await signIn(staff.msisdn)
    await database.db.pool.query('update staff set active = false where id = $1', [staff.id])
    expect((await browser.get('/')).status).toBe(303)
    moveOn(11)
    const { rows: before } = await database.db.pool.query('select 1 from sign_in_codes where staff_id = $1', [
      staff.id,
    ])
    await ask(staff.msisdn)
    const { rows } = await database.db.pool.query('select 1 from sign_in_codes where staff_id = $1', [
      staff.id,
    ])
    expect(rows.length).toBe(before.length)
  })
})

describe('a code', () => {
  it('stands in no log and, once its message has left, in no row', async () => {
    const { db } = database
    const staff = await createStaff(db, programme.id, 'branch')
    await ask(staff.msisdn)
    const code = (await codeFor(db, staff.msisdn)) ?? ''
    expect(code).toMatch(/^\d{6}$/)
    const { rows } = await db.pool.query<{ id: string }>(
      `select id from messages where params->>'digits' = $1`,
      [code],
    )
    const id = rows[0]?.id ?? ''
    const move = (
      to: 'queued' | 'claimed' | 'submitting' | 'submitted',
      source: 'relay' | 'sender',
      set = {},
    ) => moveMessages(db.pool, testNow, [{ messageId: id, to, source, set }])
    await move('queued', 'relay')
    await move('claimed', 'sender')
    await move('submitting', 'sender', { text: `FANSOTO: ${code}` })
    await move('submitted', 'sender')
    const left = await db.pool.query('select text, params, status from messages where id = $1', [id])
    expect(left.rows).toEqual([{ text: null, params: { language: 'en' }, status: 'submitted' }])
    for (const table of ['messages', 'sign_in_codes', 'audit_log', 'message_events', 'console_sessions']) {
      const found = await db.pool.query(`select 1 from ${table} t where t::text like $1`, [`%${code}%`])
      expect(found.rows, table).toEqual([])
    }
    expect(console.log()).not.toContain(code)
    expect(console.log()).not.toContain(staff.msisdn)
  })

  it('never leaves twice: one whose outcome stayed unknown is not sent again', async () => {
    const { db } = database
    const staff = await createStaff(db, programme.id, 'branch')
    await ask(staff.msisdn)
    const { rows } = await db.pool.query<{ id: string; params: object; text: string | null }>(
      `update messages m set status = 'unknown', text = 'x' from phones p
        where p.id = m.phone_id and p.msisdn = $1 returning m.id, m.params, m.text`,
      [staff.msisdn],
    )
    expect(rows).toMatchObject([{ params: { language: 'en' }, text: null }])
  })

  it('is good for ten minutes and for one sign-in', async () => {
    const staff = await createStaff(database.db, programme.id, 'branch')
    const { browser, code } = await signIn(staff.msisdn)
    browser.cookies.delete('tama-session')
    await browser.get('/sign-in')
    expect((await browser.submit('/sign-in/code', { number: staff.msisdn, code })).status).toBe(422)
    const second = await ask(staff.msisdn)
    const late = (await codeFor(database.db, staff.msisdn)) ?? ''
    moveOn(10)
    expect((await second.browser.submit('/sign-in/code', { number: staff.msisdn, code: late })).status).toBe(
      422,
    )
  })

  it('dies after five wrong tries', async () => {
    const staff = await createStaff(database.db, programme.id, 'branch')
    const { browser } = await ask(staff.msisdn)
    const code = (await codeFor(database.db, staff.msisdn)) ?? ''
    const wrong = code === '000000' ? '111111' : '000000'
    for (let tries = 0; tries < 5; tries += 1)
      expect((await browser.submit('/sign-in/code', { number: staff.msisdn, code: wrong })).status).toBe(422)
    expect((await browser.submit('/sign-in/code', { number: staff.msisdn, code })).status).toBe(422)
  })

  it('is sent three times in ten minutes at most, and a day of wrong tries ends them', async () => {
    const { db } = database
    const staff = await createStaff(db, programme.id, 'branch')
    for (let asked = 0; asked < 5; asked += 1) await ask(staff.msisdn)
    const count = async () =>
      (await db.pool.query('select 1 from sign_in_codes where staff_id = $1', [staff.id])).rows.length
    expect(await count()).toBe(3)
    await db.pool.query('update sign_in_codes set tries = 10 where staff_id = $1', [staff.id])
    moveOn(11)
    await ask(staff.msisdn)
    expect(await count()).toBe(3)
    moveOn(24 * 60)
    await ask(staff.msisdn)
    expect(await count()).toBe(4)
  })

  it('from who runs the house opens as well, and is noted', async () => {
    const { db } = database
    const staff = await createStaff(db, programme.id, 'branch')
    const [info] = await loadProgrammes(db)
    if (info === undefined) throw new Error('no programme')
    const given = createSignIn({ db, pepper: consolePepper })
    const code = (await given.giveCode(info, staff.msisdn, console.clock.now())) ?? ''
    const browser = console.browser()
    await browser.get('/sign-in')
    expect((await browser.submit('/sign-in/code', { number: staff.msisdn, code })).status).toBe(303)
    const { rows } = await db.pool.query(
      'select actor, action from audit_log where subject = $1 order by id',
      [`staff:${staff.id}`],
    )
    expect(rows[0]).toEqual({ actor: 'operator', action: 'console.code_given' })
    expect(await given.giveCode(info, '+221779999999', console.clock.now())).toBeUndefined()
  })
})

describe('a stranger', () => {
  it('gets the same page for a number of staff, of a member and of nobody', async () => {
    const staff = await createStaff(database.db, programme.id, 'branch')
    const member = await createMember(database.db, programme)
    const pages = []
    for (const number of [staff.msisdn, member.msisdn, '+221779999998', 'no number'])
      pages.push((await ask(number)).page)
    const plain = pages.map(({ status, text }) => [
      status,
      text.replace(/value="[^"]*"/g, '').replace(/(id|for|aria-describedby)="[^"]*"/g, ''),
    ])
    for (const page of plain) expect(page).toEqual(plain[0])
  })

  it('with a forged, a foreign or an empty cookie is led to the sign-in', async () => {
    for (const token of ['x', 'a'.repeat(43), '', '%00', "' or 1=1 --", 'b'.repeat(5_000)]) {
      const browser = console.browser()
      browser.cookies.set('tama-session', token)
      const reply = await browser.get('/members')
      expect(reply.location, token.slice(0, 20)).toBe('/console/sign-in')
      expect(reply.text).not.toContain('Diatta')
    }
  })

  it('who asks too often from one address waits, whatever number is named', async () => {
    const strict = await serveConsole(database.db, { budgets: { asks: 3, entries: 3, pages: 100 } })
    await database.db.pool.query('delete from rate_limits')
    const browser = strict.browser()
    await browser.get('/sign-in')
    const statuses: number[] = []
    for (let index = 0; index < 4; index += 1)
      statuses.push((await browser.submit('/sign-in', { number: `+22177999900${index}` })).status)
    expect(statuses).toEqual([200, 200, 200, 429])
    const entries: number[] = []
    for (let index = 0; index < 4; index += 1)
      entries.push((await browser.submit('/sign-in/code', { number: '+221779999000', code: '1' })).status)
    expect(entries).toEqual([422, 422, 422, 429])
    // Neither an address nor a number stands in the table in clear.
    const { rows } = await database.db.pool.query<{ key: string }>('select key from rate_limits')
    for (const { key } of rows) expect(key).not.toMatch(/127|221/)
    await strict.close()
  })
})

describe('a session', () => {
  it('ends after thirty minutes without doing anything, and a page that renews itself does nothing', async () => {
    const staff = await createStaff(database.db, programme.id, 'branch')
    const browser = await console.signedIn(staff.id)
    moveOn(29)
    expect((await browser.get('/')).status).toBe(200)
    moveOn(29)
    const part = await browser.get('/', { 'hx-request': 'true' })
    expect(part.status).toBe(200)
    moveOn(2)
    const late = await browser.get('/', { 'hx-request': 'true' })
    expect(late.headers.get('hx-refresh')).toBe('true')
    expect((await browser.get('/')).status).toBe(303)
  })

  it('ends after twelve hours, however busy', async () => {
    const staff = await createStaff(database.db, programme.id, 'branch')
    const browser = await console.signedIn(staff.id)
    for (let minutes = 0; minutes < 12 * 60 - 20; minutes += 20) {
      moveOn(20)
      expect((await browser.get('/')).status, `${minutes} minutes`).toBe(200)
    }
    moveOn(20)
    expect((await browser.get('/')).status).toBe(303)
  })

  it('has cookies that scripts and other sites cannot use, bound to the host in production', async () => {
    const staff = await createStaff(database.db, programme.id, 'branch')
    const production = await serveConsole(database.db, { production: true, clock: console.clock })
    const browser = production.browser()
    const first = await browser.get('/sign-in')
    await browser.submit('/sign-in', { number: staff.msisdn })
    const code = (await codeFor(database.db, staff.msisdn)) ?? ''
    const entered = await browser.submit('/sign-in/code', { number: staff.msisdn, code })
    const set = [...first.headers.getSetCookie(), ...entered.headers.getSetCookie()].filter(
      (one) => !one.includes('1970'),
    )
    expect(set.map((one) => one.split('=')[0])).toEqual(['__Host-tama-form', '__Host-tama-session'])
    for (const one of set) {
      expect(one).toMatch(/; HttpOnly/)
      expect(one).toMatch(/; Secure/)
      expect(one).toMatch(/; SameSite=Strict/)
      expect(one).toMatch(/; Path=\//)
      expect(one).not.toMatch(/Domain/)
    }
    await production.close()
  })
})

describe('a form', () => {
  const changes = async () =>
    (await database.db.pool.query<{ count: number }>('select count(*)::int as count from audit_log')).rows[0]
      ?.count

  it('without the secret of its session, with an old one or from another site changes nothing and says so', async () => {
    const administrator = await createStaff(database.db, programme.id, 'administrator')
    const person = await createStaff(database.db, programme.id, 'branch')
    const browser = await console.signedIn(administrator.id)
    await console.signedIn(person.id)
    const before = await changes()
    const path = `/staff/${person.id}/sessions`
    const stranger = await console.signedIn(person.id)
    await stranger.get('/')
    const foreign = /name="csrf" value="([^"]+)"/.exec((await stranger.get('/')).text)?.[1] ?? ''
    for (const fields of [{}, { csrf: '' }, { csrf: 'x'.repeat(43) }, { csrf: foreign }]) {
      const reply = await browser.send(path, fields)
      expect(reply.status).toBe(403)
      expect(reply.text).toContain('This page was too old')
    }
    await browser.get('/')
    const own = /name="csrf" value="([^"]+)"/.exec((await browser.get('/')).text)?.[1] ?? ''
    for (const headers of [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'https://elsewhere.example' },
      { origin: 'null' },
    ]) {
      const reply = await browser.send(path, { csrf: own }, headers)
      expect(reply.status).toBe(403)
      expect(reply.text).toContain('came from another site')
    }
    expect(await changes()).toBe(before)
    expect((await browser.send(path, { csrf: own })).status).toBe(303)
    expect(await changes()).toBe((before ?? 0) + 1)
  })

  it('to sign in belongs to the browser that was shown it', async () => {
    const { browser } = await ask('+221779999997')
    browser.cookies.delete('tama-form')
    const reply = await browser.submit('/sign-in', { number: '+221779999997' })
    expect(reply.status).toBe(403)
    expect(reply.text).toContain('This page was too old. Nothing was done.')
  })

  it('that is longer than any form is refused', async () => {
    const { browser } = await ask('+221779999996')
    expect((await browser.submit('/sign-in', { number: '7'.repeat(200_000) })).status).toBe(413)
  })
})

it('pages run no scripts but their own, are kept by nobody and framed nowhere', async () => {
  const reply = await console.browser().get('/sign-in')
  const policy = reply.headers.get('content-security-policy') ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).toContain("script-src 'self'")
  expect(policy).toContain("frame-ancestors 'none'")
  expect(policy).not.toContain('unsafe')
  expect(reply.headers.get('cache-control')).toBe('no-store')
  expect(reply.text).not.toMatch(
    /<script(?! src="\/console\/assets\/htmx-[0-9a-f]{12}\.js" defer>)|style=| on\w+=/,
  )
  const style = /href="\/console(\/assets\/console-[0-9a-f]{12}\.css)"/.exec(reply.text)?.[1] ?? ''
  expect((await console.browser().get(style)).headers.get('cache-control')).toContain('immutable')
})
