// Who is told that a meeting or training is not as she was told: she and nobody else, once, and the truth of the moment.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { loadI18n } from '../../src/i18n.ts'
import { openAsOf } from '../../src/ledger/as-of.ts'
import { takeAttendance } from '../../src/meetings/attendance.ts'
import {
  addMeeting,
  cancelMeeting,
  meetingOf,
  moveMeeting,
  restoreMeeting,
} from '../../src/meetings/meetings.ts'
import { whoIsToBeTold } from '../../src/meetings/telling.ts'
import { addSession, cancelSession, moveSession } from '../../src/meetings/trainings.ts'
import { announceAttendance } from '../../src/members/meeting-answers.ts'
import { createMetrics } from '../../src/metrics.ts'
import { verifyMessages } from '../../src/outbound/verify.ts'
import { createPlanner } from '../../src/reminders/planner.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import { createMember, createProgramme, type TestMember, type TestProgramme } from '../support/fixtures.ts'
import { sendDue } from '../support/told-members.ts'

let database: TestDatabase
let programme: TestProgramme
let awa: TestMember
let meetingId: string

const at = (text: string) => new Date(`2026-${text}:00Z`)
/** Written on a Sunday, for Wednesday at ten. */
const written = at('11-22T10:00')
const begins = at('11-25T10:00')
const by = 'operator'

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())
beforeEach(async () => {
  const code = `p${(await database.db.prisma.programme.count()) + 1}`
  programme = await createProgramme(database.db, { code })
  awa = await createMember(database.db, programme)
  const added = await database.db.transaction((tx) =>
    addMeeting(tx, { groupId: programme.groupId, startsAt: begins, by, now: written }),
  )
  if ('fault' in added) throw new Error(added.fault.detail)
  meetingId = added.meeting.id
})

const plan = (now: Date) =>
  createPlanner({
    db: database.db,
    clock: fixedClock(now),
    logger: silentLogger,
    metrics: createMetrics(),
  }).planOnce(now)
/** Plans reminders and sends what is due. */
async function live(now: Date, reached?: 'submitted' | 'delivered' | 'unknown') {
  await plan(now)
  return sendDue(database.db, programme.id, now, reached)
}
const send = (now: Date, reached?: 'submitted' | 'delivered' | 'unknown') =>
  sendDue(database.db, programme.id, now, reached)
const move = (startsAt: Date, now: Date, place?: string) =>
  database.db.transaction((tx) => moveMeeting(tx, { meetingId, startsAt, place, by, now }))
const cancel = (now: Date) => database.db.transaction((tx) => cancelMeeting(tx, { meetingId, by, now }))
const restore = (now: Date) => database.db.transaction((tx) => restoreMeeting(tx, { meetingId, by, now }))
const announce = (member: TestMember, now: Date) =>
  announceAttendance(database.db.pool, { memberId: member.id, coming: true, channel: 'ussd', now })

/** The eve, at nine: every member is reminded of ten o'clock. */
const eve = at('11-24T09:00')
const later = at('11-26T15:00')
const reminded = async (reached?: 'submitted' | 'delivered' | 'unknown') =>
  expect(await live(eve, reached)).toMatchObject([{ template: 'reminder.meeting' }])

describe('a meeting that is moved', () => {
  test('after the reminder is told to each who had it, once, until the first of the two hours', async () => {
    await reminded()
    expect(await move(later, at('11-24T12:00'))).toMatchObject({ outcome: 'changed', toTell: 1 })
    const { rows } = await database.db.pool.query(
      `select template, purpose, lane, expires_at as "expiresAt" from messages where template = 'meeting.moved' and meeting_id = $1`,
      [meetingId],
    )
    expect(rows).toEqual([
      { template: 'meeting.moved', purpose: 'meeting', lane: 'planned', expiresAt: begins },
    ])
    expect(await send(at('11-24T12:01'))).toEqual([
      {
        memberId: awa.id,
        template: 'meeting.moved',
        said: `FANSOTO: réunion changée: jeu 26 nov à 15h00. *384*1#`,
      },
    ])
    expect(await send(at('11-24T12:02'))).toEqual([])
  })

  test('is told by the reminder of the new day too, and not by that of the old one', async () => {
    await reminded()
    await move(later, at('11-24T12:00'))
    await send(at('11-24T12:01'))
    expect(await live(at('11-25T09:00'))).toMatchObject([
      { template: 'reminder.meeting', said: expect.stringContaining('jeu 26 nov') },
    ])
  })

  test('is told to nobody before anybody knew of it; the reminder says the new hour', async () => {
    expect(await move(later, at('11-23T12:00'))).toMatchObject({ outcome: 'changed', toTell: 0 })
    expect(await live(eve)).toEqual([])
    expect(await live(at('11-25T09:00'))).toMatchObject([{ template: 'reminder.meeting' }])
  })

  test('twice within minutes is one message with the final state', async () => {
    await reminded()
    await move(later, at('11-24T12:00'))
    await move(at('11-27T09:00'), at('11-24T12:03'))
    expect(await send(at('11-24T12:05'))).toMatchObject([
      { template: 'meeting.moved', said: 'moved' },
      { template: 'meeting.moved', said: expect.stringContaining('ven 27 nov à 09h00') },
    ])
  })

  test('and back before the message left is told to nobody', async () => {
    await reminded()
    await move(later, at('11-24T12:00'))
    await move(begins, at('11-24T12:03'))
    expect((await live(at('11-24T12:05'))).map(({ said }) => said)).toEqual(['moved', 'told', 'told'])
  })

  test('and back after the message left is told again, also when no report says that it arrived', async () => {
    for (const reached of ['delivered', 'submitted', 'unknown'] as const) {
      const other = await createProgramme(database.db, { code: `${programme.code}${reached.slice(0, 2)}` })
      await createMember(database.db, other)
      programme = other
      const added = await addMeeting(database.db.pool, {
        groupId: other.groupId,
        startsAt: begins,
        by,
        now: written,
      })
      meetingId = 'meeting' in added ? added.meeting.id : ''
      await reminded(reached)
      await move(later, at('11-24T12:00'))
      await send(at('11-24T12:01'), reached)
      await move(begins, at('11-24T13:00'))
      expect(await send(at('11-24T13:01')), reached).toMatchObject([
        { template: 'meeting.moved', said: expect.stringContaining('mer 25 nov à 10h00') },
      ])
    }
  })

  test('to another place at the same hour is told, since a full text named the place', async () => {
    await createMember(database.db, programme, { smsForm: 'full', firstName: 'Fatou' })
    await live(eve)
    await move(begins, at('11-24T12:00'), 'Chez Mariama')
    const said = (await send(at('11-24T12:01'))).map((one) => one.said)
    expect(said).toHaveLength(2)
    expect(said).toContain('FANSOTO: Fatou, réunion changée: mer 25 nov à 10h00, Chez Mariama.')
  })

  test('while her reminder waits is told by the reminder of the new hour alone', async () => {
    await plan(eve)
    await move(at('11-25T16:00'), eve)
    expect((await live(at('11-24T09:05'))).map(({ said }) => said)).toEqual([
      'moved',
      'untold',
      'FANSOTO: réunion mer 25 nov à 16h00. Détails: *384*1#',
    ])
  })

  test('to the same evening is one message: the change stands for the new reminder', async () => {
    await reminded()
    await move(at('11-25T16:00'), at('11-24T12:00'))
    expect((await live(at('11-24T12:01'))).map(({ said }) => said)).toEqual([
      'FANSOTO: réunion changée: mer 25 nov à 16h00. *384*1#',
      'told',
    ])
    // Planned in another round it is needless too.
    await database.db.pool.query(
      `delete from message_events where message_id in (select id from messages where status = 'cancelled')`,
    )
    await database.db.pool.query(
      `delete from messages where status = 'cancelled' and template = 'reminder.meeting'`,
    )
    expect(await live(at('11-24T12:30'))).toMatchObject([{ template: 'reminder.meeting', said: 'told' }])
  })

  test('is told to who announced that she comes, though no reminder left yet', async () => {
    const other = await createMember(database.db, programme)
    await announce(awa, at('11-23T09:00'))
    await move(later, at('11-23T12:00'))
    expect(await send(at('11-23T12:01'))).toMatchObject([{ memberId: awa.id, template: 'meeting.moved' }])
    expect(await whoIsToBeTold(database.db.pool, 'meeting', meetingId)).not.toContainEqual(
      expect.objectContaining({ memberId: other.id }),
    )
  })

  test('and announced again afterwards is not told: she read the new hour', async () => {
    await announce(awa, at('11-23T09:00'))
    await move(later, at('11-23T12:00'))
    await announce(awa, at('11-23T12:00'))
    expect(await send(at('11-23T12:01'))).toMatchObject([{ said: 'told' }])
  })

  test('in the night is told in the morning, or not at all when the hour comes first', async () => {
    await reminded()
    await move(at('11-25T07:00'), at('11-24T22:00'))
    expect(await send(at('11-24T22:01'))).toMatchObject([{ said: 'quiet_hours' }])
    expect(await send(at('11-25T08:00'))).toMatchObject([{ said: 'expired' }])
  })

  test('is told neither to who left the group nor to who refuses messages about meetings', async () => {
    const { db } = database
    const left = await createMember(db, programme)
    const refusing = await createMember(db, programme)
    await live(eve)
    await db.pool.query(`update members set status = 'left' where id = $1`, [left.id])
    await db.pool.query(
      `insert into consents (member_id, purpose, granted, channel, wording, collector, collected_at)
       values ($1, 'meeting', false, 'ussd', 'x', 'herself', $2)`,
      [refusing.id, at('11-24T10:00')],
    )
    await move(later, at('11-24T12:00'))
    expect(await send(at('11-24T12:01'))).toEqual([
      expect.objectContaining({ memberId: awa.id, said: expect.stringContaining('jeu 26 nov') }),
      { memberId: refusing.id, template: 'meeting.moved', said: 'no_consent' },
    ])
  })

  test('keeps what each text said true: the ledger bears out all of them afterwards', async () => {
    await createMember(database.db, programme, { smsForm: 'full' })
    await live(eve)
    await move(later, at('11-24T12:00'), 'Chez Mariama')
    await send(at('11-24T12:01'))
    await cancel(at('11-24T14:00'))
    await send(at('11-24T14:01'))
    const asOf = openAsOf({ url: database.url, logger: silentLogger })
    const verified = await verifyMessages({
      db: database.db,
      asOf,
      i18n: loadI18n('locales'),
      programmeId: programme.id,
      from: written,
      until: at('12-31T00:00'),
    })
    await asOf.close()
    expect(verified).toEqual({ checked: 6, unchecked: 0, mismatches: [] })
  })
})

describe('a meeting that is cancelled', () => {
  test('after it was announced or reminded is told once, and waiting reminders do not leave', async () => {
    const other = await createMember(database.db, programme)
    await announce(awa, at('11-23T09:00'))
    await plan(eve)
    expect(await cancel(eve)).toMatchObject({ outcome: 'changed', toTell: 2 })
    expect(await cancel(eve)).toMatchObject({ outcome: 'unchanged', toTell: 0 })
    const outcomes = await live(at('11-24T09:01'))
    expect(outcomes).toHaveLength(4)
    expect(outcomes).toContainEqual({
      memberId: awa.id,
      template: 'meeting.cancelled',
      said: `FANSOTO: la réunion du mer 25 nov n'a pas lieu. *384*1#`,
    })
    expect(outcomes).toContainEqual({ memberId: other.id, template: 'meeting.cancelled', said: 'untold' })
    expect(outcomes.filter(({ said }) => said === 'called_off')).toHaveLength(2)
  })

  test('before anybody knew of it is told to nobody', async () => {
    expect(await cancel(at('11-23T12:00'))).toMatchObject({ outcome: 'changed', toTell: 0 })
    expect(await live(eve)).toEqual([])
  })

  test('after it was moved within minutes is told as cancelled only', async () => {
    await reminded()
    await move(later, at('11-24T12:00'))
    await cancel(at('11-24T12:02'))
    expect(await send(at('11-24T12:05'))).toMatchObject([
      { template: 'meeting.moved', said: 'moved' },
      { template: 'meeting.cancelled', said: expect.stringContaining("n'a pas lieu") },
    ])
  })

  test('and put back is told to who was told that it is off, and to nobody else', async () => {
    await reminded()
    await cancel(at('11-24T12:00'))
    await send(at('11-24T12:01'))
    expect(await move(later, at('11-24T13:00'))).toMatchObject({
      outcome: 'refused',
      fault: { code: 'meeting.cancelled' },
    })
    await restore(at('11-24T13:00'))
    expect(await live(at('11-24T13:01'))).toMatchObject([
      { template: 'meeting.moved', said: expect.stringContaining('mer 25 nov à 10h00') },
      { template: 'reminder.meeting', said: 'told' },
    ])
    await cancel(at('11-24T14:00'))
    await restore(at('11-24T14:01'))
    expect((await live(at('11-24T14:02'))).map(({ said }) => said)).toEqual(['moved', 'told', 'told'])
  })

  test('stays a row of its own, is audited, and takes no attendance', async () => {
    await cancel(at('11-24T12:00'))
    const { db } = database
    expect(await meetingOf(db.pool, meetingId)).toMatchObject({ status: 'cancelled', byHand: true })
    const { rows } = await db.pool.query(
      `select actor, action, before->>'status' as before, after->>'status' as after from audit_log where subject = $1 order by id`,
      [`meeting:${meetingId}`],
    )
    expect(rows).toEqual([
      { actor: by, action: 'meeting.added', before: null, after: null },
      { actor: by, action: 'meeting.cancelled', before: 'planned', after: 'cancelled' },
    ])
    const word = { memberId: awa.id, attended: true, by, now: begins }
    expect(await takeAttendance(db.pool, { meetingId }, word)).toBe(false)
  })
})

describe('what cannot be changed', () => {
  test.each([
    ['an hour that is past', at('11-22T09:00'), written, 'meeting.past'],
    ['an hour years ahead', new Date('2031-01-01T10:00:00Z'), written, 'meeting.far'],
    ['no instant', new Date(Number.NaN), written, 'date.invalid'],
    ['a meeting that has begun', later, at('11-25T10:00'), 'meeting.past'],
  ])('%s is refused by name, and nothing is written', async (_what, startsAt, now, code) => {
    await reminded()
    expect(await move(startsAt, now)).toMatchObject({ outcome: 'refused', fault: { code } })
    expect(await meetingOf(database.db.pool, meetingId)).toMatchObject({ startsAt: begins, byHand: false })
    expect(await send(at('11-24T12:01'))).toEqual([])
  })

  test('a place without a letter, and a meeting that is not there', async () => {
    expect(await move(later, written, '  ')).toMatchObject({ fault: { code: 'place.invalid' } })
    expect(await move(later, written, 'x'.repeat(81))).toMatchObject({ fault: { code: 'place.invalid' } })
    meetingId = '00000000-0000-7000-8000-000000000000'
    expect(await move(later, written)).toMatchObject({ fault: { code: 'meeting.unknown' } })
    expect(await cancel(written)).toMatchObject({ fault: { code: 'meeting.unknown' } })
  })
})

describe('a training', () => {
  test('that is moved or cancelled is told to who was reminded of it', async () => {
    const { db } = database
    await db.pool.query(`update meetings set status = 'cancelled' where id = $1`, [meetingId])
    await db.pool.query(
      `insert into training_modules (programme_id, number, initial, titles) values ($1, 1, true, '{"fr": "La caisse"}')`,
      [programme.id],
    )
    const added = await addSession(db.pool, {
      groupId: programme.groupId,
      module: 1,
      startsAt: begins,
      by,
      now: written,
    })
    const sessionId = 'session' in added ? added.session.id : ''
    expect(await live(eve)).toMatchObject([{ template: 'reminder.training' }])
    await db.transaction((tx) => moveSession(tx, { sessionId, startsAt: later, by, now: at('11-24T12:00') }))
    expect(await send(at('11-24T12:01'))).toMatchObject([
      { template: 'training.moved', said: 'FANSOTO: formation changée: jeu 26 nov à 15h00. *384*1#' },
    ])
    await db.transaction((tx) => cancelSession(tx, { sessionId, by, now: at('11-24T13:00') }))
    expect(await send(at('11-24T13:01'))).toMatchObject([
      { template: 'training.cancelled', said: "FANSOTO: la formation du jeu 26 nov n'a pas lieu. *384*1#" },
    ])
  })
})
