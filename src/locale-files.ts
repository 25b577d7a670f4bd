// In: the folders below locales/. Out: what each language says, and every fault of its files with line and remedy.
// Never lets through a text that no phone can show: control characters, mixed scripts, letters out of order.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Fault } from './fault.ts'
import { type JsonFile, readJson } from './json-file.ts'

const nfc = (text: string) => text.normalize('NFC')
const word = z.string().min(1).transform(nfc)
/** Letters and signs of a spelling rule; the left side is looked for, so it must be plain. */
const spellings = z.record(
  z
    .string()
    .regex(/^[\p{L}\p{M}'’ «»…–—-]+$/u, 'must be letters')
    .transform(nfc),
  z.string().regex(/^\P{Cc}*$/u, 'has a control character'),
)

const languageSchema = z
  .strictObject({
    /** The language's name for itself, shown when she chooses. */
    endonym: word,
    englishName: z.string().min(1),
    direction: z.enum(['ltr', 'rtl']),
    /** "draft" until a native speaker has read every text. */
    reviewState: z.enum(['draft', 'reviewed']),
    reviewNote: z.string().optional(),
    reviewer: z.string().min(1).optional(),
    reviewedDate: z.iso.date().optional(),
    decimalMark: z.enum(['.', ',']),
    /** Short weekdays, Sunday first. */
    weekdays: z.array(word).length(7),
    months: z.array(word).length(12),
    /** Holds {weekday}, {day} and {month}, for example "{weekday} {day} {month}". */
    datePattern: z.string().includes('{weekday}').includes('{day}').includes('{month}').transform(nfc),
    /** Holds {hour} and {minute}, two digits each, for example "{hour}h{minute}". */
    timePattern: z.string().includes('{hour}').includes('{minute}').transform(nfc),
    /** Words that would tell who holds the phone of debt, money or a group, in small letters; "prêt*" is all that begins so. */
    tellingWords: z
      .array(
        z
          .string()
          .regex(
            /^[\p{Ll}\p{Lo}][\p{Ll}\p{Lo}\p{M} -]*\*?$/u,
            'must be small letters, with "*" at most at the end',
          )
          .transform(nfc),
      )
      .min(1),
    /** The reviewed spelling in GSM-7; null for a script that has none. */
    gsm7: z.strictObject({ words: spellings, letters: spellings }).nullable(),
    /** How the language is listed where it is written with all its letters ("wo-x-script"). */
    script: z.strictObject({ endonym: word }).optional(),
    /** The solar Hijri year, for programmes that choose it ("ps-u-ca-persian"). */
    persian: z
      .strictObject({ months: z.array(word).length(12), digits: z.string().regex(/^\p{Nd}{10}$/u) })
      .optional(),
  })
  .refine(({ direction, decimalMark }) => direction === 'ltr' || decimalMark === '.', {
    path: ['decimalMark'],
    message: 'must be "." where text runs from right to left: the comma parts thousands there',
  })

export type LanguageFile = z.infer<typeof languageSchema>

/** How members are asked what we may send. Old wordings stay: recorded words name the version that was heard. */
const consentSchema = z
  .strictObject({
    current: z.string(),
    wordings: z.record(z.string().regex(/^[\w.-]{1,40}$/), word),
  })
  .refine(({ current, wordings }) => wordings[current] !== undefined, {
    path: ['current'],
    message: 'names no wording',
  })
  .transform(({ current, wordings }) => ({ version: current, wording: wordings[current] ?? '' }))

/** What the texts call each thing, so that one thing has one name on every screen. */
const glossarySchema = z.record(
  z.string(),
  z.strictObject({
    word,
    /** All spellings that the texts may use. */
    forms: z.array(word).min(1),
    /** A: attested for this sense; B: near or built from attested parts; C: a guess. */
    grade: z.enum(['A', 'B', 'C']),
    source: z.string().min(1),
    /** Misleading words that no text of the language may hold. */
    avoid: z.array(word),
  }),
)

const keywordsSchema = z.record(z.string(), z.array(word).min(1))

export type Tree = { [key: string]: string | Tree }
const textCharactersMax = 500
const text = z
  .string()
  .max(textCharactersMax, `is longer than ${textCharactersMax} characters`)
  .regex(/\S/, 'is empty')
  .refine((value) => !/[^\P{Cc}\n]/u.test(value), 'has a control character')
  .refine(
    (value) => !/\{\{(?!\s*\w+\s*\}\})|(?<!\{\{\s*\w+\s*)\}\}|\$t\(/.test(value),
    'has a broken {{placeholder}}',
  )
  .transform(nfc)
const treeSchema: z.ZodType<Tree> = z.lazy(() => z.record(z.string(), z.union([text, treeSchema])))

export interface Locale {
  code: string
  language: LanguageFile
  ussd: Tree
  sms: Tree
  keywords: Record<string, string[]>
  consent: { version: string; wording: string }
  glossary: z.infer<typeof glossarySchema>
  /** What staff read in the console; undefined in a language that staff do not work in. */
  console: Tree | undefined
  /** Line of a value in one of the language's files. */
  lineOf(file: LocaleFileName, path: readonly string[]): number
}

const fileSchemas = {
  'language.json': languageSchema,
  'ussd.json': treeSchema,
  'sms.json': treeSchema,
  'keywords.json': keywordsSchema,
  'consent.json': consentSchema,
  'glossary.json': glossarySchema,
  'console.json': treeSchema,
} as const
/** The others each language must have. */
const optionalFiles: ReadonlySet<string> = new Set(['console.json'])
export type LocaleFileName = keyof typeof fileSchemas

/** Every language that can be read, and the faults of those that cannot. A language with a fault is left out. */
export function readLocales(folder: string): { locales: Map<string, Locale>; faults: Fault[] } {
  const locales = new Map<string, Locale>()
  const faults: Fault[] = []
  const codes = foldersIn(folder)
  if (codes.length === 0) faults.push({ file: 'locales', what: 'there is no language' })
  for (const code of codes) {
    const read = readLocale(folder, code)
    faults.push(...read.faults)
    if (read.locale !== undefined) locales.set(code, read.locale)
  }
  return { locales, faults }
}

function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
}

function readLocale(folder: string, code: string): { locale?: Locale; faults: Fault[] } {
  const faults: Fault[] = []
  const files = new Map<string, JsonFile>()
  const parsed: Partial<Record<LocaleFileName, unknown>> = {}
  for (const [name, schema] of Object.entries(fileSchemas)) {
    const file = `locales/${code}/${name}`
    const path = join(folder, code, name)
    if (!existsSync(path)) {
      if (optionalFiles.has(name)) continue
      faults.push({
        file,
        language: code,
        what: 'is missing',
        remedy: 'Copy the file of another language and translate it.',
      })
      continue
    }
    const json = readJson(readFileSync(path, 'utf8'), file)
    files.set(name, json)
    faults.push(...json.faults.map((fault) => ({ ...fault, language: code })))
    if (json.content === undefined) continue
    const result = schema.safeParse(json.content)
    if (result.success) parsed[name as LocaleFileName] = result.data
    else
      for (const { path: where, message } of result.error.issues.flatMap((issue) => leavesOf(issue)))
        faults.push({
          file,
          line: json.lineOf(where),
          language: code,
          what: `${where.join('.') || 'the file'}: ${message}`,
        })
  }
  if (faults.length > 0) return { faults }
  const locale = {
    code,
    language: parsed['language.json'],
    ussd: parsed['ussd.json'],
    sms: parsed['sms.json'],
    keywords: parsed['keywords.json'],
    consent: parsed['consent.json'],
    glossary: parsed['glossary.json'],
    console: parsed['console.json'],
    lineOf: (file: LocaleFileName, path: readonly string[]) => files.get(file)?.lineOf(path) ?? 1,
  } as Locale
  return { locale, faults: scriptFaults(locale) }
}

interface Leaf {
  path: (string | number)[]
  message: string
}

/** A union says only that nothing fits; what its parts say of the value that is there helps more. */
function leavesOf(issue: z.core.$ZodIssue, above: Leaf['path'] = []): Leaf[] {
  const path = [...above, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))]
  if (issue.code !== 'invalid_union') return [{ path, message: issue.message }]
  const meant = issue.errors.find(
    (part) => !part.some((inner) => inner.code === 'invalid_type' && inner.path.length === 0),
  )
  return (
    meant?.flatMap((inner) => leavesOf(inner, path)) ?? [
      { path, message: 'must be a text or an object of texts' },
    ]
  )
}

/** Every text of a tree with its dotted key. */
export function* textsOf(tree: Tree, prefix = ''): Generator<[key: string, text: string]> {
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') yield [prefix + key, value]
    else yield* textsOf(value, `${prefix}${key}.`)
  }
}

/**
 * Texts are written in the script of the language's own name; Latin words may stand in any. A word of two scripts looks
 * right and is not (a Cyrillic "а"); a mark without a letter before it is not in the order of Unicode (Zawgyi).
 */
function scriptFaults({ code, language, ussd, sms, console, consent, lineOf }: Locale): Fault[] {
  const own = scriptsIn(language.endonym)
  const faults: Fault[] = []
  const look = (file: LocaleFileName, path: string[], text: string) => {
    const report = (what: string, remedy: string) =>
      faults.push({
        file: `locales/${code}/${file}`,
        line: lineOf(file, path),
        language: code,
        what,
        text,
        remedy,
      })
    const key = path.join('.')
    const shown = text.replace(/\{\{\s*\w+\s*\}\}/g, ' ')
    for (const found of shown.match(/[\p{L}\p{M}]+/gu) ?? []) {
      const scripts = scriptsIn(found)
      if (scripts.size > 1)
        report(
          `"${key}": the word "${found}" mixes scripts (${[...scripts].join(', ')})`,
          'Type the word again on one keyboard.',
        )
      else if ([...scripts].some((script) => script !== 'Latin' && !own.has(script)))
        report(
          `"${key}": "${found}" is not in the script of ${language.endonym}`,
          'Write it in the script of the language.',
        )
    }
    if (/(?<![\p{L}\p{M}])\p{M}/u.test(shown))
      report(`"${key}": a mark stands before its letter, as in Zawgyi`, 'Convert the text to Unicode.')
  }
  for (const [key, text] of textsOf(ussd)) look('ussd.json', key.split('.'), text)
  for (const [key, text] of textsOf(sms)) look('sms.json', key.split('.'), text)
  for (const [key, text] of textsOf(console ?? {})) look('console.json', key.split('.'), text)
  look('consent.json', ['wordings', consent.version], consent.wording)
  return faults
}

const scripts = [
  'Latin',
  'Arabic',
  'Cyrillic',
  'Greek',
  'Hebrew',
  'Devanagari',
  'Myanmar',
  'Khmer',
  'Ethiopic',
  'Nko',
  'Han',
]
const scriptTests = scripts.map((name) => ({ name, test: new RegExp(`\\p{Script=${name}}`, 'u') }))

function scriptsIn(text: string): Set<string> {
  return new Set(scriptTests.filter(({ test }) => test.test(text)).map(({ name }) => name))
}
