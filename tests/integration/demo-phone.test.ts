// What stands behind the phone page: which phones it offers, what it posts, what it tells of a message's way.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { createMessages } from '../../src/outbound/outbox.ts'
import { applyTransitions } from '../../src/outbound/transitions.ts'
import { demoPin } from '../../src/simulator/demo-members.ts'
import { chooseDemoPhones } from '../../src/simulator/demo-phones.ts'
import { readProfile } from '../../src/simulator/profiles.ts'
import { repayDemo } from '../../src/simulator/repay.ts'
import { messageTrail } from '../../src/simulator/trail.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { testNow } from '../support/fixtures.ts'
import { seedPhones } from '../support/stand-in.ts'

const unknownMsisdn = readProfile('casamance').demo.unknown

describe('the demo phone', () => {
  const clock = fixedClock(testNow)
  let database: TestDatabase
  let seeded: Awaited<ReturnType<typeof seedPhones>>
  beforeAll(async () => {
    database = await createTestDatabase()
    seeded = await seedPhones(database)
  })
  afterAll(() => database.drop())

  it('offers one phone of each kind, and a PIN only where the demo knows it', async () => {
    const phones = await chooseDemoPhones(database.db.pool)
    expect(phones.map(({ scene, name, pin }) => [scene, name, pin])).toEqual([
      ['member', 'Awa Diatta', demoPin],
      ['new', 'Mariama Badji', undefined],
      ['shared', 'Fatou, Binta, Khady', demoPin],
      ['suspended', 'Rose Bassène', demoPin],
      ['unknown', '', undefined],
      ['usual', 'Adama Camara', demoPin],
      ['usual', 'Ndèye Gueye', demoPin],
      ['overpaid', 'Sona Mané', demoPin],
      ['corrected', 'Oumou Diallo', demoPin],
    ])
    expect(phones[0]).toMatchObject({ serviceCode: '*384*1#', shortcode: '21384' })
    expect(new Set(phones.map(({ id }) => id)).size).toBe(phones.length)
  })

  it('posts the next instalment each time, until nothing is owed', async () => {
    for (const _instalment of [1, 2, 3])
      expect(await repayDemo({ db: database.db, clock }, seeded.awa.msisdn)).toEqual({
        outcome: 'posted',
        alias: 'Awa',
        amount: '10 500 F',
        loanNumber: 'L1',
      })
    expect(await repayDemo({ db: database.db, clock }, seeded.awa.msisdn)).toEqual({
      outcome: 'nothing_owed',
    })
    expect(await repayDemo({ db: database.db, clock }, unknownMsisdn)).toEqual({
      outcome: 'nothing_owed',
    })
    const { rows } = await database.db.pool.query(
      `select count(*)::int as entries from entries where kind = 'loan_repayment' and posted_by = 'phone page'`,
    )
    expect(rows).toEqual([{ entries: 3 }])
  })

  it('tells a message’s steps in order, to the phone that it goes to and to no other', async () => {
    const { programmeId, awa } = seeded
    const base = {
      programmeId,
      memberId: awa.id,
      purpose: 'receipt',
      lane: 'urgent',
      notBefore: testNow,
    } as const
    const template = 'receipt.loan_repayment'
    await createMessages(database.db.pool, [{ ...base, template, dedupeKey: 'receipt/1' }])
    const [message] = await messageTrail(database.db.pool, awa.msisdn)
    const messageId = message?.id ?? ''
    expect(message).toMatchObject({ alias: 'Awa', status: 'created', steps: [{ status: 'created' }] })
    for (const [to, source] of [
      ['queued', 'relay'],
      ['cancelled', 'events'],
    ] as const)
      await applyTransitions(database.db.pool, clock.now(), [{ messageId, to, source, reason: to }])
    const trail = await messageTrail(database.db.pool, awa.msisdn)
    expect(trail).toMatchObject([
      {
        status: 'cancelled',
        steps: [
          { status: 'created', source: 'outbox' },
          { status: 'queued', source: 'relay', at: testNow },
          { status: 'cancelled', source: 'events', reason: 'cancelled', at: testNow },
        ],
      },
    ])
    expect(await messageTrail(database.db.pool, unknownMsisdn)).toEqual([])
  })
})
