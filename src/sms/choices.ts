// In: the languages of a programme. Out: each with its code, as a text lists them for who wants another one.
import { firstOutsideGsm7, spell } from '../encoding.ts'
import type { I18n } from '../i18n.ts'

/**
 * "fr (Francais), ar (Arabic)" for texts in GSM-7: one name in another script would triple their price. With `ownLetters` each
 * by its own name on a line of its own, so that both directions of writing stay apart.
 */
export function languageChoices(i18n: I18n, tags: readonly string[], ownLetters: boolean): string {
  const infos = tags.flatMap((tag) => i18n.languages.get(tag) ?? [])
  if (ownLetters) return infos.map(({ code, endonym }) => `${code} ${endonym}`).join('\n')
  return infos
    .map(({ code, endonym, englishName, gsm7 }) => {
      // Each name in the spelling of its own language: "Français" is outside GSM-7 for an English text.
      const spelt = spell(endonym, gsm7)
      return `${code} (${firstOutsideGsm7(spelt) === undefined ? spelt : englishName})`
    })
    .join(', ')
}
