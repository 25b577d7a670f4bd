// In: a PIN as it was typed, a member's or one of the staff's. Out: whether it is right, or the one that is kept from now on.
// Must never keep or return a PIN: only its hash, and that only until it was repeated.
import { InvariantError } from '../errors.ts'
import { type HolderPins, isPin, isWeakPin, type PinOwner } from '../members/pin.ts'
import { isSimClean } from '../members/sim-swap.ts'
import { type Action, type ActionContext, memberOf } from './action.ts'

/** Actions whose input is a PIN. */
export const takesPin: ReadonlySet<string> = new Set(['check_pin', 'draft_pin', 'confirm_pin'])

/** Whose PIN is asked here, and where it is kept. */
function holderOf(context: ActionContext): { id: string; pins: HolderPins } {
  const { dialogue, pins } = context
  return dialogue.staffId === undefined
    ? { id: memberOf(context), pins }
    : { id: dialogue.staffId, pins: pins.staff }
}

/** The phone that is in doubt until the network was asked; that of staff is known as a phone only from then on. */
async function phoneOf({ db, programme, phoneId, msisdn }: ActionContext): Promise<string> {
  if (phoneId !== '') return phoneId
  const { rows } = await db.pool.query<{ id: string }>(
    `insert into phones (programme_id, msisdn) values ($1, $2)
     on conflict (programme_id, msisdn) do update set msisdn = excluded.msisdn returning id`,
    [programme.id, msisdn],
  )
  const [phone] = rows
  if (phone === undefined) throw new InvariantError('a phone that was just written is not there')
  return phone.id
}

/** What others may know of the one who chooses a PIN. */
async function ownerOf(context: ActionContext): Promise<PinOwner> {
  if (context.dialogue.staffId !== undefined) return { msisdns: [context.msisdn] }
  const rows = await context.db.reads.query<{ birthYear: number | null; number: string; msisdns: string[] }>(
    'pin-owner',
    `select m.birth_year as "birthYear", m.number, coalesce(array_agg(p.msisdn), '{}') as msisdns
       from members m left join member_phones mp on mp.member_id = m.id left join phones p on p.id = mp.phone_id
      where m.id = $1 group by m.id`,
    [memberOf(context)],
  )
  const [owner] = rows
  if (owner === undefined) throw new InvariantError('The member is gone')
  return { ...owner, birthYear: owner.birthYear ?? undefined }
}

export const pinActions: Readonly<Record<string, Action>> = {
  check_pin: {
    outcomes: ['ok', 'wrong', 'malformed', 'locked', 'none'],
    types: { keys: 4 },
    values: ({ count }) => ({ left: count }),
    async run(context, typed) {
      // A text that cannot be a PIN tells a guesser nothing, so it costs no try.
      if (!isPin(typed)) return { outcome: 'malformed' }
      const { id, pins } = holderOf(context)
      const { verdict, triesLeft } = await pins.verify(id, typed, context.hopKey, context.now)
      if (verdict === 'ok') return { outcome: 'ok', changes: { passed: true } }
      if (verdict === 'none') return { outcome: 'none', changes: { hasPin: false } }
      return {
        outcome: verdict,
        values: { left: context.i18n.number(context.dialogue.language ?? 'en', triesLeft) },
      }
    },
  },

  begin_pin_change: {
    outcomes: ['has_pin', 'no_pin'],
    run: ({ dialogue }) => Promise.resolve({ outcome: dialogue.hasPin ? 'has_pin' : 'no_pin' }),
  },

  draft_pin: {
    outcomes: ['ok', 'malformed', 'weak', 'unchecked'],
    types: { keys: 4 },
    async run(context, typed) {
      if (!isPin(typed)) return { outcome: 'malformed' }
      // Who has no PIN yet shows nothing but the phone, so the phone must be beyond doubt.
      const { db, programme, dialogue, now } = context
      if (
        programme.simSwapCheck &&
        !dialogue.hasPin &&
        !(await isSimClean(db.pool, await phoneOf(context), now))
      )
        return { outcome: 'unchecked' }
      if (isWeakPin(typed, await ownerOf(context))) return { outcome: 'weak' }
      return { outcome: 'ok', changes: { draft: await context.pins.hash(typed) } }
    },
  },

  confirm_pin: {
    outcomes: ['ok', 'different', 'overtaken'],
    types: { keys: 4 },
    async run(context, typed) {
      const { draft, hasPin } = context.dialogue
      if (draft === undefined || !isPin(typed) || !(await context.pins.matches(draft, typed)))
        return { outcome: 'different', changes: { draft: undefined } }
      // Until this line the dialogue went by what was so when it began.
      const { id, pins } = holderOf(context)
      const kept = await (hasPin ? pins.change : pins.setFirst)(id, draft, context.now)
      if (!kept)
        return { outcome: 'overtaken', changes: { draft: undefined, hasPin: !hasPin, passed: false } }
      return { outcome: 'ok', changes: { draft: undefined, hasPin: true, passed: true } }
    },
  },
}
