// What the tests of docs/promises.md share: how much of a promise is tried, and where its figure goes.
import { appendFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

/** `npm run promises` tries all of it; `npm test` a part that fits in a minute. */
export const isFull = process.env.PROMISES === 'full'

/** The size of a trial: small in `npm test`, as promised under `npm run promises`. */
export function atScale<Size>(quick: Size, full: Size): Size {
  return isFull ? full : quick
}

const folder = join(import.meta.dirname, '..', '..', 'data')

/** What a trial showed, in a few words with its numbers; `npm run promises` puts it beside the promise with this id. */
export function showFigure(id: string, figure: string): void {
  console.info(`${id}: ${figure}`)
  if (!isFull) return
  mkdirSync(folder, { recursive: true })
  appendFileSync(join(folder, 'promises.jsonl'), `${JSON.stringify({ id, figure })}\n`)
}
