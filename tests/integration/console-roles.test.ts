// Every page of the console and every role: who sees what it may, and nothing else. The routes come from the table that the console
// itself is made of, so that a page without a line here fails.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { menuFor } from '../../src/console/menu.ts'
import type { ConsoleRoute } from '../../src/console/page.ts'
import { findsSql } from '../../src/console/pages/members.ts'
import { consoleRoutes } from '../../src/console/routes.ts'
import { type StaffRole, staffRoles } from '../../src/members/staff.ts'
import { maskMsisdn } from '../../src/msisdn.ts'
import { type ConsoleUnderTest, createStaff, serveConsole, type TestBrowser } from '../support/console.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  createLoan,
  createMember,
  createProgramme,
  repay,
  type TestMember,
  type TestProgramme,
} from '../support/fixtures.ts'

/** By their first letters: facilitator, adviser, social worker, branch, administrator (m), auditor (u). */
const letters: Readonly<Record<string, StaffRole>> = {
  f: 'facilitator',
  a: 'adviser',
  s: 'social_worker',
  b: 'branch',
  m: 'administrator',
  u: 'auditor',
}

/** Who may, and an address of the route that shows something. `send`: what a form brings. */
interface Case {
  roles: string
  path?: string
  send?: Record<string, string>
  /** To whom what stands at the address is not there. */
  hidden?: string
}

const cases: Readonly<Record<string, Case>> = {
  'get /': { roles: 'fasbmu' },
  'get /groups': { roles: 'fasbmu' },
  'get /groups/:id': { roles: 'fasbmu', path: '/groups/{group}' },
  'get /groups/:id/calendar': { roles: 'fasbmu', path: '/groups/{group}/calendar' },
  'post /groups/:id/calendar': {
    roles: 'fbm',
    path: '/groups/{group}/calendar',
    send: { rule: 'FREQ=WEEKLY;COUNT=1', startsOn: '2026-12-01', time: '10:00' },
  },
  'post /groups/:id/meetings': {
    roles: 'fbm',
    path: '/groups/{group}/meetings',
    send: { date: '2026-12-05', time: '10:00', place: '' },
  },
  'get /groups/:id/training': { roles: 'fasbmu', path: '/groups/{group}/training' },
  'post /groups/:id/training': {
    roles: 'fbm',
    path: '/groups/{group}/training',
    send: { module: '1', date: '2026-12-05', time: '10:00', place: '' },
  },
  'get /meetings': { roles: 'fasbmu' },
  'get /meetings/:id': { roles: 'fasbmu', path: '/meetings/{meeting}' },
  'post /meetings/:id/move': {
    roles: 'fbm',
    path: '/meetings/{meeting}/move',
    send: { date: '2026-12-07', time: '10:00', place: 'Brin' },
  },
  'post /meetings/:id/cancel': { roles: 'fbm', path: '/meetings/{meeting}/cancel', send: {} },
  'post /meetings/:id/restore': { roles: 'fbm', path: '/meetings/{meeting}/restore', send: {} },
  'post /meetings/:id/attendance': { roles: 'fbm', path: '/meetings/{meeting}/attendance', send: {} },
  'get /trainings/:id': { roles: 'fasbmu', path: '/trainings/{training}' },
  'post /trainings/:id/move': {
    roles: 'fbm',
    path: '/trainings/{training}/move',
    send: { date: '2026-12-07', time: '10:00', place: 'Brin' },
  },
  'post /trainings/:id/cancel': { roles: 'fbm', path: '/trainings/{training}/cancel', send: {} },
  'post /trainings/:id/restore': { roles: 'fbm', path: '/trainings/{training}/restore', send: {} },
  'post /trainings/:id/attendance': { roles: 'fbm', path: '/trainings/{training}/attendance', send: {} },
  'get /members': { roles: 'fasbmu' },
  'get /members/:id': { roles: 'fasbmu', path: '/members/{member}' },
  'post /members/:id/pin-reset': { roles: 'fbm', path: '/members/{member}/pin-reset', send: {} },
  'post /members/:id/reverify': { roles: 'fasbm', path: '/members/{member}/reverify', send: {} },
  'post /members/:id/consents': {
    roles: 'fasbm',
    path: '/members/{member}/consents',
    send: { language: 'fr', 'consent.survey': 'no' },
  },
  'post /members/:id/cases': {
    roles: 'fasbm',
    path: '/members/{member}/cases',
    send: { kind: 'adviser' },
  },
  'post /members/:id/confirm': {
    roles: 'fasbm',
    path: '/members/{member}/confirm',
    send: { phone: '+221770123456' },
  },
  'get /messages': { roles: 'fbmu' },
  'get /messages/:id': { roles: 'fbmu', path: '/messages/{message}' },
  'get /members.csv': { roles: 'fbmu' },
  'get /messages.csv': { roles: 'fbmu' },
  'get /files': { roles: 'bm' },
  'post /files': { roles: 'bm', send: { kind: 'members' } },
  'post /files/preview': { roles: 'bm', send: { kind: 'members' } },
  'get /notices': { roles: 'fbmu' },
  'get /notices/new': { roles: 'fbm' },
  'post /notices/new': { roles: 'fbm', send: { template: 'bring_booklet', purpose: 'service' } },
  'get /notices/:id': { roles: 'fbmu', path: '/notices/{notice}' },
  'get /notices/:id/read-out': { roles: 'fbmu', path: '/notices/{notice}/read-out?group={group}' },
  'post /notices/:id/told': {
    roles: 'fbm',
    path: '/notices/{notice}/told',
    send: { group: '{group}', member: '{member}' },
  },
  'post /notices/:id/send': { roles: 'fbm', path: '/notices/{notice}/send', send: {} },
  'post /notices/:id/approve': { roles: 'bm', path: '/notices/{notice}/approve', send: {} },
  'post /notices/:id/refuse': { roles: 'bm', path: '/notices/{notice}/refuse', send: {} },
  'post /notices/:id/undo': { roles: 'fbm', path: '/notices/{notice}/undo', send: {} },
  'post /notices/:id/stop': { roles: 'fbm', path: '/notices/{notice}/stop', send: {} },
  'get /cases': { roles: 'fasbmu' },
  // Nobody's own: advisers and social workers do not see that it is there.
  'get /cases/:reference': { roles: 'fasbmu', path: '/cases/OPEN1', hidden: 'as' },
  'post /cases/:reference/take': { roles: 'fasbm', path: '/cases/OPEN1/take', send: {} },
  'post /cases/:reference/appointment': { roles: 'fasbm', path: '/cases/OPEN1/appointment', send: {} },
  'post /cases/:reference/hand': {
    roles: 'fasbm',
    path: '/cases/OPEN1/hand',
    send: { owner: '{person}' },
  },
  'post /cases/:reference/close': {
    roles: 'fasbm',
    path: '/cases/OPEN1/close',
    send: { outcome: 'answered' },
  },
  'get /paths': { roles: 'bmu' },
  'get /deliveries': { roles: 'bmu' },
  'get /cost': { roles: 'bmu' },
  'get /languages': { roles: 'fasbmu' },
  'get /settings': { roles: 'bmu' },
  'post /settings': { roles: 'm', send: {} },
  'post /settings/rules': { roles: 'm', send: { 'days.adviser': '9' } },
  'get /staff': { roles: 'bmu' },
  'get /staff/new': { roles: 'm' },
  'post /staff/new': {
    roles: 'm',
    send: { firstName: 'Awa', lastName: 'Sy', phone: '+221770999111', role: 'branch', language: 'fr' },
  },
  'get /staff/:id': { roles: 'bmu', path: '/staff/{person}' },
  'post /staff/:id': {
    roles: 'm',
    path: '/staff/{person}',
    send: {
      firstName: 'Awa',
      lastName: 'Sy',
      phone: '+221770999222',
      role: 'branch',
      language: 'fr',
      active: 'yes',
    },
  },
  'post /staff/:id/sessions': { roles: 'm', path: '/staff/{person}/sessions', send: {} },
  'get /audit': { roles: 'mu' },
}

let database: TestDatabase
let programme: TestProgramme
let other: TestProgramme
let console: ConsoleUnderTest
let mine: TestMember
let strange: TestMember
let foreign: TestMember
let names: Record<string, string>
const browsers = new Map<StaffRole, TestBrowser>()

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  programme = await createProgramme(db)
  other = await createProgramme(db, {
    code: 'palmis',
    serviceCode: '*385*1',
    senderId: 'PALMIS',
    shortcode: '385',
    currency: 'HTG',
  })
  const group = await db.prisma.group.create({
    data: { programmeId: programme.id, code: 'G02', name: 'Kassoumay', place: 'Bignona' },
  })
  mine = await createMember(db, programme, { firstName: 'Mariama', number: 'MINE-1' })
  strange = await createMember(db, programme, { firstName: 'Oumou', number: 'STRANGE-1', groupId: group.id })
  foreign = await createMember(db, other, { firstName: 'Farah', number: 'FOREIGN-1', msisdn: '+50937111111' })
  for (const member of [mine, strange]) {
    const loan = await createLoan(db, programme, member)
    await repay(db, programme, loan.number, 4_321)
    await db.pool.query(
      `insert into messages (programme_id, member_id, purpose, template, lane, dedupe_key, not_before, text, language)
       values ($1, $2, 'receipt', 'receipt.loan_repayment', 'urgent', $3, now(), 'We received 4 321 F.', 'en')`,
      [programme.id, member.id, `text ${member.number}`],
    )
  }
  await db.pool.query(
    `insert into cases (programme_id, member_id, kind, reference, dedupe_key, opened_at)
     values ($1, $2, 'social_worker', 'SECRET1', 's1', now()), ($1, $2, 'call_back', 'OPEN1', 'o1', now())`,
    [programme.id, mine.id],
  )
  await db.pool.query(
    `insert into training_modules (programme_id, number, titles) values ($1, 1, '{"fr": "La caisse"}')`,
    [programme.id],
  )
  const gatheringsOf = async (groupId: string) =>
    (
      await db.pool.query<{ meeting: string; training: string }>(
        `with m as (insert into meetings (group_id, starts_at, place) values ($1, '2026-12-01T10:00:00Z', 'Brin') returning id),
              t as (insert into training_sessions (module_id, group_id, starts_at, place)
                    select id, $1, '2026-12-02T10:00:00Z', 'Brin' from training_modules limit 1 returning id)
         select m.id as meeting, t.id as training from m, t`,
        [groupId],
      )
    ).rows[0] ?? { meeting: '', training: '' }
  const gatherings = await gatheringsOf(programme.groupId)
  const strangeGatherings = await gatheringsOf(group.id)
  console = await serveConsole(db)
  for (const role of staffRoles) {
    const { id } = await createStaff(db, programme.id, role, {
      ...(role === 'facilitator' ? { groupId: programme.groupId } : {}),
    })
    browsers.set(role, await console.signedIn(id))
  }
  const person = await createStaff(db, programme.id, 'branch')
  await console.signedIn(person.id)
  const messageOf = async (member: TestMember) =>
    (await db.pool.query<{ id: string }>('select id from messages where member_id = $1', [member.id])).rows[0]
      ?.id ?? ''
  const { rows: notices } = await db.pool.query<{ id: string }>(
    `insert into notices (programme_id, channel, purpose, audience, template, dedupe_key, created_at)
     values ($1, 'api', 'service', jsonb_build_object('groupIds', jsonb_build_array($2::text)), 'bring_booklet', 'roles', now()),
            ($1, 'api', 'service', jsonb_build_object('groupIds', jsonb_build_array($3::text)), 'bring_booklet', 'strange', now())
     returning id`,
    [programme.id, programme.groupId, group.id],
  )
  names = {
    notice: notices[0]?.id ?? '',
    strangeNotice: notices[1]?.id ?? '',
    group: programme.groupId,
    strangeGroup: group.id,
    ...gatherings,
    strangeMeeting: strangeGatherings.meeting,
    strangeTraining: strangeGatherings.training,
    member: mine.id,
    strange: strange.id,
    foreign: foreign.id,
    person: person.id,
    message: await messageOf(mine),
    strangeMessage: await messageOf(strange),
  }
})
afterAll(async () => {
  await console.close()
  await database.drop()
})

const keyOf = ({ method, path }: ConsoleRoute) => `${method} ${path}`
const fill = (path: string) => path.replace(/\{(\w+)\}/g, (_, name: string) => names[name] ?? '')
const browserOf = (role: StaffRole) => {
  const browser = browsers.get(role)
  if (browser === undefined) throw new Error(`no ${role}`)
  return browser
}

/** What the database holds of acts: a refused one adds nothing. */
const rowsOfAudit = async () =>
  (await database.db.pool.query<{ count: number }>('select count(*)::int as count from audit_log')).rows[0]
    ?.count ?? 0

it('every route has a line in the matrix, and every line a route', () => {
  expect(Object.keys(cases).sort()).toEqual(consoleRoutes.map(keyOf).sort())
})

describe.each(consoleRoutes.map((route) => [keyOf(route), route] as const))('%s', (key, route) => {
  it.each(staffRoles)('%s', async (role) => {
    const { roles = '', path = route.path, send, hidden = '' } = cases[key] ?? {}
    const may = [...roles].map((letter) => letters[letter])
    const browser = browserOf(role)
    const before = await rowsOfAudit()
    if (route.method === 'get') {
      const reply = await browser.get(fill(path))
      const isHidden = [...hidden].some((letter) => letters[letter] === role)
      expect(reply.status).toBe(isHidden ? 404 : may.includes(role) ? 200 : 403)
      expect(await rowsOfAudit()).toBe(before)
    } else {
      await browser.get('/')
      const filled = Object.fromEntries(Object.entries(send ?? {}).map(([name, text]) => [name, fill(text)]))
      const reply = await browser.submit(fill(path), filled)
      if (may.includes(role)) expect([303, 404, 409, 422]).toContain(reply.status)
      else {
        expect(reply.status).toBe(403)
        expect(reply.text).toContain('Your role may not see this page')
        expect(await rowsOfAudit()).toBe(before)
      }
    }
  })

  it('nobody without a session', async () => {
    const { path = route.path } = cases[key] ?? {}
    const browser = console.browser()
    const reply = route.method === 'get' ? await browser.get(fill(path)) : await browser.send(fill(path), {})
    expect(reply).toMatchObject({ status: 303, location: '/console/sign-in' })
  })
})

describe('what a role sees', () => {
  it('the menu leads nobody to a page that is closed to her', () => {
    for (const role of staffRoles)
      for (const { path } of menuFor(role)) {
        const route = consoleRoutes.find((one) => one.method === 'get' && one.path === path)
        expect(route?.roles, `${role} ${path}`).toContain(role)
      }
  })

  it('a facilitator sees her own groups, members and messages, and of others not even that they exist', async () => {
    const browser = browserOf('facilitator')
    const found = await browser.get('/members?q=')
    expect(found.text).toContain('Mariama')
    expect(found.text).not.toMatch(/Oumou|Farah/)
    expect((await browser.get('/groups')).text).not.toContain('Kassoumay')
    for (const path of [
      '/groups/{strangeGroup}',
      '/meetings/{strangeMeeting}',
      '/trainings/{strangeTraining}',
      '/members/{strange}',
      '/members/{foreign}',
      '/messages/{strangeMessage}',
      '/notices/{strangeNotice}',
    ]) {
      const hidden = await browser.get(fill(path))
      const nowhere = await browser.get(`${path.split('/{')[0]}/00000000-0000-7000-8000-000000000000`)
      expect(hidden.status, path).toBe(404)
      expect(hidden.text).toBe(nowhere.text)
    }
    const list = await browser.get('/messages')
    expect(list.text).toContain('MINE-1')
    expect(list.text).not.toContain('STRANGE-1')
    const before = await rowsOfAudit()
    for (const act of ['pin-reset', 'reverify', 'confirm'])
      expect((await browser.submit(`/members/${strange.id}/${act}`, { phone: '+221770123456' })).status).toBe(
        404,
      )
    for (const act of ['move', 'cancel', 'restore', 'attendance'])
      for (const path of [`/meetings/{strangeMeeting}/${act}`, `/trainings/{strangeTraining}/${act}`])
        expect((await browser.submit(fill(path), { date: '2026-12-07', time: '10:00' })).status, path).toBe(
          404,
        )
    for (const act of ['calendar', 'meetings', 'training'])
      expect((await browser.submit(fill(`/groups/{strangeGroup}/${act}`), {})).status, act).toBe(404)
    for (const part of ['calendar', 'training'])
      expect((await browser.get(fill(`/groups/{strangeGroup}/${part}`))).status, part).toBe(404)
    expect((await browser.get('/meetings')).text).not.toContain('Kassoumay')
    expect(await rowsOfAudit()).toBe(before)
  })

  it('a member is found by how number, alias or name begins, whatever capitals and accents are typed', async () => {
    const browser = browserOf('administrator')
    await createMember(database.db, programme, { firstName: 'Ndèye', number: 'ÀB-7' })
    for (const words of ['ndeye', 'NDÈYE d', 'Diatta nd', 'àb-', 'ab-7', ' Ndèye '])
      expect((await browser.get(`/members?q=${encodeURIComponent(words)}`)).text, words).toContain('ÀB-7')
    for (const words of ['deye', '%', '_', 'ab-77'])
      expect((await browser.get(`/members?q=${encodeURIComponent(words)}`)).text, words).not.toContain('ÀB-7')
  })

  it('members are found through indexes behind the wall between programmes', async () => {
    await database.db.pool.query(
      `insert into members (programme_id, number, first_name, last_name, alias)
       select $1, 'P-' || i, 'N' || i, 'L' || i, 'A' || i from generate_series(1, 3000) i`,
      [other.id],
    )
    await database.db.pool.query('analyze members')
    const plan = await database.db.inProgramme(other.id, async (tx) => {
      const { rows } = await tx.query<{ 'QUERY PLAN': string }>(
        `explain select m.id from members m where m.programme_id = $1 and m.erased_at is null and ${findsSql}`,
        [other.id, 'awa', '+221770000001'],
      )
      return rows.map((row) => row['QUERY PLAN']).join('\n')
    })
    for (const column of ['number', 'alias', 'name', 'reversed'])
      expect(plan).toContain(`Index Scan on members_plain_${column}`)
  })

  it('nobody sees anything of another programme', async () => {
    for (const role of staffRoles) {
      const browser = browserOf(role)
      expect((await browser.get(`/members/${foreign.id}`)).status).toBe(404)
      expect((await browser.get(`/groups/${other.groupId}`)).status).toBe(404)
      expect((await browser.get('/members?q=Farah')).text).not.toContain('FOREIGN-1')
      expect((await browser.get(`/members?q=${encodeURIComponent(foreign.msisdn)}`)).text).not.toContain(
        'FOREIGN-1',
      )
    }
  })

  it.each(staffRoles)('%s: amounts and texts that may state them only where the role may', async (role) => {
    const may = ['facilitator', 'branch', 'administrator'].includes(role)
    const browser = browserOf(role)
    const page = await browser.get(`/members/${mine.id}`)
    expect(page.text.includes('4 321')).toBe(may)
    expect(page.text.includes('Still to pay')).toBe(may)
    const message = await browser.get(`/messages/${names.message}`)
    expect(message.text.includes('4 321')).toBe(may)
  })

  it.each(staffRoles)('%s: whole numbers only where the role may', async (role) => {
    const browser = browserOf(role)
    const { rows } = await database.db.pool.query<{ msisdn: string }>(
      'select p.msisdn from member_phones mp join phones p on p.id = mp.phone_id where mp.member_id = $1 and is_primary',
      [mine.id],
    )
    const { msisdn = '' } = rows[0] ?? {}
    for (const path of [`/members/${mine.id}`, '/members?q=MINE-1']) {
      const { text } = await browser.get(path)
      expect(text.includes(msisdn), path).toBe(role !== 'auditor')
      if (role === 'auditor') expect(text).toContain(maskMsisdn(msisdn))
    }
  })

  it.each(staffRoles)('%s: that a member asked for a social worker', async (role) => {
    const browser = browserOf(role)
    for (const path of [
      '/',
      `/members/${mine.id}`,
      '/cases',
      '/cases?kind=social_worker',
      '/cases?after=OPEN1',
    ])
      expect((await browser.get(path)).text.includes('SECRET1') && role !== 'social_worker', path).toBe(false)
    for (const path of [`/members/${mine.id}`, '/cases'])
      expect((await browser.get(path)).text.includes('SECRET1')).toBe(role === 'social_worker')
    const hidden = await browser.get('/cases/SECRET1')
    expect(hidden.status).toBe(role === 'social_worker' ? 200 : 404)
    if (role !== 'social_worker') expect(hidden.text).toBe((await browser.get('/cases/NOWHERE')).text)
  })

  it('odd addresses are answered with a page, whatever stands in them', async () => {
    const browser = browserOf('administrator')
    for (const path of [
      '/members/x',
      "/members/' or 1=1",
      '/groups/%00',
      '/messages/%E0%A4%A',
      '/nowhere',
      '/messages?status=%27&before=x&day=2026-99-99',
      '/members?q=%25%5C%00',
      '/audit?before=999999999999999999999&day=x',
    ]) {
      const reply = await browser.get(path)
      expect([200, 400, 404], path).toContain(reply.status)
      expect(reply.text, path).toContain('<h1>')
    }
  })
})
