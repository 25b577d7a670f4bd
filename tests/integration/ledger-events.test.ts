import { Decimal } from 'decimal.js'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { elapsedMs, fixedClock } from '../../src/clock.ts'
import { createLedgerEvents } from '../../src/events/consumer.ts'
import { postEntries, reverseEntry } from '../../src/ledger/entries.ts'
import { repaymentOf } from '../../src/ledger/loans.ts'
import { createMetrics } from '../../src/metrics.ts'
import type { MessageStatus } from '../../src/outbound/status.ts'
import { applyTransitions } from '../../src/outbound/transitions.ts'
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

let database: TestDatabase
let programme: TestProgramme
let member: TestMember
const clock = fixedClock(testNow)
const metrics = createMetrics()

const newConsumer = () =>
  createLedgerEvents({ db: database.db, clock, logger: silentLogger, metrics, pollMs: 50 })

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
})
afterAll(() => database.drop())
beforeEach(async () => {
  clock.set(testNow)
  member = await createMember(database.db, programme)
  await drain()
})
afterEach(async () => {
  await drain()
})

async function drain(): Promise<void> {
  const consumer = newConsumer()
  while ((await consumer.drainOnce()) > 0);
}

interface Row {
  id: string
  template: string
  status: MessageStatus
  reason: string | null
  dedupe_key: string
  lane: string
  corrects_id: string | null
}

async function messagesOf(of: TestMember): Promise<Row[]> {
  const { rows } = await database.db.pool.query<Row>(
    'select * from messages where member_id = $1 order by created_at, id',
    [of.id],
  )
  return rows
}

const templates = (rows: readonly Row[]) => rows.map((row) => row.template)

/** Moves a message as the relay and the sender would. */
async function submit(id: string): Promise<void> {
  for (const [source, to] of [
    ['relay', 'queued'],
    ['sender', 'claimed'],
    ['sender', 'submitting'],
    ['sender', 'submitted'],
  ] as const)
    await applyTransitions(database.db.pool, clock.now(), [{ messageId: id, source, to }])
}

describe('a committed entry', () => {
  test('posted by plain SQL of another program becomes one receipt', async () => {
    const loan = await createLoan(database.db, programme, member)
    await drain()
    const { rows } = await database.db.pool.query<{ id: string }>(
      `with entry as (
         insert into entries (programme_id, reference, kind, booked_date)
         values ($1, $2, 'loan_repayment', $3) returning id, programme_id
       )
       insert into postings (entry_id, account_id, amount)
       select entry.id, a.id, case when a.code = 'cash' then 10500 else -10500 end
         from entry join accounts a on a.programme_id = entry.programme_id and a.code in ('cash', $4)
       returning entry_id as id`,
      [programme.id, `other-program/${loan.number}`, testToday, `loan/${loan.number}`],
    )
    await drain()
    const receipt = (await messagesOf(member)).at(-1)
    expect(receipt).toMatchObject({
      template: 'receipt.loan_repayment',
      dedupe_key: `receipt/${rows[0]?.id}`,
      lane: 'urgent',
      status: 'created',
    })
  })

  test('of each kind that is news has its own message', async () => {
    const loan = await createLoan(database.db, programme, member)
    await repay(database.db, programme, loan.number, 10_500)
    await save(database.db, programme, member, 2_000)
    await save(database.db, programme, member, -500)
    await drain()
    expect(templates(await messagesOf(member))).toEqual([
      // Paid out 30 days ago: history, told to nobody.
      'receipt.loan_repayment',
      'receipt.savings_deposit',
      'receipt.savings_withdrawal',
    ])
    await createLoan(database.db, programme, member, { disbursedDate: testToday })
    await drain()
    expect(templates(await messagesOf(member)).at(-1)).toBe('loan.disbursed')
  })

  test('booked more than seven days ago is history, seven days ago is news', async () => {
    await save(database.db, programme, member, 100, { bookedDate: '2026-11-14' })
    await drain()
    expect(await messagesOf(member)).toEqual([])
    await save(database.db, programme, member, 100, { bookedDate: '2026-11-15' })
    await drain()
    expect(await messagesOf(member)).toHaveLength(1)
  })

  test('that pays for a whole group has one receipt for each member', async () => {
    const other = await createMember(database.db, programme)
    const loans = [
      await createLoan(database.db, programme, member),
      await createLoan(database.db, programme, other),
    ]
    const amounts = [new Decimal(10_500), new Decimal(4_000)]
    const [first, second] = loans.map(
      (loan, index) =>
        repaymentOf(loan.number, amounts[index] ?? new Decimal(1), testToday, 'unused').postings,
    )
    await database.db.transaction((tx) =>
      postEntries(tx, programme.id, 'test', [
        {
          reference: `group/${loans[0]?.number}`,
          kind: 'loan_repayment',
          bookedDate: testToday,
          postings: [...(first ?? []), ...(second ?? [])],
        },
      ]),
    )
    await drain()
    expect(templates(await messagesOf(member))).toEqual(['receipt.loan_repayment'])
    expect(templates(await messagesOf(other))).toEqual(['receipt.loan_repayment'])
  })
})

describe('a reversal', () => {
  async function paid(reference: string) {
    await save(database.db, programme, member, 1_000, { reference })
    return {
      reverse: (bookedDate = testToday) =>
        database.db.transaction((tx) =>
          reverseEntry(tx, programme.id, 'test', {
            reference: `undo/${reference}`,
            reverses: reference,
            bookedDate,
          }),
        ),
    }
  }

  test('before its receipt was written leaves nothing to tell', async () => {
    const entry = await paid('r1')
    await entry.reverse()
    await drain()
    expect(await messagesOf(member)).toEqual([])
  })

  test('while its receipt waits cancels it, and neither is sent', async () => {
    const entry = await paid('r2')
    await drain()
    await entry.reverse()
    await drain()
    expect(await messagesOf(member)).toMatchObject([
      { template: 'receipt.savings_deposit', status: 'cancelled', reason: 'reversed' },
    ])
  })

  test('booked on a day long past still corrects what was told', async () => {
    const entry = await paid('r4')
    await drain()
    const [receipt] = await messagesOf(member)
    await submit(receipt?.id ?? '')
    await entry.reverse('2026-10-01')
    await drain()
    expect(await messagesOf(member)).toMatchObject([
      { template: 'receipt.savings_deposit', status: 'submitted' },
      { template: 'correction.entry', corrects_id: receipt?.id },
    ])
  })

  test('after its receipt was submitted is told by one correction', async () => {
    const entry = await paid('r3')
    await drain()
    const [receipt] = await messagesOf(member)
    await submit(receipt?.id ?? '')
    await entry.reverse()
    await drain()
    await drain()
    expect(await messagesOf(member)).toMatchObject([
      { template: 'receipt.savings_deposit', status: 'submitted' },
      {
        template: 'correction.entry',
        status: 'created',
        corrects_id: receipt?.id,
        params: { corrected: 'receipt.savings_deposit' },
      },
    ])
  })
})

describe('the consumer', () => {
  test('tells nobody twice when several work at once', async () => {
    for (let index = 0; index < 60; index += 1) await save(database.db, programme, member, 10 + index)
    const consumers = [newConsumer(), newConsumer(), newConsumer()].map(async (consumer) => {
      while ((await consumer.drainOnce()) > 0);
    })
    await Promise.all(consumers)
    expect(await messagesOf(member)).toHaveLength(60)
  })

  test('goes on past an event that fails, and tries that one again later', async () => {
    // A fault of the database itself, for one entry alone.
    await database.db.pool.query(`
      create function refuse_one() returns trigger language plpgsql as $$ begin
        if exists (select 1 from entries where id = new.entry_id and reference = 'bad') then
          raise exception 'refused' using errcode = 'XX001';
        end if;
        return new;
      end $$;
      create trigger refuse_one before insert on messages for each row execute function refuse_one()`)
    await save(database.db, programme, member, 1, { reference: 'good-1' })
    await save(database.db, programme, member, 2, { reference: 'bad' })
    await save(database.db, programme, member, 3, { reference: 'good-2' })
    await drain()
    expect(await messagesOf(member)).toHaveLength(2)
    const open = () =>
      database.db.pool.query(
        'select attempts, last_error, retry_at from ledger_events where handled_at is null',
      )
    expect((await open()).rows).toEqual([
      { attempts: 1, last_error: 'XX001', retry_at: new Date(testNow.getTime() + 5_000) },
    ])
    clock.advanceMs(6_000)
    await drain()
    expect((await open()).rows).toMatchObject([
      { attempts: 2, retry_at: new Date(testNow.getTime() + 6_000 + 10_000) },
    ])
    await database.db.pool.query('drop trigger refuse_one on messages')
    clock.advanceMs(11_000)
    await drain()
    expect((await open()).rows).toEqual([])
    expect(await messagesOf(member)).toHaveLength(3)
  })

  test('hears a poster at once, and again after its connection was cut', async () => {
    const consumer = createLedgerEvents({
      db: database.db,
      clock,
      logger: silentLogger,
      metrics,
      // Far longer than the test: only a notice can be in time.
      pollMs: 600_000,
    })
    consumer.start()
    const listeners = () =>
      database.db.pool.query<{ pid: number }>(
        `select pid from pg_stat_activity where datname = current_database() and query = 'listen tama_ledger'`,
      )
    await vi.waitFor(async () => expect((await listeners()).rows).toHaveLength(1))
    await save(database.db, programme, member, 1_000)
    await vi.waitFor(async () => expect(await messagesOf(member)).toHaveLength(1))

    await database.db.pool.query('select pg_terminate_backend($1)', [(await listeners()).rows[0]?.pid])
    await save(database.db, programme, member, 1_000)
    await vi.waitFor(async () => expect(await messagesOf(member)).toHaveLength(2), { timeout: 10_000 })
    await consumer.stop()
  })

  test('handles 1,000 entries in a few statements', async () => {
    await database.db.transaction((tx) =>
      postEntries(
        tx,
        programme.id,
        'test',
        Array.from({ length: 1_000 }, (_, index) => ({
          reference: `many/${index}`,
          kind: 'savings_deposit' as const,
          bookedDate: testToday,
          postings: [
            { account: 'cash', amount: new Decimal(5) },
            { account: `savings/${member.number}`, amount: new Decimal(-5) },
          ],
        })),
      ),
    )
    const startedMs = elapsedMs()
    await drain()
    // Well under a second on an idle machine; the limit leaves room for a busy one.
    expect(elapsedMs() - startedMs).toBeLessThan(5_000)
    expect(await messagesOf(member)).toHaveLength(1_000)
  })
})
