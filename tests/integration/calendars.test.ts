// Meetings that a group's calendar writes ahead: what the rule yields and nothing else, whoever writes them, when and how often.
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { addDays, instantAt } from '../../src/calendar.ts'
import { fixedClock } from '../../src/clock.ts'
import { aheadDays } from '../../src/meetings/ahead.ts'
import { calendarOf, endCalendar, type NewCalendar, setCalendar } from '../../src/meetings/calendars.ts'
import { addMeeting, cancelMeeting, meetingsFrom, moveMeeting } from '../../src/meetings/meetings.ts'
import { daysOf, readRule } from '../../src/meetings/rule.ts'
import { createMeetingWriter } from '../../src/meetings/writer.ts'
import { announceAttendance } from '../../src/members/meeting-answers.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import { createMember, createProgramme, type TestProgramme, testNow, testToday } from '../support/fixtures.ts'
import { sendDue } from '../support/told-members.ts'

let database: TestDatabase
let programme: TestProgramme
const by = 'operator'

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())
beforeEach(async () => {
  const code = `p${(await database.db.prisma.programme.count()) + 1}`
  programme = await createProgramme(database.db, { code })
})

const set = (asked: Partial<NewCalendar>, groupId = programme.groupId) =>
  database.db.transaction((tx) =>
    setCalendar(tx, {
      groupId,
      rule: 'FREQ=WEEKLY;BYDAY=TU',
      startsOn: testToday,
      startMinute: 600,
      by,
      now: testNow,
      ...asked,
    }),
  )
const writer = (now: Date) =>
  createMeetingWriter({ db: database.db, clock: fixedClock(now), logger: silentLogger })
const at = (day: string, minute = 600) => instantAt(day, minute, 'Africa/Dakar')

async function rows(groupId = programme.groupId) {
  const found = await meetingsFrom(database.db.pool, groupId, new Date(0), 1_000)
  return found.map(({ id, occurrenceDate: date, startsAt, status, byHand, place }) => ({
    id,
    date,
    startsAt,
    status,
    byHand,
    place,
  }))
}
const planned = async (groupId = programme.groupId) =>
  (await rows(groupId)).filter(({ status }) => status === 'planned').map(({ startsAt }) => startsAt)
const meetingOn = async (day: string) => {
  const row = (await rows()).find(({ date }) => date === day)
  if (row === undefined) throw new Error(`no meeting of ${day}`)
  return row.id
}

describe('a calendar', () => {
  test('writes its meetings at once, as many days ahead as the house keeps, and its group meets there', async () => {
    expect(await set({})).toMatchObject({ outcome: 'set', written: 17, kept: 0, cancelled: 0, toTell: 0 })
    const found = await rows()
    expect(found[0]).toMatchObject({ date: '2026-11-24', startsAt: at('2026-11-24'), place: 'Ziguinchor' })
    expect(found.at(-1)?.date).toBe('2027-03-16')
    expect(await calendarOf(database.db.pool, programme.groupId)).toMatchObject({
      rule: 'FREQ=WEEKLY;BYDAY=TU',
      startsOn: testToday,
      startMinute: 600,
      place: 'Ziguinchor',
      timeZone: 'Africa/Dakar',
    })
  })

  test('that is set twice is set once', async () => {
    await set({})
    const before = await rows()
    expect(await set({ rule: 'byday=TU;freq=weekly' })).toMatchObject({ outcome: 'unchanged' })
    expect(await rows()).toEqual(before)
  })

  test('is refused with all its faults, and nothing is written', async () => {
    expect(await set({ rule: 'FREQ=WEEKLY;BYDAY=1TU', startMinute: 1_440, place: '' })).toEqual({
      faults: [
        { field: 'rule', code: 'rule.combination', detail: expect.any(String) },
        { field: 'startMinute', code: 'time.invalid', detail: expect.any(String) },
        { field: 'place', code: 'place.invalid', detail: expect.any(String) },
      ],
    })
    expect(await set({}, '00000000-0000-7000-8000-000000000000')).toMatchObject({
      faults: [{ code: 'group.unknown' }],
    })
    expect(await rows()).toEqual([])
  })

  test('takes a meeting of the same day that somebody wrote by itself for its own', async () => {
    const loose = { groupId: programme.groupId, startsAt: at('2026-12-01', 900), by, now: testNow }
    await addMeeting(database.db.pool, { ...loose, place: 'Au marché' })
    expect(await set({})).toMatchObject({ written: 16 })
    expect((await rows()).filter(({ date }) => date === '2026-12-01')).toMatchObject([
      { startsAt: at('2026-12-01', 900), place: 'Au marché', byHand: true },
    ])
    expect(await writer(testNow).runOnce(testNow)).toBe(0)
  })
})

describe('the writer of meetings', () => {
  test('writes what its rule yields, whatever the order and number of runs', async () => {
    const rule = fc.constantFrom(
      'FREQ=WEEKLY;BYDAY=TU',
      'FREQ=WEEKLY;INTERVAL=2',
      'FREQ=MONTHLY;BYDAY=1TU,3TU',
      'FREQ=MONTHLY;BYDAY=-1FR',
      'FREQ=MONTHLY;BYMONTHDAY=31,-1',
      'FREQ=WEEKLY;COUNT=9;BYDAY=MO,TH',
      'FREQ=MONTHLY;UNTIL=20270301;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1',
      'FREQ=DAILY;INTERVAL=9',
    )
    await fc.assert(
      fc.asyncProperty(
        rule,
        fc.integer({ min: -60, max: 60 }),
        fc.array(fc.integer({ min: 0, max: 100 }), { maxLength: 5 }),
        async (wished, startOffset, runs) => {
          const group = await database.db.prisma.group.create({
            data: { programmeId: programme.id, code: `G${Math.random()}`, name: 'x', place: 'x' },
          })
          const startsOn = addDays(testToday, startOffset)
          await set({ rule: wished, startsOn }, group.id)
          const instants = runs.map((days) => new Date(testNow.getTime() + days * 86_400_000))
          for (const now of instants) await writer(now).runOnce(now)
          const furthest = Math.max(0, ...runs)
          const spelled = readRule(wished, startsOn)
          if (!('rule' in spelled)) throw new Error('no rule')
          const expected = daysOf(spelled.rule, startsOn, testToday, addDays(testToday, furthest + aheadDays))
            .map((day) => at(day))
            .filter((startsAt) => startsAt > testNow)
          expect(await planned(group.id)).toEqual(expected)
          await database.db.pool.query('update group_calendars set ended_at = now() where group_id = $1', [
            group.id,
          ])
        },
      ),
      { numRuns: 25 },
    )
  })

  test('in many processes at once writes each meeting once', async () => {
    await set({})
    const later = new Date(testNow.getTime() + 60 * 86_400_000)
    const counts = await Promise.all(Array.from({ length: 6 }, () => writer(later).runOnce(later)))
    // Whoever found another one at work did nothing; those that came after it found nothing to do.
    expect(counts.filter((count) => count !== undefined && count > 0)).toHaveLength(1)
    const days = (await rows()).map(({ date }) => date)
    expect(days).toHaveLength(17 + 9)
    expect(new Set(days).size).toBe(days.length)
  })

  test('writes nothing for a calendar that is replaced at the same moment', async () => {
    await set({})
    const later = new Date(testNow.getTime() + 90 * 86_400_000)
    await Promise.all([writer(later).runOnce(later), set({ rule: 'FREQ=WEEKLY;BYDAY=FR', now: later })])
    await writer(later).runOnce(later)
    const ahead = (await planned()).filter((startsAt) => startsAt > later)
    expect(new Set(ahead.map((startsAt) => startsAt.getUTCDay()))).toEqual(new Set([5]))
  })

  test('follows the wall clock of the programme over the change of clocks', async () => {
    const paris = await createProgramme(database.db, {
      code: `${programme.code}fr`,
      timeZone: 'Europe/Paris',
      country: 'FR',
      currency: 'EUR',
    })
    const now = new Date('2026-10-19T12:00:00Z')
    await set({ startsOn: '2026-10-20', now }, paris.groupId)
    expect((await planned(paris.groupId)).slice(0, 2)).toEqual([
      new Date('2026-10-20T08:00:00Z'),
      new Date('2026-10-27T09:00:00Z'),
    ])
  })

  test('leaves out a rule that cannot be read, and writes for the other groups', async () => {
    const group = await database.db.prisma.group.create({
      data: { programmeId: programme.id, code: 'G02', name: 'x', place: 'x' },
    })
    await database.db.pool.query(
      `insert into group_calendars (group_id, rule, starts_on, start_minute, place, created_at)
       values ($1, 'every week', $3, 600, 'x', $4), ($2, 'FREQ=WEEKLY', $3, 600, 'x', $4)`,
      [group.id, programme.groupId, testToday, testNow],
    )
    await writer(testNow).runOnce(testNow)
    expect(await planned(group.id)).toEqual([])
    expect(await planned()).not.toEqual([])
    await database.db.pool.query('update group_calendars set ended_at = now() where group_id = $1', [
      group.id,
    ])
  })
})

describe('another calendar in the place of the old one', () => {
  test('keeps the meetings of days on which both meet, and cancels the others', async () => {
    await set({ rule: 'FREQ=WEEKLY;BYDAY=TU,FR' })
    const kept = await meetingOn('2026-12-01')
    expect(await set({ rule: 'FREQ=WEEKLY;BYDAY=TU' })).toMatchObject({
      outcome: 'set',
      written: 0,
      kept: 17,
      cancelled: 17,
    })
    expect(await meetingOn('2026-12-01')).toBe(kept)
    const now = await rows()
    expect(
      now.filter(({ status }) => status === 'planned').every(({ startsAt }) => startsAt.getUTCDay() === 2),
    ).toBe(true)
    expect(now.filter(({ status }) => status === 'cancelled')).toHaveLength(17)
  })

  test('takes the new hour and place for days that stay, and tells who had announced that she comes', async () => {
    await set({})
    const awa = await createMember(database.db, programme)
    await announceAttendance(database.db.pool, {
      memberId: awa.id,
      coming: true,
      channel: 'ussd',
      now: testNow,
    })
    expect(await set({ startMinute: 960, place: 'Au marché' })).toMatchObject({ kept: 17, toTell: 1 })
    expect(await planned()).toContainEqual(at('2026-11-24', 960))
    const now = new Date(testNow.getTime() + 60_000)
    expect(await sendDue(database.db, programme.id, now)).toEqual([
      {
        memberId: awa.id,
        template: 'meeting.moved',
        said: 'FANSOTO: réunion changée: mar 24 nov à 16h00. *384*1#',
      },
    ])
  })

  test('leaves what somebody moved or cancelled by hand as it is', async () => {
    await set({})
    const { pool } = database.db
    const moved = await meetingOn('2026-12-01')
    const off = await meetingOn('2026-12-08')
    const movedAway = await meetingOn('2026-12-15')
    await moveMeeting(pool, { meetingId: moved, startsAt: at('2026-12-02'), by, now: testNow })
    await cancelMeeting(pool, { meetingId: off, by, now: testNow })
    await moveMeeting(pool, { meetingId: movedAway, startsAt: at('2026-12-17'), by, now: testNow })
    await set({ rule: 'FREQ=MONTHLY;BYDAY=1TU,2TU', startMinute: 900 })
    const found = await rows()
    const row = (id: string) => found.find((one) => one.id === id)
    expect(row(moved)).toMatchObject({ date: '2026-12-01', startsAt: at('2026-12-02'), status: 'planned' })
    expect(row(off)).toMatchObject({ date: '2026-12-08', status: 'cancelled' })
    // The new rule does not meet that day; the meeting that somebody moved still stands.
    expect(row(movedAway)).toMatchObject({ startsAt: at('2026-12-17'), status: 'planned' })
    expect(found.filter(({ date }) => date === '2026-12-08')).toHaveLength(1)
  })

  test('and back again brings back the meetings that the first change called off, and tells nobody', async () => {
    await set({})
    const awa = await createMember(database.db, programme)
    await announceAttendance(database.db.pool, {
      memberId: awa.id,
      coming: true,
      channel: 'ussd',
      now: testNow,
    })
    const before = await rows()
    await set({ rule: 'FREQ=WEEKLY;BYDAY=FR' })
    await set({})
    expect((await rows()).filter(({ status }) => status === 'planned')).toEqual(before)
    const said = await sendDue(database.db, programme.id, new Date(testNow.getTime() + 60_000))
    expect(said.map((one) => one.said)).toEqual(['moved', 'told'])
  })

  test('two at once leave one calendar and its meetings', async () => {
    const wishes = ['MO', 'TU', 'WE', 'TH'].map((day) => set({ rule: `FREQ=WEEKLY;BYDAY=${day}` }))
    await Promise.all(wishes)
    const { rows: standing } = await database.db.pool.query(
      'select rule from group_calendars where group_id = $1 and ended_at is null',
      [programme.groupId],
    )
    expect(standing).toHaveLength(1)
    expect(new Set((await planned()).map((startsAt) => startsAt.getUTCDay())).size).toBe(1)
  })

  test('none at all cancels what lies ahead, once', async () => {
    await set({})
    const end = () =>
      database.db.transaction((tx) => endCalendar(tx, { groupId: programme.groupId, by, now: testNow }))
    expect(await end()).toEqual({ cancelled: 17, toTell: 0 })
    expect(await end()).toBeUndefined()
    expect(await planned()).toEqual([])
    expect(await calendarOf(database.db.pool, programme.groupId)).toBeUndefined()
    await writer(testNow).runOnce(testNow)
    expect(await planned()).toEqual([])
  })
})
