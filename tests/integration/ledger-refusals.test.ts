// Each refusal is provoked by plain SQL that goes around our code: whoever posts, the database holds the rules.
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createProgramme, type TestProgramme } from '../support/fixtures.ts'

let database: TestDatabase
let programme: TestProgramme
let other: TestProgramme
let client: pg.Client

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  other = await createProgramme(database.db, { code: 'adie', serviceCode: '*386*1', currency: 'EUR' })
  client = await connect()
})
afterAll(async () => {
  await client.end()
  await database.drop()
})
beforeEach(() => client.query('rollback'))

async function connect(): Promise<pg.Client> {
  const connection = new pg.Client({ connectionString: database.url })
  await connection.connect()
  return connection
}

async function openAccount(owner: TestProgramme = programme, currency = owner.currency): Promise<string> {
  const found = await client.query<{ id: string }>(
    `insert into accounts (programme_id, code, type, purpose, currency_code) values ($1, $2, 'asset', 'other', $3)
     returning id`,
    [owner.id, `test/${randomUUID()}`, currency],
  )
  return found.rows[0]?.id ?? ''
}

async function insertEntry(kind = 'adjustment', reverses: string | null = null): Promise<string> {
  const found = await client.query<{ id: string }>(
    `insert into entries (programme_id, reference, kind, booked_date, reverses_id)
     values ($1, $2, $3, '2026-11-22', $4) returning id`,
    [programme.id, randomUUID(), kind, reverses],
  )
  return found.rows[0]?.id ?? ''
}

async function insertPostings(entryId: string, lines: [accountId: string, amount: string][]): Promise<void> {
  for (const [accountId, amount] of lines)
    await client.query('insert into postings (entry_id, account_id, amount) values ($1, $2, $3)', [
      entryId,
      accountId,
      amount,
    ])
}

/** A committed entry of 100 between two new accounts. */
async function commitEntry(): Promise<{ entryId: string; from: string; to: string }> {
  const [from, to] = [await openAccount(), await openAccount()]
  await client.query('begin')
  const entryId = await insertEntry()
  await insertPostings(entryId, [
    [to, '100'],
    [from, '-100'],
  ])
  await client.query('commit')
  return { entryId, from, to }
}

/** Runs `work` in a transaction up to its commit and gives the SQLSTATE that stopped it. */
async function refusal(work: () => Promise<unknown>): Promise<string> {
  try {
    await client.query('begin')
    await work()
    await client.query('commit')
    return 'none'
  } catch (error) {
    await client.query('rollback')
    return (error as pg.DatabaseError).code ?? String(error)
  }
}

describe('the database refuses', () => {
  test('an unbalanced entry', async () => {
    const [from, to] = [await openAccount(), await openAccount()]
    const code = await refusal(async () =>
      insertPostings(await insertEntry(), [
        [to, '100'],
        [from, '-99'],
      ]),
    )
    expect(code).toBe('TL001')
  })

  test('an entry that mixes currencies, even when the figures balance', async () => {
    const [francs, euros] = [await openAccount(), await openAccount(programme, 'EUR')]
    const code = await refusal(async () =>
      insertPostings(await insertEntry(), [
        [francs, '100'],
        [euros, '-100'],
      ]),
    )
    expect(code).toBe('TL002')
  })

  test.each([
    ['update an entry', "update entries set description = 'changed'"],
    ['update an entry to the same', 'update entries set reference = reference'],
    ['delete an entry', 'delete from entries'],
    ['truncate entries', 'truncate entries cascade'],
    ['update a posting', 'update postings set amount = amount + 1'],
    ['delete a posting', 'delete from postings'],
    ['truncate postings', 'truncate postings'],
    [
      'replace an entry on conflict',
      `insert into entries (programme_id, reference, kind, booked_date) select programme_id, reference, kind, booked_date
         from entries limit 1 on conflict (programme_id, reference) do update set kind = 'fee'`,
    ],
  ])('to %s', async (_what, sql) => {
    await commitEntry()
    expect(await refusal(() => client.query(sql))).toBe('TL003')
  })

  test('a second reversal of one entry', async () => {
    const { entryId, from, to } = await commitEntry()
    const reverse = async () =>
      insertPostings(await insertEntry('reversal', entryId), [
        [to, '-100'],
        [from, '100'],
      ])
    expect(await refusal(reverse)).toBe('none')
    expect(await refusal(reverse)).toBe('23505')
  })

  test('a reversal that is no mirror', async () => {
    const { entryId, from, to } = await commitEntry()
    const code = await refusal(async () =>
      insertPostings(await insertEntry('reversal', entryId), [
        [to, '-99'],
        [from, '99'],
      ]),
    )
    expect(code).toBe('TL007')
  })

  test('a reversal of a reversal', async () => {
    const { entryId, from, to } = await commitEntry()
    let reversalId = ''
    await refusal(async () => {
      reversalId = await insertEntry('reversal', entryId)
      await insertPostings(reversalId, [
        [to, '-100'],
        [from, '100'],
      ])
    })
    const code = await refusal(async () =>
      insertPostings(await insertEntry('reversal', reversalId), [
        [to, '100'],
        [from, '-100'],
      ]),
    )
    expect(code).toBe('TL010')
  })

  test('a reversal that names nothing, and another kind that names an entry', async () => {
    const { entryId } = await commitEntry()
    expect(await refusal(() => insertEntry('reversal', null))).toBe('23514')
    expect(await refusal(() => insertEntry('adjustment', entryId))).toBe('23514')
  })

  test('a posting to a closed account', async () => {
    const [from, to] = [await openAccount(), await openAccount()]
    await client.query('update accounts set closed_at = now() where id = $1', [to])
    const code = await refusal(async () =>
      insertPostings(await insertEntry(), [
        [from, '-100'],
        [to, '100'],
      ]),
    )
    expect(code).toBe('TL004')
  })

  test('a posting to an entry that is already committed', async () => {
    const { entryId, from, to } = await commitEntry()
    const code = await refusal(() =>
      insertPostings(entryId, [
        [to, '1'],
        [from, '-1'],
      ]),
    )
    expect(code).toBe('TL006')
  })

  test('a posting to a committed entry whose transaction id the poster tries to forge', async () => {
    const { from, to } = await commitEntry()
    const code = await refusal(async () => {
      const found = await client.query<{ id: string }>(
        `insert into entries (programme_id, reference, kind, booked_date, tx_id)
         values ($1, $2, 'adjustment', '2026-11-22', '1') returning id`,
        [programme.id, randomUUID()],
      )
      await insertPostings(found.rows[0]?.id ?? '', [
        [to, '1'],
        [from, '-1'],
      ])
    })
    // The database sets the id itself, so the forged one does no harm.
    expect(code).toBe('none')
  })

  test('postings that come after the checks were brought forward', async () => {
    const [from, to] = [await openAccount(), await openAccount()]
    const code = await refusal(async () => {
      const entryId = await insertEntry()
      await insertPostings(entryId, [
        [to, '100'],
        [from, '-100'],
      ])
      await client.query('set constraints all immediate; set constraints all deferred')
      await insertPostings(entryId, [[to, '1']])
    })
    expect(code).toBe('TL001')
  })

  test('postings that spoil the entry of a reversal that was already checked', async () => {
    const [from, to] = [await openAccount(), await openAccount()]
    const code = await refusal(async () => {
      const entryId = await insertEntry()
      await insertPostings(entryId, [
        [to, '100'],
        [from, '-100'],
      ])
      await insertPostings(await insertEntry('reversal', entryId), [
        [to, '-100'],
        [from, '100'],
      ])
      await client.query('set constraints all immediate; set constraints all deferred')
      await insertPostings(entryId, [
        [to, '7'],
        [from, '-7'],
      ])
    })
    expect(code).toBe('TL007')
  })

  test('what is wrong, even when the poster puts tables of her own before the ledger', async () => {
    const [from, to] = [await openAccount(), await openAccount()]
    const entry = `insert into public.entries (programme_id, reference, kind, booked_date)
                   values ($1, $2, 'adjustment', '2026-11-22') returning id`
    const code = await refusal(async () => {
      await client.query(`create schema fake
        create table postings (entry_id uuid, account_id uuid, amount numeric)
        create table ledger_checks (id bigserial, written text, entry_ids uuid[])`)
      await client.query('set local search_path = fake, public')
      const { rows } = await client.query<{ id: string }>(entry, [programme.id, randomUUID()])
      for (const [accountId, amount] of [
        [to, '100'],
        [from, '-99'],
      ])
        await client.query('insert into public.postings (entry_id, account_id, amount) values ($1, $2, $3)', [
          rows[0]?.id,
          accountId,
          amount,
        ])
    })
    expect(code).toBe('TL001')
  })

  test('an entry whose waiting check the poster tries to take away', async () => {
    const [from, to] = [await openAccount(), await openAccount()]
    const code = await refusal(async () => {
      await insertPostings(await insertEntry(), [
        [to, '100'],
        [from, '-99'],
      ])
      await client.query(`update ledger_checks set entry_ids = '{}'`)
      await client.query('delete from ledger_checks')
    })
    expect(code).toBe('TL001')
  })

  test('more decimals than the currency has', async () => {
    const [from, to] = [await openAccount(), await openAccount()]
    const code = await refusal(async () =>
      insertPostings(await insertEntry(), [
        [to, '100.5'],
        [from, '-100.5'],
      ]),
    )
    expect(code).toBe('TL005')
  })

  test('an account of another programme', async () => {
    const [own, foreign] = [await openAccount(), await openAccount(other, 'XOF')]
    const code = await refusal(async () =>
      insertPostings(await insertEntry(), [
        [own, '100'],
        [foreign, '-100'],
      ]),
    )
    expect(code).toBe('TL009')
  })

  test('an entry without postings', async () => {
    expect(await refusal(() => insertEntry())).toBe('TL008')
  })

  test('a posting of zero', async () => {
    const account = await openAccount()
    expect(await refusal(async () => insertPostings(await insertEntry(), [[account, '0']]))).toBe('23514')
  })

  test('an account that moves to another currency or programme', async () => {
    const account = await openAccount()
    const change = (sql: string, value: string) => refusal(() => client.query(sql, [account, value]))
    expect(await change('update accounts set currency_code = $2 where id = $1', 'EUR')).toBe('TL003')
    expect(await change('update accounts set programme_id = $2 where id = $1', other.id)).toBe('TL003')
  })
})

describe('closing an account against a poster', () => {
  let second: pg.Client
  beforeAll(async () => {
    second = await connect()
  })
  afterAll(() => second.end())

  async function isWaiting(sql: string): Promise<boolean> {
    const found = await database.db.pool.query(
      "select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like $1 and datname = current_database()",
      [`${sql}%`],
    )
    return found.rowCount === 1
  }

  test('a close waits for a poster in flight, and the posting stands before it', async () => {
    const [from, to] = [await openAccount(), await openAccount()]
    await client.query('begin')
    await insertPostings(await insertEntry(), [
      [to, '100'],
      [from, '-100'],
    ])
    const close = second.query('update accounts set closed_at = now() where id = $1', [to])
    await vi.waitFor(async () => expect(await isWaiting('update accounts set closed_at')).toBe(true), 10_000)
    await client.query('commit')
    await close
    const late = await refusal(async () =>
      insertPostings(await insertEntry(), [
        [to, '1'],
        [from, '-1'],
      ]),
    )
    expect(late).toBe('TL004')
  })

  test('a poster waits for a close in flight and is refused after it', async () => {
    const [from, to] = [await openAccount(), await openAccount()]
    await second.query('begin')
    await second.query('update accounts set closed_at = now() where id = $1', [to])
    const posted = refusal(async () =>
      insertPostings(await insertEntry(), [
        [to, '100'],
        [from, '-100'],
      ]),
    )
    await vi.waitFor(async () => expect(await isWaiting('insert into postings')).toBe(true), 10_000)
    await second.query('commit')
    expect(await posted).toBe('TL004')
  })
})

describe('what is heard', () => {
  test('an entry posted by plain SQL leaves a ledger event and wakes the listeners; a refused one does not', async () => {
    const listener = await connect()
    const heard: string[] = []
    listener.on('notification', (message) => heard.push(message.channel))
    await listener.query('listen tama_ledger')
    const { entryId } = await commitEntry()
    await vi.waitFor(() => expect(heard).toContain('tama_ledger'), 10_000)
    const events = await client.query('select 1 from ledger_events where entry_id = $1', [entryId])
    expect(events.rowCount).toBe(1)
    const before = await client.query('select count(*) from ledger_events')
    await refusal(() => insertEntry())
    expect((await client.query('select count(*) from ledger_events')).rows).toEqual(before.rows)
    await listener.end()
  })
})
