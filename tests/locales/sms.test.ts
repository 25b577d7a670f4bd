import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { describeFault } from '../../src/fault.ts'
import { loadI18n } from '../../src/i18n.ts'
import { entryKinds } from '../../src/ledger/entries.ts'
import { type SmsLimits, smsFaults, worstTexts } from '../../src/sms/check-fit.ts'
import { discretionFaults } from '../../src/sms/discretion.ts'
import { fold } from '../../src/sms/fold.ts'
import { keywords } from '../../src/sms/keywords/index.ts'
import { longestAmount, longestDate } from '../../src/ussd/data.ts'

const i18n = loadI18n('locales')
const languages = i18n.bases

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

/** A programme that offers one language, in a country whose networks join up to three parts. */
const offering = (tag: string): SmsLimits => ({
  code: 'any',
  languages: [tag],
  currencyCode: 'XOF',
  segmentsMax: 3,
  optOutTail: null,
})
const longest = {
  amount: (tag: string, currency: string) => longestAmount(i18n, tag, currency),
  date: (tag: string) => longestDate(i18n, tag),
}
const worstOf = (tag: string) => worstTexts(i18n, offering(tag), longest)

test('every language has the same texts with the same placeholders', () => {
  const reference = rawTexts('fr')
  for (const language of languages) {
    const texts = rawTexts(language)
    expect([...texts.keys()].sort(), language).toEqual([...reference.keys()].sort())
    for (const [key, text] of texts) {
      const expected = placeholdersOf(reference.get(key) ?? '')
      expect(placeholdersOf(text), `${language} ${key}`).toEqual(expected)
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

test('every text fits with the longest data in every way to write a language, and none is left without a value', () => {
  for (const tag of i18n.languages.keys()) {
    const worst = worstOf(tag)
    expect(smsFaults(i18n, offering(tag), worst).map(describeFault), tag).toEqual([])
    for (const { key, text } of worst) expect(text, `${tag} ${key}`).not.toMatch(/\{\{|undefined/)
  }
})

test('every text is one GSM-7 segment where a language has a GSM-7 spelling, and a discreet one is one segment everywhere', () => {
  for (const tag of i18n.languages.keys())
    for (const { key, text, encoding, segments } of worstOf(tag)) {
      const isGsm7 = i18n.language(tag).gsm7 !== null
      if (isGsm7)
        expect({ encoding, segments }, `${tag} ${key}: ${text}`).toEqual({ encoding: 'gsm7', segments: 1 })
      else if (key.endsWith('.discreet')) expect(segments, `${tag} ${key}: ${text}`).toBe(1)
    }
})

/** To an SMS of a member or of staff. */
const isAnswer = (key: string) => /^(reply|staff)\./.test(key)

test('where the networks join no parts, nothing of a script without GSM-7 has a second segment', () => {
  // An answer to her own SMS may come in two.
  for (const tag of ['ar', 'ps', 'fa-AF', 'ur'])
    for (const { key, text, segments } of worstTexts(i18n, { ...offering(tag), segmentsMax: 1 }, longest))
      expect(segments, `${tag} ${key}: ${text}`).toBeLessThanOrEqual(isAnswer(key) ? 2 : 1)
})

test('no text but an answer to her own SMS asks for an SMS: two-way SMS does not exist everywhere', () => {
  for (const tag of i18n.bases) {
    const words = Object.entries(i18n.keywords(tag)).flatMap(([name, phrases]) =>
      name.startsWith('language.') || name === 'courtesy' ? [] : phrases,
    )
    const asking = new RegExp(
      `(?<![\\p{L}\\p{M}])(${words
        .map((word) => word.toUpperCase())
        .filter((word) => /^\p{Lu}{3,}/u.test(word))
        .join('|')})(?![\\p{L}\\p{M}])`,
      'u',
    )
    for (const key of i18n.keys(tag, 'sms'))
      if (!isAnswer(key)) expect(i18n.text(tag, 'sms', key), `${tag} ${key}`).not.toMatch(asking)
  }
})

test('a discreet text states no amount, name or group, and has no word for debt or money', () => {
  expect(discretionFaults(i18n)).toEqual([])
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

/** Names of languages are known by French, and by each language's own. */
const keywordsOf = (tag: string) =>
  Object.keys(i18n.keywords(tag))
    .filter((name) => !name.startsWith('language.'))
    .sort()

test('every language has words for every keyword and language, and no word means two things', () => {
  const reference = keywordsOf('fr')
  for (const { name } of keywords) expect(reference.map((key) => key.replace('.alone', ''))).toContain(name)
  const meanings = new Map<string, string>()
  for (const language of languages) {
    expect(keywordsOf(language), language).toEqual(reference)
    for (const [name, words] of Object.entries(i18n.keywords(language)))
      for (const word of words) {
        expect(fold(word), `${language} ${name}`).not.toBe('')
        expect(meanings.get(fold(word)) ?? name, `${language} ${word}`).toBe(name)
        meanings.set(fold(word), name)
      }
  }
})
