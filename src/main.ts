#!/usr/bin/env node
// The command line. In: words. Out: a role that runs, or a command's answer and its exit code: 0 done, 1 failed, 2 wrong words.
import { createRequire } from 'node:module'
import { cac } from 'cac'
import { UsageError } from './commands/command.ts'
import { commands } from './commands/index.ts'
import { DependencyError, StartError } from './errors.ts'

/** Read where it stands beside src and dist, so that neither repeats it. */
const { version } = createRequire(import.meta.url)('../package.json') as { version: string }

const cli = cac('tama')
for (const register of commands) register(cli)
cli.help()
cli.version(version)

async function main(): Promise<void> {
  const { options } = cli.parse(process.argv, { run: false })
  if (options.help === true) return
  if (options.version === true) {
    if (cli.matchedCommand === undefined) return
    throw new UsageError('--version stands alone.')
  }
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
