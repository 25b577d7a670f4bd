// R19: what becomes of a message whose outcome stays unknown. Two loops and more, cut connections, late reports: never a third call for a fact.
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { createDb } from '../../src/db.ts'
import { createMetrics } from '../../src/metrics.ts'
import { decide } from '../../src/outbound/decision.ts'
import { readDecisionRows } from '../../src/outbound/decision-query.ts'
import { recordDeliveryReport } from '../../src/outbound/delivery-report.ts'
import { createMessages, type Purpose } from '../../src/outbound/outbox.ts'
import type { MessageStatus, TransitionSource } from '../../src/outbound/status.ts'
import { moveMessages } from '../../src/outbound/transitions.ts'
import { createUnknowns, settleByHand } from '../../src/outbound/unknown.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import { createMember, createProgramme, type TestMember, type TestProgramme } from '../support/fixtures.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { runTama } from '../support/tama.ts'

const hour = 3_600_000
const start = '2026-11-24T10:00:00Z'

describe('an unknown outcome', () => {
  let database: TestDatabase
  let programme: TestProgramme
  let members: TestMember[]
  const clock = fixedClock(start)

  beforeEach(async () => {
    clock.set(start)
    database = await createTestDatabase()
    programme = await createProgramme(database.db)
    members = [await createMember(database.db, programme), await createMember(database.db, programme)]
  })
  afterEach(() => database.drop())

  const unknowns = (db = database.db) =>
    createUnknowns({ db, clock, logger: silentLogger, metrics: createMetrics() })
  const move = (ids: readonly string[], path: [TransitionSource, MessageStatus][]) =>
    path.reduce(
      (before, [source, to]) =>
        before.then(async () => {
          await moveMessages(
            database.db.pool,
            clock.now(),
            ids.map((messageId) => ({ messageId, to, source, set: { provider: 'africastalking' } })),
          )
        }),
      Promise.resolve(),
    )

  /** Messages that were handed over and never heard of again. */
  async function lose(purpose: Purpose, count: number, expiresAt?: Date): Promise<string[]> {
    const key = randomUUID()
    await createMessages(
      database.db.pool,
      Array.from({ length: count }, (_, index) => ({
        programmeId: programme.id,
        memberId: members[index % members.length]?.id ?? '',
        phoneId: members[index % members.length]?.phoneId ?? '',
        purpose,
        template: `${purpose}.test`,
        lane: 'urgent',
        dedupeKey: `${key}/${index}`,
        notBefore: clock.now(),
        ...(expiresAt === undefined ? {} : { expiresAt }),
      })),
    )
    const { rows } = await database.db.pool.query<{ id: string }>(
      'select id from messages where dedupe_key like $1 order by id',
      [`${key}/%`],
    )
    const ids = rows.map(({ id }) => id)
    await loseAgain(ids)
    return ids
  }
  const loseAgain = (ids: readonly string[]) =>
    move(ids, [
      ['relay', 'queued'],
      ['sender', 'claimed'],
      ['sender', 'submitting'],
      ['relay', 'unknown'],
    ])
  const stateOf = async (id: string) => {
    const { rows } = await database.db.pool.query<{ status: string; reason: string | null }>(
      'select status, reason from messages where id = $1',
      [id],
    )
    return `${rows[0]?.status} ${rows[0]?.reason}`
  }
  const resendsOf = async (id: string) => {
    const { rows } = await database.db.pool.query<{ id: string; dedupeKey: string }>(
      'select id, dedupe_key as "dedupeKey" from messages where resends_id = $1',
      [id],
    )
    return rows
  }

  it.each<Purpose>(['reminder', 'meeting', 'training', 'notice', 'reply'])(
    'a %s waits a day for its report, and is then given up and never sent again',
    async (purpose) => {
      const [id = ''] = await lose(purpose, 1)
      clock.advanceMs(24 * hour - 1_000)
      expect(await unknowns().settleOnce()).toEqual({ expired: 0, resent: 0 })
      clock.advanceMs(1_000)
      expect(await unknowns().settleOnce()).toEqual({ expired: 1, resent: 0 })
      expect(await stateOf(id)).toBe('failed unknown_expired')
      expect(await resendsOf(id)).toEqual([])
    },
  )

  it('a receipt is sent once more after a day, a code after three minutes; what is lost again is given up', async () => {
    const [receipt = ''] = await lose('receipt', 1)
    const [code = ''] = await lose('code', 1, new Date(clock.now().getTime() + 600_000))
    const [staleCode = ''] = await lose('code', 1, new Date(clock.now().getTime() + 60_000))
    clock.advanceMs(180_000)
    expect(await unknowns().settleOnce()).toEqual({ expired: 1, resent: 1 })
    expect(await stateOf(staleCode)).toBe('failed unknown_expired')
    expect(await stateOf(code)).toBe('failed unknown_resent')
    clock.advanceMs(24 * hour)
    expect(await unknowns().settleOnce()).toEqual({ expired: 0, resent: 1 })
    const [again] = await resendsOf(receipt)
    expect(again?.dedupeKey).toMatch(/\/resend$/)
    await loseAgain([again?.id ?? ''])
    clock.advanceMs(24 * hour)
    expect(await unknowns().settleOnce()).toEqual({ expired: 1, resent: 0 })
    expect(await stateOf(again?.id ?? '')).toBe('failed unknown_expired')
    expect(await resendsOf(again?.id ?? '')).toEqual([])
  })

  it('a report for the first that comes before the second has left stops the second', async () => {
    const [id = ''] = await lose('receipt', 1)
    await database.db.pool.query(`update messages set provider_message_id = 'ATXid_late' where id = $1`, [id])
    clock.advanceMs(24 * hour)
    await unknowns().settleOnce()
    const [again] = await resendsOf(id)
    const verdict = async () => {
      const [row] = await readDecisionRows(database.db.reads, [again?.id ?? ''], clock.now())
      if (row === undefined) throw new Error('no row')
      return decide(row, clock.now())
    }
    expect(await verdict()).toEqual({ action: 'send' })
    const report = { provider: 'africastalking', providerMessageId: 'ATXid_late', status: 'Success' }
    expect(await recordDeliveryReport(database.db, clock, report)).toBe('moved')
    expect(await stateOf(id)).toBe('delivered report.Success')
    expect(await verdict()).toEqual({ action: 'cancel', reason: 'told' })
  })

  it('an orphan report with her number settles the only unknown one of hers; of two it settles none', async () => {
    const [id = ''] = await lose('receipt', 1)
    const orphan = (providerMessageId: string) =>
      recordDeliveryReport(database.db, clock, {
        provider: 'africastalking',
        providerMessageId,
        status: 'Success',
        msisdn: members[0]?.msisdn ?? '',
      })
    expect(await orphan('ATXid_1')).toBe('moved')
    expect(await stateOf(id)).toBe('delivered report.Success')
    const two = [...(await lose('receipt', 1)), ...(await lose('reminder', 1))]
    expect(await orphan('ATXid_2')).toBe('waiting')
    for (const one of two) expect(await stateOf(one)).toMatch(/^unknown/)
  })

  const facts = atScale(300, 5_000)
  it(`${facts} lost facts, four loops at once, cut connections, reports meanwhile: at most one second try each`, {
    timeout: 300_000,
  }, async () => {
    const receipts = await lose('receipt', facts)
    const reminders = await lose('reminder', facts)
    await database.db.pool.query(`update messages set provider_message_id = 'ATXid_' || id`)
    clock.advanceMs(24 * hour)
    const dbs = Array.from({ length: 4 }, () =>
      createDb({ url: database.url, logger: silentLogger, poolSizeMax: 2 }),
    )
    let left = true
    const cuts = (async () => {
      let cut = 0
      for (; left; await new Promise((resolve) => setTimeout(resolve, 3))) {
        const { rows } = await database.db.pool.query<{ cut: boolean }>(
          `select pg_terminate_backend(pid) as cut from pg_stat_activity
              where datname = current_database() and state = 'idle in transaction' order by random() limit 1`,
        )
        cut += rows.length
      }
      return cut
    })()
    const late = (async () => {
      for (const id of receipts.filter((_, index) => index % 3 === 0))
        await recordDeliveryReport(database.db, clock, {
          provider: 'africastalking',
          providerMessageId: `ATXid_${id}`,
          status: 'Success',
        })
    })()
    const open = async () => {
      const { rows } = await database.db.pool.query('select 1 from messages where stage = 2 limit 1')
      return rows.length > 0
    }
    await Promise.all(
      dbs.map(async (db) => {
        while (await open())
          await unknowns(db)
            .settleOnce()
            .catch(() => undefined)
      }),
    )
    await late
    left = false
    const cut = await cuts
    await Promise.all(dbs.map((db) => db.close()))
    const { rows } = await database.db.pool.query<{
      first: string
      status: string
      reason: string
      tries: number
    }>(
      `select m.id as first, m.status, m.reason, count(r.id)::int as tries
           from messages m left join messages r on r.resends_id = m.id where m.resends_id is null group by m.id`,
    )
    const of = new Map(rows.map((row) => [row.first, row]))
    expect(
      reminders.filter((id) => of.get(id)?.tries !== 0 || of.get(id)?.reason !== 'unknown_expired'),
    ).toEqual([])
    // Settled by its report before the loops came, or given up and written once more.
    const wrong = receipts.filter((id) => {
      const row = of.get(id)
      return !(row?.tries === 1 || (row?.tries === 0 && row.status === 'delivered'))
    })
    expect(wrong).toEqual([])
    const resent = receipts.filter((id) => of.get(id)?.tries === 1).length
    showFigure(
      'R19',
      `${facts} receipts and ${facts} reminders, ${cut} cuts: ${resent} second tries, none twice`,
    )
  })

  it('by hand: delivered, failed or sent once more, with a reason, audited; never what is not unknown, nor a third try', async () => {
    const [one = '', two = '', three = ''] = await lose('reminder', 3)
    const tama = (...words: string[]) => runTama(['messages', ...words], { DATABASE_URL: database.url })
    const listed = await tama('--status', 'unknown', '--programme', programme.code)
    for (const id of [one, two, three]) expect(listed.output).toContain(id)
    expect(listed.output).not.toContain(members[0]?.msisdn)
    expect((await tama('settle', one, '--as', 'delivered', '--reason', 'she showed it')).code).toBe(0)
    expect((await tama('settle', two, '--as', 'failed', '--reason', 'call 771234567')).code).toBe(2)
    expect((await tama('settle', two, '--as', 'failed', '--reason', 'not on her phone')).code).toBe(0)
    expect((await tama('settle', three, '--as', 'resend', '--reason', 'she asked for it')).code).toBe(0)
    expect((await tama('settle', one, '--as', 'failed', '--reason', 'second thought')).code).toBe(1)
    expect(await stateOf(one)).toBe('delivered by hand: she showed it')
    expect(await stateOf(two)).toBe('failed by hand: not on her phone')
    const [again] = await resendsOf(three)
    await loseAgain([again?.id ?? ''])
    const third = { messageId: again?.id ?? '', as: 'resend', reason: 'once more' } as const
    expect(await settleByHand(database.db.pool, clock.now(), third)).toEqual({
      outcome: 'already_resent',
      moved: [],
    })
    const { rows } = await database.db.pool.query(
      `select actor, action, after->>'as' as "as" from audit_log order by id`,
    )
    expect(rows).toEqual([
      { actor: 'operator', action: 'message.settled', as: 'delivered' },
      { actor: 'operator', action: 'message.settled', as: 'failed' },
      { actor: 'operator', action: 'message.settled', as: 'resend' },
    ])
  }, 60_000)
})
