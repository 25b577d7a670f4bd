// A programme of many members, written in a few statements, and a poster who pays in for them as a back office does.
import { Decimal } from 'decimal.js'
import { addDays, type CalendarDate, localParts } from '../../src/calendar.ts'
import { systemClock } from '../../src/clock.ts'
import type { Db } from '../../src/db.ts'
import { savingsAccountCode } from '../../src/ledger/accounts.ts'
import { postEntries } from '../../src/ledger/entries.ts'
import { createLoans, disbursementOf, type NewLoan } from '../../src/ledger/loans.ts'
import { servicePurposes } from '../../src/members/consent.ts'
import { createPins } from '../../src/members/pin.ts'
import { createProgramme, enrolledAt, type TestProgramme } from './fixtures.ts'

export interface Crowd {
  programme: TestProgramme
  size: number
  /** Of the member at this place, from 0. */
  msisdnOf(index: number): string
  /** One deposit of hers, once however often it is tried: becomes a receipt in her own words. */
  deposit(index: number, key?: string): Promise<void>
  /** Like deposit, tried until the database has it: a poster does not give up because a server went down. */
  depositSurely(index: number, key?: string): Promise<void>
}

/** Members with a phone, a savings account, full texts and a yes to what serves them each, so that no two get the same text; messages may leave at any hour. */
export async function createCrowd(db: Db, size: number): Promise<Crowd> {
  const programme = await createProgramme(db)
  const { pool } = db
  await pool.query('update programmes set send_from_minute = 0, send_until_minute = 1440')
  await pool.query(
    `with people as (
       insert into members (programme_id, group_id, number, first_name, last_name, alias, birth_year, language, sms_form)
       select $1, $2, 'M' || i, 'Awa ' || i, 'Diatta', 'Awa', 1985, 'fr', 'full' from generate_series(0, $3::int - 1) i
       returning id, number),
     telephones as (
       insert into phones (programme_id, msisdn)
       select $1, '+22177' || (1000000 + i) from generate_series(0, $3::int - 1) i returning id, msisdn),
     holding as (
       insert into member_phones (member_id, phone_id)
       select p.id, t.id from people p join telephones t on t.msisdn = '+22177' || (1000000 + substr(p.number, 2)::int))
     insert into accounts (programme_id, code, type, purpose, currency_code, member_id)
     select $1, 'savings/' || number, 'liability', 'savings', 'XOF', id from people`,
    [programme.id, programme.groupId, size],
  )
  await pool.query(
    `insert into consents (member_id, purpose, granted, channel, wording, language, collector, collected_at)
     select m.id, purpose, true, 'staff', 'sheet-1', 'fr', 'staff:test', $1 from members m, unnest($2::text[]) purpose`,
    [enrolledAt, servicePurposes],
  )
  await pool.query('analyze')
  const today: CalendarDate = localParts(systemClock.now(), 'Africa/Dakar').date

  async function deposit(index: number, key = 'deposit'): Promise<void> {
    const amount = new Decimal(100 + (index % 900))
    const entry = {
      reference: `${key}/${index}`,
      kind: 'savings_deposit' as const,
      bookedDate: today,
      postings: [
        { account: 'cash', amount },
        { account: savingsAccountCode(`M${index}`), amount: amount.negated() },
      ],
    }
    await db.transaction((tx) => postEntries(tx, programme.id, 'trial', [entry]))
  }

  return {
    programme,
    size,
    msisdnOf: (index) => `+22177${1_000_000 + index}`,
    deposit,
    async depositSurely(index, key) {
      for (;;) {
        try {
          return await deposit(index, key)
        } catch {
          await new Promise((resolve) => setTimeout(resolve, 100))
        }
      }
    },
  }
}

export const crowdPin = '2846'

/** The same PIN for all of them; one hash serves, because nothing asks for it twice. */
export async function giveCrowdPins(db: Db, pepper: string): Promise<void> {
  const hash = await createPins({ db, pepper }).hash(crowdPin)
  await db.pool.query(
    'insert into member_pins (member_id, hash, set_at) select id, $1, now() from members on conflict do nothing',
    [hash],
  )
}

/** Of each member: two instalments of this much, due in 10 and 40 days. */
export const instalmentAmount = 50_000

/** A loan for each of the first `count` members, paid out a month ago. */
export async function giveCrowdLoans(db: Db, { programme }: Crowd, count: number): Promise<void> {
  const today = localParts(systemClock.now(), 'Africa/Dakar').date
  const { rows } = await db.pool.query<{ id: string; index: number }>(
    'select id, substr(number, 2)::int as index from members order by index limit $1',
    [count],
  )
  const zero = new Decimal(0)
  const loans = rows.map(
    ({ id, index }): NewLoan => ({
      number: `L${index}`,
      memberId: id,
      product: 'standard',
      cycle: 1,
      principal: new Decimal(2 * instalmentAmount),
      instalments: [10, 40].map((days) => ({
        dueDate: addDays(today, days),
        principal: new Decimal(instalmentAmount),
        interest: zero,
        fee: zero,
        insurance: zero,
      })),
    }),
  )
  await db.transaction(async (tx) => {
    await createLoans(tx, programme.id, programme.currency, loans)
    await postEntries(
      tx,
      programme.id,
      'trial',
      loans.map((loan) => disbursementOf(loan, addDays(today, -30))),
    )
  })
}
