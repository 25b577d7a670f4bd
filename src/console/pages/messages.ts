// The message log with its filters, and one message with its whole history: every move, what it cost, under which snapshot it was made.
import { addDays, instantAt, isCalendarDate } from '../../calendar.ts'
import { RequestError } from '../../errors.ts'
import { html, type Markup } from '../../markup.ts'
import { messageStatuses } from '../../outbound/status.ts'
import { csvFile } from '../csv-file.ts'
import {
  badge,
  button,
  facts,
  field,
  link,
  moment,
  momentText,
  nothing,
  phoneText,
  searchForm,
  select,
  table,
  withQuery,
} from '../elements.ts'
import { isId } from '../ids.ts'
import type { ConsoleRoute, Page, PageContext } from '../page.ts'
import { messageScopeSql, officeRoles, seesAmounts } from '../roles.ts'
import type { Say } from '../words.ts'

const roles = ['facilitator', ...officeRoles] as const

export const messageRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/messages.csv', roles, handle: messagesFile },
  { method: 'get', path: '/messages', roles, handle: listPage },
  { method: 'get', path: '/messages/:id', roles, handle: onePage },
]

const rowsMax = 50
/** Of a file: what a spreadsheet still opens. */
const fileRowsMax = 50_000
const purposes = [
  'receipt',
  'reminder',
  'meeting',
  'training',
  'reply',
  'code',
  'notice',
  'survey',
  'promotion',
]
const lanes = ['urgent', 'planned', 'bulk']

const good: ReadonlySet<string> = new Set(['delivered'])
const bad: ReadonlySet<string> = new Set(['failed', 'undelivered', 'rejected', 'expired', 'unknown'])

export function statusBadge(say: Say, status: string): Markup {
  return badge(say(`status.${status}`), good.has(status) ? 'good' : bad.has(status) ? 'bad' : 'plain')
}

interface ListedMessage {
  id: string
  createdAt: Date
  purpose: string
  template: string
  lane: string
  status: string
  reason: string | null
  memberId: string | null
  number: string | null
  network: string | null
}

/** The network stands in reports alone, the newest of a message counts. */
const networkSql = `(select r.network_code from delivery_reports r
  where r.provider = m.provider and r.provider_message_id = m.provider_message_id and r.network_code is not null
  order by r.id desc limit 1)`

/** What the filters leave, newest first. */
async function find(context: PageContext, limit: number): Promise<ListedMessage[]> {
  const { tx, staff, query, programme } = context
  const { status = '', purpose = '', lane = '', network = '', day = '', member = '', before = '' } = query
  const isDay = isCalendarDate(day)
  const { rows } = await tx.query<ListedMessage>(
    `select m.id, m.created_at as "createdAt", m.purpose, m.template, m.lane, m.status, m.reason, m.member_id as "memberId",
            mb.number, ${networkSql} as network
       from messages m left join members mb on mb.id = m.member_id
      where ${messageScopeSql(staff, 'm', '$1')}
        and ($2 = '' or m.status = $2) and ($3 = '' or m.purpose = $3) and ($4 = '' or m.lane = $4)
        and ($5::timestamptz is null or m.created_at >= $5) and ($6::timestamptz is null or m.created_at < $6)
        and ($7 = '' or mb.number = $7) and ($8::uuid is null or m.id < $8) and ($9 = '' or ${networkSql} = $9)
      order by m.id desc limit ${limit}`,
    [
      staff.id,
      status,
      purpose,
      lane,
      isDay ? instantAt(day, 0, programme.timeZone) : null,
      isDay ? instantAt(addDays(day, 1), 0, programme.timeZone) : null,
      member,
      isId(before) ? before : null,
      network,
    ],
  )
  return rows
}

/** Without texts: a file leaves the house. */
async function messagesFile(context: PageContext): Promise<Page> {
  const { programme, say } = context
  const rows = await find(context, fileRowsMax)
  return csvFile(
    'messages',
    ['written', 'member', 'purpose', 'lane', 'network', 'status', 'reason', 'template'].map((key) =>
      say(`column.${key}`),
    ),
    rows.map((row) => [
      momentText(programme.timeZone, row.createdAt),
      row.number ?? '',
      row.purpose,
      row.lane,
      row.network ?? '',
      row.status,
      row.reason ?? '',
      row.template,
    ]),
  )
}

async function listPage(context: PageContext) {
  const { say } = context
  const rows = await find(context, rowsMax + 1)
  const shown = rows.slice(0, rowsMax)
  const body = html`${filters(context)}
<p>${link(withQuery(context, '/messages.csv', { before: '' }), say('form.csv'))}</p>
${table(
  say('menu.messages'),
  [
    {
      title: say('message.written'),
      cell: (row) => html`<a href="/console/messages/${row.id}">${moment(context, row.createdAt)}</a>`,
    },
    {
      title: say('member.number'),
      cell: (row) => (row.memberId === null ? '' : link(`/members/${row.memberId}`, row.number ?? '')),
    },
    { title: say('message.purpose'), cell: (row) => say(`purpose.${row.purpose}`) },
    { title: say('message.lane'), cell: (row) => say(`lane.${row.lane}`) },
    { title: say('message.network'), cell: (row) => row.network ?? '' },
    { title: say('message.status'), cell: (row) => statusBadge(say, row.status) },
    { title: say('message.reason'), cell: (row) => row.reason ?? '' },
  ],
  shown,
  say('message.none'),
  { isPage: true },
)}
${
  rows.length > rowsMax
    ? html`<p>${link(withQuery(context, '/messages', { before: shown.at(-1)?.id ?? '' }), say('form.older'))}</p>`
    : nothing
}`
  return { title: say('menu.messages'), body }
}

function filters({ query, say }: PageContext): Markup {
  const choices = (values: readonly string[], key: string) => [
    { value: '', text: say('form.all') },
    ...values.map((value) => ({ value, text: say(`${key}.${value}`) })),
  ]
  return searchForm(
    '/messages',
    html`${select('status', say('message.status'), choices(messageStatuses, 'status'), query.status)}
${select('purpose', say('message.purpose'), choices(purposes, 'purpose'), query.purpose)}
${select('lane', say('message.lane'), choices(lanes, 'lane'), query.lane)}
${field('network', say('message.network'), { value: query.network ?? '', inputmode: 'numeric', maxlength: 10 })}
${field('day', say('form.day'), { value: query.day ?? '', type: 'date' })}
${field('member', say('member.number'), { value: query.member ?? '', maxlength: 60 })}
${button(say('form.search'))}`,
  )
}

interface MessageRow extends ListedMessage {
  dedupeKey: string
  text: string | null
  textPurgedAt: Date | null
  language: string | null
  segments: number | null
  billedSegments: number | null
  cost: string | null
  costCurrency: string | null
  provider: string | null
  providerMessageId: string | null
  notBefore: Date
  expiresAt: Date | null
  attempts: number
  factsAt: Date | null
  snapshot: string | null
  msisdn: string | null
  entryId: string | null
  noticeId: string | null
  correctsId: string | null
  resendsId: string | null
}

const oneSql = (scope: string) => `
  select m.id, m.created_at as "createdAt", m.purpose, m.template, m.lane, m.status, m.reason, m.member_id as "memberId",
         mb.number, ${networkSql} as network, m.dedupe_key as "dedupeKey", m.text, m.text_purged_at as "textPurgedAt",
         m.language, m.segments, m.billed_segments as "billedSegments", m.cost::text, m.cost_currency as "costCurrency",
         m.provider, m.provider_message_id as "providerMessageId", m.not_before as "notBefore", m.expires_at as "expiresAt",
         m.attempts, m.facts_at as "factsAt", m.facts_snapshot::text as snapshot, p.msisdn, m.entry_id as "entryId",
         m.notice_id as "noticeId", m.corrects_id as "correctsId", m.resends_id as "resendsId"
    from messages m left join members mb on mb.id = m.member_id left join phones p on p.id = m.phone_id
   where m.id = $2::uuid and ${scope}`

async function onePage(context: PageContext) {
  const { tx, staff, params, say } = context
  const { id = '' } = params
  if (!isId(id)) throw new RequestError('route.unknown')
  const { rows } = await tx.query<MessageRow>(oneSql(messageScopeSql(staff, 'm', '$1')), [staff.id, id])
  const [message] = rows
  if (message === undefined) throw new RequestError('route.unknown')
  const { rows: events } = await tx.query<{
    from: string
    to: string
    source: string
    reason: string | null
    at: Date
  }>(
    `select from_status as from, to_status as to, source, reason, occurred_at as at from message_events
      where message_id = $1 order by id`,
    [id],
  )
  const body = html`${textOf(context, message)}
${factsOf(context, message)}
${table(
  say('message.history'),
  [
    { title: say('audit.at'), cell: ({ at }) => moment(context, at) },
    { title: say('message.from'), cell: ({ from }) => say(`status.${from}`) },
    { title: say('message.to'), cell: ({ to }) => statusBadge(say, to) },
    { title: say('message.source'), cell: ({ source }) => source },
    { title: say('message.reason'), cell: ({ reason }) => reason ?? '' },
  ],
  events,
  say('message.no_history'),
)}`
  return { title: say('message.title'), body }
}

/** A code is never shown, and a text that may state an amount only to those who may see amounts. */
function textOf({ staff, say, i18n }: PageContext, message: MessageRow): Markup {
  const { text, purpose, language, textPurgedAt } = message
  if (purpose === 'code') return html`<p class="hint">${say('message.code_hidden')}</p>`
  if (textPurgedAt !== null) return html`<p class="hint">${say('message.text_gone')}</p>`
  if (text === null) return html`<p class="hint">${say('message.text_none')}</p>`
  if (!seesAmounts(staff)) return html`<p class="hint">${say('message.text_hidden')}</p>`
  const known = language !== null && i18n.languages.has(language) ? i18n.language(language) : undefined
  return html`<blockquote class="sms" lang="${known?.base ?? 'und'}" dir="${known?.direction ?? 'auto'}">${text}</blockquote>`
}

function factsOf(context: PageContext, message: MessageRow): Markup {
  const { say } = context
  const { createdAt } = message
  const other = (id: string | null) => (id === null ? undefined : link(`/messages/${id}`, id))
  return facts([
    [say('message.status'), statusBadge(say, message.status)],
    [say('message.reason'), message.reason ?? undefined],
    [
      say('member.number'),
      message.memberId === null ? undefined : link(`/members/${message.memberId}`, message.number ?? ''),
    ],
    [say('member.phone'), message.msisdn === null ? undefined : phoneText(context, message.msisdn)],
    [say('message.purpose'), say(`purpose.${message.purpose}`)],
    [say('message.lane'), say(`lane.${message.lane}`)],
    [say('message.template'), message.template],
    [say('member.language'), message.language ?? undefined],
    [say('message.written'), moment(context, createdAt)],
    [say('message.not_before'), moment(context, message.notBefore)],
    [say('message.expires'), message.expiresAt === null ? undefined : moment(context, message.expiresAt)],
    [say('message.segments'), segmentsOf(message)],
    [
      say('message.cost'),
      message.cost === null ? undefined : `${message.costCurrency ?? ''} ${message.cost}`,
    ],
    [say('message.network'), message.network ?? undefined],
    [
      say('message.provider'),
      message.provider === null ? undefined : `${message.provider} ${message.providerMessageId ?? ''}`,
    ],
    [say('message.facts_at'), message.factsAt === null ? undefined : moment(context, message.factsAt)],
    [say('message.snapshot'), message.snapshot === null ? undefined : html`<code>${message.snapshot}</code>`],
    [say('message.entry'), message.entryId ?? undefined],
    [say('message.corrects'), other(message.correctsId)],
    [say('message.resends'), other(message.resendsId)],
    [say('message.fact'), message.dedupeKey],
  ])
}

function segmentsOf({ segments, billedSegments }: MessageRow): string | undefined {
  if (segments === null) return undefined
  return billedSegments === null || billedSegments === segments
    ? String(segments)
    : `${segments} (${billedSegments})`
}
