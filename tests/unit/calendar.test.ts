import { describe, expect, test } from 'vitest'
import { addDays, instantAt, isCalendarDate, localParts } from '../../src/calendar.ts'

describe('a local day', () => {
  test.each([
    ['2026-11-22T10:05:59Z', 'Africa/Dakar', '2026-11-22', 605, 0],
    ['2026-11-22T23:59:00Z', 'Europe/Brussels', '2026-11-23', 59, 1],
    ['2026-11-22T00:00:00Z', 'America/Port-au-Prince', '2026-11-21', 1140, 6],
    ['2026-03-29T01:00:00Z', 'Europe/Brussels', '2026-03-29', 180, 0],
    ['2026-01-01T00:00:00Z', 'Africa/Dakar', '2026-01-01', 0, 4],
  ])('of %s in %s is %s', (at, zone, date, minuteOfDay, weekday) => {
    expect(localParts(new Date(at), zone)).toEqual({ date, minuteOfDay, weekday })
  })

  test('and its minute lead back to the instant, all year, across summer time', () => {
    for (let day = 0; day < 366; day += 1) {
      const date = addDays('2026-01-01', day)
      for (const zone of ['Africa/Dakar', 'Europe/Brussels', 'America/Toronto'])
        expect(localParts(instantAt(date, 720, zone), zone)).toMatchObject({ date, minuteOfDay: 720 })
    }
  })

  test('is of its own minute and zone, whichever was asked for before', () => {
    const minutes = ['2026-11-22T23:59:59.999Z', '2026-11-23T00:00:00Z', '2026-11-22T23:59:00Z']
    const asked = minutes.flatMap((at) =>
      ['Africa/Dakar', 'Europe/Brussels'].map((zone) => localParts(new Date(at), zone)),
    )
    expect(asked.map(({ date, minuteOfDay }) => `${date} ${minuteOfDay}`)).toEqual([
      '2026-11-22 1439',
      '2026-11-23 59',
      '2026-11-23 0',
      '2026-11-23 60',
      '2026-11-22 1439',
      '2026-11-23 59',
    ])
    expect(() => localParts(new Date(Number.NaN), 'Africa/Dakar')).toThrow(RangeError)
  })

  test('that does not exist is none', () => {
    expect(isCalendarDate('2024-02-29')).toBe(true)
    for (const text of ['2023-02-29', '2026-13-01', '26-01-01', '2026-1-1', '0000-01-01', ''])
      expect(isCalendarDate(text)).toBe(false)
  })
})
