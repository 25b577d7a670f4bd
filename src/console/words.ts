// In: a wish for a language. Out: the texts of the console in it, or in the first language of the programme that has them.

import type { Fault } from '../fault.ts'
import { type I18n, modelAmong, placeholdersOf, type Values } from '../i18n.ts'

/** Languages that staff can work in, by their folders. */
export function consoleLanguages(i18n: I18n): string[] {
  return i18n.bases.filter((tag) => i18n.keys(tag, 'console').size > 0)
}

/** The first of the wishes that has texts, else English, else any. Throws a RangeError when no language has them. */
export function consoleLanguage(i18n: I18n, wishes: readonly (string | undefined)[]): string {
  const offered = consoleLanguages(i18n)
  const found = [...wishes, 'en', ...offered].find((tag) => tag !== undefined && offered.includes(tag))
  if (found === undefined) throw new RangeError('No language has texts for the console')
  return found
}

export type Say = (key: string, values?: Values) => string

export function createSay(i18n: I18n, tag: string): Say {
  return (key, values) => i18n.text(tag, 'console', key, values)
}

/** Every language of the console has the same texts with the same values. */
export function consoleFaults(i18n: I18n): Fault[] {
  const tags = consoleLanguages(i18n)
  const model = modelAmong(tags)
  if (model === undefined) return []
  const keys = new Set(tags.flatMap((tag) => [...i18n.keys(tag, 'console')]))
  return tags.flatMap((tag) =>
    [...keys].flatMap((key): Fault[] => {
      const place = i18n.place(tag, 'console.json', key.split('.'))
      if (!i18n.has(tag, 'console', key))
        return [
          {
            ...place,
            what: `has no text "${key}", which another language has`,
            remedy: 'Add it, or delete it there.',
          },
        ]
      if (tag === model || !i18n.has(model, 'console', key)) return []
      const text = i18n.text(tag, 'console', key)
      const [here, there] = [text, i18n.text(model, 'console', key)].map((one) =>
        placeholdersOf(one).join(' '),
      )
      if (here === there) return []
      return [
        {
          ...place,
          what: `"${key}" shows other values than in ${model}`,
          text,
          remedy: `There: ${there || 'none'}; here: ${here || 'none'}.`,
        },
      ]
    }),
  )
}
