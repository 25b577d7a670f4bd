// In: what a member asks of her programme, or somebody whose phone is nobody's. Out: a case, its reference and the promised day.

import type { CalendarDate } from '../calendar.ts'
import { type CaseKind, openCase } from '../cases/cases.ts'
import { claimedMember, claimLostPhone } from '../cases/lost-phone.ts'
import { InvariantError } from '../errors.ts'
import { readMovements } from '../ledger/position.ts'
import { type Action, type ActionContext, type ActionResult, memberOf } from './action.ts'

/** Values of the options of the menu. */
const kindsAsked: readonly string[] = [
  'call_back',
  'lost_phone',
  'pin_reset',
  'social_worker',
] satisfies CaseKind[]

const promiseSample: NonNullable<Action['values']> = ({ date }) => ({ reference: 'AB12CD', date })

interface Asked {
  kind: CaseKind
  entryId?: string | undefined
  language?: string
}

async function ask(context: ActionContext, asked: Asked, outcome: string): Promise<ActionResult> {
  const { db, programme, hopKey, now } = context
  const memberId = memberOf(context)
  const opened = await openCase(db.pool, { programmeId: programme.id, memberId, hopKey, now, ...asked })
  return { outcome, values: { reference: opened.reference, date: dayIn(context, opened.promisedDate) } }
}

function dayIn({ i18n, dialogue, programme }: ActionContext, day: CalendarDate | null): string {
  return day === null ? '' : i18n.date(dialogue.language ?? programme.languages[0] ?? 'en', day)
}

export const caseActions: Readonly<Record<string, Action>> = {
  ask: {
    outcomes: ['asked'],
    values: promiseSample,
    run(context, kind) {
      if (!kindsAsked.includes(kind)) throw new InvariantError('A request that no screen offers')
      return ask(context, { kind: kind as CaseKind }, 'asked')
    },
  },

  /** She picks the language that she wants to be spoken to in. */
  ask_adviser: {
    outcomes: ['asked'],
    values: promiseSample,
    run: (context, language) => ask(context, { kind: 'adviser', language }, 'asked'),
  },

  choose_movement: {
    outcomes: ['chosen'],
    run: (_context, entryId) => Promise.resolve({ outcome: 'chosen', changes: { chosen: entryId } }),
  },

  /** "This is not right": about the movement that she chose, else about the last one of what the screen shows. */
  dispute: {
    outcomes: ['opened'],
    values: promiseSample,
    async run(context, value) {
      const entryId = value === 'movement' ? context.dialogue.chosen : await lastEntryOf(context, value)
      return ask(context, { kind: 'dispute', entryId }, 'opened')
    },
  },

  /** A member number typed on a phone that is nobody's here; the next screen is the same whether there is such a member or not. */
  claim_number: {
    outcomes: ['taken'],
    async run({ db, programme }, typed) {
      const chosen = await claimedMember(db.pool, programme.id, typed)
      return { outcome: 'taken', changes: { chosen } }
    },
  },

  claim_group: {
    outcomes: ['noted', 'too_often'],
    values: ({ date }) => ({ date }),
    async run(context, group) {
      const { db, programme, dialogue, caller, hopKey, now } = context
      const claim = { programmeId: programme.id, memberId: dialogue.chosen, group, caller, hopKey, now }
      const promised = await claimLostPhone(db.pool, claim)
      if (promised === undefined) return { outcome: 'too_often' }
      return { outcome: 'noted', values: { date: dayIn(context, promised) } }
    },
  },
}

const latestLooked = 10

/** Undefined when nothing moved there that still counts: the case is then about the account. */
async function lastEntryOf(context: ActionContext, screen: string): Promise<string | undefined> {
  const purposes = screen === 'loan' || screen === 'savings' ? ([screen] as const) : undefined
  const movements = await readMovements(
    context.db.reads,
    memberOf(context),
    latestLooked,
    purposes === undefined ? {} : { purposes },
  )
  return movements.find(({ reversed }) => !reversed)?.entryId
}
