// In: a member. Out: how her own requests stand, one line each.
import { localParts } from '../calendar.ts'
import { type MemberCase, memberCases, memberCasesMax } from '../cases/member-cases.ts'
import type { DataContext, Line, Samples, Source } from './data.ts'
import { memberIn } from './data-messages.ts'

const reference = 'AB12CD'
const dated = ({ date }: Samples) => ({ reference, date })

function lineOf({ i18n, language, programme }: DataContext, one: MemberCase): Line {
  const { state, promisedDate, appointmentAt, closedAt } = one
  const at = state === 'appointment' ? appointmentAt : state === 'closed' ? closedAt : null
  const local = at === null ? undefined : localParts(at, programme.timeZone)
  const day = local?.date ?? promisedDate
  return {
    name: state,
    values: {
      reference: one.reference,
      date: day === null ? '' : i18n.date(language, day),
      time: local === undefined ? '' : i18n.time(language, local.minuteOfDay),
    },
  }
}

export const caseSources: Readonly<Record<string, Source>> = {
  my_cases: {
    texts: {
      none: () => ({}),
      waiting: dated,
      taken: dated,
      late: () => ({ reference }),
      appointment: ({ date, time }) => ({ reference, date, time }),
      closed: dated,
      not_reached: () => ({ reference }),
    },
    alone: ['none', 'late', 'closed', 'taken', 'not_reached'],
    linesMax: memberCasesMax,
    ofMember: true,
    async load(context) {
      const { db, dialogue, now } = context
      const alone = dialogue.passed && !dialogue.shared
      const found = await memberCases(db.reads, memberIn(context), now, alone)
      if (found.length === 0) return { lines: [{ name: 'none', values: {} }] }
      return { lines: found.map((one) => lineOf(context, one)) }
    },
  },
}
