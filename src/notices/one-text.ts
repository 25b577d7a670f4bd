// In: words that somebody wrote once, by phone. Out: the same words for every language of the programme, and how many read another one.
// A member is told in the words that were written rather than not at all; whoever sends them is told the number before they leave.
import { baseOf } from '../i18n.ts'
import type { NoticePreview } from './preview.ts'

export function inEveryLanguage(languages: readonly string[], text: string): Record<string, string> {
  return Object.fromEntries(languages.map((tag) => [tag, text]))
}

/** Recipients who read another language than the one that the words were written in. */
export function readingOthers({ languages }: NoticePreview, language: string): number {
  return languages
    .filter(({ form, language: tag }) => form === 'written' && baseOf(tag) !== baseOf(language))
    .reduce((sum, { recipients }) => sum + recipients, 0)
}
