// In: menus, texts, limits. Out: each screen laid out with the longest data in every language, and every one that does not fit.
// The same renderer that serves members lays them out, so what is proved here is what they get.
import { measureUssd, ussdOctetsMax } from '../encoding.ts'
import type { Fault } from '../fault.ts'
import type { I18n } from '../i18n.ts'
import type { ProgrammeLimits } from './check.ts'
import { closingTexts, neededBy, reasonsIn } from './check-texts.ts'
import { type DataOption, type Samples, samplesOf, sources, type View } from './data.ts'
import { isMenuOf, type Menu, type MenuState, rolesNamed, staffMenu, textsAt } from './menu.ts'
import { createRenderer, type Notice, type Renderer } from './render.ts'
import { ucs2UnitsMax } from './screen.ts'
import { type Dialogue, newDialogue } from './session.ts'

/** One page of one screen with the longest data. */
export interface Screen {
  programme: string
  tag: string
  menu: string
  state: string
  /** Where its texts stand. */
  says: string
  role: string
  page: number
  text: string
  encoding: 'gsm7' | 'ucs2'
  units: number
  /** In the same unit. */
  limit: number
}

export interface Fit {
  faults: Fault[]
  /** Without a notice: what members see who make no mistake. */
  screens: Screen[]
}

/** A programme, and which of its languages are laid out [all]. */
export type LaidOut = ProgrammeLimits & { tags?: readonly string[] }

/** Nobody turns more pages of one screen. */
const pagesMax = 40

/** Lays every state out for every language and role of every programme. */
export function checkFit(menus: ReadonlyMap<string, Menu>, i18n: I18n, programmes: readonly LaidOut[]): Fit {
  const renderer = createRenderer(i18n)
  const faults = new Map<string, Fault>()
  const screens: Screen[] = []
  for (const programme of programmes)
    for (const tag of programme.tags ?? programme.languages) {
      const samples = samplesOf(i18n, tag, programme.currencyCode)
      const scope: Scope = {
        i18n,
        renderer,
        programme,
        tag,
        samples,
        screens,
        report: (fault) => faults.set(`${fault.file}:${fault.line}:${fault.what}`, fault),
      }
      for (const menu of menus.values())
        if (isMenuOf(programme, menu))
          for (const [name, state] of Object.entries(menu.states)) checkState(scope, menu, name, state)
      for (const { key, values } of closingTexts()) checkClosing(scope, key, values(samples))
    }
  return { faults: [...faults.values()], screens }
}

interface Scope {
  i18n: I18n
  renderer: Renderer
  programme: ProgrammeLimits
  tag: string
  samples: Samples
  screens: Screen[]
  report(fault: Fault): void
}

/** What a plain dial can show. */
function isFirstScreen({ home, gates, states }: Menu, name: string): boolean {
  // Home behind the PIN is seen after it; the gate comes first.
  const first = states[home]?.pin === true ? [gates.pin, gates.new_pin] : [home]
  return [...first, gates.language, gates.resume].includes(name)
}

function limitOf(encoding: 'gsm7' | 'ucs2', septetsMax: number): number {
  return encoding === 'gsm7' ? septetsMax : Math.min(ucs2UnitsMax, septetsMax)
}

/** Once for all roles that find the same options there. */
function checkState(scope: Scope, menu: Menu, name: string, state: MenuState): void {
  const anyone = menu.menu === staffMenu ? 'facilitator' : 'member'
  const roles = state.roles ?? new Set([anyone, ...rolesNamed(menu)])
  const laidOut = new Map<string, Screen[]>()
  for (const role of roles) {
    const options = state.options.filter((option) => option.roles?.includes(role) !== false)
    const seen = options.map(({ key }) => key).join(' ')
    const same = laidOut.get(seen)
    if (same !== undefined) scope.screens.push(...same.map((screen) => ({ ...screen, role })))
    else {
      const before = scope.screens.length
      checkScreen(scope, menu, name, state, role)
      laidOut.set(seen, scope.screens.slice(before))
    }
  }
  if (state.bare && state.needs.length === 0) checkSeen(scope, menu, name, [...laidOut.values()].flat())
}

/** A text that gives way where the options fill the screen is to be seen at least by those who have the fewest of them. */
function checkSeen(scope: Scope, menu: Menu, name: string, screens: Screen[]): void {
  const { tag, programme, renderer, report } = scope
  const text = renderer.text(tag, `${textsAt(menu, name)}.text`)
  const [first] = screens
  if (
    first === undefined ||
    first.encoding === 'ucs2' ||
    screens.some((screen) => screen.text.startsWith(text))
  )
    return
  report({
    ...textPlace(scope, menu, name),
    what: `${menu.menu}.${name}: in ${tag} for programme ${programme.code} nobody sees its text: with it the first screen is longer than ${first.limit}`,
    text,
    remedy: 'Shorten it, or the options under it.',
  })
}

function checkScreen(scope: Scope, menu: Menu, name: string, state: MenuState, role: string): void {
  const { tag, programme, report } = scope
  const isFirst = isFirstScreen(menu, name)
  // A deep dial may end at once, and what ends has no second page.
  const isShort = isFirst || state.kind === 'end'
  const septetsMax = isShort ? programme.screenSeptetsFirst : programme.screenSeptetsMax
  const notices = noticesOver(scope, menu, name, state)
  const [fullest, ...others] = worstViews(scope, state)
  const asks: Ask[] = [
    ...[fullest, ...others].map((view) => ({ view, notice: undefined })),
    ...[fullest, ...others].flatMap((view) => notices.map((notice) => ({ view, notice }))),
  ].map((ask) => ({ role, septetsMax, ...ask }))
  for (const ask of asks) {
    const { notice } = ask
    const pages = pagesOf(scope, menu, name, state, ask)
    if (notice === undefined && ask.view === fullest) scope.screens.push(...pages.screens)
    const over = pages.screens.find(
      ({ text, units, limit }) => units > limit || measureUssd(text).octets > ussdOctetsMax,
    )
    const needsOnePage = state.kind === 'end' || (isFirst && !isExcused(scope, notice))
    const said = notice === undefined ? '' : ` with "${notice.reason}" above it`
    const where = `${menu.menu}.${name}: in ${tag} for programme ${programme.code}${said}`
    // Looked up only for what is wrong: it reads the file again.
    const place = () => textPlace(scope, menu, name)
    const last = pages.screens[0]
    if (pages.endless)
      report({
        ...place(),
        what: `${where} it has more than ${pagesMax} pages`,
        remedy: 'Show less on it, or part it into several states.',
      })
    if (over !== undefined)
      report({
        ...place(),
        what: `${where} a page has ${over.units} of ${over.limit} ${unitOf(over)}`,
        text: over.text,
        remedy: `Take ${over.units - over.limit} off its texts.${costly(over)}`,
      })
    else if (!pages.whole && last !== undefined)
      report({
        ...place(),
        what: `${where} an option with navigation is longer than ${Math.min(...pages.screens.map(({ limit }) => limit))}`,
        text: pages.longestOption,
        remedy: `Shorten the option or the reasons of the screen.${costly(last)}`,
      })
    else if (needsOnePage && pages.screens.length > 1 && last !== undefined) {
      const units = pages.screens.reduce((sum, screen) => sum + screen.units, 0)
      report({
        ...place(),
        what: `${where} ${state.kind === 'end' ? 'the last screen' : 'the first screen'} is longer than ${last.limit}`,
        text: pages.screens.map(({ text }) => text).join('\n'),
        remedy: `It has about ${units} ${unitOf(last)}: shorten its texts.${costly(last)}`,
      })
    }
  }
}

/**
 * Under UCS-2 the first screen may go on behind a notice; in GSM-7 there is room for the network's block. Who chooses all
 * letters of a language that has a GSM-7 spelling chooses less than half of the room.
 */
function isExcused({ i18n, tag }: Scope, notice: Notice | undefined): boolean {
  if (
    tag !== i18n.language(tag).base &&
    i18n.language(tag).gsm7 === null &&
    i18n.language(i18n.language(tag).base).gsm7 !== null
  )
    return true
  if (notice === undefined) return false
  return notice.reason !== 'network_blocked' || i18n.language(tag).gsm7 === null
}

function textPlace({ i18n, tag }: Scope, menu: Menu, name: string) {
  return i18n.place(tag, 'ussd.json', textsAt(menu, name).split('.'))
}

const unitOf = ({ encoding }: Screen) => (encoding === 'gsm7' ? 'septets' : 'characters (UCS-2)')

/** In a language with a GSM-7 spelling a letter that no rule names costs half of the room. */
function costly({ text, encoding }: Screen): string {
  if (encoding === 'gsm7') return ''
  const latin = [
    ...new Set(
      [...text].filter(
        (letter) => /\p{Script=Latin}/u.test(letter) && measureUssd(letter).encoding === 'ucs2',
      ),
    ),
  ]
  return latin.length === 0 ? '' : ` A rule under "gsm7" for ${latin.join(' ')} would give it 160 septets.`
}

interface Ask {
  role: string
  view: View
  notice: Notice | undefined
  septetsMax: number
}

function pagesOf(
  scope: Scope,
  menu: Menu,
  name: string,
  state: MenuState,
  { role, view, notice, septetsMax }: Ask,
) {
  const { tag, programme, renderer } = scope
  const screens: Screen[] = []
  let whole = true
  let endless = false
  let options: string[] = []
  const values = worstValues(scope, menu, name, state)
  for (let page = 0; page < pagesMax; page += 1) {
    const dialogue: Dialogue = {
      ...newDialogue,
      state: name,
      page,
      language: tag,
      role,
      hasPin: true,
      values,
    }
    const request = { menu, state, dialogue, view, language: tag, septetsMax }
    const quiet = notice !== undefined && page > 0
    const rendered = renderer.render({ ...request, notice: quiet ? { ...notice, quiet } : notice })
    const { encoding, units } = measureUssd(rendered.text)
    whole = whole && rendered.whole
    options = rendered.labels
    const limit = limitOf(encoding, septetsMax)
    screens.push({
      programme: programme.code,
      tag,
      menu: menu.menu,
      state: name,
      says: textsAt(menu, name),
      role,
      page,
      text: rendered.text,
      encoding,
      units,
      limit,
    })
    endless = rendered.more
    if (!rendered.more) break
  }
  // A screen is laid out for one alphabet, also where one of its pages could do with the other.
  if (screens.some(({ encoding }) => encoding === 'ucs2'))
    for (const screen of screens)
      Object.assign(screen, {
        encoding: 'ucs2',
        units: screen.text.length,
        limit: limitOf('ucs2', septetsMax),
      })
  const longestOption = options.reduce((one, other) => (other.length > one.length ? other : one), '')
  return { screens, whole, endless, longestOption }
}

/** Values that an outcome brings to the state's own text. */
function worstValues({ samples }: Scope, menu: Menu, name: string, state: MenuState) {
  const [own] = neededBy(menu, name, state)
  return own?.values(samples)
}

/**
 * As much as the data can ever show: first every line that may stand beside others, as often as it may, with every option and
 * fact; then each line that stands alone.
 */
function worstViews({ i18n, tag, programme, samples }: Scope, state: MenuState): [View, ...View[]] {
  const view = { lines: [] as View['lines'], options: [] as DataOption[], facts: [] as string[] }
  const alone: View[] = []
  for (const need of state.needs) {
    const source = sources[need]
    if (source === undefined) continue
    const lines = Object.entries(source.texts).map(([name, values]) => ({ name, values: values(samples) }))
    const isAlone = ({ name }: { name: string }) => source.alone?.includes(name) === true
    for (let count = 0; count < (source.linesMax ?? 1); count += 1)
      view.lines.push(...lines.filter((line) => !isAlone(line)))
    alone.push(...lines.filter(isAlone).map((line) => ({ lines: [line] })))
    view.facts.push(...(source.facts ?? []))
    const named = Object.entries(source.optionTexts ?? {}).map(([name, values]) => ({
      name,
      values: values(samples),
      value: '',
    }))
    const labelled = (source.labels?.(i18n, tag, programme.languages) ?? []).map((label) => ({
      ...label,
      value: '',
    }))
    view.options.push(...named, ...labelled)
  }
  return [view, ...alone]
}

/** What may stand above a state: its own reasons, those of states that lead to it, and those of the engine. */
function noticesOver({ samples }: Scope, menu: Menu, name: string, state: MenuState): Notice[] {
  if (state.kind === 'end') return []
  const led = reasonsIn(menu).filter(
    ({ from, to }) =>
      to === name || (to === '@same' && from === name) || (to === '@home' && name === menu.home),
  )
  const notices = led.map(({ reason, values }): Notice => ({ reason, values: values(samples) }))
  notices.push({ reason: 'choice_unknown' })
  if (name === menu.home)
    for (const reason of ['not_allowed', 'menu_changed', 'network_blocked']) notices.push({ reason })
  return notices
}

function checkClosing(
  { i18n, renderer, tag, programme, report }: Scope,
  key: string,
  values: Readonly<Record<string, string>>,
): void {
  const text = renderer.closing(tag, key.replace('common.', ''), values).replace(/^END /, '')
  const { encoding, units } = measureUssd(text)
  // It may be the first answer of a dialogue.
  const limit = limitOf(encoding, programme.screenSeptetsFirst)
  if (units > limit)
    report({
      ...i18n.place(tag, 'ussd.json', key.split('.')),
      what: `"${key}": in ${tag} for programme ${programme.code} the last screen is longer than ${limit}: ${units}`,
      text,
      remedy: `Take ${units - limit} off it.`,
    })
}
