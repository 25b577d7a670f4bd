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

interface Phrases {
  /** Count wherever they begin a text; the longest first, "due date" before "due". */
  first: readonly (readonly [phrase: string, keyword: Keyword])[]
  /** Count only when nothing but courtesy stands beside them: "end please", not "end of month payment". */
  alone: ReadonlyMap<string, Keyword>
  /** Words that add nothing to a keyword; the longest phrase first. */
  courtesy: readonly string[]
}

/** Matches texts for one set of languages, with the words of staff or without; the phrases are folded once. */
export function createMatcher(
  i18n: I18n,
): (folded: string, languages: readonly string[], asStaff?: boolean) => Match | undefined {
  const cache = new Map<string, Phrases>()

  function readPhrases(languages: readonly string[], asStaff: boolean): Phrases {
    const known = keywords.filter(({ forStaff }) => asStaff || forStaff !== true)
    const words = (name: string) =>
      languages.flatMap((language) => i18n.keywords(language)[name] ?? []).map(fold)
    // Equal words keep the order of the index.
    const pairs = (suffix: string) =>
      known.flatMap((keyword) =>
        words(`${keyword.name}${suffix}`).map((phrase) => [phrase, keyword] as const),
      )
    const longestFirst = (one: string, other: string) => other.length - one.length
    const first = pairs('').sort(([one], [other]) => longestFirst(one, other))
    return {
      first,
      alone: new Map([...first, ...pairs('.alone')].reverse()),
      courtesy: words('courtesy').sort(longestFirst),
    }
  }

  return (folded, languages, asStaff = false) => {
    const key = `${asStaff} ${languages.join(' ')}`
    const phrases = cache.get(key) ?? readPhrases(languages, asStaff)
    cache.set(key, phrases)
    const { courtesy } = phrases
    const asked = withoutBefore(folded, courtesy)
    const alone = phrases.alone.get(folded) ?? phrases.alone.get(withoutAfter(asked, courtesy))
    if (alone !== undefined) return { keyword: alone, rest: '' }
    for (const text of [folded, asked])
      for (const [phrase, keyword] of phrases.first)
        if (text === phrase || text.startsWith(`${phrase} `))
          return { keyword, rest: text.slice(phrase.length + 1) }
    return undefined
  }
}

function withoutBefore(text: string, courtesy: readonly string[]): string {
  const found = courtesy.find((phrase) => text.startsWith(`${phrase} `))
  return found === undefined ? text : withoutBefore(text.slice(found.length + 1), courtesy)
}

function withoutAfter(text: string, courtesy: readonly string[]): string {
  const found = courtesy.find((phrase) => text.endsWith(` ${phrase}`))
  return found === undefined ? text : withoutAfter(text.slice(0, -found.length - 1), courtesy)
}
