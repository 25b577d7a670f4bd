// What happens when nobody answers in time, and when an adviser fixes a day.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createAlarms } from '../../src/alarms.ts'
import { appointCase } from '../../src/cases/appointment.ts'
import { type CaseKind, closeCase, openCase } from '../../src/cases/cases.ts'
import { createEscalation } from '../../src/cases/escalation.ts'
import { claimedMember, claimLostPhone, claimsMax } from '../../src/cases/lost-phone.ts'
import { memberCases } from '../../src/cases/member-cases.ts'
import { resetPinAndClose } from '../../src/cases/pin-reset.ts'
import { fixedClock } from '../../src/clock.ts'
import { loadI18n } from '../../src/i18n.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createDecider } from '../../src/outbound/decision.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import {
  createMember,
  createProgramme,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'

let database: TestDatabase
let programme: TestProgramme
let awa: TestMember
const staff: Record<string, string> = {}
const facilitatorPhone = '+221776100000'

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  programme = await createProgramme(db)
  awa = await createMember(db, programme, { number: 'N-AWA' })
  const roles = ['facilitator', 'adviser', 'social_worker', 'social_worker', 'branch', 'administrator']
  for (const [index, role] of roles.entries()) {
    const row = await db.prisma.staff.create({
      data: {
        programmeId: programme.id,
        firstName: `${role}${index}`,
        lastName: 'Test',
        msisdn: `+22177610000${index}`,
        role,
        language: 'fr',
      },
    })
    staff[`${role}${index}`] = row.id
  }
  await db.prisma.group.update({
    where: { id: programme.groupId },
    data: { facilitatorId: staff.facilitator0 ?? '' },
  })
})
afterAll(() => database.drop())
beforeEach(async () => {
  await database.db.pool.query(
    'delete from cases; delete from messages; delete from verification_tries; update staff set active = true',
  )
})

let asked = 0
const ask = (kind: CaseKind) => {
  asked += 1
  const about = { programmeId: programme.id, memberId: awa.id, kind, hopKey: `ask-${asked}`, now: testNow }
  return openCase(database.db.pool, about)
}
const stand = async () =>
  (
    await database.db.pool.query<{
      owner: string
      escalated: boolean
      status: string
      outcome: string | null
    }>(
      `select s.first_name as owner, c.escalated_at is not null as escalated, c.status, c.outcome
         from cases c left join staff s on s.id = c.owner_id order by c.opened_at, c.id`,
    )
  ).rows
const away = (...names: string[]) =>
  database.db.pool.query('update staff set active = false where first_name = any($1)', [names])

function planner() {
  const clock = fixedClock(testNow)
  const metrics = createMetrics()
  const alarms = createAlarms({ clock, logger: silentLogger, metrics })
  const { db } = database
  return { metrics, alarms, ...createEscalation({ db, clock, logger: silentLogger, metrics, alarms }) }
}

const lastMoment = new Date('2026-11-24T23:59:59Z')
const over = new Date('2026-11-25T00:00:00Z')

describe('a case whose promised day is over', () => {
  test('goes to the branch once, when the day is over where the programme is, and its owner of before is out', async () => {
    await ask('call_back')
    const { runOnce, metrics } = planner()
    expect(await runOnce(lastMoment)).toEqual({ passedOn: 0, stuck: 0 })
    expect(await runOnce(over)).toEqual({ passedOn: 1, stuck: 0 })
    expect(await runOnce(over)).toEqual({ passedOn: 0, stuck: 0 })
    expect(await stand()).toMatchObject([{ owner: 'branch4', escalated: true, status: 'open' }])
    expect(await metrics.registry.getSingleMetricAsString('tama_cases_overdue')).toContain(' 1')
  })

  test('goes on once however many planners look at it at once, with one row in the audit log', async () => {
    const { reference } = await ask('call_back')
    const rounds = await Promise.all(Array.from({ length: 8 }, () => planner().runOnce(over)))
    expect(rounds.reduce((sum, { passedOn }) => sum + passedOn, 0)).toBe(1)
    const { rows } = await database.db.pool.query(
      `select actor, action from audit_log where subject = 'case:' || $1::text`,
      [reference],
    )
    expect(rows).toEqual([{ actor: 'system:cases', action: 'case.escalated' }])
  })

  test('goes to an administrator where there is no branch', async () => {
    await ask('dispute')
    await away('branch4')
    await planner().runOnce(new Date('2026-12-22T00:00:00Z'))
    expect(await stand()).toMatchObject([{ owner: 'administrator5', escalated: true }])
  })

  test('of the social workers goes to another social worker, and to nobody else ever', async () => {
    await ask('social_worker')
    const [before] = await stand()
    await planner().runOnce(over)
    const [after] = await stand()
    expect([before?.owner, after?.owner].sort()).toEqual(['social_worker2', 'social_worker3'])
    await database.db.pool.query('delete from cases')
    await ask('social_worker')
    const [first] = await stand()
    await away(...['social_worker2', 'social_worker3'].filter((name) => name !== first?.owner))
    expect(await planner().runOnce(over)).toEqual({ passedOn: 0, stuck: 1 })
    expect(await stand()).toEqual([{ ...first, escalated: false }])
  })

  test('that nobody can take is an alarm until somebody can', async () => {
    await ask('call_back')
    await away('branch4', 'administrator5')
    const { runOnce, alarms } = planner()
    expect(await runOnce(over)).toEqual({ passedOn: 0, stuck: 1 })
    expect(alarms.list()).toMatchObject([{ code: 'cases.stuck', where: programme.id }])
    await database.db.pool.query('update staff set active = true')
    expect(await runOnce(over)).toEqual({ passedOn: 1, stuck: 0 })
    expect(alarms.list()).toEqual([])
  })

  test('that is closed, or whose appointment lies ahead, stays where it is', async () => {
    const closed = await ask('call_back')
    const act = { programmeId: programme.id, role: 'branch', by: 'staff:x', now: testNow } as const
    await closeCase(database.db.pool, { ...act, reference: closed.reference, outcome: 'answered' })
    const { reference } = await ask('adviser')
    await appointCase(database.db.pool, { ...act, reference, at: new Date('2026-12-10T10:00:00Z') })
    expect(await planner().runOnce(new Date('2026-12-09T00:00:00Z'))).toEqual({ passedOn: 0, stuck: 0 })
    expect(await planner().runOnce(new Date('2026-12-10T10:00:01Z'))).toEqual({ passedOn: 1, stuck: 0 })
  })
})

describe('an appointment with an adviser', () => {
  const i18n = loadI18n('locales')
  const at = new Date('2026-11-26T15:30:00Z')
  const act = (reference: string) =>
    ({ programmeId: programme.id, role: 'branch', reference, by: 'staff:x', now: testNow }) as const
  const decisions = async () => {
    const { rows } = await database.db.pool.query<{ id: string }>(
      'select id from messages order by created_at, id',
    )
    const decide = createDecider({ db: database.db, i18n })
    return decide(
      rows.map(({ id }) => id),
      testNow,
    )
  }

  test('is told by one discreet SMS, which names no adviser and no amount', async () => {
    const { reference } = await ask('adviser')
    await appointCase(database.db.pool, { ...act(reference), at })
    await appointCase(database.db.pool, { ...act(reference), at })
    const sent = await decisions()
    expect(sent).toMatchObject([
      { action: 'send', text: 'FANSOTO: rendez-vous jeu 26 nov à 15h30. Détails: *384*1#' },
    ])
  })

  test('that was moved, taken back or closed is not told any more', async () => {
    const { reference } = await ask('adviser')
    await appointCase(database.db.pool, { ...act(reference), at })
    await appointCase(database.db.pool, { ...act(reference), at: new Date('2026-11-27T09:00:00Z') })
    expect(await decisions()).toMatchObject([{ action: 'cancel', reason: 'moved' }, { action: 'send' }])
    await appointCase(database.db.pool, { ...act(reference), at: null })
    expect(await decisions()).toMatchObject([
      { action: 'cancel', reason: 'called_off' },
      { action: 'cancel', reason: 'called_off' },
    ])
  })

  /** The message that waits has reached her. */
  const arrive = (minute: number) =>
    database.db.pool.query(
      `update messages set status = 'delivered', facts_at = $1 where status = 'created'`,
      [new Date(testNow.getTime() + minute * 60_000)],
    )
  const fix = (reference: string, moment: Date | null, minute = 0) =>
    appointCase(database.db.pool, {
      ...act(reference),
      at: moment,
      now: new Date(testNow.getTime() + minute * 60_000),
    })
  const waiting = async () => {
    const { rows } = await database.db.pool.query<{ id: string; expires: Date }>(
      `select id, expires_at as expires from messages where status = 'created' order by created_at, id`,
    )
    const decide = createDecider({ db: database.db, i18n })
    return decide(
      rows.map(({ id }) => id),
      testNow,
    )
  }
  const later = new Date('2026-11-27T09:00:00Z')

  test('that was told is told once more when it is moved, and once when it is off, beyond any cap', async () => {
    const { reference } = await ask('adviser')
    await fix(reference, at)
    await arrive(1)
    await fix(reference, later, 2)
    await fix(reference, later, 3)
    expect(await waiting()).toMatchObject([
      { action: 'send', text: 'FANSOTO: rendez-vous changé: ven 27 nov à 09h00. *384*1#' },
    ])
    // She may set out at the hour that she knows: after it the word comes too late.
    const { rows } = await database.db.pool.query(
      `select template, expires_at from messages where status = 'created'`,
    )
    expect(rows).toEqual([{ template: 'case.appointment_moved', expires_at: at }])
    await arrive(4)
    await database.db.pool.query('update programmes set daily_cap = 1, weekly_cap = 1')
    await fix(reference, null, 5)
    expect(await waiting()).toMatchObject([
      { action: 'send', text: "FANSOTO: le rendez-vous du ven 27 nov n'a pas lieu. *384*1#" },
    ])
    await database.db.pool.query('update programmes set daily_cap = 2, weekly_cap = 6')
  })

  test('that is back to what she was told needs no word, and one that she never heard of is not taken back', async () => {
    const { reference } = await ask('adviser')
    await fix(reference, at)
    await fix(reference, null, 1)
    const { rows } = await database.db.pool.query('select template from messages')
    expect(rows).toEqual([{ template: 'case.appointment' }])
    await fix(reference, at, 2)
    expect(await waiting()).toMatchObject([{ action: 'send' }, { action: 'cancel', reason: 'told' }])
    await arrive(3)
    await fix(reference, later, 4)
    await fix(reference, null, 5)
    await fix(reference, at, 6)
    expect(await waiting()).toMatchObject([
      { action: 'cancel', reason: 'moved' },
      { action: 'cancel', reason: 'moved' },
      { action: 'cancel', reason: 'told' },
    ])
  })

  test('that is over when it is taken back is not told of', async () => {
    const { reference } = await ask('adviser')
    await fix(reference, at)
    await arrive(1)
    await appointCase(database.db.pool, { ...act(reference), at: null, now: later })
    expect(await waiting()).toEqual([])
  })

  test('is not told to who agreed to no messages about meetings', async () => {
    const { reference } = await ask('adviser')
    await appointCase(database.db.pool, { ...act(reference), at })
    await database.db.pool.query('update members set opted_out_at = now() where id = $1', [awa.id])
    const sent = await decisions()
    await database.db.pool.query('update members set opted_out_at = null where id = $1', [awa.id])
    expect(sent).toMatchObject([{ action: 'suppress', reason: 'opted_out' }])
  })

  test.each(['call_back', 'social_worker', 'dispute'] as const)(
    'is none of a case of kind %s',
    async (kind) => {
      const { reference } = await ask(kind)
      const done = await appointCase(database.db.pool, { ...act(reference), role: 'social_worker', at })
      const asBranch = await appointCase(database.db.pool, { ...act(reference), at })
      expect([done?.changed ?? false, asBranch?.changed ?? false]).toEqual([false, false])
      expect((await database.db.pool.query('select 1 from messages')).rowCount).toBe(0)
    },
  )
})

test('no message is ever written for a social worker’s case, from its opening to its end', async () => {
  const { reference } = await ask('social_worker')
  const by = { role: 'social_worker', staffId: staff.social_worker2, by: 'staff:x', now: testNow } as const
  await planner().runOnce(over)
  await closeCase(database.db.pool, { programmeId: programme.id, reference, ...by, outcome: 'answered' })
  expect((await database.db.pool.query('select 1 from messages')).rowCount).toBe(0)
})

test('a PIN that is reset in person answers what she had asked about it, and a reset that is refused does not', async () => {
  await ask('pin_reset')
  await ask('call_back')
  const reset = { programmeId: programme.id, member: 'N-AWA', actor: 'operator', at: testNow }
  const refused = resetPinAndClose(database.db.pool, { ...reset, confirmedBy: '+221776100004' })
  await expect(refused).rejects.toMatchObject({ code: 'pin.not_her_facilitator' })
  expect(await stand()).toMatchObject([{ status: 'open' }, { status: 'open' }])
  await resetPinAndClose(database.db.pool, { ...reset, confirmedBy: facilitatorPhone })
  expect(await stand()).toMatchObject([{ status: 'closed', outcome: 'answered' }, { status: 'open' }])
})

describe('a lost phone that is told from another one', () => {
  const claim = async (number: string, group: string, caller = 'caller', hop = `hop-${number}-${group}`) => {
    const { pool } = database.db
    const memberId = await claimedMember(pool, programme.id, number)
    return claimLostPhone(pool, {
      programmeId: programme.id,
      memberId,
      group,
      caller,
      hopKey: hop,
      now: testNow,
    })
  }

  test.each(['Jappo', 'JAPPO', ' jappo ', 'g01', 'G-01'])(
    'opens a case under her number and her group as %j',
    async (group) => {
      expect(await claim('n-awa', group)).toBe('2026-11-24')
      expect(await stand()).toMatchObject([{ owner: 'facilitator0', status: 'open' }])
    },
  )

  test.each([
    ['another group', 'N-AWA', 'Elsewhere'],
    ['no group', 'N-AWA', '-'],
    ['no member', 'N-nobody', 'Jappo'],
    ['a long text', 'N'.repeat(2_000), 'Jappo'],
  ])('with %s the answer is the same, and nothing is opened', async (_what, number, group) => {
    expect(await claim(number, group)).toBe('2026-11-24')
    expect(await stand()).toEqual([])
  })

  test('is heard so often in an hour from one phone, a repeated callback once, and from another phone again', async () => {
    for (let round = 0; round < claimsMax; round += 1) {
      expect(await claim('N-x', 'y', 'caller', `hop-${round}`)).toBeDefined()
      expect(await claim('N-x', 'y', 'caller', `hop-${round}`)).toBeDefined()
    }
    expect(await claim('N-AWA', 'Jappo', 'caller', 'one-more')).toBeUndefined()
    expect(await stand()).toEqual([])
    expect(await claim('N-AWA', 'Jappo', 'another', 'other')).toBeDefined()
  })
})

test('she reads how each request stands, and of the social workers’ only alone and behind her PIN', async () => {
  const { reads } = database.db
  await ask('call_back')
  await ask('social_worker')
  const states = async (alone: boolean, now = testNow) =>
    (await memberCases(reads, awa.id, now, alone)).map(({ state }) => state).sort()
  expect(await states(false)).toEqual(['waiting'])
  expect(await states(true)).toEqual(['waiting', 'waiting'])
  await database.db.pool.query(`update cases set taken_at = $1 where kind = 'call_back'`, [testNow])
  expect(await states(true)).toEqual(['taken', 'waiting'])
  expect(await states(true, over)).toEqual(['late', 'late'])
  await database.db.pool.query(
    `update cases set status = 'closed', outcome = 'not_reached', closed_at = $1`,
    [testNow],
  )
  expect(await states(false)).toEqual(['not_reached'])
  expect(await states(false, new Date('2027-01-22T10:00:00Z'))).toEqual([])
})
