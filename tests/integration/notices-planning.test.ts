// A notice from its start to its end: who gets it, once, whoever plans; what is asked again when it is sent; what became of it.
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { openAsOf } from '../../src/ledger/as-of.ts'
import { recordWords } from '../../src/members/consent.ts'
import { approveNotice, draftNotice, sendNotice, stopNotice, undoNotice } from '../../src/notices/notices.ts'
import {
  countedLiveMax,
  listNotices,
  markTold,
  noticeGroups,
  noticeProgress,
  recipientsOf,
  unreachedOf,
} from '../../src/notices/progress.ts'
import { verifyMessages } from '../../src/outbound/verify.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import {
  createMember,
  createProgramme,
  sayingAt,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'
import {
  bringTo,
  createGroup,
  createStaff,
  decisionsOf,
  i18n,
  minutesOn,
  noticeAsk,
  noticePlanner,
  sentNotice,
  statusOf,
} from '../support/notices.ts'

let database: TestDatabase
let programme: TestProgramme
let admin: string

const made: TestDatabase[] = []
beforeEach(async () => {
  database = await createTestDatabase()
  made.push(database)
  programme = await createProgramme(database.db)
  admin = await createStaff(database.db, programme, 'administrator')
})
afterAll(() => Promise.all(made.map((one) => one.drop())))

const member = (overrides = {}) => createMember(database.db, programme, overrides)
const notice = (change = {}) => sentNotice(database.db, noticeAsk(programme, admin, change))
const plan = (now = minutesOn(2), batchMembers?: number) =>
  noticePlanner(database.db, batchMembers).planOnce(now)

async function members(count: number): Promise<TestMember[]> {
  const list: TestMember[] = []
  for (let index = 0; index < count; index += 1) list.push(await member())
  return list
}

async function rowsOf(noticeId: string) {
  const { rows } = await database.db.pool.query<{
    number: string
    excluded: string | null
    carrier: string | null
  }>(
    `select mb.number, r.excluded, carrier.number as carrier
       from notice_recipients r join members mb on mb.id = r.member_id
       left join messages m on m.id = r.message_id left join members carrier on carrier.id = m.member_id
      where r.notice_id = $1 order by mb.number`,
    [noticeId],
  )
  return rows
}

const messageCount = async (noticeId: string) =>
  (await database.db.pool.query('select 1 from messages where notice_id = $1', [noticeId])).rowCount

describe('planning', () => {
  it('begins a minute after it was let go, at the time to send if that is later, and never for one that was undone', async () => {
    await member()
    const now = await notice()
    const later = await notice({ sendAt: minutesOn(30) })
    const undone = await notice()
    await database.db.transaction((tx) => undoNotice(tx, undone, `staff:${admin}`, testNow))
    expect((await plan(new Date(minutesOn(1).getTime() - 1))).messages).toBe(0)
    expect((await plan(minutesOn(1))).messages).toBe(1)
    expect((await plan(minutesOn(29))).messages).toBe(0)
    expect((await plan(minutesOn(30))).messages).toBe(1)
    expect([
      await statusOf(database.db, now),
      await statusOf(database.db, later),
      await statusOf(database.db, undone),
    ]).toEqual(['sending', 'sending', 'undone'])
  })

  it('notes everybody of the audience once, with the reason of those to whom nothing is sent', async () => {
    const reached = await member()
    const left = await member({ status: 'left' })
    const suspended = await member({ status: 'suspended' })
    const never = await member({ consents: ['meeting'] })
    const stopped = await member()
    const doubted = await member()
    const blocked = await member()
    const phoneless = await member()
    const { pool } = database.db
    await pool.query('update members set opted_out_at = now() where id = $1', [stopped.id])
    await pool.query(
      `update member_phones set reverify_since = now(), reverify_reason = 'gone' where member_id = $1`,
      [doubted.id],
    )
    await pool.query(
      `update phones set network_blocked_at = now(), network_block_source = 'report' where id = $1`,
      [blocked.phoneId],
    )
    await pool.query('delete from member_phones where member_id = $1', [phoneless.id])
    await createMember(database.db, programme, { groupId: await createGroup(database.db, programme, 'G02') })
    const id = await notice()
    await plan()
    expect((await rowsOf(id)).map(({ number, excluded }) => [number, excluded])).toEqual(
      [
        [reached, null],
        [left, 'left'],
        [suspended, 'suspended'],
        [never, 'no_consent'],
        [stopped, 'opted_out'],
        [doubted, 'in_doubt'],
        [blocked, 'network_block'],
        [phoneless, 'no_phone'],
      ].map(([one, why]) => [(one as TestMember).number, why]),
    )
    expect(await messageCount(id)).toBe(1)
    // The same words for what is asked again when it is sent.
    expect([...(await decisionsOf(database.db, id, minutesOn(2))).values()]).toMatchObject([
      { action: 'send', text: 'Le bureau est fermé demain.' },
    ])
  })

  it('asks for the consent of its own purpose', async () => {
    await member({ consents: ['receipt', 'survey'] })
    await member({ consents: ['receipt', 'promotion'] })
    for (const purpose of ['survey', 'promotion'] as const) {
      const id = await notice({ purpose })
      await plan()
      expect((await rowsOf(id)).filter(({ excluded }) => excluded === null)).toHaveLength(1)
      const { rows } = await database.db.pool.query(
        'select purpose, lane from messages where notice_id = $1',
        [id],
      )
      expect(rows).toEqual([{ purpose, lane: 'bulk' }])
    }
  })

  it('gives members of one phone one message where the words are the same, and each her own where they are not', async () => {
    const first = await member({ number: 'A1' })
    await member({ number: 'A2', phoneId: first.phoneId })
    await member({ number: 'A3', phoneId: first.phoneId, language: 'wo' })
    const same = await notice({ texts: { fr: 'Bonjour.', wo: 'Bonjour.' } })
    const different = await notice({ texts: { fr: 'Bonjour.', wo: 'Asalaa maalekum.' } })
    await plan()
    expect((await rowsOf(same)).map(({ carrier }) => carrier)).toEqual(['A1', 'A1', 'A1'])
    expect((await rowsOf(different)).map(({ carrier }) => carrier)).toEqual(['A1', 'A1', 'A3'])
    expect(await messageCount(different)).toBe(2)
  })

  it('keeps the sharers of a phone together whatever the size of a batch, and writes nobody twice', async () => {
    const first = await member({ number: 'B0' })
    for (let index = 1; index < 7; index += 1) await member({ number: `B${index}`, phoneId: first.phoneId })
    await members(5)
    const id = await notice()
    expect(await plan(minutesOn(2), 3)).toEqual({ recipients: 12, messages: 6, ended: 0 })
    expect(await plan(minutesOn(2), 3)).toEqual({ recipients: 0, messages: 0, ended: 0 })
    expect(await messageCount(id)).toBe(6)
  })

  it('goes on where it was cut off, also with those who joined since', async () => {
    await members(6)
    const id = await notice()
    const planner = noticePlanner(database.db, 2)
    // A planner that dies in its third batch; the first transaction notes that it begins.
    let transactions = 0
    const { transaction } = database.db
    database.db.transaction = async (work) => {
      transactions += 1
      return transaction(async (tx) => {
        const result = await work(tx)
        if (transactions === 4) throw new Error('killed')
        return result
      })
    }
    await expect(planner.planOnce(minutesOn(2))).rejects.toThrow('killed')
    database.db.transaction = transaction
    expect(await messageCount(id)).toBe(4)
    await member()
    await plan(minutesOn(2), 2)
    expect(await messageCount(id)).toBe(7)
    expect(await rowsOf(id)).toHaveLength(7)
  })

  it('by eight planners at once writes each member once', async () => {
    await members(20)
    const ids = [await notice(), await notice(), await notice()]
    await Promise.all(Array.from({ length: 8 }, () => plan(minutesOn(2), 3)))
    await plan(minutesOn(2), 3)
    for (const id of ids) {
      expect(await messageCount(id)).toBe(20)
      expect(await rowsOf(id)).toHaveLength(20)
    }
  })

  it('waits for the hours of the programme with all of it, and gives it an end', async () => {
    await member()
    const evening = new Date('2026-11-22T21:00:00Z')
    const id = await notice({ now: evening })
    await plan(new Date('2026-11-22T21:05:00Z'))
    const { rows } = await database.db.pool.query(
      'select not_before, expires_at from messages where notice_id = $1',
      [id],
    )
    expect(rows).toEqual([
      { not_before: new Date('2026-11-23T08:00:00Z'), expires_at: new Date('2026-11-29T21:01:00Z') },
    ])
  })

  it('ends as stopped when its groups were emptied meanwhile, and as expired when nobody let it go in time', async () => {
    const one = await member()
    const emptied = await notice()
    await database.db.pool.query('update programmes set approval_above = 0')
    const waiting = await notice({ expiresAt: minutesOn(5) })
    await database.db.pool.query('update members set group_id = null where id = $1', [one.id])
    await plan(minutesOn(6))
    expect([await statusOf(database.db, emptied), await statusOf(database.db, waiting)]).toEqual([
      'stopped',
      'expired',
    ])
    expect(
      await database.db.transaction((tx) => approveNotice(tx, waiting, admin, minutesOn(7))),
    ).toMatchObject({ outcome: 'refused' })
    const { rows } = await database.db.pool.query(`select ended_by from notices where id = $1`, [emptied])
    expect(rows).toEqual([{ ended_by: 'system:audience_empty' }])
    expect(await messageCount(emptied)).toBe(0)
  })
})

describe('when it is sent', () => {
  it('speaks the language that she has by then, and the first of the programme where nothing is written in hers', async () => {
    const changer = await member({ number: 'C1' })
    const foreign = await member({ number: 'C2' })
    await member({ number: 'C3', language: 'wo' })
    const id = await notice({ texts: { fr: 'Bonjour.', wo: 'Bëgg naa la.' } })
    await plan()
    await database.db.pool.query(`update members set language = 'wo' where id = $1`, [changer.id])
    await database.db.pool.query(`update members set language = 'en' where id = $1`, [foreign.id])
    const decisions = await decisionsOf(database.db, id, minutesOn(3))
    expect(['C1', 'C2', 'C3'].map((number) => decisions.get(number))).toMatchObject([
      { action: 'send', language: 'wo', text: 'Begg naa la.' },
      { action: 'send', language: 'fr', text: 'Bonjour.' },
      { action: 'send', language: 'wo', text: 'Begg naa la.' },
    ])
  })

  it('says a template in her language and in the form that she chose', async () => {
    await member({ number: 'D1' })
    await member({ number: 'D2', language: 'wo' })
    await member({ number: 'D3', smsForm: 'full' })
    const id = await notice({
      template: 'training_topic',
      texts: {},
      fields: { topic: 'Le calcul du bénéfice', day: '2026-11-26' },
      purpose: 'meeting',
    })
    await plan()
    const decisions = await decisionsOf(database.db, id, minutesOn(3))
    expect(['D1', 'D2', 'D3'].map((number) => decisions.get(number))).toMatchObject([
      { text: 'FANSOTO: formation jeu 26 nov. Détails: *384*1#' },
      { text: 'FANSOTO: njàng. Bés: alxamis 26 nowàmbar. Tape: *384*1#' },
      { text: 'FANSOTO: formation jeu 26 nov: Le calcul du bénéfice.' },
    ])
  })

  it('is dropped when the notice was stopped, is over, or is not wanted any more; hours and caps hold', async () => {
    const one = await member({ number: 'E1' })
    const id = await notice({ expiresAt: minutesOn(60) })
    await plan()
    const decide = async (now: Date) => (await decisionsOf(database.db, id, now)).get('E1')
    expect(await decide(minutesOn(60))).toMatchObject({ action: 'expire' })
    await database.db.pool.query('update programmes set send_until_minute = 600')
    expect(await decide(minutesOn(3))).toMatchObject({ action: 'defer', reason: 'quiet_hours' })
    await database.db.pool.query('update programmes set send_until_minute = 1200, daily_cap = 0')
    expect(await decide(minutesOn(3))).toMatchObject({ action: 'suppress', reason: 'daily_cap' })
    await database.db.pool.query('update programmes set daily_cap = 2')
    await recordWords(database.db.pool, [
      { ...sayingAt(testNow), memberId: one.id, purpose: 'receipt', granted: false },
    ])
    expect(await decide(minutesOn(3))).toMatchObject({ action: 'suppress', reason: 'no_consent' })
    // As a stop finds a message that a sender already holds.
    await database.db.pool.query(`update notices set status = 'stopped' where id = $1`, [id])
    expect(await decide(minutesOn(3))).toMatchObject({ action: 'cancel', reason: 'stopped' })
  })

  it('is derived again from the notice by "tama verify messages", also once it was stopped; other words are found', async () => {
    await member({ number: 'J1' })
    await member({ number: 'J2', language: 'wo' })
    const free = await notice({ texts: { fr: 'Bonjour.', wo: 'Bëgg naa la.' } })
    const template = await notice({ template: 'bring_booklet', texts: {} })
    await plan()
    for (const id of [free, template])
      for (const decision of (await decisionsOf(database.db, id, minutesOn(3))).values()) {
        if (decision.action !== 'send') throw new Error(decision.action)
        const { messageId, language, text, factsAt, factsSnapshot } = decision
        await database.db.pool.query(
          `update messages set status = 'submitted', language = $2, text = $3, facts_at = $4, facts_snapshot = $5::pg_snapshot, submitted_at = $4 where id = $1`,
          [messageId, language, text, factsAt, factsSnapshot],
        )
      }
    await database.db.transaction((tx) => stopNotice(tx, free, 'operator', minutesOn(4)))
    const asOf = openAsOf({ url: database.url, logger: silentLogger })
    const verify = () =>
      verifyMessages({
        db: database.db,
        asOf,
        i18n,
        programmeId: programme.id,
        from: testNow,
        until: minutesOn(60),
      })
    expect(await verify()).toEqual({ checked: 4, unchecked: 0, mismatches: [] })
    await database.db.pool.query(`update messages set text = 'Bonsoir.' where text = 'Bonjour.'`)
    expect((await verify()).mismatches).toMatchObject([
      { template: 'notice.free', states: `notice ${free}`, why: 'text' },
    ])
    await asOf.close()
  })

  it('counts surveys and promotion for the cap of a day', async () => {
    await member({ number: 'F1' })
    await database.db.pool.query('update programmes set daily_cap = 1')
    const survey = await notice({ purpose: 'survey' })
    const promotion = await notice({ purpose: 'promotion' })
    await plan()
    await bringTo(database.db, survey, 'F1', 'delivered')
    expect((await decisionsOf(database.db, promotion, minutesOn(3))).get('F1')).toMatchObject({
      action: 'defer',
      reason: 'daily_cap',
    })
  })

  it('goes to the next member of the phone when its carrier may not get it any more, until nobody is left', async () => {
    const first = await member({ number: 'G1' })
    const second = await member({ number: 'G2', phoneId: first.phoneId })
    await member({ number: 'G3', phoneId: first.phoneId })
    const id = await notice()
    await plan()
    await bringTo(database.db, id, 'G1', 'suppressed', 'no_consent')
    await plan(minutesOn(3))
    expect((await rowsOf(id)).map(({ carrier }) => carrier)).toEqual(['G1', 'G2', 'G2'])
    await database.db.pool.query('update members set opted_out_at = now() where id = $1', [second.id])
    await bringTo(database.db, id, 'G2', 'suppressed', 'opted_out')
    await plan(minutesOn(4))
    expect((await rowsOf(id)).map(({ carrier }) => carrier)).toEqual(['G1', 'G2', 'G3'])
    expect(await statusOf(database.db, id)).toBe('sending')
    await bringTo(database.db, id, 'G3', 'suppressed', 'no_consent')
    await plan(minutesOn(5))
    expect(await statusOf(database.db, id)).toBe('done')
    expect(await messageCount(id)).toBe(3)
  })

  it('does not go to the next when the network failed: the phone is the same', async () => {
    const first = await member({ number: 'H1' })
    await member({ number: 'H2', phoneId: first.phoneId })
    const id = await notice()
    await plan()
    await bringTo(database.db, id, 'H1', 'undelivered', 'AbsentSubscriber')
    await plan(minutesOn(3))
    expect(await messageCount(id)).toBe(1)
    expect(await statusOf(database.db, id)).toBe('done')
  })
})

describe('what became of it', () => {
  it('is said in plain words for each member and group, and those not reached are read out until they are told', async () => {
    const other = await createGroup(database.db, programme, 'G02')
    const facilitator = await createStaff(database.db, programme, 'facilitator', programme.groupId)
    const stranger = await createStaff(database.db, programme, 'facilitator', other)
    const states: [string, Parameters<typeof bringTo>[3] | undefined, string | null][] = [
      ['I1', 'created', null],
      ['I2', 'submitted', null],
      ['I3', 'delivered', null],
      ['I4', 'undelivered', 'AbsentSubscriber'],
      ['I5', 'suppressed', 'opted_out'],
      ['I6', 'unknown', 'send.timeout'],
    ]
    for (const [number] of states) await member({ number })
    await member({ number: 'I7', status: 'left' })
    await member({ number: 'I8', groupId: other, consents: [] })
    await member({ number: 'I9', groupId: other })
    const id = await notice({ audience: {} })
    await plan()
    for (const [number, status, reason] of states)
      if (status !== undefined) await bringTo(database.db, id, number, status, reason)
    const { pool } = database.db
    expect(await noticeProgress(pool, id)).toEqual({
      total: 9,
      byState: {
        waiting: 2,
        sent: 1,
        reached: 1,
        not_reached: 1,
        opted_out: 1,
        excluded: 2,
        unknown: 1,
        told: 0,
      },
      groups: [
        {
          groupId: other,
          name: 'Groupe G02',
          counts: {
            waiting: 1,
            sent: 0,
            reached: 0,
            not_reached: 0,
            opted_out: 0,
            excluded: 1,
            unknown: 0,
            told: 0,
          },
        },
        {
          groupId: programme.groupId,
          name: 'Jappo',
          counts: {
            waiting: 1,
            sent: 1,
            reached: 1,
            not_reached: 1,
            opted_out: 1,
            excluded: 1,
            unknown: 1,
            told: 0,
          },
        },
      ],
    })
    const named = async () =>
      (await unreachedOf(pool, id, programme.groupId)).map(
        ({ number, state, reason }) => `${number} ${state} ${reason}`,
      )
    expect(await named()).toEqual([
      'I1 waiting null',
      'I2 sent null',
      'I4 not_reached AbsentSubscriber',
      'I5 opted_out opted_out',
      'I6 unknown null',
    ])
    const [missed] = await recipientsOf(pool, id, { states: ['not_reached'], limit: 10 })
    const tell = (by: string, memberId = missed?.memberId ?? '') =>
      database.db.transaction((tx) => markTold(tx, { noticeId: id, memberId, by, now: testNow }))
    expect(await tell(`staff:${stranger}`)).toBe(false)
    expect(await tell(`staff:${await createStaff(database.db, programme, 'auditor')}`)).toBe(false)
    expect(await tell(`staff:${facilitator}`)).toBe(true)
    expect(await tell(`staff:${facilitator}`)).toBe(false)
    expect(await tell(`staff:${facilitator}`, admin)).toBe(false)
    expect(await named()).not.toContain('I4 not_reached AbsentSubscriber')
    expect((await noticeProgress(pool, id)).byState).toMatchObject({ not_reached: 0, told: 1 })
    const numbers = async (asked: Parameters<typeof recipientsOf>[2]) =>
      (await recipientsOf(pool, id, asked)).map(({ number }) => number)
    expect(await numbers({ groupIds: [other], limit: 9 })).toEqual(['I8', 'I9'])
    expect(await numbers({ groupIds: [other], states: ['excluded'], limit: 9 })).toEqual(['I8'])
    expect(await numbers({ groupIds: [other, programme.groupId], after: 'I6', limit: 2 })).toEqual([
      'I7',
      'I8',
    ])
    expect(await numbers({ groupIds: [null], limit: 9 })).toEqual([])
    expect(await noticeGroups(pool, id, { states: ['told'] })).toMatchObject([{ groupId: programme.groupId }])
    expect(await noticeGroups(pool, id, { groupIds: [other], states: ['told'] })).toEqual([])
    expect(await noticeGroups(pool, id, { limit: 1 })).toMatchObject([
      { groupId: other, counts: { excluded: 1 } },
    ])
    expect(await noticeGroups(pool, id, { limit: 1, offset: 1 })).toMatchObject([{ counts: { told: 1 } }])
    expect((await recipientsOf(pool, id, { limit: 2, after: 'I7' })).map(({ number }) => number)).toEqual([
      'I8',
      'I9',
    ])
    const { rows } = await pool.query(`select actor, after from audit_log where action = 'notice.told'`)
    expect(rows).toEqual([{ actor: `staff:${facilitator}`, after: { member: missed?.memberId } }])
  })

  it('lists notices newest first, with their counts, by group and by author', async () => {
    await member()
    const other = await createGroup(database.db, programme, 'G02')
    await member({ groupId: other })
    const facilitator = await createStaff(database.db, programme, 'facilitator', other)
    const first = await notice()
    const second = await notice({ author: { staffId: facilitator }, audience: { groupIds: [other] } })
    await plan()
    const listed = (more: object) =>
      listNotices(database.db.pool, { programmeId: programme.id, limit: 10, ...more })
    expect((await listed({})).map(({ id, counts }) => [id, counts.waiting])).toEqual([
      [second, 1],
      [first, 1],
    ])
    expect((await listed({ before: second })).map(({ id }) => id)).toEqual([first])
    expect((await listed({ groupIds: [other] })).map(({ id }) => id)).toEqual([second])
    expect((await listed({ authorStaffId: facilitator })).map(({ id }) => id)).toEqual([second])
  })

  it('ends when the last message is final, and does not wait for ever for a report', async () => {
    await member({ number: 'K1' })
    await member({ number: 'K2' })
    const id = await notice()
    await plan()
    await bringTo(database.db, id, 'K1', 'delivered')
    await bringTo(database.db, id, 'K2', 'submitted')
    expect((await plan(minutesOn(10))).ended).toBe(0)
    expect((await plan(minutesOn(3 * 1_440 + 1))).ended).toBe(1)
    expect(await statusOf(database.db, id)).toBe('done')
    expect((await noticeProgress(database.db.pool, id)).byState).toMatchObject({ reached: 1, sent: 1 })
  })

  it('follows a message that was sent once more', async () => {
    await member({ number: 'L1' })
    const id = await notice()
    await plan()
    await bringTo(database.db, id, 'L1', 'failed', 'unknown')
    await database.db.pool.query(
      `insert into messages (programme_id, member_id, purpose, template, lane, dedupe_key, notice_id, not_before, status, resends_id)
       select programme_id, member_id, purpose, template, lane, dedupe_key || '/resend', notice_id, not_before, 'delivered', id from messages`,
    )
    expect((await noticeProgress(database.db.pool, id)).byState.reached).toBe(1)
  })

  it('to thousands is counted by the planner, and again once somebody was told', async () => {
    const { pool } = database.db
    await pool.query(
      `with people as (
         insert into members (programme_id, group_id, number, first_name, last_name, alias, language)
         select $1, $2, 'P' || i, 'Awa', 'Diatta', 'Awa', 'fr' from generate_series(1, $3::int) i returning id)
       insert into consents (member_id, purpose, granted, channel, wording, language, collector, collected_at)
       select id, 'receipt', true, 'staff', 'sheet-1', 'fr', 'staff:test', $4 from people`,
      [programme.id, programme.groupId, countedLiveMax + 1, new Date(0)],
    )
    await member({ number: 'Q1' })
    await pool.query('update programmes set approval_above = 100000')
    const id = await notice()
    await plan()
    const states = async () => (await noticeProgress(pool, id)).byState
    expect(await states()).toMatchObject({ waiting: 1, excluded: countedLiveMax + 1 })
    await bringTo(database.db, id, 'Q1', 'delivered')
    expect(await states()).toMatchObject({ waiting: 1, reached: 0 })
    await plan(minutesOn(3))
    expect(await states()).toMatchObject({ waiting: 0, reached: 1 })
    expect(await statusOf(database.db, id)).toBe('done')
    const [one] = await recipientsOf(pool, id, { states: ['excluded'], limit: 1 })
    await database.db.transaction((tx) =>
      markTold(tx, { noticeId: id, memberId: one?.memberId ?? '', by: 'operator', now: testNow }),
    )
    await plan(minutesOn(4))
    expect(await states()).toMatchObject({ excluded: countedLiveMax, told: 1 })
    expect((await listNotices(pool, { programmeId: programme.id, limit: 1 }))[0]?.counts.told).toBe(1)
    const groups = await noticeGroups(pool, id, { states: ['told'] })
    expect(groups).toMatchObject([{ groupId: programme.groupId, counts: { told: 1, reached: 1 } }])
  })

  it('stopped half way says how many had left, cancels the rest, and who stopped it', async () => {
    for (let index = 0; index < 6; index += 1) await member({ number: `N${index}` })
    const id = await notice()
    await plan()
    await bringTo(database.db, id, 'N0', 'delivered')
    await bringTo(database.db, id, 'N1', 'submitting')
    await bringTo(database.db, id, 'N2', 'suppressed', 'opted_out')
    const stop = () =>
      database.db.inProgramme(programme.id, (tx) => stopNotice(tx, id, `staff:${admin}`, minutesOn(3)))
    expect(await stop()).toEqual({ outcome: 'stopped', cancelled: 3, left: 2 })
    expect(await stop()).toEqual({ outcome: 'stopped', cancelled: 0, left: 2 })
    expect((await plan(minutesOn(4))).messages).toBe(0)
    const { rows } = await database.db.pool.query(
      `select count(*)::int as count from message_events e join messages m on m.id = e.message_id where m.notice_id = $1 and e.to_status = 'cancelled' and e.reason = 'stopped'`,
      [id],
    )
    expect(rows).toEqual([{ count: 3 }])
    const { rows: acts } = await database.db.pool.query(
      `select action, actor, before, after from audit_log order by id desc limit 1`,
    )
    expect(acts).toEqual([
      {
        action: 'notice.stopped',
        actor: `staff:${admin}`,
        before: { status: 'sending' },
        after: { status: 'stopped', cancelled: 3, left: 2 },
      },
    ])
  })

  it('stopped while it is being planned leaves nothing behind that could be sent', async () => {
    await members(30)
    const id = await notice()
    const [, stopped] = await Promise.all([
      plan(minutesOn(2), 2),
      database.db.transaction((tx) => stopNotice(tx, id, 'operator', minutesOn(2))),
    ])
    expect(stopped.outcome).toBe('stopped')
    const { rows } = await database.db.pool.query(
      `select count(*)::int as open from messages where notice_id = $1 and status = 'created'`,
      [id],
    )
    expect(rows).toEqual([{ open: 0 }])
    expect(await statusOf(database.db, id)).toBe('stopped')
  })
})

describe('a program', () => {
  it('drafts and sends by the name of its key, and above the limit waits for a person', async () => {
    await member()
    await database.db.pool.query('update programmes set approval_above = 0')
    const author = { api: 'office' }
    const draft = await draftNotice(
      database.db.pool,
      i18n,
      noticeAsk(programme, admin, { author, channel: 'api' }),
    )
    if ('faults' in draft) throw new Error('refused')
    expect(await database.db.transaction((tx) => sendNotice(tx, draft.id, author, testNow))).toEqual({
      outcome: 'waiting',
    })
    expect(await database.db.transaction((tx) => approveNotice(tx, draft.id, admin, testNow))).toEqual({
      outcome: 'approved',
    })
  })
})
