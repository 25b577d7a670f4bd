// In: a folded text. Out: the keyword it begins with and what follows. Words of all the programme's languages count at once:
// a member need not know which language we think she speaks.
import type { I18n } from '../i18n.ts'
import { fold } from './fold.ts'
import type { Keyword } from './keyword.ts'
import { keywords } from './keywords/index.ts'

export interface Match {
  keyword: Keyword
  rest: string
}

type Phrases = readonly (readonly [phrase: string, keyword: Keyword])[]

/** Matches texts for one set of languages; the phrases are folded once. */
export function createMatcher(
  i18n: I18n,
): (folded: string, languages: readonly string[]) => Match | undefined {
  const cache = new Map<string, Phrases>()

  function phrasesOf(languages: readonly string[]): Phrases {
    const key = languages.join(' ')
    const known = cache.get(key)
    if (known !== undefined) return known
    const phrases = keywords
      .flatMap((keyword) =>
        languages
          .flatMap((language) => i18n.keywords(language)[keyword.name] ?? [])
          .map((phrase) => [fold(phrase), keyword] as const),
      )
      // "due date" before "due": the longest phrase wins; among equals the order of the index.
      .sort(([one], [other]) => other.length - one.length)
    cache.set(key, phrases)
    return phrases
  }

  return (folded, languages) => {
    for (const [phrase, keyword] of phrasesOf(languages))
      if (folded === phrase || folded.startsWith(`${phrase} `))
        return { keyword, rest: folded.slice(phrase.length + 1) }
    return undefined
  }
}
