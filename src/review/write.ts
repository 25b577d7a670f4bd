// In: a language's files and what a review changes. Out: the files as they will stand; nothing else in them moves, so that the change can be read.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { applyEdits, modify } from 'jsonc-parser'
import { InvariantError, StartError } from '../errors.ts'
import type { Change } from './check.ts'

export interface ReviewMark {
  reviewer: string
  /** Calendar day. */
  date: string
  /** Every text of the language was confirmed. */
  complete: boolean
}

/** Width at which a list goes one line an item (biome.json). */
const lineWidth = 110
const formattingOptions = { insertSpaces: true, tabSize: 2, eol: '\n' }

/** Text of every file that changes, by its name. */
export function changedFiles(
  folder: string,
  code: string,
  changes: readonly Change[],
  mark: ReviewMark,
): Map<string, string> {
  const files = new Map<string, string>()
  const edit = (name: string, change: (text: string) => string) => {
    const before = files.get(name) ?? readFileSync(join(folder, code, name), 'utf8')
    const after = change(before)
    if (after !== before) files.set(name, after)
  }
  for (const { row, text } of changes) {
    if (row.file === 'consent.json') edit(row.file, (before) => withWording(before, text, mark.date))
    else if (typeof row.path.at(-1) === 'number') edit(row.file, (before) => withItem(before, row.path, text))
    else edit(row.file, (before) => withValue(before, row.path, text))
  }
  edit('language.json', (before) => withMark(before, mark))
  return files
}

/** All of them or, where the folder cannot be written, none: StartError. */
export function writeFiles(folder: string, code: string, files: ReadonlyMap<string, string>): void {
  const beside = [...files].map(([name, text]) => {
    const path = join(folder, code, name)
    return { path, fresh: `${path}.new`, text }
  })
  try {
    mkdirSync(join(folder, code), { recursive: true })
    for (const { fresh, text } of beside) writeFileSync(fresh, text)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new StartError('The texts cannot be written here', [why])
  }
  for (const { path, fresh } of beside) renameSync(fresh, path)
}

function withValue(text: string, path: (string | number)[], value: unknown, after?: string): string {
  const getInsertionIndex = (names: string[]) =>
    after === undefined ? names.length : names.indexOf(after) + 1
  return applyEdits(text, modify(text, path, value, { formattingOptions, getInsertionIndex }))
}

/** A list stands on one line as long as it fits there. */
function withItem(text: string, path: (string | number)[], value: string): string {
  const listPath = path.slice(0, -1)
  const list: unknown = listPath.reduce<unknown>((node, name) => Object(node)[name], JSON.parse(text))
  if (!Array.isArray(list)) throw new InvariantError('a word of a list stands in none')
  const words = list.map((word, index) => JSON.stringify(index === path.at(-1) ? value : word))
  const replaced = withValue(text, listPath, '\u0000')
  const mark = JSON.stringify('\u0000')
  const at = replaced.indexOf(mark)
  const lineStart = replaced.lastIndexOf('\n', at) + 1
  const rest = /^[^\n]*/.exec(replaced.slice(at + mark.length))?.[0] ?? ''
  const oneLine = `[${words.join(', ')}]`
  const indent = /^ */.exec(replaced.slice(lineStart))?.[0] ?? ''
  const isShort = widthOf(replaced.slice(lineStart, at) + oneLine + rest) <= lineWidth
  const written = isShort
    ? oneLine
    : `[\n${words.map((word) => `${indent}  ${word}`).join(',\n')}\n${indent}]`
  return replaced.slice(0, at) + written + replaced.slice(at + mark.length)
}

/** Marks above and below letters take no room. */
const widthOf = (line: string) => [...line.replace(/\p{Mn}/gu, '')].length

/** The words that were heard before stay under their version. */
function withWording(text: string, wording: string, date: string): string {
  const { wordings } = JSON.parse(text) as { wordings: Record<string, string> }
  let version = date
  for (let number = 2; Object.hasOwn(wordings, version); number += 1) version = `${date}-${number}`
  return withValue(withValue(text, ['wordings', version], wording), ['current'], version)
}

/** The note on what awaits a native reader has had its day once one has read everything. */
function withMark(text: string, { reviewer, date, complete }: ReviewMark): string {
  // Who confirmed everything stays named until somebody else has.
  if (!complete && (JSON.parse(text) as { reviewState?: string }).reviewState === 'reviewed') return text
  let marked = withValue(text, ['reviewer'], reviewer, 'reviewState')
  marked = withValue(marked, ['reviewedDate'], date, 'reviewer')
  if (!complete) return marked
  return withValue(withValue(marked, ['reviewState'], 'reviewed'), ['reviewNote'], undefined)
}
