import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { berkaFolder, writeBerkaFiles } from '../../bench/berka.mjs'
import { fixedClock } from '../../src/clock.ts'
import { type ImportReport, importFile } from '../../src/imports/import.ts'
import { readStatement, type StatementCursor } from '../../src/ledger/statement.ts'
import { loadProgrammes } from '../../src/members/programmes.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import { createProgramme, testNow } from '../support/fixtures.ts'

if (berkaFolder === undefined)
  console.warn("The Berka bank's files (../shared/data/berka) are not here: its import is not tested")

/** The command of the data's README: credits less debits. */
const totalByAwk = (file: string) =>
  execFileSync('awk', [
    '-F;',
    'NR>1{gsub(/"/,"");c=int($6*100+0.5);s+=($4=="PRIJEM"?c:-c)}END{printf "%.2f\\n",s/100}',
    file,
  ])
    .toString()
    .trim()

describe.skipIf(berkaFolder === undefined)("a real bank's ledger", () => {
  const folder = mkdtempSync(join(tmpdir(), 'tama-berka-'))
  let database: TestDatabase
  let load: (kind: 'members' | 'loans' | 'entries') => Promise<ImportReport>

  beforeAll(async () => {
    database = await createTestDatabase()
    await createProgramme(database.db, {
      code: 'berka',
      currency: 'CZK',
      country: 'CZ',
      timeZone: 'Europe/Prague',
    })
    const [programme] = await loadProgrammes(database.db)
    if (programme === undefined) throw new Error('no programme')
    const files = writeBerkaFiles(folder)
    const clock = fixedClock(testNow)
    const fixed = { db: database.db, clock, logger: silentLogger, programme, actor: 'operator' }
    load = (kind) => importFile({ ...fixed, kind, file: files[kind], silent: true })
  })
  afterAll(async () => {
    await database.drop()
    rmSync(folder, { recursive: true })
  })

  it('49,102 transactions and 682 loans are taken, exact to the cent; a second time writes nothing', async () => {
    expect(await load('members')).toMatchObject({ written: 4_500, faults: [] })
    expect(await load('loans')).toMatchObject({ written: 682, faults: [] })
    expect(await load('entries')).toMatchObject({ rows: 98_204, written: 49_102, faults: [] })
    const { rows } = await database.db.pool.query(
      `select (select (-sum(p.amount))::numeric(20, 2)::text from postings p join accounts a on a.id = p.account_id
                where a.purpose = 'savings') as saved,
              (select sum(p.amount)::numeric(20, 2)::text from postings p join accounts a on a.id = p.account_id
                where a.purpose = 'loan') as lent,
              (select sum(principal)::numeric(20, 2)::text from instalments) as due,
              (select count(*)::int from accounts where purpose = 'savings') as books,
              (select count(*)::int from ledger_events where handled_at is null) as untold`,
    )
    const lent = execFileSync('awk', [
      '-F;',
      'NR>1{s+=$4}END{printf "%.2f\\n",s}',
      join(berkaFolder ?? '', 'loan.asc'),
    ])
      .toString()
      .trim()
    const saved = totalByAwk(join(berkaFolder ?? '', 'trans.asc'))
    expect(rows).toEqual([{ saved, lent, due: lent, books: 1_229, untold: 0 }])
    for (const kind of ['members', 'loans', 'entries'] as const)
      expect(await load(kind)).toMatchObject({ written: 0, faults: [] })
  }, 180_000)

  it('the statement of any account reads like the bank wrote it, with the running balance, page by page', async () => {
    const [programme] = await loadProgrammes(database.db)
    for (const account of ['576', '2378']) {
      const expected = statementInFile(account)
      const shown: string[] = []
      let after: StatementCursor | undefined
      do {
        const page = { limit: 10, ...(after === undefined ? {} : { after }) }
        const statement = await readStatement(
          database.db.pool,
          programme?.id ?? '',
          `savings/${account}`,
          page,
        )
        shown.push(
          ...(statement?.rows ?? []).map(
            ({ bookedDate, amount, balance }) =>
              `${bookedDate} ${amount.negated().toFixed(2)} ${balance.negated().toFixed(2)}`,
          ),
        )
        after = statement?.next
      } while (after !== undefined)
      expect(shown.length).toBeGreaterThan(20)
      expect(shown).toEqual(expected)
    }
  })
})

/** Day, amount and balance after it, computed in whole cents. */
function statementInFile(account: string): string[] {
  const cents = (value: bigint) => {
    const digits = String(value < 0n ? -value : value).padStart(3, '0')
    return `${value < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`
  }
  let balance = 0n
  return readFileSync(join(berkaFolder ?? '', 'trans.asc'), 'utf8')
    .split('\r\n')
    .map((line) => line.replaceAll('"', '').split(';'))
    .filter(([, owner]) => owner === account)
    .map(([, , day = '', type, , amount = '']) => {
      const size = BigInt(amount.replace('.', ''))
      const change = type === 'PRIJEM' ? size : -size
      balance += change
      return `19${day.slice(0, 2)}-${day.slice(2, 4)}-${day.slice(4)} ${cents(change)} ${cents(balance)}`
    })
}
