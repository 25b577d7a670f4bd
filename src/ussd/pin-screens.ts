// In: menus and texts. Out: whether a screen asks for a PIN, and what a screen says of the PIN typed before it.
// For those who see only screens, as the network does; must never look at an input.
import { spell } from '../encoding.ts'
import { type I18n, placeholdersOf } from '../i18n.ts'
import { takesPin } from './actions-pin.ts'
import { type Menu, textsAt } from './menu.ts'

/** What was wrong with a PIN. */
export const pinFaults = ['wrong', 'malformed', 'weak', 'different'] as const
export type PinFault = (typeof pinFaults)[number]

export interface PinScreens {
  asks(screen: string): boolean
  faultIn(screen: string): PinFault | undefined
}

export function createPinScreens(i18n: I18n, menus: ReadonlyMap<string, Menu>): PinScreens {
  const asking = new Set<string>()
  const faults: { fault: PinFault; line: RegExp }[] = []
  for (const { code, gsm7 } of i18n.languages.values()) {
    const text = (key: string) => spell(i18n.text(code, 'ussd', key), gsm7)
    for (const menu of menus.values())
      for (const [name, state] of Object.entries(menu.states)) {
        if (state.do === undefined || !takesPin.has(state.do)) continue
        asking.add(text(`${textsAt(menu, name)}.text`))
        // A PIN action that ends the dialogue: too many wrong ones.
        for (const { to } of Object.values(state.on ?? {}))
          if (state.do === 'check_pin' && menu.states[to]?.kind === 'end')
            faults.push({ fault: 'wrong', line: lineOf(text(`${textsAt(menu, to)}.text`)) })
      }
    for (const fault of pinFaults) faults.push({ fault, line: lineOf(text(`common.reasons.pin_${fault}`)) })
  }
  return {
    asks: (screen) => screen.split('\n').some((line) => asking.has(line)),
    faultIn: (screen) => {
      const first = screen.split('\n', 1)[0] ?? ''
      return faults.find(({ line }) => line.test(first))?.fault
    },
  }
}

/** The text as a whole line, anything where its values stand. */
function lineOf(text: string): RegExp {
  const escaped = text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(
    `^${placeholdersOf(text).reduce((line) => line.replace(/\\\{\\\{\s*\w+\s*\\\}\\\}/, '.+'), escaped)}$`,
  )
}
