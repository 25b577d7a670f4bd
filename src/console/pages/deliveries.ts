// Deliveries: what became of messages, per network and day, as a chart and as the table beneath it that says the same.
import { addDays, instantAt, localParts } from '../../calendar.ts'
import { html, type Markup } from '../../markup.ts'
import { nothing, table } from '../elements.ts'
import type { ConsoleRoute, PageContext } from '../page.ts'
import { officeRoles } from '../roles.ts'

export const deliveryRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/deliveries', roles: officeRoles, handle: deliveriesPage },
]

const daysShown = 14

interface DayRow {
  day: string
  network: string | null
  reached: number
  failed: number
  open: number
}

// The newest report that names a network counts; one scan of the reports, not one for each message.
const daysSql = `
  with sent as (
    select m.id, m.provider, m.provider_message_id, m.status, (m.submitted_at at time zone $3)::date::text as day
      from messages m where m.submitted_at >= $1 and m.submitted_at < $2),
  networks as (
    select distinct on (r.provider, r.provider_message_id) r.provider, r.provider_message_id, r.network_code
      from delivery_reports r where r.received_at >= $1 and r.network_code is not null
     order by r.provider, r.provider_message_id, r.id desc)
  select day, network_code as network,
         count(*) filter (where status = 'delivered')::int as reached,
         count(*) filter (where status in ('undelivered', 'rejected', 'failed', 'expired'))::int as failed,
         count(*) filter (where status not in ('delivered', 'undelivered', 'rejected', 'failed', 'expired'))::int as open
    from sent left join networks using (provider, provider_message_id)
   group by day, network_code order by day desc, network_code nulls last`

async function deliveriesPage(context: PageContext) {
  const { tx, say, now, programme } = context
  const { date } = localParts(now, programme.timeZone)
  const first = addDays(date, 1 - daysShown)
  const { rows } = await tx.query<DayRow>(daysSql, [
    instantAt(first, 0, programme.timeZone),
    instantAt(addDays(date, 1), 0, programme.timeZone),
    programme.timeZone,
  ])
  const rate = ({ reached, failed }: DayRow) =>
    reached + failed === 0 ? '' : `${Math.round((100 * reached) / (reached + failed))} %`
  const days = Array.from({ length: daysShown }, (_, at) => addDays(first, at))
  const body = html`<p class="hint">${say('delivery.lead', { days: daysShown })}</p>
${rows.length === 0 ? nothing : chart(context, days, rows)}
${table(
  say('delivery.table'),
  [
    { title: say('form.day'), cell: ({ day }) => day },
    { title: say('message.network'), cell: ({ network }) => network ?? say('delivery.no_network') },
    { title: say('delivery.reached'), cell: ({ reached }) => reached, figures: true },
    { title: say('delivery.failed'), cell: ({ failed }) => failed, figures: true },
    { title: say('delivery.open'), cell: ({ open }) => open, figures: true },
    { title: say('delivery.rate'), cell: rate, figures: true },
  ],
  rows,
  say('message.none'),
)}`
  return { title: say('menu.deliveries'), body }
}

const parts = [
  { key: 'reached', style: 'bar-good' },
  { key: 'failed', style: 'bar-bad' },
  { key: 'open', style: 'bar-open' },
] as const

/** One column a day, of all networks; drawn without scripts, and said in words by its title. */
function chart({ say }: PageContext, days: readonly string[], rows: readonly DayRow[]): Markup {
  const sums = days.map((day) => {
    const ofDay = rows.filter((row) => row.day === day)
    const sum = (key: (typeof parts)[number]['key']) => ofDay.reduce((total, row) => total + row[key], 0)
    return { day, reached: sum('reached'), failed: sum('failed'), open: sum('open') }
  })
  const most = Math.max(1, ...sums.map(({ reached, failed, open }) => reached + failed + open))
  const height = 120
  const step = 40
  const scaled = (count: number) => Math.round((count / most) * height)
  const columns = sums.flatMap((sum, at) => {
    let top = height
    const bars = parts.map(({ key, style }) => {
      const size = scaled(sum[key])
      top -= size
      return html`<rect class="${style}" x="${at * step + 6}" y="${top}" width="${step - 12}" height="${size}"></rect>`
    })
    return [
      ...bars,
      html`<text x="${at * step + step / 2}" y="${height + 18}" text-anchor="middle" font-size="12">${sum.day.slice(8)}</text>`,
    ]
  })
  const legend = parts.map(
    ({ key, style }, at) =>
      html`<rect class="${style}" x="${at * 150}" y="${height + 34}" width="14" height="14"></rect><text x="${at * 150 + 20}" y="${height + 46}" font-size="13">${say(`delivery.${key}`)}</text>`,
  )
  return html`<figure class="chart"><svg viewBox="0 0 ${days.length * step} ${height + 54}" role="img" aria-label="${say('delivery.chart', { days: days.length, most })}">${columns}${legend}</svg></figure>`
}
