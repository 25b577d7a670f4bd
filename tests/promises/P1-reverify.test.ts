import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { createApiKey } from '../../src/http/keys.ts'
import { createPins } from '../../src/members/pin.ts'
import { loadProgrammes } from '../../src/members/programmes.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createDecider } from '../../src/outbound/decision.ts'
import { recordDeliveryReport } from '../../src/outbound/delivery-report.ts'
import { createMessages, type NewMessage } from '../../src/outbound/outbox.ts'
import { createDaily } from '../../src/privacy/daily.ts'
import { createInbound } from '../../src/sms/inbound.ts'
import { type ApiUnderTest, serveApi } from '../support/api.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import {
  createLoan,
  createMember,
  createProgramme,
  repay,
  type TestMember,
  type TestProgramme,
} from '../support/fixtures.ts'
import { showFigure } from '../support/promises.ts'
import { createUssdUnderTest, i18n, testPepper, testPin, type UssdUnderTest } from '../support/ussd.ts'

const start = new Date('2026-11-22T10:00:00Z')
const clock = fixedClock(start)
const metrics = createMetrics()
const facilitatorPhone = '+221771110001'

let database: TestDatabase
let programme: TestProgramme
let under: UssdUnderTest
let awa: TestMember
/** Shares Awa's phone. */
let fatou: TestMember
let president: TestMember
let otherPresident: TestMember
let stranger: TestMember
let api: ApiUnderTest
let key: string

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  programme = await createProgramme(db)
  const other = await createProgramme(db, { code: 'other', serviceCode: '*384*2', shortcode: '21385' })
  const group = await db.prisma.group.create({
    data: { programmeId: programme.id, code: 'G02', name: 'Autre', place: 'Bignona' },
  })
  president = await createMember(db, programme, { number: 'PRES', role: 'president' })
  otherPresident = await createMember(db, programme, {
    number: 'PRES2',
    role: 'president',
    groupId: group.id,
  })
  await createMember(db, programme, { number: 'PLAIN' })
  stranger = await createMember(db, other, { number: 'OTHER', msisdn: '+221770700001', smsForm: 'full' })
  await db.prisma.staff.createMany({
    data: [
      { msisdn: facilitatorPhone, role: 'facilitator' },
      { msisdn: '+221771110002', role: 'branch' },
      { msisdn: '+221771110003', role: 'auditor' },
    ].map((staff) => ({
      ...staff,
      programmeId: programme.id,
      firstName: 'S',
      lastName: 'B',
      language: 'fr',
    })),
  })
  // The facilitator is a member too, and an officer.
  await createMember(db, programme, { number: 'BOTH', role: 'treasurer', msisdn: facilitatorPhone })
  under = await createUssdUnderTest(database)
  key = await createApiKey(db, programme.id, 'office')
  api = await serveApi(db, clock)
})
afterAll(async () => {
  await api.close()
  await under.close()
  await database.drop()
})

let round = 0
beforeEach(async () => {
  round += 1
  clock.set(start)
  under.clock.set(start)
  const { db } = database
  const pins = createPins({ db, pepper: testPepper })
  awa = await createMember(db, programme, {
    number: `AWA${round}`,
    firstName: 'Aïssatou',
    alias: 'Aissatou',
    msisdn: `+22177070${String(round).padStart(4, '0')}`,
    smsForm: 'full',
  })
  await createLoan(db, programme, awa, { number: `L${round}`, dueDates: ['2026-11-25', '2026-12-25'] })
  await pins.set(awa.id, testPin, start)
  await db.pool.query('update phones set last_seen_at = $1', [start])
  await db.pool.query('update member_phones set reverify_since = null, reverify_reason = null')
  await db.pool.query("update phones set language = 'fr' where id = $1", [awa.phoneId])
  await db.pool.query('update members set created_at = $1', [start])
})

const call = async (method: string, path: string, body?: object) => {
  const { status, text } = await api.call(key, method, path, body, {
    'idempotency-key': `${clock.now().getTime()}-${callCount++}`,
  })
  return { status, body: JSON.parse(text) as Record<string, unknown> }
}
let callCount = 0
const confirmBy = (by: object, phone = awa.msisdn, member = awa) =>
  call('POST', `/members/${member.number}/confirmations`, { phone, by })
const facilitator = { staff: facilitatorPhone }
const officer = { officer: 'PRES' }

let dialCount = 0
/** Dials and types; gives the last screen. */
async function dial(msisdn: string, ...inputs: string[]): Promise<string> {
  const sessionId = `s${dialCount++}`
  let screen = ''
  for (let at = 0; at <= inputs.length; at += 1)
    screen = await under.ussd.answer({
      provider: 'africastalking',
      sessionId,
      msisdn,
      serviceCode: '*384*1#',
      text: inputs.slice(0, at).join('*'),
    })
  return screen
}

let messageCount = 0
async function write(member: TestMember, message: Partial<NewMessage> = {}): Promise<string> {
  const dedupeKey = `test/${messageCount++}`
  await createMessages(database.db.pool, [
    {
      programmeId: programme.id,
      memberId: member.id,
      purpose: 'receipt',
      template: 'receipt.loan_repayment',
      lane: 'urgent',
      dedupeKey,
      notBefore: clock.now(),
      ...message,
    },
  ])
  const { rows } = await database.db.pool.query<{ id: string }>(
    'select id from messages where dedupe_key = $1',
    [dedupeKey],
  )
  return rows[0]?.id ?? ''
}

async function decide(id: string) {
  const [decision] = await createDecider({ db: database.db, i18n })([id], clock.now())
  if (decision === undefined) throw new Error('nothing was decided')
  return decision
}

/** A message that was handed to the provider at `at`. */
async function submitted(member: TestMember, at: Date, status = 'submitted'): Promise<string> {
  const id = await write(member)
  await database.db.pool.query(
    `update messages set status = $4, provider = 'africastalking', provider_message_id = id::text, phone_id = $2,
       submitted_at = $3, updated_at = $3 where id = $1`,
    [id, member.phoneId, at, status],
  )
  return id
}

const report = (id: string, failureReason: string) =>
  recordDeliveryReport(
    database.db,
    clock,
    { provider: 'africastalking', providerMessageId: id, status: 'Failed', failureReason },
    metrics,
  )

async function stateOf(member: TestMember): Promise<string> {
  const { rows } = await database.db.pool.query<{ reason: string | null }>(
    'select reverify_reason as reason from member_phones where member_id = $1',
    [member.id],
  )
  return rows.map(({ reason }) => reason ?? 'bound').join()
}

const daily = () =>
  createDaily({
    db: database.db,
    clock,
    logger: silentLogger,
    metrics,
    keepDays: { texts: 90, callbacks: 30, dialogues: 7 },
  })
const days = (count: number) => new Date(start.getTime() + count * 86_400_000)

describe('a number is in doubt', () => {
  test.each(['UserDoesNotExist', 'NotNetworkSubcriber', 'NotNetworkSubscriber'])(
    'when a delivery report says %s, for everybody who shares it and in every programme that knows it',
    async (reason) => {
      fatou = await createMember(database.db, programme, { phoneId: awa.phoneId })
      await database.db.pool.query('update members set created_at = $1 where id = $2', [start, fatou.id])
      await database.db.pool.query(`update phones set msisdn = $1 where id = $2`, [
        awa.msisdn,
        stranger.phoneId,
      ])
      await report(await submitted(awa, start), reason)
      expect([await stateOf(awa), await stateOf(fatou), await stateOf(stranger)]).toEqual([
        'gone',
        'gone',
        'gone',
      ])
      await database.db.pool.query(
        'update member_phones set reverify_since = null, reverify_reason = null where member_id = $1',
        [stranger.id],
      )
      await database.db.pool.query(`update phones set msisdn = '+221770799999' where id = $1`, [
        stranger.phoneId,
      ])
    },
  )

  test.each(['DeliveryFailure', 'AbsentSubscriber', 'UserInBlackList', 'InsufficientCredit'])(
    'not when a report says %s',
    async (reason) => {
      await report(await submitted(awa, start), reason)
      expect(await stateOf(awa)).toBe('bound')
    },
  )

  test('when a report for a message that is not yet known is matched later', async () => {
    await report('early', 'UserDoesNotExist')
    expect(await stateOf(awa)).toBe('bound')
    const id = await submitted(awa, start)
    await database.db.pool.query("update messages set provider_message_id = 'early' where id = $1", [id])
    const { matchReports } = await import('../../src/outbound/delivery-report.ts')
    await matchReports({ db: database.db, clock })
    expect(await stateOf(awa)).toBe('gone')
  })

  test('after 90 days without a dialogue, an SMS or a delivery, and not a day before', async () => {
    await daily().runOnce(days(90))
    expect(await stateOf(awa)).toBe('bound')
    await daily().runOnce(days(91))
    expect(await stateOf(awa)).toBe('silent')
  })

  test('not while she dials, writes, or her messages are delivered', async () => {
    under.clock.set(days(60))
    await dial(awa.msisdn)
    await daily().runOnce(days(149))
    expect(await stateOf(awa)).toBe('bound')
    await submitted(awa, days(120), 'delivered')
    await daily().runOnce(days(209))
    expect(await stateOf(awa)).toBe('bound')
    await daily().runOnce(days(211))
    expect(await stateOf(awa)).toBe('silent')
  })

  test('never by silence where the programme says so', async () => {
    await database.db.pool.query('update programmes set silent_days = null')
    await daily().runOnce(days(4_000))
    expect(await stateOf(awa)).toBe('bound')
    await database.db.pool.query('update programmes set silent_days = 90')
  })

  test('when staff report it; the audit log says who', async () => {
    const told = await call('POST', `/members/${awa.number}/reverify`, {})
    expect(told.status).toBe(201)
    expect(told.body).toMatchObject({ phones: [{ state: 'reverify', reason: 'reported' }] })
    expect(JSON.stringify(told.body)).not.toContain(awa.msisdn)
    expect((await call('POST', `/members/${awa.number}/reverify`, {})).status).toBe(200)
    const { rows } = await database.db.pool.query(`select actor, action from audit_log where subject = $1`, [
      `member:${awa.id}`,
    ])
    expect(rows).toEqual([{ actor: 'api:office', action: 'phone.reverify' }])
  })
})

describe('while it is in doubt', () => {
  beforeEach(async () => {
    await call('POST', `/members/${awa.number}/reverify`, {})
  })

  test('the dialogue offers language and help, whatever is dialled; no name, no account, no PIN', async () => {
    const home = await dial(awa.msisdn)
    expect(home).toBe(
      'CON Bienvenue. Votre compte: votre animatrice.\n1 Langue\n2 Aide\n4 Téléphone perdu\n7 Vérifier un recu',
    )
    for (const inputs of [
      ['1'],
      ['2'],
      ['2', '0'],
      ['3'],
      ['4'],
      ['5'],
      ['1', '2'],
      ['1', testPin],
      [testPin],
      ['1*2*3'],
    ]) {
      const screen = await dial(awa.msisdn, ...inputs)
      expect(screen).not.toMatch(/ssatou|PIN|code PIN|\d F\b|prêt|Épargne|Ziguinchor|Jappo/i)
    }
    expect(await dial(awa.msisdn, '1', '2')).toContain('Language')
    // A deep dial leads no further.
    const deep = await under.ussd.answer({
      provider: 'africastalking',
      sessionId: `deep${round}`,
      msisdn: awa.msisdn,
      serviceCode: '*384*1#',
      text: `1*${testPin}`,
    })
    expect(deep).not.toMatch(/ssatou|Reste|Still/i)
    const { rows } = await database.db.pool.query('select tries from member_pins where member_id = $1', [
      awa.id,
    ])
    expect(rows).toEqual([{ tries: 0 }])
  })

  test('a dropped dialogue of hers is not offered to whoever dials now', async () => {
    await call('POST', `/members/${awa.number}/confirmations`, { phone: awa.msisdn, by: facilitator })
    await call('POST', `/members/${awa.number}/confirmations`, { phone: awa.msisdn, by: officer })
    await createPins({ db: database.db, pepper: testPepper }).set(awa.id, testPin, start)
    expect(await dial(awa.msisdn, '1', testPin)).toContain('Reste')
    await call('POST', `/members/${awa.number}/reverify`, {})
    expect(await dial(awa.msisdn)).toContain('1 Langue')
  })

  test('no SMS about her leaves: each is suppressed with the reason "reverify"', async () => {
    const { entry } = await createLoan(database.db, programme, awa, { dueDates: ['2026-11-25'] })
    const paid = await repay(database.db, programme, `L${round}`, 500)
    for (const message of [
      { entryId: paid.id },
      { template: 'loan.disbursed', entryId: entry?.id ?? '' },
      { purpose: 'meeting', template: 'notice.test' },
      { purpose: 'code', template: 'reply.help' },
      { purpose: 'notice', template: 'notice.test' },
    ] as Partial<NewMessage>[])
      expect(await decide(await write(awa, message))).toMatchObject({
        action: 'suppress',
        reason: 'reverify',
      })
  })

  test('what she asks by SMS is answered as to a stranger, and a late answer says what to dial', async () => {
    const { db } = database
    const inbound = createInbound({
      db,
      clock,
      logger: silentLogger,
      metrics,
      i18n,
      programmes: await loadProgrammes(db),
    })
    const id = `balance${round}`
    await inbound.receive({ provider: 'africastalking', id, from: awa.msisdn, to: '21384', text: 'SOLDE' })
    const { rows } = await db.pool.query<{ id: string; template: string; member_id: string | null }>(
      "select id, template, member_id from messages where phone_id = $1 and purpose = 'reply'",
      [awa.phoneId],
    )
    expect(rows).toMatchObject([{ template: 'reply.stranger_call', member_id: null }])
    const late = await write(awa, { purpose: 'reply', template: 'answer.loan', phoneId: awa.phoneId })
    const told = await decide(late)
    expect(told).toMatchObject({ action: 'send' })
    expect('text' in told ? told.text : '').not.toMatch(/ssatou|\d F\b/)
  })

  test('who shares the phone and was bound again sees herself alone', async () => {
    fatou = await createMember(database.db, programme, {
      phoneId: awa.phoneId,
      alias: 'Fatou',
      number: `FATOU${round}`,
    })
    const home = await dial(awa.msisdn)
    expect(home).toContain('1 Mon compte')
    expect(await dial(awa.msisdn, '1')).not.toMatch(/ssatou/)
  })
})

describe('it is hers again', () => {
  beforeEach(async () => {
    await call('POST', `/members/${awa.number}/reverify`, {})
  })

  test('when a facilitator and an officer of her group say so; her PIN is reset and messages leave', async () => {
    const first = await confirmBy(facilitator)
    expect(first).toMatchObject({
      status: 201,
      body: { state: 'waiting', until: '2026-11-23T10:00:00.000Z' },
    })
    expect(await stateOf(awa)).toBe('reported')
    expect(await confirmBy(officer)).toMatchObject({ status: 201, body: { state: 'bound', until: null } })
    expect(await stateOf(awa)).toBe('bound')
    const paid = await repay(database.db, programme, `L${round}`, 500)
    expect(await decide(await write(awa, { entryId: paid.id }))).toMatchObject({
      action: 'send',
      msisdn: awa.msisdn,
    })
    expect(await dial(awa.msisdn, '1')).toMatch(/nouveau|choisissez|4 à 6/i)
    const { rows } = await database.db.pool.query<{ action: string }>(
      'select action from audit_log where subject = $1 order by id',
      [`member:${awa.id}`],
    )
    expect(rows.map(({ action }) => action)).toEqual([
      'phone.reverify',
      'phone.confirmed',
      'phone.confirmed',
      'phone.rebound',
    ])
  })

  test('when the officer speaks first, or two members of staff do', async () => {
    await confirmBy(officer)
    expect(await confirmBy(facilitator)).toMatchObject({ body: { state: 'bound' } })
    await call('POST', `/members/${awa.number}/reverify`, {})
    await confirmBy({ staff: '+221771110002' })
    expect(await confirmBy(facilitator)).toMatchObject({ body: { state: 'bound' } })
  })

  test.each([
    ['one person twice', facilitator, facilitator, 409, 'confirmation.same_person'],
    ['one person in two roles', facilitator, { officer: 'BOTH' }, 409, 'confirmation.same_person'],
    ['an officer of another group', facilitator, { officer: 'PRES2' }, 422, 'confirmation.not_entitled'],
    ['a member who is no officer', facilitator, { officer: 'PLAIN' }, 422, 'confirmation.not_entitled'],
    ['an auditor', facilitator, { staff: '+221771110003' }, 422, 'confirmation.not_entitled'],
    ['somebody unknown', facilitator, { staff: '+221771119999' }, 422, 'confirmation.not_entitled'],
    [
      'an officer and the branch, without a facilitator',
      officer,
      { staff: '+221771110002' },
      409,
      'confirmation.facilitator_needed',
    ],
  ])('not by %s', async (_who, first, second, status, code) => {
    expect((await confirmBy(first)).status).toBe(201)
    expect(await confirmBy(second)).toMatchObject({ status, body: { code } })
    expect(await stateOf(awa)).toBe('reported')
  })

  test('not by herself as a member of staff, with the phone in doubt or a new one', async () => {
    const self = `+22177666${String(round).padStart(4, '0')}`
    for (const [own, msisdn] of [
      [awa.msisdn, awa.msisdn],
      [awa.msisdn, self],
      [self, self],
    ] as const) {
      const staff = await database.db.prisma.staff.create({
        data: {
          programmeId: programme.id,
          firstName: 'Awa',
          lastName: 'Diatta',
          msisdn: own,
          role: 'facilitator',
          language: 'fr',
        },
      })
      expect(await confirmBy({ staff: own }, msisdn)).toMatchObject({
        status: 422,
        body: { code: 'confirmation.not_entitled', field: 'by.staff' },
      })
      await database.db.prisma.staff.delete({ where: { id: staff.id } })
    }
    expect(await stateOf(awa)).toBe('reported')
  })

  test('not by herself, and not by two words a day apart', async () => {
    await database.db.pool.query("update members set role = 'president' where id = $1", [awa.id])
    await confirmBy(facilitator)
    expect(await confirmBy({ officer: awa.number })).toMatchObject({ status: 422 })
    clock.set(new Date(start.getTime() + 24 * 3_600_000))
    expect(await confirmBy(officer)).toMatchObject({ body: { state: 'waiting' } })
    expect(await stateOf(awa)).toBe('reported')
  })

  test('not by two first words at once from one person, but by two people at once', async () => {
    const [one, other] = await Promise.all([confirmBy(facilitator), confirmBy(facilitator)])
    expect([one.status, other.status].sort()).toEqual([201, 409])
    expect(await stateOf(awa)).toBe('reported')
    await Promise.all([confirmBy(officer), confirmBy(officer)])
    expect(await stateOf(awa)).toBe('bound')
  })

  test('on a new number, which takes the place of the old one', async () => {
    const fresh = `+22178070${String(round).padStart(4, '0')}`
    await confirmBy(facilitator, fresh)
    expect(await confirmBy(officer, fresh)).toMatchObject({ body: { state: 'bound' } })
    const paid = await repay(database.db, programme, `L${round}`, 500)
    expect(await decide(await write(awa, { entryId: paid.id }))).toMatchObject({
      action: 'send',
      msisdn: fresh,
    })
    expect(await dial(awa.msisdn)).not.toContain('Mon compte')
    // An answer that still waits for the old number says nothing about her.
    const late = await write(awa, { purpose: 'reply', template: 'answer.loan', phoneId: awa.phoneId })
    const told = await decide(late)
    expect('text' in told ? told.text : '').not.toMatch(/ssatou|\d F\b/)
  })

  test('and a report about what was sent before does not undo it', async () => {
    const before = await submitted(awa, start)
    clock.set(new Date(start.getTime() + 60_000))
    await confirmBy(facilitator)
    await confirmBy(officer)
    await report(before, 'UserDoesNotExist')
    expect(await stateOf(awa)).toBe('bound')
    await report(await submitted(awa, new Date(start.getTime() + 120_000)), 'UserDoesNotExist')
    expect(await stateOf(awa)).toBe('gone')
  })

  test('a phone beyond doubt needs nobody, and another programme knows nothing of her', async () => {
    expect(await confirmBy(facilitator, president.msisdn, president)).toMatchObject({
      status: 409,
      body: { code: 'confirmation.not_needed' },
    })
    expect((await confirmBy(facilitator, stranger.msisdn, stranger)).status).toBe(404)
    expect((await call('GET', `/members/${stranger.number}/phones`)).status).toBe(404)
    expect((await call('GET', `/members/${otherPresident.number}/phones`)).body).toMatchObject({
      phones: [{ state: 'bound', since: null, reason: null }],
    })
    showFigure(
      'P1',
      '3 network words, silence and reports put a number in doubt; 9 ways to bind it with less than two fit people refused',
    )
  })
})
