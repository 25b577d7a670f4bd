// In: menus, a language and everyday values. Out: every screen as a phone shows it, with the keys of its texts. Laid out by the renderer that serves members.
import { measureUssd } from '../encoding.ts'
import type { I18n } from '../i18n.ts'
import type { ProgrammeLimits } from '../ussd/check.ts'
import { closingTexts, neededBy, reasonsIn } from '../ussd/check-texts.ts'
import { type DataOption, type Samples, sources, type View } from '../ussd/data.ts'
import { isMenuOf, type Menu, type MenuState } from '../ussd/menu.ts'
import { createRenderer, type Renderer } from '../ussd/render.ts'
import { ucs2UnitsMax } from '../ussd/screen.ts'
import { newDialogue } from '../ussd/session.ts'
import { rolesOf } from './diagram.ts'

export interface PhonePage {
  text: string
  encoding: 'gsm7' | 'ucs2'
  units: number
  limit: number
}

export interface StateScreens {
  menu: string
  state: string
  kind: MenuState['kind']
  pin: boolean
  /** The gate that it is, if it is one. */
  gate: string | undefined
  keys: string[]
  /** One list of pages for each thing that the data can say. */
  views: PhonePage[][]
}

export interface PlainAsk {
  i18n: I18n
  menus: ReadonlyMap<string, Menu>
  programme: ProgrammeLimits
  tag: string
  samples: Samples
}

const pagesMax = 20

/** Every state of the programme's menu and of the public one, in the order of the files. */
export function plainScreens(ask: PlainAsk): StateScreens[] {
  const renderer = createRenderer(ask.i18n)
  return [...ask.menus.values()]
    .filter(({ menu }) => isMenuOf(ask.programme, { menu }))
    .flatMap((menu) =>
      Object.entries(menu.states).map(([name, state]): StateScreens => {
        const gate = Object.entries(menu.gates).find(([, gateState]) => gateState === name)?.[0]
        return {
          menu: menu.menu,
          state: name,
          kind: state.kind,
          pin: state.pin,
          gate,
          keys: neededBy(menu, name, state)
            .map(({ key }) => key)
            .filter((key) => ask.i18n.has(ask.tag, 'ussd', key)),
          views: viewsOf(ask, renderer, menu, name, state),
        }
      }),
    )
}

function viewsOf(ask: PlainAsk, renderer: Renderer, menu: Menu, name: string, state: MenuState) {
  const roles = state.roles ?? rolesOf(menu)
  const found = roles.flatMap((role) =>
    plainViews(ask, state).map((view) => pagesOf(ask, renderer, { menu, name, state, role, view })),
  )
  const seen = new Set<string>()
  return found.filter((pages) => {
    const text = pages.map((page) => page.text).join('\f')
    return !seen.has(text) && seen.add(text)
  })
}

interface Shown {
  menu: Menu
  name: string
  state: MenuState
  role: string
  view: View
}

function pagesOf(
  { i18n, programme, tag, samples }: PlainAsk,
  renderer: Renderer,
  { menu, name, state, role, view }: Shown,
): PhonePage[] {
  const isFirst = [menu.home, menu.gates.language, menu.gates.resume].includes(name)
  const septetsMax = isFirst ? programme.screenSeptetsFirst : programme.screenSeptetsMax
  const values = neededBy(menu, name, state)[0]?.values(samples)
  const pages: PhonePage[] = []
  for (let page = 0; page < pagesMax; page += 1) {
    const dialogue = { ...newDialogue, state: name, page, language: tag, role, hasPin: true, values }
    const rendered = renderer.render({ menu, state, dialogue, view, language: tag, septetsMax })
    pages.push(measured(rendered.text, septetsMax))
    if (!rendered.more) break
  }
  return pages.length === 0 ? [measured(i18n.language(tag).endonym, septetsMax)] : pages
}

export function measured(text: string, septetsMax: number): PhonePage {
  const { encoding, units } = measureUssd(text)
  return {
    text,
    encoding,
    units,
    limit: encoding === 'gsm7' ? septetsMax : Math.min(ucs2UnitsMax, septetsMax),
  }
}

/** First what the data mostly says, then each line that stands alone; options in the number that one screen offers. */
function plainViews({ i18n, tag, programme, samples }: PlainAsk, state: MenuState): View[] {
  const lines: View['lines'] = []
  const alone: View[] = []
  const facts: string[] = []
  let offers: DataOption[][] = [[]]
  for (const need of state.needs) {
    const source = sources[need]
    if (source === undefined) continue
    for (const [name, valuesOf] of Object.entries(source.texts)) {
      const line = { name, values: valuesOf(samples) }
      if (source.alone?.includes(name) === true) alone.push({ lines: [line] })
      else lines.push(line)
    }
    facts.push(...(source.facts ?? []))
    const options: DataOption[] = [
      ...Object.entries(source.optionTexts ?? {}).map(([name, valuesOf]) => ({
        name,
        values: valuesOf(samples),
        value: '',
      })),
      ...(source.labels?.(i18n, tag, programme.languages) ?? []).map((label) => ({ ...label, value: '' })),
    ]
    if (options.length > 0) offers = inParts(options, source.optionsMax ?? options.length)
  }
  return [...offers.map((options) => ({ lines, options, facts })), ...alone]
}

function inParts<Item>(items: readonly Item[], most: number): Item[][] {
  const parts: Item[][] = []
  for (let at = 0; at < items.length; at += most) parts.push(items.slice(at, at + most))
  return parts
}

export interface SingleText {
  key: string
  text: string
}

/** What stands above a screen when something was not right, below every screen, or instead of one. */
export function plainSingles({ i18n, menus, tag, samples }: PlainAsk): SingleText[] {
  const renderer = createRenderer(i18n)
  const values = new Map<string, Readonly<Record<string, string>>>()
  for (const menu of menus.values())
    for (const { reason, values: valuesOf } of reasonsIn(menu))
      values.set(`common.reasons.${reason}`, {
        ...values.get(`common.reasons.${reason}`),
        ...valuesOf(samples),
      })
  for (const { key, values: valuesOf } of closingTexts()) values.set(key, valuesOf(samples))
  return [...i18n.keys(tag, 'ussd')]
    .filter((key) => key.startsWith('common.'))
    .map((key) => ({ key, text: renderer.text(tag, key, values.get(key)) }))
}
