// Dates, times and amounts as members read them, and what Intl would have put there instead.
import { Decimal } from 'decimal.js'
import { describe, expect, test } from 'vitest'
import { septetsOf, spell } from '../../src/encoding.ts'
import { baseOf, loadI18n, offeredAs, textIn } from '../../src/i18n.ts'

const i18n = loadI18n('locales')
const spelled = (tag: string, text: string) => spell(text, i18n.language(tag).gsm7)

describe('an amount', () => {
  test.each([
    ['fr', '12500', 'XOF', '12 500 F'],
    ['wo', '12500', 'XOF', '12 500 F'],
    ['ht', '1250.5', 'HTG', '1 250.50 G'],
    ['nl', '1234567.89', 'EUR', '1 234 567,89 EUR'],
    ['en', '1234.5', 'CAD', '1 234.50 CAD'],
    ['ar', '12500', 'EUR', '12,500.00 EUR'],
    ['ps-u-ca-persian', '12500', 'EUR', '۱۲,۵۰۰.۰۰ EUR'],
  ])('in %s of %s %s is %s', (tag, amount, currency, shown) => {
    expect(i18n.amount(tag, new Decimal(amount), currency)).toBe(shown)
  })

  test('beside a right-to-left script has no space between its digits: it would turn the groups round (Unicode Annex 9)', () => {
    for (const { code, direction } of i18n.languages.values())
      if (direction === 'rtl')
        expect(i18n.amount(code, new Decimal('1234567'), 'XOF')).not.toMatch(/\p{Nd} \p{Nd}/u)
  })

  test('is GSM-7 in every language but those with digits of their own; Intl would leave it in all of these', () => {
    for (const { code, digits } of i18n.languages.values())
      if (digits.startsWith('0'))
        expect(septetsOf(i18n.amount(code, new Decimal('12500'), 'XOF')), code).toBeDefined()
    for (const locale of ['fr-SN', 'fr-FR', 'en-SN', 'nl-BE', 'wo-SN', 'ff-SN', 'ar-EG']) {
      const byIntl = new Intl.NumberFormat(locale, { style: 'currency', currency: 'XOF' }).format(12_500)
      expect(septetsOf(byIntl), `${locale}: ${byIntl}`).toBeUndefined()
    }
  })
})

describe('a day', () => {
  test.each([
    ['fr', '2026-08-14', 'ven 14 août'],
    ['wo', '2026-11-28', 'gaawu 28 nowàmbar'],
    ['ht', '2026-11-26', 'jedi 26 novanm'],
    ['mnk', '2026-11-26', 'Araamisa 26 nowambar'],
    ['ar', '2026-07-03', 'الجمعة 3/7'],
    ['ur', '2026-07-03', 'جمعہ 3/7'],
  ])('in %s of %s is %s', (tag, date, shown) => {
    expect(i18n.date(tag, date)).toBe(shown)
  })

  test('is Gregorian with Latin digits unless the programme chose the solar Hijri year', () => {
    for (const tag of ['ps', 'fa-AF']) {
      expect(i18n.date(tag, '2026-03-21')).toMatch(/ 21\/3$/)
      // 1 Hamal 1405.
      expect(i18n.date(`${tag}-u-ca-persian`, '2026-03-21')).toMatch(/(^|\s)۱[ /]/)
      expect(i18n.date(`${tag}-u-ca-persian`, '2026-03-21')).not.toMatch(/[0-9]/)
    }
  })

  test('would be English, Persian or a purist word by Intl', () => {
    const byIntl = (locale: string, date: string) =>
      new Intl.DateTimeFormat(locale, { dateStyle: 'long', timeZone: 'UTC' }).format(
        new Date(`${date}T00:00:00Z`),
      )
    // Mandinka and Creole are unknown to it: it speaks the language of the process.
    expect(Intl.DateTimeFormat.supportedLocalesOf(['mnk', 'ht'])).toEqual([])
    // Pashto and Dari go to another calendar and other digits without being asked.
    for (const locale of ['ps', 'fa-AF']) expect(byIntl(locale, '2026-03-09')).toMatch(/[۰-۹]/)
    // Wolof Saturday that nobody says; French August outside GSM-7 when it is not spelt.
    expect(
      new Intl.DateTimeFormat('wo', { weekday: 'long' }).format(new Date('2026-11-28T12:00:00Z')),
    ).not.toBe('gaawu')
    expect(septetsOf(byIntl('fr-FR', '2026-08-14'))).toBeUndefined()
    expect(septetsOf(spelled('fr', i18n.date('fr', '2026-08-14')))).toBeDefined()
    expect(process.versions.icu).toBeDefined()
  })

  test('has seven weekdays and twelve months that a reader can tell apart, in every language', () => {
    for (const { code, weekdays, months } of i18n.languages.values()) {
      expect(new Set(weekdays.map((word) => spelled(code, word))).size, code).toBe(7)
      expect(new Set(months.map((word) => spelled(code, word))).size, code).toBe(12)
    }
  })

  test('of every day and every amount is free of hard spaces and direction marks', () => {
    for (const tag of i18n.languages.keys())
      for (let day = 1; day <= 28; day += 1) {
        const text = `${i18n.date(tag, `2026-0${(day % 9) + 1}-${String(day).padStart(2, '0')}`)} ${i18n.time(tag, day * 50)} ${i18n.amount(tag, new Decimal(day * 12_345), 'EUR')}`
        expect(text, tag).not.toMatch(/[\u00a0\u202f\u2009\u200b-\u200f\u202a-\u202e]/)
      }
  })
})

describe('a tag', () => {
  test('is known with its endings where the language has them', () => {
    expect(i18n.languages.get('wo-x-script')).toMatchObject({ base: 'wo', gsm7: null, calendar: 'gregorian' })
    expect(i18n.languages.get('ps-u-ca-persian')).toMatchObject({
      base: 'ps',
      calendar: 'persian',
      digits: '۰۱۲۳۴۵۶۷۸۹',
    })
    for (const tag of ['ht-x-script', 'ar-x-script', 'wo-u-ca-persian', 'xx'])
      expect(i18n.languages.has(tag), tag).toBe(false)
    expect(i18n.bases).toHaveLength(12)
  })

  test('of a member is meant in the way that her programme writes it', () => {
    expect(offeredAs('wo', ['fr', 'wo'])).toBe('wo')
    expect(offeredAs('wo', ['fr', 'wo-x-script'])).toBe('wo-x-script')
    expect(offeredAs('wo-x-script', ['fr', 'wo', 'wo-x-script'])).toBe('wo-x-script')
    expect(offeredAs('ff', ['fr', 'wo'])).toBeUndefined()
    expect(offeredAs(null, ['fr'])).toBeUndefined()
    expect(baseOf('fa-AF-u-ca-persian')).toBe('fa-AF')
    expect(textIn({ fr: 'Budget', wo: 'Xaalis' }, 'wo-x-script')).toBe('Xaalis')
    expect(textIn({ fr: 'Budget' }, 'ur', 'nl')).toBe('Budget')
    expect(textIn({}, 'fr')).toBe('')
  })
})
