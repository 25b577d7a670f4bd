// What a member says about our messages: kept word by word, counted by the newest, obeyed at once.
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { consentPurposes, readConsents, recordWords } from '../../src/members/consent.ts'
import { migrate } from '../../src/migrations.ts'
import { setConsents, stopMessages } from '../../src/outbound/opt-out.ts'
import { createMessages, type Purpose } from '../../src/outbound/outbox.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  createMember,
  createProgramme,
  sayingAt,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'

let database: TestDatabase
let programme: TestProgramme
let member: TestMember

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
})
afterAll(() => database.drop())
beforeEach(async () => {
  member = await createMember(database.db, programme)
})

const hours = (count: number) => new Date(testNow.getTime() + count * 3_600_000)

async function historyOf(memberId: string): Promise<string[]> {
  const { rows } = await database.db.pool.query<{ word: string }>(
    `select concat_ws(' ', purpose, granted, channel, wording, language, collector) as word
       from consents where member_id = $1 and channel <> 'staff' order by id`,
    [memberId],
  )
  return rows.map(({ word }) => word)
}

/** Writes one waiting message a purpose; hands out what has become of each. */
async function waiting(...purposes: Purpose[]): Promise<() => Promise<Record<string, string>>> {
  await createMessages(
    database.db.pool,
    purposes.map((purpose) => ({
      programmeId: programme.id,
      memberId: member.id,
      purpose,
      template: 'reply.help',
      lane: 'planned',
      dedupeKey: `${purpose}/${member.id}`,
      notBefore: testNow,
    })),
  )
  return async () => {
    const { rows } = await database.db.pool.query<{ purpose: string; status: string }>(
      `select purpose, status || coalesce(' ' || reason, '') as status from messages where member_id = $1`,
      [member.id],
    )
    return Object.fromEntries(rows.map(({ purpose, status }) => [purpose, status]))
  }
}

describe('a word', () => {
  test('is a row with wording, language, channel, collector and time, and is never overwritten', async () => {
    const word = { ...sayingAt(testNow), memberId: member.id, purpose: 'reminder' as const }
    await recordWords(database.db.pool, [{ ...word, granted: false }])
    await recordWords(database.db.pool, [{ ...word, granted: true, channel: 'sms', at: hours(1) }])
    expect(await historyOf(member.id)).toEqual([
      'reminder f ussd 2026-11 fr herself',
      'reminder t sms 2026-11 fr herself',
    ])
    await expect(
      database.db.pool.query('update consents set granted = true where member_id = $1', [member.id]),
    ).rejects.toThrow('never changed')
  })

  test('counts when it is the newest by the time it was said, whenever it was written down', async () => {
    const word = { ...sayingAt(testNow), memberId: member.id, purpose: 'reminder' as const }
    await recordWords(database.db.pool, [{ ...word, granted: false }])
    await recordWords(database.db.pool, [{ ...word, granted: true, at: hours(-48) }])
    expect((await readConsents(database.db.reads, member.id)).granted.reminder).toBe(false)
  })

  test('handed in twice is one row', async () => {
    const word = { ...sayingAt(testNow), memberId: member.id, purpose: 'survey' as const, granted: true }
    await recordWords(database.db.pool, [word])
    await recordWords(database.db.pool, [word])
    expect(await historyOf(member.id)).toHaveLength(1)
  })

  test('that two processes take down at once is one row, whichever of them is first', async () => {
    const word = { ...sayingAt(hours(1)), memberId: member.id, purpose: 'receipt' as const, granted: false }
    const at = (ms: number) => new Date(hours(1).getTime() + ms)
    expect(await recordWords(database.db.pool, [{ ...word, at: at(5) }])).toBe(1)
    expect(await recordWords(database.db.pool, [word])).toBe(0)
    // A change of mind in between makes it a word of its own.
    expect(await recordWords(database.db.pool, [{ ...word, granted: true, at: at(6) }])).toBe(1)
    expect(await recordWords(database.db.pool, [{ ...word, at: at(7) }])).toBe(1)
    expect(await historyOf(member.id)).toEqual([
      'receipt f ussd 2026-11 fr herself',
      'receipt t ussd 2026-11 fr herself',
      'receipt f ussd 2026-11 fr herself',
    ])
  })

  test('by a callback is one row however late the callback comes again, and two callbacks are two rows', async () => {
    const word = { ...sayingAt(testNow), memberId: member.id, purpose: 'receipt' as const, granted: false }
    const by = (callback: string, at: Date) => recordWords(database.db.pool, [{ ...word, callback, at }])
    expect(await by('ussd/1', testNow)).toBe(1)
    expect(await by('ussd/2', testNow)).toBe(1)
    expect(await by('ussd/1', hours(48))).toBe(0)
    expect(await historyOf(member.id)).toHaveLength(2)
  })

  test('of nobody is a yes to nothing', async () => {
    const unasked = await createMember(database.db, programme, { consents: [] })
    const { granted } = await readConsents(database.db.reads, unasked.id)
    expect(granted).toEqual(Object.fromEntries(consentPurposes.map((purpose) => [purpose, false])))
  })
})

describe('a no counts at once', () => {
  test('to one purpose: waiting messages of it are suppressed in the same transaction, others stay', async () => {
    const statuses = await waiting('receipt', 'reminder', 'meeting', 'training', 'reply', 'code')
    const word = { ...sayingAt(testNow), memberId: member.id, granted: false }
    await database.db.transaction((tx) => setConsents(tx, [{ ...word, purpose: 'meeting' }], testNow))
    expect(await statuses()).toEqual({
      receipt: 'created',
      reminder: 'created',
      meeting: 'suppressed no_consent',
      training: 'suppressed no_consent',
      reply: 'created',
      code: 'created',
    })
  })

  test('that is older than her newest word changes nothing', async () => {
    const statuses = await waiting('reminder')
    const word = { ...sayingAt(new Date('2024-01-01T00:00:00Z')), memberId: member.id, granted: false }
    await database.db.transaction((tx) => setConsents(tx, [{ ...word, purpose: 'reminder' }], testNow))
    expect(await statuses()).toEqual({ reminder: 'created' })
  })

  test('to all: everything but answers stops, and the word is kept for each who shares the phone', async () => {
    const other = await createMember(database.db, programme, { phoneId: member.phoneId })
    const statuses = await waiting('receipt', 'reminder', 'reply')
    const saying = { ...sayingAt(testNow), channel: 'sms' as const, wording: 'keyword' }
    await database.db.transaction((tx) => stopMessages(tx, { phoneId: member.phoneId }, saying))
    expect(await statuses()).toEqual({
      receipt: 'suppressed opted_out',
      reminder: 'suppressed opted_out',
      reply: 'created',
    })
    for (const one of [member, other]) {
      expect(await historyOf(one.id)).toEqual(['all f sms keyword fr herself'])
      expect((await readConsents(database.db.reads, one.id)).stopped).toBe(true)
    }
  })
})

describe('members of a running programme', () => {
  test('are not silenced by the update: what was open stays open, what was refused stays refused', async () => {
    const stamp = '20261124102000'
    const older = mkdtempSync(join(tmpdir(), 'tama-older-'))
    cpSync('prisma', older, { recursive: true })
    for (const name of readdirSync(join(older, 'migrations')))
      if (name >= stamp && name !== 'migration_lock.toml')
        rmSync(join(older, 'migrations', name), { recursive: true })
    const adminUrl = inject('adminUrl')
    const admin = new pg.Client({ connectionString: adminUrl })
    await admin.connect()
    await admin.query('create database t_running')
    const url = adminUrl.replace(/\/tama$/, '/t_running')
    const client = new pg.Client({ connectionString: url })
    try {
      await migrate(url, older)
      await client.connect()
      await client.query(`
        insert into programmes (code, name, service_code, sender_id, currency_code, country, time_zone, languages)
        values ('old', 'Old', '*1#', 'OLD', 'XOF', 'SN', 'Africa/Dakar', '{fr}');
        insert into members (programme_id, number, first_name, last_name, alias)
        select id, n, n, n, n from programmes, unnest(array['silent', 'no_reminder', 'no_training', 'both']) as n;
        insert into consents (member_id, purpose, granted, channel, language, collected_at)
        select m.id, w.purpose, w.granted, 'ussd', 'fr', w.at::timestamptz from members m
          join (values ('no_reminder', 'reminder', false, '2026-05-01'), ('no_training', 'training', false, '2026-05-01'),
                       ('both', 'meeting', false, '2026-05-01'), ('both', 'training', true, '2026-06-01'))
            as w (number, purpose, granted, at) on w.number = m.number;`)
      await migrate(url, 'prisma')
      const { rows } = await client.query<{ number: string; words: string }>(`
        select m.number, string_agg(distinct c.purpose || ' ' || (select n.granted from consents n
                 where n.member_id = m.id and n.purpose = c.purpose order by n.collected_at desc, n.id desc limit 1), ', ') as words
          from members m join consents c on c.member_id = m.id group by m.number order by m.number`)
      expect(Object.fromEntries(rows.map((row) => [row.number, row.words]))).toEqual({
        silent: 'meeting true, receipt true, reminder true',
        no_reminder: 'meeting true, receipt true, reminder false',
        no_training: 'meeting false, receipt true, reminder true',
        both: 'meeting false, receipt true, reminder true',
      })
      const legacy = await client.query(
        `select distinct channel, wording, language, collector from consents where granted and purpose = 'receipt'`,
      )
      expect(legacy.rows).toEqual([
        { channel: 'import', wording: 'legacy', language: 'fr', collector: 'migration' },
      ])
    } finally {
      await client.end()
      await admin.query('drop database if exists t_running with (force)')
      await admin.end()
      rmSync(older, { recursive: true })
    }
  })
})
