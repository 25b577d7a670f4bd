// C6: what a loan is about is said to nobody but the member whose loan it is, on her own primary phone: not to her guarantors, her
// group, its officers, its facilitator or whoever shares a phone.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addDays } from '../../src/calendar.ts'
import { fixedClock } from '../../src/clock.ts'
import { createLedgerEvents } from '../../src/events/consumer.ts'
import { loadI18n } from '../../src/i18n.ts'
import { reverseEntry } from '../../src/ledger/entries.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createDecider } from '../../src/outbound/decision.ts'
import { createMessages, type NewMessage } from '../../src/outbound/outbox.ts'
import { createPlanner } from '../../src/reminders/planner.ts'
import { createRandom } from '../../src/simulator/random.ts'
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

const i18n = loadI18n('locales')
const facilitatorMsisdn = '+221776000000'
const metrics = createMetrics()
let database: TestDatabase
let programme: TestProgramme

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  const facilitator = await database.db.prisma.staff.create({
    data: {
      programmeId: programme.id,
      firstName: 'Binta',
      lastName: 'Sané',
      msisdn: facilitatorMsisdn,
      role: 'facilitator',
      language: 'fr',
    },
  })
  await database.db.prisma.group.updateMany({ data: { facilitatorId: facilitator.id } })
})
afterAll(() => database.drop())

const decide = (ids: readonly string[], now: Date) => createDecider({ db: database.db, i18n })(ids, now)

/** Members of one group: officers, some on a shared phone, with loans of all ages that are paid, late or reversed. */
async function writeLives(count: number): Promise<void> {
  const { db } = database
  const random = createRandom(20261124)
  const roles = ['president', 'treasurer', 'educator', 'member'] as const
  let shared: TestMember | undefined
  for (let index = 0; index < count; index += 1) {
    const onShared = random.chance(0.2) && shared !== undefined
    const member = await createMember(db, programme, {
      role: roles[Math.min(index, 3)] ?? 'member',
      smsForm: random.chance(0.7) ? 'full' : 'discreet',
      language: ['fr', 'en', 'wo'][index % 3] ?? 'fr',
      ...(onShared && shared !== undefined ? { phoneId: shared.phoneId } : {}),
    })
    shared ??= member
    for (let loans = random.between(0, 2); loans > 0; loans -= 1) {
      const first = addDays(testToday, random.between(-20, 6))
      const dueDates = [0, 14, 28].map((days) => addDays(first, days))
      const loan = await createLoan(db, programme, member, {
        dueDates,
        disbursedDate: random.chance(0.3) ? testToday : addDays(testToday, -40),
        principalEach: random.between(5, 90) * 1_000,
      })
      if (random.chance(0.5)) {
        const reference = `pay/${loan.number}`
        await repay(db, programme, loan.number, random.between(1, 20) * 500, { reference })
        if (random.chance(0.3))
          await db.transaction((tx) =>
            reverseEntry(tx, programme.id, 'test', {
              reference: `undo/${reference}`,
              reverses: reference,
              bookedDate: testToday,
            }),
          )
      }
    }
    if (random.chance(0.3)) await save(db, programme, member, 1_000)
  }
}

// Whose money each message is about, by the ledger alone, and where it may go.
const ownersSql = `
  select m.id, m.member_id as receiver, mp.phone_id as phone,
         array_remove(array_agg(distinct coalesce(l.member_id, a.member_id, il.member_id)), null) as owners
    from messages m
    left join member_phones mp on mp.member_id = m.member_id and mp.is_primary
    left join postings p on p.entry_id = m.entry_id
    left join accounts a on a.id = p.account_id
    left join loans l on l.account_id = a.id
    left join instalments i on i.id = m.instalment_id
    left join loans il on il.id = i.loan_id
   group by m.id, m.member_id, mp.phone_id`

test('C6: on random lives, each message about a loan is for its member alone and leaves to her primary phone', async () => {
  const { db } = database
  await writeLives(atScale(40, 400))
  const events = createLedgerEvents({ db, clock: fixedClock(testNow), logger: silentLogger, metrics })
  while ((await events.drainOnce()) > 0);
  const days = atScale(4, 30)
  for (let day = 0; day < days; day += 1) {
    const now = new Date(testNow.getTime() + day * 86_400_000)
    await createPlanner({ db, clock: fixedClock(now), logger: silentLogger, metrics }).planOnce(now)
  }
  const { rows } = await db.pool.query<{ id: string; receiver: string; phone: string; owners: string[] }>(
    ownersSql,
  )
  const ofMoney = rows.filter(({ owners }) => owners.length > 0)
  expect(ofMoney.length).toBeGreaterThan(20)
  let sent = 0
  for (const { id, receiver, phone, owners } of ofMoney) {
    expect(owners).toEqual([receiver])
    const [decision] = await decide([id], testNow)
    if (decision?.action !== 'send') continue
    sent += 1
    expect(decision.phoneId).toBe(phone)
    expect(decision.msisdn).not.toBe(facilitatorMsisdn)
  }
  expect(sent).toBeGreaterThan(10)
  showFigure(
    'C6',
    `${ofMoney.length} messages about money of ${days} days, ${sent} of them sent: 0 for anybody but its owner`,
  )
}, 300_000)

/** Texts that can state a loan: those with a form that shows more than a discreet one may. */
const statingTemplates = [...i18n.keys('fr', 'sms')]
  .filter((key) => key.endsWith('.full'))
  .map((key) => key.slice(0, -'.full'.length))

test.each(statingTemplates)(
  '%s, written for anybody but the owner of the loan, says nothing of it',
  async (template) => {
    const { db } = database
    const owner = await createMember(db, programme, { smsForm: 'full' })
    // Amounts that occur nowhere else.
    const loan = await createLoan(db, programme, owner, { principalEach: 71_717, interestEach: 0 })
    const paid = await repay(db, programme, loan.number, 1_313)
    const { rows } = await db.pool.query<{ id: string }>(
      `select i.id from instalments i join loans l on l.id = i.loan_id where l.number = $1 order by i.number limit 1`,
      [loan.number],
    )
    const sharing = await createMember(db, programme, { smsForm: 'full', phoneId: owner.phoneId })
    const receivers: Partial<NewMessage>[] = []
    for (const role of ['member', 'president', 'treasurer', 'educator'] as const)
      receivers.push({ memberId: (await createMember(db, programme, { smsForm: 'full', role })).id })
    receivers.push(
      { memberId: sharing.id },
      { phoneId: sharing.phoneId },
      { memberId: sharing.id, phoneId: owner.phoneId },
    )
    for (const [index, receiver] of receivers.entries()) {
      const dedupeKey = `foreign/${template}/${index}`
      const isAnswer = /^(reply|answer)\./.test(template)
      await createMessages(db.pool, [
        {
          programmeId: programme.id,
          purpose: isAnswer ? 'reply' : template.startsWith('reminder.') ? 'reminder' : 'receipt',
          template,
          lane: 'urgent',
          dedupeKey,
          notBefore: testNow,
          ...(rows[0] === undefined || isAnswer ? {} : { instalmentId: rows[0].id }),
          ...(isAnswer ? {} : { entryId: paid.id }),
          ...receiver,
        },
      ])
      const { rows: written } = await db.pool.query<{ id: string }>(
        'select id from messages where dedupe_key = $1',
        [dedupeKey],
      )
      const [decision] = await decide([written[0]?.id ?? ''], testNow)
      if (template.startsWith('reminder.due_')) expect(decision?.action).toBe('cancel')
      const text = decision?.action === 'send' ? decision.text : ''
      expect(text).not.toMatch(/7[\s.,]?1[\s.,]?7|1[\s.,]?3[\s.,]?1|2[\s.,]?1[\s.,]?3|404/)
    }
  },
)
