// In: lines, options and navigation words of one screen, already in her language. Out: one page that fits the network. Pure.
// Pages break at line borders, a long line at word borders; an option is never cut while it can fit at all.
import { septetsOf } from '../encoding.ts'

/** Screens that need UCS-2 have 160 octets less a reserve (facts of TS 23.038: 80 units). */
export const ucs2UnitsMax = 70

export interface ScreenContent {
  /** Reason or notice above everything, on the page that is shown. */
  notice?: string | undefined
  /** The notice was on an earlier page: room is kept for it so that the pages stay the same, and it is not said again. */
  noticeQuiet?: boolean | undefined
  lines: readonly string[]
  /** "1 Loan": atomic. */
  options: readonly string[]
  /** Navigation words at the foot of each page: "0 Back", "00 Home". */
  foot: readonly string[]
  /** "98 More". */
  more: string
  /** Lines and words of navigation give way where they would take a second page. */
  bare?: boolean | undefined
}

export interface Page {
  text: string
  /** The page shown; less than asked when there are fewer. */
  page: number
  more: boolean
  /** False when something of the screen, on whatever page, had to be cut inside a word or an option. */
  whole: boolean
}

interface Unit {
  text: string
  atomic: boolean
}

/**
 * `septetsMax` counts the text after "CON ". Where an option does not fit beside the words of navigation, their keys alone
 * stand at the foot; where it does not fit under a notice either, the notice goes before everything.
 */
export function layOut(content: ScreenContent, page: number, septetsMax: number): Page {
  const { notice, noticeQuiet, lines, options, foot, more } = content
  // Nearly every screen is one page: try that first.
  let all = notice ?? ''
  for (const line of lines) all = all === '' ? line : `${all}\n${line}`
  for (const option of options) all = all === '' ? option : `${all}\n${option}`
  for (const line of foot) all = all === '' ? line : `${all}\n${line}`
  const septets = septetsOf(all)
  const fits = septets === undefined ? all.length <= ucs2UnitsMax : septets <= septetsMax
  if (fits && noticeQuiet !== true) return { text: all, page: 0, more: false, whole: true }
  if (content.bare === true) {
    const keys = foot.length === 0 ? [] : [foot.map(keyOf).join(' ')]
    return layOut({ ...content, bare: false, lines: [], foot: keys }, page, septetsMax)
  }

  const gsm7 = septets !== undefined && septetsOf(more) !== undefined
  const limit = gsm7 ? septetsMax : Math.min(ucs2UnitsMax, septetsMax)
  const cost = (text: string) => (gsm7 ? (septetsOf(text) ?? text.length) : text.length)
  const keys = { foot: foot.length === 0 ? [] : [foot.map(keyOf).join(' ')], more: keyOf(more) }
  // What is wrong comes first then, on a page that it shares with as much as there is room for.
  const before = { ...content, notice: undefined, lines: notice === undefined ? lines : [notice, ...lines] }
  const first = noticeQuiet === true ? page : 0
  let worst: Page | undefined
  for (const [way, shown] of [
    [content, page],
    [{ ...content, ...keys }, page],
    [before, first],
    [{ ...before, ...keys }, first],
  ] as const) {
    const { cut, ...found } = paged(way, shown, limit, cost)
    if (!cut) return found
    worst ??= found
  }
  return worst ?? { text: all, page: 0, more: false, whole: false }
}

/** Less than this beside a notice and navigation is no room for a line. */
const roomMin = 8

const keyOf = (line: string) => line.slice(0, line.indexOf(' '))

function paged(
  content: ScreenContent,
  page: number,
  limit: number,
  cost: (text: string) => number,
): Page & { cut: boolean } {
  const moreFoot = [content.more, ...content.foot].join('\n')
  const head = content.notice === undefined ? '' : `${content.notice}\n`
  const said = content.noticeQuiet === true ? '' : head
  const lastFoot = content.foot.join('\n')
  const rest: Unit[] = [
    ...content.lines.map((text) => ({ text, atomic: false })),
    ...content.options.map((text) => ({ text, atomic: true })),
  ]
  const roomLast = Math.max(1, limit - cost(head) - cost(lastFoot) - 1)
  const room = Math.max(1, limit - cost(head) - cost(moreFoot) - 1)
  const crowded = content.notice !== undefined && room < roomMin
  let whole = true
  let cut = crowded
  let found: { text: string; page: number; more: boolean } | undefined
  for (let shown = 0; ; shown += 1) {
    // A letter costs one at least: a long rest need not be joined and counted on each of its pages.
    const lettersLeft = rest.reduce((sum, unit) => sum + unit.text.length + 1, -1)
    const everything = lettersLeft > roomLast ? undefined : rest.map((unit) => unit.text).join('\n')
    if (everything !== undefined && cost(everything) <= roomLast) {
      const text = [everything, lastFoot].filter((part) => part !== '').join('\n')
      return {
        ...(found ?? { text: said + text, page: shown, more: false }),
        whole,
        cut,
      }
    }
    const taken = takePage(rest, room, cost)
    whole = whole && taken.whole
    // Under a notice a line is not parted either: without it there is room for the line.
    cut = cut || taken.optionCut || (content.notice !== undefined && taken.lineCut)
    if (shown === page) found = { text: `${said}${taken.text}\n${moreFoot}`, page, more: true }
  }
}

/** Removes what fits into `room` from `rest`; at least something. */
function takePage(
  rest: Unit[],
  room: number,
  cost: (text: string) => number,
): { text: string; whole: boolean; optionCut: boolean; lineCut: boolean } {
  let text = ''
  for (let unit = rest[0]; unit !== undefined; unit = rest[0]) {
    const longer = text === '' ? unit.text : `${text}\n${unit.text}`
    if (cost(longer) > room) break
    text = longer
    rest.shift()
  }
  const unit = rest[0]
  if (text !== '' || unit === undefined) return { text, whole: true, optionCut: false, lineCut: false }
  const at = splitPoint(unit.text, room, cost)
  rest[0] = { ...unit, text: unit.text.slice(at.next) }
  const { atomic } = unit
  return {
    text: unit.text.slice(0, at.end),
    whole: at.atWord && !atomic,
    optionCut: atomic,
    lineCut: !atomic,
  }
}

/** Where a line that is longer than a page breaks: after the last word that fits, or inside a word when there is no border. */
function splitPoint(
  text: string,
  room: number,
  cost: (text: string) => number,
): { end: number; next: number; atWord: boolean } {
  let end = 0
  let word = 0
  let used = 0
  for (const character of text) {
    used += cost(character)
    if (used > room) break
    if (character === ' ') word = end
    end += character.length
  }
  if (word > 0) return { end: word, next: word + 1, atWord: true }
  const cut = Math.max(end, 1)
  return { end: cut, next: cut, atWord: false }
}
