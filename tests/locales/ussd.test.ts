import { describe, expect, test } from 'vitest'
import { firstOutsideGsm7, spell } from '../../src/encoding.ts'
import { loadI18n } from '../../src/i18n.ts'

const i18n = loadI18n('locales')
const languages = i18n.bases

/** Words that would tell a bystander of a debt, as the glossary of the language has them. */
const debtWords = (tag: string) => {
  const glossary = i18n.glossary(tag)
  const forms = ['loan', 'instalment', 'late'].flatMap((term) => glossary[term]?.forms ?? [])
  return new RegExp(`(?<![\\p{L}\\p{M}])(${forms.join('|')})(?![\\p{L}\\p{M}])`, 'iu')
}

describe.each(languages)('the screens in %s', (language) => {
  const keys = [...i18n.keys(language, 'ussd')]
  const { gsm7, weekdays, months } = i18n.language(language)

  test('have the same texts as every other language', () => {
    for (const other of languages) expect([...i18n.keys(other, 'ussd')].sort()).toEqual(keys.sort())
  })

  test('stay in GSM-7 in their reviewed spelling, where the script has one', () => {
    if (gsm7 === null) {
      expect(keys.some((key) => /\p{Script=Arabic}/u.test(i18n.text(language, 'ussd', key)))).toBe(true)
      return
    }
    for (const key of keys) {
      const spelt = spell(i18n.text(language, 'ussd', key), gsm7).replace(/\{\{\w+\}\}/g, '')
      expect(firstOutsideGsm7(spelt), key).toBeUndefined()
    }
    for (const word of [...weekdays, ...months])
      expect(firstOutsideGsm7(spell(word, gsm7)), word).toBeUndefined()
  })

  test('hold no typographic sign that a phone lacks, no tab and no doubled space', () => {
    for (const key of keys)
      expect(i18n.text(language, 'ussd', key), key).not.toMatch(/[\t\u00a0\u2019«»…]| {2}/)
  })

  test('that come first say no debt word', () => {
    const first = keys.filter((key) => /^(common\.|member\.(home|language|resume)\.)/.test(key))
    for (const key of first) expect(i18n.text(language, 'ussd', key), key).not.toMatch(debtWords(language))
  })
})
