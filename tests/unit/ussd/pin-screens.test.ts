import { expect, test } from 'vitest'
import { loadI18n } from '../../../src/i18n.ts'
import { takesPin } from '../../../src/ussd/actions-pin.ts'
import { checkFit } from '../../../src/ussd/check-fit.ts'
import { loadMenus } from '../../../src/ussd/menu.ts'
import { createPinScreens } from '../../../src/ussd/pin-screens.ts'
import { createRenderer } from '../../../src/ussd/render.ts'

const i18n = loadI18n('locales')
const menus = loadMenus('menus')
const pins = createPinScreens(i18n, menus)
const tags = i18n.bases

test('in every language exactly the screens that take a PIN are known for it', () => {
  const programmes = tags.map((tag) => ({
    code: 'any',
    menu: 'member',
    languages: [tag],
    currencyCode: 'XOF',
    screenSeptetsFirst: 140,
    screenSeptetsMax: 160,
  }))
  const { screens } = checkFit(menus, i18n, programmes)
  const asksPin = (menu: string, state: string) => takesPin.has(menus.get(menu)?.states[state]?.do ?? '')
  const wrong = screens.filter(({ menu, state, text }) => pins.asks(text) !== asksPin(menu, state))
  expect(wrong.map(({ tag, state, text }) => [tag, state, text])).toEqual([])
  const asking = screens.filter(({ text }) => pins.asks(text))
  expect(new Set(asking.map(({ tag, menu, state }) => `${tag} ${menu}.${state}`)).size).toBe(tags.length * 8)
})

test.each(tags)('in %s a screen says what was wrong with a PIN, and nothing when nothing was', (tag) => {
  const { text } = createRenderer(i18n)
  const below = `\n${text(tag, 'member.pin.text')}`
  const said = (['wrong', 'malformed', 'weak', 'different'] as const).map((fault) =>
    pins.faultIn(text(tag, `common.reasons.pin_${fault}`, { left: '2' }) + below),
  )
  expect(said).toEqual(['wrong', 'malformed', 'weak', 'different'])
  expect(pins.faultIn(text(tag, 'member.pin_locked.text'))).toBe('wrong')
  expect(pins.faultIn(text(tag, 'member.pin.text'))).toBeUndefined()
})
