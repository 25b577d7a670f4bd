// In: the SMS texts of all languages. Out: every discreet text that would tell whoever holds the phone of money, debt, a name or a group.
// A text is discreet when it is the `discreet` form, and when it has no forms and may leave without her asking.
import type { Fault } from '../fault.ts'
import { type I18n, placeholdersOf } from '../i18n.ts'

/** What a discreet text may show: who writes, what to dial or whom to call, the day and time of a meeting. */
const discreetValues: ReadonlySet<string> = new Set([
  'sender',
  'code',
  'unblock',
  'office',
  'date',
  'time',
  'choices',
  // The code of a receipt, without a word on what it is.
  'proof',
  // A code that says nothing of what it opens.
  'digits',
])

/** Why the others may not stand there. What is in none of these lists is refused too. */
const tellingValues: Readonly<Record<string, string>> = {
  amount: 'an amount',
  balance: 'an amount',
  due: 'an amount',
  dueDate: 'the day of a debt',
  parts: 'amounts',
  lines: 'amounts',
  name: 'a name',
  facilitator: 'a name',
  signature: 'a name',
  group: 'a group',
  place: 'the place of a group',
  title: 'what a group learns',
  number: 'a loan or member number',
}

/** Every fault at once, each with file, key and word or value. */
export function discretionFaults(i18n: I18n): Fault[] {
  return i18n.bases.flatMap((code) => {
    const says = createFinder(i18n.language(code).tellingWords)
    return [...i18n.keys(code, 'sms')]
      .filter((key) => isDiscreet(key))
      .flatMap((key) => {
        const text = i18n.text(code, 'sms', key)
        const where = `"${key}" is a discreet text`
        const place = () => i18n.place(code, 'sms.json', key.split('.'))
        const values = placeholdersOf(text).filter((value) => !discreetValues.has(value))
        return [
          ...values.map((value) => ({
            ...place(),
            what: `${where} and shows {{${value}}}: ${tellingValues[value] ?? 'not known to be discreet'}`,
            remedy: 'Say what to dial instead.',
          })),
          ...says(text, isAsked(key)).map((word) => ({
            ...place(),
            what: `${where} and says "${word}"`,
            remedy: 'Say it in a word that tells a bystander nothing.',
          })),
        ]
      })
  })
}

/** Forms beside "discreet" are her own choice; parts stand only inside those. Staff are answered about their own work. */
function isDiscreet(key: string): boolean {
  return !/\.full(_\w+)?$/.test(key) && !/^(part|staff)\./.test(key)
}

/** Answers to a word of hers may repeat that word. */
function isAsked(key: string): boolean {
  return /^reply\.\w+$/.test(key)
}

/** Words that end in "*" stand for all that begin so; a word may be several. In replies, words in capitals are keywords to send. */
function createFinder(words: readonly string[]): (text: string, isAsked: boolean) => string[] {
  return (text, isAsked) => {
    const bare = text.replace(/\{\{\s*\w+\s*\}\}/g, ' ')
    const spoken = isAsked ? bare.replace(/(?<!\p{L})\p{Lu}{2,}(?!\p{L})/gu, ' ') : bare
    const line = ` ${spoken
      .toLowerCase()
      .split(/[^\p{L}\p{M}\p{N}]+/u)
      .join(' ')} `
    return words.filter((word) =>
      word.endsWith('*') ? line.includes(` ${word.slice(0, -1)}`) : line.includes(` ${word} `),
    )
  }
}
