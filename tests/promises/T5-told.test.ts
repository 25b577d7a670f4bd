// Whatever is posted, undone, sent, lost and reported in whatever order: what members were told of each entry stays consistent.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { loadI18n } from '../../src/i18n.ts'
import { reverseEntry } from '../../src/ledger/entries.ts'
import { createMetrics } from '../../src/metrics.ts'
import { recordDeliveryReport } from '../../src/outbound/delivery-report.ts'
import { applyTransitions } from '../../src/outbound/transitions.ts'
import { createUnknowns } from '../../src/outbound/unknown.ts'
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
import { refusal } from '../support/outbound.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { startTelling, type TellingHouse } from '../support/told.ts'

const runs = atScale(25, 400)
const clock = fixedClock(testNow)

let database: TestDatabase
let programme: TestProgramme
let house: TellingHouse
const people: { member: TestMember; loan: string }[] = []
let posted = 0
let steps = 0

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  for (const [index, language] of ['fr', 'en', 'wo', 'fr'].entries()) {
    const member = await createMember(database.db, programme, {
      language,
      smsForm: index % 2 === 0 ? 'full' : 'discreet',
    })
    people.push({ member, loan: (await createLoan(database.db, programme, member)).number })
  }
  house = await startTelling(database, programme, loadI18n('locales'), clock)
})
afterAll(async () => {
  await house.stop()
  await database.drop()
})

const pick = fc.nat({ max: 1_000 })
const act = fc.oneof(
  { weight: 6, arbitrary: fc.record({ do: fc.constant('pay' as const), of: pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('save' as const), of: pick }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('reverse' as const), of: pick }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('hear' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('settle' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('give up' as const), of: pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('try again' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('speak' as const), of: pick }) },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('report' as const),
      of: pick,
      word: fc.constantFrom('Sent', 'Success', 'Success', 'Failed', 'Rejected', 'Expired'),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('network' as const),
      is: fc.constantFrom('well', 'refusing', 'failing'),
    }),
  },
)
type Act = typeof act extends fc.Arbitrary<infer One> ? One : never

/** What one life has posted, oldest first. */
interface Life {
  references: string[]
}

async function live(one: Act, life: Life): Promise<void> {
  const { db } = database
  const person = (of: number) => people[of % people.length] as (typeof people)[number]
  switch (one.do) {
    case 'pay':
    case 'save': {
      posted += 1
      const reference = `t5/${posted}`
      const { member, loan } = person(one.of)
      await (one.do === 'pay'
        ? repay(db, programme, loan, 1 + (posted % 9), { reference })
        : save(db, programme, member, 100 + posted, { reference }))
      life.references.push(reference)
      return
    }
    case 'reverse': {
      const reverses = life.references[one.of % Math.max(1, life.references.length)]
      if (reverses === undefined) return
      // Undone a second time it is refused, which is what the ledger is for.
      await db
        .transaction((tx) =>
          reverseEntry(tx, programme.id, 'test', {
            reference: `undo/${reverses}/${one.of}`,
            reverses,
            bookedDate: testToday,
          }),
        )
        .catch(() => undefined)
      return
    }
    case 'hear':
      await house.events.drainOnce()
      return
    case 'settle':
      await house.settled()
      return
    case 'try again':
      // What nobody heard of again is ended: receipts are sent once more.
      await createUnknowns({
        db,
        clock,
        logger: silentLogger,
        metrics: createMetrics(),
        windowMs: 0,
      }).settleOnce()
      return
    case 'speak':
      await db.pool.query(
        `update members set language = (array['fr', 'en', 'wo'])[1 + $2 % 3] where id = $1`,
        [person(one.of).member.id, one.of],
      )
      return
    case 'give up': {
      const { rows } = await db.pool.query<{ id: string }>(
        `select id from messages where status = 'unknown' order by id offset $1 limit 1`,
        [one.of % 5],
      )
      await applyTransitions(
        db.pool,
        clock.now(),
        rows.map(({ id }) => ({ messageId: id, to: 'failed', source: 'operator', reason: 'given_up' })),
      )
      return
    }
    case 'report': {
      const { rows } = await db.pool.query<{ id: string | null; msisdn: string }>(
        `select coalesce(m.provider_message_id, 'lost/' || m.id) as id, p.msisdn from messages m join phones p on p.id = m.phone_id
          order by m.id desc offset $1 limit 1`,
        [one.of % 25],
      )
      for (const { id, msisdn } of rows)
        await recordDeliveryReport(db, clock, {
          provider: 'africastalking',
          providerMessageId: id ?? '',
          status: one.word,
          msisdn,
        })
      return
    }
    case 'network':
      house.network.answer = (call, accept, end) => {
        if (one.is === 'well') accept()
        else if (one.is === 'refusing') end(201, refusal(call, 407))
        else end(500)
      }
  }
}

interface Story {
  entry: string
  reversed: boolean
  receipts: number
  /** She has it, or it may be on its way. */
  told: boolean
  /** Given up; a late report may still say that she has it. */
  givenUp: boolean
  /** A correction will follow then. */
  owed: boolean
  everLeft: boolean
  /** In another language than the receipt, or not tied to it and to the reversal. */
  strayCorrections: number
  corrections: number
  correctionsAlive: number
}

const storiesSql = `
  select e.reference as entry, r.id is not null as reversed,
         (select count(*)::int from messages m where m.entry_id = e.id) as receipts,
         coalesce(bool_or(m.status in ('submitting', 'submitted', 'sent', 'delivered', 'unknown')), false) as told,
         coalesce(bool_or(m.status in ('failed', 'undelivered', 'rejected', 'expired')), false) as "givenUp",
         coalesce(bool_or(m.params ? 'owedKey'), false) as owed,
         coalesce(bool_or(exists (select from message_events v where v.message_id = m.id and v.to_status = 'submitting')), false)
           as "everLeft",
         (select count(*)::int from messages c where c.entry_id = r.id and c.resends_id is null) as corrections,
         (select count(*)::int from messages c where c.entry_id = r.id and c.resends_id is null
           and c.status not in ('cancelled', 'suppressed')) as "correctionsAlive",
         (select count(*)::int from messages c left join messages o on o.id = c.corrects_id
           where c.entry_id = r.id and (o.entry_id is distinct from e.id or o.member_id is distinct from c.member_id
             or c.template <> 'correction.entry' or c.language is distinct from o.language and c.language is not null))
           as "strayCorrections"
    from entries e left join entries r on r.reverses_id = e.id left join messages m on m.entry_id = e.id
   where e.reference like 't5/%' group by e.id, e.reference, r.id`

test('no receipt of an undone entry stands uncorrected, no correction tells of what was never told', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { minLength: 20, maxLength: 60, size: 'max' }), async (acts) => {
      const life: Life = { references: [] }
      await live({ do: 'network', is: 'well' }, life)
      for (const one of acts) await live(one, life)
      steps += acts.length
      await house.settled()
      const { rows } = await database.db.pool.query<Story>(storiesSql)
      for (const story of rows) {
        expect(story.receipts, story.entry).toBeLessThanOrEqual(2)
        expect(story.strayCorrections, story.entry).toBe(0)
        expect(story.corrections, story.entry).toBeLessThanOrEqual(story.reversed && story.everLeft ? 1 : 0)
        if (story.reversed && story.told) expect(story.correctionsAlive, story.entry).toBe(1)
        if (story.reversed && story.givenUp && !story.owed)
          expect(story.correctionsAlive, story.entry).toBe(1)
      }
    }),
    { numRuns: runs, seed: 2026, endOnFailure: true },
  )
  const { checked, unchecked, mismatches } = await house.verify()
  expect({ mismatches, unchecked }).toEqual({ mismatches: [], unchecked: 0 })
  const { rows } = await database.db.pool.query<Story>(storiesSql)
  const undone = rows.filter(({ reversed }) => reversed)
  const corrected = undone.filter(({ corrections }) => corrections === 1)
  expect(corrected.length).toBeGreaterThan(runs)
  showFigure(
    'T5',
    `${runs} lives of ${steps} steps: ${rows.length} entries, ${undone.length} undone, ${corrected.length} corrected, ` +
      `${checked} texts derived again, 0 wrong`,
  )
}, 1_200_000)
