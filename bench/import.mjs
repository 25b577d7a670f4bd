// The CSV import of a real bank's 49,102 transactions (two postings each), against a plain multi-row insert of the same rows into
// the same tables. Rounds interleaved, medians.   node bench/import.mjs [rounds]
import { randomUUID } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../dist/clock.js'
import { createDb } from '../dist/db.js'
import { importFile } from '../dist/imports/import.js'
import { openAccounts, standardAccounts } from '../dist/ledger/accounts.js'
import { createLogger } from '../dist/logger.js'
import { loadProgrammes } from '../dist/members/programmes.js'
import { berkaFolder, writeBerkaFiles } from './berka.mjs'
import { cleanUp, median, printTable, round, startDatabase } from './support.mjs'

if (berkaFolder === undefined) {
  console.log("The Berka bank's files (../shared/data/berka) are not here: the import is not measured.")
  process.exit(0)
}

const rounds = Number(process.argv[2] ?? 5)
const rowsPerInsert = 1_000
const folder = mkdtempSync(join(tmpdir(), 'tama-bench-berka-'))
const files = writeBerkaFiles(folder)
const logger = createLogger('silent')
const db = createDb({ url: await startDatabase(), logger })
let programmes = 0

/** A programme of its own for every run, with the bank's members; not measured. */
async function makeProgramme() {
  programmes += 1
  const code = `berka${programmes}`
  await db.pool.query(
    `insert into programmes (code, name, service_code, sender_id, currency_code, country, time_zone, languages)
     values ($1, $1, $2, 'BERKA', 'CZK', 'CZ', 'Europe/Prague', '{en}')`,
    [code, `*${programmes}`],
  )
  const programme = (await loadProgrammes(db)).find((found) => found.code === code)
  const report = await importFile({
    db,
    clock: systemClock,
    logger,
    programme,
    kind: 'members',
    file: files.members,
    actor: 'bench',
  })
  if (report.written !== 4_500) throw new Error('the members were not imported')
  return programme
}

async function timed(work) {
  const startedAt = performance.now()
  await work()
  return (performance.now() - startedAt) / 1_000
}

async function runImport() {
  const programme = await makeProgramme()
  return timed(async () => {
    const report = await importFile({
      db,
      clock: systemClock,
      logger,
      programme,
      kind: 'entries',
      file: files.entries,
      actor: 'bench',
    })
    if (report.written !== files.transactions) throw new Error('not every transaction was imported')
  })
}

/** Rows and ids stand ready in memory; nothing is parsed, checked or looked up. */
async function runPlainInsert() {
  const programme = await makeProgramme()
  const { entries, postings } = await plainRows(programme)
  return timed(() =>
    db.transaction(async (tx) => {
      for (let first = 0; first < entries.length; first += rowsPerInsert / 2) {
        const some = entries.slice(first, first + rowsPerInsert / 2)
        await tx.query(
          `insert into entries (id, programme_id, reference, kind, booked_date, description)
           select t.id, $2, t.reference, t.kind, t.booked_date, t.description
             from unnest($1::uuid[], $3::text[], $4::text[], $5::date[], $6::text[])
               as t (id, reference, kind, booked_date, description)`,
          [
            some.map((row) => row.id),
            programme.id,
            some.map((row) => row.reference),
            some.map((row) => row.kind),
            some.map((row) => row.bookedDate),
            some.map((row) => row.description),
          ],
        )
        const theirs = postings.slice(first * 2, first * 2 + rowsPerInsert)
        await tx.query(
          `insert into postings (entry_id, account_id, amount)
           select * from unnest($1::uuid[], $2::uuid[], $3::numeric[])`,
          [
            theirs.map((row) => row.entryId),
            theirs.map((row) => row.accountId),
            theirs.map((row) => row.amount),
          ],
        )
      }
    }),
  )
}

async function plainRows(programme) {
  const [, ...lines] = readFileSync(files.entries, 'utf8').trimEnd().split('\n')
  const postings = lines.map((line) => line.split(','))
  const codes = [...new Set(postings.map(([, , , , account]) => account))].filter((code) => code !== 'cash')
  const accountIds = await openAccounts(db.pool, programme.id, [
    ...standardAccounts('CZK'),
    ...codes.map((code) => ({ code, type: 'liability', purpose: 'savings', currency: 'CZK' })),
  ])
  const entries = []
  const rows = postings.map(([reference, kind, bookedDate, description, account, debit, credit]) => {
    if (entries.at(-1)?.reference !== reference)
      entries.push({ id: randomUUID(), reference, kind, bookedDate, description })
    return {
      entryId: entries.at(-1).id,
      accountId: accountIds.get(account),
      amount: debit === '' ? `-${credit}` : debit,
    }
  })
  return { entries, postings: rows }
}

const seconds = { import: [], plain: [] }
for (let turn = 0; turn < rounds; turn += 1) {
  const runs = [
    ['import', runImport],
    ['plain', runPlainInsert],
  ]
  for (const [name, run] of turn % 2 === 0 ? runs : runs.reverse()) seconds[name].push(await run())
}
const rate = (name) => files.transactions / median(seconds[name])
printTable(
  `Import of ${round(files.transactions)} transactions (${round(files.transactions * 2)} rows)`,
  ['import, transactions/s', 'plain insert, transactions/s', 'ratio'],
  [[round(rate('import')), round(rate('plain')), (rate('import') / rate('plain')).toFixed(2)]],
)
await db.close()
rmSync(folder, { recursive: true })
await cleanUp()
