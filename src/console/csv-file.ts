// In: rows of texts. Out: a CSV file for spreadsheets (UTF-8 with BOM), in which no cell begins as a formula does.
import { stringify } from 'csv-stringify/sync'
import { asText } from '../review/csv.ts'
import type { Page } from './page.ts'

export function csvFile(name: string, header: readonly string[], rows: readonly (readonly string[])[]): Page {
  const content = stringify([header, ...rows.map((row) => row.map(asText))], {
    bom: true,
    record_delimiter: '\r\n',
  })
  return { file: { name: `${name}.csv`, type: 'text/csv', content } }
}
