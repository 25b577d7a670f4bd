// Held against two oracles that are not ours: the mapping table of the Unicode Consortium for 3GPP TS 23.038, and a public calculator.

import calculator from 'sms-segments-calculator'
import { describe, expect, test } from 'vitest'
import { estimateSms, measureSms, measureUssd, septetsOf, spell, ussdOctetsMax } from '../../src/encoding.ts'
import { loadI18n } from '../../src/i18n.ts'

/** Unicode, ETSI GSM 03.38 mapping table 1.1 (GSM0338.TXT): code points of the positions 0x00 to 0x7F, row by row; "----" is the escape. */
const defaultTable = `
  0040 00A3 0024 00A5 00E8 00E9 00F9 00EC 00F2 00C7 000A 00D8 00F8 000D 00C5 00E5
  0394 005F 03A6 0393 039B 03A9 03A0 03A8 03A3 0398 039E ---- 00C6 00E6 00DF 00C9
  0020 0021 0022 0023 00A4 0025 0026 0027 0028 0029 002A 002B 002C 002D 002E 002F
  0030 0031 0032 0033 0034 0035 0036 0037 0038 0039 003A 003B 003C 003D 003E 003F
  00A1 0041 0042 0043 0044 0045 0046 0047 0048 0049 004A 004B 004C 004D 004E 004F
  0050 0051 0052 0053 0054 0055 0056 0057 0058 0059 005A 00C4 00D6 00D1 00DC 00A7
  00BF 0061 0062 0063 0064 0065 0066 0067 0068 0069 006A 006B 006C 006D 006E 006F
  0070 0071 0072 0073 0074 0075 0076 0077 0078 0079 007A 00E4 00F6 00F1 00FC 00E0`
/** The same file: 0x1B0A, 0x1B14, 0x1B28, 0x1B29, 0x1B2F, 0x1B3C, 0x1B3D, 0x1B3E, 0x1B40, 0x1B65. */
const extensionTable = '000C 005E 007B 007D 005C 005B 007E 005D 007C 20AC'

const signsOf = (table: string) =>
  table
    .trim()
    .split(/\s+/)
    .filter((code) => code !== '----')
    .map((code) => String.fromCodePoint(Number.parseInt(code, 16)))

describe('the alphabet', () => {
  const basic = signsOf(defaultTable)
  const extension = signsOf(extensionTable)

  test('is that of TS 23.038: 127 signs of one septet, ten of two, and nothing else of the plane', () => {
    expect(basic).toHaveLength(127)
    for (const sign of basic) expect(septetsOf(sign), sign).toBe(1)
    for (const sign of extension) expect(septetsOf(sign), sign).toBe(2)
    const known = new Set([...basic, ...extension])
    for (let code = 0; code < 0x1_0000; code += 1) {
      const sign = String.fromCharCode(code)
      if (!known.has(sign)) expect(septetsOf(sign), code.toString(16)).toBeUndefined()
    }
  })

  test('has the capital Ç only: phones differ in what they show for a small one (note in the mapping table)', () => {
    expect(septetsOf('Ç')).toBe(1)
    expect(septetsOf('ç')).toBeUndefined()
  })
})

describe('an SMS', () => {
  test.each([
    ['160 septets', 'x'.repeat(160), 1],
    ['161 septets', 'x'.repeat(161), 2],
    ['306 septets', 'x'.repeat(306), 2],
    ['307 septets', 'x'.repeat(307), 3],
    ['80 euro signs', '€'.repeat(80), 1],
    ['an extension sign over the border of two parts', `${'x'.repeat(152)}€${'x'.repeat(152)}`, 3],
    ['70 units', 'ŋ'.repeat(70), 1],
    ['71 units', 'ŋ'.repeat(71), 2],
    ['134 units', 'ŋ'.repeat(134), 2],
    ['135 units', 'ŋ'.repeat(135), 3],
    ['a surrogate pair over the border of two parts', `${'ŋ'.repeat(66)}😀${'ŋ'.repeat(66)}`, 3],
    ['nothing', '', 1],
  ])('of %s', (_, text, segments) => {
    expect(measureSms(text).segments).toBe(segments)
    expect(segmentsByCalculator(text)).toBe(segments)
  })

  test('differs from the calculator on purpose in one thing: a letter and its mark may come into two parts, as networks cut them', () => {
    // The calculator keeps what people see as one letter together. The standard knows code units only, and what is sent is NFC.
    const apart = `${'ŋ'.repeat(66)}x\u0323${'ŋ'.repeat(66)}`
    expect(measureSms(apart).segments).toBe(2)
    expect(segmentsByCalculator(apart)).toBe(3)
  })
})

describe('a USSD string', () => {
  test('of 160 octets has 182 septets or 80 units (TS 23.038, 5)', () => {
    expect(measureUssd('x'.repeat(182))).toEqual({ encoding: 'gsm7', units: 182, octets: ussdOctetsMax })
    expect(measureUssd('x'.repeat(183)).octets).toBeGreaterThan(ussdOctetsMax)
    expect(measureUssd('ŋ'.repeat(80))).toEqual({ encoding: 'ucs2', units: 80, octets: ussdOctetsMax })
    expect(measureUssd('ŋ'.repeat(81)).octets).toBeGreaterThan(ussdOctetsMax)
  })

  test('is packed as octets really are: eight septets in seven octets', () => {
    for (let length = 0; length <= 200; length += 1)
      expect(measureUssd('x'.repeat(length)).octets).toBe(pack(length))
  })
})

describe('what a text costs', () => {
  test('names the letters that make it UCS-2 and what it would cost without them', () => {
    const text = `${'a'.repeat(100)} prêt ${'b'.repeat(20)} août`
    expect(estimateSms(text)).toMatchObject({
      encoding: 'ucs2',
      segments: 2,
      costly: ['ê', 'û'],
      over: { character: 'a', at: 70 },
      segmentsWithoutCostly: 1,
    })
  })

  test('names the character that pushes it over', () => {
    expect(estimateSms(`${'a'.repeat(160)}!`)).toMatchObject({
      segments: 2,
      over: { character: '!', at: 160 },
      costly: [],
    })
    expect(estimateSms(`${'a'.repeat(159)}€`)).toMatchObject({
      segments: 2,
      over: { character: '€', at: 159 },
    })
    expect(estimateSms('a'.repeat(160)).over).toBeUndefined()
  })
})

describe('a spelling', () => {
  const i18n = loadI18n('locales')
  const rulesOf = (tag: string) => i18n.language(tag).gsm7

  test.each([
    ['fr', 'Votre prêt a été reçu en août', 'Votre pret a été recu en aout'],
    ['fr', 'À côté, l’œuvre', "A coté, l'oeuvre"],
    ['wo', 'Jërëjëf, njàng, ŋaam', 'Jerejef, njàng, ngaam'],
    ['ht', 'Peye kòb la, mèsi', 'Peye kòb la, mèsi'],
    ['ff', 'Ɗoo woni ɓatakuru ƴeewto', 'Doo woni batakuru yeewto'],
    ['wo-x-script', 'Jërëjëf, ŋaam', 'Jërëjëf, ŋaam'],
    ['ur', 'شکریہ', 'شکریہ'],
  ])('in %s of "%s"', (tag, text, spelled) => {
    expect(spell(text, rulesOf(tag))).toBe(spelled)
  })

  test('takes a letter with a combining mark for the letter, and leaves no direction mark, joiner or hard space', () => {
    expect(spell('pre\u0302t', rulesOf('fr'))).toBe('pret')
    for (const tag of i18n.languages.keys())
      expect(spell('\u200f12\u202f500\u00a0F\u200e\u200d', rulesOf(tag))).toBe('12 500 F')
  })

  test('never drops a letter that no rule names', () => {
    expect(spell('Şirin', rulesOf('fr'))).toBe('Şirin')
  })
})

function segmentsByCalculator(text: string): number {
  return Math.max(1, new calculator.SegmentedMessage(text).segmentsCount)
}

/** Octets of so many septets, packed bit by bit. */
function pack(septets: number): number {
  const bits = Array.from({ length: septets * 7 }, () => 1)
  let octets = 0
  for (let at = 0; at < bits.length; at += 8) octets += 1
  return octets
}
