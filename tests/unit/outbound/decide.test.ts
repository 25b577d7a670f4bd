import { describe, expect, test } from 'vitest'
import { decide } from '../../../src/outbound/decision.ts'
import type { DecisionRow } from '../../../src/outbound/decision-query.ts'

const now = new Date('2026-11-22T10:00:00Z')

const row: DecisionRow = {
  id: '0198a000-0000-7000-8000-000000000001',
  snapshot: '1:1:',
  purpose: 'reminder',
  template: 'reminder.due_soon',
  params: { dueDate: '2026-11-25' },
  expiresAt: null,
  memberId: '0198a000-0000-7000-8000-000000000002',
  correctsLanguage: null,
  firstDelivered: null,
  serviceCode: '*384*1',
  senderId: 'FANSOTO',
  currencyCode: 'XOF',
  timeZone: 'Africa/Dakar',
  languages: ['fr', 'en', 'wo'],
  officePhone: null,
  sendFromMinute: 480,
  sendUntilMinute: 1200,
  dailyCap: 2,
  weeklyCap: 6,
  firstName: 'Awa',
  memberLanguage: 'fr',
  memberStatus: 'active',
  smsForm: 'discreet',
  memberOptedOut: false,
  consentGranted: null,
  phoneId: '0198a000-0000-7000-8000-000000000003',
  msisdn: '+221771234567',
  phoneLanguage: null,
  phoneOptedOut: false,
  phoneIsHersAlone: null,
  inDoubt: false,
  toldToday: 0,
  toldThisWeek: 0,
  entryReversed: null,
  entryDate: null,
  entryPurpose: null,
  entryAmount: null,
  entryCurrency: null,
  entryBalance: null,
  loanPrincipal: null,
  firstDueDate: null,
  firstDueAmount: null,
  instalmentId: '0198a000-0000-7000-8000-000000000004',
  dueDate: '2026-11-25',
  remaining: '10500.0000',
  loanCurrency: 'XOF',
  loanCycle: 1,
  facilitator: null,
  meetingId: null,
  meetingStatus: null,
  meetingStartsAt: null,
  meetingPlace: null,
  trainingId: null,
  trainingStatus: null,
  trainingStartsAt: null,
  trainingPlace: null,
  trainingTitles: null,
}
const receipt: DecisionRow = {
  ...row,
  purpose: 'receipt',
  template: 'receipt.loan_repayment',
  entryReversed: false,
}
const reply: DecisionRow = { ...row, purpose: 'reply', template: 'reply.help' }
const at = (time: string) => new Date(time)

describe('the send window, to the minute', () => {
  test.each([
    ['07:59 in Dakar waits for 08:00', 'Africa/Dakar', '2026-11-22T07:59:59Z', '2026-11-22T08:00:00Z'],
    ['08:00 in Dakar leaves', 'Africa/Dakar', '2026-11-22T08:00:00Z', undefined],
    ['19:59 in Dakar leaves', 'Africa/Dakar', '2026-11-22T19:59:59Z', undefined],
    ['20:00 in Dakar waits for the morning', 'Africa/Dakar', '2026-11-22T20:00:00Z', '2026-11-23T08:00:00Z'],
    ['midnight in Dakar waits for 08:00', 'Africa/Dakar', '2026-11-22T00:00:00Z', '2026-11-22T08:00:00Z'],
    ['07:59 in Montreal summer waits', 'America/Montreal', '2026-07-01T11:59:00Z', '2026-07-01T12:00:00Z'],
    ['08:00 in Montreal summer leaves', 'America/Montreal', '2026-07-01T12:00:00Z', undefined],
    ['08:00 in Montreal winter leaves', 'America/Montreal', '2026-12-01T13:00:00Z', undefined],
    [
      'the evening before the clocks go forward waits for the new 08:00',
      'Europe/Brussels',
      '2026-03-28T20:00:00Z',
      '2026-03-29T06:00:00Z',
    ],
    [
      'the evening before the clocks go back waits for the new 08:00',
      'Europe/Brussels',
      '2026-10-24T19:00:00Z',
      '2026-10-25T07:00:00Z',
    ],
  ])('%s', (_, timeZone, instant, notBefore) => {
    const expected =
      notBefore === undefined
        ? { action: 'send' }
        : { action: 'defer', notBefore: at(notBefore), reason: 'quiet_hours' }
    expect(decide({ ...row, timeZone }, at(instant))).toEqual(expected)
    expect(decide({ ...receipt, timeZone }, at(instant))).toEqual(expected)
  })

  test('replies and codes go at once, at night too', () => {
    const night = at('2026-11-22T02:00:00Z')
    expect(decide(reply, night)).toEqual({ action: 'send' })
    expect(decide({ ...reply, purpose: 'code' }, night)).toEqual({ action: 'send' })
  })
})

describe('what was true when the message was written', () => {
  test('a message past its time expires', () => {
    expect(decide({ ...row, expiresAt: now }, now)).toEqual({ action: 'expire', reason: 'expired' })
    expect(decide({ ...row, expiresAt: new Date(now.getTime() + 1) }, now)).toEqual({ action: 'send' })
  })
  test.each(['0', '0.0000', '0.00'])('an instalment paid since then is not reminded (%s)', (remaining) => {
    expect(decide({ ...row, remaining }, now)).toEqual({ action: 'cancel', reason: 'paid' })
  })
  test('an instalment of which a little is left is reminded', () => {
    expect(decide({ ...row, remaining: '0.0500' }, now)).toEqual({ action: 'send' })
  })
  test('an instalment moved to another day, or gone, is not reminded', () => {
    expect(decide({ ...row, dueDate: '2026-12-25' }, now)).toEqual({ action: 'cancel', reason: 'moved' })
    expect(decide({ ...row, dueDate: null, remaining: null }, now)).toEqual({
      action: 'cancel',
      reason: 'gone',
    })
  })
  test('a receipt whose entry was reversed is not sent, its correction is', () => {
    expect(decide({ ...receipt, entryReversed: true }, now)).toEqual({ action: 'cancel', reason: 'reversed' })
    const correction = { ...receipt, template: 'correction.entry' }
    expect(decide(correction, now)).toEqual({ action: 'send' })
  })
  test('a meeting called off or moved is not reminded', () => {
    const startsAt = '2026-11-23T10:00:00.000Z'
    const meeting: DecisionRow = {
      ...row,
      purpose: 'meeting',
      template: 'reminder.meeting',
      params: { startsAt },
      meetingStatus: 'planned',
      meetingStartsAt: at(startsAt),
    }
    expect(decide(meeting, now)).toEqual({ action: 'send' })
    expect(decide({ ...meeting, meetingStatus: 'cancelled' }, now)).toMatchObject({ reason: 'called_off' })
    expect(decide({ ...meeting, meetingStartsAt: at('2026-11-24T10:00:00Z') }, now)).toMatchObject({
      action: 'cancel',
      reason: 'moved',
    })
  })
})

describe('what she wants', () => {
  test.each([
    ['STOP on the phone', { phoneOptedOut: true }, 'opted_out'],
    ['"stop all" of the member', { memberOptedOut: true }, 'opted_out'],
    ['a refused purpose', { consentGranted: false }, 'no_consent'],
    ['having left', { memberStatus: 'left' as const }, 'member_left'],
  ])('%s suppresses receipts and reminders', (_, change, reason) => {
    expect(decide({ ...row, ...change }, now)).toEqual({ action: 'suppress', reason })
    expect(decide({ ...receipt, ...change }, now)).toEqual({ action: 'suppress', reason })
    expect(decide({ ...reply, ...change }, now)).toEqual({ action: 'send' })
  })
  test('a suspended member still gets receipts, but nothing that was planned', () => {
    expect(decide({ ...row, memberStatus: 'suspended' }, now)).toMatchObject({ reason: 'member_suspended' })
    expect(decide({ ...receipt, memberStatus: 'suspended' }, now)).toEqual({ action: 'send' })
  })
  test('no recorded consent is consent, as for any service message of a signed loan', () => {
    expect(decide({ ...row, consentGranted: null }, now)).toEqual({ action: 'send' })
  })
  test('a member without a phone fails by name', () => {
    const none = { phoneId: null, msisdn: null }
    expect(decide({ ...row, ...none }, now)).toEqual({ action: 'fail', reason: 'no_phone' })
  })
})

describe('the daily cap', () => {
  test('the third planned message of a day waits for the next morning', () => {
    expect(decide({ ...row, toldToday: 1 }, now)).toEqual({ action: 'send' })
    expect(decide({ ...row, toldToday: 2 }, now)).toEqual({
      action: 'defer',
      notBefore: at('2026-11-23T08:00:00Z'),
      reason: 'daily_cap',
    })
    expect(decide({ ...row, toldToday: 1 }, now, 1)).toMatchObject({ reason: 'daily_cap' })
  })
  test('what would be stale by then is suppressed', () => {
    const expiresAt = at('2026-11-23T00:00:00Z')
    expect(decide({ ...row, toldToday: 2, expiresAt }, now)).toEqual({
      action: 'suppress',
      reason: 'daily_cap',
    })
  })
  test('the seventh within seven days waits too, for any morning on which there is room again', () => {
    expect(decide({ ...row, toldThisWeek: 5 }, now)).toEqual({ action: 'send' })
    const capped = { action: 'defer', notBefore: at('2026-11-23T08:00:00Z'), reason: 'weekly_cap' }
    expect(decide({ ...row, toldThisWeek: 6 }, now)).toEqual(capped)
    expect(decide({ ...row, toldThisWeek: 5 }, now, 1)).toEqual(capped)
    expect(decide({ ...receipt, toldThisWeek: 9 }, now)).toEqual({ action: 'send' })
  })
  test('receipts, replies and codes are not counted', () => {
    for (const free of [receipt, reply, { ...reply, purpose: 'code' as const }])
      expect(decide({ ...free, toldToday: 9 }, now)).toEqual({ action: 'send' })
  })
})
