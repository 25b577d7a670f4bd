// In: the SMS texts and keywords of all languages at boot. Out: every fault. What passes here cannot leave a member without an answer.
import type { Fault } from '../fault.ts'
import { type I18n, modelAmong, placeholdersOf } from '../i18n.ts'
import { fold } from './fold.ts'
import { keywords } from './keywords/index.ts'
import { smsKeys } from './text-keys.ts'

/** Every language has the same texts with the same values, and words for each keyword that mean nothing else. */
export function textFaults(i18n: I18n): Fault[] {
  const languages = i18n.bases
  const keys = new Set([...smsKeys, ...languages.flatMap((language) => [...i18n.keys(language, 'sms')])])
  return [
    ...[...keys].flatMap((key) => keyFaults(i18n, languages, key)),
    ...languages.flatMap((language) => keywordFaults(i18n, language)),
  ]
}

function keyFaults(i18n: I18n, languages: readonly string[], key: string): Fault[] {
  const has = languages.filter((language) => i18n.has(language, 'sms', key))
  if (!smsKeys.has(key))
    return has.map((language) => ({
      ...i18n.place(language, 'sms.json', key.split('.')),
      what: `"${key}" is in no message`,
      text: i18n.text(language, 'sms', key),
      remedy: 'Delete it, or look for a slip in its name.',
    }))
  if (has.length === 0)
    return languages.map((language) => ({
      ...i18n.place(language, 'sms.json'),
      what: `has no text "${key}"`,
      remedy: 'Add it in every language.',
    }))
  const shown = has.map((language) => valuesOf(i18n, language, key))
  const model = modelAmong(has) ?? ''
  const expected = valuesOf(i18n, model, key)
  return [
    ...languages
      .filter((language) => !has.includes(language))
      .map((language) => ({
        ...i18n.place(language, 'sms.json', key.split('.')),
        what: `has no text "${key}", which ${model} has`,
        remedy: `Add it. In ${model}: ${JSON.stringify(i18n.text(model, 'sms', key))}.`,
      })),
    ...has
      .filter((_, index) => shown[index] !== expected)
      .map((language) => ({
        ...i18n.place(language, 'sms.json', key.split('.')),
        what: `"${key}" shows other values than in ${model}`,
        text: i18n.text(language, 'sms', key),
        remedy: `There: ${expected || 'none'}; here: ${valuesOf(i18n, language, key) || 'none'}.`,
      })),
  ]
}

/** A text that is asked for without values keeps its placeholders. */
function valuesOf(i18n: I18n, language: string, key: string): string {
  return placeholdersOf(i18n.text(language, 'sms', key)).join(' ')
}

function keywordFaults(i18n: I18n, language: string): Fault[] {
  const words = i18n.keywords(language)
  const known = new Set(keywords.map(({ name }) => name))
  const faults: Fault[] = []
  const report = (key: string, what: string, remedy: string) =>
    faults.push({ ...i18n.place(language, 'keywords.json', [key]), what, remedy })
  for (const { name } of keywords)
    if (words[name] === undefined && words[`${name}.alone`] === undefined)
      report(name, `has no words for "${name}"`, 'Add the words that members would send.')
  const meanings = new Map<string, string>()
  for (const [key, phrases] of Object.entries(words)) {
    const name = key.replace(/\.alone$/, '')
    // Names of languages and polite words stand beside keywords; they may mean what they like.
    const isBeside = name.startsWith('language.') || name === 'courtesy'
    if (!known.has(name) && !isBeside)
      report(key, `there is no keyword "${name}"`, `There are: ${[...known].join(', ')}.`)
    if (isBeside) continue
    for (const phrase of phrases) {
      const folded = fold(phrase)
      if (folded === '') report(key, `"${name}" has a word without letters`, 'Delete it.')
      const other = meanings.get(folded)
      if (other !== undefined && other !== name)
        report(key, `"${phrase}" stands for both "${other}" and "${name}"`, 'Keep it for one of them.')
      meanings.set(folded, name)
    }
  }
  return faults
}
