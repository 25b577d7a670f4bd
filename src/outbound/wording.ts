// In: names, places, titles and instants out of the data. Out: the same as a text may carry them: cut to length, in GSM-7.
// What texts.ts and answers.ts share.
import { localParts } from '../calendar.ts'
import type { Pipeline } from '../db.ts'
import { septetsOf, spell } from '../encoding.ts'
import { type I18n, type LanguageInfo, textIn, type Values } from '../i18n.ts'
import type { DecisionRow } from './decision-query.ts'

export interface TextAsk {
  row: DecisionRow
  language: string
  i18n: I18n
  reads: Pipeline
  now: Date
}

/** A variant of a template ("full", "full_paid") with the values that it states. */
export interface Stated {
  variant: string
  values: Values
}

/** Names and places longer than this are cut, so that a text keeps to one segment. */
export const nameCharactersMax = 20
export const placeCharactersMax = 28
export const titleCharactersMax = 36

export function momentValues(i18n: I18n, language: string, at: Date, timeZone: string) {
  const { date, minuteOfDay } = localParts(at, timeZone)
  return { date: i18n.date(language, date), time: i18n.time(language, minuteOfDay) }
}

export function titleIn(
  titles: Record<string, string> | null | undefined,
  row: DecisionRow,
  language: string,
): string {
  return textIn(titles ?? {}, language, row.languages[0])
}

/**
 * A name or place as a text may carry it: one line, cut to length, in the language's GSM-7 spelling. A mark that no rule
 * names is dropped from a value ("Ş" becomes "S"), because one foreign letter would triple the price of the whole text.
 */
export function fitValue(text: string, info: LanguageInfo, charactersMax: number): string {
  const line = text.replace(/\s+/gu, ' ').trim()
  const cut = [...line].slice(0, charactersMax).join('').trim()
  const spelled = spell(cut, info.gsm7)
  // Where all letters are written anyway, a mark costs nothing.
  if (info.gsm7 === null || septetsOf(spelled) !== undefined) return spelled
  return [...spelled]
    .map((letter) =>
      septetsOf(letter) === undefined ? letter.normalize('NFD').replace(/\p{M}/gu, '') : letter,
    )
    .join('')
}
