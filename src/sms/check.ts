// In: the SMS texts and keywords of all languages at boot. Out: every fault. What passes here cannot leave a member without an answer.
import type { I18n } from '../i18n.ts'
import { fold } from './fold.ts'
import { keywords } from './keywords/index.ts'

/** Every language has the same texts with the same values, and words for each keyword that mean nothing else. */
export function textFaults(i18n: I18n): string[] {
  const languages = [...i18n.languages.keys()]
  const keys = new Set(languages.flatMap((language) => [...i18n.keys(language, 'sms')]))
  return [
    ...[...keys].flatMap((key) => keyFaults(i18n, languages, key)),
    ...languages.flatMap((language) => keywordFaults(i18n, language)),
  ]
}

function keyFaults(i18n: I18n, languages: readonly string[], key: string): string[] {
  const has = languages.filter((language) => i18n.has(language, 'sms', key))
  const shown = has.map((language) => placeholdersOf(i18n.text(language, 'sms', key)))
  return [
    ...languages
      .filter((language) => !has.includes(language))
      .map((language) => `locales/${language}/sms.json: has no text "${key}", which ${has[0]} has`),
    ...has
      .filter((_, index) => shown[index] !== shown[0])
      .map((language) => `locales/${language}/sms.json: "${key}" shows other values than in ${has[0]}`),
  ]
}

/** A text that is asked for without values keeps its placeholders. */
function placeholdersOf(text: string): string {
  return [...text.matchAll(/\{\{\s*(\w+)\s*\}\}/g)]
    .map((match) => match[1])
    .sort()
    .join(' ')
}

function keywordFaults(i18n: I18n, language: string): string[] {
  const file = `locales/${language}/keywords.json`
  const words = i18n.keywords(language)
  const known = new Set(keywords.map(({ name }) => name))
  const faults = keywords
    .filter(({ name }) => words[name] === undefined && words[`${name}.alone`] === undefined)
    .map(({ name }) => `${file}: has no words for "${name}"`)
  const meanings = new Map<string, string>()
  for (const [key, phrases] of Object.entries(words)) {
    const name = key.replace(/\.alone$/, '')
    // Names of languages and polite words stand beside keywords; they may mean what they like.
    const isBeside = name.startsWith('language.') || name === 'courtesy'
    if (!known.has(name) && !isBeside) faults.push(`${file}: there is no keyword "${name}"`)
    if (isBeside) continue
    for (const phrase of phrases) {
      const folded = fold(phrase)
      if (folded === '') faults.push(`${file}: "${name}" has a word without letters`)
      const other = meanings.get(folded)
      if (other !== undefined && other !== name)
        faults.push(`${file}: "${phrase}" stands for both "${other}" and "${name}"`)
      meanings.set(folded, name)
    }
  }
  return faults
}
