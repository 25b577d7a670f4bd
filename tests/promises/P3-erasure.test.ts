import { randomUUID } from 'node:crypto'
import { Decimal } from 'decimal.js'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openCase } from '../../src/cases/cases.ts'
import { fixedClock } from '../../src/clock.ts'
import { createPipeline } from '../../src/db.ts'
import { postEntries } from '../../src/ledger/entries.ts'
import { issueReceiptCodes } from '../../src/ledger/receipt-codes.ts'
import { recordWords } from '../../src/members/consent.ts'
import { createPins } from '../../src/members/pin.ts'
import { loadProgrammes } from '../../src/members/programmes.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createDecider } from '../../src/outbound/decision.ts'
import { createMessages } from '../../src/outbound/outbox.ts'
import { type Erased, eraseMember } from '../../src/privacy/erasure.ts'
import { createInbound } from '../../src/sms/inbound.ts'
import { createPostgresSessions } from '../../src/ussd/session-store.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import {
  createLoan,
  createMember,
  createProgramme,
  repay,
  save,
  sayingAt,
  type TestMember,
  type TestProgramme,
  testNow,
  testToday,
} from '../support/fixtures.ts'
import { showFigure } from '../support/promises.ts'
import { createUssdUnderTest, i18n, testPepper, testPin, type UssdUnderTest } from '../support/ussd.ts'

/** Words that stand nowhere else in the test's database. */
const her = { firstName: 'Zeynaboulaye', lastName: 'Xaritoba', alias: 'Zeyna-X', raw: '77 412 98 31' }
const msisdn = '+221774129831'
const words = [her.firstName, her.lastName, her.alias, her.raw, msisdn, '774129831']

const clock = fixedClock(testNow)
let database: TestDatabase
let programme: TestProgramme
let member: TestMember
let neighbour: TestMember
let under: UssdUnderTest
let sharedPhoneId: string
let decidable: string[]

/** Every row of every table of ours that holds one of the words, as "table: count". */
async function scan(): Promise<Record<string, number>> {
  const { pool } = database.db
  const { rows: tables } = await pool.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema') order by 1`,
  )
  const hits: Record<string, number> = {}
  for (const { name } of tables) {
    const { rows } = await pool.query<{ hits: number }>(
      `select count(*)::int as hits from ${name} t, unnest($1::text[]) word where position(lower(word) in lower(t::text)) > 0`,
      [words],
    )
    if ((rows[0]?.hits ?? 0) > 0) hits[name] = rows[0]?.hits ?? 0
  }
  return hits
}

/** The books, to the last posting. */
async function books(): Promise<unknown> {
  const { rows } = await database.db.pool.query(
    `select (select count(*)::int from entries) as entries, (select count(*)::int from postings) as postings,
            (select md5(string_agg(p::text, '|' order by p.id)) from postings p) as every_posting,
            (select md5(string_agg(jsonb_set(to_jsonb(e), '{description}', 'null')::text, '|' order by e.id)) from entries e)
              as every_entry,
            (select string_agg(a.code || '=' || total, ' ' order by a.code)
               from accounts a join (select account_id, sum(amount)::text as total from postings group by 1) s
                 on s.account_id = a.id) as balances`,
  )
  return rows[0]
}

function erase(dryRun = false): Promise<Erased> {
  const sessions = createPostgresSessions(
    createPipeline({ url: database.url, logger: silentLogger, name: 'forget' }),
  )
  const erasure = { programmeId: programme.id, memberId: member.id, actor: 'operator', now: testNow }
  return database.db
    .transaction((tx) =>
      eraseMember({ tx, forgetDialogues: (phoneIds) => sessions.forget(phoneIds) }, erasure, { dryRun }),
    )
    .finally(() => sessions.close())
}

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  programme = await createProgramme(db)
  neighbour = await createMember(db, programme, { number: 'NEXT', firstName: 'Khady' })
  member = await createMember(db, programme, {
    ...her,
    number: 'M-HER',
    msisdn,
    birthYear: 1979,
    smsForm: 'full',
  })
  await db.pool.query('update members set last_name = $2 where id = $1', [member.id, her.lastName])
  await db.pool.query('update phones set raw = $2 where id = $1', [member.phoneId, her.raw])
  // A second phone, which she shares; the first message to it was hers.
  sharedPhoneId = neighbour.phoneId
  await db.prisma.memberPhone.create({
    data: { memberId: member.id, phoneId: sharedPhoneId, isPrimary: false },
  })
  await createPins({ db, pepper: testPepper }).set(member.id, testPin, testNow)
  await recordWords(db.pool, [
    { ...sayingAt(testNow), memberId: member.id, purpose: 'meeting', granted: false },
  ])
  await createLoan(db, programme, member, { number: 'L-HER' })
  await createLoan(db, programme, neighbour, { number: 'L-NEXT' })
  await repay(db, programme, 'L-NEXT', 2_000)
  const cash = { account: 'cash' }
  await db.transaction((tx) =>
    postEntries(tx, programme.id, 'office', [
      {
        reference: 'r1',
        kind: 'savings_deposit',
        bookedDate: testToday,
        description: `Versement de ${her.firstName} ${her.lastName} (${msisdn})`,
        postings: [
          { ...cash, amount: decimal('700') },
          { account: 'savings/M-HER', amount: decimal('-700') },
        ],
      },
      {
        reference: 'r2',
        kind: 'savings_deposit',
        bookedDate: testToday,
        description: 'Versement de Khady',
        postings: [
          { ...cash, amount: decimal('300') },
          { account: 'savings/NEXT', amount: decimal('-300') },
        ],
      },
    ]),
  )
  await openCase(db.pool, {
    programmeId: programme.id,
    memberId: member.id,
    kind: 'dispute',
    hopKey: 'p3',
    now: testNow,
  })
  await issueCode()
  await writeMessages()
  await db.pool.query(
    `update phones set greeted_by = (select id from messages where dedupe_key = 'test/delivered') where id = $1`,
    [sharedPhoneId],
  )
  under = await createUssdUnderTest(database)
  for (const text of ['', '1', `1*${testPin}`, `1*${testPin}*0`])
    await under.ussd.answer({
      provider: 'africastalking',
      sessionId: 's',
      msisdn,
      serviceCode: '*384*1#',
      text,
    })
  // The shared phone asks who dials: its screen lists her alias.
  for (const text of ['', '1', '1*1'])
    await under.ussd.answer({
      provider: 'africastalking',
      sessionId: 't',
      msisdn: neighbour.msisdn,
      serviceCode: '*384*1#',
      text,
    })
  const inbound = createInbound({
    db,
    clock,
    logger: silentLogger,
    metrics: createMetrics(),
    i18n,
    programmes: await loadProgrammes(db),
  })
  await inbound.receive({ provider: 'africastalking', id: 'in1', from: msisdn, to: '21384', text: 'SOLDE' })
  await db.pool.query(
    `insert into delivery_reports (provider, provider_message_id, status, phone_ids, received_at)
     values ('africastalking', 'x', 'Success', $1, $2)`,
    [[member.phoneId, sharedPhoneId], testNow],
  )
})
afterAll(async () => {
  await under.close()
  await database.drop()
})

async function issueCode(): Promise<void> {
  const { id: entryId } = await save(database.db, programme, member, 900, { reference: 'r3' })
  await issueReceiptCodes(
    database.db.pool,
    [{ programmeId: programme.id, entryId, memberId: member.id }],
    testNow,
  )
}

/** One in every stage, each with her name in its text. */
async function writeMessages(): Promise<void> {
  const { pool } = database.db
  const statuses = ['created', 'queued', 'claimed', 'submitting', 'submitted', 'delivered', 'unknown']
  await createMessages(
    pool,
    statuses.map((status) => ({
      programmeId: programme.id,
      memberId: member.id,
      purpose: 'notice',
      template: 'reply.help',
      lane: 'planned',
      dedupeKey: `test/${status}`,
      params: { name: her.firstName },
      notBefore: testNow,
    })),
  )
  for (const status of statuses)
    await pool.query(
      `update messages set status = $1, text = $2, phone_id = $3, batch_id = $4 where dedupe_key = 'test/' || $1`,
      [status, `${her.firstName} ${her.lastName}: 700 F`, member.phoneId, randomUUID()],
    )
  const { rows } = await pool.query<{ id: string }>(
    `select id from messages where status in ('created', 'queued', 'claimed')`,
  )
  decidable = rows.map(({ id }) => id)
}

function decimal(text: string) {
  return new Decimal(text)
}

let before: Record<string, number>
let booksBefore: unknown

test('the search finds her in every table that can name her', async () => {
  before = await scan()
  const tables = ['entries', 'members', 'messages', 'phones', 'ussd_replies']
  expect(Object.keys(before)).toEqual(tables.map((table) => `public.${table}`))
  booksBefore = await books()
})

test('a dry run says what would go and changes nothing', async () => {
  const planned = await erase(true)
  expect(planned).toMatchObject({
    members: 1,
    phones: 1,
    member_phones: 2,
    member_pins: 1,
    entry_descriptions: 1,
  })
  expect(await scan()).toEqual(before)
  const { rows } = await database.db.pool.query("select 1 from audit_log where action = 'member.erased'")
  expect(rows).toEqual([])
})

test('after the erasure nothing in the database names her, and the books are the same to the last posting', async () => {
  const erased = await erase()
  expect(erased).toMatchObject({
    waiting_messages: 3 + 1,
    entry_descriptions: 1,
    members: 1,
    phones: 1,
    dialogues: 2,
  })
  expect(await scan()).toEqual({})
  expect(await books()).toEqual(booksBefore)
  const total = Object.values(before).reduce((sum, hits) => sum + hits, 0)
  showFigure(
    'P3',
    `${total} hits in ${Object.keys(before).length} tables before, 0 after; every posting and balance the same`,
  )
})

test('the shared phone keeps that it had a message, not whose it was', async () => {
  const { rows } = await database.db.pool.query(
    'select greeted_by as "by", greeted_at as at from phones where id = $1',
    [sharedPhoneId],
  )
  expect(rows).toEqual([{ by: null, at: testNow }])
})

test('messages that waited for her never leave; what was under way loses its text', async () => {
  const { rows } = await database.db.pool.query<{ status: string; reason: string; text: string | null }>(
    `select status, reason, text from messages where dedupe_key like 'test/%' order by dedupe_key`,
  )
  expect(rows.map(({ status }) => status)).toEqual([
    'suppressed',
    'suppressed',
    'delivered',
    'suppressed',
    'submitted',
    'submitting',
    'unknown',
  ])
  expect(rows.every(({ text }) => text === null)).toBe(true)
  const decisions = await createDecider({ db: database.db, i18n })(decidable, testNow)
  expect(decisions.map(({ action }) => action)).toEqual(['suppress', 'suppress', 'suppress'])
  // A payment that the books take later tells nobody.
  await repay(database.db, programme, 'L-HER', 100)
  await createMessages(database.db.pool, [
    {
      programmeId: programme.id,
      memberId: member.id,
      purpose: 'receipt',
      template: 'receipt.loan_repayment',
      lane: 'urgent',
      dedupeKey: 'late',
      notBefore: testNow,
    },
  ])
  const late = await database.db.pool.query<{ id: string }>(
    "select id from messages where dedupe_key = 'late'",
  )
  const [decision] = await createDecider({ db: database.db, i18n })([late.rows[0]?.id ?? ''], testNow)
  expect(decision).toMatchObject({ action: 'suppress', reason: 'member_left' })
})

test('the phone that others share stays theirs, with their own words', async () => {
  const { rows } = await database.db.pool.query<{ number: string }>(
    'select m.number from member_phones mp join members m on m.id = mp.member_id where mp.phone_id = $1',
    [sharedPhoneId],
  )
  expect(rows).toEqual([{ number: 'NEXT' }])
  const { rows: entries } = await database.db.pool.query(
    "select description from entries where reference = 'r2'",
  )
  expect(entries).toEqual([{ description: 'Versement de Khady' }])
  const screen = await under.ussd.answer({
    provider: 'africastalking',
    sessionId: 'u',
    msisdn: neighbour.msisdn,
    serviceCode: '*384*1#',
    text: '',
  })
  expect(screen).toContain('1 Mon compte')
})

test('her case is closed as erased, and nobody can verify a receipt of hers', async () => {
  const { rows } = await database.db.pool.query(
    `select c.status, c.outcome, (select count(*)::int from receipt_codes) as codes from cases c`,
  )
  expect(rows).toEqual([{ status: 'closed', outcome: 'erased', codes: 0 }])
})

test('her number is a stranger to the dialogue', async () => {
  const screen = await under.ussd.answer({
    provider: 'africastalking',
    sessionId: 'v',
    msisdn,
    serviceCode: '*384*1#',
    text: '',
  })
  expect(screen).toMatch(/^CON Bienvenue/)
  expect(screen).not.toContain('Mon compte')
})

test('a second erasure changes nothing and is not written down again', async () => {
  const kept = await books()
  // The message that was written above has nothing to lose but its claim to a text.
  await database.db.pool.query("delete from messages where dedupe_key = 'late'")
  const again = await erase()
  expect(Object.values(again).reduce((sum, rows) => sum + rows, 0)).toBe(0)
  expect(await books()).toEqual(kept)
  const { rows } = await database.db.pool.query(
    "select subject from audit_log where action = 'member.erased'",
  )
  expect(rows).toEqual([{ subject: `member:${member.id}` }])
})

test('a description is emptied only beside its record, and a record is for ever', async () => {
  const { pool } = database.db
  const refused = { code: 'TL003' }
  await expect(
    pool.query("update entries set description = null where reference = 'r2'"),
  ).rejects.toMatchObject(refused)
  await expect(pool.query('delete from entry_erasures')).rejects.toMatchObject(refused)
  await expect(pool.query('update entry_erasures set erased_at = now()')).rejects.toMatchObject(refused)
  const inOne = (change: string) =>
    database.db.transaction(async (tx) => {
      await tx.query(
        "insert into entry_erasures (entry_id, erased_at, tx_id) select id, now(), '1'::xid8 from entries where reference = 'r2'",
      )
      await tx.query(`update entries set ${change} where reference = 'r2'`)
    })
  for (const change of [
    "description = 'x'",
    "description = null, reference = 'y'",
    "booked_date = '2020-01-01'",
  ])
    await expect(inOne(change)).rejects.toMatchObject(refused)
})
