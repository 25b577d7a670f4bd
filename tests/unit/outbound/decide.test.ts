import { describe, expect, test } from 'vitest'
import { decide } from '../../../src/outbound/decision.ts'
import type { DecisionRow } from '../../../src/outbound/decision-query.ts'
import { plainRow } from '../../support/rows.ts'

const now = new Date('2026-11-22T10:00:00Z')

const row = plainRow
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

  test.each([
    ['before her hours waits for them', '2026-11-22T09:59:00Z', '2026-11-22T10:00:00Z'],
    ['at her first minute leaves', '2026-11-22T10:00:00Z', undefined],
    ['in her last minute leaves', '2026-11-22T15:59:59Z', undefined],
    ['after her hours waits for the next day', '2026-11-22T16:00:00Z', '2026-11-23T10:00:00Z'],
  ])('a member who chose 10 to 16: what comes %s, receipts too', (_, instant, notBefore) => {
    const hers = { memberFromMinute: 600, memberUntilMinute: 960 }
    const expected =
      notBefore === undefined
        ? { action: 'send' }
        : { action: 'defer', notBefore: at(notBefore), reason: 'quiet_hours' }
    expect(decide({ ...row, ...hers }, at(instant))).toEqual(expected)
    expect(decide({ ...receipt, ...hers }, at(instant))).toEqual(expected)
    expect(decide({ ...reply, ...hers }, at(instant))).toEqual({ action: 'send' })
  })

  test('hours that no longer meet those of the programme let nothing through but answers', () => {
    const hers = { memberFromMinute: 1_200, memberUntilMinute: 1_300 }
    expect(decide({ ...row, ...hers }, now)).toEqual({ action: 'suppress', reason: 'no_safe_hour' })
    expect(decide({ ...reply, ...hers }, now)).toEqual({ action: 'send' })
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
    ['a block at her network', { networkBlocked: true }, 'network_block'],
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
  test('no recorded consent is no consent, but answers to her own asking need none', () => {
    const unsaid = { consentGranted: null }
    for (const unasked of [row, receipt, { ...row, purpose: 'notice' as const }])
      expect(decide({ ...unasked, ...unsaid }, now)).toEqual({ action: 'suppress', reason: 'no_consent' })
    for (const asked of [reply, { ...reply, purpose: 'code' as const }])
      expect(decide({ ...asked, ...unsaid }, now)).toEqual({ action: 'send' })
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

describe('numbers that no SMS goes to', () => {
  test.each([
    ['+221338123456', ['SN'], 'number_not_mobile'],
    ['+33612345678', ['SN'], 'country_not_allowed'],
    ['+33612345678', ['SN', 'FR'], undefined],
    ['+14155552671', ['SN'], 'country_not_allowed'],
    // In the plan of the USA and Canada a mobile cannot be told from a fixed line.
    ['+14155552671', ['US'], undefined],
    ['+16135550123', ['US'], 'country_not_allowed'],
    ['+221771234567', ['SN'], undefined],
    ['+50934567890', ['HT'], undefined],
    // An international premium number.
    ['+882161234567', ['SN'], 'country_not_allowed'],
  ])('%s in a programme for %j: %s', (msisdn, smsCountries, reason) => {
    for (const purpose of ['reminder', 'reply', 'code'] as const)
      expect(decide({ ...row, msisdn, smsCountries, purpose }, now)).toEqual(
        reason === undefined ? { action: 'send' } : { action: 'suppress', reason },
      )
  })
})
