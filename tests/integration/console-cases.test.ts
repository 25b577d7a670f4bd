// Cases and USSD paths in the console: found, taken, given an appointment and closed; and where dialogues stop.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type CaseKind, openCase } from '../../src/cases/cases.ts'
import { type ConsoleUnderTest, createStaff, serveConsole, type TestBrowser } from '../support/console.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  createMember,
  createProgramme,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'

let database: TestDatabase
let programme: TestProgramme
let console: ConsoleUnderTest
let awa: TestMember
let facilitator: TestBrowser
let branchId: string
let branch: TestBrowser
let administrator: TestBrowser
let social: TestBrowser

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  programme = await createProgramme(db)
  awa = await createMember(db, programme, { firstName: 'Mariama', number: 'N-1' })
  console = await serveConsole(db)
  const { groupId } = programme
  facilitator = await console.signedIn((await createStaff(db, programme.id, 'facilitator', { groupId })).id)
  branchId = (await createStaff(db, programme.id, 'branch')).id
  branch = await console.signedIn(branchId)
  administrator = await console.signedIn((await createStaff(db, programme.id, 'administrator')).id)
  social = await console.signedIn((await createStaff(db, programme.id, 'social_worker')).id)
})
afterAll(async () => {
  await console.close()
  await database.drop()
})
beforeEach(() => database.db.pool.query('delete from cases; delete from messages'))

const ask = async (kind: CaseKind) =>
  (
    await openCase(database.db.pool, {
      programmeId: programme.id,
      memberId: awa.id,
      kind,
      hopKey: `${kind}-${Math.random()}`,
      now: testNow,
    })
  ).reference
const row = async (reference: string) =>
  (
    await database.db.pool.query<{ status: string; outcome: string | null; taken: boolean; at: Date | null }>(
      `select status, outcome, taken_at is not null as taken, appointment_at as at from cases where reference = $1`,
      [reference],
    )
  ).rows[0]

describe('a case', () => {
  test('is found, taken and closed with its outcome, each with a row of the audit log', async () => {
    const reference = await ask('call_back')
    expect((await facilitator.get('/cases')).text).toContain(reference)
    const page = await facilitator.get(`/cases/${reference}`)
    expect(page.text).toContain('Mariama')
    expect((await facilitator.submit(`/cases/${reference}/take`)).location).toContain(reference)
    expect((await facilitator.submit(`/cases/${reference}/close`, { outcome: 'answered' })).status).toBe(303)
    expect(await row(reference)).toMatchObject({ status: 'closed', outcome: 'answered', taken: true })
    expect((await facilitator.get('/cases')).text).not.toContain(reference)
    expect((await facilitator.get('/cases?status=closed')).text).toContain(reference)
    const { rows } = await database.db.pool.query<{ action: string }>(
      `select action from audit_log where subject = 'case:' || $1::text order by id`,
      [reference],
    )
    expect(rows.map(({ action }) => action)).toEqual(['case.taken', 'case.closed'])
  })

  test('that two take is one’s; the other is told, and nothing changes', async () => {
    const reference = await ask('dispute')
    await facilitator.get('/cases')
    await branch.get('/cases')
    await facilitator.submit(`/cases/${reference}/take`)
    const late = await branch.submit(`/cases/${reference}/take`)
    expect(late.status).toBe(422)
    expect(late.text).toContain('Somebody else works on it')
  })

  test.each([['nonsense'], [''], ['erased']])('is not closed with the outcome %j', async (outcome) => {
    const reference = await ask('call_back')
    await facilitator.get('/cases')
    expect((await facilitator.submit(`/cases/${reference}/close`, { outcome })).status).toBe(422)
    expect(await row(reference)).toMatchObject({ status: 'open' })
  })

  test('gets an appointment in the programme’s own time, which can be taken back', async () => {
    const reference = await ask('adviser')
    await branch.get(`/cases/${reference}`)
    await branch.submit(`/cases/${reference}/appointment`, { day: '2026-11-26', time: '15:30' })
    expect((await row(reference))?.at?.toISOString()).toBe('2026-11-26T15:30:00.000Z')
    expect((await branch.get(`/cases/${reference}`)).text).toContain('2026-11-26 15:30')
    expect((await branch.submit(`/cases/${reference}/appointment`)).status).toBe(303)
    expect((await row(reference))?.at).toBe(null)
  })

  test.each([
    ['a day that is over', { day: '2026-11-20', time: '10:00' }],
    ['a day that is none', { day: '2026-02-30', time: '10:00' }],
    ['a time that is none', { day: '2026-11-26', time: '25:00' }],
    ['no time', { day: '2026-11-26', time: '' }],
  ])('gets no appointment on %s', async (_what, fields) => {
    const reference = await ask('adviser')
    await branch.get(`/cases/${reference}`)
    const reply = await branch.submit(`/cases/${reference}/appointment`, fields)
    expect(reply.status).toBe(422)
    expect(reply.text).toContain('must lie ahead')
    expect((await row(reference))?.at).toBe(null)
  })

  test('of the social workers is settled by them alone; an administrator reads a number', async () => {
    const reference = await ask('social_worker')
    for (const browser of [facilitator, branch, administrator]) {
      await browser.get('/cases')
      for (const act of ['take', 'close', 'appointment'])
        expect((await browser.submit(`/cases/${reference}/${act}`, { outcome: 'answered' })).status).toBe(404)
    }
    const { text } = await administrator.get('/cases')
    expect(text).toContain('For the social workers: 1 open, 0 overdue, 0 without an owner.')
    expect(text).not.toContain('Mariama')
    expect((await branch.get('/cases')).text).not.toContain('social worker')
    await social.get(`/cases/${reference}`)
    await social.submit(`/cases/${reference}/take`)
    expect((await social.submit(`/cases/${reference}/close`, { outcome: 'answered' })).status).toBe(303)
    expect(await row(reference)).toMatchObject({ status: 'closed' })
  })

  test('is opened for a member who asks by word of mouth, once; only social workers open one of theirs', async () => {
    await branch.get('/')
    const path = `/members/${awa.id}/cases`
    expect((await branch.submit(path, { kind: 'call_back', language: 'wo' })).location).toContain(
      'done=case_opened',
    )
    const again = await facilitator.submit(path, { kind: 'call_back' })
    expect(again.status).toBe(422)
    const { rows } = await database.db.pool.query<{ reference: string; language: string; action: string }>(
      `select c.reference, c.language, a.action from cases c join audit_log a on a.subject = 'case:' || c.reference`,
    )
    expect(rows).toMatchObject([{ language: 'wo', action: 'case.opened' }])
    expect(again.text).toContain(rows[0]?.reference)
    for (const kind of ['social_worker', 'nonsense'])
      expect((await branch.submit(path, { kind })).status).toBe(422)
    expect((await social.submit(path, { kind: 'social_worker' })).status).toBe(303)
  })

  test('is handed to somebody who may own it, to be taken anew; who had it sees it no more', async () => {
    const { db } = database
    const reference = await ask('adviser')
    const speaker = await createStaff(db, programme.id, 'adviser', { language: 'fr' })
    const adviser = await console.signedIn(speaker.id)
    const auditor = await createStaff(db, programme.id, 'auditor')
    const stranger = await createStaff(db, programme.id, 'facilitator')
    await branch.get(`/cases/${reference}`)
    await branch.submit(`/cases/${reference}/take`)
    for (const owner of [auditor.id, stranger.id, 'x'])
      expect((await branch.submit(`/cases/${reference}/hand`, { owner })).status, owner).toBe(422)
    expect((await adviser.get(`/cases/${reference}`)).status).toBe(404)
    const page = await branch.get(`/cases/${reference}`)
    expect(page.text).toContain('Adviser, speaks her language; 0 open')
    expect((await branch.submit(`/cases/${reference}/hand`, { owner: speaker.id })).location).toContain(
      'done=case_handed',
    )
    expect(await row(reference)).toMatchObject({ status: 'open', taken: false })
    expect((await adviser.get('/')).text).toContain('À vous : 1 ouvertes, 0 en retard')
    await adviser.submit(`/cases/${reference}/take`)
    await adviser.submit(`/cases/${reference}/hand`, { owner: branchId })
    expect((await adviser.get(`/cases/${reference}`)).status).toBe(404)
    const { rows } = await db.pool.query<{ action: string; after: object }>(
      `select action, before, after from audit_log where subject = 'case:' || $1::text order by id`,
      [reference],
    )
    expect(rows.map(({ action }) => action)).toEqual([
      'case.taken',
      'case.handed',
      'case.taken',
      'case.handed',
    ])
    expect(rows[1]).toMatchObject({ before: { taken: true }, after: { taken: false } })
    // Neither kind nor owner stands in the log.
    expect(JSON.stringify(rows)).not.toMatch(new RegExp(`adviser|${speaker.id}`))
  })

  test('of the social workers is handed to social workers alone', async () => {
    const reference = await ask('social_worker')
    const other = await createStaff(database.db, programme.id, 'social_worker')
    await social.get(`/cases/${reference}`)
    expect((await social.submit(`/cases/${reference}/hand`, { owner: branchId })).status).toBe(422)
    expect((await social.submit(`/cases/${reference}/hand`, { owner: other.id })).status).toBe(303)
    expect((await branch.submit(`/cases/${reference}/hand`, { owner: branchId })).status).toBe(404)
  })

  test('that is overdue is marked, and found by that', async () => {
    const late = await ask('call_back')
    const later = await ask('adviser')
    console.clock.set(new Date('2026-11-25T08:00:00Z'))
    // The night was longer than a session may rest.
    const nextMorning = await console.signedIn(branchId)
    const list = await nextMorning.get('/cases')
    expect(list.text.indexOf(late)).toBeLessThan(list.text.indexOf(later))
    const overdue = await nextMorning.get('/cases?overdue=yes')
    expect(overdue.text).toContain(late)
    expect(overdue.text).not.toContain(later)
    console.clock.set(testNow)
  })

  test('odd filters are answered with a page', async () => {
    for (const path of [
      '/cases?after=%27',
      '/cases?kind=x&status=y',
      '/cases/%00',
      "/cases/' or 1=1",
      '/paths?days=x',
    ])
      expect([200, 404]).toContain((await branch.get(path)).status)
  })
})

test('USSD paths show where dialogues stop, of the days that are chosen', async () => {
  await database.db.pool.query(
    `insert into ussd_path_counts (programme_id, day, menu, state, shown, stopped)
     values ($1, '2026-11-22', 'member', 'home', 40, 10), ($1, '2026-11-01', 'member', 'pin', 30, 12)`,
    [programme.id],
  )
  const week = await branch.get('/paths')
  expect(week.text).toContain('member.home')
  expect(week.text).toContain('25 %')
  expect(week.text).not.toContain('member.pin')
  expect((await branch.get('/paths?days=30')).text).toContain('member.pin')
})
