// `tama cost`: what the SMS of a period should cost by our count, held against what the provider took.
import type { Cost } from '../outbound/cost.ts'
import { programmeByCode, type Register, withRuntime } from './command.ts'
import { instantsOf, type PeriodOptions, readPeriod } from './period.ts'

export const registerCost: Register = (cli) => {
  cli
    .command(
      'cost',
      'Segments and cost of the SMS of a period by our count, against what the provider billed',
    )
    .option('--programme <code>', 'The programme')
    .option('--from <date>', 'The first day, for example 2026-11-01')
    .option('--until <date>', 'The last day')
    .example('tama cost --programme fansoto --from 2026-11-01 --until 2026-11-30')
    .action(async (options: PeriodOptions) => {
      const period = readPeriod(options)
      await withRuntime(async (runtime) => {
        const { readCost } = await import('../outbound/cost.ts')
        const programme = await programmeByCode(runtime, period.code)
        print(await readCost(runtime.db.pool, programme.id, instantsOf(period, programme.timeZone)))
      })
    })
}

function print({ price, purposes, total, differing, unknown }: Cost): void {
  const row = (cells: readonly unknown[]) =>
    console.log(
      cells.map((cell, at) => (at === 0 ? String(cell).padEnd(10) : String(cell).padStart(16))).join(''),
    )
  row(['purpose', 'messages', 'segments', 'estimated', 'billed segments', 'billed', 'no bill yet'])
  for (const { purpose, messages, segments, estimated, billedSegments, billed, unbilled } of [
    ...purposes,
    total,
  ])
    row([purpose, messages, segments, estimated ?? '-', billedSegments, billed, unbilled])
  console.log(
    price === undefined
      ? 'The programme names no segmentPrice: nothing is estimated.'
      : `A segment is estimated at ${price.currency} ${price.amount}.`,
  )
  if (unknown > 0)
    console.log(`${unknown} messages of unknown outcome are not in the table; the bill may have them.`)
  if (differing.count > 0) {
    console.log(`${differing.count} messages were billed otherwise than counted: ${differing.ids.join(' ')}`)
    process.exitCode = 1
  }
}
