// In: a state, its data and a language. Out: the page to show and the options on it, spelt for GSM-7. Pure but for a cache of texts.
import { spell } from '../encoding.ts'
import type { I18n } from '../i18n.ts'
import type { LineValues, View } from './data.ts'
import { dialogueFacts } from './data.ts'
import { type Menu, type MenuState, textsAt } from './menu.ts'
import { layOut, type Page } from './screen.ts'
import type { Dialogue, ShownOption } from './session.ts'

export interface Notice {
  /** `common.reasons.<reason>`. */
  reason: string
  values?: LineValues | undefined
  /** It was said on another page of this screen. */
  quiet?: boolean | undefined
}

export interface Rendered extends Page {
  shown: ShownOption[]
  /** The options as they are written, also those on other pages. */
  labels: string[]
}

export const emptyView: View = { lines: [] }

export interface RenderRequest {
  menu: Menu
  state: MenuState
  dialogue: Dialogue
  view: View
  notice?: Notice | undefined
  language: string
  septetsMax: number
}

export type Renderer = ReturnType<typeof createRenderer>

export function createRenderer(i18n: I18n) {
  /** Texts of one state of the files: spelt and taken apart at their placeholders once a language. */
  const known = new Map<string, Map<string, string[]>>()

  /** Even parts are text, odd ones names of values. */
  function partsOf(language: string, key: string): string[] {
    let ofLanguage = known.get(language)
    if (ofLanguage === undefined) {
      ofLanguage = new Map()
      known.set(language, ofLanguage)
    }
    let parts = ofLanguage.get(key)
    if (parts === undefined) {
      const whole = i18n.text(language, 'ussd', key)
      parts = whole.split(/\{\{\s*(\w+)\s*\}\}/)
      for (let at = 0; at < parts.length; at += 2)
        parts[at] = spell(parts[at] ?? '', i18n.language(language).gsm7)
      ofLanguage.set(key, parts)
    }
    return parts
  }

  function text(language: string, key: string, values?: LineValues): string {
    const parts = partsOf(language, key)
    let filled = parts[0] ?? ''
    for (let at = 1; at < parts.length; at += 2) {
      const value = values?.[parts[at] ?? ''] ?? ''
      filled += spell(value, i18n.language(language).gsm7) + (parts[at + 1] ?? '')
    }
    return filled
  }

  function optionsOf({ menu, state, dialogue, view, language }: RenderRequest): {
    shown: ShownOption[]
    labels: string[]
  } {
    const shown: ShownOption[] = []
    const labels: string[] = []
    const prefix = `${textsAt(menu, dialogue.state)}.options.`
    let number = 0
    for (const option of view.options ?? []) {
      number += 1
      const key = String(number)
      shown.push({ key, name: '@pick', value: option.value })
      const label =
        'label' in option
          ? spell(option.label, i18n.language(option.labelLanguage).gsm7)
          : text(language, prefix + option.name, option.values)
      labels.push(`${key} ${label}`)
    }
    for (const option of state.options) {
      if (option.roles !== undefined && !option.roles.includes(dialogue.role)) continue
      if (option.when !== undefined && !holds(option.when, dialogue, view)) continue
      shown.push({ key: option.key, name: option.name })
      labels.push(`${option.key} ${text(language, prefix + option.name)}`)
    }
    return { shown, labels }
  }

  return {
    text,

    /** A closing screen outside any menu: `common.<name>`. */
    closing: (language: string, name: string, values?: LineValues): string =>
      `END ${text(language, `common.${name}`, values)}`,

    render(request: RenderRequest): Rendered {
      const { menu, state, dialogue, view, notice, language, septetsMax } = request
      const { shown, labels } = optionsOf(request)
      const prefix = `${textsAt(menu, dialogue.state)}.`
      const lines: string[] = []
      if (i18n.has(language, 'ussd', `${prefix}text`))
        lines.push(text(language, `${prefix}text`, dialogue.values))
      for (const line of view.lines) lines.push(text(language, prefix + line.name, line.values))
      const navigates =
        state.kind !== 'end' && dialogue.state !== menu.home && dialogue.language !== undefined
      const foot = navigates
        ? [`0 ${text(language, 'common.back')}`, `00 ${text(language, 'common.home')}`]
        : []
      const page = layOut(
        {
          notice:
            notice === undefined
              ? undefined
              : text(language, `common.reasons.${notice.reason}`, notice.values),
          noticeQuiet: notice?.quiet,
          lines,
          options: labels,
          foot,
          more: `98 ${text(language, 'common.more')}`,
          bare: state.bare,
        },
        dialogue.page,
        septetsMax,
      )
      return { ...page, shown, labels }
    },
  }
}

function holds(fact: string, dialogue: Dialogue, view: View): boolean {
  return view.facts?.includes(fact) === true || dialogueFacts[fact]?.(dialogue) === true
}
