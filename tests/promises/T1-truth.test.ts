// What was told can be derived from the ledger again, whatever was posted, moved and renamed since; and what was tampered with is found.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { loadI18n } from '../../src/i18n.ts'
import { reverseEntry } from '../../src/ledger/entries.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createPlanner } from '../../src/reminders/planner.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import {
  createLoan,
  createMember,
  createProgramme,
  repay,
  save,
  type TestMember,
  type TestProgramme,
  testNow,
  testToday,
} from '../support/fixtures.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { runTama } from '../support/tama.ts'
import { startTelling, type TellingHouse } from '../support/told.ts'

const members = atScale(30, 300)
const clock = fixedClock(testNow)
const questions = [
  'reply.balance',
  'reply.due',
  'reply.meeting',
  'answer.loan',
  'answer.schedule',
  'answer.savings',
  'answer.movements',
  'answer.training',
]

let database: TestDatabase
let programme: TestProgramme
let house: TellingHouse
const people: { member: TestMember; loan: string; references: string[] }[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  const { prisma } = database.db
  await prisma.programme.updateMany({ data: { dailyCap: 1_000 } })
  const facilitator = await prisma.staff.create({
    data: {
      programmeId: programme.id,
      firstName: 'Khady',
      lastName: 'Sow',
      msisdn: '+221770001111',
      role: 'facilitator',
      language: 'fr',
    },
  })
  await prisma.group.updateMany({ data: { facilitatorId: facilitator.id } })
  const groupId = programme.groupId
  await prisma.meeting.create({
    data: { groupId, startsAt: new Date('2026-11-23T10:30:00Z'), place: 'Foyer des femmes' },
  })
  const module = await prisma.trainingModule.create({
    data: {
      programmeId: programme.id,
      number: 1,
      titles: { fr: 'Le rôle du groupe', en: 'The role of the group' },
    },
  })
  await prisma.trainingSession.create({
    data: { moduleId: module.id, groupId, startsAt: new Date('2026-11-23T15:00:00Z'), place: 'Case' },
  })
  for (let index = 0; index < members; index += 1) {
    const member = await createMember(database.db, programme, {
      firstName: ['Aminata', 'Ndèye', 'Şükran', 'Marie-Madeleine de la Croix'][index % 4] ?? '',
      language: ['fr', 'en', 'wo'][index % 3] ?? 'fr',
      smsForm: index % 5 === 0 ? 'discreet' : 'full',
    })
    const loan = await createLoan(database.db, programme, member, {
      cycle: 1 + (index % 2),
      disbursedDate: testToday,
    })
    people.push({ member, loan: loan.number, references: [] })
  }
  house = await startTelling(database, programme, loadI18n('locales'), clock)
})
afterAll(async () => {
  await house.stop()
  await database.drop()
})

const plan = () =>
  createPlanner({ db: database.db, clock, logger: silentLogger, metrics: createMetrics() }).planOnce(testNow)

/** Postings, reversals and questions while the sender is at work. */
async function live(round: number): Promise<void> {
  for (const [index, person] of people.entries()) {
    const reference = `r${round}/${index}`
    if ((index + round) % 3 === 0)
      await save(database.db, programme, person.member, 1_000 + index, { reference })
    else await repay(database.db, programme, person.loan, 300 + index, { reference })
    person.references.push(reference)
    if ((index + round) % 7 === 0)
      await database.db
        .transaction((tx) =>
          reverseEntry(tx, programme.id, 'test', {
            reference: `undo/${reference}`,
            reverses: person.references[Math.floor(person.references.length / 2)] ?? reference,
            bookedDate: testToday,
          }),
        )
        .catch(() => undefined)
    await house.ask(person.member, questions[(index + round) % questions.length] ?? '')
    if (index % 10 === 0) await house.events.drainOnce()
  }
}

test('what was told is derived again after later postings, moves and renames: no mismatch', async () => {
  await plan()
  await live(0)
  await live(1)
  await house.settled()
  // Facts that change after they were told, each with its trace.
  await database.db.pool.query(`update instalments set due_date = due_date + 14 where number = 2`)
  await database.db.pool.query(`update instalments set due_date = due_date + 1 where number = 1`)
  await database.db.pool.query(
    `update meetings set starts_at = starts_at + interval '2 hours', place = 'Mairie'`,
  )
  await database.db.pool.query(`update training_sessions set status = 'cancelled'`)
  await database.db.pool.query(`update members set first_name = 'Fatou', language = 'fr', sms_form = 'full'`)
  await database.db.pool.query(`update staff set first_name = 'Penda'`)
  await database.db.pool.query(`update programmes set sender_id = 'JAPPO', service_code = '*384*2'`)
  const other = await database.db.prisma.group.create({
    data: { programmeId: programme.id, code: 'G02', name: 'Sunu', place: 'Bignona' },
  })
  await database.db.pool.query(`update members set group_id = $1 where number like '%5'`, [other.id])
  await live(2)
  await house.settled()
  const { checked, unchecked, mismatches } = await house.verify()
  expect(mismatches).toEqual([])
  expect(unchecked).toBe(0)
  expect(checked).toBeGreaterThan(members * 7)
  const { rows } = await database.db.pool.query<{ template: string; count: number }>(
    `select template, count(*)::int as count from messages where stage = 3 and text is not null group by 1`,
  )
  for (const template of [
    ...questions,
    'receipt.loan_repayment',
    'receipt.savings_deposit',
    'loan.disbursed',
  ])
    expect(rows.find((row) => row.template === template)?.count, template).toBeGreaterThan(0)
  for (const template of ['correction.entry', 'reminder.due_soon', 'reminder.meeting', 'reminder.training'])
    expect(rows.find((row) => row.template === template)?.count, template).toBeGreaterThan(0)
  showFigure('T1', `${checked} messages derived again, 0 mismatches`)
}, 300_000)

test('a text, an instalment and a meeting that were tampered with are found, each message by its id, and nothing else', async () => {
  const { pool } = database.db
  const told = async (template: string, words: string) =>
    (
      await pool.query<{ id: string }>(
        `select id from messages where template = $1 and text like $2 and stage = 3 order by id`,
        [template, words],
      )
    ).rows.map(({ id }) => id)
  const [receipt = ''] = await told('receipt.loan_repayment', '%300 F%')
  const before = await pool.query(`select text from messages where id = $1`, [receipt])
  await pool.query(`update messages set text = replace(text, '300 F', '30 F') where id = $1`, [receipt])
  const { rows: reminded } = await pool.query<{ id: string; instalmentId: string }>(
    `select id, instalment_id as "instalmentId" from messages
      where template = 'reminder.due_soon' and stage = 3 and text is not null order by id limit 1`,
  )
  const [reminder] = reminded
  // As someone with all rights does it: past the triggers, so that no trace is left.
  const untraced = async (sql: string, values: unknown[] = []) =>
    database.db.transaction(async (tx) => {
      await tx.query(`set local session_replication_role = replica`)
      await tx.query(sql, values)
    })
  await untraced(`update former_rows set was = was || '{"due_date": "2026-11-24"}' where row_id = $1`, [
    reminder?.instalmentId,
  ])
  const { rows: gatherings } = await pool.query<{ id: string }>(
    `select id from messages where template = 'reminder.meeting' and stage = 3 and text is not null`,
  )
  await untraced(
    `update former_rows set was = was || '{"starts_at": "2026-11-23T09:00:00Z"}' where relation = 'meetings'`,
  )
  const { mismatches } = await house.verify()
  const found = new Map(mismatches.map((mismatch) => [mismatch.messageId, mismatch]))
  expect(found.get(receipt)).toMatchObject({ template: 'receipt.loan_repayment', why: 'text' })
  expect(found.get(reminder?.id ?? '')).toMatchObject({
    states: `instalment ${reminder?.instalmentId}`,
    why: 'moved',
  })
  for (const { id } of gatherings) expect(found.get(id)).toMatchObject({ why: 'moved' })
  // Answers to questions stated the same schedule and meeting; nothing else is named.
  const tampered = new Set([receipt, reminder?.id, ...gatherings.map(({ id }) => id)])
  const others = mismatches.filter(({ messageId }) => !tampered.has(messageId))
  for (const { template } of others)
    expect(template).toMatch(
      /^(answer\.(schedule|loan)|reply\.(due|meeting)|loan\.disbursed|reply\.balance)$/,
    )

  const environment = { NODE_ENV: 'development', DATABASE_URL: database.url, CALLBACK_SECRET: 'c'.repeat(32) }
  const words = [
    'verify',
    'messages',
    '--programme',
    'fansoto',
    '--from',
    '2026-11-22',
    '--until',
    '2026-11-22',
  ]
  const { code, output } = await runTama(words, environment)
  expect(output).toContain(receipt)
  expect(output).toMatch(new RegExp(`${mismatches.length} no longer match`))
  expect(code).toBe(1)
  expect(output).not.toMatch(/Fatou|Penda|\+221|\d F\b/)
  await pool.query(`update messages set text = $2 where id = $1`, [receipt, before.rows[0]?.text])
}, 120_000)
