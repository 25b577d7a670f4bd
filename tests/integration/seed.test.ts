import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { daysOf } from '../../src/meetings/rule.ts'
import { createPins, isWeakPin } from '../../src/members/pin.ts'
import { parseMsisdn } from '../../src/msisdn.ts'
import { demoPin } from '../../src/simulator/demo-members.ts'
import { chooseDemoPhones } from '../../src/simulator/demo-phones.ts'
import { readProfile } from '../../src/simulator/profiles.ts'
import { seedProgramme } from '../../src/simulator/programme.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { testNow } from '../support/fixtures.ts'

const canaryPin = '7391'
const demoMembers = readProfile('casamance').demo.members

/** Everything that was made up, without ids and the server's own time. */
const contentSql = `
  select md5(string_agg(line, E'\\n' order by line)) as hash, count(*)::int as rows from (
    select concat_ws('|', 'staff', first_name, last_name, msisdn, role, language) as line from staff
    union all
    select concat_ws('|', 'group', g.code, g.name, g.place, s.msisdn) from groups g join staff s on s.id = g.facilitator_id
    union all
    select concat_ws('|', 'member', m.number, m.first_name, m.last_name, m.alias, m.birth_year, m.language, m.status, m.role,
             g.code, f.msisdn, n.member_id is not null)
      from members m join groups g on g.id = m.group_id left join member_phones mp on mp.member_id = m.id
      left join phones f on f.id = mp.phone_id left join member_pins n on n.member_id = m.id
    union all
    select concat_ws('|', 'meeting', g.code, t.starts_at, t.place) from meetings t join groups g on g.id = t.group_id
    union all
    select concat_ws('|', 'session', g.code, o.number, t.starts_at, t.place, m.number, a.attended)
      from training_sessions t join training_modules o on o.id = t.module_id join groups g on g.id = t.group_id
      left join training_attendances a on a.session_id = t.id left join members m on m.id = a.member_id
    union all
    select concat_ws('|', 'instalment', l.number, l.product, l.cycle, l.principal, i.number, i.due_date, i.principal, i.interest,
             i.fee, i.insurance)
      from loans l join instalments i on i.loan_id = l.id
    union all
    select concat_ws('|', 'posting', e.reference, e.kind, e.booked_date, r.reference, a.code, a.type, a.purpose, p.amount)
      from entries e join postings p on p.entry_id = e.id join accounts a on a.id = p.account_id
      left join entries r on r.id = e.reverses_id) lines`

describe('the made-up programme', () => {
  let database: TestDatabase
  let other: TestDatabase

  const seed = (into: TestDatabase, options: { seed: number; members: number }) => {
    const pins = createPins({ db: into.db, pepper: 'a pepper of the tests, long enough' })
    return seedProgramme(into.db, {
      ...options,
      now: testNow,
      setPin: (memberId, pin) => pins.set(memberId, pin, testNow),
    })
  }
  const one = async (sql: string, values: unknown[] = []) =>
    (await database.db.pool.query(sql, values)).rows[0]

  beforeAll(async () => {
    database = await createTestDatabase()
    other = await createTestDatabase()
    await seed(database, { seed: 1, members: 1_000 })
  }, 120_000)
  afterAll(() => Promise.all([database.drop(), other.drop()]))

  it('the same seed and day make the same rows, another seed makes others', async () => {
    await seed(other, { seed: 1, members: 1_000 })
    const expected = await one(contentSql)
    // Benchmarks and trials count on these very rows.
    expect(expected).toEqual({ hash: 'c74009bf650e2b4998061e944dcc5f68', rows: 33_422 })
    expect((await other.db.pool.query(contentSql)).rows[0]).toEqual(expected)
    const third = await createTestDatabase()
    await seed(third, { seed: 2, members: 60 })
    const { rows } = await third.db.pool.query(contentSql)
    const size = await third.db.pool.query(
      'select (select count(*)::int from members) as members, (select count(*)::int from groups) as groups',
    )
    await third.drop()
    expect(rows[0].hash).not.toBe(expected.hash)
    expect(size.rows).toEqual([{ members: 60, groups: 3 }])
  }, 120_000)

  it('each group meets once or twice in four weeks by a rule that yields its meetings, and goes on meeting by it', async () => {
    const { db } = database
    const { rows } = await db.pool.query<{ rule: string; startsOn: string; days: string[] }>(
      `select c.rule, c.starts_on as "startsOn", array_agg(m.occurrence_date::text order by m.starts_at) as days
         from group_calendars c join meetings m on m.calendar_id = c.id group by c.id`,
    )
    expect(rows).toHaveLength(40)
    for (const { rule, startsOn, days } of rows) {
      expect(['FREQ=WEEKLY;INTERVAL=2', 'FREQ=WEEKLY;INTERVAL=4']).toContain(rule)
      expect(days).toEqual(daysOf(rule, startsOn, startsOn, days.at(-1) ?? ''))
    }
    const { written } = await one(`select count(*)::int as written from meetings where calendar_id is null`)
    expect(written).toBe(0)
  })

  it('1,000 members in 40 groups with officers; 15 % share a phone, 8 % have none, 99 % are women', async () => {
    const counts = await one(
      `with held as (select phone_id from member_phones group by phone_id having count(*) > 1)
       select (select count(*)::int from members) as members, (select count(*)::int from groups) as groups,
              (select count(*)::int from members where role = 'president') as presidents,
              (select count(*)::int from member_phones where phone_id in (select phone_id from held)) as sharing,
              (select count(*)::int from members where not exists (
                 select from member_phones where member_id = members.id)) as without,
              (select count(*)::int from training_modules where initial) as initial,
              (select count(*)::int from training_modules) as modules,
              (select count(*)::int from (select mp.phone_id, m.alias from member_phones mp
                 join members m on m.id = mp.member_id group by 1, 2 having count(*) > 1) d) as "doubleAliases"`,
    )
    expect(counts).toMatchObject({ members: 1_000, groups: 40, presidents: 40, initial: 6, modules: 20 })
    expect(counts.doubleAliases).toBe(0)
    expect(counts.sharing).toBeGreaterThan(130)
    expect(counts.sharing).toBeLessThan(170)
    expect(counts.without).toBeGreaterThan(70)
    expect(counts.without).toBeLessThan(90)
    const { rows } = await database.db.pool.query<{ msisdn: string }>('select msisdn from phones')
    expect(rows.filter(({ msisdn }) => parseMsisdn(msisdn, 'SN') !== msisdn)).toEqual([])
  })

  it('the books balance, no savings book is below zero, no day is ahead of today', async () => {
    const books = await one(
      `select (select sum(amount) from postings) as total,
              (select count(*)::int from (select sum(p.amount) as balance from postings p join accounts a on a.id = p.account_id
                 where a.purpose = 'savings' group by a.id) b where balance > 0) as "booksBelowZero",
              (select sum(p.amount) > 0 from postings p join accounts a on a.id = p.account_id where a.code = 'cash') as cash,
              (select count(*)::int from entries where booked_date > '2026-11-22') as ahead,
              (select count(*)::int from entries where kind = 'reversal') as reversals,
              (select count(*)::int from (select from postings p join accounts a on a.id = p.account_id
                 where a.purpose = 'loan' group by a.id having sum(p.amount) < 0) o) as overpaid,
              (select count(*)::int from loans where principal not between 10000 and 450000) as odd,
              (select count(*)::int from loans l join entries e on e.reference = 'disbursement/' || l.number
                 join instalments i on i.loan_id = l.id where i.due_date <= e.booked_date) as "dueBeforeDisbursed",
              (select count(distinct product)::int from loans) as products`,
    )
    expect(books).toEqual({
      total: '0.0000',
      booksBelowZero: 0,
      cash: true,
      ahead: 0,
      reversals: 1,
      overpaid: 1,
      odd: 0,
      dueBeforeDisbursed: 0,
      products: 3,
    })
  })

  it('nearly all pay on time, instalments stand around today, and a seasonal loan has grace and balloon', async () => {
    const { loans, overdue, ahead, seasonal, dormant } = await one(
      `with owed as (select l.id, sum(p.amount) as balance from loans l join postings p on p.account_id = l.account_id group by l.id),
            later as (select o.id, o.balance, coalesce(sum(i.principal + i.interest + i.fee + i.insurance)
                        filter (where i.due_date >= '2026-11-22'), 0) as amount
                        from owed o join instalments i on i.loan_id = o.id group by o.id, o.balance)
       select (select count(*)::int from owed where balance > 0) as loans,
              (select count(*)::int from later where balance > amount) as overdue,
              (select count(*)::int from instalments where due_date between '2026-11-23' and '2026-12-06') as ahead,
              (select count(*)::int from (select loan_id from instalments group by loan_id
                 having max(principal) > 2 * min(principal) and count(*) = 3) s) as seasonal,
              (select count(*)::int from members m where not exists (
                 select from accounts a join postings p on p.account_id = a.id join entries e on e.id = p.entry_id
                  where a.member_id = m.id and e.booked_date > '2026-07-01')) as dormant`,
    )
    expect(loans).toBeGreaterThan(600)
    expect(overdue).toBeGreaterThan(3)
    expect(overdue / loans).toBeLessThan(0.06)
    expect(ahead).toBeGreaterThan(200)
    expect(seasonal).toBeGreaterThan(20)
    expect(dormant).toBeGreaterThan(10)
    expect(dormant).toBeLessThan(60)
  })

  it('every group meets again, and nobody is owed a receipt for the past', async () => {
    const { meetings, sessions, untold } = await one(
      `select (select count(distinct group_id)::int from meetings where starts_at > $1) as meetings,
              (select count(distinct group_id)::int from training_sessions where starts_at > $1) as sessions,
              (select count(*)::int from ledger_events where handled_at is null) as untold`,
      [testNow],
    )
    expect({ meetings, sessions, untold }).toEqual({ meetings: 40, sessions: 40, untold: 0 })
  })

  it('the phones to try are what their hints say, and their PIN works', async () => {
    const pins = createPins({ db: database.db, pepper: 'a pepper of the tests, long enough' })
    expect(demoPin).not.toBe(canaryPin)
    expect(isWeakPin(demoPin, { birthYear: 1980, msisdns: demoMembers.map(({ msisdn }) => msisdn) })).toBe(
      false,
    )
    const phones = await chooseDemoPhones(database.db.pool)
    expect(phones.map(({ msisdn }) => msisdn.slice(-3)).sort()).toEqual([
      '101',
      '102',
      '103',
      '104',
      '105',
      '106',
      '107',
      '108',
      '190',
      '191',
      '192',
      '193',
      '194',
      '195',
      '199',
    ])
    const { rows } = await database.db.pool.query(
      `select m.id, m.alias, f.msisdn, m.status, m.language, n.member_id is not null as pin,
              exists (select from loans l join instalments i on i.loan_id = l.id
                       where l.member_id = m.id and i.due_date = '2026-11-25') as "dueInThreeDays"
         from members m join member_phones mp on mp.member_id = m.id join phones f on f.id = mp.phone_id
         left join member_pins n on n.member_id = m.id
        where f.msisdn like '+2217700001%' order by m.number`,
    )
    expect(
      rows.map(({ alias, msisdn, status, language, pin }) => [
        alias,
        msisdn.slice(-1),
        status,
        language,
        pin,
      ]),
    ).toEqual(
      demoMembers.map(({ alias, msisdn, situation, language, hasPin }) => [
        alias,
        msisdn.slice(-1),
        situation === 'suspended' ? 'suspended' : 'active',
        language ?? null,
        hasPin,
      ]),
    )
    expect(rows[0].dueInThreeDays).toBe(true)
    expect(await pins.verify(rows[0].id, demoPin, 'a hop', testNow)).toMatchObject({ verdict: 'ok' })
  })

  it('a database that has a programme is left as it is', async () => {
    const before = await one(contentSql)
    await expect(seed(database, { seed: 3, members: 50 })).rejects.toThrow('already has a programme')
    expect(await one(contentSql)).toEqual(before)
  })
})
