#!/usr/bin/env node
// The command line. In: words. Out: a role that runs, or a command's answer and its exit code: 0 done, 1 failed, 2 wrong words.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cac } from 'cac'
import { loadConfig } from './config.ts'
import { seedDemo } from './demo.ts'
import { findDrift } from './drift.ts'
import { startEmbeddedDatabase } from './embedded.ts'
import { DependencyError, StartError } from './errors.ts'
import { createApiKey } from './http/keys.ts'
import { importFile, importKinds } from './imports/import.ts'
import { writeProgramme } from './imports/programme.ts'
import { loadProgrammes } from './members/programmes.ts'
import { migrate } from './migrations.ts'
import { createProgress } from './progress.ts'
import { folders, loadTexts, openRuntime, type Runtime, waitForDatabase } from './runtime.ts'
import { isRole, roles, serve } from './serve.ts'
import { serviceCodeFaults } from './ussd/check.ts'
import { loadMenus, menuDiagram } from './ussd/menu.ts'

/** The words on the command line are wrong: a sentence and exit 2. */
class UsageError extends Error {}

const cli = cac('tama')

cli
  .command('serve [role]', `Run everything, or one role: ${roles.join(', ')}`)
  .action(async (role: string | undefined) => {
    if (role !== undefined && !isRole(role))
      throw new UsageError(`There is no role "${role}": ${roles.join(', ')}.`)
    await serve(role)
  })

cli
  .command('migrate', 'Bring the database to the newest migration')
  .option('--check', 'Only compare schema.prisma with the migrations, in throw-away databases')
  .action(async ({ check }: { check?: boolean }) => {
    if (check === true) return await checkDrift()
    const { databaseUrl } = loadConfig()
    if (databaseUrl === undefined)
      return await withRuntime(async () => console.log('The embedded database is current.'))
    await waitForDatabase(databaseUrl)
    const applied = await migrate(databaseUrl, folders.prisma)
    console.log(applied.length === 0 ? 'The database is current.' : `Applied: ${applied.join(', ')}`)
  })

cli
  .command('seed', 'Make up a demo programme in an empty database')
  .option('--members <count>', 'How many members', { default: 1_000 })
  .option('--seed <number>', 'The same number makes the same data', { default: 1 })
  .action(async (options: { members: unknown; seed: unknown }) => {
    const members = wholeNumber('--members', options.members, 40, 1_000_000)
    const seed = wholeNumber('--seed', options.seed, 0, 2 ** 31)
    await withRuntime(async (runtime) => {
      if (runtime.config.production)
        throw new StartError('Production takes no demo data', ['NODE_ENV is production'])
      await seedDemo(runtime, { members, seed, onProgress: createProgress('Members') })
      console.log(`Made up ${members} members.`)
    })
  })

cli
  .command('programme <file>', 'Open a programme, or bring it up to date, from a YAML file')
  .example('tama programme docs/programme.example.yaml')
  .action(async (file: string) => {
    const description = readDescription(String(file))
    await withRuntime(async ({ db, i18n }) => {
      const languages = new Set(i18n.languages.keys())
      const programmes = await loadProgrammes(db)
      const { code, isNew } = await writeProgramme(
        { db, languages, programmes, serviceCodeFaults },
        description,
      )
      console.log(
        `${isNew ? 'Opened' : 'Brought up to date'}: ${code}. Running processes see it after a restart.`,
      )
    })
  })

cli
  .command('import <kind> <file>', `Read a CSV file: ${importKinds.join(', ')}`)
  .option('--programme <code>', 'The programme it belongs to')
  .option('--dry-run', 'Check everything, write nothing')
  .option('--silent', 'Old data: nobody gets a message about it')
  .action(
    async (
      kind: string,
      file: string,
      options: { programme?: unknown; dryRun?: boolean; silent?: boolean },
    ) => {
      const known = importKinds.find((name) => name === kind)
      if (known === undefined)
        throw new UsageError(`There is no import of "${kind}": ${importKinds.join(', ')}.`)
      if (typeof options.programme !== 'string') throw new UsageError('Name the programme: --programme CODE.')
      const code = options.programme
      await withRuntime(async (runtime) => {
        const { db, clock, logger } = runtime
        const programme = await programmeByCode(runtime, code)
        const report = await importFile({
          db,
          clock,
          logger,
          programme,
          kind: known,
          file: String(file),
          dryRun: options.dryRun === true,
          silent: options.silent === true,
          onProgress: createProgress('Bytes'),
        })
        for (const { row, column, message } of report.faults) {
          const place = [...(row === 0 ? [] : [`line ${row}`]), ...(column === undefined ? [] : [column])]
          console.error([place.join(', '), message].filter((part) => part !== '').join(': '))
        }
        const verb = options.dryRun === true ? 'would be written' : 'written'
        console.log(
          `${report.rows} rows: ${report.written} ${verb}, ${report.alreadyThere} already there, ${report.faultsTotal} faults`,
        )
        if (report.faultsTotal > 0) process.exitCode = 1
      })
    },
  )

cli
  .command('menus <what>', 'check: prove menus and texts; diagram: draw the menu as Mermaid')
  .option('--menu <name>', 'Which menu to draw', { default: 'member' })
  .action((what: string, options: { menu: unknown }) => {
    if (what === 'check') {
      const { menus, i18n } = loadTexts()
      const states = [...menus.values()].reduce((count, menu) => count + Object.keys(menu.states).length, 0)
      console.log(`${menus.size} menu(s), ${states} states, ${i18n.languages.size} languages: no fault.`)
    } else if (what === 'diagram') {
      const menu = loadMenus(folders.menus).get(String(options.menu))
      if (menu === undefined) throw new UsageError(`There is no menu "${String(options.menu)}".`)
      console.log(menuDiagram(menu))
    } else throw new UsageError(`"menus ${what}" is unknown: check, diagram.`)
  })

cli
  .command('api-key <programme> <name>', 'Make a key for the HTTP API and show it once')
  .action(async (code: string, name: string) => {
    await withRuntime(async (runtime) => {
      const programme = await programmeByCode(runtime, String(code))
      console.log(await createApiKey(runtime.db, programme.id, String(name)))
    })
  })

cli.help()

/** A signal takes back what is not committed, stops our own server and ends with the signal's usual exit code. */
async function withRuntime(work: (runtime: Runtime) => Promise<void>): Promise<void> {
  const stop = new AbortController()
  let runtime: Runtime | undefined
  for (const [signal, code] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const])
    process.once(signal, () => {
      stop.abort(new StartError('Stopped', [signal]))
      if (runtime !== undefined) void runtime.abandon().finally(() => process.exit(code))
    })
  runtime = await openRuntime({ stop: stop.signal })
  try {
    await work(runtime)
  } finally {
    // While it is abandoned, its errors say nothing and the exit comes by itself.
    if (stop.signal.aborted) await new Promise(() => {})
    await runtime.close()
  }
}

function readDescription(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    throw new UsageError(`The file ${file} cannot be read.`)
  }
}

async function programmeByCode(runtime: Runtime, code: string) {
  const programmes = await loadProgrammes(runtime.db)
  const programme = programmes.find((known) => known.code === code)
  if (programme !== undefined) return programme
  const codes = programmes.map((known) => known.code).join(', ')
  throw new UsageError(
    `There is no programme "${code}". ${codes === '' ? 'The database has none.' : `There are: ${codes}.`}`,
  )
}

async function checkDrift(): Promise<void> {
  const { databaseUrl } = loadConfig()
  const folder = databaseUrl === undefined ? mkdtempSync(join(tmpdir(), 'tama-drift-')) : undefined
  const server = folder === undefined ? undefined : await startEmbeddedDatabase(folder)
  try {
    const drift = await findDrift(server?.url ?? databaseUrl ?? '', folders.prisma)
    for (const line of drift) console.error(line)
    console.log(
      drift.length === 0 ? 'schema.prisma and the migrations agree.' : `${drift.length} differences.`,
    )
    if (drift.length > 0) process.exitCode = 1
  } finally {
    await server?.stop()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
}

function wholeNumber(name: string, value: unknown, least: number, most: number): number {
  const number = Number(value)
  if (Number.isInteger(number) && number >= least && number <= most) return number
  throw new UsageError(`${name} takes a whole number from ${least} to ${most}.`)
}

async function main(): Promise<void> {
  const { options } = cli.parse(process.argv, { run: false })
  if (options.help === true) return
  if (cli.matchedCommand === undefined) {
    const word = cli.args[0]
    throw new UsageError(word === undefined ? 'Name a command.' : `There is no command "${word}".`)
  }
  await cli.runMatchedCommand()
  if (cli.matchedCommand.name !== 'serve') leave()
}

/** The schema engine leaves a timer of 10 s behind, which would keep a finished command waiting. */
function leave(): void {
  setTimeout(() => process.exit(), 100).unref()
}

main().catch((error: unknown) => {
  const wrongWords = error instanceof UsageError || (error instanceof Error && error.name === 'CACError')
  const known = wrongWords || error instanceof StartError || error instanceof DependencyError
  const message = error instanceof Error ? error.message : String(error)
  console.error(known ? message : error)
  if (wrongWords) console.error('"tama --help" lists the commands, "tama COMMAND --help" its options.')
  process.exitCode = wrongWords ? 2 : 1
  leave()
})
