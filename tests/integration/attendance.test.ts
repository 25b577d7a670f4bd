// Who said that she comes, who came, and who is ready for a first loan.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { namedReads } from '../../src/db.ts'
import { loadI18n } from '../../src/i18n.ts'
import { readPosition } from '../../src/ledger/position.ts'
import { attendanceOf, firstLoanReadiness, takeAttendance } from '../../src/meetings/attendance.ts'
import { addMeeting } from '../../src/meetings/meetings.ts'
import { addSession, cancelSession } from '../../src/meetings/trainings.ts'
import { announceAttendance } from '../../src/members/meeting-answers.ts'
import { loadProgrammes } from '../../src/members/programmes.ts'
import { type DataContext, sources } from '../../src/ussd/data.ts'
import { newDialogue } from '../../src/ussd/session.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  createLoan,
  createMember,
  createProgramme,
  type TestMember,
  type TestProgramme,
  testNow,
  testToday,
} from '../support/fixtures.ts'

let database: TestDatabase
let programme: TestProgramme
let awa: TestMember
let meetingId: string
const by = 'staff:0198a000-0000-7000-8000-000000000009'
const begins = new Date('2026-11-24T10:00:00Z')

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())
beforeEach(async () => {
  const { db } = database
  programme = await createProgramme(db, { code: `p${(await db.prisma.programme.count()) + 1}` })
  awa = await createMember(db, programme, { alias: 'Awa' })
  const added = await addMeeting(db.pool, { groupId: programme.groupId, startsAt: begins, by, now: testNow })
  meetingId = 'meeting' in added ? added.meeting.id : ''
})

const take = (memberId: string, attended: boolean, now = begins) =>
  database.db.transaction((tx) => takeAttendance(tx, { meetingId }, { memberId, attended, by, now }))
const announced = async () =>
  (await attendanceOf(database.db.pool, { meetingId })).map(({ alias, announced, attended }) => [
    alias,
    announced,
    attended,
  ])

describe('attendance of a meeting', () => {
  test('shows what each member announced, then who came, by alias', async () => {
    const binta = await createMember(database.db, programme, { alias: 'Binta' })
    await createMember(database.db, programme, { alias: 'Coumba' })
    const { pool } = database.db
    await announceAttendance(pool, { memberId: awa.id, coming: true, channel: 'ussd', now: testNow })
    await announceAttendance(pool, { memberId: binta.id, coming: true, channel: 'sms', now: testNow })
    await announceAttendance(pool, { memberId: binta.id, coming: false, channel: 'ussd', now: testNow })
    expect(await take(awa.id, true)).toBe(true)
    expect(await take(binta.id, false)).toBe(true)
    expect(await announced()).toEqual([
      ['Awa', 'yes', true],
      ['Binta', 'no', false],
      ['Coumba', null, null],
    ])
  })

  test('can be corrected, names who took it, and is audited only when it changes', async () => {
    await take(awa.id, true)
    await take(awa.id, true)
    await take(awa.id, false)
    const { rows } = await database.db.pool.query(
      'select attended, taken_by from meeting_attendances where meeting_id = $1',
      [meetingId],
    )
    expect(rows).toEqual([{ attended: false, taken_by: by }])
    const log = await database.db.pool.query(
      `select actor, before->'attended' as before, after->'attended' as after from audit_log
        where action = 'attendance.taken' and subject = $1 order by id`,
      [`meeting:${meetingId}`],
    )
    expect(log.rows).toEqual([
      { actor: by, before: null, after: true },
      { actor: by, before: true, after: false },
    ])
  })

  test('is not taken of strangers, of members of other groups or who left, nor hours before it begins', async () => {
    const { db } = database
    const other = await createProgramme(db, { code: `${programme.code}x` })
    const stranger = await createMember(db, other)
    const group = await db.prisma.group.create({
      data: { programmeId: programme.id, code: 'G02', name: 'x', place: 'x' },
    })
    const neighbour = await createMember(db, programme, { groupId: group.id })
    const left = await createMember(db, programme, { status: 'left' })
    for (const { id } of [stranger, neighbour, left]) expect(await take(id, true)).toBe(false)
    expect(await take('00000000-0000-7000-8000-000000000000', true)).toBe(false)
    expect(await take(awa.id, true, new Date('2026-11-24T06:59:00Z'))).toBe(false)
    expect(await take(awa.id, true, new Date('2026-11-24T07:00:00Z'))).toBe(true)
  })

  test('keeps who came and left the group since', async () => {
    await take(awa.id, true)
    await database.db.pool.query(`update members set group_id = null where id = $1`, [awa.id])
    expect(await announced()).toEqual([['Awa', null, true]])
    expect(await take(awa.id, false)).toBe(true)
  })
})

/** What the training screen of a member reads. */
async function screenOf({ id, msisdn }: TestMember): Promise<DataContext> {
  const { db } = database
  const known = (await loadProgrammes(db)).find((one) => one.id === programme.id)
  if (known === undefined) throw new Error('no programme')
  return {
    db,
    i18n: loadI18n('locales'),
    programme: known,
    dialogue: { ...newDialogue, memberId: id },
    language: 'fr',
    msisdn,
    networkCode: undefined,
    now: testNow,
  }
}

describe('ready for a first loan', () => {
  /** Two initial modules and one that is none. */
  async function sessions(): Promise<[string, string, string]> {
    const { db } = database
    await db.pool.query(
      `insert into training_modules (programme_id, number, initial, titles)
       values ($1, 1, true, '{}'), ($1, 2, true, '{}'), ($1, 3, false, '{}')`,
      [programme.id],
    )
    const ids: string[] = []
    for (const module of [1, 2, 3]) {
      const added = await addSession(db.pool, {
        groupId: programme.groupId,
        module,
        startsAt: begins,
        by,
        now: testNow,
      })
      ids.push('session' in added ? added.session.id : '')
    }
    return ids as [string, string, string]
  }
  const attend = (sessionId: string, member: TestMember, attended = true) =>
    database.db.transaction((tx) =>
      takeAttendance(tx, { sessionId }, { memberId: member.id, attended, by, now: begins }),
    )
  const readiness = async () =>
    (await firstLoanReadiness(database.db.pool, programme.groupId)).map(
      ({ alias, attended, needed, ready }) => [alias, attended, needed, ready],
    )

  test('is who attended every initial session, counted once a module, and never had a loan', async () => {
    const { db } = database
    const [first, second, third] = await sessions()
    const binta = await createMember(db, programme, { alias: 'Binta' })
    const coumba = await createMember(db, programme, { alias: 'Coumba' })
    for (const member of [awa, binta, coumba]) await attend(first, member)
    const again = await addSession(db.pool, {
      groupId: programme.groupId,
      module: 1,
      startsAt: new Date('2026-11-24T11:00:00Z'),
      by,
      now: testNow,
    })
    await attend('session' in again ? again.session.id : '', binta)
    await attend(second, awa)
    await attend(second, binta, false)
    await attend(second, coumba)
    await attend(third, binta)
    await createLoan(db, programme, coumba)
    expect(await readiness()).toEqual([
      ['Awa', 2, 2, true],
      ['Binta', 1, 2, false],
      ['Coumba', 2, 2, false],
    ])
    // Her own screen goes by the same rule.
    const mine = (member: TestMember) => readPosition(namedReads(db.pool), member.id, testNow, testToday)
    expect(await mine(awa)).toMatchObject({ initialDone: 2, initialTotal: 2, readyForFirstLoan: true })
    expect(await mine(binta)).toMatchObject({ initialDone: 1, readyForFirstLoan: false })
    expect(await mine(coumba)).toMatchObject({ initialDone: 2, readyForFirstLoan: false })
    const says = async (member: TestMember) =>
      (await sources.training?.load(await screenOf(member)))?.lines.map(({ name }) => name)
    expect(await says(awa)).toContain('ready')
    expect(await says(coumba)).not.toContain('ready')
  })

  test('is nobody where the programme has no initial session, and no suspended member', async () => {
    expect(await readiness()).toEqual([['Awa', 0, 0, false]])
    await database.db.pool.query(`update members set status = 'suspended' where id = $1`, [awa.id])
    expect(await readiness()).toEqual([])
  })

  test('takes no attendance of a session that is off or of an unknown module', async () => {
    const [first] = await sessions()
    await database.db.transaction((tx) => cancelSession(tx, { sessionId: first, by, now: testNow }))
    expect(await attend(first, awa)).toBe(false)
    expect(
      await addSession(database.db.pool, {
        groupId: programme.groupId,
        module: 9,
        startsAt: begins,
        by,
        now: testNow,
      }),
    ).toMatchObject({ fault: { field: 'module', code: 'module.unknown' } })
  })
})
