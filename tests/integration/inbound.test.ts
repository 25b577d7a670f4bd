import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { loadI18n } from '../../src/i18n.ts'
import { createLogger } from '../../src/logger.ts'
import { readConsents } from '../../src/members/consent.ts'
import { loadProgrammes } from '../../src/members/programmes.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createDecider } from '../../src/outbound/decision.ts'
import { createMessages } from '../../src/outbound/outbox.ts'
import { applyTransitions } from '../../src/outbound/transitions.ts'
import { createInbound, type Inbound } from '../../src/sms/inbound.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  createLoan,
  createMember,
  createProgramme,
  save,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'

let database: TestDatabase
let programme: TestProgramme
let member: TestMember
let inbound: Inbound
const clock = fixedClock(testNow)
const i18n = loadI18n('locales')
const logLines: string[] = []
const logger = createLogger('trace', {
  write(line: string) {
    logLines.push(line)
  },
})

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  inbound = createInbound({
    db: database.db,
    clock,
    logger,
    metrics: createMetrics(),
    i18n,
    programmes: await loadProgrammes(database.db),
  })
})
afterAll(() => database.drop())
beforeEach(async () => {
  clock.set(testNow)
  member = await createMember(database.db, programme)
})

let count = 0
function receive(text: string, from: string = member.msisdn, id?: string, to = '21384'): Promise<void> {
  count += 1
  return inbound.receive({ provider: 'africastalking', id: id ?? `in-${count}`, from, to, text })
}

interface Row {
  id: string
  template: string
  status: string
  reason: string | null
}

async function repliesTo(msisdn: string): Promise<Row[]> {
  const { rows } = await database.db.pool.query<Row>(
    `select m.* from messages m join phones p on p.id = m.phone_id
      where p.msisdn = $1 and m.purpose = 'reply' order by m.created_at, m.id`,
    [msisdn],
  )
  return rows
}

/** The texts that would leave now. */
async function textsTo(msisdn: string): Promise<string[]> {
  const decide = createDecider({ db: database.db, i18n })
  const decisions = await decide(
    (await repliesTo(msisdn)).map((row) => row.id),
    clock.now(),
  )
  return decisions.map((decision) => (decision.action === 'send' ? decision.text : decision.reason))
}

async function planReceipt(of: TestMember): Promise<string> {
  const dedupeKey = `receipt/test-${count}-${of.id}`
  await createMessages(database.db.pool, [
    {
      programmeId: programme.id,
      memberId: of.id,
      purpose: 'receipt',
      template: 'receipt.savings_deposit',
      lane: 'urgent',
      dedupeKey,
      notBefore: testNow,
    },
  ])
  const { rows } = await database.db.pool.query<{ id: string }>(
    'select id from messages where dedupe_key = $1',
    [dedupeKey],
  )
  return rows[0]?.id ?? ''
}

const messageOf = async (id: string) =>
  (await database.db.pool.query<Row>('select * from messages where id = $1', [id])).rows[0]

describe('a keyword', () => {
  test('asked five times by the provider with one id has one effect and one reply', async () => {
    await Promise.all(Array.from({ length: 5 }, () => receive('SOLDE', member.msisdn, `same-${member.id}`)))
    clock.advanceMs(400 * 24 * 3_600_000)
    await receive('SOLDE', member.msisdn, `same-${member.id}`)
    expect(await repliesTo(member.msisdn)).toHaveLength(1)
  })

  test('for the balance says only what to dial, unless she chose full texts and the phone is hers alone', async () => {
    const full = await createMember(database.db, programme, { smsForm: 'full', firstName: 'Binta' })
    const shared = await createMember(database.db, programme, { smsForm: 'full' })
    await createMember(database.db, programme, { phoneId: shared.phoneId })
    for (const one of [member, full, shared]) {
      await save(database.db, programme, one, 12_500)
      await createLoan(database.db, programme, one)
      await receive('solde', one.msisdn)
    }
    expect(await textsTo(member.msisdn)).toEqual(['FANSOTO: la réponse est sur *384*1#'])
    expect(await textsTo(shared.msisdn)).toEqual(['FANSOTO: la réponse est sur *384*1#'])
    expect(await textsTo(full.msisdn)).toEqual([
      'FANSOTO: Reste à payer: 31 500 F. Epargne: 12 500 F. Détails: *384*1#',
    ])
  })

  test('for the due date and the meeting answers from the ledger and the calendar', async () => {
    const full = await createMember(database.db, programme, { smsForm: 'full' })
    await receive('date', full.msisdn)
    await receive('ndaje', full.msisdn)
    expect(await textsTo(full.msisdn)).toEqual([
      "FANSOTO: pas d'échéance à venir. Détails: *384*1#",
      "FANSOTO: la prochaine réunion n'est pas encore fixée.",
    ])
    await createLoan(database.db, programme, full)
    await database.db.prisma.meeting.create({
      data: { groupId: programme.groupId, startsAt: new Date('2026-11-26T10:30:00Z'), place: 'Forêt' },
    })
    expect(await textsTo(full.msisdn)).toEqual([
      'FANSOTO: prochaine échéance mer 25 nov: 10 500 F. Détails: *384*1#',
      'FANSOTO: prochaine réunion jeu 26 nov à 10h30, Foret.',
    ])
    await database.db.prisma.meeting.deleteMany()
  })

  test('for the language lists them, and sets one for the phone and its only member', async () => {
    await receive('LANGUE')
    expect(await textsTo(member.msisdn)).toEqual([
      'FANSOTO: pour choisir, envoyez LANGUE et: fr (Francais), en (English), wo (Wolof)',
    ])
    await receive('langue Wolof')
    expect(await database.db.prisma.member.findUnique({ where: { id: member.id } })).toMatchObject({
      language: 'wo',
    })
    expect((await textsTo(member.msisdn)).at(-1)).toBe('FANSOTO: sa làkk: Wolof. Beneen làkk: yonnee LAKK.')
    await receive('LANGUAGE anglais')
    expect(await database.db.prisma.phone.findUnique({ where: { id: member.phoneId } })).toMatchObject({
      language: 'en',
    })
  })
})

describe('STOP', () => {
  test('suppresses what is already queued at once, and is confirmed once', async () => {
    const [created, queued] = [
      await planReceipt(member),
      await planReceipt(await createMember(database.db, programme)),
    ]
    await applyTransitions(database.db.pool, testNow, [{ messageId: created, source: 'relay', to: 'queued' }])
    await receive('Arrêt svp')
    expect(await messageOf(created)).toMatchObject({ status: 'suppressed', reason: 'opted_out' })
    expect(await messageOf(queued)).toMatchObject({ status: 'created' })
    expect(await textsTo(member.msisdn)).toEqual([
      "FANSOTO: c'est fait, nous n'envoyons plus de messages. Pour recommencer, envoyez START.",
    ])
  })

  test('holds for what is written later, and START undoes it', async () => {
    const decide = createDecider({ db: database.db, i18n })
    await receive('stop')
    const later = await planReceipt(member)
    expect(await decide([later], testNow)).toMatchObject([{ action: 'suppress', reason: 'opted_out' }])
    await receive('START')
    expect(await decide([later], testNow)).toMatchObject([{ action: 'send' }])
  })

  test('and START from somebody who was never asked is a yes to what serves her, and to no more', async () => {
    const unasked = await createMember(database.db, programme, { consents: [] })
    await receive('START', unasked.msisdn)
    expect((await readConsents(database.db.reads, unasked.id)).granted).toEqual({
      receipt: true,
      reminder: true,
      meeting: true,
      survey: false,
      promotion: false,
    })
  })

  test('counts even when the replies of the day are used up', async () => {
    for (let index = 0; index < 12; index += 1) await receive('solde')
    expect(await repliesTo(member.msisdn)).toHaveLength(10)
    await receive('STOP')
    expect(await repliesTo(member.msisdn)).toHaveLength(10)
    expect(
      (await database.db.prisma.phone.findUnique({ where: { id: member.phoneId } }))?.optedOutAt,
    ).toEqual(testNow)
  })

  test('from a number that we do not know is kept too', async () => {
    await receive('STOP', '+221781110001')
    expect(await repliesTo('+221781110001')).toMatchObject([{ template: 'reply.stopped' }])
  })

  test("by the network's own word stops the phone without a reply", async () => {
    const waiting = await planReceipt(member)
    await inbound.optOut({ provider: 'africastalking', senderId: 'FANSOTO', msisdn: member.msisdn })
    expect(await messageOf(waiting)).toMatchObject({ status: 'suppressed' })
    expect(await repliesTo(member.msisdn)).toEqual([])
    await inbound.optOut({ provider: 'africastalking', senderId: 'FANSOTO', msisdn: '+221781119999' })
    await inbound.optOut({ provider: 'africastalking', senderId: 'FANSOTO', msisdn: 'nobody' })
  })
})

describe('a text that is no keyword', () => {
  test('has one helpful reply a day at most', async () => {
    await Promise.all(['bonjour', 'comment ça va', '🙂', ''].map((text) => receive(text)))
    expect(await repliesTo(member.msisdn)).toMatchObject([{ template: 'reply.unknown' }])
    clock.advanceMs(24 * 3_600_000)
    await receive('bonjour')
    expect(await repliesTo(member.msisdn)).toHaveLength(2)
  })

  test('or any keyword from an unknown number has one kind reply a day that tells nothing', async () => {
    for (const text of ['SOLDE', 'bonjour', 'AIDE']) await receive(text, '+221781110002')
    expect(await textsTo('+221781110002')).toEqual([
      'FANSOTO: nous ne connaissons pas ce numéro. Appelez le +221338000000',
    ])
  })

  test.each(['FANSOTO', '21384', 'Wave', '1234'])(
    'from %s, which is no phone, is never answered',
    async (from) => {
      await receive('SOLDE', from)
      const { rows } = await database.db.pool.query(
        `select 1 from inbound_messages i join messages m on m.dedupe_key = 'reply/' || i.id where i.external_id = $1`,
        [`in-${count}`],
      )
      expect(rows).toEqual([])
    },
  )

  test('is neither kept nor logged', async () => {
    await receive('Zanzibar7391 mon code', member.msisdn, `secret-${member.id}`)
    const { rows } = await database.db.pool.query<{ all: string }>(
      `select coalesce(string_agg(i::text, ' '), '') || coalesce((select string_agg(m::text, ' ') from messages m), '') as all
         from inbound_messages i`,
    )
    expect(rows[0]?.all).not.toMatch(/zanzibar|(?<![\da-f-])7391(?![\da-f-])/i)
    expect(logLines.join('')).not.toMatch(/zanzibar|(?<![\da-f-])7391(?![\da-f-])/i)
    expect(logLines.join('')).not.toContain(member.msisdn)
  })
})

test('the programme is found by the shortcode, else by the number', async () => {
  const other = await createProgramme(database.db, {
    code: 'palmis',
    senderId: 'PALMIS',
    shortcode: '5555',
    serviceCode: '*385*1',
  })
  const both = createInbound({
    db: database.db,
    clock,
    logger,
    metrics: createMetrics(),
    i18n,
    programmes: await loadProgrammes(database.db),
  })
  const hers = await createMember(database.db, other)
  const sms = { provider: 'africastalking', from: hers.msisdn, text: 'SOLDE' }
  await both.receive({ ...sms, id: 'by-code', to: '5555' })
  await both.receive({ ...sms, id: 'by-number', to: 'unknown' })
  expect(await textsTo(hers.msisdn)).toEqual([
    'PALMIS: la réponse est sur *385*1#',
    'PALMIS: la réponse est sur *385*1#',
  ])
  // Two programmes and neither shortcode nor number known: nobody may guess.
  await both.receive({ ...sms, from: '+221781110003', id: 'nowhere', to: 'unknown' })
  expect(await repliesTo('+221781110003')).toEqual([])

  // Known to both: a question is nobody's, a STOP counts for both and is confirmed once.
  const twice = await createMember(database.db, programme)
  await createMember(database.db, other, { msisdn: twice.msisdn })
  await both.receive({ ...sms, from: twice.msisdn, id: 'whose', to: 'unknown' })
  expect(await repliesTo(twice.msisdn)).toEqual([])
  for (const id of ['stop-both', 'stop-both', 'stop-again'])
    await both.receive({ ...sms, from: twice.msisdn, text: 'STOP', id, to: 'unknown' })
  const { rows } = await database.db.pool.query<{ stopped: boolean }>(
    'select opted_out_at is not null as stopped from phones where msisdn = $1',
    [twice.msisdn],
  )
  expect(rows).toEqual([{ stopped: true }, { stopped: true }])
  expect(await repliesTo(twice.msisdn)).toMatchObject([
    { template: 'reply.stopped' },
    { template: 'reply.stopped' },
  ])
})

test.each(['Wave', '1234', 'FANSOTO'])(
  'an SMS from %s is remembered, and nobody is stopped or answered by it',
  async (from) => {
    await receive('STOP', from, `from-${from}`)
    const { rows } = await database.db.pool.query(
      'select phone_id, keyword from inbound_messages where external_id = $1',
      [`from-${from}`],
    )
    expect(rows).toEqual([{ phone_id: null, keyword: null }])
  },
)

describe('her word about the next meeting', () => {
  const meetings = async () => {
    const { rows } = await database.db.pool.query<{ id: string }>(
      `insert into meetings (group_id, starts_at, place)
       values ($1, '2026-11-24T10:00:00Z', 'Ziguinchor'), ($1, '2026-12-08T10:00:00Z', 'Ziguinchor') returning id`,
      [programme.groupId],
    )
    return rows.map(({ id }) => id)
  }
  const answers = async () =>
    (
      await database.db.pool.query(
        'select meeting_id as id, coming, channel from meeting_answers where member_id = $1',
        [member.id],
      )
    ).rows
  const lastReply = async () => {
    const { rows } = await database.db.pool.query<{ id: string }>(
      `select id from messages where phone_id = $1 and purpose = 'reply' order by created_at desc, id desc limit 1`,
      [member.phoneId],
    )
    const [decision] = await createDecider({ db: database.db, i18n })([rows[0]?.id ?? ''], testNow)
    return decision?.action === 'send' ? decision.text : decision?.reason
  }
  beforeEach(() => database.db.pool.query(`update meetings set status = 'cancelled'`))

  test('is kept for the next one of her group, the newest word counts, and the reply names the meeting', async () => {
    const [next] = await meetings()
    await receive('Je viens, merci')
    expect(await answers()).toEqual([{ id: next, coming: true, channel: 'sms' }])
    expect(await lastReply()).toBe("FANSOTO: c'est noté, vous venez à la réunion mar 24 nov à 10h00.")
    await receive('je ne viens pas')
    expect(await answers()).toEqual([{ id: next, coming: false, channel: 'sms' }])
    expect(await lastReply()).toBe("FANSOTO: c'est noté, vous ne venez pas à la réunion mar 24 nov.")
  })

  test('is not taken when no meeting is ahead, nor on a shared phone: she is told what to dial', async () => {
    await receive('je viens')
    expect(await lastReply()).toBe('FANSOTO: la réponse est sur *384*1#')
    await meetings()
    await createMember(database.db, programme, { phoneId: member.phoneId })
    await receive('je viens')
    expect(await answers()).toEqual([])
    expect(await lastReply()).toBe('FANSOTO: la réponse est sur *384*1#')
  })
})
