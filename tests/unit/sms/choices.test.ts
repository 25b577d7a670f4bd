import { expect, test } from 'vitest'
import { firstOutsideGsm7 } from '../../../src/encoding.ts'
import { loadI18n } from '../../../src/i18n.ts'
import { languageChoices } from '../../../src/sms/choices.ts'

const i18n = loadI18n('locales')
const belgian = ['fr', 'nl', 'ar', 'fa-AF']

test('a list for a GSM-7 text names another script in Latin letters', () => {
  const list = languageChoices(i18n, belgian, false)
  expect(list).toBe('fr (Francais), nl (Nederlands), ar (Arabic), fa-AF (Dari)')
  expect(firstOutsideGsm7(list)).toBeUndefined()
})

test('a list in own letters has a line for each, so that no line holds both directions of names', () => {
  expect(languageChoices(i18n, belgian, true)).toBe('fr Français\nnl Nederlands\nar العربية\nfa-AF دری')
})
