import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixedClock } from '../../../src/clock.ts'
import { createPipeline } from '../../../src/db.ts'
import { createMetrics } from '../../../src/metrics.ts'
import { createMessages, createMessagesFromSelect, plannedColumns } from '../../../src/outbound/outbox.ts'
import { canMove, messageStatuses, transitionSources } from '../../../src/outbound/status.ts'
import { applyTransitions, createTransitionWriter, moveMessages } from '../../../src/outbound/transitions.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../../support/database.ts'
import { type OutboundFixture, outboundFixture } from '../../support/outbound.ts'

let database: TestDatabase
let outbound: OutboundFixture
const at = new Date('2026-11-22T10:00:00Z')

beforeAll(async () => {
  database = await createTestDatabase()
  outbound = await outboundFixture(database.db)
})
afterAll(() => database.drop())

describe('the outbox', () => {
  it('one fact is one message, however often it is told', async () => {
    const { programmeId, phones } = outbound
    const message = {
      programmeId,
      phoneId: phones[0]?.id ?? '',
      purpose: 'receipt',
      template: 'receipt.loan_repayment',
      lane: 'urgent',
      dedupeKey: 'receipt/1',
      params: { place: 'Ziguinchor "centre"' },
      notBefore: at,
    } as const
    expect(await createMessages(database.db.pool, [message])).toBe(1)
    expect(await createMessages(database.db.pool, [message, { ...message, dedupeKey: 'receipt/2' }])).toBe(1)
    const { rows } = await database.db.pool.query(
      `select params, status, lane from messages where dedupe_key = 'receipt/1'`,
    )
    expect(rows).toEqual([{ params: message.params, status: 'created', lane: 'urgent' }])
  })

  it('a message to nobody is refused', async () => {
    const message = {
      programmeId: outbound.programmeId,
      purpose: 'receipt',
      template: 'receipt.loan_repayment',
      lane: 'urgent',
      dedupeKey: 'receipt/nobody',
      notBefore: at,
    } as const
    await expect(createMessages(database.db.pool, [message])).rejects.toThrow('messages_has_a_receiver')
  })

  it('a planner writes a set at once and a second run writes nothing', async () => {
    const member = await database.db.pool.query<{ id: string }>(
      `insert into members (programme_id, number, first_name, last_name, alias) select $1, i::text, 'A', 'B', i::text
         from generate_series(1, 30) i returning id`,
      [outbound.programmeId],
    )
    expect(member.rowCount).toBe(30)
    const select = `select programme_id, id, 'meeting', 'reminder.meeting', 'planned', 'reminder/meeting/' || id, '{}'::jsonb,
      null::uuid, null::uuid, null::uuid, $1::timestamptz, null::timestamptz from members`
    expect(plannedColumns).toHaveLength(12)
    expect(await createMessagesFromSelect(database.db.pool, select, [at])).toBe(30)
    expect(await createMessagesFromSelect(database.db.pool, select, [at])).toBe(0)
  })
})

describe('moves', () => {
  it('the database allows exactly the moves of the ladder, and each leaves an event row', async () => {
    const ids = await outbound.write(transitionSources.length * messageStatuses.length ** 2, {
      key: 'ladder',
    })
    const cases = transitionSources.flatMap((source) =>
      messageStatuses.flatMap((from) => messageStatuses.map((to) => ({ source, from, to }))),
    )
    const planned = cases.map((step, index) => ({ ...step, messageId: ids[index] ?? '' }))
    await database.db.pool.query(
      'update messages m set status = w.status from unnest($1::uuid[], $2::text[]) as w(id, status) where m.id = w.id',
      [planned.map((step) => step.messageId), planned.map((step) => step.from)],
    )
    const moved = new Set(await applyTransitions(database.db.pool, at, planned))
    const allowed = planned.filter(({ source, from, to }) => canMove(source, from, to))
    expect(moved).toEqual(new Set(allowed.map((step) => step.messageId)))
    const { rows } = await database.db.pool.query(
      `select message_id as "messageId", from_status as "from", to_status as "to", source from message_events
        where message_id = any($1::uuid[]) order by id`,
      [ids],
    )
    expect(new Set(rows.map((row) => JSON.stringify(row)))).toEqual(
      new Set(
        allowed.map(({ messageId, from, to, source }) => JSON.stringify({ messageId, from, to, source })),
      ),
    )
  })

  it('a job that lost its rows to another batch moves none of them', async () => {
    const [id = ''] = await outbound.write(1, { key: 'batch' })
    const batch = '01234567-89ab-4def-8123-456789abcdef'
    await database.db.pool.query(`update messages set status = 'claimed', batch_id = $2 where id = $1`, [
      id,
      batch,
    ])
    const start = { messageId: id, to: 'submitting', source: 'sender' } as const
    const other = '11234567-89ab-4def-8123-456789abcdef'
    expect(await applyTransitions(database.db.pool, at, [{ ...start, ifBatch: other }])).toEqual([])
    expect(await applyTransitions(database.db.pool, at, [{ ...start, ifBatch: batch }])).toEqual([id])
  })

  it('what is learnt with a move is kept, and what is not named stays', async () => {
    const [id = ''] = await outbound.write(1, { key: 'fields' })
    await database.db.pool.query(`update messages set status = 'claimed' where id = $1`, [id])
    const set = {
      language: 'wo',
      text: 'Téral na "100 F", jërëjëf {a,b}\\',
      segments: 1,
      provider: 'africastalking',
    }
    await moveMessages(database.db.pool, at, [{ messageId: id, to: 'submitting', source: 'sender', set }])
    await moveMessages(database.db.pool, at, [
      {
        messageId: id,
        to: 'submitted',
        source: 'sender',
        set: { providerMessageId: 'ATXid_9', cost: '12.0000', costCurrency: 'XOF' },
      },
    ])
    const { rows } = await database.db.pool.query(
      `select status, language, text, segments, provider, provider_message_id, cost, cost_currency, submitted_at, updated_at
         from messages where id = $1`,
      [id],
    )
    expect(rows[0]).toEqual({
      status: 'submitted',
      ...set,
      provider_message_id: 'ATXid_9',
      cost: '12.000000',
      cost_currency: 'XOF',
      submitted_at: at,
      updated_at: at,
    })
  })

  it('the same message twice in one statement is our own mistake', async () => {
    const [id = ''] = await outbound.write(1, { key: 'twice' })
    const move = { messageId: id, to: 'cancelled', source: 'events' } as const
    await expect(applyTransitions(database.db.pool, at, [move, move])).rejects.toThrow('twice')
  })
})

describe('the transition writer', () => {
  it('serves many callers in few statements, tells each its own moves and counts them', async () => {
    const metrics = createMetrics()
    const pipeline = createPipeline({ url: database.url, logger: silentLogger, name: 'test' })
    let statements = 0
    const writer = createTransitionWriter({
      pipelines: [
        {
          ...pipeline,
          query: (name, text, values) => {
            statements += 1
            return pipeline.query(name, text, values)
          },
        },
      ],
      clock: fixedClock(at),
      logger: silentLogger,
      metrics,
    })
    const ids = await outbound.write(200, { key: 'writer', lane: 'bulk' })
    const answers = await Promise.all(
      ids.map((messageId, index) =>
        writer.write([{ messageId, to: index % 2 === 0 ? 'queued' : 'submitted', source: 'relay' }]),
      ),
    )
    expect(answers.map((moved) => moved.map((row) => row.id))).toEqual(
      ids.map((id, index) => (index % 2 === 0 ? [id] : [])),
    )
    expect(statements).toBeLessThan(10)
    const counted = await metrics.transitions.get()
    expect(counted.values).toMatchObject([{ value: 100, labels: { status: 'queued', lane: 'bulk' } }])
    await writer.close()
  })

  it('writes again when the connection was lost', async () => {
    const pipeline = createPipeline({ url: database.url, logger: silentLogger, name: 'doomed' })
    const writer = createTransitionWriter({
      pipelines: [pipeline],
      clock: fixedClock(at),
      logger: silentLogger,
      metrics: createMetrics(),
    })
    const [first = '', second = ''] = await outbound.write(2, { key: 'lost' })
    expect(await writer.write([{ messageId: first, to: 'queued', source: 'relay' }])).toHaveLength(1)
    await database.db.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tama-doomed'`,
    )
    expect(await writer.write([{ messageId: second, to: 'queued', source: 'relay' }])).toHaveLength(1)
    await writer.close()
  })
})
