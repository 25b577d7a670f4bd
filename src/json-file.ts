// In: the text of a JSON file that people edit. Out: its content, the line of every value, and every fault of its form.
import { findNodeAtLocation, type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser'
import type { Fault } from './fault.ts'

export interface JsonFile {
  /** What JSON.parse gives; undefined when the file cannot be read as JSON. */
  content: unknown
  faults: Fault[]
  /** Line of a value, from 1; of the nearest part that holds it when it is missing. */
  lineOf(path: readonly (string | number)[]): number
}

/** Strict JSON: comments, trailing commas and a key that stands twice are faults. `file` names it in the faults. */
export function readJson(text: string, file: string): JsonFile {
  const errors: ParseError[] = []
  const root = parseTree(text, errors, { disallowComments: true, allowTrailingComma: false })
  const lineAt = (offset: number) => text.slice(0, offset).split('\n').length
  const faults: Fault[] = errors.slice(0, 1).map(({ error, offset }) => ({
    file,
    line: lineAt(offset),
    what: `is no JSON here (${printParseErrorCode(error)})`,
    remedy: 'Look at the comma, bracket or quote before this place.',
  }))
  if (root === undefined && faults.length === 0) faults.push({ file, line: 1, what: 'is empty' })
  if (root !== undefined && faults.length === 0)
    for (const { key, offset } of keysTwice(root))
      faults.push({
        file,
        line: lineAt(offset),
        what: `the key "${key}" stands twice`,
        remedy: 'Keep one of the two.',
      })
  return {
    content: faults.length === 0 ? JSON.parse(text) : undefined,
    faults,
    lineOf(path) {
      for (let length = path.length; root !== undefined && length > 0; length -= 1) {
        const node = findNodeAtLocation(root, path.slice(0, length))
        if (node !== undefined) return lineAt(node.offset)
      }
      return 1
    },
  }
}

function* keysTwice(node: Node): Generator<{ key: string; offset: number }> {
  const seen = new Set<string>()
  for (const child of node.children ?? []) {
    if (node.type === 'object') {
      const [name] = child.children ?? []
      const key = String(name?.value)
      if (seen.has(key)) yield { key, offset: child.offset }
      seen.add(key)
    }
    yield* keysTwice(child)
  }
}
