// What the commands share: their form, the house they run in, and how words are refused.
// A command loads the house only when it runs: help and a wrong word are answered without it.
import type { CAC } from 'cac'
import { StartError } from '../errors.ts'
import type { Runtime } from '../runtime.ts'
import type { ProfileName } from '../simulator/profile.ts'

/** Adds one command, or several that belong together, to the command line. */
export type Register = (cli: CAC) => void

/** The words on the command line are wrong: a sentence and exit 2. */
export class UsageError extends Error {}

/** A signal takes back what is not committed, stops our own server and ends with the signal's usual exit code. */
export async function withRuntime(work: (runtime: Runtime) => Promise<void>): Promise<void> {
  const stop = new AbortController()
  let runtime: Runtime | undefined
  for (const [signal, code] of [['SIGINT', 130] as const, ['SIGTERM', 143] as const])
    process.once(signal, () => {
      stop.abort(new StartError('Stopped', [signal]))
      if (runtime !== undefined) void runtime.abandon().finally(() => process.exit(code))
    })
  const { openRuntime } = await import('../runtime.ts')
  runtime = await openRuntime({ stop: stop.signal })
  try {
    await work(runtime)
  } finally {
    // While it is abandoned, its errors say nothing and the exit comes by itself.
    if (stop.signal.aborted) await new Promise(() => {})
    await runtime.close()
  }
}

/** UsageError that names the programmes there are when it is none of them. */
export async function programmeByCode(runtime: Runtime, code: string) {
  const { loadProgrammes } = await import('../members/programmes.ts')
  const programmes = await loadProgrammes(runtime.db)
  const programme = programmes.find((known) => known.code === code)
  if (programme !== undefined) return programme
  const codes = programmes.map((known) => known.code).join(', ')
  throw new UsageError(
    `There is no programme "${code}". ${codes === '' ? 'The database has none.' : `There are: ${codes}.`}`,
  )
}

/** The demo programmes that an option names: one, or "all". UsageError otherwise. */
export async function demoProgrammes(value: unknown): Promise<ProfileName[]> {
  const { profileNames } = await import('../simulator/profile.ts')
  const named = profileNames.filter((name) => value === 'all' || name === value)
  if (named.length > 0) return named
  throw new UsageError(
    `There is no demo programme "${String(value)}". There are: ${profileNames.join(', ')}, or all of them: all.`,
  )
}

/** An option's whole number, both limits included; UsageError otherwise. */
export function wholeNumber(name: string, value: unknown, least: number, most: number): number {
  const number = Number(value)
  if (Number.isInteger(number) && number >= least && number <= most) return number
  throw new UsageError(`${name} takes a whole number from ${least} to ${most}.`)
}
