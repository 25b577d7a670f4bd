// In: a menu and its screens as they are laid out. Out: the shortest way to every answer: its screens, its seconds, and those that are too long.
import type { Fault } from '../fault.ts'
import { actions } from './actions.ts'
import type { Screen } from './check-fit.ts'
import { sources } from './data.ts'
import { type Menu, placeIn, staffMenu, transitionsOf } from './menu.ts'
import { idleSecondsMax, networkSeconds, screenSeconds, sessionSecondsMax, shareListed } from './pace.ts'

/**
 * Nobody presses further than this for one answer. Pages of one state count once where its data is a list (several loans) and
 * in UCS-2, which has less than half of the room: every key works on every page. The summary shows the pages.
 */
export const screensMax = 5
/** Who works with a group presses further: a group, a notice and its members are three lists on the way, a day and an hour two screens. */
export const workScreensMax = 9

export interface Path {
  programme: string
  tag: string
  /** The state that shows the answer. */
  answer: string
  /** Names of the screens, from the first to the answer; a page turned is a screen. */
  steps: string[]
  /** What counts against the limit. */
  screens: number
  seconds: number
  /** The slowest screen: reading it and answering. */
  pauseSeconds: number
}

/**
 * The shortest way to each state that shows data, for a member who has chosen her language and a PIN; and for officers and staff to what
 * only they see.
 */
export function pathsOf(menu: Menu, screens: readonly Screen[]): Path[] {
  const own = screens.filter((screen) => screen.menu === menu.menu)
  const roles = new Set([...(menu.menu === staffMenu ? [] : ['member']), ...own.map(({ role }) => role)])
  const found = new Map<string, Path>()
  for (const role of roles)
    for (const path of pathsFor(
      menu,
      own.filter((screen) => screen.role === role),
    ))
      if (!found.has(path.answer)) found.set(path.answer, path)
  return [...found.values()]
}

function pathsFor(menu: Menu, screens: readonly Screen[]): Path[] {
  const pages = new Map<string, Screen[]>()
  for (const screen of screens) pages.set(screen.state, [...(pages.get(screen.state) ?? []), screen])
  const found = new Map<string, Screen[]>([[menu.home, (pages.get(menu.home) ?? []).slice(0, 1)]])
  const open = [menu.home]
  for (let from = open.shift(); from !== undefined; from = open.shift()) {
    const way = found.get(from) ?? []
    for (const { to, key } of stepsFrom(menu, from)) {
      // Not for this role.
      if (!pages.has(to)) continue
      const steps = [
        ...way,
        ...turned(pages.get(from) ?? [], key),
        ...gate(menu, way, to, pages),
        ...(pages.get(to) ?? []).slice(0, 1),
      ]
      const known = found.get(to)
      if (known !== undefined && known.length <= steps.length) continue
      found.set(to, steps)
      open.push(to)
    }
  }
  return [...found].filter(([name]) => isAnswer(menu, name)).map(([name, steps]) => pathOf(menu, name, steps))
}

function countsOnce(menu: Menu, { encoding, state }: Screen): boolean {
  const needs = menu.states[state]?.needs ?? []
  return encoding === 'ucs2' || needs.some((need) => (sources[need]?.linesMax ?? 1) > 1)
}

function pathOf(menu: Menu, answer: string, steps: readonly Screen[]): Path {
  const hops = steps.map(({ text, state }, index) =>
    index === steps.length - 1 ? { seconds: screenSeconds(text, 0), times: 1 } : hopOf(menu, text, state),
  )
  return {
    programme: steps[0]?.programme ?? '',
    tag: steps[0]?.tag ?? '',
    answer,
    screens: steps.filter((step) => step.page === 0 || !countsOnce(menu, step)).length,
    steps: steps.map(({ state, page }) => (page === 0 ? state : `${state} (page ${page + 1})`)),
    seconds: hops.reduce((sum, { seconds, times }) => sum + (seconds + networkSeconds) * times, 0),
    pauseSeconds: Math.max(0, ...hops.map(({ seconds }) => seconds)),
  }
}

/** Reading a screen and answering it; words by multi-tap come in pieces, each of which is a hop. */
function hopOf(menu: Menu, text: string, state: string): { seconds: number; times: number } {
  const types = actions[menu.states[state]?.do ?? '']?.types
  if (types !== undefined && 'letters' in types)
    return { seconds: screenSeconds(text, 0, types.letters), times: types.times }
  return { seconds: screenSeconds(text, types?.keys ?? 2), times: 1 }
}

/** Where one key of hers leads, whatever comes of it. */
function stepsFrom(menu: Menu, from: string): { to: string; key: string | undefined }[] {
  return transitionsOf(menu)
    .filter((step) => step.from === from)
    .map(({ to, by }) => ({ to, key: /^(\d+) /.exec(by)?.[1] }))
}

/** Pages that she turns to find a key. */
function turned(pages: readonly Screen[], key: string | undefined): Screen[] {
  if (key === undefined) return []
  const at = pages.findIndex(({ text }) => new RegExp(`(^|\\n)${key} `).test(text))
  return at > 0 ? pages.slice(1, at + 1) : []
}

/** The PIN, where it was not asked before. */
function gate(
  menu: Menu,
  way: readonly Screen[],
  to: string,
  pages: ReadonlyMap<string, Screen[]>,
): Screen[] {
  const { pin } = menu.gates
  if (pin === undefined || menu.states[to]?.pin !== true || way.some(({ state }) => state === pin)) return []
  return (pages.get(pin) ?? []).slice(0, 1)
}

function isAnswer(menu: Menu, name: string): boolean {
  const state = menu.states[name]
  if (state === undefined || state.passing || Object.values(menu.gates).includes(name)) return false
  return state.needs.some((need) => Object.keys(sources[need]?.texts ?? {}).length > 0)
}

const mostScreens = (menu: Menu, answer: string): number =>
  menu.states[answer]?.roles === undefined && menu.menu !== staffMenu ? screensMax : workScreensMax

/** More screens to an answer than anybody presses. */
export function pathFaults(menu: Menu, paths: readonly Path[]): Fault[] {
  return paths
    .filter(({ answer, screens }) => screens > mostScreens(menu, answer))
    .map(({ answer, screens, steps, tag, programme }) => ({
      ...placeIn(menu, ['states', answer]),
      language: tag,
      what: `${answer}: in ${tag} for programme ${programme} it takes ${screens} screens, more than ${mostScreens(menu, answer)}: ${steps.join(' > ')}`,
      remedy:
        'Move the state nearer to the first screen, or shorten the screens before it so that they need no second page.',
    }))
}

/** Over 70 % of a limit of the network; the slowest first. */
export function slowPaths(paths: readonly Path[]): Path[] {
  return paths
    .filter(
      ({ seconds, pauseSeconds }) =>
        seconds > shareListed * sessionSecondsMax || pauseSeconds > shareListed * idleSecondsMax,
    )
    .sort((one, other) => other.seconds - one.seconds)
}
