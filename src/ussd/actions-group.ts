// In: what staff or an officer chose of a group: a name, a day, an hour, who came. Out: attendance taken, a meeting moved or cancelled.
// The group is asked anew each time; the acts themselves keep who did it in the audit log.
import { instantAt } from '../calendar.ts'
import { attendanceOf, takeAttendance } from '../meetings/attendance.ts'
import { cancelMeeting, type Meeting, moveMeeting } from '../meetings/meetings.ts'
import { groupOfStaff } from '../members/own-groups.ts'
import { minuteOf } from '../outbound/notice-text.ts'
import type { Action, ActionContext, ActionResult } from './action.ts'
import {
  actorIn,
  chosenMeeting,
  groupIn,
  listWindow,
  meetingOfToday,
  todayIn,
  windowKey,
  windowStart,
} from './group-work.ts'
import { dayTyped, timeTyped, wordsTyped } from './typed.ts'

/** Without where its lists stood: another group or notice begins at its first names. */
export function withoutWindows(noted: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(noted).filter(([key]) => !key.startsWith(windowKey(''))))
}

export const note = ({ dialogue }: ActionContext, values: Readonly<Record<string, string>>) => ({
  changes: { noted: { ...dialogue.noted, ...values } },
})

/** The day that was typed, by the calendar that her screens show. */
export function dayIn(context: ActionContext, typed: string): string | undefined {
  const { dialogue, i18n } = context
  const { calendar } = i18n.language(dialogue.language ?? 'en')
  return dayTyped(typed, todayIn(context), calendar)
}

/** A part of a name is enough. */
const searchMax = 20

export const groupActions: Readonly<Record<string, Action>> = {
  choose_group: {
    outcomes: ['chosen', 'gone'],
    async run({ db, programme, dialogue }, groupId) {
      const { staffId } = dialogue
      const group =
        staffId === undefined ? undefined : await groupOfStaff(db.pool, programme.id, staffId, groupId)
      if (group === undefined) return { outcome: 'gone' }
      const { search } = dialogue.noted
      return {
        outcome: 'chosen',
        changes: { noted: { group: groupId, ...(search === undefined ? {} : { search }) } },
      }
    },
  },

  search_groups: {
    outcomes: ['noted', 'malformed'],
    types: { letters: 6, times: 1 },
    run(_context, typed) {
      const search = wordsTyped(typed, searchMax)
      if (search === undefined) return Promise.resolve({ outcome: 'malformed' })
      return Promise.resolve({ outcome: 'noted', changes: { noted: { search } } })
    },
  },

  all_groups: {
    outcomes: ['noted'],
    run: () => Promise.resolve({ outcome: 'noted', changes: { noted: {} } }),
  },

  /** The next names of a list that is longer than a screen. */
  turn_list: {
    outcomes: ['turned'],
    bySight: true,
    run(context) {
      const { dialogue } = context
      const next = String(windowStart(dialogue) + listWindow)
      return Promise.resolve({ outcome: 'turned', ...note(context, { [windowKey(dialogue.state)]: next }) })
    },
  },

  take_attendance: {
    outcomes: ['saved', 'gone'],
    bySight: true,
    async run(context, value) {
      const [memberId = '', word] = value.split(':')
      const group = await groupIn(context)
      const meeting = group === undefined ? undefined : await meetingOfToday(context, group.id)
      if (meeting === undefined) return { outcome: 'gone' }
      const { db, now } = context
      const took = { memberId, attended: word === 'yes', by: actorIn(context), now }
      const isSaved = await db.transaction((tx) => takeAttendance(tx, { meetingId: meeting.id }, took))
      return { outcome: isSaved ? 'saved' : 'gone' }
    },
  },

  /** All of whom nothing was taken down yet came: most did, so the others are told apart first. */
  rest_came: {
    outcomes: ['saved', 'gone'],
    bySight: true,
    async run(context) {
      const group = await groupIn(context)
      const meeting = group === undefined ? undefined : await meetingOfToday(context, group.id)
      if (meeting === undefined) return { outcome: 'gone' }
      const { db, now } = context
      const of = { meetingId: meeting.id }
      await db.transaction(async (tx) => {
        for (const { memberId, attended } of await attendanceOf(tx, of))
          if (attended === null)
            await takeAttendance(tx, of, { memberId, attended: true, by: actorIn(context), now })
      })
      return { outcome: 'saved' }
    },
  },

  /** The meeting that the screen speaks of, whichever is the next one by the time that she has typed. */
  choose_meeting: {
    outcomes: ['chosen', 'gone'],
    async run(context) {
      const { subject } = context.dialogue
      const changes = note(context, subject === undefined ? {} : { meeting: subject })
      const meeting =
        subject === undefined
          ? undefined
          : await chosenMeeting({ ...context, dialogue: { ...context.dialogue, ...changes.changes } })
      return meeting === undefined ? { outcome: 'gone' } : { outcome: 'chosen', ...changes }
    },
  },

  note_move_day: {
    outcomes: ['noted', 'malformed'],
    types: { keys: 4 },
    run(context, typed) {
      const day = dayIn(context, typed)
      if (day === undefined) return Promise.resolve({ outcome: 'malformed' })
      return Promise.resolve({ outcome: 'noted', ...note(context, { move_day: day }) })
    },
  },

  /** The whole is said before it is done. */
  note_move_time: {
    outcomes: ['noted', 'malformed', 'past'],
    types: { keys: 4 },
    run(context, typed) {
      const time = timeTyped(typed)
      const day = context.dialogue.noted.move_day
      if (time === undefined || day === undefined) return Promise.resolve({ outcome: 'malformed' })
      if (startOf(context, day, time) <= context.now) return Promise.resolve({ outcome: 'past' })
      return Promise.resolve({ outcome: 'noted', ...note(context, { move_time: time }) })
    },
  },

  move_meeting: {
    outcomes: ['moved', 'refused'],
    values: ({ count }) => ({ count }),
    run: (context) =>
      change(context, async (tx, meeting) => {
        const { move_day: day, move_time: time } = context.dialogue.noted
        if (day === undefined || time === undefined) return undefined
        const startsAt = startOf(context, day, time)
        return moveMeeting(tx, { meetingId: meeting.id, startsAt, by: actorIn(context), now: context.now })
      }),
  },

  cancel_meeting: {
    outcomes: ['cancelled', 'refused'],
    values: ({ count }) => ({ count }),
    async run(context) {
      const { outcome, ...result } = await change(context, (tx, meeting) =>
        cancelMeeting(tx, { meetingId: meeting.id, by: actorIn(context), now: context.now }),
      )
      return { ...result, outcome: outcome === 'moved' ? 'cancelled' : outcome }
    },
  },
}

function startOf({ programme }: ActionContext, day: string, time: string): Date {
  return instantAt(day, minuteOf(time) ?? 0, programme.timeZone)
}

type Changing = Parameters<Parameters<ActionContext['db']['transaction']>[0]>[0]

async function change(
  context: ActionContext,
  work: (tx: Changing, meeting: Meeting) => Promise<Awaited<ReturnType<typeof moveMeeting>> | undefined>,
): Promise<ActionResult> {
  const { db, dialogue, i18n } = context
  const meeting = await chosenMeeting(context)
  if (dialogue.staffId === undefined || meeting === undefined) return { outcome: 'refused' }
  const changed = await db.transaction((tx) => work(tx, meeting))
  if (changed === undefined || changed.outcome === 'refused') return { outcome: 'refused' }
  const count = i18n.number(dialogue.language ?? 'en', changed.toTell)
  return { outcome: 'moved', values: { count } }
}
