// In: what a notice says (a template with its fields, or words by language) and a language. Out: the text as a phone gets it, or
// undefined where nothing is written in it. Preview, sending and verifying all render here. Pure.
import { type CalendarDate, isCalendarDate } from '../calendar.ts'
import { spell } from '../encoding.ts'
import { baseOf, type I18n } from '../i18n.ts'
import { fitValue, placeCharactersMax, titleCharactersMax } from './wording.ts'

/** Templates that staff choose from, with the fields of each: `day` is an ISO date, `time` "HH:MM" in the programme's zone. */
export const noticeTemplates = {
  meeting_moved: ['day', 'time', 'place'],
  meeting_cancelled: ['day'],
  bring_booklet: [],
  training_topic: ['topic', 'day'],
} as const satisfies Record<string, readonly NoticeField[]>

export type NoticeTemplate = keyof typeof noticeTemplates
export type NoticeField = 'day' | 'time' | 'place' | 'topic'

/** Of messages whose words somebody wrote. */
export const writtenTemplate = 'notice.free'

export interface NoticeWords {
  /** As the message names it: "notice.meeting_moved", "notice.free". */
  template: string
  fields: Readonly<Record<string, string>>
  texts: Readonly<Record<string, string>>
}

export interface NoticeReader {
  i18n: I18n
  language: string
  /** Sender ID, and the code to dial. */
  sender: string
  code: string
  /** She chose texts that say everything, and may have them. */
  full: boolean
}

/** Minute of the day of "HH:MM", or undefined. */
export function minuteOf(time: string): number | undefined {
  const parts = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time)
  return parts === null ? undefined : Number(parts[1]) * 60 + Number(parts[2])
}

/** What was written for a language: under its own tag, or another way to write it. */
export function writtenIn(texts: Readonly<Record<string, string>>, language: string): string | undefined {
  const tag = [language, ...Object.keys(texts)].find(
    (one) => Object.hasOwn(texts, one) && baseOf(one) === baseOf(language),
  )
  return tag === undefined ? undefined : texts[tag]
}

/**
 * What a member who reads `language` is sent, and in which language it is spelt. Where nothing is written in hers, she chose it after the
 * notice was made: she gets the programme's first language, which she was enrolled in, or nothing where that is not written either.
 */
export function writtenFor(
  texts: Readonly<Record<string, string>>,
  language: string,
  languages: readonly string[],
): { language: string; text: string } | undefined {
  for (const tag of [language, languages[0]]) {
    const text = tag === undefined ? undefined : writtenIn(texts, tag)
    if (tag !== undefined && text !== undefined) return { language: tag, text }
  }
  return undefined
}

export function renderNotice(
  { template, fields, texts }: NoticeWords,
  reader: NoticeReader,
): string | undefined {
  const { i18n, language, sender, code, full } = reader
  const info = i18n.language(language)
  if (template === writtenTemplate) {
    const text = writtenIn(texts, language)
    return text === undefined ? undefined : spell(text, info.gsm7)
  }
  const key = [template, `${template}.${full ? 'full' : 'discreet'}`].find((one) =>
    i18n.has(language, 'sms', one),
  )
  if (key === undefined) return undefined
  const { day = '', time = '', place = '', topic = '' } = fields
  const minute = minuteOf(time)
  const values = {
    date: isCalendarDate(day) ? i18n.date(language, day as CalendarDate) : '',
    time: minute === undefined ? '' : i18n.time(language, minute),
    place: fitValue(place, info, placeCharactersMax),
    title: fitValue(topic, info, titleCharactersMax),
  }
  return spell(i18n.text(language, 'sms', key, { sender, code, ...values }), info.gsm7)
}
