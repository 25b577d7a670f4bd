// A day's text follows from weekday, month and digits alone, so that a week of each month stands for all days.
import { expect, test } from 'vitest'
import { addDays } from '../../../src/calendar.ts'
import { measureUssd, spell } from '../../../src/encoding.ts'
import { loadI18n } from '../../../src/i18n.ts'
import { longestDate } from '../../../src/ussd/data.ts'

const i18n = loadI18n('locales')

test.each([...i18n.languages.keys(), 'fa-AF-u-ca-persian', 'ps-u-ca-persian'])(
  'no day of seven years is longer in %s than the longest one of the proof',
  (tag) => {
    const octets = (text: string) => measureUssd(spell(text, i18n.language(tag).gsm7)).octets
    const days = Array.from({ length: 7 * 366 }, (_, at) => i18n.date(tag, addDays('2026-01-01', at)))
    expect(octets(longestDate(i18n, tag))).toBe(Math.max(...days.map(octets)))
  },
)
