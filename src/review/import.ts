// In: a review file, the folder of texts, a proof. Out: the texts as reviewed, or every fault at once.
// Must never write a text that the proof of all screens and SMS has not seen, nor half of a file.
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import type { Fault } from '../fault.ts'
import { type I18n, loadI18n } from '../i18n.ts'
import { readJson } from '../json-file.ts'
import type { Menu } from '../ussd/menu.ts'
import type { ReviewFault } from './answers.ts'
import { type Change, type Checked, checkRows, languageOf } from './check.ts'
import { readCsv } from './csv.ts'
import { idOf, textRows } from './rows.ts'
import { changedFiles, type ReviewMark, writeFiles } from './write.ts'
import { readXliff } from './xliff.ts'

const consentSchema = z.looseObject({ current: z.string() })
const fileBytesMax = 5_000_000

export interface ReviewImport {
  bytes: Uint8Array
  folder: string
  menus: ReadonlyMap<string, Menu>
  reviewer: string
  /** Calendar day of the review. */
  date: string
  /** Every fault of the texts below a folder, screens and SMS laid out in this language. */
  proofOf(folder: string, code: string): Fault[]
}

export interface ReviewReport {
  code: string
  faults: ReviewFault[]
  remarks: Checked['remarks']
  changed: number
  confirmed: number
  /** Texts that nobody has confirmed. */
  open: number
  /** Files written; none when there is a fault. */
  files: string[]
}

/** Writes the texts and the state of the review, or nothing at all. */
export async function importReview(ask: ReviewImport): Promise<ReviewReport> {
  const report: ReviewReport = {
    code: '',
    faults: [],
    remarks: [],
    changed: 0,
    confirmed: 0,
    open: 0,
    files: [],
  }
  const read = await readAny(ask.bytes)
  if (read.rows.length === 0 || read.faults.length > 0) {
    const empty = { places: [], what: 'has no row', remedy: 'Export the file again.' }
    return { ...report, faults: read.faults.length > 0 ? read.faults : [empty] }
  }
  const i18n: I18n = loadI18n(ask.folder)
  const language = languageOf(read.rows, i18n.bases)
  if (language.code === undefined) return { ...report, faults: language.faults }
  const { code } = language
  const texts = textRows(ask.folder, code, {
    i18n,
    menus: ask.menus,
    measured: { screens: [], texts: [] },
  })
  const checked = checkRows(code, texts, read.rows)
  const faults = [...checked.faults, ...provenFaults(ask, code, checked.changes)]
  const open = texts.filter((text) => !checked.confirmed.has(idOf(text))).length
  const outcome = {
    ...report,
    code,
    faults,
    remarks: checked.remarks,
    changed: checked.changes.length,
    confirmed: checked.confirmed.size,
    open,
  }
  if (faults.length > 0 || checked.confirmed.size === 0) return outcome
  const mark: ReviewMark = { reviewer: ask.reviewer, date: ask.date, complete: open === 0 }
  const files = changedFiles(ask.folder, code, checked.changes, mark)
  writeFiles(ask.folder, code, files)
  return { ...outcome, files: [...files.keys()].map((name) => `locales/${code}/${name}`) }
}

async function readAny(bytes: Uint8Array) {
  const fault = (what: string, remedy: string) => ({ rows: [], faults: [{ places: [], what, remedy }] })
  if (bytes.length > fileBytesMax) return fault('is larger than 5 MB', 'It is no review file.')
  const head = new TextDecoder().decode(bytes.subarray(0, 200)).trimStart()
  if (!head.startsWith('<')) return readCsv(bytes)
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return fault('is not UTF-8', 'Save it as UTF-8.')
  }
  return readXliff(text)
}

/**
 * What the proof says of the texts with these changes, tried on a copy; each fault named by the rows that can have caused it.
 * A fault that stood there before is not the reviewer's: it must not keep a better text out.
 */
function provenFaults(ask: ReviewImport, code: string, changes: readonly Change[]): ReviewFault[] {
  if (changes.length === 0) return []
  const copy = mkdtempSync(join(tmpdir(), 'tama-review-'))
  try {
    cpSync(ask.folder, copy, { recursive: true })
    const files = changedFiles(ask.folder, code, changes, {
      reviewer: ask.reviewer,
      date: ask.date,
      complete: false,
    })
    for (const [name, text] of files) writeFileSync(join(copy, code, name), text)
    const places = createPlaces(code, changes, files)
    const found = ask.proofOf(copy, code)
    const before = new Set((found.length === 0 ? [] : ask.proofOf(ask.folder, code)).map(nameOf))
    const caused = found.filter((fault) => !before.has(nameOf(fault)))
    return caused.map((fault) => ({
      places: places(fault),
      what: `${fault.file.replace(/^locales\/[^/]*\//, '')}: ${fault.what}`,
      text: fault.text,
      remedy: fault.remedy ?? 'Mend the text.',
    }))
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

const nameOf = ({ file, what }: Fault) => `${file}: ${what}`

/** The row of the very text; else those of the same screen; else those of words that stand on many. */
function createPlaces(code: string, changes: readonly Change[], files: ReadonlyMap<string, string>) {
  const lines = new Map<string, string[]>()
  const put = (key: string, place: string) => lines.set(key, [...new Set([...(lines.get(key) ?? []), place])])
  const parsed = new Map([...files].map(([name, text]) => [name, readJson(text, name)]))
  for (const { row, place } of changes) {
    const file = parsed.get(row.file)
    if (file === undefined) continue
    if (row.file === 'consent.json') {
      const { current } = consentSchema.parse(file.content)
      put(`locales/${code}/${row.file}:${file.lineOf(['wordings', current])}`, place)
    }
    for (let length = row.path.length; length >= Math.min(2, row.path.length); length -= 1)
      put(`locales/${code}/${row.file}:${file.lineOf(row.path.slice(0, length))}`, place)
  }
  const shared = changes
    .filter(({ row }) => !/^(ussd|sms)/.test(row.file) || /^(common|part)\./.test(row.key))
    .map(({ place }) => place)
  return (fault: Fault): string[] => {
    const found = lines.get(`${fault.file}:${fault.line}`)
    return found ?? shared
  }
}
