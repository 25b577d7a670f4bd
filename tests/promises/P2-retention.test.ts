import { afterAll, beforeAll, expect, test } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { loadI18n } from '../../src/i18n.ts'
import { loadProgrammes } from '../../src/members/programmes.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createDaily } from '../../src/privacy/daily.ts'
import { createInbound } from '../../src/sms/inbound.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import {
  appointFacilitator,
  createMember,
  createProgramme,
  type TestMember,
  type TestProgramme,
} from '../support/fixtures.ts'
import { atScale, showFigure } from '../support/promises.ts'

const now = new Date('2027-06-01T03:00:00Z')
const keepDays = { texts: 90, callbacks: 30, dialogues: 7 }
const ages = [0, 1, 6, 8, 29, 31, 89, 91, 400] as const
/** Rows of each kind and age. */
const each = atScale(20, 20_000)

let database: TestDatabase
let programme: TestProgramme
let member: TestMember

const ago = (days: number) => new Date(now.getTime() - days * 86_400_000)
const newDaily = (batchRows: number) =>
  createDaily({
    db: database.db,
    clock: fixedClock(now),
    logger: silentLogger,
    metrics: createMetrics(),
    keepDays,
    batchRows,
  })

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  member = await createMember(database.db, programme)
  await appointFacilitator(database.db, programme, '+221776900001')
  for (const age of ages) await writeRows(age)
}, 300_000)
afterAll(() => database.drop())

/** A row of every kind, of one age; the age stands in a key, so that what is left can be told. */
async function writeRows(age: number): Promise<void> {
  const { pool } = database.db
  const at = ago(age)
  for (const [status, text] of [
    ['delivered', 'Awa Diatta'],
    ['unknown', 'Awa Diatta'],
    ['suppressed', null],
    ['queued', 'Awa Diatta'],
  ] as const)
    await pool.query(
      `insert into messages (programme_id, member_id, purpose, template, lane, dedupe_key, params, status, not_before, text,
                             provider_message_id, cost, created_at, updated_at)
       select $1, $2, 'reminder', 'reminder.due_3', 'planned', $3::text || '/' || i, '{"dueDate": "2027-01-01"}', $4, $5, $6,
              $3::text || i, 12, $5, $5 from generate_series(1, $7::int) i`,
      [programme.id, member.id, `${status}/${age}`, status, at, text, each],
    )
  for (const status of ['done', 'draft', 'sending'])
    await pool.query(
      `insert into notices (programme_id, channel, purpose, audience, texts, status, ended_at, dedupe_key, created_at)
       select $1, 'console', 'service', '{}', '{"fr": "Awa Diatta"}', $2::text, case when $2 = 'done' then $4::timestamptz end,
              $2 || '/' || $3 || '/' || i, $4 from generate_series(1, $5::int) i`,
      [programme.id, status, `${age}`, at, each],
    )
  await pool.query(
    `insert into delivery_reports (provider, provider_message_id, status, phone_ids, received_at)
     select 'africastalking', $1::text || '/' || i, 'Success', array[$3::uuid], $2 from generate_series(1, $4::int) i`,
    [`${age}`, at, member.phoneId, each],
  )
  await pool.query(
    `insert into inbound_messages (programme_id, provider, external_id, phone_id, keyword, received_at)
     select $1, 'africastalking', $2::text || '/' || i, $3, 'balance', $4 from generate_series(1, $5::int) i`,
    [programme.id, `${age}`, member.phoneId, at, each],
  )
  await pool.query(
    'insert into sim_checks (phone_id, wanted_at) select $1, $2 from generate_series(1, $3::int)',
    [member.phoneId, at, each],
  )
  await pool.query(
    `insert into verification_tries (programme_id, caller, hour, tries, misses, last_key)
     select $1, $2::text || '/' || i, $3, 1, 1, 'hop' from generate_series(1, $4::int) i`,
    [programme.id, `${age}`, at, each],
  )
  await pool.query(
    `insert into unmatched_codes (programme_id, occurred_at, phone_mark, code_mark, well_formed, dedupe_key)
     select $1, $3, 'phone', 'code', true, $2::text || '/' || i from generate_series(1, $4::int) i`,
    [programme.id, `${age}`, at, each],
  )
  await pool.query(
    `insert into ussd_sessions (key, state, version, caller, expires_at)
     select $1::text || '/' || i, '{}', 1, 'caller', $2 from generate_series(1, $3::int) i`,
    [`${age}`, at, each],
  )
  await pool.query(
    `insert into sign_in_codes (staff_id, code_hash, sent_at)
     select s.id, $1::text || '/' || i, $2 from staff s, generate_series(1, $3::int) i`,
    [`${age}`, at, each],
  )
  await pool.query(
    `insert into console_sessions (token_hash, staff_id, created_at, seen_at)
     select $1::text || '/' || i, s.id, $2, $2 from staff s, generate_series(1, $3::int) i`,
    [`${age}`, at, each],
  )
  await pool.query(
    `insert into rate_limits (key, points, expire) select $1::text || '/' || i, 1, $2 from generate_series(1, $3::int) i`,
    [`${age}`, at.getTime(), each],
  )
  // What still waits is told first, however old it is.
  await pool.query(
    `with w as (insert into webhooks (programme_id, url, events, created_at) values ($1, 'https://hears.example', '{}', $2) returning id)
     insert into webhook_deliveries (webhook_id, event, payload, created_at, last_error, next_at)
     select id, 'case.opened', '{}', $2, $3::text || '/' || i, case when i = 1 then $2 end from w, generate_series(1, $4::int) i`,
    [programme.id, at, `${age}`, each + 1],
  )
  await pool.query(
    `insert into ussd_replies (session_key, input_hash, reply, expires_at)
     select $1::text || '/' || i, 'hash', 'CON', $2 from generate_series(1, $3::int) i`,
    [`${age}`, at, each],
  )
}

/** How many rows of each age fulfil a condition, as "age:count". */
async function left(table: string, key: string, condition = 'true'): Promise<string[]> {
  const { rows } = await database.db.pool.query<{ line: string }>(
    `select ${key} || ':' || count(*) as line from ${table} where ${condition} group by ${key} order by (${key})::int`,
  )
  return rows.map((row) => row.line)
}
const allOf = (...of: number[]) => of.map((age) => `${age}:${each}`)

test('after its days each kind is forgotten, the day before it is not, and facts and ids stay', async () => {
  const columns = (table: string) =>
    database.db.pool.query(
      `select md5(string_agg(r::text, '|' order by r::text)) as sum from (
         select id, programme_id, member_id, purpose, template, params, status, provider_message_id, cost, updated_at
           from ${table}) r`,
    )
  const factsBefore = (await columns('messages')).rows
  const startedAt = performance.now()
  const purged = (await newDaily(atScale(7, 5_000)).runOnce(now))?.purged ?? {}
  const seconds = (performance.now() - startedAt) / 1_000

  const age = "split_part(dedupe_key, '/', 2)"
  const of = (status: string, more: string) => left('messages', age, `status = '${status}' and ${more}`)
  for (const status of ['delivered', 'unknown']) {
    expect(await of(status, 'text is not null')).toEqual(allOf(0, 1, 6, 8, 29, 31, 89))
    expect(await of(status, `text is null and text_purged_at = '${now.toISOString()}'`)).toEqual(
      allOf(91, 400),
    )
  }
  // It may still leave, so its text is not history yet.
  expect(await of('queued', 'text is not null and text_purged_at is null')).toEqual(allOf(...ages))
  expect((await columns('messages')).rows).toEqual(factsBefore)

  const notices = (status: string, more: string) =>
    left('notices', age, `dedupe_key like '${status}/%' and ${more}`)
  for (const status of ['done', 'draft'])
    expect(await notices(status, `texts <> '{}'`)).toEqual(allOf(0, 1, 6, 8, 29, 31, 89))
  expect(await notices('draft', `status = 'undone'`)).toEqual(allOf(91, 400))
  expect(await notices('sending', `texts <> '{}'`)).toEqual(allOf(...ages))

  const idAge = "split_part(external_id, '/', 1)"
  expect(await left('inbound_messages', idAge)).toEqual(allOf(...ages))
  const emptied = 'phone_id is null and keyword is null and programme_id is null'
  expect(await left('inbound_messages', idAge, emptied)).toEqual(allOf(31, 89, 91, 400))
  expect(await left('inbound_messages', idAge, `not (${emptied})`)).toEqual(allOf(0, 1, 6, 8, 29))

  expect(await left('delivery_reports', "split_part(provider_message_id, '/', 1)")).toEqual(
    allOf(0, 1, 6, 8, 29),
  )
  expect(await left('ussd_sessions', "split_part(key, '/', 1)")).toEqual(allOf(0, 1, 6))
  expect(await left('ussd_replies', "split_part(session_key, '/', 1)")).toEqual(allOf(0, 1, 6))

  expect(await left('verification_tries', "split_part(caller, '/', 1)")).toEqual(allOf(0, 1))
  expect(await left('unmatched_codes', "split_part(dedupe_key, '/', 1)")).toEqual(allOf(0, 1, 6, 8, 29))

  expect(await left('sign_in_codes', "split_part(code_hash, '/', 1)")).toEqual(allOf(0, 1))
  expect(await left('console_sessions', "split_part(token_hash, '/', 1)")).toEqual(allOf(0, 1, 6))
  const tellingAge = "split_part(last_error, '/', 1)"
  expect(await left('webhook_deliveries', tellingAge, 'next_at is null')).toEqual(allOf(0, 1, 6, 8, 29))
  expect(await left('webhook_deliveries', tellingAge, 'next_at is not null')).toEqual(
    ages.map((one) => `${one}:1`),
  )
  expect(await left('rate_limits', "split_part(key, '/', 1)")).toEqual(allOf(0, 1))

  const total = Object.values(purged).reduce((sum, count) => sum + count, 0)
  expect(purged).toEqual({
    texts: 3 * 2 * each,
    notice_texts: 2 * 2 * each,
    delivery_reports: 4 * each,
    inbound_messages: 4 * each,
    sim_checks: 4 * each,
    ussd_sessions: 6 * each,
    ussd_replies: 6 * each,
    idempotency_keys: 0,
    verification_tries: 7 * each,
    unmatched_codes: 4 * each,
    sign_in_codes: 7 * each,
    console_sessions: 6 * each,
    rate_limits: 7 * each,
    // Kept longer than any age here; tests/integration/ussd-paths has its day.
    ussd_path_counts: 0,
    webhook_deliveries: 4 * each,
  })
  const { rows: audited } = await database.db.pool.query(
    "select action, subject, after from audit_log where actor = 'system:retention' order by id",
  )
  expect(audited).toEqual([{ action: 'retention.purged', subject: 'house', after: purged }])
  showFigure(
    'P2',
    `${total} rows of ${Object.keys(purged).length} kinds forgotten in ${seconds.toFixed(1)} s, 0 too many, 0 too few, every fact and id kept`,
  )
}, 300_000)

test('a second round forgets nothing more', async () => {
  const round = await newDaily(5_000).runOnce(now)
  expect(new Set(Object.values(round?.purged ?? {}))).toEqual(new Set([0]))
}, 60_000)

test('an SMS whose row was emptied is still known when the provider repeats it', async () => {
  const { db } = database
  const inbound = createInbound({
    db,
    clock: fixedClock(now),
    logger: silentLogger,
    metrics: createMetrics(),
    i18n: loadI18n('locales'),
    programmes: await loadProgrammes(db),
  })
  const optedOut = async () =>
    (await db.pool.query<{ at: Date | null }>('select opted_out_at as at from phones')).rows[0]?.at ??
    undefined
  const stop = { provider: 'africastalking', from: member.msisdn, to: '21384', text: 'STOP' }
  await inbound.receive({ ...stop, id: '400/1' })
  expect(await optedOut()).toBeUndefined()
  // The same words under an id of their own are heard.
  await inbound.receive({ ...stop, id: 'new' })
  expect(await optedOut()).toEqual(now)
})

test('two planners at once do the work once', async () => {
  await database.db.pool.query('update inbound_messages set keyword = $1', ['balance'])
  const rounds = await Promise.all([newDaily(3).runOnce(now), newDaily(3).runOnce(now)])
  const total = rounds.reduce((sum, round) => sum + (round?.purged.inbound_messages ?? 0), 0)
  expect(total).toBe(4 * each)
}, 120_000)
