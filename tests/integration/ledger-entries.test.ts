import { Decimal } from 'decimal.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Queryable } from '../../src/db.ts'
import { closeAccount } from '../../src/ledger/accounts.ts'
import { type NewEntry, postEntries, reverseEntry } from '../../src/ledger/entries.ts'
import { createLoans } from '../../src/ledger/loans.ts'
import { readMovements, readPosition } from '../../src/ledger/position.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
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

let database: TestDatabase
let programme: TestProgramme
let member: TestMember

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  member = await createMember(database.db, programme, { number: 'BATCH' })
})
afterAll(() => database.drop())

function depositOf(reference: string, amount: number | string = 100, account = 'savings/BATCH'): NewEntry {
  return {
    reference,
    kind: 'savings_deposit',
    bookedDate: testToday,
    postings: [
      { account: 'cash', amount: new Decimal(amount) },
      { account, amount: new Decimal(amount).negated() },
    ],
  }
}

function post(entries: readonly NewEntry[]) {
  return database.db.transaction((tx) => postEntries(tx, programme.id, 'test', entries))
}

async function count(table: 'entries' | 'postings'): Promise<number> {
  const found = await database.db.pool.query<{ count: number }>(`select count(*)::int as count from ${table}`)
  return found.rows[0]?.count ?? -1
}

describe('a batch', () => {
  test('of 500 entries takes four round trips and keeps their order', async () => {
    const entries = Array.from({ length: 500 }, (_, index) => depositOf(`batch/${index}`))
    let statements = 0
    const posted = await database.db.transaction((tx) => {
      const counted: Queryable = {
        query: (text, values) => {
          statements += 1
          return tx.query(text, values)
        },
      }
      return postEntries(counted, programme.id, 'test', entries)
    })
    expect(statements).toBe(4)
    expect(posted.map((one) => one.reference)).toEqual(entries.map((entry) => entry.reference))
    expect(new Set(posted.map((one) => one.id)).size).toBe(500)
    expect(posted.every((one) => one.outcome === 'posted')).toBe(true)
  })

  test('with entries of before and one twice posts each once', async () => {
    await post([depositOf('mix/1')])
    const before = await count('postings')
    const posted = await post([depositOf('mix/2'), depositOf('mix/1'), depositOf('mix/2')])
    expect(posted.map((one) => one.outcome)).toEqual(['posted', 'already_posted', 'already_posted'])
    expect(posted[0]?.id).toBe(posted[2]?.id)
    expect(await count('postings')).toBe(before + 2)
  })

  const faults: [what: string, entry: NewEntry, code: string, field: string][] = [
    ['a used reference with other content', depositOf('mix/1', 101), 'entry.reference_conflict', 'reference'],
    ['a reference twice with other content', depositOf('good', 101), 'entry.reference_conflict', 'reference'],
    ['an unknown account', depositOf('f', 1, 'nowhere'), 'entry.account_unknown', 'postings[1].account'],
    ['too many decimals', depositOf('f', '1.5'), 'entry.decimals', 'postings[0].amount'],
    ['an amount of zero', depositOf('f', 0), 'request.field_invalid', 'postings[0].amount'],
    ['no postings', { ...depositOf('f'), postings: [] }, 'entry.unbalanced', 'postings'],
    [
      'no balance',
      { ...depositOf('f'), postings: depositOf('f').postings.slice(0, 1) },
      'entry.unbalanced',
      'postings',
    ],
  ]
  test.each(faults)('with %s names entry and field, and posts nothing', async (_what, entry, code, field) => {
    const before = await count('entries')
    await expect(post([depositOf('good'), entry])).rejects.toMatchObject({
      code,
      field: `entries[1].${field}`,
    })
    expect(await count('entries')).toBe(before)
  })

  test('that meets another batch in the opposite order ends with each entry once', async () => {
    const references = Array.from({ length: 50 }, (_, index) => `cross/${index}`)
    const forwards = references.map((reference) => depositOf(reference))
    const outcomes = await Promise.allSettled([post(forwards), post(forwards.toReversed())])
    for (const outcome of outcomes)
      if (outcome.status === 'rejected')
        expect(outcome.reason).toMatchObject({ code: 'entry.reference_concurrent' })
    await post(forwards)
    const found = await database.db.pool.query("select 1 from entries where reference like 'cross/%'")
    expect(found.rowCount).toBe(50)
  })

  test('may be followed by another in the same transaction', async () => {
    const outcomes = await database.db.transaction(async (tx) => [
      ...(await postEntries(tx, programme.id, 'test', [depositOf('twice/1')])),
      ...(await postEntries(tx, programme.id, 'test', [depositOf('twice/2')])),
    ])
    expect(outcomes.map((one) => one.outcome)).toEqual(['posted', 'posted'])
  })
})

describe('what a member is shown', () => {
  test('a reversed payment is marked, moves the debt back, and the reversal is no row of its own', async () => {
    const reader = await createMember(database.db, programme)
    const loan = await createLoan(database.db, programme, reader)
    await repay(database.db, programme, loan.number, 10_500, {
      reference: 'seen/1',
      bookedDate: '2026-11-20',
    })
    await save(database.db, programme, reader, 2_000)
    const show = () => readPosition(database.db.reads, reader.id, testNow, testToday)
    expect((await show()).loans[0]).toMatchObject({ outstanding: new Decimal(21_000) })
    expect((await show()).loans[0]?.next?.dueDate).toBe(loan.instalments[1]?.dueDate)
    await database.db.transaction((tx) =>
      reverseEntry(tx, programme.id, 'test', {
        reference: 'seen/2',
        reverses: 'seen/1',
        bookedDate: testToday,
      }),
    )
    const position = await show()
    expect(position.loans[0]?.outstanding.toFixed()).toBe('31500')
    expect(position.loans[0]?.next).toMatchObject({ dueDate: loan.instalments[0]?.dueDate })
    expect(position.savings?.toFixed()).toBe('2000')
    const movements = await readMovements(database.db.reads, reader.id, 5)
    expect(movements.map((one) => [one.kind, one.amount.toFixed(), one.reversed])).toEqual([
      ['savings_deposit', '2000', false],
      ['loan_repayment', '10500', true],
      ['loan_disbursement', '30000', false],
    ])
  })

  test('a repayment out of savings is one movement', async () => {
    const reader = await createMember(database.db, programme)
    const loan = await createLoan(database.db, programme, reader)
    await save(database.db, programme, reader, 5_000)
    await post([
      {
        reference: 'from savings',
        kind: 'loan_repayment',
        bookedDate: testToday,
        postings: [
          { account: `savings/${reader.number}`, amount: new Decimal(3_000) },
          { account: `loan/${loan.number}`, amount: new Decimal(-3_000) },
        ],
      },
    ])
    const [latest] = await readMovements(database.db.reads, reader.id, 1)
    expect(latest).toMatchObject({ kind: 'loan_repayment', amount: new Decimal(3_000) })
    const position = await readPosition(database.db.reads, reader.id, testNow, testToday)
    expect(position.savings?.toFixed()).toBe('2000')
  })

  test('an over-paid loan is no longer listed, and a member without accounts has nothing', async () => {
    const reader = await createMember(database.db, programme)
    const loan = await createLoan(database.db, programme, reader)
    await repay(database.db, programme, loan.number, 40_000)
    expect((await readPosition(database.db.reads, reader.id, testNow, testToday)).loans).toEqual([])
    const bare = await createMember(database.db, programme, { savings: false })
    const position = await readPosition(database.db.reads, bare.id, testNow, testToday)
    expect(position).toEqual({
      currency: 'XOF',
      loans: [],
      savings: undefined,
      nextMeeting: undefined,
      nextTraining: undefined,
      readyForFirstLoan: false,
      initialDone: 0,
      initialTotal: 0,
    })
  })

  test('the next meeting comes with her own answer, and the initial sessions are counted once each', async () => {
    const { db } = database
    const reader = await createMember(db, programme)
    const meetingOf = (startsAt: string, status = 'planned') =>
      db.prisma.meeting.create({ data: { groupId: programme.groupId, startsAt, place: 'Market', status } })
    await meetingOf('2026-11-22T09:00:00Z')
    await meetingOf('2026-11-23T09:00:00Z', 'cancelled')
    const next = await meetingOf('2026-11-24T09:00:00Z')
    await db.prisma.meetingAnswer.createMany({
      data: [member, reader].map(({ id }, index) => ({
        meetingId: next.id,
        memberId: id,
        coming: index === 1,
        channel: 'ussd',
        answeredAt: testNow,
      })),
    })
    for (const number of [1, 2, 7]) {
      const module = await db.prisma.trainingModule.create({
        data: { programmeId: programme.id, number, initial: number < 7, titles: { fr: `Module ${number}` } },
      })
      for (const day of ['01', '02', number === 7 ? '25' : '03']) {
        const startsAt = `2026-11-${day}T09:00:00Z`
        const session = await db.prisma.trainingSession.create({
          data: { moduleId: module.id, groupId: programme.groupId, startsAt, place: 'School' },
        })
        if (number !== 2)
          await db.prisma.trainingAttendance.create({
            data: { sessionId: session.id, memberId: reader.id, attended: day !== '25' },
          })
      }
    }
    const position = await readPosition(db.reads, reader.id, testNow, testToday)
    expect(position).toMatchObject({
      nextMeeting: { id: next.id, coming: true, startsAt: new Date('2026-11-24T09:00:00Z') },
      nextTraining: { place: 'School', titles: { fr: 'Module 7' } },
      initialDone: 1,
      initialTotal: 2,
    })
  })
})

describe('loans and accounts', () => {
  test('a used loan number is refused and nothing is half done', async () => {
    const loan = await createLoan(database.db, programme, member, { number: 'TAKEN' })
    const again = database.db.transaction((tx) => createLoans(tx, programme.id, 'XOF', [loan]))
    await expect(again).rejects.toMatchObject({ code: 'loan.number_taken', field: 'loans[0].number' })
  })

  test('a member of another programme is nobody here', async () => {
    const other = await createProgramme(database.db, { code: 'other', serviceCode: '*390*1' })
    const loan = await createLoan(database.db, programme, member, { disburse: false })
    const moved = { ...loan, number: 'MOVED' }
    const opening = database.db.transaction((tx) => createLoans(tx, other.id, 'XOF', [moved]))
    await expect(opening).rejects.toMatchObject({ code: 'member.unknown' })
  })

  test('a closed account takes no posting and is closed once', async () => {
    const leaver = await createMember(database.db, programme)
    const code = `savings/${leaver.number}`
    const close = () => closeAccount(database.db.pool, programme.id, code, testNow)
    expect([await close(), await close()]).toEqual([true, false])
    await expect(post([depositOf('late', 1, code)])).rejects.toMatchObject({ code: 'entry.account_closed' })
  })
})
