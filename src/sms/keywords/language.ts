// LANGUAGE alone lists the programme's languages; with a code or a name it sets one, for the phone and for its only member.
import { languageChoices } from '../choices.ts'
import { fold } from '../fold.ts'
import { type Keyword, type KeywordContext, onlyMember } from '../keyword.ts'

export const language: Keyword = {
  name: 'language',
  forStrangers: false,
  async answer(context) {
    const chosen = chosenLanguage(context)
    if (chosen === undefined) return { template: 'reply.language', params: choicesOf(context) }
    const { tx, sender } = context
    const member = onlyMember(sender)
    await tx.query('update phones set language = $2 where id = $1', [sender.phoneId, chosen])
    if (member === undefined) return { template: 'reply.language_set' }
    await tx.query('update members set language = $2 where id = $1', [member.id, chosen])
    return { template: 'reply.language_set', memberId: member.id }
  },
}

/** "wo", "wolof" or the language's name in any language of the programme. */
function chosenLanguage({ i18n, programme, rest }: KeywordContext): string | undefined {
  if (rest === '') return undefined
  return programme.languages.find((code) => {
    const info = i18n.languages.get(code)
    if (info === undefined) return false
    const names = programme.languages.flatMap(
      (spoken) => i18n.keywords(spoken)[`language.${info.base}`] ?? [],
    )
    return [code, info.endonym, info.englishName, ...names].some((name) => fold(name) === rest)
  })
}

/** Which of the two is said is known only when the text is written, in her language of then. */
function choicesOf({ i18n, programme }: KeywordContext) {
  return {
    choices: languageChoices(i18n, programme.languages, true),
    choicesGsm7: languageChoices(i18n, programme.languages, false),
  }
}
