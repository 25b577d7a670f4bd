import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { UsageError } from '../../../src/commands/command.ts'
import { holidayLines } from '../../../src/commands/holidays.ts'

const daysOf = async (place: string, year = 2027) => {
  const { holidays } = parse((await holidayLines(place, year)).join('\n')) as { holidays: string[] }
  return holidays
}

describe('public holidays for a programme file', () => {
  it.each([
    ['SN', '2027-04-04'],
    ['HT', '2027-11-18'],
    ['BE', '2027-07-21'],
    ['FR', '2027-07-14'],
    ['CA', '2027-07-01'],
    ['CA-QC', '2027-06-24'],
  ])('%s has its national day, every day once and in order', async (place, nationalDay) => {
    const days = await daysOf(place)
    expect(days).toContain(nationalDay)
    expect(days).toEqual([...new Set(days)].sort())
    expect(days.every((day) => /^2027-\d\d-\d\d$/.test(day))).toBe(true)
  })

  it('a day that follows the moon says so, and one that does not, does not', async () => {
    const lines = await holidayLines('SN', 2027)
    expect(lines[1]).toMatch(/follow the moon .*confirm/)
    expect(lines.find((line) => line.includes('Ramadan'))).toMatch(/follows the moon, confirm/)
    expect(lines.find((line) => line.includes('2027-04-04'))).not.toMatch(/moon/)
    expect((await holidayLines('BE', 2027)).join('\n')).not.toMatch(/moon/)
  })

  it('a day that is free only from an hour on says from when', async () => {
    const lines = await holidayLines('HT', 2027)
    expect(lines.find((line) => line.includes('2027-02-08'))).toMatch(/from 14:00/)
  })

  it.each(['XX', 'SN-', 'CA-ZZ', 'constructor', ''])('"%s" is refused with a sentence', async (place) => {
    await expect(holidayLines(place, 2027)).rejects.toThrow(UsageError)
  })
})
