// USSD paths: which screens dialogues show and where they stop, as bars and as the table beneath them that says the same.
import { addDays, localParts } from '../../calendar.ts'
import { html, type Markup } from '../../markup.ts'
import { type PathCount, pathCounts } from '../../ussd/paths.ts'
import { button, nothing, searchForm, select, table } from '../elements.ts'
import type { ConsoleRoute, PageContext } from '../page.ts'
import { officeRoles } from '../roles.ts'

export const pathRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/paths', roles: officeRoles, handle: pathsPage },
]

const spans = [7, 30, 90] as const
const barsMax = 15

const share = ({ shown, stopped }: PathCount) =>
  shown === 0 ? '' : `${Math.min(100, Math.round((100 * stopped) / shown))} %`
const nameOf = ({ menu, state }: PathCount) => `${menu}.${state}`

async function pathsPage(context: PageContext) {
  const { tx, say, now, programme, query } = context
  const days = spans.find((span) => String(span) === query.days) ?? 7
  const { date } = localParts(now, programme.timeZone)
  const rows = await pathCounts(tx, programme.id, addDays(date, 1 - days), date)
  const body = html`<p class="hint">${say('path.lead')}</p>
${searchForm(
  '/paths',
  html`${select(
    'days',
    say('path.days'),
    spans.map((span) => ({ value: String(span), text: String(span) })),
    String(days),
  )}${button(say('form.search'))}`,
)}
${rows.length === 0 ? nothing : chart(context, rows)}
${table(
  say('menu.paths'),
  [
    { title: say('path.screen'), cell: nameOf },
    { title: say('path.shown'), cell: ({ shown }) => shown, figures: true },
    { title: say('path.stopped'), cell: ({ stopped }) => stopped, figures: true },
    { title: say('path.share'), cell: share, figures: true },
  ],
  rows,
  say('path.none'),
  { isPage: true },
)}`
  return { title: say('menu.paths'), body }
}

/** The screens at which most stopped; one bar each, of those that went on and those that stopped. */
function chart({ say }: PageContext, rows: readonly PathCount[]): Markup {
  const worst = [...rows].sort((one, other) => other.stopped - one.stopped).slice(0, barsMax)
  const most = Math.max(1, ...worst.map(({ shown, stopped }) => Math.max(shown, stopped)))
  const width = 480
  const left = 170
  const step = 24
  const scaled = (count: number) => Math.round((count / most) * (width - left - 60))
  const bars = worst.map((row, at) => {
    const stopped = scaled(row.stopped)
    const wentOn = Math.max(0, scaled(row.shown) - stopped)
    const top = at * step
    return html`<text x="${left - 6}" y="${top + 16}" text-anchor="end" font-size="12">${nameOf(row)}</text><rect class="bar-bad" x="${left}" y="${top + 4}" width="${stopped}" height="${step - 8}"></rect><rect class="bar-good" x="${left + stopped}" y="${top + 4}" width="${wentOn}" height="${step - 8}"></rect><text x="${left + stopped + wentOn + 6}" y="${top + 16}" font-size="12">${share(row)}</text>`
  })
  const foot = worst.length * step + 20
  const legend = (['stopped', 'went_on'] as const).map(
    (key, at) =>
      html`<rect class="${key === 'stopped' ? 'bar-bad' : 'bar-good'}" x="${at * 200}" y="${foot - 12}" width="14" height="14"></rect><text x="${at * 200 + 20}" y="${foot}" font-size="13">${say(`path.${key}`)}</text>`,
  )
  return html`<figure class="chart"><svg viewBox="0 0 ${width} ${foot + 8}" role="img" aria-label="${say('path.chart', { count: worst.length })}">${bars}${legend}</svg></figure>`
}
