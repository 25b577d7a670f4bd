// What we count is what the provider bills: segment by segment and franc by franc, in every alphabet, with the network's tail on the
// first message to each number, whichever of several that is.
import { Decimal } from 'decimal.js'
import calculator from 'sms-segments-calculator'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { loadI18n } from '../../src/i18n.ts'
import { readCost } from '../../src/outbound/cost.ts'
import { recordDeliveryReport } from '../../src/outbound/delivery-report.ts'
import { createMessages, type NewMessage } from '../../src/outbound/outbox.ts'
import { createEmulator, type Emulator } from '../../src/simulator/emulator.ts'
import { createRandom, pickOne } from '../../src/simulator/random.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import {
  createMember,
  createProgramme,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { runTama } from '../support/tama.ts'
import { startTelling, type TellingHouse } from '../support/told.ts'

const messages = atScale(900, 10_000)
const people = atScale(250, 3_000)
const tail = '\nSTOP *456*9*5#'
const price = '12.5'
const clock = fixedClock(testNow)
const period = { from: new Date('2026-11-22T00:00:00Z'), until: new Date('2026-12-22T00:00:00Z') }
const random = createRandom(18)

const alphabets = ['abcdefgh ', 'éèùàòñäöü', 'ŋëñóẽ', '{}[]~€', 'مركز القرية', 'Дом', '村の家', '😀🎉']
const templates = [
  'reminder.meeting',
  'reply.meeting',
  'reply.help',
  'reply.stranger_call',
  'reply.language_set',
  'reply.unknown',
]

let database: TestDatabase
let programme: TestProgramme
let emulator: Emulator
let house: TellingHouse
const members: TestMember[] = []
/** Whose first message is taken by the provider, but the answer is lost. */
const doubtful: TestMember[] = []
const meetings: string[] = []

const one = <Value>(values: readonly Value[]): Value => pickOne(random, values)

/** Any length around the edges of one, two and three segments, mostly in one alphabet. */
function anyPlace(): string {
  const signs = [...one(alphabets)]
  return Array.from({ length: random.between(1, 200) }, () =>
    random.chance(0.01) ? one([...one(alphabets)]) : one(signs),
  ).join('')
}

beforeAll(async () => {
  database = await createTestDatabase()
  const { prisma } = database.db
  programme = await createProgramme(database.db)
  await prisma.programme.updateMany({
    data: {
      optOutTail: tail,
      segmentPrice: price,
      segmentCurrency: 'XOF',
      segmentsMinuteMax: 1_000_000,
      segmentsDayMax: 9_000_000,
      dailyCap: 1_000_000,
      weeklyCap: 1_000_000,
    },
  })
  const groups = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      prisma.group.create({
        data: { programmeId: programme.id, code: `P${index}`, name: `Sunu ${index}`, place: 'Bignona' },
      }),
    ),
  )
  for (const { id: groupId } of groups) {
    const startsAt = new Date(testNow.getTime() + random.between(1, 60) * 3_600_000)
    meetings.push((await prisma.meeting.create({ data: { groupId, startsAt, place: anyPlace() } })).id)
  }
  for (let index = 0; index < people; index++)
    (index < 4 ? doubtful : members).push(
      await createMember(database.db, programme, {
        groupId: one(groups).id,
        firstName: one(['Awa', 'Ndèye', 'Şükran', 'Ñaaŋo', 'عائشة', 'Marie-Madeleine de la Croix']),
        language: one(['fr', 'en', 'wo']),
        smsForm: one(['full', 'full', 'discreet']),
        savings: false,
      }),
    )
  emulator = createEmulator({
    clock,
    logger: silentLogger,
    username: 'sandbox',
    apiKey: 'key',
    seed: 18,
    currency: 'XOF',
    segmentCost: price,
    balance: '1000000000',
    optOutTail: tail,
    phonesMax: people,
  })
  const providerUrl = await emulator.listen(0)
  house = await startTelling(database, programme, loadI18n('locales'), clock, { providerUrl, lookMs: 20 })
}, 300_000)

afterAll(async () => {
  await house.stop()
  await emulator.close()
  await database.drop()
})

let written = 0

/** Replies to the phone that asked, and notices that name no phone yet. */
function messageTo(member: TestMember): NewMessage {
  written += 1
  const template = one(templates)
  const isNotice = template === 'reminder.meeting'
  return {
    programmeId: programme.id,
    memberId: member.id,
    ...(isNotice
      ? { purpose: 'notice', meetingId: one(meetings) }
      : { purpose: 'reply', phoneId: member.phoneId }),
    template,
    lane: one(['urgent', 'planned', 'bulk'] as const),
    dedupeKey: `cost/${written}`,
    notBefore: clock.now(),
  }
}

async function send(batch: NewMessage[]): Promise<void> {
  await createMessages(database.db.pool, batch)
  await settle()
}

/** Several to one phone at once too: only one of them is the first. */
const some = (count: number) => Array.from({ length: count }, () => messageTo(one(members)))
const cost = () => readCost(database.db.pool, programme.id, period)

/** Until nothing waits: those behind a first message, and those that the provider could not take, too. */
async function settle(): Promise<void> {
  for (;;) {
    await house.settled()
    const { rows } = await database.db.pool.query<{ next: Date | null }>(
      'select min(not_before) as next from messages where stage = 0',
    )
    const next = rows[0]?.next
    if (next === null || next === undefined) return
    if (next > clock.now()) clock.set(next)
  }
}

const amountOf = (price: string | undefined) => new Decimal((price ?? '').replace('XOF ', ''))

test('segments and cost as counted are those of the bill', async () => {
  const refused = members.filter(() => random.chance(0.1)).map(({ msisdn }) => msisdn)
  // The first of these never arrive, so a later one is the first.
  emulator.setFaults({
    recipients: Object.fromEntries(refused.map((msisdn) => [msisdn, one([403, 406, 407])])),
  })
  const third = Math.floor(messages / 3)
  await send(some(third))
  emulator.setFaults({})
  await send(some(third))

  // Taken, but the answer is lost: it bears the tail, whatever becomes of it here.
  emulator.setFaults({ outage: 'error_500', outageAfterAccept: true })
  await send(doubtful.map(messageTo))
  emulator.setFaults({})
  expect((await cost()).unknown).toBe(doubtful.length)
  await send(doubtful.map(messageTo))
  await send(some(messages - 2 * third - 2 * doubtful.length))
  const firsts = doubtful.map(({ msisdn }) => ({
    msisdn,
    first: emulator.inbox(msisdn).find(({ text }) => text.endsWith(tail)),
  }))
  for (const { msisdn, first } of firsts)
    await recordDeliveryReport(database.db, clock, {
      provider: 'africastalking',
      providerMessageId: first?.id ?? '',
      status: 'Success',
      msisdn,
    })

  const bill = emulator.bill()
  const { purposes, total, differing, unknown } = await cost()
  expect({ differing, unknown }).toEqual({ differing: { count: 0, ids: [] }, unknown: 0 })
  expect({ messages: total.messages, segments: total.segments }).toEqual({
    messages: bill.messages,
    segments: bill.segments,
  })
  expect(new Decimal(total.estimated ?? 0).toFixed(4)).toBe(bill.total)
  // Their bill never came with an answer.
  expect(total.unbilled).toBe(doubtful.length)
  const unheard = firsts.map(({ first }) => amountOf(first?.cost)).reduce((sum, one) => sum.plus(one))
  expect(amountOf(total.billed).plus(unheard).toFixed(4)).toBe(bill.total)
  expect(purposes.map(({ purpose }) => purpose)).toEqual(['notice', 'reply'])
  for (const { billedSegments, billed } of purposes)
    expect(amountOf(billed).toFixed(6)).toBe(new Decimal(price).times(billedSegments).toFixed(6))
  expect(purposes.reduce((sum, { segments }) => sum + segments, 0)).toBe(total.segments)

  const { rows } = await database.db.pool.query<{ phones: number; waited: number }>(
    `select (select count(distinct phone_id)::int from messages where may_have_left(messages)) as phones,
            (select count(distinct message_id)::int from message_events where reason = 'first_message') as waited`,
  )
  const [seen] = rows
  const arrived = [...members, ...doubtful].flatMap(({ msisdn }) => emulator.inbox(msisdn))
  const tails = arrived.filter(({ text }) => text.endsWith(tail))
  // The emulator counts with our own function, so the bill is held against a public calculator too.
  const byCalculator = arrived.reduce(
    (sum, { text }) => sum + Math.max(1, new calculator.SegmentedMessage(text).segmentsCount),
    0,
  )
  expect({ messages: arrived.length, segments: byCalculator }).toEqual({
    messages: bill.messages,
    segments: bill.segments,
  })
  expect(tails).toHaveLength(seen?.phones ?? 0)
  expect(seen?.waited).toBeGreaterThan(0)
  expect(bill.messages).toBeGreaterThan(messages * 0.8)

  // The same by hand, as the office sees it.
  const words = ['cost', '--programme', 'fansoto', '--from', '2026-11-22', '--until', '2026-12-21']
  const told = await runTama(words, { DATABASE_URL: database.url })
  expect(told.code).toBe(0)
  expect(told.output).toMatch(new RegExp(`total +${bill.messages} +${bill.segments} `))
  showFigure(
    'R18',
    `${messages} messages to ${people} numbers, ${bill.messages} taken: ${bill.segments} segments and XOF ${bill.total} counted, the same billed; ` +
      `${tails.length} with the network's tail, ${doubtful.length} of them of unknown outcome at first, ${seen?.waited} waited behind a first one`,
  )
}, 1_200_000)

test('a message that was billed otherwise is named, and the command says so', async () => {
  const { rows } = await database.db.pool.query<{ id: string }>(
    'update messages set billed_segments = segments + 1 where id = (select max(id::text)::uuid from messages where submitted_at is not null) returning id',
  )
  const words = ['cost', '--programme', 'fansoto', '--from', '2026-11-22', '--until', '2026-12-21']
  const told = await runTama(words, { DATABASE_URL: database.url })
  expect(told.code).toBe(1)
  expect(told.output).toContain(rows[0]?.id ?? 'nobody')
})
