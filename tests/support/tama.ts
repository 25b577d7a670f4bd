// Runs the built command line as its user would: real processes, real signals.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'

const main = join(import.meta.dirname, '..', '..', 'dist', 'main.js')
if (!existsSync(main)) throw new Error('dist/main.js is missing: run "npm run build" first')

export interface Tama {
  child: ChildProcess
  /** Everything it printed so far. */
  output(): string
  /** Resolves with the first match in the output; rejects when the process ends before. */
  printed(pattern: RegExp, timeoutMs?: number): Promise<RegExpMatchArray>
  /** Exit code, or the signal that ended it. */
  ended: Promise<number | string>
}

/** Starts `tama ...words`. Only the given environment, PATH and HOME reach it. `program` may be a changed copy. */
export function startTama(
  words: readonly string[],
  environment: Record<string, string> = {},
  program = main,
): Tama {
  const child = spawn(process.execPath, [program, ...words], {
    env: { PATH: process.env.PATH ?? '', HOME: process.env.HOME ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let text = ''
  const watchers = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8')
    stream?.on('data', (chunk: string) => {
      text += chunk
      for (const watcher of watchers) watcher()
    })
  }
  const ended = new Promise<number | string>((resolve) => {
    child.once('close', (code, signal) => {
      resolve(code ?? signal ?? 'unknown')
      for (const watcher of watchers) watcher()
    })
  })
  return {
    child,
    output: () => text,
    ended,
    printed(pattern, timeoutMs = 60_000) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(
          () => finish(new Error(`not printed in time: ${pattern}\n${text}`)),
          timeoutMs,
        )
        const finish = (result: RegExpMatchArray | Error) => {
          clearTimeout(timer)
          watchers.delete(look)
          if (result instanceof Error) reject(result)
          else resolve(result)
        }
        const look = () => {
          const found = text.match(pattern)
          if (found !== null) finish(found)
          else if (child.exitCode !== null || child.signalCode !== null)
            finish(new Error(`ended before ${pattern}\n${text}`))
        }
        watchers.add(look)
        look()
      })
    },
  }
}

/** All that production must be told. A command then starts in a second: it only asks whether the database is current. */
export function productionEnvironment(databaseUrl: string): Record<string, string> {
  const secret = 'secret-of-the-tests-0123456789'
  return {
    NODE_ENV: 'production',
    DATABASE_URL: databaseUrl,
    PIN_PEPPER: secret,
    ADMIN_KEY: secret,
    AT_USERNAME: 'tests',
    AT_API_KEY: secret,
  }
}

/** Runs a command to its end. */
export async function runTama(
  words: readonly string[],
  environment: Record<string, string> = {},
  program = main,
) {
  const tama = startTama(words, environment, program)
  const code = await tama.ended
  return { code, output: tama.output() }
}
