// C3: a network's block of our messages is known whichever way it is told, nothing unasked leaves while it stands, START does not
// pretend to undo it, the member is told what will, and a message that reaches her clears it.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { loadI18n } from '../../src/i18n.ts'
import { loadProgrammes } from '../../src/members/programmes.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createDecider } from '../../src/outbound/decision.ts'
import { matchReports, recordDeliveryReport } from '../../src/outbound/delivery-report.ts'
import { noteNetworkBlock } from '../../src/outbound/opt-out.ts'
import { createMessages } from '../../src/outbound/outbox.ts'
import { applyTransitions } from '../../src/outbound/transitions.ts'
import { createInbound } from '../../src/sms/inbound.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import { type TestMember, testNow } from '../support/fixtures.ts'
import { showFigure } from '../support/promises.ts'
import { createUssdUnderTest, createWorld, type UssdUnderTest, type World } from '../support/ussd.ts'

let database: TestDatabase
let world: World
let under: UssdUnderTest
let mary: TestMember
const clock = fixedClock(testNow)
const i18n = loadI18n('locales')
const later = (minutes: number) => new Date(testNow.getTime() + minutes * 60_000)

beforeAll(async () => {
  database = await createTestDatabase()
  world = await createWorld(database.db)
})
afterAll(async () => {
  await database.drop()
})
beforeEach(async () => {
  await world.reset()
  await database.db.pool.query(
    `update phones set network_blocked_at = null, network_block_source = null;
     update programmes set unblock_codes = '{}'`,
  )
  clock.set(testNow)
  const { mary: found } = world.members
  if (found === undefined) throw new Error('no Mary')
  mary = found
})

let count = 0
async function write(purpose: 'receipt' | 'reply'): Promise<string> {
  count += 1
  await createMessages(database.db.pool, [
    {
      programmeId: world.programme.id,
      memberId: mary.id,
      purpose,
      template: 'reply.help',
      lane: 'urgent',
      dedupeKey: `block/${count}`,
      notBefore: testNow,
    },
  ])
  const { rows } = await database.db.pool.query<{ id: string }>(
    'select id from messages where dedupe_key = $1',
    [`block/${count}`],
  )
  return rows[0]?.id ?? ''
}

/** As the sender hands it over. */
async function submit(id: string, at: Date): Promise<string> {
  const providerMessageId = `ATXid_${id}`
  for (const to of ['queued', 'claimed', 'submitting', 'submitted'] as const)
    await applyTransitions(database.db.pool, at, [
      {
        messageId: id,
        source: to === 'queued' ? 'relay' : 'sender',
        to,
        set: {
          phoneId: mary.phoneId,
          provider: 'africastalking',
          ...(to === 'submitted' && { providerMessageId }),
        },
      },
    ])
  return providerMessageId
}

const report = (providerMessageId: string, status: string, failureReason?: string) =>
  recordDeliveryReport(database.db, clock, {
    provider: 'africastalking',
    providerMessageId,
    status,
    failureReason,
  })

async function blockOf(): Promise<string | undefined> {
  const { rows } = await database.db.pool.query<{ source: string | null }>(
    'select network_block_source as source from phones where id = $1',
    [mary.phoneId],
  )
  return rows[0]?.source ?? undefined
}

const inboundOf = async () =>
  createInbound({
    db: database.db,
    clock,
    logger: silentLogger,
    metrics: createMetrics(),
    i18n,
    programmes: await loadProgrammes(database.db),
  })

const decide = async (id: string) => (await createDecider({ db: database.db, i18n })([id], clock.now()))[0]

describe('C3: a block is known', () => {
  test('by the provider’s callback: what waits is suppressed, and the member’s own words stay', async () => {
    const waiting = await write('receipt')
    const inbound = await inboundOf()
    await inbound.optOut({ provider: 'africastalking', senderId: 'FANSOTO', msisdn: mary.msisdn })
    expect(await blockOf()).toBe('callback')
    const { rows } = await database.db.pool.query(
      `select m.status, m.reason, p.opted_out_at as stop from messages m join phones p on p.id = $2 where m.id = $1`,
      [waiting, mary.phoneId],
    )
    expect(rows).toEqual([{ status: 'suppressed', reason: 'network_block', stop: null }])
  })

  test.each(['UserInBlackList', 'UserInBlacklist'])('by a delivery report that says %s', async (reason) => {
    const id = await submit(await write('receipt'), testNow)
    await report(id, 'Failed', reason)
    expect(await blockOf()).toBe('report')
  })

  test('by a report that came before its submit was saved', async () => {
    const id = await write('receipt')
    expect(await report(`ATXid_${id}`, 'Failed', 'UserInBlackList')).toBe('waiting')
    await submit(id, testNow)
    await matchReports({ db: database.db, clock })
    expect(await blockOf()).toBe('report')
  })
})

describe('C3: while it stands', () => {
  beforeEach(() => noteNetworkBlock(database.db.pool, [mary.phoneId], 'send', testNow))

  test('nothing unasked leaves, START changes nothing about it and says so, and what reaches her clears it', async () => {
    const receipt = await write('receipt')
    const inbound = await inboundOf()
    expect(await decide(await write('receipt'))).toMatchObject({
      action: 'suppress',
      reason: 'network_block',
    })
    await inbound.receive({
      provider: 'africastalking',
      id: 'start/1',
      from: mary.msisdn,
      to: '21384',
      text: 'START',
    })
    expect(await decide(receipt)).toMatchObject({ action: 'suppress', reason: 'network_block' })
    const { rows } = await database.db.pool.query<{ id: string }>(
      "select id from messages where template like 'reply.started%'",
    )
    const answer = rows[0]?.id ?? ''
    expect(await decide(answer)).toMatchObject({
      action: 'send',
      text: 'FANSOTO: noted. But your network blocks our messages. Ask a facilitator how to undo it.',
    })
    await report(await submit(answer, later(1)), 'Success')
    expect(await blockOf()).toBeUndefined()
    expect(await decide(receipt)).toMatchObject({ action: 'send' })
    showFigure(
      'C3',
      'callback, send code and delivery report each write the block; START leaves it; a delivery clears it',
    )
  })

  test('a late delivery of what was handed over before does not clear it', async () => {
    const id = await submit(await write('reply'), later(-5))
    await report(id, 'Success')
    expect(await blockOf()).toBe('send')
  })

  test('she is told on the first screen and, with what to dial, on the messages screen', async () => {
    under = await createUssdUnderTest(database)
    const dial = (session: string, text: string, networkCode?: string) =>
      under.ussd.answer({
        provider: 'africastalking',
        sessionId: session,
        msisdn: mary.msisdn,
        serviceCode: '*384*1#',
        text,
        ...(networkCode === undefined ? {} : { networkCode }),
      })
    expect(await dial('plain', '')).toMatch(
      /^CON Your network blocks our SMS: see 5, 3\.\nWelcome\n1 My account\n/,
    )
    expect(await dial('plain', '5')).not.toMatch(/network/)
    const ask = 'Your network blocks our SMS. Ask your facilitator how to undo it.'
    expect(await dial('plain', '5*3')).toContain(ask)
    await under.close()
    await database.db.pool.query(
      `update programmes set unblock_codes = '{"63902": "*456*9*5*5#", "any": "*100#"}'`,
    )
    // Settings of a programme are read at the start.
    under = await createUssdUnderTest(database)
    expect(await dial('own', '5*3', '63902')).toContain('To undo, dial *456*9*5*5#')
    expect(await dial('other', '5*3', '60801')).toContain('To undo, dial *100#')
    await under.close()
  })
})
