import { readFileSync } from 'node:fs'
import { Decimal } from 'decimal.js'
import { expect, test } from 'vitest'
import { firstOutsideGsm7, measureSms, septetsOf, spell } from '../../src/encoding.ts'
import { loadI18n } from '../../src/i18n.ts'
import { entryKinds } from '../../src/ledger/entries.ts'
import {
  fitValue,
  nameCharactersMax,
  placeCharactersMax,
  titleCharactersMax,
} from '../../src/outbound/wording.ts'
import { discretionFaults } from '../../src/sms/discretion.ts'
import { fold } from '../../src/sms/fold.ts'
import { keywords } from '../../src/sms/keywords/index.ts'

const i18n = loadI18n('locales')
const languages = [...i18n.languages.keys()]

function rawTexts(language: string): Map<string, string> {
  const texts = new Map<string, string>()
  const walk = (tree: Record<string, unknown>, prefix: string) => {
    for (const [key, value] of Object.entries(tree)) {
      if (typeof value === 'string') texts.set(prefix + key, value)
      else walk(value as Record<string, unknown>, `${prefix}${key}.`)
    }
  }
  walk(JSON.parse(readFileSync(`locales/${language}/sms.json`, 'utf8')), '')
  return texts
}

const placeholdersOf = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map((found) => found[1]).sort()

/** The longest that the data can bring: long names, nine-figure amounts, the longest day. */
function worstValues(language: string, key = ''): Record<string, string> {
  const info = i18n.language(language)
  const longest = (words: readonly string[]) =>
    [...words].sort((one, other) => other.length - one.length)[0] ?? ''
  const date = info.datePattern
    .replace('{weekday}', longest(info.weekdays))
    .replace('{day}', '30')
    .replace('{month}', longest(info.months))
  const amount = i18n.amount(language, new Decimal('88888888'), 'XOF')
  const name = fitValue('Ndèye Coumba Bâ Sané Diédhiou', info, nameCharactersMax)
  const part = (name: string) => i18n.text(language, 'sms', name, { balance: amount })
  return {
    sender: 'WWWWWWWWWWW',
    code: '*38400*1234#',
    name,
    facilitator: name,
    signature: i18n.text(language, 'sms', 'part.signature', { facilitator: name }),
    amount,
    balance: amount,
    due: amount,
    date,
    dueDate: date,
    time: i18n.time(language, 22 * 60 + 30),
    place: fitValue('Sous le grand fromager de Boucotte-Ziguinchor', info, placeCharactersMax),
    title: fitValue('Le rôle du groupe et la garantie solidaire entre nous', info, titleCharactersMax),
    office: '+221338000000',
    receipt: '482916',
    proof: i18n.text(language, 'sms', key.endsWith('.discreet') ? 'part.proof' : 'part.receipt', {
      receipt: '482916',
    }),
    unblock: '*456*99*5*5*1#',
    // An entry is about a loan or about savings, a balance about both.
    parts: key.startsWith('correction.')
      ? longest([part('part.outstanding'), part('part.savings')])
      : `${part('part.outstanding')} ${part('part.savings')}`,
    lines: 'x'.repeat(110),
    choices: [...i18n.languages.values()]
      .map(({ code, endonym, gsm7 }) => `${code} (${spell(endonym, gsm7)})`)
      .join(', '),
  }
}

const worstText = (language: string, key: string) =>
  spell(i18n.text(language, 'sms', key, worstValues(language, key)), i18n.language(language).gsm7)

test('every language has the same texts with the same placeholders', () => {
  const reference = rawTexts('fr')
  for (const language of languages) {
    const texts = rawTexts(language)
    expect([...texts.keys()].sort(), language).toEqual([...reference.keys()].sort())
    for (const [key, text] of texts) {
      const expected = placeholdersOf(reference.get(key) ?? '')
      expect(placeholdersOf(text), `${language} ${key}`).toEqual(expected)
      for (const name of expected)
        expect(worstValues(language), `${language} ${key}`).toHaveProperty(name ?? '')
    }
  }
})

test('a text whose full form states a fact has a discreet form', () => {
  const keys = new Set(rawTexts('fr').keys())
  for (const key of keys) {
    const form = /^(.*)\.full\w*$/.exec(key)
    if (form !== null) expect(keys).toContain(`${form[1]}.discreet`)
  }
})

/** Forms that anybody who holds the phone may read. */
const discreetKeys = (language: string) =>
  [...rawTexts(language).keys()].filter((key) => key.endsWith('.discreet') || /^reply\.\w+$/.test(key))

test('every discreet text is one GSM-7 segment with the longest data', () => {
  for (const language of languages)
    for (const key of discreetKeys(language)) {
      const text = worstText(language, key)
      expect(firstOutsideGsm7(text), `${language} ${key}: ${text}`).toBeUndefined()
      expect(septetsOf(text), `${language} ${key}: ${text}`).toBeLessThanOrEqual(160)
    }
})

test('a discreet text states no amount, name or group, and has no word for debt or money', () => {
  expect(discretionFaults(i18n)).toEqual([])
})

test('every full text is GSM-7 and one segment with the longest data', () => {
  for (const language of languages)
    for (const key of rawTexts(language).keys()) {
      if (key.startsWith('part.')) continue
      const text = worstText(language, key)
      expect(measureSms(text), `${language} ${key}: ${text}`).toMatchObject({ encoding: 'gsm7', segments: 1 })
    }
})

test('no reminder threatens or speaks of others', () => {
  const threats =
    /sanction|pénalité|justice|police|saisi|tribunal|penalt|court\b|seize|legal|autres membres|other members/i
  for (const language of languages)
    for (const [key, text] of rawTexts(language))
      if (key.startsWith('reminder.')) expect(text).not.toMatch(threats)
})

test('every kind of entry has a word for the list of movements', () => {
  for (const language of languages)
    for (const kind of entryKinds) expect(i18n.has(language, 'sms', `part.movement.${kind}`)).toBe(true)
})

test('texts for members are made without Intl, whose spaces are outside GSM-7', () => {
  for (const file of ['texts', 'answers', 'wording', 'decision'])
    expect(readFileSync(`src/outbound/${file}.ts`, 'utf8').replace(/^\/\/.*$/gm, '')).not.toMatch(
      /\bIntl\b|toLocale/,
    )
})

test('every language has words for every keyword and language, and no word means two things', () => {
  const reference = Object.keys(i18n.keywords('fr')).sort()
  for (const { name } of keywords) expect(reference.map((key) => key.replace('.alone', ''))).toContain(name)
  const meanings = new Map<string, string>()
  for (const language of languages) {
    expect(Object.keys(i18n.keywords(language)).sort(), language).toEqual(reference)
    for (const [name, words] of Object.entries(i18n.keywords(language)))
      for (const word of words) {
        expect(fold(word), `${language} ${name}`).not.toBe('')
        expect(meanings.get(fold(word)) ?? name, `${language} ${word}`).toBe(name)
        meanings.set(fold(word), name)
      }
  }
})
