// In: rows of texts. Out: an XLIFF 1.2 file for translation programs, and such a file read again.
// Must never follow a document type: entities can hold what nobody wrote there.
import { DOMParser, type Element, onErrorStopParsing } from '@xmldom/xmldom'
import type { ReviewedRow, ReviewFault } from './answers.ts'
import { confirmed } from './answers.ts'
import { reviewedFiles, type TextRow } from './rows.ts'

const namespace = 'urn:oasis:names:tc:xliff:document:1.2'
const house = 'tama'

/**
 * The target is left empty for the reviewer. The present text is offered beside it (alt-trans): taking it over as it is, or
 * approving the unit, confirms it.
 */
export function writeXliff(code: string, rows: readonly TextRow[]): string {
  const files = reviewedFiles.map((file) => {
    const units = rows.filter((row) => row.file === file).map((row) => unitOf(row))
    return units.length === 0
      ? ''
      : `  <file original="${escaped(`locales/${code}/${file}`)}" source-language="en" target-language="${escaped(code)}" datatype="plaintext">\n    <body>\n${units.join('')}    </body>\n  </file>\n`
  })
  return `<?xml version="1.0" encoding="UTF-8"?>\n<xliff version="1.2" xmlns="${namespace}">\n${files.join('')}</xliff>\n`
}

function unitOf({ key, english, french, present, gsm7, units, limit }: TextRow): string {
  const notes = [
    ...(french === '' ? [] : [`French: ${french}`]),
    ...(gsm7 === '' || gsm7 === present ? [] : [`On the phone: ${gsm7}`]),
    `Fullest screen or SMS: ${units}${limit === undefined ? '' : ` of ${limit}`}`,
  ]
  return [
    `      <trans-unit id="${escaped(key)}" resname="${escaped(key)}" xml:space="preserve">`,
    `        <source>${escaped(english === '' ? key : english)}</source>`,
    '        <target state="needs-review-translation"></target>',
    ...notes.map((note) => `        <note from="${house}">${escaped(note)}</note>`),
    `        <alt-trans origin="${house}" match-quality="100%"><target>${escaped(present)}</target></alt-trans>`,
    '      </trans-unit>',
    '',
  ].join('\n')
}

const escaped = (text: string) =>
  text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    // An attribute or a text keeps its line breaks only so.
    .replaceAll('\r', '&#13;')

/** A note that is not ours is the reviewer's remark. */
export function readXliff(text: string): { rows: ReviewedRow[]; faults: ReviewFault[] } {
  const fault = (what: string, remedy: string) => ({ rows: [], faults: [{ places: [], what, remedy }] })
  if (/<!DOCTYPE/i.test(text)) return fault('has a document type', 'Export the file again and keep its head.')
  let root: Element | null
  try {
    root = new DOMParser({ onError: onErrorStopParsing }).parseFromString(text, 'text/xml').documentElement
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''
    return fault(`is no well-formed XML (${message})`, 'Save it again from the translation program.')
  }
  if (root?.localName !== 'xliff' || root.getAttribute('version') !== '1.2')
    return fault('is no XLIFF 1.2 file', 'Save it as XLIFF 1.2.')
  const rows = childrenOf(root, 'file').flatMap((file) =>
    [...file.getElementsByTagNameNS(namespace, 'trans-unit')].map((unit) => rowOf(file, unit)),
  )
  return rows.length === 0
    ? fault('has no texts', 'Save it as XLIFF 1.2 with the namespace of the export.')
    : { rows, faults: [] }
}

function rowOf(file: Element, unit: Element): ReviewedRow {
  const offered = childrenOf(unit, 'alt-trans').find((part) => part.getAttribute('origin') === house)
  const present = offered === undefined ? '' : textIn(offered, 'target')
  const target = textIn(unit, 'target')
  const remarks = childrenOf(unit, 'note').filter((note) => note.getAttribute('from') !== house)
  const isTaken = target !== '' && target === present
  return {
    place: `line ${unit.lineNumber ?? 0}`,
    file: file.getAttribute('original') ?? '',
    key: unit.getAttribute('id') ?? '',
    present,
    correction: isTaken ? '' : target,
    state: isTaken || unit.getAttribute('approved') === 'yes' ? confirmed : '',
    remark: remarks
      .map((note) => (note.textContent ?? '').trim())
      .filter((note) => note !== '')
      .join(' '),
  }
}

function childrenOf(parent: Element, name: string): Element[] {
  return [...parent.getElementsByTagNameNS(namespace, name)].filter((child) => child.parentNode === parent)
}

function textIn(parent: Element, name: string): string {
  return (childrenOf(parent, name)[0]?.textContent ?? '').trim()
}
