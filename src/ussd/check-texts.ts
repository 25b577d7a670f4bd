// In: menus and texts. Out: every text that is missing, unused, or shows a value that is not known there.
import type { Fault } from '../fault.ts'
import { type I18n, modelAmong, placeholdersOf } from '../i18n.ts'
import { actions } from './actions.ts'
import { type LineValues, type Samples, samplesOf, sources } from './data.ts'
import { type Menu, type MenuState, type Outcomes, perMenu, placeIn, textsAt } from './menu.ts'

/** Closing screens outside any menu: `common.<name>`. */
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

/** What is said of a text that no menu shows. */
export const unusedText = 'stands on no screen'

/** A text that a screen needs, and the longest values that it may use. */
export interface Needed {
  key: string
  values: (sample: Samples) => LineValues
  optional?: boolean
}

const nothing = () => ({})

/** Every fault of the USSD texts in these languages. */
export function screenTextFaults(
  menus: ReadonlyMap<string, Menu>,
  i18n: I18n,
  languages: readonly string[],
): Fault[] {
  const bases = [...new Set(languages.map((tag) => i18n.language(tag).base))]
  const needed = new Map(commonTexts().map((text) => [text.key, text]))
  for (const menu of menus.values())
    for (const text of textsOfMenu(menu)) needed.set(text.key, merged(needed.get(text.key), text))
  return [
    ...[...needed.values()].flatMap((text) => neededFaults(text, i18n, bases)),
    ...bases.flatMap((tag) => unusedFaults(i18n, tag, needed)),
    ...[...menus.values()].flatMap((menu) => answerFaults(menu, i18n, bases)),
  ]
}

/** The same text in two places may use only what both know. */
function merged(one: Needed | undefined, other: Needed): Needed {
  if (one === undefined) return other
  return {
    key: one.key,
    values: (sample) => ({ ...one.values(sample), ...other.values(sample) }),
    ...(one.optional === true && other.optional === true ? { optional: true } : {}),
  }
}

function commonTexts(): Needed[] {
  return [
    ...words.map((word) => ({ key: `common.${word}`, values: nothing })),
    ...closingTexts(),
    ...engineReasons.map((reason) => ({ key: `common.reasons.${reason}`, values: nothing })),
  ]
}

export function closingTexts(): Needed[] {
  return Object.entries(closings).map(([name, values]) => ({ key: `common.${name}`, values }))
}

function textsOfMenu(menu: Menu): Needed[] {
  return Object.entries(menu.states).flatMap(([name, state]) => [
    ...reasonsFrom(state).map(({ reason, values }) => ({ key: `common.reasons.${reason}`, values })),
    ...neededBy(menu, name, state),
  ])
}

/** Every action of a state with what may follow it. */
function actionsOf(state: MenuState): { action: string; on: Outcomes | undefined }[] {
  return [
    ...state.options.flatMap((option) =>
      option.do === undefined ? [] : [{ action: option.do, on: option.on }],
    ),
    ...(state.pick === undefined ? [] : [{ action: state.pick.do, on: state.pick.on }]),
    ...(state.do === undefined ? [] : [{ action: state.do, on: state.on }]),
  ]
}

/** The reasons that a state's actions can give, and over which state each stands ("@same" and the like included). */
function reasonsFrom(state: MenuState): { reason: string; to: string; values: Needed['values'] }[] {
  return actionsOf(state).flatMap(({ action, on }) =>
    Object.values(on ?? {}).flatMap((outcome) =>
      'reason' in outcome && outcome.reason !== undefined
        ? [{ reason: outcome.reason, to: outcome.to, values: actions[action]?.values ?? nothing }]
        : [],
    ),
  )
}

/** Values that outcomes of actions bring to a state. */
function broughtTo(menu: Menu, target: string): Needed['values'] {
  const bringing = bringingIn(menu).get(target) ?? []
  return (sample) => Object.assign({}, ...bringing.map((action) => actions[action]?.values?.(sample) ?? {}))
}

/** Actions by the states that their outcomes lead to. */
const bringingIn = perMenu((menu) => {
  const found = new Map<string, string[]>()
  for (const { action, on } of Object.values(menu.states).flatMap(actionsOf))
    for (const target of new Set(Object.values(on ?? {}).map(({ to }) => to)))
      found.set(target, [...(found.get(target) ?? []), action])
  return found
})

/** Every reason that the actions of a menu can give, with the state that gives it. */
export const reasonsIn = perMenu((menu) =>
  Object.entries(menu.states).flatMap(([from, state]) =>
    reasonsFrom(state).map((reason) => ({ from, ...reason })),
  ),
)

/** The texts of one state. */
export function neededBy(menu: Menu, name: string, state: MenuState): Needed[] {
  const prefix = textsAt(menu, name)
  const needed: Needed[] = [
    { key: `${prefix}.text`, values: broughtTo(menu, name), optional: state.needs.length > 0 },
    ...state.options.map((option) => ({ key: `${prefix}.options.${option.name}`, values: nothing })),
  ]
  for (const need of state.needs) {
    const source = sources[need]
    for (const [text, values] of Object.entries(source?.texts ?? {}))
      needed.push({ key: `${prefix}.${text}`, values })
    for (const [text, values] of Object.entries(source?.optionTexts ?? {}))
      needed.push({ key: `${prefix}.options.${text}`, values })
  }
  return needed
}

function neededFaults({ key, values, optional }: Needed, i18n: I18n, languages: readonly string[]): Fault[] {
  const faults: Fault[] = []
  const shown = new Map<string, string>()
  const somewhere = modelAmong(languages.filter((tag) => i18n.has(tag, 'ussd', key)))
  for (const tag of languages) {
    if (!i18n.has(tag, 'ussd', key)) {
      if (optional !== true || somewhere !== undefined) faults.push(missing(i18n, tag, key, somewhere))
      continue
    }
    const known = values(samplesOf(i18n, tag, 'XOF'))
    const text = i18n.text(tag, 'ussd', key)
    const placeholders = placeholdersOf(text)
    // Looked up only for what is wrong: it walks through the file.
    const place = () => i18n.place(tag, 'ussd.json', key.split('.'))
    for (const placeholder of placeholders)
      if (!Object.hasOwn(known, placeholder))
        faults.push({
          ...place(),
          what: `"${key}": {{${placeholder}}} is not known there`,
          text,
          remedy: `Known: ${
            Object.keys(known)
              .map((name) => `{{${name}}}`)
              .join(', ') || 'no value'
          }.`,
        })
    const all = placeholders.map((name) => `{{${name}}}`).join(' ') || 'none'
    const [first] = shown
    if (first !== undefined && first[1] !== all)
      faults.push({
        ...place(),
        what: `"${key}": the languages do not show the same values (${first[0]}: ${first[1]}; ${tag}: ${all})`,
        text,
        remedy: 'Show the same values in every language.',
      })
    shown.set(tag, all)
  }
  return faults
}

function missing(i18n: I18n, tag: string, key: string, somewhere: string | undefined): Fault {
  const model =
    somewhere === undefined ? '' : ` In ${somewhere}: ${JSON.stringify(i18n.text(somewhere, 'ussd', key))}.`
  const { file, language, line } = i18n.place(tag, 'ussd.json', key.split('.'))
  return { file, line, language, what: `has no text "${key}"`, remedy: `Add it.${model}` }
}

function unusedFaults(i18n: I18n, tag: string, needed: ReadonlyMap<string, Needed>): Fault[] {
  return [...i18n.keys(tag, 'ussd')]
    .filter((key) => !needed.has(key))
    .map((key) => ({
      ...i18n.place(tag, 'ussd.json', key.split('.')),
      what: `"${key}" ${unusedText}`,
      text: i18n.text(tag, 'ussd', key),
      remedy: 'Delete it, or look for a slip in its name.',
    }))
}

function answerFaults(menu: Menu, i18n: I18n, languages: readonly string[]): Fault[] {
  return Object.entries(menu.states).flatMap(([name, { answer }]) =>
    answer === undefined
      ? []
      : languages
          .filter((tag) => !i18n.has(tag, 'sms', `answer.${answer}.discreet`))
          .map((tag) => ({
            ...placeIn(menu, ['states', name, 'answer']),
            language: tag,
            what: `${name}: locales/${tag}/sms.json has no text "answer.${answer}.discreet"`,
            remedy: 'Add it.',
          })),
  )
}
