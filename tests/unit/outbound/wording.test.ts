import { describe, expect, test } from 'vitest'
import { loadI18n } from '../../../src/i18n.ts'
import { fitValue } from '../../../src/outbound/wording.ts'

const french = loadI18n('locales').language('fr')

describe('a value out of the data', () => {
  test.each([
    ['Awa', 'Awa'],
    ['  Awa\n Diatta ', 'Awa Diatta'],
    ['Françoise', 'Francoise'],
    ['Ndèye', 'Ndèye'],
    ['Şükran', 'Sükran'],
    ['N’Diaye', "N'Diaye"],
    ['', ''],
  ])('%j stands in a text as %j', (value, spelled) => {
    expect(fitValue(value, french, 20)).toBe(spelled)
  })

  test('is cut to length without a space at the end', () => {
    expect(fitValue('Sous le grand fromager', french, 8)).toBe('Sous le')
  })

  test('keeps a script that has no other spelling: the text then costs more, but is right', () => {
    expect(fitValue('ዓለም', french, 20)).toBe('ዓለም')
  })
})
