// In: a member and a moment. Out: when her group meets next, what it is taught next, and how far she is with her first sessions.
import { localParts } from '../calendar.ts'
import { textIn } from '../i18n.ts'
import { type MemberPosition, readPosition } from '../ledger/position.ts'
import type { DataContext, Line, LineValues, Samples, Source } from './data.ts'
import { memberIn } from './data-messages.ts'

const nothing = () => ({})
const meetingSample = ({ date, time, place }: Samples) => ({ date, time, place })

function position(context: DataContext): Promise<MemberPosition> {
  const { date } = localParts(context.now, context.programme.timeZone)
  return readPosition(context.db.reads, memberIn(context), context.now, date)
}

/** Day, time and place of a meeting or training in the programme's own time zone. */
export function whenAndWhere(context: DataContext, at: { startsAt: Date; place: string }): LineValues {
  const { date, minuteOfDay } = localParts(at.startsAt, context.programme.timeZone)
  const { i18n, language } = context
  return { date: i18n.date(language, date), time: i18n.time(language, minuteOfDay), place: at.place }
}

export const meetingSources: Readonly<Record<string, Source>> = {
  meeting: {
    texts: { none: nothing, meeting: meetingSample, coming: nothing, not_coming: nothing },
    alone: ['none', 'coming'],
    facts: ['has_meeting'],
    ofMember: true,
    async load(context) {
      const { nextMeeting } = await position(context)
      if (nextMeeting === undefined) return { lines: [{ name: 'none', values: {} }] }
      const lines: Line[] = [{ name: 'meeting', values: whenAndWhere(context, nextMeeting) }]
      if (nextMeeting.coming !== undefined)
        lines.push({ name: nextMeeting.coming ? 'coming' : 'not_coming', values: {} })
      return { lines, facts: ['has_meeting'], subject: nextMeeting.id }
    },
  },

  training: {
    texts: {
      none: nothing,
      training: (sample) => ({ ...meetingSample(sample), title: sample.title }),
      progress: ({ count }) => ({ done: count, total: count }),
      // In words that tell a bystander nothing of money: no PIN stands before this screen.
      ready: nothing,
    },
    alone: ['none'],
    ofMember: true,
    async load(context) {
      const { nextTraining, initialDone, initialTotal, readyForFirstLoan } = await position(context)
      const lines: Line[] = []
      if (nextTraining === undefined) lines.push({ name: 'none', values: {} })
      else {
        const { titles } = nextTraining
        const title = textIn(titles, context.language, context.programme.languages[0])
        lines.push({ name: 'training', values: { ...whenAndWhere(context, nextTraining), title } })
      }
      if (initialTotal > 0)
        lines.push({
          name: 'progress',
          values: {
            done: context.i18n.number(context.language, initialDone),
            total: context.i18n.number(context.language, initialTotal),
          },
        })
      if (readyForFirstLoan) lines.push({ name: 'ready', values: {} })
      return { lines }
    },
  },
}
