// S10: one programme's key reaches nothing of another, by any route, and not even by a query that forgot its WHERE.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { recordAudit } from '../../src/audit.ts'
import type { Queryable } from '../../src/db.ts'
import { createApiKey } from '../../src/http/keys.ts'
import { type ApiUnderTest, createGround, type Ground, routesIn, sampleOf, serveApi } from '../support/api.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createProgramme, testNow } from '../support/fixtures.ts'
import { showFigure } from '../support/promises.ts'
import { changedTables, snapshotTables } from '../support/tables.ts'

let database: TestDatabase
let api: ApiUnderTest
let mine: Ground
let theirs: Ground
let myKey: string

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  mine = await createGround(db, await createProgramme(db))
  theirs = await createGround(
    db,
    await createProgramme(db, {
      code: 'palmis',
      serviceCode: '*385*1',
      senderId: 'PALMIS',
      shortcode: '385',
      currency: 'HTG',
    }),
  )
  myKey = await createApiKey(db, mine.programme.id, 'mine')
  api = await serveApi(db)
  for (const ground of [mine, theirs]) await fillTables(db.pool, ground)
})
afterAll(async () => {
  await api.close()
  await database.drop()
})

/** A row for each programme in every table that the API may reach and that the ground has not filled. */
async function fillTables(db: Queryable, ground: Ground): Promise<void> {
  const { programme, member, entry } = ground
  const [memberRow] = (
    await db.query<{ id: string }>('select id from members where programme_id = $1 and number = $2', [
      programme.id,
      member,
    ])
  ).rows
  const ids = [programme.id, memberRow?.id, programme.groupId, testNow]
  const run = (sql: string, values: unknown[]) => db.query(sql, values)
  const msisdn = programme.code === 'fansoto' ? '+221776000001' : '+50937000001'
  await run(
    `insert into staff (programme_id, first_name, last_name, msisdn, role, language) values ($1, 'B', 'S', $2, 'branch', 'fr')`,
    [programme.id, msisdn],
  )
  await run(
    `insert into consents (member_id, purpose, granted, channel, wording, collector, collected_at)
     values ($1, 'reminder', true, 'ussd', '1', 'herself', $2)`,
    [ids[1], testNow],
  )
  await run(
    `with m as (insert into meetings (group_id, starts_at, place) values ($2, $3, 'x') returning id)
     insert into meeting_answers (meeting_id, member_id, coming, channel, answered_at) select id, $1, true, 'ussd', $3 from m`,
    ids.slice(1),
  )
  await run(
    `with m as (insert into training_modules (programme_id, number, titles) values ($1, 1, '{}') returning id),
          s as (insert into training_sessions (module_id, group_id, starts_at, place) select id, $3, $4, 'x' from m returning id)
     insert into training_attendances (session_id, member_id, attended) select id, $2, true from s`,
    ids,
  )
  await run(
    `insert into cases (programme_id, member_id, kind, reference, dedupe_key, opened_at) values ($1, $2, 'call_back', $4, $4, $3)`,
    [ids[0], ids[1], testNow, `case ${programme.code}`],
  )
  await run(
    `with m as (insert into messages (programme_id, member_id, purpose, template, lane, dedupe_key, not_before)
                values ($1, $2, 'notice', 't', 'bulk', 'k', $3) returning id)
     insert into message_events (message_id, from_status, to_status, source, occurred_at) select id, 'created', 'queued', 'relay', $3 from m`,
    [ids[0], ids[1], testNow],
  )
  const [phone] = (
    await db.query<{ id: string }>('select phone_id as id from member_phones where member_id = $1', [ids[1]])
  ).rows
  await run(
    `with s as (select id from staff where programme_id = $3 limit 1)
     insert into phone_confirmations (member_id, phone_id, staff_id, confirmed_at) select $1, $2, s.id, $4 from s`,
    [ids[1], phone?.id, programme.id, testNow],
  )
  await run('insert into sim_checks (phone_id, wanted_at) values ($1, $2)', [phone?.id, testNow])
  await run(
    `insert into entry_erasures (entry_id, erased_at) select id, $2 from entries where programme_id = $1 limit 1`,
    [programme.id, testNow],
  )
  await run(
    `insert into receipt_codes (programme_id, code, entry_id, member_id, issued_at)
     select $1, '482916', id, $2, $3 from entries where programme_id = $1 limit 1`,
    [programme.id, ids[1], testNow],
  )
  await run(
    `insert into unmatched_codes (programme_id, occurred_at, phone_mark, code_mark, well_formed, dedupe_key)
     values ($1::uuid, $2, 'phone', 'code', true, $1::uuid::text)`,
    [programme.id, testNow],
  )
  await run(
    `with s as (select id from staff where programme_id = $1 limit 1),
          p as (insert into staff_pins (staff_id, hash, set_at) select id, 'none', $2 from s)
     insert into console_sessions (token_hash, staff_id, created_at, seen_at) select $1::text, id, $2, $2 from s`,
    [programme.id, testNow],
  )
  await run(
    `with n as (insert into notices (programme_id, channel, purpose, audience, dedupe_key, created_at)
                values ($1, 'api', 'service', '{}', 'filler', $3) returning id)
     insert into notice_recipients (notice_id, member_id) select id, $2 from n`,
    [programme.id, ids[1], testNow],
  )
  await run(
    `insert into group_calendars (group_id, rule, starts_on, start_minute, place, created_at)
     values ($1, 'FREQ=WEEKLY', '2026-11-01', 600, 'x', $2)`,
    [programme.groupId, testNow],
  )
  await run(
    `insert into meeting_attendances (meeting_id, member_id, attended, taken_by, taken_at)
     select id, $1::uuid, true, 'test', $3 from meetings where group_id = $2 limit 1`,
    [ids[1], programme.groupId, testNow],
  )
  await run(
    `with w as (insert into webhooks (programme_id, url, events, created_at) values ($1, 'https://example.org', '{}', $2) returning id)
     insert into webhook_deliveries (webhook_id, event, payload, created_at) select id, 'case.opened', '{}', $2 from w`,
    [programme.id, testNow],
  )
  await run(
    `insert into ussd_path_counts (programme_id, day, menu, state, shown, stopped) values ($1, $2, 'member', 'home', 1, 1)`,
    [programme.id, testNow],
  )
  await run(`update members set group_id = null where id = $1`, [ids[1]])
  await run(`update members set group_id = $2 where id = $1`, [ids[1], programme.groupId])
  await recordAudit(db, {
    at: testNow,
    programmeId: programme.id,
    actor: 'operator',
    action: 'test.made',
    subject: `entry:${entry}`,
  })
  const key = await createApiKey(database.db, programme.id, 'filler')
  const sample = sampleOf('post /entries', ground)
  const reply = await api.call(key, 'post', sample.path, sample.body, { 'idempotency-key': 'filler' })
  expect(reply.status).toBe(201)
}

describe('every route, called with the ids of another programme', () => {
  it('answers 404 or 422 as if nothing were there, and changes no row', async () => {
    const routes = routesIn(api.router)
    expect(routes.length).toBeGreaterThanOrEqual(7)
    const reached = { refused: 0, own: 0 }
    for (const route of routes) {
      const { path, body, namesNothing } = sampleOf(route, theirs)
      const before = await snapshotTables(database.db.pool, ['api_keys'])
      const ofTheirs = await database.db.inProgramme(theirs.programme.id, readable)
      const reply = await api.call(myKey, route.split(' ')[0] ?? '', path, body)
      for (const secret of [theirs.loan, theirs.entry, theirs.programme.id])
        expect(reply.text, route).not.toContain(secret)
      if (namesNothing === true && reply.status < 300) {
        reached.own += 1
        expect(await database.db.inProgramme(theirs.programme.id, readable), route).toEqual(ofTheirs)
        continue
      }
      reached.refused += 1
      expect([404, 422], `${route}: ${reply.status} ${reply.text}`).toContain(reply.status)
      expect(changedTables(before, await snapshotTables(database.db.pool, ['api_keys'])), route).toEqual([])
    }
    showFigure(
      'S10',
      `${routes.length} routes tried with another programme's ids: ${reached.refused} refused, 0 rows changed`,
    )
  })

  it('the same requests are good ones at home', async () => {
    const ground = await createGround(database.db, mine.programme)
    const phones =
      'select 1 from inbound_messages i full join delivery_reports r on false where phone_id is not null or phone_ids[1] is not null'
    const named = (await database.db.pool.query(phones)).rowCount ?? 0
    for (const route of routesIn(api.router)) {
      const { path, body } = sampleOf(route, ground)
      const reply = await api.call(myKey, route.split(' ')[0] ?? '', path, body)
      expect(reply.status, `${route}: ${reply.text}`).toBeLessThan(300)
    }
    // The erasure among them emptied one SMS and one report.
    expect((await database.db.pool.query(phones)).rowCount).toBe(named - 2)
  })
})

describe('a query without a WHERE, as the API runs it', () => {
  /** Tables that hold no programme's data. */
  const shared = ['currencies']

  it('sees rows of its own programme only, in every table of the catalogue, and none without a programme', async () => {
    let opened = 0
    let closed = 0
    for (const table of await tables(database.db.pool)) {
      if (shared.includes(table)) continue
      const own = await rowsOf(mine.programme.id, table)
      const other = await rowsOf(theirs.programme.id, table)
      if (own === 'closed' || other === 'closed') {
        expect([own, other], table).toEqual(['closed', 'closed'])
        closed += 1
        continue
      }
      opened += 1
      // Both programmes must have rows here, or the test would prove nothing: add them to fillTables.
      expect(own.length, `${table} has rows of both programmes`).toBeGreaterThan(0)
      expect(other.length, `${table} has rows of both programmes`).toBeGreaterThan(0)
      expect(
        own.filter((row) => other.includes(row)),
        table,
      ).toEqual([])
      expect(await rowsOf('', table), table).toEqual([])
    }
    expect(opened).toBeGreaterThan(20)
    showFigure('S10', `${opened} tables held to one programme, ${closed} closed to the API`)
  })

  it('changes and removes nothing of another programme, in no table that it may write', async () => {
    const before = await database.db.inProgramme(theirs.programme.id, readable)
    for (const table of await tables(database.db.pool)) {
      const { rows } = await database.db.pool.query<{ name: string }>(
        `select attname as name from pg_attribute where attrelid = $1::regclass and attnum > 0 and not attisdropped
            and attgenerated = '' limit 1`,
        [table],
      )
      const name = rows[0]?.name ?? ''
      for (const sql of [`update "${table}" set "${name}" = "${name}"`, `delete from "${table}"`])
        await database.db
          .inProgramme(mine.programme.id, async (tx) => {
            const own = await tx.query(`select 1 from "${table}"`).catch(() => undefined)
            if (own === undefined) throw rollback
            const touched = await tx.query(sql).catch(() => undefined)
            expect(touched?.rowCount ?? 0, sql).toBeLessThanOrEqual(own.rowCount ?? 0)
            throw rollback
          })
          .catch(ignoreRollback)
    }
    expect(await database.db.inProgramme(theirs.programme.id, readable)).toEqual(before)
  })

  it('cannot write a row into another programme', async () => {
    const writing = (sql: string, values: unknown[]) =>
      database.db.inProgramme(mine.programme.id, (tx) => tx.query(sql, values))
    await expect(
      writing(`insert into groups (programme_id, code, name, place) values ($1, 'G9', 'x', 'x')`, [
        theirs.programme.id,
      ]),
    ).rejects.toMatchObject({ code: '42501' })
    await expect(
      writing(`update members set programme_id = $1`, [theirs.programme.id]),
    ).rejects.toMatchObject({ code: '42501' })
    await expect(
      writing(
        `insert into postings (entry_id, account_id, amount)
         select e.id, $1, 1 from entries e limit 1`,
        [
          (
            await database.db.pool.query(`select id from accounts where programme_id = $1 limit 1`, [
              theirs.programme.id,
            ])
          ).rows[0]?.id,
        ],
      ),
    ).rejects.toMatchObject({ code: '42501' })
  })

  it('every table with a policy is isolated by it, and every table that the API may read has one', async () => {
    const { rows } = await database.db.pool.query<{ name: string }>(
      `select relname as name from pg_class where relkind in ('r', 'v', 'm') and relnamespace = 'public'::regnamespace
          and not relrowsecurity
          and (has_table_privilege('tama_api', oid, 'select') or has_any_column_privilege('tama_api', oid, 'select'))`,
    )
    expect(rows.map(({ name }) => name)).toEqual(shared)
  })

  it('leaves no role and no programme behind on the connection', async () => {
    await database.db.inProgramme(mine.programme.id, (tx) => tx.query('select 1'))
    await database.db.inProgramme(mine.programme.id, () => Promise.reject(rollback)).catch(ignoreRollback)
    const states = await Promise.all(
      Array.from({ length: 10 }, () =>
        database.db.pool.query(
          `select current_user = session_user as same, current_setting('tama.programme', true) as programme`,
        ),
      ),
    )
    for (const { rows } of states) {
      expect(rows[0].same).toBe(true)
      expect(rows[0].programme ?? '').toBe('')
    }
  })
})

const rollback = new Error('rolled back')
const ignoreRollback = (error: unknown) => {
  if (error !== rollback) throw error
}

async function tables(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    `select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
        and relname <> '_prisma_migrations' order by 1`,
  )
  return rows.map(({ name }) => name)
}

/** Places of the rows that one programme sees, or "closed". */
async function rowsOf(programmeId: string, table: string): Promise<string[] | 'closed'> {
  try {
    return await database.db.inProgramme(programmeId, async (tx) => {
      const { rows } = await tx.query<{ place: string }>(`select ctid::text as place from "${table}"`)
      return rows.map(({ place }) => place)
    })
  } catch (error) {
    expect(error).toMatchObject({ code: '42501' })
    return 'closed'
  }
}

/** A checksum of all that the programme of this transaction can see. */
async function readable(tx: Queryable): Promise<Record<string, string>> {
  const { rows } = await tx.query<{ name: string }>(
    `select relname as name from pg_class where relkind = 'r' and relrowsecurity and has_table_privilege(oid, 'select')
      order by 1`,
  )
  const figures: Record<string, string> = {}
  for (const { name } of rows) {
    const found = await tx.query<{ figure: string }>(
      `select count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) as figure from "${name}" t`,
    )
    figures[name] = found.rows[0]?.figure ?? ''
  }
  return figures
}
