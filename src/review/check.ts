// In: a review file's rows and the language's texts as they stand. Out: what changes, what is confirmed, and every fault with its row and remedy.
import { baseOf, placeholdersOf } from '../i18n.ts'
import { confirmed, type ReviewedRow, type ReviewFault } from './answers.ts'
import { idOf, reviewedFiles, type TextRow } from './rows.ts'

export interface Change {
  row: TextRow
  place: string
  text: string
}

export interface Checked {
  faults: ReviewFault[]
  changes: Change[]
  /** Texts whose row says ok or has a correction. */
  confirmed: ReadonlySet<string>
  remarks: { place: string; key: string; remark: string }[]
}

const charactersMax = 500

/** The language that a review file is about, or why there is none. */
export function languageOf(
  rows: readonly ReviewedRow[],
  languages: readonly string[],
): { code?: string; faults: ReviewFault[] } {
  const codes = new Map<string, ReviewedRow>()
  for (const row of rows) {
    const code = /^locales\/([\w-]+)\//.exec(row.file)?.[1]
    if (code !== undefined && !codes.has(code)) codes.set(code, row)
  }
  const [first, other] = [...codes]
  if (first === undefined)
    return { faults: [{ places: [], what: 'names no language', remedy: 'Export the file again.' }] }
  if (other !== undefined)
    return {
      faults: [
        {
          places: [first[1].place, other[1].place],
          what: `two languages stand in one file (${first[0]}, ${other[0]})`,
          remedy: 'Make one file of each.',
        },
      ],
    }
  if (!languages.includes(first[0]) || baseOf(first[0]) !== first[0])
    return {
      faults: [
        {
          places: [first[1].place],
          what: `there is no language "${first[0]}"`,
          remedy: `There are: ${languages.join(', ')}.`,
        },
      ],
    }
  return { code: first[0], faults: [] }
}

/** Everything that can be said of each row by itself. What does not fit a screen is for the proof to say. */
export function checkRows(code: string, texts: readonly TextRow[], rows: readonly ReviewedRow[]): Checked {
  const known = new Map(texts.map((text) => [idOf(text), text]))
  const seen = new Map<string, string>()
  const checked: Checked & { confirmed: Set<string> } = {
    faults: [],
    changes: [],
    confirmed: new Set(),
    remarks: [],
  }
  for (const row of rows) {
    const { place, key, remark } = row
    if (remark !== '') checked.remarks.push({ place, key, remark })
    const id = idOf({ file: fileOf(code, row.file), key })
    const report = (what: string, remedy: string, text?: string) =>
      checked.faults.push({ places: [place], what, remedy, text })
    const text = known.get(id)
    if (text === undefined) {
      report(
        `there is no text "${key}" in ${row.file === '' ? 'no file' : row.file}`,
        'Delete the row, or export the language again.',
      )
      continue
    }
    const earlier = seen.get(id)
    if (earlier !== undefined) {
      checked.faults.push({
        places: [earlier, place],
        what: `"${key}" stands twice`,
        remedy: 'Keep one of the rows.',
      })
      continue
    }
    seen.set(id, place)
    const isOk = row.state.toLowerCase() === confirmed
    if (row.state !== '' && !isOk)
      report(
        `"${key}": the state is not known`,
        `Write "${confirmed}", or leave it empty.`,
        row.state.slice(0, 40),
      )
    const wanted = row.correction === '' ? text.present : withEdges(text.present, row.correction)
    // A file that is read a second time finds its own corrections there.
    const isThere = row.correction !== '' && wanted === text.present
    if (row.present.normalize('NFC') !== text.present.trim() && !isThere) {
      report(
        `"${key}" was changed since the export, or "present" was written over; it now reads`,
        'Export the language again, or put the present text back, and write a better one under "correction".',
        text.present,
      )
      continue
    }
    const faults = correctionFaults(text, wanted)
    for (const { what, remedy } of faults) report(`"${key}" ${what}`, remedy, wanted)
    if (faults.length > 0) continue
    if (row.correction !== '' || isOk) checked.confirmed.add(id)
    if (wanted !== text.present) checked.changes.push({ row: text, place, text: wanted })
  }
  return checked
}

/** "locales/wo/ussd.json" as the rows name it; what is none of ours stays and is found nowhere. */
function fileOf(code: string, file: string): TextRow['file'] {
  const name = file.startsWith(`locales/${code}/`) ? file.slice(`locales/${code}/`.length) : ''
  // No text of language.json has an empty key, so an unknown file finds none.
  return reviewedFiles.find((known) => known === name) ?? ('' as TextRow['file'])
}

/** Blanks at the edges join texts to others and no table shows them: they stay as they are. */
function withEdges(present: string, correction: string): string {
  const [before = ''] = /^\s*/.exec(present) ?? []
  const [after = ''] = /\s*$/.exec(present) ?? []
  return `${before}${correction.normalize('NFC').trim()}${after}`
}

function correctionFaults({ present }: TextRow, wanted: string): { what: string; remedy: string }[] {
  if (wanted === present) return []
  const faults: { what: string; remedy: string }[] = []
  if (/[^\P{Cc}\n]/u.test(wanted))
    faults.push({ what: 'has a control character', remedy: 'Type the text again.' })
  if ([...wanted].length > charactersMax)
    faults.push({
      what: `is longer than ${charactersMax} characters`,
      remedy: 'Only a text belongs here; write the rest under "remark".',
    })
  const bare = wanted.replace(/\{\{\s*\w+\s*\}\}/g, '')
  if (/\{\{|\}\}|\$t\(/.test(bare))
    faults.push({
      what: 'has a broken {{placeholder}}',
      remedy: 'Copy the placeholder from the present text.',
    })
  const before = placeholdersOf(present)
  const after = placeholdersOf(wanted)
  const lost = before.filter((name) => !after.includes(name))
  const invented = after.filter((name) => !before.includes(name))
  const braced = (names: readonly string[]) => [...new Set(names)].map((name) => `{{${name}}}`).join(', ')
  if (lost.length > 0)
    faults.push({
      what: `lost ${braced(lost)}`,
      remedy: 'Put it where the value belongs: members would not see it.',
    })
  if (invented.length > 0)
    faults.push({
      what: `has ${braced(invented)}, which is not known there`,
      remedy: before.length === 0 ? 'Take it out.' : `Known: ${braced(before)}.`,
    })
  if (lost.length + invented.length === 0 && before.join(' ') !== after.join(' '))
    faults.push({ what: 'shows a value another number of times', remedy: `As before: ${before.join(', ')}.` })
  return faults
}
