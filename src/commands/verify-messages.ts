// The messages of a period, derived again from the ledger: one line for each that it does not bear out. Never a text, a name or a number.
import { openAsOf } from '../ledger/as-of.ts'
import { verifyMessages } from '../outbound/verify.ts'
import type { Runtime } from '../runtime.ts'
import { programmeByCode, withRuntime } from './command.ts'
import { instantsOf, type PeriodOptions, readPeriod } from './period.ts'

/** Both days are included, in the programme's own time zone. */
export async function verifyPeriod(options: PeriodOptions): Promise<void> {
  const period = readPeriod(options)
  await withRuntime((runtime) => verify(runtime, period))
}

async function verify(runtime: Runtime, period: ReturnType<typeof readPeriod>): Promise<void> {
  const { db, i18n, logger, databaseUrl } = runtime
  const programme = await programmeByCode(runtime, period.code)
  const asOf = openAsOf({ url: databaseUrl, logger })
  try {
    const { checked, unchecked, mismatches } = await verifyMessages({
      db,
      asOf,
      i18n,
      programmeId: programme.id,
      ...instantsOf(period, programme.timeZone),
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
