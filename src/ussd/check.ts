// In: menus, texts and programmes at boot. Out: nothing, or one StartError with every fault. What passes here cannot fail a member.
import { septetsOf, spellGsm7 } from '../encoding.ts'
import { StartError } from '../errors.ts'
import type { I18n } from '../i18n.ts'
import type { ProgrammeInfo } from '../members/programmes.ts'
import { actions } from './actions.ts'
import { dialogueFacts, type LineValues, type Samples, samplesOf, sources } from './data.ts'
import { type Menu, type MenuState, type Outcomes, publicMenu, transitionsOf } from './menu.ts'
import { layOut, ucs2UnitsMax } from './screen.ts'

export type ProgrammeLimits = Pick<
  ProgrammeInfo,
  'code' | 'menu' | 'languages' | 'currencyCode' | 'screenSeptetsFirst' | 'screenSeptetsMax'
>

const closings: Readonly<Record<string, (sample: Samples) => LineValues>> = {
  over: ({ code }) => ({ code }),
  late: () => ({}),
  late_again: () => ({}),
  unknown_code: () => ({}),
  unreadable: () => ({}),
}
const words = ['back', 'home', 'more']
/** Reasons that the engine gives by itself. */
const engineReasons = ['choice_unknown', 'not_allowed', 'menu_changed', 'network_blocked']
/** The longest alias or endonym that still stands in one line with its key. */
const labelSample = 'Marie-Madeleine Sambou'

type Report = (fault: string) => void

/** Throws a StartError that lists every fault of all menus at once. */
export function checkMenus(
  menus: ReadonlyMap<string, Menu>,
  i18n: I18n,
  served: readonly ProgrammeLimits[] = [],
): void {
  const faults = menuFaults(menus, i18n, served)
  if (faults.length > 0) throw new StartError('The menus cannot be used', faults)
}

/**
 * Every fault of all menus. Limits and languages are those of the programmes; without programmes, the default limits and
 * every language there is.
 */
export function menuFaults(
  menus: ReadonlyMap<string, Menu>,
  i18n: I18n,
  served: readonly ProgrammeLimits[] = [],
): string[] {
  const programmes = served.length > 0 ? served : defaultLimits(menus, i18n)
  const faults: string[] = []
  const languages = new Set(programmes.flatMap((programme) => programme.languages))
  for (const programme of programmes) {
    if (!menus.has(programme.menu)) faults.push(`programme ${programme.code}: no menu "${programme.menu}"`)
    for (const language of programme.languages)
      if (!i18n.languages.has(language)) faults.push(`programme ${programme.code}: no language "${language}"`)
  }
  const spoken = [...languages].filter((language) => i18n.languages.has(language))
  for (const menu of menus.values()) {
    const report: Report = (fault) => faults.push(`menus/${menu.menu}.yaml: ${fault}`)
    checkTargets(menu, report)
    checkReach(menu, report)
    checkGates(menu, report)
    for (const [name, state] of Object.entries(menu.states))
      checkWords(name, state, (fault) => report(`${name}: ${fault}`))
    checkTexts(menu, i18n, spoken, report)
    for (const programme of programmes)
      if (programme.menu === menu.menu || menu.menu === publicMenu) checkFit(menu, i18n, programme, report)
  }
  checkCommon(i18n, spoken, (fault) => faults.push(fault))
  return [...new Set(faults)]
}

function defaultLimits(menus: ReadonlyMap<string, Menu>, i18n: I18n): ProgrammeLimits[] {
  return [...menus.keys()].map((menu) => ({
    code: 'any',
    menu,
    languages: [...i18n.languages.keys()],
    currencyCode: 'XOF',
    screenSeptetsFirst: 140,
    screenSeptetsMax: 160,
  }))
}

/** Refuses (StartError) two programmes whose codes are equal, or where a dial of one could be a deep dial into the other. */
export function checkServiceCodes(programmes: readonly Pick<ProgrammeInfo, 'code' | 'serviceCode'>[]): void {
  const faults = serviceCodeFaults(programmes)
  if (faults.length > 0) throw new StartError('The service codes cannot be used', faults)
}

export function serviceCodeFaults(
  programmes: readonly Pick<ProgrammeInfo, 'code' | 'serviceCode'>[],
): string[] {
  const faults: string[] = []
  for (const { code, serviceCode } of programmes)
    if (!/^\*\d+(\*\d+)*$/.test(serviceCode))
      faults.push(`programme ${code}: the code "${serviceCode}" must look like *384*1, without "#"`)
  for (const [index, one] of programmes.entries())
    for (const other of programmes.slice(index + 1)) {
      const [short, long] = one.serviceCode.length <= other.serviceCode.length ? [one, other] : [other, one]
      if (short.serviceCode === long.serviceCode)
        faults.push(`programmes ${one.code} and ${other.code}: both have ${one.serviceCode}#`)
      else if (long.serviceCode.startsWith(`${short.serviceCode}*`))
        faults.push(
          `programmes ${short.code} and ${long.code}: ${long.serviceCode}# is a deep dial into ${short.serviceCode}#`,
        )
    }
  return faults
}

// ---- Structure -------------------------------------------------------------------------------------------------

function checkTargets(menu: Menu, report: Report): void {
  const known = (name: string) => Object.hasOwn(menu.states, name)
  if (!known(menu.home)) report(`home: unknown state "${menu.home}"`)
  for (const [gate, name] of Object.entries(menu.gates))
    if (name !== undefined && !known(name)) report(`gates.${gate}: unknown state "${name}"`)
  for (const { from, to, by } of transitionsOf(menu))
    if (!known(to)) report(`${from}: "${by.trim()}" leads to the unknown state "${to}"`)
}

/** Whatever needs a member needs the gates that ask for her; the public menu has neither. */
function checkGates(menu: Menu, report: Report): void {
  const ofMember = Object.entries(menu.states).filter(
    ([, state]) => state.who || state.pin || state.roles !== undefined,
  )
  if (menu.menu === publicMenu)
    for (const [name] of ofMember) report(`${name}: the public menu shows nothing of a member`)
  else if (ofMember.length > 0)
    for (const gate of ['who', 'pin', 'new_pin', 'resume'] as const)
      if (menu.gates[gate] === undefined) report(`gates.${gate}: is missing`)
}

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
  for (const name of Object.keys(menu.states)) if (!reached.has(name)) report(`${name}: no way leads here`)
}

/** Kinds, keys, facts, data, actions and their outcomes. */
function checkWords(name: string, state: MenuState, report: Report): void {
  if (state.kind === 'choice' && state.options.length === 0 && state.pick === undefined)
    report('a dead end: a choice without options')
  if (state.kind === 'input' && state.do === undefined) report('a dead end: an input without "do"')
  if (state.kind !== 'input' && (state.do !== undefined || state.on !== undefined))
    report('only an input has "do" and "on"')
  if (state.kind !== 'choice' && (state.options.length > 0 || state.pick !== undefined))
    report(`kind ${state.kind} has no options`)
  if (state.kind === 'end' && (state.pin || state.who)) report('an end cannot stand behind a gate')

  const facts = new Set(Object.keys(dialogueFacts))
  let picksMax = 0
  for (const need of state.needs) {
    const source = sources[need]
    if (source === undefined) {
      report(`unknown data "${need}"`)
      continue
    }
    for (const fact of source.facts ?? []) facts.add(fact)
    picksMax += source.optionsMax ?? 0
    if (source.ofMember && !state.who && !state.pin && state.roles === undefined)
      report(`data "${need}" is a member's: the state needs who or pin`)
  }
  if (picksMax > 0 !== (state.pick !== undefined))
    report(
      picksMax > 0 ? 'its data has options, but "pick" is missing' : '"pick" without data that has options',
    )

  const keys = new Set<string>()
  for (const option of state.options) {
    if (keys.has(option.key) || Number(option.key) <= picksMax) report(`key ${option.key} is taken twice`)
    keys.add(option.key)
    if (option.when !== undefined && !facts.has(option.when)) report(`unknown fact "${option.when}"`)
    if (option.do !== undefined) checkOutcomes(option.do, option.on, report)
  }
  if (state.pick !== undefined) checkOutcomes(state.pick.do, state.pick.on, report)
  if (state.do !== undefined) checkOutcomes(state.do, state.on, report)
  if (state.answer !== undefined && !state.who && !state.pin)
    report(`state ${name} answers by SMS, so a member must be known`)
}

function checkOutcomes(action: string, on: Outcomes | undefined, report: Report): void {
  const known = actions[action]
  if (known === undefined) {
    report(`unknown action "${action}"`)
    return
  }
  for (const outcome of known.outcomes)
    if (on?.[outcome] === undefined) report(`"${action}" can end with "${outcome}", which leads nowhere`)
  for (const outcome of Object.keys(on ?? {}))
    if (!known.outcomes.includes(outcome)) report(`"${action}" never ends with "${outcome}"`)
}

// ---- Texts -----------------------------------------------------------------------------------------------------

interface Needed {
  key: string
  /** Values it may use. */
  values: (sample: Samples) => LineValues
  optional?: boolean
}

/** Values that outcomes of actions bring to a state. */
function broughtTo(menu: Menu, target: string): LineValues {
  const brought: Record<string, string> = {}
  const add = (action: string | undefined, on: Outcomes | undefined) => {
    const leads = Object.values(on ?? {}).some((outcome) => outcome.to === target)
    if (action !== undefined && leads) Object.assign(brought, actions[action]?.values)
  }
  for (const state of Object.values(menu.states)) {
    for (const option of state.options) add(option.do, option.on)
    add(state.pick?.do, state.pick?.on)
    add(state.do, state.on)
  }
  return brought
}

function reasonsOf(menu: Menu): Needed[] {
  const needed: Needed[] = engineReasons.map((reason) => ({
    key: `common.reasons.${reason}`,
    values: () => ({}),
  }))
  const add = (action: string | undefined, on: Outcomes | undefined) => {
    for (const outcome of Object.values(on ?? {}))
      if ('reason' in outcome && outcome.reason !== undefined)
        needed.push({
          key: `common.reasons.${outcome.reason}`,
          values: () => (action === undefined ? {} : (actions[action]?.values ?? {})),
        })
  }
  for (const state of Object.values(menu.states)) {
    for (const option of state.options) add(option.do, option.on)
    add(state.pick?.do, state.pick?.on)
    add(state.do, state.on)
  }
  return needed
}

function neededBy(menu: Menu, name: string, state: MenuState): Needed[] {
  const prefix = `${menu.menu}.${name}`
  const values = broughtTo(menu, name)
  const needed: Needed[] = [{ key: `${prefix}.text`, values: () => values, optional: state.needs.length > 0 }]
  for (const option of state.options)
    needed.push({ key: `${prefix}.options.${option.name}`, values: () => ({}) })
  for (const need of state.needs) {
    const source = sources[need]
    for (const [text, sample] of Object.entries(source?.texts ?? {}))
      needed.push({ key: `${prefix}.${text}`, values: sample })
    for (const [text, sample] of Object.entries(source?.optionTexts ?? {}))
      needed.push({ key: `${prefix}.options.${text}`, values: sample })
  }
  return needed
}

function checkTexts(menu: Menu, i18n: I18n, languages: readonly string[], report: Report): void {
  const needed = reasonsOf(menu)
  for (const [name, state] of Object.entries(menu.states)) needed.push(...neededBy(menu, name, state))
  checkNeeded(needed, i18n, languages, report)
  for (const [name, state] of Object.entries(menu.states))
    for (const language of languages)
      if (state.answer !== undefined && !i18n.has(language, 'sms', `answer.${state.answer}.discreet`))
        report(`${name}: locales/${language}/sms.json has no text "answer.${state.answer}.discreet"`)
}

function checkNeeded(
  needed: readonly Needed[],
  i18n: I18n,
  languages: readonly string[],
  report: Report,
): void {
  for (const { key, values, optional } of needed) {
    const used = new Map<string, string>()
    const somewhere = languages.some((language) => i18n.has(language, 'ussd', key))
    for (const language of languages) {
      if (!i18n.has(language, 'ussd', key)) {
        if (optional !== true || somewhere) report(`locales/${language}/ussd.json has no text "${key}"`)
        continue
      }
      const known = values(samplesOf(i18n.language(language), 'XOF'))
      const placeholders = placeholdersOf(i18n.text(language, 'ussd', key))
      for (const placeholder of placeholders)
        if (!Object.hasOwn(known, placeholder))
          report(`locales/${language}/ussd.json "${key}": {{${placeholder}}} is not known there`)
      used.set(language, placeholders.join(' '))
    }
    if (new Set(used.values()).size > 1)
      report(
        `"${key}": the languages do not show the same values (${[...used].map(([language, all]) => `${language}: ${all || 'none'}`).join('; ')})`,
      )
  }
}

/** i18next leaves a placeholder without a value as it stands. */
function placeholdersOf(text: string): string[] {
  return [...text.matchAll(/\{\{\s*(\w+)\s*\}\}/g)].map((match) => match[1] ?? '').sort()
}

function checkCommon(i18n: I18n, languages: readonly string[], report: Report): void {
  const needed: Needed[] = [
    ...words.map((word) => ({ key: `common.${word}`, values: () => ({}) })),
    ...Object.entries(closings).map(([name, values]) => ({ key: `common.${name}`, values })),
  ]
  checkNeeded(needed, i18n, languages, report)
}

// ---- Length ----------------------------------------------------------------------------------------------------

/** Lays every screen out with the longest values: no option may be cut, and screens that come first must be one page. */
function checkFit(menu: Menu, i18n: I18n, programme: ProgrammeLimits, report: Report): void {
  const reasons = reasonsOf(menu)
  for (const language of programme.languages) {
    if (!i18n.languages.has(language)) continue
    const info = i18n.language(language)
    const samples = samplesOf(info, programme.currencyCode)
    const text = ({ key, values }: Needed) =>
      i18n.has(language, 'ussd', key)
        ? spellGsm7(i18n.text(language, 'ussd', key, values(samples)), info.gsm7)
        : ''
    const word = (name: string) => text({ key: `common.${name}`, values: () => ({}) })
    const notices = reasons.map(text)
    const longestNotice = notices.reduce((one, other) => (other.length > one.length ? other : one), '')
    for (const [name, state] of Object.entries(menu.states)) {
      const where = `${name}: in ${language} for programme ${programme.code}`
      const isFirst = [menu.home, menu.gates.language, menu.gates.resume].includes(name)
      const limit = isFirst ? programme.screenSeptetsFirst : programme.screenSeptetsMax
      const all = neededBy(menu, name, state)
      const inOptions = (key: string) => key.includes(`${menu.menu}.${name}.options.`)
      const foot =
        state.kind === 'end' || name === menu.home ? [] : [`0 ${word('back')}`, `00 ${word('home')}`]
      const picks = state.needs.some((need) => (sources[need]?.optionsMax ?? 0) > 0)
      const options = all.filter(({ key }) => inOptions(key)).map((needed) => `9 ${text(needed)}`)
      if (picks && name !== menu.gates.language) options.push(`9 ${labelSample}`)
      const more = `98 ${word('more')}`
      for (const option of options)
        if (unitsOf([longestNotice, option, more, ...foot].join('\n')) > room(limit, option))
          report(`${where} an option with navigation is longer than ${limit}: "${option}"`)
      const lines = all.filter(({ key }) => !inOptions(key)).map(text)
      if (state.kind === 'end' && lines.some((line) => unitsOf(line) > room(limit, line)))
        report(`${where} the last screen is longer than ${limit}`)
      if (!isFirst) continue
      const listed =
        name === menu.gates.language ? programme.languages.map((code) => `9 ${spell(i18n, code)}`) : options
      // The one reason that may stand over the first screen from the start.
      const notice =
        name === menu.home ? text({ key: 'common.reasons.network_blocked', values: () => ({}) }) : undefined
      const { more: pages } = layOut({ notice, lines, options: listed, foot: [], more }, 0, limit)
      if (pages) report(`${where} the first screen is longer than ${limit}`)
    }
  }
}

function spell(i18n: I18n, code: string): string {
  const info = i18n.languages.get(code)
  return info === undefined ? code : spellGsm7(info.endonym, info.gsm7)
}

function unitsOf(text: string): number {
  return septetsOf(text) ?? text.length
}

function room(limit: number, text: string): number {
  return septetsOf(text) === undefined ? Math.min(limit, ucs2UnitsMax) : limit
}
