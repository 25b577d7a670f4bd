// In: the locales folder. Out: texts, dates, times, numbers and amounts in a language that the caller names.
// No ambient language; no Intl in what members read: it would put spaces and digits there that triple the price.
import { createInstance } from 'i18next'
import { type CalendarDate, solarHijri, weekdayOf } from './calendar.ts'
import type { Gsm7Rules } from './encoding.ts'
import { StartError } from './errors.ts'
import { describeFault, type Fault } from './fault.ts'
import { type LanguageFile, type Locale, type LocaleFileName, readLocales, textsOf } from './locale-files.ts'
import { type Amount, formatAmount } from './money.ts'

/**
 * A language as a programme or a member chooses it. The tag is the folder's name (BCP 47), with at most one of two endings:
 * "-x-script" is written with all its letters although it has a GSM-7 spelling, "-u-ca-persian" counts days in the solar
 * Hijri year with its own digits.
 */
export interface LanguageInfo
  extends Pick<
    LanguageFile,
    | 'endonym'
    | 'englishName'
    | 'direction'
    | 'reviewState'
    | 'decimalMark'
    | 'weekdays'
    | 'months'
    | 'datePattern'
    | 'timePattern'
    | 'tellingWords'
  > {
  /** The tag. */
  code: string
  /** The folder that holds the texts. */
  base: string
  /** How texts are spelt for GSM-7; null when they are written with all their letters. */
  gsm7: Gsm7Rules | null
  /** Ten digits from zero, and the calendar of their days; Latin and Gregorian unless the tag says otherwise. */
  digits: string
  calendar: 'gregorian' | 'persian'
  /** What she is asked today, and its version. */
  consent: { version: string; wording: string }
}

/** Texts for members' screens and SMS; those of the console only where staff work in the language. */
export type Namespace = 'ussd' | 'sms' | 'console'
export type Values = Readonly<Record<string, string | number>>

export interface I18n {
  /** Every tag that can be chosen: the folders, and their endings where the language has them. */
  readonly languages: ReadonlyMap<string, LanguageInfo>
  /** The folders' names only. */
  readonly bases: readonly string[]
  language(tag: string): LanguageInfo
  /** Keys of a namespace in a language, dotted ("member.home"). */
  keys(tag: string, namespace: Namespace): ReadonlySet<string>
  has(tag: string, namespace: Namespace, key: string): boolean
  /** The text with its {{values}} filled in. Throws a RangeError for a key that the boot checks did not see. */
  text(tag: string, namespace: Namespace, key: string, values?: Values): string
  /** Words that mean each keyword, lower case. */
  keywords(tag: string): Readonly<Record<string, readonly string[]>>
  glossary(tag: string): Locale['glossary']
  /** File and line of a value in the language's files, for those who mend it. */
  place(
    tag: string,
    file: LocaleFileName,
    path?: readonly string[],
  ): { file: string; line: number; language: string }
  /** "jeu 26 nov": weekday, day and month, never "tomorrow". */
  date(tag: string, date: CalendarDate): string
  /** "26/11", for lists that have no room for weekdays. */
  shortDate(tag: string, date: CalendarDate): string
  time(tag: string, minuteOfDay: number): string
  /** A count in the digits of the tag. */
  number(tag: string, value: number): string
  amount(tag: string, amount: Amount, currency: string): string
}

/** Loads every folder below `folder`. Throws a StartError that lists every unreadable or malformed file at once. */
export function loadI18n(folder: string): I18n {
  const { i18n, faults } = readI18n(folder)
  if (faults.length > 0) throw new StartError('The locales cannot be used', faults.map(describeFault))
  return i18n
}

/** Like loadI18n, but hands out the faults beside the languages that have none. */
export function readI18n(folder: string): { i18n: I18n; faults: Fault[] } {
  const { locales, faults } = readLocales(folder)
  return { i18n: createI18n(locales), faults }
}

/**
 * What of the languages on offer is meant by a wish: the tag itself, else another way to write the same language. Undefined
 * when neither is on offer.
 */
export function offeredAs(wish: string | null | undefined, offered: readonly string[]): string | undefined {
  if (wish === null || wish === undefined) return undefined
  return offered.includes(wish) ? wish : offered.find((tag) => baseOf(tag) === baseOf(wish))
}

/** Of languages that have a text, the one that most people who mend another can read. */
export function modelAmong(tags: readonly string[]): string | undefined {
  return ['en', 'fr'].find((tag) => tags.includes(tag)) ?? tags[0]
}

/** The folder of a tag. */
export function baseOf(tag: string): string {
  return tag.replace(/-(x-script|u-ca-persian)$/, '')
}

/** Names of the {{values}} of a text, sorted. */
export function placeholdersOf(text: string): string[] {
  return [...text.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map((match) => match[1] ?? '').sort()
}

/** A text that is kept in several languages, in the first of these that it has, else in any. */
export function textIn(
  texts: Readonly<Record<string, string>>,
  ...tags: readonly (string | undefined)[]
): string {
  for (const tag of tags) {
    const text = tag === undefined ? undefined : (texts[tag] ?? texts[baseOf(tag)])
    if (text !== undefined) return text
  }
  return Object.values(texts)[0] ?? ''
}

const latinDigits = '0123456789'

function infosOf({ code, language, consent }: Locale): LanguageInfo[] {
  const { gsm7, script, persian, ...same } = language
  const plain: LanguageInfo = {
    ...same,
    code,
    base: code,
    gsm7,
    consent,
    digits: latinDigits,
    calendar: 'gregorian',
  }
  const infos = [plain]
  if (script !== undefined)
    infos.push({ ...plain, code: `${code}-x-script`, endonym: script.endonym, gsm7: null })
  if (persian !== undefined)
    infos.push({ ...plain, code: `${code}-u-ca-persian`, ...persian, calendar: 'persian' })
  return infos
}

function createI18n(locales: ReadonlyMap<string, Locale>): I18n {
  const instance = createInstance()
  void instance.init({
    initAsync: false,
    fallbackLng: false,
    ns: ['ussd', 'sms', 'console'],
    defaultNS: 'ussd',
    interpolation: { escapeValue: false, skipOnVariables: true },
    resources: Object.fromEntries(
      [...locales].map(([code, { ussd, sms, console = {} }]) => [code, { ussd, sms, console }]),
    ),
  })
  const languages = new Map([...locales.values()].flatMap(infosOf).map((info) => [info.code, info]))
  const keySets = new Map<string, ReadonlySet<string>>()
  for (const [code, { ussd, sms, console = {} }] of locales) {
    keySets.set(`${code}/ussd`, new Set([...textsOf(ussd)].map(([key]) => key)))
    keySets.set(`${code}/sms`, new Set([...textsOf(sms)].map(([key]) => key)))
    keySets.set(`${code}/console`, new Set([...textsOf(console)].map(([key]) => key)))
  }
  const language = (tag: string): LanguageInfo => {
    const info = languages.get(tag)
    if (info === undefined) throw new RangeError(`Unknown language ${tag}`)
    return info
  }
  const keys = (tag: string, namespace: Namespace) =>
    keySets.get(`${baseOf(tag)}/${namespace}`) ?? new Set<string>()
  const two = (value: number) => String(value).padStart(2, '0')
  const dayIn = (tag: string, date: CalendarDate) =>
    language(tag).calendar === 'persian'
      ? solarHijri(date)
      : { day: Number(date.slice(8, 10)), month: Number(date.slice(5, 7)) }
  const inDigits = (tag: string, text: string) => {
    const { digits } = language(tag)
    return digits === latinDigits ? text : text.replace(/\d/g, (digit) => digits[Number(digit)] ?? digit)
  }
  return {
    languages,
    bases: [...locales.keys()],
    language,
    keys,
    has: (tag, namespace, key) => keys(tag, namespace).has(key),
    text(tag, namespace, key, values = {}) {
      if (!keys(tag, namespace).has(key)) throw new RangeError(`No text ${tag}/${namespace} ${key}`)
      return instance.t(key, { ...values, lng: baseOf(tag), ns: namespace })
    },
    keywords: (tag) => locales.get(baseOf(tag))?.keywords ?? {},
    glossary: (tag) => locales.get(baseOf(tag))?.glossary ?? {},
    place(tag, file, path = []) {
      const code = baseOf(tag)
      return {
        file: `locales/${code}/${file}`,
        line: locales.get(code)?.lineOf(file, path) ?? 1,
        language: tag,
      }
    },
    date(tag, date) {
      const { weekdays, months, datePattern } = language(tag)
      const { day, month } = dayIn(tag, date)
      return datePattern
        .replace('{weekday}', weekdays[weekdayOf(date)] ?? '')
        .replace('{day}', inDigits(tag, String(day)))
        .replace('{month}', months[month - 1] ?? '')
    },
    shortDate(tag, date) {
      const { day, month } = dayIn(tag, date)
      return inDigits(tag, `${two(day)}/${two(month)}`)
    },
    time(tag, minuteOfDay) {
      return language(tag)
        .timePattern.replace('{hour}', inDigits(tag, two(Math.floor(minuteOfDay / 60))))
        .replace('{minute}', inDigits(tag, two(minuteOfDay % 60)))
    },
    number: (tag, value) => inDigits(tag, String(value)),
    amount(tag, amount, currency) {
      const { decimalMark, direction } = language(tag)
      return inDigits(tag, formatAmount(amount, currency, decimalMark, direction === 'rtl' ? ',' : ' '))
    },
  }
}
