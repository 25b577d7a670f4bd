import { expect, test } from 'vitest'
import { elapsedMs } from '../../src/clock.ts'
import { anyProgramme } from '../../src/commands/menus-programme.ts'
import { describeFault } from '../../src/fault.ts'
import { loadI18n } from '../../src/i18n.ts'
import { prove } from '../../src/proof.ts'
import { loadMenus } from '../../src/ussd/menu.ts'
import { showFigure } from '../support/promises.ts'

/** One programme a way to write a language, in a currency with decimals and one without. */
const programmes = (tags: Iterable<string>) =>
  [...tags].flatMap((tag) =>
    ['XOF', 'EUR'].map((currencyCode) => ({
      ...anyProgramme(tag, currencyCode),
      code: `${tag} ${currencyCode}`,
    })),
  )

test('L2: every screen and SMS fits its carrier in every way to write every language with the longest data', () => {
  const i18n = loadI18n('locales')
  const menus = loadMenus('menus')
  const { faults, screens, texts } = prove(menus, i18n, programmes(i18n.languages.keys()))
  expect(faults.map(describeFault)).toEqual([])
  for (const { text, units, limit } of screens) expect(units, text).toBeLessThanOrEqual(limit)
  const startedMs = elapsedMs()
  const house = prove(
    menus,
    i18n,
    programmes(i18n.bases).filter(({ currencyCode }) => currencyCode === 'XOF'),
  )
  const seconds = (elapsedMs() - startedMs) / 1_000
  showFigure(
    'L2',
    `${i18n.languages.size} ways to write ${i18n.bases.length} languages, ${screens.length} pages and ${texts.length} SMS: 0 too long; the ${i18n.bases.length} languages alone (${house.screens.length} pages) in ${seconds.toFixed(1)} s`,
  )
}, 120_000)
