import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { addDays, localParts, weekdayOf } from '../../../src/calendar.ts'
import { loadI18n } from '../../../src/i18n.ts'
import { occurrencesOf } from '../../../src/meetings/ahead.ts'
import { previewCalendar } from '../../../src/meetings/preview.ts'
import { daysOf, readRule } from '../../../src/meetings/rule.ts'

const startsOn = '2026-11-03'
/** In one spelling, or the codes of its faults. */
const read = (rule: string, from = startsOn) => {
  const found = readRule(rule, from)
  return 'rule' in found ? found.rule : found.faults.map(({ code }) => code)
}
const days = (rule: string, from: string, until: string) => {
  const spelled = read(rule)
  if (typeof spelled !== 'string') throw new Error(`no rule: ${spelled.join()}`)
  return daysOf(spelled, startsOn, from, until)
}

describe('a rule', () => {
  test('twice a month yields the first and the third Tuesday', () => {
    expect(days('FREQ=MONTHLY;BYDAY=1TU,3TU', '2026-11-01', '2027-01-31')).toEqual([
      '2026-11-03',
      '2026-11-17',
      '2026-12-01',
      '2026-12-15',
      '2027-01-05',
      '2027-01-19',
    ])
  })

  test('names the last Friday, the last working day or a day of the month', () => {
    expect(days('FREQ=MONTHLY;BYDAY=-1FR', '2026-11-01', '2027-02-28')).toEqual([
      '2026-11-27',
      '2026-12-25',
      '2027-01-29',
      '2027-02-26',
    ])
    expect(days('FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1', '2027-01-01', '2027-02-28')).toEqual([
      '2027-01-29',
      '2027-02-26',
    ])
    // A month without a 31st has no meeting; none is moved to another day in silence.
    expect(days('FREQ=MONTHLY;BYMONTHDAY=31', '2026-12-01', '2027-03-31')).toEqual([
      '2026-12-31',
      '2027-01-31',
      '2027-03-31',
    ])
  })

  test('every other week counts from the day on which it starts, however late it is asked', () => {
    expect(days('FREQ=WEEKLY;INTERVAL=2', '2026-11-01', '2026-12-15')).toEqual([
      '2026-11-03',
      '2026-11-17',
      '2026-12-01',
      '2026-12-15',
    ])
    expect(days('FREQ=WEEKLY;INTERVAL=2', '2036-01-01', '2036-01-20')).toEqual(['2036-01-01', '2036-01-15'])
  })

  test('ends with UNTIL, that day included, or after COUNT', () => {
    for (const until of ['20261117', '20261117T080000Z', '20261117T235959'])
      expect(days(`FREQ=WEEKLY;UNTIL=${until}`, '2026-11-01', '2027-12-31')).toEqual([
        '2026-11-03',
        '2026-11-10',
        '2026-11-17',
      ])
    expect(days('FREQ=WEEKLY;COUNT=2', '2026-11-01', '2027-12-31')).toEqual(['2026-11-03', '2026-11-10'])
    expect(days('FREQ=WEEKLY;COUNT=2', '2026-11-05', '2027-12-31')).toEqual(['2026-11-10'])
  })

  test('does not meet on the day it starts unless it names that day', () => {
    expect(days('FREQ=WEEKLY;BYDAY=FR', startsOn, '2026-11-13')).toEqual(['2026-11-06', '2026-11-13'])
    expect(days('FREQ=WEEKLY', '2020-01-01', '2026-11-02')).toEqual([])
  })

  test('is kept in one spelling, so that the same rule is known again', () => {
    expect(read(' rrule:byday=+1tu,3TU,1TU;freq=monthly;interval=01;')).toBe('FREQ=MONTHLY;BYDAY=1TU,3TU')
    expect(read('FREQ=MONTHLY;WKST=SU;BYMONTHDAY=-1,+15;UNTIL=20271231T235959Z')).toBe(
      'FREQ=MONTHLY;UNTIL=20271231;BYMONTHDAY=-1,15;WKST=SU',
    )
  })

  test.each([
    ['', ['rule.malformed']],
    ['every first Tuesday', ['rule.malformed']],
    [`FREQ=WEEKLY;BYDAY=${'MO,'.repeat(80)}TU`, ['rule.malformed']],
    ['FREQ=WEEKLY\nEXDATE:20261124T000000Z', ['rule.malformed']],
    ['BYDAY=TU', ['rule.freq']],
    ['FREQ=HOURLY', ['rule.value']],
    ['FREQ=WEEKLY;BYHOUR=10', ['rule.part']],
    ['FREQ=WEEKLY;FREQ=DAILY', ['rule.twice']],
    ['FREQ=WEEKLY;BYDAY=XX', ['rule.value']],
    ['FREQ=WEEKLY;BYDAY=', ['rule.value']],
    ['FREQ=WEEKLY=2', ['rule.value']],
    ['FREQ=WEEKLY;INTERVAL=0', ['rule.value']],
    ['FREQ=WEEKLY;INTERVAL=1.5', ['rule.malformed']],
    ['FREQ=WEEKLY;COUNT=-1', ['rule.value']],
    ['FREQ=WEEKLY;UNTIL=20270230', ['rule.value']],
    ['FREQ=MONTHLY;BYMONTHDAY=45', ['rule.value']],
    ['FREQ=MONTHLY;BYMONTHDAY=0', ['rule.value']],
    ['FREQ=WEEKLY;BYDAY=1TU', ['rule.combination']],
    ['FREQ=MONTHLY;BYDAY=6TU', ['rule.combination']],
    ['FREQ=WEEKLY;BYMONTHDAY=3', ['rule.combination']],
    ['FREQ=MONTHLY;BYSETPOS=1', ['rule.combination']],
    ['FREQ=WEEKLY;COUNT=2;UNTIL=20270101', ['rule.combination']],
    ['FREQ=MONTHLY;BYMONTHDAY=30;BYMONTH=2', ['rule.never']],
    ['FREQ=WEEKLY;UNTIL=20200101', ['rule.never']],
    ['FREQ=YEARLY;BYDAY=XX;FOO=1', ['rule.value', 'rule.part']],
  ])('%j is refused by name', (rule, codes) => {
    expect(read(rule)).toEqual(codes)
  })

  test('needs a day to start on', () => {
    expect(readRule('FREQ=WEEKLY', '2026-02-30')).toEqual({
      faults: [{ field: 'startsOn', code: 'date.invalid', detail: expect.any(String) }],
    })
  })

  it('takes any text without throwing, and what it takes it takes again as it is', () => {
    const part = fc.oneof(
      fc.constantFrom('FREQ=WEEKLY', 'FREQ=MONTHLY', 'BYDAY=TU', 'BYDAY=-1FR', 'INTERVAL=3', 'COUNT=5'),
      fc.constantFrom('BYSETPOS=-1', 'BYMONTHDAY=31', 'BYMONTH=2', 'UNTIL=20270101', 'WKST=SU', 'X=1'),
      fc.string({ maxLength: 12 }),
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 5 }), (parts) => {
        const once = read(parts.join(';'))
        if (typeof once === 'string') expect(read(once)).toBe(once)
      }),
      { numRuns: 300 },
    )
  })

  it('yields the days that a walk day by day finds', () => {
    const names = ['SU', 'MO', 'TU', 'WE', 'TH', 'FR', 'SA']
    const dayOfMonth = (day: string) => Number(day.slice(8))
    const isLastSeven = (day: string) => addDays(day, 7).slice(0, 7) !== day.slice(0, 7)
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 6 }),
        fc.constantFrom(-1, 1, 2, 3, 4, 5),
        fc.integer({ min: 0, max: 400 }),
        (weekday, place, offset) => {
          const from = addDays(startsOn, offset)
          const walked = Array.from({ length: 200 }, (_, step) => addDays(from, step)).filter(
            (day) =>
              weekdayOf(day) === weekday &&
              (place === -1 ? isLastSeven(day) : Math.ceil(dayOfMonth(day) / 7) === place),
          )
          const rule = `FREQ=MONTHLY;BYDAY=${place}${names[weekday]}`
          expect(daysOf(rule, startsOn, from, addDays(from, 199))).toEqual(walked)
        },
      ),
      { numRuns: 100 },
    )
  })
})

describe('the hour of a meeting', () => {
  const paris = {
    rule: 'FREQ=WEEKLY',
    startsOn: '2026-10-20',
    startMinute: 10 * 60,
    timeZone: 'Europe/Paris',
  }

  test('is that of the wall clock before and after the clocks change', () => {
    const found = occurrencesOf(paris, new Date('2026-10-19T12:00:00Z'), 14)
    expect(found.map(({ startsAt }) => startsAt.toISOString())).toEqual([
      '2026-10-20T08:00:00.000Z',
      '2026-10-27T09:00:00.000Z',
    ])
    const spring = occurrencesOf(
      { ...paris, startsOn: '2027-03-23', timeZone: 'America/Montreal' },
      new Date('2027-03-09T12:00:00Z'),
      21,
    )
    expect(spring.map(({ startsAt }) => localParts(startsAt, 'America/Montreal').minuteOfDay)).toEqual([
      600, 600,
    ])
  })

  test('that summer time skips is the one after the gap', () => {
    const night = { ...paris, startsOn: '2027-03-28', startMinute: 2 * 60 + 30 }
    const [first] = occurrencesOf(night, new Date('2027-03-20T00:00:00Z'), 20)
    expect(first).toEqual({ date: '2027-03-28', startsAt: new Date('2027-03-28T01:30:00Z') })
  })

  test('that is past today yields no meeting today', () => {
    const at = (now: string) => occurrencesOf(paris, new Date(now), 0).map(({ date }) => date)
    expect(at('2026-10-20T07:59:59Z')).toEqual(['2026-10-20'])
    expect(at('2026-10-20T08:00:00Z')).toEqual([])
  })
})

describe('a preview', () => {
  const i18n = loadI18n('locales')
  const ask = {
    rule: 'FREQ=MONTHLY;BYDAY=-1FR',
    startsOn,
    startMinute: 10 * 60,
    timeZone: 'Africa/Dakar',
    holidays: ['2026-12-25'],
    now: new Date('2026-11-22T10:00:00Z'),
    limit: 3,
  }

  test('says the next days in the words of a language, and marks those on which nobody works', () => {
    expect(previewCalendar(i18n, 'fr', ask)).toMatchObject([
      { date: '2026-11-27', words: 'ven 27 nov, 10h00', holiday: false },
      { date: '2026-12-25', words: 'ven 25 déc, 10h00', holiday: true },
      { date: '2027-01-29', holiday: false },
    ])
    expect(previewCalendar(i18n, 'en', ask)[0]?.words).toBe('Fri 27 Nov, 10:00')
  })

  test('of a rule that is over is empty', () => {
    expect(previewCalendar(i18n, 'fr', { ...ask, rule: 'FREQ=WEEKLY;UNTIL=20261110' })).toEqual([])
  })
})
