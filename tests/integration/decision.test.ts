import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { measureSms } from '../../src/encoding.ts'
import { loadI18n } from '../../src/i18n.ts'
import { reverseEntry } from '../../src/ledger/entries.ts'
import { recordWords } from '../../src/members/consent.ts'
import { createDecider, type Decision } from '../../src/outbound/decision.ts'
import { createMessages, type NewMessage } from '../../src/outbound/outbox.ts'
import { applyTransitions } from '../../src/outbound/transitions.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
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

let database: TestDatabase
let programme: TestProgramme
let member: TestMember
let full: TestMember
const i18n = loadI18n('locales')

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  const facilitator = await database.db.prisma.staff.create({
    data: {
      programmeId: programme.id,
      firstName: 'Khady',
      lastName: 'Sow',
      msisdn: '+221770001111',
      role: 'facilitator',
      language: 'fr',
    },
  })
  await database.db.prisma.group.updateMany({ data: { facilitatorId: facilitator.id } })
})
afterAll(() => database.drop())
beforeEach(async () => {
  member = await createMember(database.db, programme, { firstName: 'Aminata' })
  full = await createMember(database.db, programme, { firstName: 'Aminata', smsForm: 'full' })
})

const decide = (ids: readonly string[], now: Date = testNow): Promise<Decision[]> =>
  createDecider({ db: database.db, i18n })(ids, now)

let count = 0
async function write(of: TestMember, message: Partial<NewMessage>): Promise<string> {
  count += 1
  const dedupeKey = `test/${count}`
  await createMessages(database.db.pool, [
    {
      programmeId: programme.id,
      memberId: of.id,
      purpose: 'receipt',
      template: 'receipt.loan_repayment',
      lane: 'urgent',
      dedupeKey,
      notBefore: testNow,
      ...message,
    },
  ])
  const { rows } = await database.db.pool.query<{ id: string }>(
    'select id from messages where dedupe_key = $1',
    [dedupeKey],
  )
  return rows[0]?.id ?? ''
}

/** What leaves for each of these, or why it does not. */
async function textsOf(...ids: string[]): Promise<string[]> {
  return (await decide(ids)).map((decision) => (decision.action === 'send' ? decision.text : decision.reason))
}

const instalmentsOf = async (number: string) =>
  database.db.prisma.instalment.findMany({ where: { loan: { number } }, orderBy: { number: 'asc' } })

const reminder = (instalmentId: string | undefined, dueDate: string): Partial<NewMessage> => ({
  purpose: 'reminder',
  template: 'reminder.due_soon',
  lane: 'planned',
  params: { dueDate },
  ...(instalmentId === undefined ? {} : { instalmentId }),
})

describe('a receipt', () => {
  test('is discreet unless she chose otherwise, and then states what the ledger says at sending', async () => {
    const ids: string[] = []
    for (const one of [member, full]) {
      const loan = await createLoan(database.db, programme, one)
      const entry = await repay(database.db, programme, loan.number, 10_500)
      ids.push(await write(one, { entryId: entry.id }))
      // Posted after the message was written, before it is sent.
      await repay(database.db, programme, loan.number, 500)
    }
    expect(await textsOf(...ids)).toEqual([
      'FANSOTO: du nouveau. Faites *384*1#',
      'FANSOTO: Aminata, nous avons reçu 10 500 F le dim 22 nov. Reste à payer: 20 500 F. Merci.'.replace(
        'ç',
        'c',
      ),
    ])
  })

  test('of the last payment says that the loan is paid', async () => {
    const loan = await createLoan(database.db, programme, full)
    const entry = await repay(database.db, programme, loan.number, 31_500)
    expect(await textsOf(await write(full, { entryId: entry.id }))).toEqual([
      'FANSOTO: Aminata, nous avons recu 31 500 F le dim 22 nov. Votre prêt est payé en entier. Merci.'.replace(
        'ê',
        'e',
      ),
    ])
  })

  test('of savings in and out states the balance of the book', async () => {
    const deposit = await save(database.db, programme, full, 5_000)
    const withdrawal = await save(database.db, programme, full, -2_000)
    const ids = [
      await write(full, { template: 'receipt.savings_deposit', entryId: deposit.id }),
      await write(full, { template: 'receipt.savings_withdrawal', entryId: withdrawal.id }),
    ]
    expect(await textsOf(...ids)).toEqual([
      'FANSOTO: Aminata, dépôt de 5 000 F recu le dim 22 nov. Votre épargne: 3 000 F. Merci.'.replace(
        'ô',
        'o',
      ),
      'FANSOTO: Aminata, retrait de 2 000 F le dim 22 nov. Votre épargne: 3 000 F.',
    ])
  })

  test('of a loan paid out states the principal and the first due date', async () => {
    const loan = await createLoan(database.db, programme, full, { disbursedDate: testToday })
    const id = await write(full, { template: 'loan.disbursed', entryId: loan.entry?.id ?? '' })
    expect(await textsOf(id)).toEqual([
      'FANSOTO: Aminata, votre pret de 30 000 F est versé. Première échéance: mer 25 nov, 10 500 F.',
    ])
  })

  test('whose entry was reversed is cancelled, and the correction speaks the language of the receipt', async () => {
    const reference = `wrong/${full.number}`
    const wrong = await save(database.db, programme, full, 5_000, { reference })
    const receiptId = await write(full, { template: 'receipt.savings_deposit', entryId: wrong.id })
    for (const [source, to] of [
      ['relay', 'queued'],
      ['sender', 'claimed'],
      ['sender', 'submitting'],
    ] as const)
      await applyTransitions(database.db.pool, testNow, [
        { messageId: receiptId, source, to, set: { language: 'en' } },
      ])
    const reversal = await database.db.transaction((tx) =>
      reverseEntry(tx, programme.id, 'test', {
        reference: `undo/${reference}`,
        reverses: reference,
        bookedDate: testToday,
      }),
    )
    const correction = await write(full, {
      template: 'correction.entry',
      entryId: reversal.id,
      correctsId: receiptId,
    })
    expect(await textsOf(receiptId, correction)).toEqual([
      'reversed',
      'FANSOTO: Aminata, the 5 000 F of Sun 22 Nov is cancelled. Savings: 0 F. Sorry for the mistake.',
    ])
  })
})

/** What a program with its own plan posts: a share of the loan, by plain SQL. */
async function payOutPart(number: string, cash: number, charged: number): Promise<string> {
  const { rows } = await database.db.pool.query<{ id: string }>(
    `with posted as (
       insert into entries (programme_id, reference, kind, booked_date)
       values ($1, $2, 'loan_disbursement', $3) returning id)
     , moved as (
       insert into postings (entry_id, account_id, amount)
       select posted.id, a.id, t.amount
         from posted, unnest($4::text[], $5::numeric[]) as t (code, amount)
         join accounts a on a.code = t.code and a.programme_id = $1)
     select id from posted`,
    [
      programme.id,
      `tranche/${number}/${cash}/${charged}`,
      testToday,
      [`loan/${number}`, 'cash', 'interest'],
      [charged, -cash, cash - charged],
    ],
  )
  return rows[0]?.id ?? ''
}

test('an answer to a phone speaks the language of its only member, and of the programme when several share it', async () => {
  const mary = await createMember(database.db, programme, { language: 'en' })
  const ask = { purpose: 'reply' as const, template: 'reply.stopped', phoneId: mary.phoneId }
  const writeToPhone = async () => {
    count += 1
    const dedupeKey = `phone/${count}`
    await createMessages(database.db.pool, [
      { programmeId: programme.id, ...ask, lane: 'urgent', dedupeKey, notBefore: testNow },
    ])
    const { rows } = await database.db.pool.query<{ id: string }>(
      'select id from messages where dedupe_key = $1',
      [dedupeKey],
    )
    return rows[0]?.id ?? ''
  }
  const languageOf = async () => {
    const [decision] = await decide([await writeToPhone()])
    return decision?.action === 'send' ? decision.language : decision?.reason
  }
  expect(await languageOf()).toBe('en')
  await database.db.prisma.memberPhone.create({
    data: { memberId: full.id, phoneId: mary.phoneId, isPrimary: false },
  })
  expect(await languageOf()).toBe('fr')
})

test('a loan paid out in parts tells each part as what it was, and so does the correction of one', async () => {
  const loan = await createLoan(database.db, programme, full, { disburse: false })
  const first = await payOutPart(loan.number, 10_000, 10_500)
  const second = await payOutPart(loan.number, 20_000, 21_000)
  const reversal = await database.db.transaction((tx) =>
    reverseEntry(tx, programme.id, 'test', {
      reference: `undo/${loan.number}`,
      reverses: `tranche/${loan.number}/20000/21000`,
      bookedDate: testToday,
    }),
  )
  const told = (entryId: string) => write(full, { template: 'loan.disbursed', entryId })
  const ids = [
    await told(first),
    await write(full, {
      template: 'correction.entry',
      entryId: reversal.id,
      params: { corrected: 'loan.disbursed' },
    }),
  ]
  expect(await textsOf(...ids)).toEqual([
    'FANSOTO: Aminata, une partie de votre pret est versée: 10 000 F. Détails: *384*1#',
    expect.stringContaining("l'opération de 20 000 F du dim 22 nov est annulée. Reste à payer: 10 500 F."),
  ])
  expect(await textsOf(await told(second))).toEqual(['reversed'])
})

test('a full text about money stays discreet on a phone that she shares, whatever it is about', async () => {
  const sharing = await createMember(database.db, programme, { firstName: 'Sira', smsForm: 'full' })
  const loan = await createLoan(database.db, programme, sharing, { disbursedDate: testToday, cycle: 2 })
  const payment = await repay(database.db, programme, loan.number, 500)
  const saving = await save(database.db, programme, sharing, 700)
  const meeting = await database.db.prisma.meeting.create({
    data: { groupId: programme.groupId, startsAt: new Date('2026-11-26T10:30:00Z'), place: 'Forêt' },
  })
  const [instalment] = await instalmentsOf(loan.number)
  const ids = [
    await write(sharing, { template: 'loan.disbursed', entryId: loan.entry?.id ?? '' }),
    await write(sharing, { entryId: payment.id }),
    await write(sharing, { template: 'receipt.savings_deposit', entryId: saving.id }),
    await write(sharing, reminder(instalment?.id, '2026-11-25')),
    await write(sharing, { purpose: 'reply', template: 'answer.loan' }),
    await write(sharing, { purpose: 'reply', template: 'reply.balance' }),
    await write(sharing, { purpose: 'meeting', template: 'reminder.meeting', meetingId: meeting.id }),
  ]
  const alone = await textsOf(...ids)
  for (const text of alone) expect(text).toMatch(/ F\b|Foret/)
  await createMember(database.db, programme, { phoneId: sharing.phoneId })
  const shared = await textsOf(...ids)
  for (const text of shared) {
    expect(text).toContain('*384*1#')
    expect(text).not.toMatch(/Sira| F\b|Foret|Khady/)
  }
  await database.db.prisma.meeting.deleteMany()
})

test('a loan whose paying out is undone takes back the amount that was told, without interest and fees', async () => {
  const loan = await createLoan(database.db, programme, full, { disbursedDate: testToday })
  const reversal = await database.db.transaction((tx) =>
    reverseEntry(tx, programme.id, 'test', {
      reference: `undo/${loan.number}`,
      reverses: `disbursement/${loan.number}`,
      bookedDate: testToday,
    }),
  )
  const correction = await write(full, {
    template: 'correction.entry',
    entryId: reversal.id,
    params: { corrected: 'loan.disbursed' },
  })
  const [text] = await textsOf(correction)
  expect(text).toContain('30 000 F')
  expect(text).not.toContain('31 500')
})

describe('a reminder', () => {
  test('paid since it was planned is cancelled, never sent', async () => {
    const loan = await createLoan(database.db, programme, member)
    const [first, second] = await instalmentsOf(loan.number)
    const ids = [
      await write(member, reminder(first?.id, '2026-11-25')),
      await write(member, reminder(second?.id, '2026-12-25')),
    ]
    expect((await decide(ids)).map(({ action }) => action)).toEqual(['send', 'send'])
    await repay(database.db, programme, loan.number, 10_500)
    expect(await textsOf(...ids)).toEqual(['paid', 'FANSOTO: un rappel pour vous. Faites *384*1#'])
  })

  test('is signed by the facilitator from the second loan on', async () => {
    const [first, second] = [
      await createLoan(database.db, programme, full, { cycle: 1 }),
      await createLoan(database.db, programme, full, { cycle: 2 }),
    ]
    await repay(database.db, programme, second.number, 500)
    const ids = await Promise.all(
      [first, second].map(async ({ number }) =>
        write(full, reminder((await instalmentsOf(number))[0]?.id, '2026-11-25')),
      ),
    )
    expect(await textsOf(...ids)).toEqual([
      'FANSOTO: Aminata, votre échéance du mer 25 nov approche: 10 500 F. Merci.',
      'FANSOTO: Aminata, votre échéance du mer 25 nov approche: 10 000 F. Merci. Khady',
    ])
  })

  test('is suppressed when she refused reminders, and her receipts still go', async () => {
    const loan = await createLoan(database.db, programme, member)
    const entry = await repay(database.db, programme, loan.number, 100)
    const [first] = await instalmentsOf(loan.number)
    await recordWords(database.db.pool, [
      { ...sayingAt(testNow), memberId: member.id, purpose: 'reminder', granted: false },
    ])
    const ids = [
      await write(member, reminder(first?.id, '2026-11-25')),
      await write(member, { entryId: entry.id }),
    ]
    expect(await textsOf(...ids)).toEqual(['no_consent', 'FANSOTO: du nouveau. Faites *384*1#'])
  })
})

describe('the daily cap', () => {
  test('lets two planned messages leave a local day, counting what left, what is on its way and the batch itself', async () => {
    const loan = await createLoan(database.db, programme, member)
    const [first] = await instalmentsOf(loan.number)
    const ids = await Promise.all([1, 2, 3].map(() => write(member, reminder(first?.id, '2026-11-25'))))
    const capped = { action: 'defer', reason: 'daily_cap', notBefore: new Date('2026-11-23T08:00:00Z') }
    expect(await decide(ids)).toMatchObject([{ action: 'send' }, { action: 'send' }, capped])

    const [one = '', two = '', three = ''] = ids
    for (const [source, to] of [
      ['relay', 'queued'],
      ['sender', 'claimed'],
      ['sender', 'submitting'],
    ] as const)
      await applyTransitions(
        database.db.pool,
        testNow,
        [one, two].map((messageId) => ({ messageId, source, to })),
      )
    expect(await decide([three])).toMatchObject([capped])
    await applyTransitions(
      database.db.pool,
      testNow,
      [one, two].map((messageId) => ({ messageId, source: 'sender', to: 'submitted' })),
    )
    expect(await decide([three])).toMatchObject([capped])
    expect(await decide([three], new Date('2026-11-23T08:00:00Z'))).toMatchObject([{ action: 'send' }])
  })

  test('six leave in seven local days, the present one included; the first of them makes room on the eighth', async () => {
    const weekly = await createMember(database.db, programme, { firstName: 'Ndella' })
    const loan = await createLoan(database.db, programme, weekly, { dueDates: ['2026-12-20'] })
    const [first] = await instalmentsOf(loan.number)
    const ids = await Promise.all(
      Array.from({ length: 7 }, () => write(weekly, reminder(first?.id, '2026-12-20'))),
    )
    const seventh = ids[6] ?? ''
    const path = [
      ['relay', 'queued'],
      ['sender', 'claimed'],
      ['sender', 'submitting'],
      ['sender', 'submitted'],
    ] as const
    // Sunday the 22nd to Tuesday the 24th, two a day.
    for (const [index, messageId] of ids.slice(0, 6).entries())
      for (const [source, to] of path)
        await applyTransitions(
          database.db.pool,
          new Date(`2026-11-${22 + Math.floor(index / 2)}T10:00:00Z`),
          [{ messageId, source, to }],
        )
    const capped = { action: 'defer', reason: 'weekly_cap' }
    expect(await decide([seventh], new Date('2026-11-25T08:00:00Z'))).toMatchObject([capped])
    expect(await decide([seventh], new Date('2026-11-28T19:59:00Z'))).toMatchObject([capped])
    expect(await decide([seventh], new Date('2026-11-29T08:00:00Z'))).toMatchObject([{ action: 'send' }])
  })
})

describe('the receiver and the language', () => {
  test('are looked up at the moment of sending', async () => {
    const id = await write(member, { template: 'receipt.savings_deposit' })
    const { prisma } = database.db
    await prisma.member.update({ where: { id: member.id }, data: { language: 'wo' } })
    const phone = await prisma.phone.create({ data: { programmeId: programme.id, msisdn: '+221781230000' } })
    await prisma.memberPhone.update({
      where: { memberId_phoneId: { memberId: member.id, phoneId: member.phoneId } },
      data: { isPrimary: false },
    })
    expect(await textsOf(id)).toEqual(['no_phone'])
    await prisma.memberPhone.create({ data: { memberId: member.id, phoneId: phone.id } })
    expect(await decide([id])).toEqual([
      {
        messageId: id,
        action: 'send',
        phoneId: phone.id,
        msisdn: '+221781230000',
        senderId: 'FANSOTO',
        language: 'wo',
        text: 'FANSOTO: sa xibaar. Tape: *384*1#',
        segments: 1,
        factsAt: testNow,
        factsSnapshot: expect.stringMatching(/^\d+:\d+:/),
      },
    ])
  })

  test('fall back to the phone and to the programme', async () => {
    const silent = await createMember(database.db, programme, { language: null })
    const id = await write(silent, { template: 'receipt.savings_deposit' })
    expect(await decide([id])).toMatchObject([{ language: 'fr' }])
    await database.db.prisma.phone.update({ where: { id: silent.phoneId }, data: { language: 'en' } })
    expect(await decide([id])).toMatchObject([{ language: 'en' }])
  })

  test('a name that GSM-7 cannot spell does not triple the price', async () => {
    const foreign = await createMember(database.db, programme, { firstName: 'Şükrân Ọlá', smsForm: 'full' })
    const entry = await save(database.db, programme, foreign, 5_000)
    const id = await write(foreign, { template: 'receipt.savings_deposit', entryId: entry.id })
    const [text = ''] = await textsOf(id)
    expect(text).toContain('Sükran Ola')
    expect(measureSms(text)).toMatchObject({ encoding: 'gsm7', segments: 1 })
  })
})

describe('a late answer', () => {
  test('is discreet, or states what the ledger says when it is sent', async () => {
    const answer = (name: string): Partial<NewMessage> => ({ purpose: 'reply', template: `answer.${name}` })
    const loan = await createLoan(database.db, programme, full)
    await repay(database.db, programme, loan.number, 500)
    await save(database.db, programme, full, 1_200)
    const ids = [await write(member, answer('loan'))]
    for (const name of ['loan', 'schedule', 'savings', 'movements', 'meeting', 'training'])
      ids.push(await write(full, answer(name)))
    const [discreet, loanText, schedule, savings, movements, meeting, training] = await textsOf(...ids)
    expect(discreet).toBe('FANSOTO: votre réponse est prete. Faites *384*1#')
    expect(loanText).toBe(
      'FANSOTO: reste à payer 31 000 F. Prochaine échéance mer 25 nov: 10 000 F. Détails: *384*1#',
    )
    expect(schedule).toBe('FANSOTO: 25/11: 10 000 F, 25/12: 10 500 F, 24/01: 10 500 F. Détails: *384*1#')
    expect(savings).toBe('FANSOTO: votre épargne 1 200 F. Détails: *384*1#')
    expect(movements).toMatch(/^FANSOTO: 22\/11 (payé 500 F|depot 1 200 F|dépot 1 200 F), 22\/11 /)
    expect(meeting).toBe("FANSOTO: la prochaine réunion n'est pas encore fixée.")
    expect(training).toBe("FANSOTO: la prochaine formation n'est pas encore fixée.")
  })
})

test('two loans due on one day are told as one sum', async () => {
  await createLoan(database.db, programme, full)
  await createLoan(database.db, programme, full, {
    product: 'emergency',
    principalEach: 4_000,
    interestEach: 0,
  })
  const due = await write(full, { purpose: 'reply', template: 'answer.loan' })
  expect(await textsOf(due)).toEqual([
    'FANSOTO: reste à payer 43 500 F. Prochaine échéance mer 25 nov: 14 500 F. Détails: *384*1#',
  ])
})

test('a movement that was taken back is called so in a late answer, and no amount wears a sign', async () => {
  await save(database.db, programme, full, 5_000, { bookedDate: '2026-11-20' })
  await save(database.db, programme, full, -700, { bookedDate: '2026-11-21' })
  const reference = `mistake/${full.number}`
  await save(database.db, programme, full, 900, { reference })
  await database.db.transaction((tx) =>
    reverseEntry(tx, programme.id, 'test', {
      reference: `undo/${reference}`,
      reverses: reference,
      bookedDate: testToday,
    }),
  )
  const movements = await write(full, { purpose: 'reply', template: 'answer.movements' })
  expect(await textsOf(movements)).toEqual([
    'FANSOTO: 22/11 annulé 900 F, 21/11 retrait 700 F, 20/11 dépot 5 000 F. Détails: *384*1#',
  ])
})

test('one query decides a batch in its order, an unknown template sinks nobody, an unknown id is left out', async () => {
  const good = await write(member, { template: 'receipt.savings_deposit' })
  const bad = await write(member, { template: 'no.such_text' })
  const late = await write(member, { template: 'receipt.savings_deposit', expiresAt: testNow })
  expect(await decide([bad, '0198a000-0000-7000-8000-000000000000', late, good])).toMatchObject([
    { messageId: bad, action: 'fail', reason: 'template_unknown' },
    { messageId: late, action: 'expire', reason: 'expired' },
    { messageId: good, action: 'send' },
  ])
})
