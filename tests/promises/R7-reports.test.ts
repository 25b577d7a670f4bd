// R7: delivery reports in any order, any number, early, orphaned and with unknown words end in the same status as a reference fold.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { matchReports, recordDeliveryReport } from '../../src/outbound/delivery-report.ts'
import { createMessages } from '../../src/outbound/outbox.ts'
import type { MessageStatus, TransitionSource } from '../../src/outbound/status.ts'
import { moveMessages } from '../../src/outbound/transitions.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { atScale, showFigure } from '../support/promises.ts'

const sequences = atScale(400, 10_000)
const chunk = 200
const provider = 'africastalking'
const clock = fixedClock('2026-11-24T10:00:00Z')

/** What one message lives through, in this order or all at once. */
type Step =
  /** The provider's answer is saved, with its id. */
  | { does: 'submit' }
  /** The process is gone: the relay calls the outcome unknown. */
  | { does: 'lose' }
  | { does: 'report'; word: string; times: number }
  /** A report that belongs to no message of ours. */
  | { does: 'orphan'; word: string }

interface Sequence {
  steps: Step[]
  atOnce: boolean
}

const words = [
  'Sent',
  'Submitted',
  'Buffered',
  'Success',
  'Failed',
  'Rejected',
  'AbsentSubscriber',
  'Expired',
  'Teleported',
  'constructor',
]
const reportStep = fc.record({
  does: fc.constant('report' as const),
  word: fc.constantFrom(...words),
  times: fc.constantFrom(1, 1, 1, 2, 3),
})
const orphanStep = fc.record({ does: fc.constant('orphan' as const), word: fc.constantFrom(...words) })
const submit = { does: 'submit' as const }
const lose = { does: 'lose' as const }
const sequenceArbitrary: fc.Arbitrary<Sequence> = fc
  .record({
    reports: fc.array(fc.oneof({ weight: 8, arbitrary: reportStep }, { weight: 1, arbitrary: orphanStep }), {
      maxLength: 6,
    }),
    fate: fc.constantFrom<Step[]>([submit], [submit], [lose], [lose, submit]),
    places: fc.array(fc.nat(6), { minLength: 2, maxLength: 2 }),
    atOnce: fc.boolean(),
  })
  .map(({ reports, fate, places, atOnce }) => {
    const steps: Step[] = [...reports]
    // Later steps of a fate stand behind its earlier ones.
    let least = 0
    fate.forEach((step, index) => {
      const at = Math.min(steps.length, Math.max(least, places[index] ?? 0))
      steps.splice(at, 0, step)
      least = at + 1
    })
    return { steps, atOnce }
  })

/** Written from the provider's documentation alone: the best that was ever said of a message holds. */
function reference({ steps }: Sequence): MessageStatus {
  const heard = new Set(steps.flatMap((step) => (step.does === 'report' ? [step.word] : [])))
  if (heard.has('Success')) return 'delivered'
  if (['Failed', 'AbsentSubscriber', 'Expired'].some((word) => heard.has(word))) return 'undelivered'
  if (heard.has('Rejected')) return 'rejected'
  if (['Sent', 'Submitted', 'Buffered'].some((word) => heard.has(word))) return 'sent'
  return steps.some((step) => step.does === 'submit') ? 'submitted' : 'unknown'
}

let database: TestDatabase
let programmeId: string
beforeAll(async () => {
  database = await createTestDatabase()
  const { rows } = await database.db.pool.query<{ id: string }>(
    `insert into programmes (code, name, service_code, sender_id, currency_code, country, time_zone, languages)
     values ('sunu', 'Sunu', '*384*1', 'TAMA', 'XOF', 'SN', 'Africa/Dakar', '{fr}') returning id`,
  )
  programmeId = rows[0]?.id ?? ''
})
afterAll(() => database.drop())

interface Subject {
  messageId: string
  msisdn: string
  providerMessageId: string
}

/** Messages with the provider right now, each to a phone of its own. */
async function subjects(first: number, count: number): Promise<Subject[]> {
  const { db } = database
  const { rows: phones } = await db.pool.query<{ id: string; msisdn: string }>(
    `insert into phones (programme_id, msisdn) select $1, '+2217' || (10000000 + $2::int + i) from generate_series(1, $3::int) i
     returning id, msisdn`,
    [programmeId, first, count],
  )
  await createMessages(
    db.pool,
    phones.map(({ id }, index) => ({
      programmeId,
      phoneId: id,
      purpose: 'notice',
      template: 'notice.test',
      lane: 'bulk',
      dedupeKey: `r7/${first + index}`,
      notBefore: new Date(0),
    })),
  )
  const { rows } = await db.pool.query<{ messageId: string; msisdn: string }>(
    `select m.id as "messageId", p.msisdn from messages m join phones p on p.id = m.phone_id where m.phone_id = any($1)`,
    [phones.map(({ id }) => id)],
  )
  const path: [TransitionSource, MessageStatus][] = [
    ['relay', 'queued'],
    ['sender', 'claimed'],
    ['sender', 'submitting'],
  ]
  for (const [source, to] of path)
    await moveMessages(
      db.pool,
      clock.now(),
      rows.map(({ messageId }) => ({ messageId, to, source, set: { provider } })),
    )
  return rows.map((row) => ({ ...row, providerMessageId: `ATXid_${row.messageId}` }))
}

async function perform({ messageId, msisdn, providerMessageId }: Subject, step: Step): Promise<void> {
  const { db } = database
  if (step.does === 'submit')
    await moveMessages(db.pool, clock.now(), [
      { messageId, to: 'submitted', source: 'sender', set: { provider, providerMessageId } },
    ])
  else if (step.does === 'lose')
    await moveMessages(db.pool, clock.now(), [{ messageId, to: 'unknown', source: 'relay' }])
  else if (step.does === 'orphan')
    await recordDeliveryReport(db, clock, {
      provider,
      providerMessageId: `ATXid_elsewhere_${messageId}`,
      status: step.word,
      msisdn: '+221330000000',
    })
  else
    await Promise.all(
      Array.from({ length: step.times }, () =>
        recordDeliveryReport(db, clock, { provider, providerMessageId, status: step.word, msisdn }),
      ),
    )
}

async function live(subject: Subject, { steps, atOnce }: Sequence): Promise<void> {
  if (!atOnce) {
    for (const step of steps) await perform(subject, step)
    return
  }
  // The fate keeps its own order: a process is not lost after it has answered.
  const fate = steps.filter(({ does }) => does === 'submit' || does === 'lose')
  await Promise.all([
    ...steps.filter((step) => !fate.includes(step)).map((step) => perform(subject, step)),
    (async () => {
      for (const step of fate) await perform(subject, step)
    })(),
  ])
}

it(`${sequences} random sequences of reports end as the reference says, and what came early or for a lost id is kept and matched`, {
  timeout: 540_000,
}, async () => {
  const { db } = database
  const seed = 20_261_124
  const all = fc.sample(sequenceArbitrary, { numRuns: sequences, seed })
  let reports = 0
  let early = 0
  for (let first = 0; first < all.length; first += chunk) {
    const part = all.slice(first, first + chunk)
    const people = await subjects(first, part.length)
    const pairs = part.map((sequence, index) => ({ sequence, subject: people[index] as Subject }))
    let next = 0
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        for (let pair = pairs[next++]; pair !== undefined; pair = pairs[next++])
          await live(pair.subject, pair.sequence)
      }),
    )
    // What the relay's recovery does every few seconds.
    while ((await matchReports({ db, clock })) > 0);
    const { rows } = await db.pool.query<{ id: string; status: MessageStatus }>(
      'select id, status from messages where id = any($1)',
      [people.map(({ messageId }) => messageId)],
    )
    const statuses = new Map(rows.map(({ id, status }) => [id, status]))
    const wrong = pairs.flatMap(({ sequence, subject }) => {
      const found = statuses.get(subject.messageId)
      return found === reference(sequence) ? [] : [{ sequence, found, wanted: reference(sequence) }]
    })
    expect(wrong).toEqual([])
    for (const { steps } of part) {
      const settled = steps.findIndex(({ does }) => does === 'submit')
      steps.forEach((step, index) => {
        if (step.does === 'report') {
          reports += step.times
          if (settled < 0 || index < settled) early += step.times
        }
      })
    }
  }
  const { rows: left } = await db.pool.query<{ orphans: boolean; open: number }>(
    `select provider_message_id like 'ATXid_elsewhere_%' as orphans, count(*) filter (where matched_at is null)::int as open
         from delivery_reports group by 1 order by 1`,
  )
  // Of a message that stayed unknown only unknown words were heard: they name nobody, and wait.
  const { rows: lost } = await db.pool.query<{ count: number }>(
    `select count(*)::int as count from delivery_reports r where r.matched_at is null
          and r.provider_message_id not like 'ATXid_elsewhere_%'
          and not exists (select 1 from messages m where 'ATXid_' || m.id = r.provider_message_id and m.status = 'unknown')`,
  )
  expect(lost[0]?.count).toBe(0)
  expect(left.find(({ orphans }) => orphans)?.open).toBeGreaterThan(0)
  const { rows: again } = await db.pool.query<{ count: number }>(
    `select count(*)::int as count from message_events e join message_events f on f.message_id = e.message_id
          and f.id > e.id and e.to_status = 'delivered'`,
  )
  expect(again[0]?.count).toBe(0)
  showFigure('R7', `${sequences} sequences, ${reports} reports, ${early} of them early: all as the reference`)
})
