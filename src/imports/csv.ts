// In: the bytes of a CSV file (UTF-8, with or without BOM; LF or CRLF; comma or semicolon). Out: rows by column name, in batches.
// Must never hold more than a batch in memory, and never guess at bytes that are not UTF-8.
import { CsvError, Parser } from 'csv-parse'
import type { AddFault } from './faults.ts'

/** A row may be this long, in bytes; a missing closing quote would otherwise swallow the rest of the file. */
const rowBytesMax = 65_536

export interface Columns {
  required: readonly string[]
  optional: readonly string[]
}

export interface CsvRow {
  /** Line in the file at which the row ends. */
  line: number
  /** Trimmed fields by column name; an optional column that the file lacks is the empty text. */
  fields: Record<string, string>
}

/**
 * Reads a table with a header line. Faults of the file or of the shape of a row go to `addFault`; after a fault of the
 * file or the header nothing more is read, a row of the wrong shape is left out.
 */
export async function* readTable(
  source: AsyncIterable<Uint8Array>,
  columns: Columns,
  addFault: AddFault,
): AsyncGenerator<CsvRow[]> {
  let header: string[] | undefined
  let broken = false
  const addFileFault: AddFault = (...fault) => {
    broken = true
    addFault(...fault)
  }
  for await (const records of readRecords(source, addFileFault)) {
    const rows: CsvRow[] = []
    for (const { line, values } of records) {
      if (header === undefined) {
        header = checkedHeader(line, values, columns, addFault)
        if (header === undefined) return
      } else if (values.length !== header.length) {
        addFault(line, undefined, 'row.field_count', `Found ${values.length}, expected ${header.length}.`)
      } else {
        rows.push({ line, fields: fieldsOf(header, values, columns) })
      }
    }
    if (rows.length > 0) yield rows
  }
  if (header === undefined && !broken) addFault(0, undefined, 'file.empty')
}

function checkedHeader(
  line: number,
  values: string[],
  columns: Columns,
  addFault: AddFault,
): string[] | undefined {
  const header = values.map((value) => value.trim().toLowerCase())
  const known = new Set([...columns.required, ...columns.optional])
  let sound = true
  const fault = (column: string, code: 'header.missing' | 'header.unknown' | 'header.doubled') => {
    sound = false
    addFault(line, column, code)
  }
  for (const column of columns.required) if (!header.includes(column)) fault(column, 'header.missing')
  header.forEach((column, position) => {
    if (!known.has(column)) fault(column === '' ? `(${position + 1})` : column.slice(0, 40), 'header.unknown')
    else if (header.indexOf(column) < position) fault(column, 'header.doubled')
  })
  return sound ? header : undefined
}

function fieldsOf(header: readonly string[], values: string[], columns: Columns): Record<string, string> {
  const fields: Record<string, string> = {}
  for (const column of columns.optional) fields[column] = ''
  header.forEach((column, position) => {
    fields[column] = (values[position] ?? '').trim()
  })
  return fields
}

interface CsvRecord {
  line: number
  values: string[]
}

async function* readRecords(
  source: AsyncIterable<Uint8Array>,
  addFault: AddFault,
): AsyncGenerator<CsvRecord[]> {
  let records: CsvRecord[] = []
  let parser: Parser | undefined
  let failed = false
  const take = () => {
    const taken = records
    records = []
    return taken
  }
  for await (const text of decodeUtf8(source, addFault)) {
    if (text === undefined) {
      failed = true
      break
    }
    parser ??= createParser(separatorOf(text), (record) => records.push(record))
    const error = await written(parser, text)
    if (records.length > 0) yield take()
    if (error !== undefined) {
      addFault(error.lines, undefined, faultOf(error))
      failed = true
      break
    }
  }
  if (!failed && parser !== undefined) {
    const error = await written(parser, undefined)
    if (records.length > 0) yield take()
    if (error !== undefined) addFault(error.lines, undefined, faultOf(error))
  }
  parser?.destroy()
}

type LineError = CsvError & { lines: number }

function faultOf(error: LineError) {
  return error.code === 'CSV_MAX_RECORD_SIZE' ? 'file.line_too_long' : 'file.quote'
}

// Records are taken by callback and not from the stream, because a stream that fails drops what was not yet read.
function createParser(delimiter: string, onRecord: (record: CsvRecord) => void): Parser {
  const parser = new Parser({
    delimiter,
    record_delimiter: ['\r\n', '\n', '\r'],
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: rowBytesMax,
    on_record: (values: string[], context: { lines: number }) => {
      onRecord({ line: context.lines, values })
      return null
    },
  })
  parser.on('error', () => {})
  parser.resume()
  return parser
}

/** Writes a text, or ends the parser when there is none; resolves to the fault that the parser found. */
async function written(parser: Parser, text: string | undefined): Promise<LineError | undefined> {
  const error = await new Promise<Error | null | undefined>((resolve) => {
    if (text === undefined) parser.end(resolve as () => void)
    else parser.write(text, resolve)
  })
  if (error === null || error === undefined) return undefined
  if (error instanceof CsvError) return error as LineError
  throw error
}

// Spreadsheets in French save with semicolons.
function separatorOf(text: string): string {
  const headerLine = text.split('\n', 1)[0] ?? ''
  return headerLine.includes(';') && !headerLine.includes(',') ? ';' : ','
}

/** Yields decoded text (the decoder drops the BOM); undefined at the end when bytes are not UTF-8 (the fault names their line). */
async function* decodeUtf8(
  source: AsyncIterable<Uint8Array>,
  addFault: AddFault,
): AsyncGenerator<string | undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  const newline = 10
  let line = 1
  let rest: Uint8Array = new Uint8Array(0)
  // Whole lines are decoded at once; a newline byte is never part of another UTF-8 character.
  const decodeLines = function* (bytes: Uint8Array): Generator<string | undefined> {
    try {
      const text = decoder.decode(bytes)
      for (const byte of bytes) if (byte === newline) line += 1
      yield text
    } catch {
      addFault(line + linesBeforeFault(bytes), undefined, 'file.encoding')
      yield undefined
    }
  }
  for await (const chunk of source) {
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    const end = bytes.lastIndexOf(newline) + 1
    // A line without an end is handed on in pieces no UTF-8 check can cut, so that its length is the parser's concern.
    const cut = end > 0 ? end : bytes.length > rowBytesMax ? characterStart(bytes) : 0
    rest = bytes.subarray(cut)
    if (cut > 0) yield* decodeLines(bytes.subarray(0, cut))
  }
  if (rest.length > 0) yield* decodeLines(rest)
}

/** Position of the last byte that begins a character, so that cutting there splits none. */
function characterStart(bytes: Uint8Array): number {
  let position = bytes.length - 1
  while (position > 0 && ((bytes[position] ?? 0) & 0b1100_0000) === 0b1000_0000) position -= 1
  return position
}

function linesBeforeFault(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let lines = 0
  let start = 0
  for (;;) {
    const end = bytes.indexOf(10, start)
    try {
      decoder.decode(bytes.subarray(start, end === -1 ? bytes.length : end))
    } catch {
      return lines
    }
    if (end === -1) return lines
    lines += 1
    start = end + 1
  }
}
