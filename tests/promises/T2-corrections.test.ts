// An entry that was told and is undone is taken back, in the language in which it was told; one that was not told is never spoken of.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { loadI18n } from '../../src/i18n.ts'
import { reverseEntry } from '../../src/ledger/entries.ts'
import { matchReports, recordDeliveryReport } from '../../src/outbound/delivery-report.ts'
import { pauseOutbox, resumeOutbox } from '../../src/outbound/pause.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  createLoan,
  createMember,
  createProgramme,
  repay,
  type TestMember,
  type TestProgramme,
  testNow,
  testToday,
} from '../support/fixtures.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { startTelling, type TellingHouse } from '../support/told.ts'

const each = atScale(12, 200)
const languages = ['fr', 'en', 'wo'] as const
const clock = fixedClock(testNow)

let database: TestDatabase
let programme: TestProgramme
let house: TellingHouse
const people: { member: TestMember; loan: string; language: string }[] = []
const figures: string[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  for (let index = 0; index < 6; index += 1) {
    const language = languages[index % 3] ?? 'fr'
    const member = await createMember(database.db, programme, {
      language,
      smsForm: index < 3 ? 'full' : 'discreet',
    })
    const { number } = await createLoan(database.db, programme, member)
    people.push({ member, loan: number, language })
  }
  house = await startTelling(database, programme, loadI18n('locales'), clock)
})
afterAll(async () => {
  showFigure('T2', figures.join('; '))
  await house.stop()
  await database.drop()
})

let posted = 0

interface Paid {
  id: string
  reference: string
  person: (typeof people)[number]
}

async function pay(count: number): Promise<Paid[]> {
  const paid: Paid[] = []
  for (let index = 0; index < count; index += 1) {
    posted += 1
    const person = people[posted % people.length] as (typeof people)[number]
    paid.push({ ...(await repay(database.db, programme, person.loan, 100 + (posted % 7))), person })
  }
  return paid
}

const reverse = (reference: string) =>
  database.db.transaction((tx) =>
    reverseEntry(tx, programme.id, 'test', {
      reference: `undo/${reference}`,
      reverses: reference,
      bookedDate: testToday,
    }),
  )

interface Told {
  id: string
  template: string
  status: string
  reason: string | null
  language: string | null
  correctsId: string | null
  providerMessageId: string | null
  reversesId: string | null
}

/** The receipt of an entry and whatever speaks of its reversal. */
async function toldOf(entryId: string): Promise<{ receipts: Told[]; corrections: Told[] }> {
  const { rows } = await database.db.pool.query<Told>(
    `select m.id, m.template, m.status, m.reason, m.language, m.corrects_id as "correctsId",
            m.provider_message_id as "providerMessageId", e.reverses_id as "reversesId"
       from messages m join entries e on e.id = m.entry_id where e.id = $1 or e.reverses_id = $1 order by m.id`,
    [entryId],
  )
  return {
    receipts: rows.filter(({ template }) => template !== 'correction.entry'),
    corrections: rows.filter(({ template }) => template === 'correction.entry'),
  }
}

const report = (providerMessageId: string, status: string) =>
  recordDeliveryReport(database.db, clock, { provider: 'africastalking', providerMessageId, status })

test('a reversal after the receipt is told in the language of the receipt, tied to the receipt and to the reversal', async () => {
  const paid = await pay(each)
  await house.settled()
  await database.db.pool.query(`update members set language = 'fr'`)
  for (const { reference } of paid) await reverse(reference)
  await house.settled()
  for (const { id, person } of paid) {
    const { receipts, corrections } = await toldOf(id)
    expect(receipts).toMatchObject([{ status: 'submitted', language: person.language }])
    expect(corrections).toMatchObject([
      { status: 'submitted', language: person.language, correctsId: receipts[0]?.id, reversesId: id },
    ])
  }
  for (const { member, language } of people)
    await database.db.pool.query('update members set language = $2 where id = $1', [member.id, language])
  figures.push(`${each} told and undone: ${each} corrected in the receipt's language`)
})

test('of a reversal before the receipt leaves neither is sent', async () => {
  const before = house.network.calls.length
  // Undone before anybody heard of the entry, and undone while the receipt waits for its hour.
  const unheard = await pay(each)
  for (const { reference } of unheard) await reverse(reference)
  const waiting = await pay(each)
  clock.set(new Date('2026-11-22T23:00:00Z'))
  await house.settled()
  for (const { reference } of waiting) await reverse(reference)
  await house.settled()
  clock.set(new Date('2026-11-23T10:00:00Z'))
  await house.settled()
  for (const { id } of unheard) expect(await toldOf(id)).toEqual({ receipts: [], corrections: [] })
  for (const { id } of waiting) {
    const { receipts, corrections } = await toldOf(id)
    expect(receipts).toMatchObject([{ status: 'cancelled', reason: 'reversed' }])
    expect(corrections).toEqual([])
  }
  expect(house.network.calls.length).toBe(before)
  figures.push(`${2 * each} undone before: 0 sent`)
})

/** Receipts that their network or an operator gave up. */
async function givenUp(status: string, count = each): Promise<(Paid & { providerMessageId: string })[]> {
  const paid = await pay(count)
  await house.settled()
  return Promise.all(
    paid.map(async (one) => {
      const { receipts } = await toldOf(one.id)
      const providerMessageId = receipts[0]?.providerMessageId ?? ''
      if (status === 'rejected') await report(providerMessageId, 'Rejected')
      else
        await database.db.pool.query('update messages set status = $2 where id = $1', [
          receipts[0]?.id,
          status,
        ])
      return { ...one, providerMessageId }
    }),
  )
}

test.each(['rejected', 'failed', 'expired'])(
  'a receipt that was %s when its entry was undone is corrected once a late report says that it came, not before',
  async (status) => {
    const paid = await givenUp(status)
    for (const { reference } of paid) await reverse(reference)
    await house.settled()
    for (const { id } of paid) expect((await toldOf(id)).corrections).toEqual([])
    for (const [index, { id, providerMessageId }] of paid.entries()) {
      if (index % 3 === 0) await report(providerMessageId, 'Failed')
      expect((await toldOf(id)).corrections).toEqual([])
      for (let times = 0; times <= index % 3; times += 1) await report(providerMessageId, 'Success')
    }
    await house.settled()
    for (const { id, person } of paid) {
      const { receipts, corrections } = await toldOf(id)
      expect(receipts).toMatchObject([{ status: 'delivered' }])
      expect(corrections).toMatchObject([
        { status: 'submitted', language: person.language, correctsId: receipts[0]?.id, reversesId: id },
      ])
    }
    figures.push(`${each} ${status}, undone, then delivered: ${each} corrected once`)
  },
)

test('a report that waited for its message corrects too', async () => {
  const paid = await givenUp('failed', 3)
  for (const { reference } of paid) await reverse(reference)
  await house.settled()
  for (const { id, providerMessageId } of paid) {
    // The provider's id was not yet saved when the report came.
    await database.db.pool.query('update messages set provider_message_id = null where entry_id = $1', [id])
    expect(await report(providerMessageId, 'Success')).toBe('waiting')
    await database.db.pool.query(
      `update messages set provider_message_id = $2 where entry_id = $1 and template <> 'correction.entry'`,
      [id, providerMessageId],
    )
  }
  await matchReports({ db: database.db, clock })
  await house.settled()
  for (const { id } of paid) expect((await toldOf(id)).corrections).toMatchObject([{ status: 'submitted' }])
})

test('a receipt that may have gone before a restore is corrected, behind the pause and after it', async () => {
  const { db } = database
  await house.settled()
  await db.transaction((tx) => pauseOutbox(tx, testNow, 'lost_rows'))
  const [behind, after] = (await pay(2)) as [Paid, Paid]
  await house.events.drainOnce()
  // As after a restore: the receipts are older than the pause.
  await db.pool.query('update outbox_pauses set paused_at = now() where resumed_at is null')
  await reverse(behind.reference)
  await house.events.drainOnce()
  await resumeOutbox(db, testNow, 'suppress', async () => {})
  await reverse(after.reference)
  await house.settled()
  for (const { id } of [behind, after])
    expect(await toldOf(id)).toMatchObject({
      receipts: [{ status: 'suppressed', reason: 'may_have_gone' }],
      corrections: [{ status: 'submitted' }],
    })
})

test('reversal and late report at the same moment, in any order: one correction each', async () => {
  const paid = await givenUp('failed', atScale(30, 500))
  for (const [index, { reference, providerMessageId }] of paid.entries()) {
    await reverse(reference)
    const both = [() => house.events.drainOnce(), () => report(providerMessageId, 'Success')]
    await Promise.all((index % 2 === 0 ? both : both.reverse()).map((act) => act()))
  }
  await house.settled()
  for (const { id } of paid) {
    const { receipts, corrections } = await toldOf(id)
    expect(receipts).toMatchObject([{ status: 'delivered' }])
    expect(corrections).toHaveLength(1)
  }
  const { mismatches } = await house.verify()
  expect(mismatches).toEqual([])
  figures.push(`${paid.length} at the same moment: ${paid.length} corrected once`)
})
