// `tama menus review export|import`: the texts of a language to a native reviewer, and her word back into the house.
import { readFileSync } from 'node:fs'
import { isCalendarDate } from '../calendar.ts'
import { UsageError } from './command.ts'
import { anyProgramme, createProofOf, languageIn, putOut } from './menus-programme.ts'

export interface ReviewOptions {
  language?: unknown
  format?: unknown
  out?: unknown
  reviewer?: unknown
  date?: unknown
}

export async function review(words: readonly string[], options: ReviewOptions): Promise<void> {
  const [what, file, ...more] = words
  if (what === 'export' && file === undefined) await exportTexts(options)
  else if (what === 'import' && file !== undefined && more.length === 0) await importTexts(file, options)
  else
    throw new UsageError(
      '"menus review" takes: export --language wo, or import FILE --reviewer "First Last name".',
    )
}

async function exportTexts({ language, format = 'csv', out }: ReviewOptions): Promise<void> {
  if (format !== 'csv' && format !== 'xliff') throw new UsageError('--format takes csv or xliff.')
  const { folders } = await import('../runtime.ts')
  const { loadTexts } = await import('../texts.ts')
  const { prove } = await import('../proof.ts')
  const { textRows } = await import('../review/rows.ts')
  const { menus, i18n } = loadTexts(folders)
  const code = languageIn(i18n, language, i18n.bases)
  const measured = prove(menus, i18n, [anyProgramme(code)])
  const rows = textRows(folders.locales, code, { i18n, menus, measured })
  const { writeCsv } = await import('../review/csv.ts')
  const { writeXliff } = await import('../review/xliff.ts')
  await putOut(format === 'csv' ? writeCsv(code, rows) : writeXliff(code, rows), out)
}

async function importTexts(file: string, { reviewer, date }: ReviewOptions): Promise<void> {
  const name = typeof reviewer === 'string' ? reviewer.trim() : ''
  if (!/^[^\p{C}]{2,80}$/u.test(name)) throw new UsageError('Name who read it: --reviewer "First Last name".')
  const { systemClock } = await import('../clock.ts')
  const day = date === undefined ? systemClock.now().toISOString().slice(0, 10) : String(date)
  if (!isCalendarDate(day)) throw new UsageError('--date takes a day such as 2026-11-26.')
  const bytes = readBytes(file)
  const { folders } = await import('../runtime.ts')
  const { loadMenus } = await import('../ussd/menu.ts')
  const { importReview } = await import('../review/import.ts')
  const { describeReviewFault } = await import('../review/answers.ts')
  const { StartError } = await import('../errors.ts')
  const menus = loadMenus(folders.menus)
  const proofOf = await createProofOf(menus)
  const report = await importReview({
    bytes,
    folder: folders.locales,
    menus,
    reviewer: name,
    date: day,
    proofOf,
  })
  for (const { place, key, remark } of report.remarks) console.log(`Remark, ${place}, "${key}": ${remark}`)
  if (report.faults.length > 0)
    throw new StartError('Nothing was written', report.faults.map(describeReviewFault))
  for (const path of report.files) console.log(`Written: ${path}`)
  const state =
    report.open === 0
      ? `Every text of ${report.code} is reviewed by ${name}.`
      : `${report.open} texts of ${report.code} are open: its review state stays as it was.`
  console.log(`${report.changed} texts changed, ${report.confirmed} confirmed. ${state}`)
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file)
  } catch {
    throw new UsageError(`The file ${file} cannot be read.`)
  }
}
