// Cases: what members ask, those promised first at the head. Who sees which is said in one place, src/cases/worklist.ts.
import {
  type CaseKind,
  type CaseState,
  type CasesAsk,
  caseKinds,
  casesOf,
  countSocialCases,
} from '../../cases/cases.ts'
import { html, type Markup } from '../../markup.ts'
import {
  badge,
  button,
  checkbox,
  link,
  moment,
  nothing,
  searchForm,
  select,
  table,
  withQuery,
} from '../elements.ts'
import type { ConsoleRoute, PageContext } from '../page.ts'
import { everyRole } from '../roles.ts'

export const casesRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/cases', roles: everyRole, handle: casesPage },
]

const rowsMax = 50

/** With the eyes of whoever is signed in. */
export function casesSeen(
  { tx, staff, now }: PageContext,
  ask: Omit<CasesAsk, 'programmeId' | 'role' | 'staffId' | 'now'>,
): Promise<CaseState[]> {
  return casesOf(tx, { ...ask, programmeId: staff.programmeId, role: staff.role, staffId: staff.id, now })
}

/** A stable word for how far it is. */
export function stateOf({ status, takenAt, appointmentAt }: CaseState): string {
  if (status === 'closed') return 'closed'
  if (appointmentAt !== null) return 'appointed'
  return takenAt === null ? 'waiting' : 'taken'
}

export function promiseText({ say }: Pick<PageContext, 'say'>, { promisedDate, overdue }: CaseState): Markup {
  return html`${promisedDate ?? ''} ${overdue ? badge(say('case.overdue'), 'bad') : nothing}`
}

export function caseTable(
  context: PageContext,
  caption: string,
  rows: readonly CaseState[],
  isPage = false,
): Markup {
  const { say } = context
  return table(
    caption,
    [
      { title: say('case.reference'), cell: ({ reference }) => link(`/cases/${reference}`, reference) },
      { title: say('case.kind'), cell: ({ kind }) => say(`case_kind.${kind}`) },
      {
        title: say('member.name'),
        cell: ({ memberId, firstName, lastName }) => link(`/members/${memberId}`, `${firstName} ${lastName}`),
      },
      { title: say('case.opened'), cell: ({ openedAt }) => moment(context, openedAt) },
      { title: say('case.promised'), cell: (row) => promiseText(context, row) },
      { title: say('case.owner'), cell: ({ owner }) => owner ?? badge(say('case.nobody'), 'bad') },
      { title: say('member.state'), cell: (row) => say(`case_state.${stateOf(row)}`) },
    ],
    rows,
    say('case.none'),
    { isPage },
  )
}

const kindOf = (word: string | undefined): CaseKind | undefined => caseKinds.find((kind) => kind === word)

async function casesPage(context: PageContext) {
  const { say, staff, query } = context
  const status = query.status === 'closed' ? 'closed' : 'open'
  const mine = query.mine === 'yes'
  const found = await casesSeen(context, {
    status,
    kind: kindOf(query.kind),
    ownerId: mine ? staff.id : undefined,
    overdue: query.overdue === 'yes',
    before: /^[0-9A-Z]{1,12}$/.test(query.after ?? '') ? query.after : undefined,
    limit: rowsMax + 1,
  })
  const rows = found.slice(0, rowsMax)
  const more = found.length > rowsMax ? rows.at(-1) : undefined
  const kinds = caseKinds.filter((kind) => kind !== 'social_worker' || staff.role === 'social_worker')
  const body = html`${await socialLine(context)}
${searchForm(
  '/cases',
  html`${select(
    'status',
    say('member.state'),
    [
      { value: 'open', text: say('case_status.open') },
      { value: 'closed', text: say('case_status.closed') },
    ],
    status,
  )}${select(
    'kind',
    say('case.kind'),
    [
      { value: '', text: say('form.all') },
      ...kinds.map((kind) => ({ value: kind, text: say(`case_kind.${kind}`) })),
    ],
    query.kind ?? '',
  )}${checkbox('mine', say('case.mine'), mine)}${checkbox('overdue', say('case.only_overdue'), query.overdue === 'yes')}${button(say('form.search'))}`,
)}
${caseTable(context, say('menu.cases'), rows, true)}
${more === undefined ? nothing : html`<p>${link(withQuery(context, '/cases', { after: more.reference }), say('case.more'))}</p>`}`
  return { title: say('menu.cases'), body }
}

/** How many ask for a social worker is all that an administrator may know of them. */
async function socialLine({ tx, staff, say, now }: PageContext): Promise<Markup> {
  if (staff.role !== 'administrator') return nothing
  const { open, overdue, unowned } = await countSocialCases(tx, staff.programmeId, now)
  return open === 0
    ? nothing
    : html`<p class="hint">${say('case.social_counts', { open, overdue, unowned })}</p>`
}
