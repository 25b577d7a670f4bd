// In: what she chose or typed. Out: an outcome that the menu's `on` turns into the next screen.
// Every action is idempotent under its hop key: the same callback again has no second effect. Must never keep or return a PIN.
import { InvariantError } from '../errors.ts'
import { offeredAs } from '../i18n.ts'
import { verifyReceipt } from '../ledger/receipt-codes.ts'
import { consentPurposes, servicePurposes, setSmsHours } from '../members/consent.ts'
import { announceAttendance } from '../members/meeting-answers.ts'
import { chooseLanguage } from '../members/members.ts'
import { chooseStaffLanguage } from '../members/staff.ts'
import { whoCalls } from '../members/who-calls.ts'
import { setConsents, startMessages, stopMessages } from '../outbound/opt-out.ts'
import { type Action, memberOf } from './action.ts'
import { caseActions } from './actions-cases.ts'
import { groupActions } from './actions-group.ts'
import { noticeActions } from './actions-notice.ts'
import { pinActions } from './actions-pin.ts'
import { hoursOfValue } from './data-messages.ts'
import { asStaff } from './opening.ts'

export const actions: Readonly<Record<string, Action>> = {
  choose_language: {
    outcomes: ['chosen'],
    async run({ db, dialogue, phoneId, programme }, value) {
      if (!programme.languages.includes(value)) throw new InvariantError('A language that is not offered')
      if (dialogue.staffId !== undefined) await chooseStaffLanguage(db.pool, dialogue.staffId, value)
      // Nothing is kept of a number that the programme does not know.
      else if (phoneId !== '') await chooseLanguage(db.pool, phoneId, dialogue.memberId, value)
      return { outcome: 'chosen', changes: { language: value } }
    },
  },

  choose_member: {
    outcomes: ['chosen', 'gone'],
    async run(context, memberId) {
      const rows = await context.db.reads.query<{
        language: string | null
        role: string
        hasPin: boolean
        unasked: boolean
      }>(
        'choose-member',
        `select m.language, m.role, n.member_id is not null as "hasPin",
                not exists (select 1 from consents c where c.member_id = m.id) as unasked
           from members m join member_phones mp on mp.member_id = m.id and mp.phone_id = $2 and mp.reverify_since is null
           left join member_pins n on n.member_id = m.id
          where m.id = $1 and m.status = 'active'`,
        [memberId, context.phoneId],
      )
      const row = rows[0]
      if (row === undefined) return { outcome: 'gone' }
      const { role, hasPin, unasked } = row
      const language = offeredAs(row.language, context.programme.languages) ?? context.dialogue.language
      return { outcome: 'chosen', changes: { memberId, role, hasPin, unasked, language, passed: false } }
    },
  },

  ...pinActions,
  ...caseActions,
  ...groupActions,
  ...noticeActions,

  /** From her own menu to that of staff; their PIN is another one. */
  open_staff_menu: {
    outcomes: ['opened', 'closed'],
    async run({ db, programme, msisdn }) {
      const { staff } = await whoCalls(db.reads, programme.id, msisdn)
      if (staff === undefined) return { outcome: 'closed', changes: { alsoStaff: false } }
      return { outcome: 'opened', changes: asStaff(staff) }
    },
  },

  answer_meeting: {
    outcomes: ['saved', 'gone'],
    async run(context, value) {
      const { subject } = context.dialogue
      if (subject === undefined) return { outcome: 'gone' }
      const meetingId = await announceAttendance(context.db.pool, {
        meetingId: subject,
        memberId: memberOf(context),
        coming: value === 'yes',
        channel: 'ussd',
        now: context.now,
      })
      return { outcome: meetingId === undefined ? 'gone' : 'saved' }
    },
  },

  verify_receipt: {
    outcomes: ['found', 'unknown', 'malformed', 'too_often'],
    async run({ db, programme, metrics, caller, markOf, hopKey, now }, typed) {
      const code = typed.replace(/[\s.-]/g, '')
      // What cannot be a code tells a guesser nothing, so it costs no try.
      if (!/^\d{6}$/.test(code)) return { outcome: 'malformed' }
      const asked = { programmeId: programme.id, code, caller, codeMark: markOf(code), hopKey, now }
      const verified = await verifyReceipt(db.pool, asked)
      metrics.verifications.inc({ outcome: verified.outcome })
      if (verified.outcome !== 'found') return { outcome: verified.outcome }
      return { outcome: 'found', changes: { chosen: verified.receiptId } }
    },
  },

  change_consent: {
    outcomes: ['saved'],
    bySight: true,
    async run(context, value) {
      const [purpose, wanted] = value.split(':')
      const known = consentPurposes.find((candidate) => candidate === purpose)
      if (known === undefined) throw new InvariantError('A purpose that no screen offered')
      const word = {
        ...context.saying,
        memberId: memberOf(context),
        purpose: known,
        granted: wanted === 'on',
      }
      await context.db.transaction((tx) => setConsents(tx, [word], context.now))
      return { outcome: 'saved' }
    },
  },

  answer_consent: {
    outcomes: ['saved'],
    async run(context, value) {
      const yes: readonly string[] =
        value === 'all' ? consentPurposes : value === 'service' ? servicePurposes : []
      const words = consentPurposes.map((purpose) => ({
        ...context.saying,
        memberId: memberOf(context),
        purpose,
        granted: yes.includes(purpose),
      }))
      await context.db.transaction((tx) => setConsents(tx, words, context.now))
      return { outcome: 'saved' }
    },
  },

  stop_messages: {
    outcomes: ['stopped'],
    async run(context) {
      const memberId = memberOf(context)
      await context.db.transaction((tx) => stopMessages(tx, { memberId }, context.saying))
      return { outcome: 'stopped' }
    },
  },

  start_messages: {
    outcomes: ['started'],
    async run(context) {
      const { phoneId, saying } = context
      const memberId = memberOf(context)
      await context.db.transaction((tx) => startMessages(tx, { memberId, dialledFrom: phoneId }, saying))
      return { outcome: 'started' }
    },
  },

  choose_hours: {
    outcomes: ['saved'],
    async run(context, value) {
      await setSmsHours(context.db.pool, memberOf(context), hoursOfValue(value))
      return { outcome: 'saved' }
    },
  },
}
