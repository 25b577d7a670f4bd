// Who was not reached by a notice, per group, to be told in person at the next meeting: on the page, on paper, and ticked off.
import { RequestError } from '../../errors.ts'
import { html } from '../../markup.ts'
import { noticeWords } from '../../notices/notices.ts'
import { markTold, type Recipient, unreachedOf } from '../../notices/progress.ts'
import { faultSummary, form, link, nothing, table } from '../elements.ts'
import { isId } from '../ids.ts'
import type { ConsoleRoute, Page, PageContext } from '../page.ts'
import { changesThings } from '../roles.ts'
import { findNotice, reasonText, type Seen } from './notice.ts'
import { noticeReaders, noticeWriters } from './notices.ts'

export const readOutRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/notices/:id/read-out', roles: noticeReaders, handle: readOutPage },
  { method: 'post', path: '/notices/:id/told', roles: noticeWriters, handle: tell },
]

async function groupOf(context: PageContext): Promise<{ seen: Seen; groupId: string; name: string }> {
  const { tx, query, form: values } = context
  const seen = await findNotice(context)
  const groupId = values.group ?? query.group ?? ''
  if (!isId(groupId) || (seen.own !== undefined && !seen.own.includes(groupId)))
    throw new RequestError('route.unknown')
  const { rows } = await tx.query<{ name: string }>('select name from groups where id = $1', [groupId])
  if (rows[0] === undefined) throw new RequestError('route.unknown')
  return { seen, groupId, name: rows[0].name }
}

/** For the next meeting, also on paper: names, and a box to tick. */
async function readOutPage(context: PageContext): Promise<Page> {
  const { tx, say, staff } = context
  const { seen, groupId, name } = await groupOf(context)
  const { id } = seen.notice
  const people = await unreachedOf(tx, id, groupId)
  const told = (person: Recipient) =>
    changesThings(staff)
      ? form(
          context,
          `/notices/${id}/told`,
          html`<input type="hidden" name="group" value="${groupId}"><input type="hidden" name="member" value="${person.memberId}"><button type="submit" aria-label="${say('notice.told_label', { name: `${person.firstName} ${person.lastName}` })}">${say('recipient_state.told')}</button>`,
        )
      : nothing
  const { rows: readers } = await tx.query<{ language: string | null }>(
    'select distinct language from members where group_id = $1 order by language',
    [groupId],
  )
  const words = noticeWords(
    seen.notice,
    context.i18n,
    readers.map(({ language }) => language),
  )
  const body = html`<p>${say('notice.read_out_lead')}</p>
${words.map(({ language, text }) => {
  const { base, direction } = context.i18n.language(language)
  return html`<p class="sms" lang="${base}" dir="${direction}">${text}</p>`
})}
${table(
  name,
  [
    { title: say('member.number'), cell: ({ number }) => number },
    { title: say('member.name'), cell: ({ firstName, lastName }) => `${firstName} ${lastName}` },
    { title: say('member.state'), cell: ({ state }) => say(`recipient_state.${state}`) },
    { title: say('message.reason'), cell: (person) => reasonText(context, person) },
    // On paper it is ticked with a pen.
    { title: say('recipient_state.told'), cell: (person) => html`${told(person)}<span class="box"></span>` },
  ],
  people,
  say('notice.all_told'),
)}
<p class="unprinted">${link(`/notices/${id}`, say('form.back'))}</p>`
  return { title: say('notice.read_out'), body }
}

async function tell(context: PageContext): Promise<Page> {
  const { tx, actor, now, form: values, say } = context
  const { seen, groupId } = await groupOf(context)
  const memberId = values.member ?? ''
  if (!isId(memberId)) throw new RequestError('route.unknown')
  const ticked = await markTold(tx, { noticeId: seen.notice.id, memberId, by: actor, now })
  const back = `/notices/${seen.notice.id}/read-out?group=${groupId}`
  if (ticked) return { to: back, done: 'told' }
  return {
    title: say('notice.read_out'),
    body: html`${faultSummary(say('fault.title'), [say('notice_fault.not_on_list')])}<p>${link(back, say('form.back'))}</p>`,
    status: 409,
  }
}
