import calculator from 'sms-segments-calculator'
import { expect, test } from 'vitest'
import { measureSms } from '../../src/encoding.ts'
import { loadI18n } from '../../src/i18n.ts'
import { createRandom } from '../../src/simulator/random.ts'
import { atScale, showFigure } from '../support/promises.ts'

const rounds = atScale(4_000, 100_000)

test('L1: segments and alphabet are as a public calculator counts them, over random texts of all our alphabets', () => {
  const { next: random } = createRandom(7_391)
  const alphabets = alphabetsOfTheHouse()
  const pick = <Item>(items: readonly Item[]) => items[Math.floor(random() * items.length)] as Item
  let several = 0
  let ucs2 = 0
  for (let round = 0; round < rounds; round += 1) {
    const alphabet = pick(alphabets)
    const other = pick(alphabets)
    const length = Math.floor(random() ** 2 * 340)
    // Now and then one letter of another alphabet: that is what makes a text expensive.
    const text = Array.from({ length }, () => pick(random() < 0.003 ? other : alphabet)).join('')
    const { encoding, segments } = measureSms(text)
    const theirs = new calculator.SegmentedMessage(text)
    if (segments > 1) several += 1
    if (encoding === 'ucs2') ucs2 += 1
    const same =
      segments === theirs.segmentsCount && (encoding === 'gsm7') === (theirs.encodingName === 'GSM-7')
    if (!same)
      expect.fail(
        `${JSON.stringify(text)}: ours ${segments} ${encoding}, theirs ${theirs.segmentsCount} ${theirs.encodingName}`,
      )
  }
  expect(several).toBeGreaterThan(rounds / 5)
  expect(ucs2).toBeGreaterThan(rounds / 5)
  showFigure(
    'L1',
    `${rounds} texts, ${ucs2} of them in UCS-2, ${several} of several segments: the same count for all`,
  )
}, 900_000)

/** GSM-7 with its extension, emoji, and the letters of every language that we write. */
function alphabetsOfTheHouse(): string[][] {
  const i18n = loadI18n('locales')
  const ofLanguages = i18n.bases.map((tag) => {
    const texts = [...i18n.keys(tag, 'ussd')].map((key) => i18n.text(tag, 'ussd', key)).join('')
    // A mark by itself joins the letter before it in the calculator's eyes: tests/unit/encoding names that difference.
    return [...new Set(texts.normalize('NFC'))].filter((sign) => !/[\p{M}\p{Cf}\r]/u.test(sign))
  })
  return [[...'abc xyzÉÄΩ@£\n€[]~|^{}'], [...'abc €[]ŋ😀🙏ñ'], ...ofLanguages]
}
