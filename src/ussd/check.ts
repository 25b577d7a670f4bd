// In: menus, texts and programmes. Out: every fault with file, line and remedy. What passes here cannot fail a member.
// The parts: how states hang together (here), their texts (check-texts), and whether each screen fits (check-fit).
import type { Fault } from '../fault.ts'
import type { I18n } from '../i18n.ts'
import type { ProgrammeInfo } from '../members/programmes.ts'
import { actions } from './actions.ts'
import { checkFit, type Fit, type LaidOut } from './check-fit.ts'
import { type Path, pathFaults, pathsOf } from './check-paths.ts'
import { screenTextFaults } from './check-texts.ts'
import { dialogueFacts, sources } from './data.ts'
import {
  type Menu,
  type MenuState,
  type Outcomes,
  placeIn,
  publicMenu,
  staffMenu,
  transitionsOf,
} from './menu.ts'

export type ProgrammeLimits = Pick<
  ProgrammeInfo,
  'code' | 'menu' | 'languages' | 'currencyCode' | 'screenSeptetsFirst' | 'screenSeptetsMax'
>

/** Members find no more on a screen, and no keypad types faster. */
const optionsMax = 12

/**
 * Every fault of structure and text, in the languages of the programmes; without programmes, in every language there is.
 * Whether each screen fits is asked of menus that have none of these: see proveMenus.
 */
export function menuFaults(
  menus: ReadonlyMap<string, Menu>,
  i18n: I18n,
  served: readonly ProgrammeLimits[] = [],
): Fault[] {
  const offered = served.length > 0 ? served.flatMap(({ languages }) => languages) : i18n.bases
  const spoken = [...new Set(offered)].filter((tag) => i18n.languages.has(tag))
  return [
    ...served.flatMap((programme) => programmeFaultsOf(programme, menus, i18n)),
    ...[...menus.values()].flatMap(structureFaults),
    ...screenTextFaults(menus, i18n, spoken),
  ]
}

export interface Proof extends Fit {
  paths: Path[]
}

/** Every screen of menus without a fault of structure or text, laid out, with the ways that lead to each answer. */
export function proveMenus(
  menus: ReadonlyMap<string, Menu>,
  i18n: I18n,
  programmes: readonly LaidOut[],
): Proof {
  const { faults, screens } = checkFit(menus, i18n, programmes)
  const found = [...menus.values()].flatMap((menu) =>
    programmes.flatMap((programme) =>
      (programme.tags ?? programme.languages).map((tag) => {
        const own = screens.filter((screen) => screen.programme === programme.code && screen.tag === tag)
        const paths = pathsOf(menu, own)
        return { paths, faults: pathFaults(menu, paths) }
      }),
    ),
  )
  return {
    screens,
    paths: found.flatMap(({ paths }) => paths),
    faults: [...faults, ...found.flatMap((part) => part.faults)],
  }
}

function programmeFaultsOf(
  { code, menu, languages }: ProgrammeLimits,
  menus: ReadonlyMap<string, Menu>,
  i18n: I18n,
): Fault[] {
  const file = `programme ${code}`
  return [
    ...(menus.has(menu)
      ? []
      : [{ file, what: `no menu "${menu}"`, remedy: `There are: ${[...menus.keys()].join(', ')}.` }]),
    ...languages
      .filter((tag) => !i18n.languages.has(tag))
      .map((tag) => ({
        file,
        what: `no language "${tag}"`,
        remedy: `There are: ${[...i18n.languages.keys()].join(', ')}.`,
      })),
  ]
}

type Report = (path: readonly PropertyKey[], what: string, remedy?: string) => void

/** Everything that can be said of a menu without a text. */
export function structureFaults(menu: Menu): Fault[] {
  const faults: Fault[] = []
  const report: Report = (path, what, remedy) => faults.push({ ...placeIn(menu, path), what, remedy })
  checkTargets(menu, report)
  checkReach(menu, report)
  checkGates(menu, report)
  for (const [name, state] of Object.entries(menu.states)) {
    checkState(name, state, report)
    checkWhose(menu, name, state, report)
  }
  return faults
}

function checkTargets(menu: Menu, report: Report): void {
  const known = (name: string) => Object.hasOwn(menu.states, name)
  const remedy = 'Name a state of this menu.'
  if (!known(menu.home)) report(['home'], `home: unknown state "${menu.home}"`, remedy)
  for (const [gate, name] of Object.entries(menu.gates))
    if (name !== undefined && !known(name))
      report(['gates', gate], `gates.${gate}: unknown state "${name}"`, remedy)
  for (const { from, to, by, path } of transitionsOf(menu))
    if (!known(to)) report(path, `${from}: "${by.trim()}" leads to the unknown state "${to}"`, remedy)
}

/** Whatever needs a member needs the gates that ask for her; the public menu has neither. */
function checkGates(menu: Menu, report: Report): void {
  const ofMember = Object.entries(menu.states).filter(
    ([, state]) => state.who || state.pin || state.roles !== undefined,
  )
  if (menu.menu === publicMenu)
    for (const [name] of ofMember)
      report(
        ['states', name],
        `${name}: the public menu shows nothing of a member`,
        'Move the state to another menu.',
      )
  else if (ofMember.length > 0)
    for (const gate of gatesOf(menu))
      if (menu.gates[gate] === undefined)
        report(['gates'], `gates.${gate}: is missing`, 'Name the state that asks.')
}

/** Staff are known by their number alone: nobody shares it. */
const gatesOf = ({ menu }: Menu) =>
  menu === staffMenu
    ? (['pin', 'new_pin', 'resume'] as const)
    : (['who', 'pin', 'new_pin', 'resume'] as const)

function checkReach(menu: Menu, report: Report): void {
  const next = new Map<string, string[]>()
  for (const { from, to } of transitionsOf(menu)) next.set(from, [...(next.get(from) ?? []), to])
  const reached = new Set<string>()
  const open = [menu.home, ...Object.values(menu.gates).filter((name) => name !== undefined)]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (reached.has(name)) continue
    reached.add(name)
    open.push(...(next.get(name) ?? []))
  }
  for (const name of Object.keys(menu.states))
    if (!reached.has(name))
      report(
        ['states', name],
        `${name}: no way leads here`,
        'Add an option that leads here, or delete the state.',
      )
}

/** Kinds, keys, facts, data, actions and their outcomes. */
function checkState(name: string, state: MenuState, report: Report): void {
  const at = (...path: PropertyKey[]) => ['states', name, ...path]
  const say = (path: readonly PropertyKey[], what: string, remedy?: string) =>
    report(path, `${name}: ${what}`, remedy)
  if (state.kind === 'choice' && state.options.length === 0 && state.pick === undefined)
    say(at(), 'a dead end: a choice without options', 'Add options, or make it a list, info or end.')
  if (state.kind === 'input' && state.do === undefined)
    say(at(), 'a dead end: an input without "do"', 'Name the action that takes the input.')
  if (state.kind !== 'input' && (state.do !== undefined || state.on !== undefined))
    say(at('do'), 'only an input has "do" and "on"', 'Delete them, or make it an input.')
  // Info and list states only go back, so no ring of them can keep her.
  // Beside what she types, an input may offer a way out under a key that is no possible input.
  const mayOffer = state.kind === 'choice' || (state.kind === 'input' && state.pick === undefined)
  if (!mayOffer && (state.options.length > 0 || state.pick !== undefined))
    say(at('options'), `kind ${state.kind} has no options`, 'Make it a choice, or delete the options.')
  if (state.kind === 'end' && (state.pin || state.who))
    say(at(), 'an end cannot stand behind a gate', 'Make it an info.')
  if (state.answer !== undefined && !state.who && !state.pin)
    say(at('answer'), `state ${name} answers by SMS, so a member must be known`, 'Set "who" or "pin".')

  const facts = new Set(Object.keys(dialogueFacts))
  let picksMax = 0
  for (const [index, need] of state.needs.entries()) {
    const source = sources[need]
    if (source === undefined) {
      say(at('needs', index), `unknown data "${need}"`, `There are: ${Object.keys(sources).join(', ')}.`)
      continue
    }
    for (const fact of source.facts ?? []) facts.add(fact)
    picksMax += source.optionsMax ?? 0
    if (source.behindPin === true && !state.pin)
      say(at('needs', index), `data "${need}" is shown behind a PIN only`, 'Set "pin".')
    if (source.ofMember && !state.who && !state.pin && state.roles === undefined)
      say(at('needs', index), `data "${need}" is a member's: the state needs who or pin`, 'Set one of them.')
  }
  if (picksMax > 0 !== (state.pick !== undefined))
    say(
      at('needs'),
      picksMax > 0 ? 'its data has options, but "pick" is missing' : '"pick" without data that has options',
      'Both or neither.',
    )
  checkOptions(state, { picksMax, facts, at, say })
  if (state.pick !== undefined) checkOutcomes(state.pick.do, state.pick.on, at('pick'), say)
  if (state.do !== undefined) checkOutcomes(state.do, state.on, at('on'), say)
}

/** The staff menu knows no member, and every screen of it stands behind the PIN. */
function checkWhose(menu: Menu, name: string, state: MenuState, report: Report): void {
  if (menu.menu !== staffMenu) return
  if (state.who)
    report(['states', name, 'who'], `${name}: the staff menu knows no member`, 'Say "pin" instead.')
  for (const need of state.needs)
    if (sources[need]?.ofMember === true)
      report(['states', name, 'needs'], `${name}: data "${need}" is one member's`, 'Show other data.')
}

interface OptionScope {
  picksMax: number
  facts: ReadonlySet<string>
  at: (...path: PropertyKey[]) => readonly PropertyKey[]
  say: Report
}

function checkOptions(state: MenuState, { picksMax, facts, at, say }: OptionScope): void {
  if (state.options.length + picksMax > optionsMax)
    say(
      at('options'),
      `${state.options.length + picksMax} options are more than ${optionsMax}`,
      'Group them under fewer options.',
    )
  const keys = new Set<string>()
  let before = 0
  for (const [index, option] of state.options.entries()) {
    const path = at('options', index)
    if (keys.has(option.key) || Number(option.key) <= picksMax)
      say(
        path,
        `key ${option.key} is taken twice`,
        'Give every option its own key, behind those that data takes.',
      )
    else if (Number(option.key) < before)
      say(
        path,
        `key ${option.key} stands behind key ${before}`,
        'Put the options in the order of their keys.',
      )
    before = Number(option.key)
    keys.add(option.key)
    if (option.when !== undefined && !facts.has(option.when))
      say(path, `unknown fact "${option.when}"`, `Known here: ${[...facts].join(', ')}.`)
    if (option.do !== undefined) checkOutcomes(option.do, option.on, path, say)
  }
}

function checkOutcomes(
  action: string,
  on: Outcomes | undefined,
  path: readonly PropertyKey[],
  say: Report,
): void {
  const known = actions[action]
  if (known === undefined) {
    say(path, `unknown action "${action}"`, `There are: ${Object.keys(actions).join(', ')}.`)
    return
  }
  for (const outcome of known.outcomes)
    if (on?.[outcome] === undefined)
      say(path, `"${action}" can end with "${outcome}", which leads nowhere`, `Add "${outcome}" under "on".`)
  for (const outcome of Object.keys(on ?? {}))
    if (!known.outcomes.includes(outcome))
      say(path, `"${action}" never ends with "${outcome}"`, 'Delete it under "on".')
}
