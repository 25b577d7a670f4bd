import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { loadI18n } from '../../src/i18n.ts'
import { recordWords, stopAll } from '../../src/members/consent.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createDecider } from '../../src/outbound/decision.ts'
import { createPlanner } from '../../src/reminders/planner.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import {
  createLoan,
  createMember,
  createProgramme,
  repay,
  sayingAt,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'

let database: TestDatabase
let programme: TestProgramme
let member: TestMember
const clock = fixedClock(testNow)
const metrics = createMetrics()
const newPlanner = () => createPlanner({ db: database.db, clock, logger: silentLogger, metrics })
const plan = (at: string) => newPlanner().planOnce(new Date(at))

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())
beforeEach(async () => {
  const code = `p${(await database.db.prisma.programme.count()) + 1}`
  programme = await createProgramme(database.db, { code })
  member = await createMember(database.db, programme)
})

interface Row {
  id: string
  template: string
  dedupe_key: string
  purpose: string
  lane: string
  instalment_id: string | null
  not_before: Date
  expires_at: Date
}

async function remindersOf(of: TestMember): Promise<Row[]> {
  const { rows } = await database.db.pool.query<Row>(
    'select * from messages where member_id = $1 order by not_before, template, id',
    [of.id],
  )
  return rows
}

const instant = (text: string) => new Date(text)

describe('an instalment that falls due', () => {
  test('is reminded three days before, at the opening of the send window, until its day ends', async () => {
    await createLoan(database.db, programme, member, { dueDates: ['2027-03-10', '2027-04-10'] })
    await plan('2027-03-06T23:59:00Z')
    expect(await remindersOf(member)).toEqual([])
    await plan('2027-03-07T00:00:00Z')
    const [reminder, ...others] = await remindersOf(member)
    expect(others).toEqual([])
    expect(reminder).toMatchObject({
      template: 'reminder.due_soon',
      purpose: 'reminder',
      lane: 'planned',
      dedupe_key: `reminder/due_soon/${reminder?.instalment_id}/2027-03-10`,
      not_before: instant('2027-03-07T08:00:00Z'),
      expires_at: instant('2027-03-11T00:00:00Z'),
    })
  })

  test('is still reminded on its day when the planner was down, and not the day after', async () => {
    const [onTheDay, tooLate] = [member, await createMember(database.db, programme)]
    await createLoan(database.db, programme, onTheDay, { dueDates: ['2027-03-10'] })
    await plan('2027-03-10T18:00:00Z')
    await createLoan(database.db, programme, tooLate, { dueDates: ['2027-03-10'] })
    await plan('2027-03-11T00:00:00Z')
    expect(await remindersOf(onTheDay)).toMatchObject([
      { template: 'reminder.due_soon', not_before: instant('2027-03-10T18:00:00Z') },
      { template: 'reminder.due_missed' },
    ])
    expect(await remindersOf(tooLate)).toMatchObject([{ template: 'reminder.due_missed' }])
  })

  test('follows the day and the window of the programme, not of the server', async () => {
    const montreal = await createProgramme(database.db, {
      code: `${programme.code}m`,
      timeZone: 'America/Montreal',
      country: 'CA',
    })
    const her = await createMember(database.db, montreal)
    await createLoan(database.db, montreal, her, { dueDates: ['2027-07-10'] })
    await plan('2027-07-07T03:59:00Z')
    expect(await remindersOf(her)).toEqual([])
    await plan('2027-07-07T04:00:00Z')
    expect(await remindersOf(her)).toMatchObject([
      { not_before: instant('2027-07-07T12:00:00Z'), expires_at: instant('2027-07-11T04:00:00Z') },
    ])
  })

  test('is not reminded when paid; by the rule of paid, payments cover the earliest first', async () => {
    const half = await createMember(database.db, programme)
    const paid = await createLoan(database.db, programme, member, { dueDates: ['2027-03-10', '2027-04-10'] })
    const partly = await createLoan(database.db, programme, half, { dueDates: ['2027-03-10', '2027-04-10'] })
    await repay(database.db, programme, paid.number, 10_500)
    await repay(database.db, programme, partly.number, 10_499)
    await plan('2027-03-08T09:00:00Z')
    expect(await remindersOf(member)).toEqual([])
    expect(await remindersOf(half)).toHaveLength(1)
  })

  test('is not reminded to a member who stopped, left or refused reminders', async () => {
    const { db } = database
    const refusing = await createMember(db, programme)
    const left = await createMember(db, programme, { status: 'left' })
    const unasked = await createMember(db, programme, { consents: [] })
    await stopAll(db.pool, { memberId: member.id }, sayingAt(testNow))
    await recordWords(db.pool, [
      { ...sayingAt(testNow), memberId: refusing.id, purpose: 'reminder', granted: false },
    ])
    for (const one of [member, refusing, left, unasked])
      await createLoan(db, programme, one, { dueDates: ['2027-03-10'] })
    await plan('2027-03-08T09:00:00Z')
    for (const one of [member, refusing, left, unasked]) expect(await remindersOf(one)).toEqual([])
  })

  test('moved to another day is reminded for that day, and the old reminder is cancelled at sending', async () => {
    await createLoan(database.db, programme, member, { dueDates: ['2027-03-10'] })
    await plan('2027-03-07T00:00:00Z')
    const [old] = await remindersOf(member)
    await database.db.pool.query('update instalments set due_date = $2 where id = $1', [
      old?.instalment_id,
      '2027-03-20',
    ])
    const decide = createDecider({ db: database.db, i18n: loadI18n('locales') })
    expect(await decide([old?.id ?? ''], instant('2027-03-07T09:00:00Z'))).toMatchObject([
      { action: 'cancel', reason: 'moved' },
    ])
    await plan('2027-03-17T00:00:00Z')
    expect((await remindersOf(member)).at(-1)?.dedupe_key).toBe(
      `reminder/due_soon/${old?.instalment_id}/2027-03-20`,
    )
  })
})

describe('an instalment that was missed', () => {
  test('is followed up once, the day after, and only while unpaid', async () => {
    const payer = await createMember(database.db, programme)
    await createLoan(database.db, programme, member, { dueDates: ['2027-03-10'] })
    const paid = await createLoan(database.db, programme, payer, { dueDates: ['2027-03-10'] })
    await repay(database.db, programme, paid.number, 10_500)
    for (const day of ['10', '11', '12', '13', '20']) await plan(`2027-03-${day}T09:00:00Z`)
    const missed = (await remindersOf(member)).filter((row) => row.template === 'reminder.due_missed')
    expect(missed).toMatchObject([{ expires_at: instant('2027-03-13T00:00:00Z') }])
    expect(await remindersOf(payer)).toEqual([])
  })

  test('is not followed up while something was posted on the loan within 24 hours', async () => {
    const loan = await createLoan(database.db, programme, member, { dueDates: ['2027-03-10'] })
    // A part payment at noon of the due day, written with its own instant.
    await database.db.pool.query(
      `with entry as (
         insert into entries (programme_id, reference, kind, booked_date, created_at)
         values ($1, $2, 'loan_repayment', '2027-03-10', '2027-03-10T12:00:00Z') returning id, programme_id
       )
       insert into postings (entry_id, account_id, amount)
       select entry.id, a.id, case when a.code = 'cash' then 500 else -500 end
         from entry join accounts a on a.programme_id = entry.programme_id and a.code in ('cash', $3)`,
      [programme.id, `part/${loan.number}`, `loan/${loan.number}`],
    )
    const missed = async () =>
      (await remindersOf(member)).filter((row) => row.template === 'reminder.due_missed').length
    await plan('2027-03-11T11:59:00Z')
    expect(await missed()).toBe(0)
    await plan('2027-03-11T12:00:00Z')
    expect(await missed()).toBe(1)
  })
})

describe('meetings and trainings', () => {
  async function gathering(startsAt: string) {
    const { prisma } = database.db
    const meeting = await prisma.meeting.create({
      data: { groupId: programme.groupId, startsAt: instant(startsAt), place: 'Fromager' },
    })
    const module = await prisma.trainingModule.create({
      data: { programmeId: programme.id, number: 1, titles: { fr: 'Le rôle du groupe' } },
    })
    const training = await prisma.trainingSession.create({
      data: {
        groupId: programme.groupId,
        moduleId: module.id,
        startsAt: instant(startsAt),
        place: 'Fromager',
      },
    })
    return { meeting, training }
  }

  test('are reminded the day before to each member of the group, until they begin', async () => {
    const other = await createMember(database.db, programme)
    await gathering('2027-03-10T10:00:00Z')
    await plan('2027-03-08T23:59:00Z')
    expect(await remindersOf(member)).toEqual([])
    await plan('2027-03-09T00:00:00Z')
    for (const one of [member, other])
      expect(await remindersOf(one)).toMatchObject([
        {
          template: 'reminder.meeting',
          purpose: 'meeting',
          not_before: instant('2027-03-09T08:00:00Z'),
          expires_at: instant('2027-03-10T10:00:00Z'),
        },
        { template: 'reminder.training', purpose: 'training' },
      ])
  })

  test('that already began are not reminded', async () => {
    await gathering('2027-03-10T10:00:00Z')
    await plan('2027-03-10T10:00:00Z')
    expect(await remindersOf(member)).toEqual([])
  })

  test('called off or moved after planning are cancelled at sending, and reminded anew', async () => {
    const { meeting, training } = await gathering('2027-03-10T10:00:00Z')
    await plan('2027-03-09T08:00:00Z')
    const { prisma } = database.db
    await prisma.meeting.update({ where: { id: meeting.id }, data: { status: 'cancelled' } })
    await prisma.trainingSession.update({
      where: { id: training.id },
      data: { startsAt: instant('2027-03-11T10:00:00Z') },
    })
    const planned = await remindersOf(member)
    const decide = createDecider({ db: database.db, i18n: loadI18n('locales') })
    expect(
      await decide(
        planned.map((row) => row.id),
        instant('2027-03-09T09:00:00Z'),
      ),
    ).toMatchObject([
      { action: 'cancel', reason: 'called_off' },
      { action: 'cancel', reason: 'moved' },
    ])
    await plan('2027-03-10T08:00:00Z')
    expect(await remindersOf(member)).toHaveLength(3)
  })
})

test('a programme that cannot be planned holds up no other', async () => {
  const { pool } = database.db
  await pool.query(`update programmes set time_zone = 'Nowhere/Lost' where id = $1`, [programme.id])
  // Planned after it: programmes go by code.
  const healthy = await createProgramme(database.db, { code: `${programme.code}z` })
  const her = await createMember(database.db, healthy)
  await createLoan(database.db, healthy, her, { dueDates: ['2027-03-10'] })
  await expect(plan('2027-03-08T09:00:00Z')).rejects.toThrow(RangeError)
  expect(await remindersOf(her)).toHaveLength(1)
  await pool.query(`update programmes set time_zone = 'Africa/Dakar' where id = $1`, [programme.id])
})

test('a planner that loses the connection of its lock goes on living, and plans the next round', async () => {
  await createLoan(database.db, programme, member, { dueDates: ['2027-04-10'] })
  const { pool } = database.db
  const round = await database.db.transaction(async (tx) => {
    await tx.query('lock table messages in exclusive mode')
    const planning = plan('2027-04-08T09:00:00Z').catch(() => undefined)
    await vi.waitFor(async () => {
      const { rowCount } = await pool.query(
        `select pg_terminate_backend(pid) from pg_locks
          where locktype = 'advisory' and objid = 7391002
            and database = (select oid from pg_database where datname = current_database())`,
      )
      expect(rowCount).toBe(1)
    })
    return { planning }
  })
  await round.planning
  await plan('2027-04-08T09:00:00Z')
  expect(await remindersOf(member)).toHaveLength(1)
})
