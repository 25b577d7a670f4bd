// The messages of a period, derived again from the ledger: one line for each that it does not bear out. Never a text, a name or a number.
import { addDays, instantAt, isCalendarDate } from '../calendar.ts'
import { openAsOf } from '../ledger/as-of.ts'
import { verifyMessages } from '../outbound/verify.ts'
import type { Runtime } from '../runtime.ts'
import { programmeByCode, UsageError, withRuntime } from './command.ts'

export interface PeriodOptions {
  programme?: unknown
  from?: unknown
  until?: unknown
}

/** Both days are included, in the programme's own time zone. */
export async function verifyPeriod(options: PeriodOptions): Promise<void> {
  if (typeof options.programme !== 'string') throw new UsageError('Name the programme: --programme CODE.')
  const from = dayOf('--from', options.from)
  const until = dayOf('--until', options.until)
  if (until < from) throw new UsageError('--until is a day before --from.')
  const code = options.programme
  await withRuntime((runtime) => verify(runtime, code, from, until))
}

function dayOf(name: string, value: unknown): string {
  if (typeof value === 'string' && isCalendarDate(value)) return value
  throw new UsageError(`${name} takes a day such as 2026-11-01.`)
}

async function verify(runtime: Runtime, code: string, from: string, until: string): Promise<void> {
  const { db, i18n, logger, databaseUrl } = runtime
  const programme = await programmeByCode(runtime, code)
  const asOf = openAsOf({ url: databaseUrl, logger })
  try {
    const { checked, unchecked, mismatches } = await verifyMessages({
      db,
      asOf,
      i18n,
      programmeId: programme.id,
      from: instantAt(from, 0, programme.timeZone),
      until: instantAt(addDays(until, 1), 0, programme.timeZone),
    })
    for (const { messageId, template, states, why } of mismatches)
      console.log([messageId, template, states, why].join('\t'))
    const rest = unchecked === 0 ? '' : `, ${unchecked} without a kept text`
    console.log(`${checked} messages verified, ${mismatches.length} no longer match${rest}.`)
    if (mismatches.length > 0) process.exitCode = 1
  } finally {
    await asOf.close()
  }
}
