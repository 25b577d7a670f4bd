// In: staff or an officer, the group that is theirs, and a notice. Out: what the screens show of it: how it will look, what became of it, whom to tell.
// Names stand here by alias only.
import { localParts } from '../calendar.ts'
import { baseOf } from '../i18n.ts'
import { type NoticePreview, previewNotice, readNotice } from '../notices/notices.ts'
import { readingOthers } from '../notices/one-text.ts'
import { listNotices, noticeGroups, unreachedOf } from '../notices/progress.ts'
import { noticeTemplates } from '../outbound/notice-text.ts'
import type { DataContext, Line, Samples, Source, View } from './data.ts'
import { groupIn, listWindow, nextMeeting, windowOf } from './group-work.ts'

const nothing = () => ({})
const countSample = ({ count }: Samples) => ({ count })

/** Letters that a written notice may have: nobody types more with keys that hold three each. */
export const writtenMax = 100

const none: View = { lines: [{ name: 'none', values: {} }] }
/** Of those that are listed; older ones are in the console. */
const listedMax = 28

const number = ({ i18n, language }: DataContext, value: number) => i18n.number(language, value)

const templateNames = [...Object.keys(noticeTemplates), 'free']

/** How the text will look to most of them; in her own language where that is among those it is sent in. */
function shownOf({ languages }: NoticePreview, language: string) {
  const own = languages.filter((one) => baseOf(one.language) === baseOf(language))
  const among = own.length > 0 ? own : languages
  return among.reduce<(typeof languages)[number] | undefined>(
    (best, one) => (best === undefined || one.recipients > best.recipients ? one : best),
    undefined,
  )
}

export const noticeSources: Readonly<Record<string, Source>> = {
  /** Where the group usually meets. */
  usual_place: {
    texts: { none: nothing, ask: ({ place }) => ({ place }) },
    alone: ['none'],
    ofMember: false,
    behindPin: true,
    async load(context) {
      const group = await groupIn(context)
      if (group === undefined) return none
      const place = (await nextMeeting(context, group.id))?.place ?? group.place
      return { lines: [{ name: 'ask', values: { place } }] }
    },
  },

  /** What was written so far: a call that drops loses only the piece that was not sent yet. */
  written: {
    texts: { ask: nothing, so_far: ({ written }) => ({ text: written }), left: countSample },
    alone: ['ask'],
    ofMember: false,
    behindPin: true,
    load(context) {
      const { text } = context.dialogue.noted
      if (text === undefined) return Promise.resolve({ lines: [{ name: 'ask', values: {} }] })
      const left = number(context, Math.max(0, writtenMax - [...text].length))
      return Promise.resolve({
        lines: [
          { name: 'so_far', values: { text } },
          { name: 'left', values: { count: left } },
        ],
      })
    },
  },

  notice_preview: {
    texts: {
      none: nothing,
      words: ({ notice }) => ({ text: notice }),
      to: ({ count }) => ({ count, parts: count }),
      others: countSample,
      excluded: countSample,
      approval: nothing,
    },
    alone: ['none'],
    facts: ['can_send'],
    ofMember: false,
    behindPin: true,
    async load(context) {
      const { db, i18n, language, now, dialogue } = context
      const preview =
        dialogue.noted.notice === undefined
          ? undefined
          : await previewNotice(db.pool, i18n, dialogue.noted.notice, now)
      const shown = preview && shownOf(preview, language)
      if (preview === undefined || shown === undefined) return none
      const parts = Math.max(...preview.languages.map(({ segments }) => segments))
      const others = readingOthers(preview, language)
      const excluded = Object.values(preview.excluded).reduce((sum, count) => sum + count, 0)
      const lines: Line[] = [
        { name: 'words', values: { text: shown.text } },
        {
          name: 'to',
          values: { count: number(context, preview.recipients), parts: number(context, parts) },
        },
      ]
      if (others > 0) lines.push({ name: 'others', values: { count: number(context, others) } })
      if (excluded > 0) lines.push({ name: 'excluded', values: { count: number(context, excluded) } })
      if (preview.needsApproval) lines.push({ name: 'approval', values: {} })
      return { lines, facts: ['can_send'] }
    },
  },

  /** Sent to the group, newest first, with the day. */
  notices: {
    texts: { none: nothing, nothing_sent: nothing },
    alone: ['none', 'nothing_sent'],
    optionTexts: Object.fromEntries(templateNames.map((name) => [name, ({ date }: Samples) => ({ date })])),
    optionsMax: listWindow,
    facts: ['has_next'],
    ofMember: false,
    behindPin: true,
    async load(context) {
      const group = await groupIn(context)
      if (group === undefined) return none
      const { db, i18n, language, programme, dialogue } = context
      const asked = { programmeId: programme.id, groupIds: [group.id], limit: listedMax }
      const sent = (await listNotices(db.pool, asked)).filter(({ status }) => status !== 'draft')
      if (sent.length === 0) return { lines: [{ name: 'nothing_sent', values: {} }] }
      const { rows, facts } = windowOf(dialogue, sent)
      const options = rows.map(({ id, template, createdAt }) => ({
        value: id,
        name: template ?? 'free',
        values: { date: i18n.shortDate(language, localParts(createdAt, programme.timeZone).date) },
      }))
      return { lines: [], options, facts }
    },
  },

  /** What became of one, in this group. */
  notice: {
    texts: {
      none: nothing,
      approval: nothing,
      leaving: nothing,
      taken_back: nothing,
      reached: ({ count }) => ({ reached: count, total: count }),
      open: countSample,
      told: countSample,
    },
    alone: ['none', 'approval', 'taken_back'],
    facts: ['has_unreached', 'can_undo'],
    ofMember: false,
    behindPin: true,
    async load(context) {
      const { noted } = context.dialogue
      const { db } = context
      const [group, notice] = await Promise.all([
        groupIn(context),
        noted.notice === undefined ? undefined : readNotice(db.pool, noted.notice),
      ])
      if (group === undefined || notice === undefined || notice.programmeId !== context.programme.id)
        return none
      const { status } = notice
      if (status === 'waiting') return { lines: [{ name: 'approval', values: {} }], facts: ['can_undo'] }
      if (status === 'undone' || status === 'refused') return { lines: [{ name: 'taken_back', values: {} }] }
      const [[progress], open] = await Promise.all([
        noticeGroups(db.pool, notice.id, { groupIds: [group.id] }),
        unreachedOf(db.pool, notice.id, group.id),
      ])
      const counts = progress?.counts
      const lines: Line[] = status === 'approved' ? [{ name: 'leaving', values: {} }] : []
      if (counts !== undefined) {
        const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
        const reached = { reached: number(context, counts.reached), total: number(context, total) }
        lines.push({ name: 'reached', values: reached })
        lines.push({ name: 'open', values: { count: number(context, open.length) } })
        if (counts.told > 0) lines.push({ name: 'told', values: { count: number(context, counts.told) } })
      }
      const facts = [
        ...(open.length > 0 ? ['has_unreached'] : []),
        ...(status === 'approved' ? ['can_undo'] : []),
      ]
      return { lines: lines.length === 0 ? none.lines : lines, facts }
    },
  },

  /** Whom to tell in person; choosing one ticks her off. */
  unreached: {
    texts: { none: nothing, nobody: nothing },
    alone: ['none', 'nobody'],
    optionTexts: { member: ({ alias }) => ({ alias }) },
    optionsMax: listWindow,
    facts: ['has_next'],
    ofMember: false,
    behindPin: true,
    async load(context) {
      const { notice } = context.dialogue.noted
      const group = await groupIn(context)
      if (group === undefined || notice === undefined) return none
      const open = await unreachedOf(context.db.pool, notice, group.id)
      if (open.length === 0) return { lines: [{ name: 'nobody', values: {} }] }
      const { rows, facts } = windowOf(context.dialogue, open)
      const options = rows.map(({ memberId, alias }) => ({
        value: memberId,
        name: 'member',
        values: { alias },
      }))
      return { lines: [], options, facts }
    },
  },
}
