// In: the locales folder. Out: texts, dates and amounts in a language that the caller names. No ambient language, no Intl in what members read.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInstance } from 'i18next'
import { z } from 'zod'
import { type CalendarDate, weekdayOf } from './calendar.ts'
import type { Gsm7Rules } from './encoding.ts'
import { StartError } from './errors.ts'
import { type Amount, formatAmount } from './money.ts'

const languageSchema = z.strictObject({
  /** The language's name for itself, shown when she chooses. */
  endonym: z.string().min(1),
  englishName: z.string().min(1),
  direction: z.enum(['ltr', 'rtl']),
  /** "draft" until a native speaker has read every text. */
  reviewState: z.enum(['draft', 'reviewed']),
  reviewNote: z.string().optional(),
  decimalMark: z.enum(['.', ',']),
  /** Short weekdays, Sunday first. */
  weekdays: z.array(z.string().min(1)).length(7),
  months: z.array(z.string().min(1)).length(12),
  /** Holds {weekday}, {day} and {month}, for example "{weekday} {day} {month}". */
  datePattern: z.string().includes('{weekday}').includes('{day}').includes('{month}'),
  /** Holds {hour} and {minute}, two digits each, for example "{hour}h{minute}". */
  timePattern: z.string().includes('{hour}').includes('{minute}'),
  /** Words that would tell who holds the phone of debt, money or a group, in small letters; "prêt*" is all that begins so. */
  tellingWords: z
    .array(
      z.string().regex(/^\p{Ll}[\p{Ll}\p{M} -]*\*?$/u, 'must be small letters, with "*" at most at the end'),
    )
    .min(1),
  gsm7: z.strictObject({
    words: z.record(z.string(), z.string()),
    letters: z.record(z.string(), z.string()),
  }),
})

/** How members are asked what we may send. Old wordings stay: recorded words name the version that was heard. */
const consentSchema = z
  .strictObject({
    current: z.string(),
    wordings: z.record(z.string().regex(/^[\w.-]{1,40}$/), z.string().min(1)),
  })
  .refine(({ current, wordings }) => wordings[current] !== undefined, {
    path: ['current'],
    message: 'names no wording',
  })
  .transform(({ current, wordings }) => ({ version: current, wording: wordings[current] ?? '' }))

export interface LanguageInfo extends Omit<z.infer<typeof languageSchema>, 'gsm7'> {
  code: string
  gsm7: Gsm7Rules
  /** What she is asked today, and its version. */
  consent: { version: string; wording: string }
}

export type Namespace = 'ussd' | 'sms'
export type Values = Readonly<Record<string, string | number>>

export interface I18n {
  readonly languages: ReadonlyMap<string, LanguageInfo>
  language(code: string): LanguageInfo
  /** Keys of a namespace in a language, dotted ("member.home"). */
  keys(language: string, namespace: Namespace): ReadonlySet<string>
  has(language: string, namespace: Namespace, key: string): boolean
  /** The text with its {{values}} filled in. Throws a RangeError for a key that the boot checks did not see. */
  text(language: string, namespace: Namespace, key: string, values?: Values): string
  /** Words that mean each keyword, lower case. */
  keywords(language: string): Readonly<Record<string, readonly string[]>>
  /** "jeu 26 nov": weekday, day and month, never "tomorrow". */
  date(language: string, date: CalendarDate): string
  time(language: string, minuteOfDay: number): string
  amount(language: string, amount: Amount, currency: string): string
}

const keywordsSchema = z.record(z.string(), z.array(z.string().min(1)).min(1))
type Tree = { [key: string]: string | Tree }
const treeSchema: z.ZodType<Tree> = z.lazy(() => z.record(z.string(), z.union([z.string(), treeSchema])))

interface Locale {
  info: LanguageInfo
  ussd: Tree
  sms: Tree
  keywords: Record<string, string[]>
}

/** Loads every folder below `folder`. Throws a StartError that lists every unreadable or malformed file at once. */
export function loadI18n(folder: string): I18n {
  const { i18n, faults } = readI18n(folder)
  if (faults.length > 0) throw new StartError('The locales cannot be used', faults)
  return i18n
}

/** Like loadI18n, but hands out the faults beside the languages that have none. */
export function readI18n(folder: string): { i18n: I18n; faults: string[] } {
  const faults: string[] = []
  const read = <Result>(
    code: string,
    file: string,
    schema: z.ZodType<Result, unknown>,
  ): Result | undefined => {
    try {
      const parsed = schema.safeParse(JSON.parse(readFileSync(join(folder, code, file), 'utf8')))
      if (parsed.success) return parsed.data
      for (const issue of parsed.error.issues)
        faults.push(`locales/${code}/${file}: ${issue.path.join('.')}: ${issue.message}`)
    } catch (error) {
      faults.push(`locales/${code}/${file}: ${error instanceof Error ? error.message : 'unreadable'}`)
    }
    return undefined
  }
  const locales = new Map<string, Locale>()
  const codes = foldersIn(folder)
  if (codes.length === 0) faults.push('locales: there is no language')
  for (const code of codes) {
    const info = read(code, 'language.json', languageSchema)
    const ussd = read(code, 'ussd.json', treeSchema)
    const sms = read(code, 'sms.json', treeSchema)
    const keywords = read(code, 'keywords.json', keywordsSchema)
    const consent = read(code, 'consent.json', consentSchema)
    if (
      info !== undefined &&
      ussd !== undefined &&
      sms !== undefined &&
      keywords !== undefined &&
      consent !== undefined
    )
      locales.set(code, { info: { ...info, code, consent }, ussd, sms, keywords })
  }
  return { i18n: createI18n(locales), faults }
}

function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
}

function createI18n(locales: ReadonlyMap<string, Locale>): I18n {
  const instance = createInstance()
  void instance.init({
    initAsync: false,
    fallbackLng: false,
    ns: ['ussd', 'sms'],
    defaultNS: 'ussd',
    interpolation: { escapeValue: false, skipOnVariables: true },
    resources: Object.fromEntries([...locales].map(([code, { ussd, sms }]) => [code, { ussd, sms }])),
  })
  const languages = new Map([...locales].map(([code, { info }]) => [code, info]))
  const keySets = new Map<string, ReadonlySet<string>>()
  for (const [code, { ussd, sms }] of locales) {
    keySets.set(`${code}/ussd`, new Set(dottedKeys(ussd)))
    keySets.set(`${code}/sms`, new Set(dottedKeys(sms)))
  }
  const language = (code: string): LanguageInfo => {
    const info = languages.get(code)
    if (info === undefined) throw new RangeError(`Unknown language ${code}`)
    return info
  }
  const keys = (code: string, namespace: Namespace) =>
    keySets.get(`${code}/${namespace}`) ?? new Set<string>()
  return {
    languages,
    language,
    keys,
    has: (code, namespace, key) => keys(code, namespace).has(key),
    text(code, namespace, key, values = {}) {
      if (!keys(code, namespace).has(key)) throw new RangeError(`No text ${code}/${namespace} ${key}`)
      return instance.t(key, { ...values, lng: code, ns: namespace })
    },
    keywords: (code) => locales.get(code)?.keywords ?? {},
    date(code, date) {
      const { weekdays, months, datePattern } = language(code)
      return datePattern
        .replace('{weekday}', weekdays[weekdayOf(date)] ?? '')
        .replace('{day}', String(Number(date.slice(8, 10))))
        .replace('{month}', months[Number(date.slice(5, 7)) - 1] ?? '')
    },
    time(code, minuteOfDay) {
      const two = (value: number) => String(value).padStart(2, '0')
      return language(code)
        .timePattern.replace('{hour}', two(Math.floor(minuteOfDay / 60)))
        .replace('{minute}', two(minuteOfDay % 60))
    },
    amount: (code, amount, currency) => formatAmount(amount, currency, language(code).decimalMark),
  }
}

function* dottedKeys(tree: Tree, prefix = ''): Generator<string> {
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') yield prefix + key
    else yield* dottedKeys(value, `${prefix}${key}.`)
  }
}
