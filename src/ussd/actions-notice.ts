// In: what staff or an officer chose and typed for a notice. Out: a draft, a notice that leaves, one that was taken back, a member told.
// What may be said, to whom and by whom is judged by notices alone; here the answer becomes the next screen.
import {
  draftNotice,
  type NoticeDraft,
  previewNotice,
  readNotice,
  sendNotice,
  undoNotice,
} from '../notices/notices.ts'
import { inEveryLanguage } from '../notices/one-text.ts'
import { markTold } from '../notices/progress.ts'
import { noticeTemplates } from '../outbound/notice-text.ts'
import { momentValues } from '../outbound/wording.ts'
import type { Action, ActionContext, ActionResult } from './action.ts'
import { dayIn, note, withoutWindows } from './actions-group.ts'
import { writtenMax } from './data-notices.ts'
import { actorIn, authorIn, groupIn, nextMeeting } from './group-work.ts'
import { timeTyped, wordsTyped } from './typed.ts'

/** What is typed to end a text, and to begin it anew: nobody writes a notice of one digit. */
const done = '1'
const anew = '2'
/** Notices take lines of so many letters. */
const lineMax = 60

/** How drafting can end; each has its reason or screen in the menu. */
const drafting = ['drafted', 'past', 'too_long', 'nobody', 'refused'] as const

const endOfFault: Readonly<Record<string, (typeof drafting)[number]>> = {
  in_past: 'past',
  text_too_long: 'too_long',
  audience_empty: 'nobody',
  audience_unreachable: 'nobody',
}

type Words = Pick<NoticeDraft, 'template' | 'fields' | 'texts' | 'purpose'>

/** A draft to the group under this hop's key: the same callback again is the same draft. */
async function draft(
  context: ActionContext,
  words: Words,
  noted: Readonly<Record<string, string>> = {},
): Promise<ActionResult> {
  const group = await groupIn(context)
  if (group === undefined) return { outcome: 'refused' }
  const { db, i18n, programme, hopKey, now } = context
  const drafted = await db.transaction((tx) =>
    draftNotice(tx, i18n, {
      ...words,
      programmeId: programme.id,
      author: authorIn(context),
      channel: 'ussd',
      audience: { groupIds: [group.id] },
      dedupeKey: `ussd/${hopKey}`,
      now,
    }),
  )
  if ('id' in drafted) return { outcome: 'drafted', ...note(context, { ...noted, notice: drafted.id }) }
  const [fault] = drafted.faults
  return { outcome: endOfFault[fault?.code ?? ''] ?? 'refused', ...note(context, noted) }
}

/** What the template asks next, or the draft when it has everything. */
function ask(context: ActionContext, fields: Readonly<Record<string, string>>): Promise<ActionResult> {
  const { template = '' } = { ...context.dialogue.noted, ...fields }
  const wanted: readonly string[] = Object.hasOwn(noticeTemplates, template)
    ? noticeTemplates[template as keyof typeof noticeTemplates]
    : []
  const given = { ...context.dialogue.noted, ...fields }
  const missing = wanted.find((name) => given[name] === undefined)
  if (missing !== undefined) return Promise.resolve({ outcome: missing, ...note(context, fields) })
  const all = Object.fromEntries(wanted.map((name) => [name, given[name] ?? '']))
  return draft(context, { template, fields: all, purpose: 'meeting' }, fields)
}

/** Without what was chosen and written for another notice. */
function anewIn({ dialogue }: ActionContext): ActionContext['dialogue'] {
  const {
    template: _,
    day: __,
    time: ___,
    place: ____,
    topic: _____,
    text: ______,
    ...noted
  } = dialogue.noted
  return { ...dialogue, noted }
}

export const noticeActions: Readonly<Record<string, Action>> = {
  choose_template: {
    outcomes: ['day', 'topic', ...drafting],
    run: (context, template) => ask({ ...context, dialogue: anewIn(context) }, { template }),
  },

  write_notice: {
    outcomes: ['begun'],
    run: (context) => Promise.resolve({ outcome: 'begun', changes: { noted: anewIn(context).noted } }),
  },

  note_day: {
    outcomes: ['time', 'malformed', ...drafting],
    types: { keys: 4 },
    async run(context, typed) {
      const day = dayIn(context, typed)
      if (day === undefined) return { outcome: 'malformed' }
      // Another day asks for its own hour.
      const { time: _, place: __, ...noted } = context.dialogue.noted
      return ask({ ...context, dialogue: { ...context.dialogue, noted } }, { day })
    },
  },

  note_time: {
    outcomes: ['place', 'malformed'],
    types: { keys: 4 },
    async run(context, typed) {
      const time = timeTyped(typed)
      return time === undefined ? { outcome: 'malformed' } : ask(context, { time })
    },
  },

  /** "1" takes the place that the screen names. */
  note_place: {
    outcomes: ['malformed', ...drafting],
    types: { letters: 20, times: 1 },
    async run(context, typed) {
      const place = typed.trim() === done ? await usualPlace(context) : wordsTyped(typed, lineMax)
      return place === undefined ? { outcome: 'malformed' } : ask(context, { place })
    },
  },

  note_topic: {
    outcomes: ['day', 'malformed'],
    types: { letters: 20, times: 1 },
    async run(context, typed) {
      const topic = wordsTyped(typed, lineMax)
      return topic === undefined ? { outcome: 'malformed' } : ask(context, { topic })
    },
  },

  /** A piece of a text; what was sent stays when the call drops. */
  note_text: {
    outcomes: ['more', 'malformed', 'full', ...drafting],
    // 100 letters take longer than a network waits for one answer, so they come in pieces.
    types: { letters: 15, times: 7 },
    async run(context, typed) {
      const { text } = context.dialogue.noted
      const typedLine = typed.trim()
      if (typedLine === anew) {
        const { text: _, ...noted } = context.dialogue.noted
        return { outcome: 'more', changes: { noted } }
      }
      if (typedLine === done)
        return text === undefined
          ? { outcome: 'malformed' }
          : draft(context, { texts: inEveryLanguage(context.programme.languages, text), purpose: 'service' })
      const piece = wordsTyped(typed, writtenMax)
      if (piece === undefined) return { outcome: typedLine === '' ? 'malformed' : 'full' }
      const longer = text === undefined ? piece : `${text} ${piece}`
      if ([...longer].length > writtenMax) return { outcome: 'full' }
      return { outcome: 'more', ...note(context, { text: longer }) }
    },
  },

  send_notice: {
    outcomes: ['sent', 'waiting', 'past', 'refused'],
    values: ({ count, date, time }) => ({ count, date, time }),
    async run(context) {
      const { db, i18n, programme, dialogue, now } = context
      const { notice } = dialogue.noted
      if (notice === undefined) return { outcome: 'refused' }
      const sent = await db.transaction((tx) => sendNotice(tx, notice, authorIn(context), now))
      if (sent.outcome === 'waiting') return { outcome: 'waiting' }
      if (sent.outcome === 'refused')
        return { outcome: sent.faults?.some(({ code }) => code === 'in_past') === true ? 'past' : 'refused' }
      const { recipients = 0 } = (await previewNotice(db.pool, i18n, notice, now)) ?? {}
      const language = dialogue.language ?? 'en'
      const count = i18n.number(language, recipients)
      const moment = momentValues(i18n, language, sent.leavesAt ?? now, programme.timeZone)
      return { outcome: 'sent', values: { count, ...moment } }
    },
  },

  undo_notice: {
    outcomes: ['undone', 'too_late'],
    async run(context) {
      const { db, dialogue, now } = context
      const { notice } = dialogue.noted
      if (notice === undefined) return { outcome: 'too_late' }
      const { outcome } = await db.transaction((tx) => undoNotice(tx, notice, actorIn(context), now))
      return { outcome: outcome === 'undone' ? 'undone' : 'too_late' }
    },
  },

  choose_notice: {
    outcomes: ['chosen', 'gone'],
    async run(context, noticeId) {
      const { db, programme, dialogue } = context
      const notice = await readNotice(db.pool, noticeId)
      if (notice === undefined || notice.programmeId !== programme.id) return { outcome: 'gone' }
      return {
        outcome: 'chosen',
        changes: { noted: { ...withoutWindows(dialogue.noted), notice: noticeId } },
      }
    },
  },

  /** Who was told in person leaves the list. */
  mark_told: {
    outcomes: ['told', 'gone'],
    bySight: true,
    async run(context, memberId) {
      const { db, dialogue, now } = context
      const { notice: noticeId } = dialogue.noted
      if (noticeId === undefined) return { outcome: 'gone' }
      const ask = { noticeId, memberId, by: actorIn(context), now }
      const isTold = await db.transaction((tx) => markTold(tx, ask))
      return { outcome: isTold ? 'told' : 'gone' }
    },
  },
}

async function usualPlace(context: ActionContext): Promise<string | undefined> {
  const group = await groupIn(context)
  if (group === undefined) return undefined
  return (await nextMeeting(context, group.id))?.place ?? group.place
}
