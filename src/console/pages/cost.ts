// Cost: what the SMS of a month should cost by our count, beside what the provider took, by purpose.
import { addDays, instantAt, isCalendarDate, localParts } from '../../calendar.ts'
import { html } from '../../markup.ts'
import { type CostLine, readCost } from '../../outbound/cost.ts'
import { button, facts, field, searchForm, table } from '../elements.ts'
import type { ConsoleRoute, PageContext } from '../page.ts'
import { officeRoles } from '../roles.ts'

export const costRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/cost', roles: officeRoles, handle: costPage },
]

async function costPage(context: PageContext) {
  const { tx, say, now, query, programme } = context
  const { date } = localParts(now, programme.timeZone)
  const day = (text: string | undefined, otherwise: string) =>
    text !== undefined && isCalendarDate(text) ? text : otherwise
  const from = day(query.from, `${date.slice(0, 8)}01`)
  const until = day(query.until, date)
  const cost = await readCost(tx, programme.id, {
    from: instantAt(from, 0, programme.timeZone),
    until: instantAt(addDays(until, 1), 0, programme.timeZone),
  })
  const { price, purposes, total, unknown, differing } = cost
  const body = html`${searchForm(
    '/cost',
    html`${field('from', say('cost.from'), { value: from, type: 'date' })}${field('until', say('cost.until'), { value: until, type: 'date' })}${button(say('form.search'))}`,
  )}
${facts([
  [say('cost.price'), price === undefined ? say('cost.no_price') : `${price.currency} ${price.amount}`],
  [say('today.unknown'), unknown === 0 ? undefined : String(unknown)],
  [say('cost.differing'), differing.count === 0 ? undefined : String(differing.count)],
])}
${table<CostLine>(
  say('cost.table'),
  [
    { title: say('message.purpose'), cell: ({ purpose }) => say(`purpose.${purpose}`) },
    { title: say('menu.messages'), cell: ({ messages }) => messages, figures: true },
    { title: say('message.segments'), cell: ({ segments }) => segments, figures: true },
    { title: say('cost.estimated'), cell: ({ estimated }) => short(estimated ?? '-'), figures: true },
    { title: say('cost.billed_segments'), cell: ({ billedSegments }) => billedSegments, figures: true },
    { title: say('cost.billed'), cell: ({ billed }) => short(billed), figures: true },
    { title: say('cost.unbilled'), cell: ({ unbilled }) => unbilled, figures: true },
  ],
  total.messages === 0 ? [] : [...purposes, total],
  say('message.none'),
)}`
  return { title: say('menu.cost'), body }
}

/** "1200.000000" as "1200.00": a bill has no more than two decimals that matter. */
const short = (text: string) => text.replace(/(\.\d\d)\d+/g, '$1')
