// In: the texts of a language with what was measured of them. Out: one row a text, as a native reviewer reads, corrects and confirms it.
import { measureUssd, spell } from '../encoding.ts'
import type { I18n } from '../i18n.ts'
import { type Locale, readLocales, textsOf } from '../locale-files.ts'
import type { WorstText } from '../sms/check-fit.ts'
import type { Screen } from '../ussd/check-fit.ts'
import { type Menu, textsAt } from '../ussd/menu.ts'
import { ucs2UnitsMax } from '../ussd/screen.ts'

export const reviewedFiles = ['language.json', 'consent.json', 'ussd.json', 'sms.json'] as const
export type ReviewedFile = (typeof reviewedFiles)[number]

export interface TextRow {
  file: ReviewedFile
  /** Dotted, as the checks name it. */
  key: string
  /** Where it stands in the file; the wording of the consent stands under its version. */
  path: (string | number)[]
  present: string
  /** Reference texts; empty where the language has none under this key. */
  english: string
  french: string
  /** How a phone gets it; empty where the language is written with its own letters. */
  gsm7: string
  /** Septets or UTF-16 units of the fullest screen or SMS that it stands on, with the longest data. */
  units: number
  limit: number | undefined
}

/** What was measured when screens and SMS of the language were proved. */
export interface Measured {
  screens: readonly Screen[]
  texts: readonly WorstText[]
}

/** Key of the consent's wording: its version is another after each change. */
export const wordingKey = 'wording'

/** Every text of a language that a native speaker can judge, in the order of its files. */
export function textRows(
  folder: string,
  code: string,
  { i18n, menus, measured }: { i18n: I18n; menus: ReadonlyMap<string, Menu>; measured: Measured },
): TextRow[] {
  const { locales } = readLocales(folder)
  const own = locales.get(code)
  if (own === undefined) throw new RangeError(`Unknown language ${code}`)
  const referenceOf = (language: string) => {
    const locale = locales.get(language)
    return new Map(locale === undefined ? [] : plainRows(locale).map((row) => [idOf(row), row.present]))
  }
  const english = referenceOf('en')
  const french = referenceOf('fr')
  const { gsm7 } = i18n.language(code)
  const sizeOf = createSizes(menus, measured)
  return plainRows(own).map((row) => {
    const spelled = spell(row.present, gsm7)
    return {
      ...row,
      english: english.get(idOf(row)) ?? '',
      french: french.get(idOf(row)) ?? '',
      gsm7: gsm7 === null ? '' : spelled,
      ...(sizeOf(row) ?? { units: measureUssd(spelled).units, limit: undefined }),
    }
  })
}

export const idOf = ({ file, key }: Pick<TextRow, 'file' | 'key'>) => `${file} ${key}`

type PlainRow = Pick<TextRow, 'file' | 'key' | 'path' | 'present'>

function plainRows({ language, consent, ussd, sms }: Locale): PlainRow[] {
  const word = (present: string, ...path: (string | number)[]): PlainRow[] =>
    // Months that are written as numbers have nothing to review.
    /\p{L}/u.test(present) ? [{ file: 'language.json', key: path.join('.'), path, present }] : []
  const { script, persian } = language
  return [
    ...word(language.endonym, 'endonym'),
    ...(script === undefined ? [] : word(script.endonym, 'script', 'endonym')),
    ...language.weekdays.flatMap((present, index) => word(present, 'weekdays', index)),
    ...language.months.flatMap((present, index) => word(present, 'months', index)),
    ...(persian?.months ?? []).flatMap((present, index) => word(present, 'persian', 'months', index)),
    {
      file: 'consent.json',
      key: wordingKey,
      path: ['wordings', consent.version],
      present: consent.wording,
    },
    ...[...textsOf(ussd)].map(
      ([key, present]): PlainRow => ({ file: 'ussd.json', key, path: key.split('.'), present }),
    ),
    ...[...textsOf(sms)].map(
      ([key, present]): PlainRow => ({ file: 'sms.json', key, path: key.split('.'), present }),
    ),
  ]
}

interface Size {
  units: number
  limit: number | undefined
}

/** What stands on no screen of its own, such as a reason above one, is measured by itself. */
function createSizes(menus: ReadonlyMap<string, Menu>, { screens, texts }: Measured) {
  const fullest = new Map<string, Screen>()
  for (const screen of screens) {
    const best = fullest.get(screen.says)
    if (best === undefined || screen.units / screen.limit > best.units / best.limit)
      fullest.set(screen.says, screen)
  }
  const asking = [...menus.values()].flatMap((menu) =>
    Object.entries(menu.states)
      .filter(([, { needs }]) => needs.includes('consent_wording'))
      .map(([state]) => textsAt(menu, state)),
  )
  const worst = new Map(texts.map((text) => [text.key, text]))
  const [first] = screens
  return ({ file, key, present }: PlainRow): Size | undefined => {
    if (file === 'consent.json') return fullest.get(asking[0] ?? '')
    if (file === 'ussd.json') {
      const found = fullest.get(key.split('.').slice(0, 2).join('.'))
      if (found !== undefined) return { units: found.units, limit: found.limit }
      if (first === undefined) return undefined
      const { encoding, units } = measureUssd(present)
      return { units, limit: encoding === 'gsm7' ? 160 : ucs2UnitsMax }
    }
    const text = worst.get(key)
    return file === 'sms.json' && text !== undefined
      ? { units: text.units, limit: smsLimit(text) }
      : undefined
  }
}

/** Units that a text may have in the segments that it may take. */
export function smsLimit({ encoding, segmentsMax }: Pick<WorstText, 'encoding' | 'segmentsMax'>): number {
  const [alone, part] = encoding === 'gsm7' ? [160, 153] : [70, 67]
  return segmentsMax === 1 ? alone : part * segmentsMax
}
