// In: rows of texts. Out: a table for spreadsheet programs (CSV, UTF-8 with BOM), and such a table read again.
// Must never let a cell begin as a formula does: reviewers open the file in a spreadsheet.
import { stringify } from 'csv-stringify/sync'
import { readTable } from '../imports/csv.ts'
import type { ReviewedRow, ReviewFault } from './answers.ts'
import type { TextRow } from './rows.ts'

const own = ['file', 'key', 'present', 'state', 'correction', 'remark'] as const
/** Shown to the reviewer, not read again. */
const shown = ['english', 'french', 'gsm7', 'units', 'limit'] as const
const order = [
  'file',
  'key',
  'english',
  'french',
  'present',
  'gsm7',
  'units',
  'limit',
  'state',
  'correction',
  'remark',
]

/** "state" is for "ok", "correction" for a better text, "remark" for anything else. */
export function writeCsv(code: string, rows: readonly TextRow[]): string {
  const cells = rows.map((row) => [
    `locales/${code}/${row.file}`,
    row.key,
    row.english,
    row.french,
    row.present,
    row.gsm7,
    String(row.units),
    row.limit === undefined ? '' : String(row.limit),
    '',
    '',
    '',
  ])
  return stringify([order, ...cells.map((row) => row.map(asText))], { bom: true, record_delimiter: '\r\n' })
}

/** A spreadsheet takes a cell that begins so for a formula; an apostrophe before it makes it a text. */
const formula = /^\s*['=+\-@\uff1d\uff0b\uff0d\uff20]/

export function asText(cell: string): string {
  return formula.test(cell) ? `'${cell}` : cell
}

export function fromText(cell: string): string {
  return cell.startsWith("'") && formula.test(cell.slice(1)) ? cell.slice(1).trim() : cell
}

/** Comma or semicolon, LF or CRLF, as the import takes them. */
export async function readCsv(bytes: Uint8Array): Promise<{ rows: ReviewedRow[]; faults: ReviewFault[] }> {
  const faults: ReviewFault[] = []
  const lineOfShapeFault: number[] = []
  const columns = { required: own, optional: shown }
  const rows: ReviewedRow[] = []
  let records = 0
  const source = (async function* () {
    yield bytes
  })()
  const note = (line: number, column: string | undefined, what: string, detail: string) =>
    faults.push({
      places: line === 0 ? [] : [`line ${line}`],
      what: column === undefined ? what : `column "${column}": ${what}`,
      remedy: detail,
    })
  for await (const batch of readTable(source, columns, (line, column, code, detail) => {
    if (code === 'row.field_count') lineOfShapeFault.push(line)
    const { what, remedy } = said[code] ?? { what: code, remedy: 'Export the file again.' }
    note(line, column, what, detail === undefined ? remedy : `${detail} ${remedy}`)
  }))
    for (const { line, fields } of batch) {
      records += 1
      const skipped = lineOfShapeFault.filter((other) => other < line).length
      const field = (name: string) => fromText((fields[name] ?? '').replaceAll('\r\n', '\n'))
      rows.push({
        // The header is row 1, as a spreadsheet counts; texts of several lines make lines of the file another matter.
        place: `row ${records + skipped + 1}`,
        file: field('file'),
        key: field('key'),
        present: field('present'),
        state: field('state'),
        correction: field('correction'),
        remark: field('remark'),
      })
    }
  return { rows, faults }
}

const said: Readonly<Record<string, { what: string; remedy: string }>> = {
  'file.empty': { what: 'is empty', remedy: 'Export the file again.' },
  'file.encoding': { what: 'is not UTF-8', remedy: 'Save the file as "CSV UTF-8".' },
  'file.quote': {
    what: 'a quoted field is not closed, or a quote stands where none may be',
    remedy: 'Look at the quotes before this place.',
  },
  'file.line_too_long': {
    what: 'a row is longer than 64 KiB',
    remedy: 'Look for a quote that is not closed.',
  },
  'header.missing': { what: 'is missing', remedy: 'Keep the first row as it was exported.' },
  'header.unknown': { what: 'is not known', remedy: 'Delete the column; use "remark" for anything else.' },
  'header.doubled': { what: 'stands twice', remedy: 'Delete one of the two.' },
  'row.field_count': {
    what: 'has more or fewer fields than the header',
    remedy: 'Look for a comma outside quotes.',
  },
}
