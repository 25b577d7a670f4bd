// Meetings and trainings in the console: moved and cancelled with a look at who will be told, calendars previewed before they are set,
// attendance taken with one tap a member.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { announceAttendance } from '../../src/members/meeting-answers.ts'
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
let browser: TestBrowser
let awa: TestMember
let binta: TestMember
let meeting: string

beforeAll(async () => {
  database = await createTestDatabase()
  console = await serveConsole(database.db, { budgets: { asks: 500, entries: 500, pages: 5_000 } })
})
afterAll(async () => {
  await console.close()
  await database.drop()
})
beforeEach(async () => {
  const { db } = database
  console.clock.set(testNow)
  programme = await createProgramme(db, { code: `p${(await db.prisma.programme.count()) + 1}` })
  awa = await createMember(db, programme, { alias: 'Awa' })
  binta = await createMember(db, programme, { alias: 'Binta', firstName: 'Binta' })
  const { rows } = await db.pool.query<{ id: string }>(
    `insert into meetings (group_id, starts_at, place) values ($1, '2026-11-24T10:00:00Z', 'Brin') returning id`,
    [programme.groupId],
  )
  meeting = rows[0]?.id ?? ''
  const { id } = await createStaff(db, programme.id, 'facilitator', { groupId: programme.groupId })
  browser = await console.signedIn(id)
  await browser.get('/')
})

const row = async () =>
  (
    await database.db.pool.query<{ startsAt: Date; place: string; status: string }>(
      'select starts_at as "startsAt", place, status from meetings where id = $1',
      [meeting],
    )
  ).rows[0]

describe('one meeting', () => {
  it('shows who will be told before it is moved, and tells exactly those', async () => {
    expect((await browser.get(`/meetings/${meeting}`)).text).toContain('Nobody was told of it yet')
    await announceAttendance(database.db.pool, {
      memberId: awa.id,
      coming: true,
      channel: 'ussd',
      now: testNow,
    })
    const shown = await browser.get(`/meetings/${meeting}`)
    expect(shown.text).toContain('They get an SMS: Awa Diatta')
    const moved = await browser.submit(`/meetings/${meeting}/move`, {
      date: '2026-11-25',
      time: '15:30',
      place: 'Au marché',
    })
    expect(moved.location).toBe(`/console/meetings/${meeting}?done=saved`)
    expect(await row()).toEqual({
      startsAt: new Date('2026-11-25T15:30:00Z'),
      place: 'Au marché',
      status: 'planned',
    })
    const { rows } = await database.db.pool.query(
      `select member_id as id from messages where meeting_id = $1 and template = 'meeting.moved'`,
      [meeting],
    )
    expect(rows).toEqual([{ id: awa.id }])
    const again = await browser.submit(`/meetings/${meeting}/move`, {
      date: '2026-11-25',
      time: '15:30',
      place: 'Au marché',
    })
    expect(again.location).toBe(`/console/meetings/${meeting}?done=unchanged`)
  })

  it.each([
    [{ date: '2026-11-20', time: '10:00', place: 'Brin' }, 'This hour is past.'],
    [{ date: '2026-02-30', time: '10:00', place: 'Brin' }, 'Give a day and an hour.'],
    [{ date: '2026-11-25', time: '25:00', place: 'Brin' }, 'Give a day and an hour.'],
    [{ date: '2026-11-25', time: '10:00', place: ' ' }, 'Give a place of at most 80 letters.'],
    [{}, 'Give a day and an hour.'],
  ])(
    'cannot be moved to %j: the page says why, keeps what was typed, and nothing is written',
    async (sent, said) => {
      const reply = await browser.submit(`/meetings/${meeting}/move`, sent)
      expect(reply.status).toBe(422)
      expect(reply.text).toContain(said)
      if ('date' in sent) expect(reply.text).toContain(`value="${sent.date}"`)
      expect(await row()).toMatchObject({ startsAt: new Date('2026-11-24T10:00:00Z'), place: 'Brin' })
    },
  )

  it('is cancelled and put back', async () => {
    await browser.submit(`/meetings/${meeting}/cancel`)
    expect((await row())?.status).toBe('cancelled')
    const shown = await browser.get(`/meetings/${meeting}`)
    expect(shown.text).toContain('Put back')
    expect(shown.text).not.toContain('/move')
    await browser.submit(`/meetings/${meeting}/restore`)
    expect((await row())?.status).toBe('planned')
  })

  it('offers attendance when it begins, with those ticked who said that they come, and takes it whole', async () => {
    await announceAttendance(database.db.pool, {
      memberId: awa.id,
      coming: true,
      channel: 'ussd',
      now: testNow,
    })
    expect((await browser.get(`/meetings/${meeting}`)).text).not.toContain('Who came?')
    expect((await browser.submit(`/meetings/${meeting}/attendance`, { came: awa.id })).status).toBe(422)
    console.clock.set(new Date('2026-11-24T10:10:00Z'))
    const person = await createStaff(database.db, programme.id, 'facilitator', { groupId: programme.groupId })
    browser = await console.signedIn(person.id)
    const shown = await browser.get(`/meetings/${meeting}`)
    expect(shown.text).toContain('Who came?')
    const box = (id: string) => new RegExp(`value="${id}"( checked)?`).exec(shown.text)?.[1]
    expect([box(awa.id), box(binta.id)]).toEqual([' checked', undefined])
    const saved = await browser.submit(`/meetings/${meeting}/attendance`, { came: binta.id })
    expect(saved.location).toBe(`/console/meetings/${meeting}?done=saved`)
    const { rows } = await database.db.pool.query(
      'select member_id as id, attended, taken_by as by from meeting_attendances where meeting_id = $1 order by attended',
      [meeting],
    )
    expect(rows).toEqual([
      { id: awa.id, attended: false, by: `staff:${person.id}` },
      { id: binta.id, attended: true, by: `staff:${person.id}` },
    ])
    expect((await browser.get('/meetings')).text).not.toContain('Attendance to take')
  })

  it('that nobody took attendance of stands first among the meetings', async () => {
    console.clock.set(new Date('2026-11-24T18:00:00Z'))
    const person = await createStaff(database.db, programme.id, 'facilitator', { groupId: programme.groupId })
    browser = await console.signedIn(person.id)
    expect((await browser.get('/meetings')).text).toContain('Attendance to take')
  })
})

describe('the calendar of a group', () => {
  const wish = {
    rhythm: 'last',
    weekday: 'FR',
    rule: '',
    startsOn: '2026-11-22',
    time: '10:00',
    place: 'Foyer',
  }
  const path = () => `/groups/${programme.groupId}/calendar`

  it('is previewed with its holidays and set with one step', async () => {
    await database.db.pool.query(`update programmes set holidays = '{2026-12-25}' where id = $1`, [
      programme.id,
    ])
    const shown = await browser.get(`${path()}?${new URLSearchParams(wish)}`)
    expect(shown.text).toContain('Fri 27 Nov, 10:00')
    expect(/2026-12-25<\/span> <span class="badge bad">holiday/.test(shown.text)).toBe(true)
    const hidden = Object.fromEntries(
      [...shown.text.matchAll(/type="hidden" name="(rule|startsOn|time|place)" value="([^"]*)"/g)].map(
        ([, name = '', value = '']) => [name, value],
      ),
    )
    expect(hidden).toEqual({
      rule: 'FREQ=MONTHLY;BYDAY=-1FR',
      startsOn: '2026-11-22',
      time: '10:00',
      place: 'Foyer',
    })
    const set = await browser.submit(path(), hidden)
    expect(set.location).toBe(`/console${path()}?done=saved`)
    const after = await browser.get(path())
    expect(after.text).toContain('FREQ=MONTHLY;BYDAY=-1FR')
    expect(after.text).toContain('2026-12-25 10:00')
    expect((await browser.submit(path(), hidden)).location).toBe(`/console${path()}?done=unchanged`)
  })

  it.each([
    [{ rhythm: 'rule', rule: 'FREQ=WEEKLY;BYDAY=1TU' }, 'Parts of the rule do not go together.'],
    [{ rhythm: 'rule', rule: '<script>' }, 'A rule looks like'],
    [{ rhythm: 'nothing' }, 'A rule looks like'],
    [{ startsOn: 'soon' }, 'Give a day and an hour.'],
    [{ time: '' }, 'Give an hour.'],
  ])('of %j is no calendar: preview and act say why', async (change, said) => {
    const asked = { ...wish, ...change }
    expect((await browser.get(`${path()}?${new URLSearchParams(asked)}`)).text).toContain(said)
    const reply = await browser.submit(path(), asked)
    expect(reply.status).toBe(422)
    expect(reply.text).toContain(said)
    expect(reply.text).not.toContain('<script>')
  })

  it('gets a meeting beside it', async () => {
    const added = await browser.submit(`/groups/${programme.groupId}/meetings`, {
      date: '2026-12-05',
      time: '09:00',
      place: '',
    })
    expect(added.location).toMatch(/^\/console\/meetings\/[0-9a-f-]{36}\?done=saved$/)
  })
})

it('the training page adds a session and shows who is ready for a first loan', async () => {
  const { pool } = database.db
  await pool.query(
    `insert into training_modules (programme_id, number, initial, titles) values ($1, 1, true, '{"fr": "La caisse"}')`,
    [programme.id],
  )
  const path = `/groups/${programme.groupId}/training`
  expect((await browser.get(path)).text).toContain('1. La caisse')
  const added = await browser.submit(path, { module: '1', date: '2026-11-24', time: '10:00', place: 'Brin' })
  const session = /trainings\/([0-9a-f-]{36})/.exec(added.location ?? '')?.[1] ?? ''
  expect(
    (await browser.submit(path, { module: '7', date: '2026-11-24', time: '10:00', place: 'Brin' })).status,
  ).toBe(422)
  console.clock.set(new Date('2026-11-24T10:10:00Z'))
  const person = await createStaff(database.db, programme.id, 'facilitator', { groupId: programme.groupId })
  browser = await console.signedIn(person.id)
  await browser.get(`/trainings/${session}`)
  await browser.submit(`/trainings/${session}/attendance`, { came: awa.id })
  const { text } = await browser.get(path)
  expect(/Awa Diatta<\/a>.*?1 \/ 1.*?>ready</s.test(text)).toBe(true)
  expect(/Binta Diatta<\/a>.*?0 \/ 1/s.test(text)).toBe(true)
})
