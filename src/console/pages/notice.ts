// One notice: how it will look and what it costs before it is sent, what became of it afterwards, and the list to read out.
import { RequestError } from '../../errors.ts'
import { html, type Markup } from '../../markup.ts'
import { exclusions } from '../../notices/audience.ts'
import {
  approveNotice,
  type Notice,
  type NoticeFault,
  type NoticePreview,
  noticeWords,
  previewNotice,
  readNotice,
  refuseNotice,
  sendNotice,
  stopNotice,
  undoNotice,
} from '../../notices/notices.ts'
import {
  type NoticeProgress,
  noticeGroups,
  noticeTotals,
  type Recipient,
  type RecipientState,
  recipientStates,
  recipientsOf,
  type StateCounts,
} from '../../notices/progress.ts'
import { leavesAt, startOf } from '../../notices/record.ts'
import {
  badge,
  button,
  facts,
  faultSummary,
  form,
  link,
  live,
  moment,
  nothing,
  table,
  withQuery,
} from '../elements.ts'
import { isId } from '../ids.ts'
import type { ConsoleRoute, Page, PageContext } from '../page.ts'
import { changesThings } from '../roles.ts'
import { faultText, noticeReaders, noticeWriters, ownGroupIds } from './notices.ts'

const approvers = ['branch', 'administrator'] as const

export const noticeRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/notices/:id', roles: noticeReaders, handle: (context) => onePage(context, []) },
  {
    method: 'post',
    path: '/notices/:id/send',
    roles: noticeWriters,
    handle: (context) =>
      act(context, ({ tx, staff, now }, id) => sendNotice(tx, id, { staffId: staff.id }, now)),
  },
  {
    method: 'post',
    path: '/notices/:id/approve',
    roles: approvers,
    handle: (context) => act(context, ({ tx, staff, now }, id) => approveNotice(tx, id, staff.id, now)),
  },
  {
    method: 'post',
    path: '/notices/:id/refuse',
    roles: approvers,
    handle: (context) => act(context, ({ tx, staff, now }, id) => refuseNotice(tx, id, staff.id, now)),
  },
  {
    method: 'post',
    path: '/notices/:id/undo',
    roles: noticeWriters,
    handle: (context) => act(context, ({ tx, actor, now }, id) => undoNotice(tx, id, actor, now)),
  },
  {
    method: 'post',
    path: '/notices/:id/stop',
    roles: noticeWriters,
    handle: (context) => act(context, ({ tx, actor, now }, id) => stopNotice(tx, id, actor, now)),
  },
]

export interface Seen {
  notice: Notice
  /** Groups of the viewer; undefined: she sees all. */
  own: string[] | undefined
}

/** A facilitator sees what she wrote, what names a group of hers, and what went to one. */
export async function findNotice(context: PageContext): Promise<Seen> {
  const { tx, params, staff } = context
  const { id = '' } = params
  if (!isId(id)) throw new RequestError('route.unknown')
  const notice = await readNotice(tx, id)
  if (notice === undefined) throw new RequestError('route.unknown')
  const own = await ownGroupIds(context)
  if (own !== undefined && notice.authorStaffId !== staff.id) {
    const named = notice.audience.groupIds?.some((group) => own.includes(group)) === true
    const went = await tx.query(
      'select 1 from notice_recipients where notice_id = $1 and group_id = any($2::uuid[]) limit 1',
      [id, own],
    )
    if (!named && went.rowCount === 0) throw new RequestError('route.unknown')
  }
  return { notice, own }
}

async function act(
  context: PageContext,
  work: (context: PageContext, id: string) => Promise<{ outcome: string; faults?: NoticeFault[] }>,
): Promise<Page> {
  const { notice } = await findNotice(context)
  const { outcome, faults = [] } = await work(context, notice.id)
  if (outcome === 'refused')
    return onePage(
      context,
      faults.map((fault) => faultText(context, fault, notice.texts)),
    )
  // Asked again it says what it said, and nothing is done twice.
  const after = await readNotice(context.tx, notice.id)
  const done = after?.status === notice.status ? 'unchanged' : `notice_${outcome}`
  return { to: `/notices/${notice.id}`, done }
}

async function onePage(context: PageContext, faults: readonly string[]): Promise<Page> {
  const { say } = context
  const { notice, own } = await findNotice(context)
  const isOpen = notice.status === 'draft' || notice.status === 'waiting'
  const body = html`${faultSummary(say('fault.title'), faults)}
<div id="standing">${await headOf(context, notice)}
${await formsOf(context, notice)}
${isOpen ? await previewOf(context, notice, own) : wordsOf(context, notice)}</div>
${isOpen ? nothing : live(context, 'progress', await progressOf(context, notice, own), 'standing')}`
  const title = say(`notice_template.${notice.template ?? 'free'}`)
  return { title, body, ...(faults.length > 0 ? { status: 409 } : {}) }
}

/** Names of the people of a notice, by id. */
async function namesOf({ tx }: PageContext, notice: Notice): Promise<Map<string, string>> {
  const ids = [notice.authorStaffId, notice.authorMemberId, notice.approverId].filter((id) => id !== null)
  const { rows } = await tx.query<{ id: string; name: string }>(
    `select id, first_name || ' ' || last_name as name from staff where id = any($1::uuid[])
     union all select id, first_name || ' ' || last_name from members where id = any($1::uuid[])`,
    [ids],
  )
  return new Map(rows.map(({ id, name }) => [id, name]))
}

async function headOf(context: PageContext, notice: Notice): Promise<Markup> {
  const { say } = context
  const names = await namesOf(context, notice)
  const nameOf = (id: string | null) => (id === null ? undefined : names.get(id))
  const at = (date: Date | null) => (date === null ? undefined : moment(context, date))
  return facts([
    [say('message.status'), badge(say(`notice_status.${notice.status}`))],
    [say('message.purpose'), say(`purpose.${notice.purpose}`)],
    [say('notice.author'), nameOf(notice.authorStaffId ?? notice.authorMemberId) ?? notice.channel],
    [say('notice.written'), at(notice.createdAt)],
    [say('notice.audience'), await audienceText(context, notice)],
    [say('notice.send_day'), at(notice.sendAt)],
    [say('message.expires'), at(notice.expiresAt)],
    [say('notice.approved'), at(notice.approvedAt)],
    [say('notice.approver'), nameOf(notice.approverId)],
    [say('notice.ended'), at(notice.endedAt)],
  ])
}

async function audienceText({ tx, say, i18n }: PageContext, { audience }: Notice): Promise<string> {
  const { groupIds = [], roles = [], languages = [], places = [] } = audience
  const { rows } = await tx.query<{ name: string }>(
    'select name from groups where id = any($1::uuid[]) order by code',
    [groupIds],
  )
  const gone = groupIds.length - rows.length
  const parts = [
    rows.map(({ name }) => name).join(', '),
    gone > 0 ? say('notice.groups_gone', { count: gone }) : '',
    roles.map((role) => say(`member_role.${role}`)).join(', '),
    languages.map((tag) => (i18n.languages.has(tag) ? i18n.language(tag).endonym : tag)).join(', '),
    places.join(', '),
  ].filter((part) => part !== '')
  return parts.length === 0 ? say('notice.everybody') : parts.join('; ')
}

/** What can still be done; the module itself refuses what this person may not. */
async function formsOf(context: PageContext, notice: Notice): Promise<Markup> {
  const { say, staff, now } = context
  if (!changesThings(staff)) return nothing
  const { id, status } = notice
  const isAuthor = notice.authorStaffId === staff.id
  const mayJudge = (approvers as readonly string[]).includes(staff.role) && !isAuthor
  const start = startOf(notice)
  const isHeld = status === 'approved' && start !== undefined && now < start
  const one = (verb: string, danger = false) =>
    form(context, `/notices/${id}/${verb}`, button(say(`notice_act.${verb}`), { danger }))
  return html`${status === 'draft' && isAuthor ? one('send') : nothing}
${status === 'waiting' ? html`<p>${say('notice.waits')}</p>` : nothing}
${status === 'waiting' && mayJudge ? html`${one('approve')}${one('refuse', true)}` : nothing}
${isHeld ? html`<p>${say('notice.leaves')} ${moment(context, leavesAt(notice) ?? start)}</p>` : nothing}
${(status === 'draft' && isAuthor) || (status === 'waiting' && isAuthor) || isHeld ? one('undo', true) : nothing}
${status === 'sending' || (status === 'approved' && !isHeld) ? one('stop', true) : nothing}`
}

/** Once it is sent off nobody need count 100,000 members again to see what it says. */
function wordsOf({ say, i18n }: PageContext, notice: Notice): Markup {
  const words = noticeWords(notice, i18n, notice.languages)
  if (words.length === 0) return nothing
  return html`<section id="words"><h2>${say('notice.texts')}</h2>${words.map(({ language, text }) => {
    const { endonym, base, direction } = i18n.language(language)
    return html`<h3>${endonym}</h3><p class="sms" lang="${base}" dir="${direction}">${text}</p>`
  })}</section>`
}

async function previewOf(context: PageContext, { id }: Notice, own: string[] | undefined): Promise<Markup> {
  const { tx, say, i18n, now } = context
  const preview = await previewNotice(tx, i18n, id, now)
  if (preview === undefined) return nothing
  const excluded = Object.entries(preview.excluded)
  return html`<section id="preview"><h2>${say('notice.preview')}</h2>
${facts([
  [say('notice.recipients'), String(preview.recipients)],
  [say('notice.sms'), String(preview.messages)],
  [
    say('message.cost'),
    preview.cost === null ? say('cost.no_price') : `${preview.cost.currency} ${preview.cost.amount}`,
  ],
  [
    say('notice.approval'),
    preview.needsApproval ? say('notice.approval_needed') : say('notice.approval_not_needed'),
  ],
])}
${preview.languages.map((one) => languageOf(context, one))}
${own === undefined || excluded.length > 0 ? excludedOf(context, excluded) : nothing}</section>`
}

function languageOf({ say, i18n }: PageContext, one: NoticePreview['languages'][number]): Markup {
  const { endonym, base, direction } = i18n.language(one.language)
  const costly =
    one.costly.length === 0
      ? undefined
      : say('notice.costly', { letters: one.costly.join(' '), segments: one.segmentsWithoutCostly })
  return html`<h3>${endonym}${one.form === 'full' ? html` ${badge(say('sms_form.full'))}` : nothing}</h3>
<p class="sms" lang="${base}" dir="${direction}">${one.text}</p>
${facts([
  [say('notice.encoding'), say(`encoding.${one.encoding}`, { units: one.units })],
  [say('message.segments'), String(one.segments)],
  [say('notice.costly_letters'), costly],
  [say('notice.recipients'), String(one.recipients)],
  [say('message.cost'), one.cost ?? undefined],
])}`
}

function excludedOf({ say }: PageContext, excluded: readonly [string, number][]): Markup {
  return table(
    say('notice.excluded'),
    [
      { title: say('message.reason'), cell: ([reason]) => say(`exclusion.${reason}`) },
      { title: say('today.people'), cell: ([, count]) => count, figures: true },
    ],
    excluded,
    say('notice.none_excluded'),
  )
}

/** In this order along a bar: what is good first, what needs somebody last. */
const barParts: readonly { states: readonly RecipientState[]; style: string }[] = [
  { states: ['reached', 'told'], style: 'bar-good' },
  { states: ['waiting', 'sent'], style: 'bar-open' },
  { states: ['not_reached', 'unknown', 'opted_out', 'excluded'], style: 'bar-bad' },
]

const sumOf = (all: readonly StateCounts[]) =>
  Object.fromEntries(
    recipientStates.map((state) => [state, all.reduce((sum, counts) => sum + counts[state], 0)]),
  ) as StateCounts

const totalOf = (counts: StateCounts) => recipientStates.reduce((sum, state) => sum + counts[state], 0)

function barOf({ say }: PageContext, counts: StateCounts): Markup {
  const total = Math.max(1, totalOf(counts))
  let at = 0
  const rects = barParts.map(({ states, style }) => {
    const width = (states.reduce((sum, state) => sum + counts[state], 0) * 200) / total
    const rect = html`<rect class="${style}" x="${at.toFixed(1)}" y="0" width="${width.toFixed(1)}" height="14"></rect>`
    at += width
    return rect
  })
  const words = recipientStates
    .filter((state) => counts[state] > 0)
    .map((state) => `${say(`recipient_state.${state}`)} ${counts[state]}`)
    .join(', ')
  return html`<svg class="bar" viewBox="0 0 200 14" role="img" aria-label="${words}">${rects}</svg><span class="hint">${words}</span>`
}

const recipientsMax = 200
const groupsMax = 50

async function progressOf(context: PageContext, { id }: Notice, own: string[] | undefined): Promise<Markup> {
  const { tx, say, query } = context
  const scope = own === undefined ? {} : { groupIds: own }
  const page = /^[1-9]\d{0,3}$/.test(query.page ?? '') ? Number(query.page) : 1
  const asked = { ...scope, limit: groupsMax + 1, offset: (page - 1) * groupsMax }
  const groups = await noticeGroups(tx, id, asked)
  const shown = groups.slice(0, groupsMax)
  const state = recipientStates.find((one) => one === query.state)
  const counts =
    own === undefined
      ? await noticeTotals(tx, id)
      : sumOf((await noticeGroups(tx, id, scope)).map((group) => group.counts))
  // Her groups' and nobody else's; those in one state are looked for where the counts say that they are, not among 100,000.
  const theirs =
    state === undefined
      ? shown
      : await noticeGroups(tx, id, { ...scope, states: [state], limit: recipientsMax })
  const people = await recipientsOf(tx, id, {
    groupIds: theirs.map(({ groupId }) => groupId),
    limit: recipientsMax,
    ...(state === undefined ? {} : { states: [state] }),
  })
  return html`<h2>${say('notice.progress')}</h2>
${totalOf(counts) > 0 ? html`<p>${barOf(context, counts)}</p>` : nothing}
${table<NoticeProgress['groups'][number]>(
  say('menu.groups'),
  [
    { title: say('group.group'), cell: ({ name }) => name ?? say('notice.no_group') },
    { title: say('notice.progress'), cell: ({ counts }) => barOf(context, counts) },
    {
      title: say('notice.read_out'),
      cell: ({ groupId, counts }) =>
        groupId === null || totalOf(counts) === counts.reached + counts.told
          ? ''
          : link(`/notices/${id}/read-out?group=${groupId}`, say('notice.read_out')),
    },
  ],
  shown,
  say('notice.not_planned'),
)}
${groups.length > groupsMax ? html`<p>${link(withQuery(context, `/notices/${id}`, { page: String(page + 1) }), say('notice.more_groups'))}</p>` : nothing}
<p>${recipientStates
    .filter((one) => counts[one] > 0)
    .map((one) => html`${link(`/notices/${id}?state=${one}`, say(`recipient_state.${one}`))} `)}</p>
${peopleTable(context, people)}`
}

function peopleTable(context: PageContext, people: readonly Recipient[]): Markup {
  const { say } = context
  if (people.length === 0) return nothing
  return html`${table(
    say('today.people'),
    [
      { title: say('member.number'), cell: ({ number }) => number },
      {
        title: say('member.name'),
        cell: ({ memberId, firstName, lastName }) => link(`/members/${memberId}`, `${firstName} ${lastName}`),
      },
      {
        title: say('member.state'),
        cell: ({ state }) =>
          badge(
            say(`recipient_state.${state}`),
            state === 'reached' || state === 'told'
              ? 'good'
              : state === 'waiting' || state === 'sent'
                ? 'plain'
                : 'bad',
          ),
      },
      { title: say('message.reason'), cell: (person) => reasonText(context, person) },
    ],
    people,
    '',
  )}${people.length === recipientsMax ? html`<p class="hint">${say('form.narrow', { count: recipientsMax })}</p>` : nothing}`
}

const excluding: ReadonlySet<string> = new Set(exclusions)

/** What a network says that nobody has put into words stays as it is. */
export function reasonText({ say, i18n, tag }: PageContext, { reason }: Pick<Recipient, 'reason'>): string {
  if (reason === null) return ''
  if (excluding.has(reason)) return say(`exclusion.${reason}`)
  const key = reason.replace('.', '_')
  return i18n.has(tag, 'console', `reason.${key}`) ? say(`reason.${key}`) : reason
}
