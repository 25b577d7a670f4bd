// What people type into a locale file, and what they are told about it.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { describeFault } from '../../src/fault.ts'
import { readI18n } from '../../src/i18n.ts'
import { readTexts } from '../../src/texts.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tama-locales-'))
  cpSync('locales', join(folder, 'locales'), { recursive: true })
  cpSync('menus', join(folder, 'menus'), { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true }))

const path = (file: string) => join(folder, 'locales', file)
function change(file: string, from: string, to: string): void {
  const before = readFileSync(path(file), 'utf8')
  expect(before).toContain(from)
  writeFileSync(path(file), before.replace(from, to))
}
const faults = () =>
  readTexts({ locales: join(folder, 'locales'), menus: join(folder, 'menus') }).faults.map(describeFault)

test('the files of the house have no fault', () => {
  expect(faults()).toEqual([])
})

describe('is refused with file, line and remedy:', () => {
  test.each<[string, string, string, string, RegExp]>([
    [
      'invalid JSON',
      'wo/sms.json',
      '"receipt": {',
      '"receipt" {',
      /^locales\/wo\/sms\.json:2: is no JSON here .*\. Look at/,
    ],
    [
      'a comment',
      'wo/sms.json',
      '"receipt": {',
      '// hello\n"receipt": {',
      /^locales\/wo\/sms\.json:2: is no JSON here/,
    ],
    [
      'a key twice',
      'wo/ussd.json',
      '"home": "Menu",',
      '"home": "Menu",\n"back": "Dellu",',
      /^locales\/wo\/ussd\.json:5: the key "back" stands twice\. Keep one/,
    ],
    [
      'an unknown placeholder',
      'wo/ussd.json',
      'Li des: {{amount}}',
      'Li des: {{sum}}',
      /^locales\/wo\/ussd\.json:\d+: "member\.account\.outstanding": \{\{sum\}\} is not known there: .*\. Known: \{\{amount\}\}\./,
    ],
    [
      'a placeholder that lost a brace',
      'wo/ussd.json',
      'Li des: {{amount}}',
      'Li des: {{amount}',
      /broken \{\{placeholder\}\}/,
    ],
    [
      'a reference to another text',
      'wo/ussd.json',
      'Li des: {{amount}}',
      'Li des: $t(common.back) {{amount}}',
      /broken \{\{placeholder\}\}/,
    ],
    [
      'a control character',
      'wo/ussd.json',
      'Dalal ak jàmm',
      'Dalal\\u0007 ak jàmm',
      /^locales\/wo\/ussd\.json:\d+: member\.home\.text: has a control character/,
    ],
    [
      'a text of 10,000 characters',
      'wo/ussd.json',
      'Dalal ak jàmm',
      'x'.repeat(10_000),
      /member\.home\.text: is longer than 500 characters/,
    ],
    [
      'a word of two scripts',
      'wo/ussd.json',
      'Dalal ak jàmm',
      'D\u0430lal ak jàmm',
      /"D\u0430lal" mixes scripts \(Latin, Cyrillic\).*Type the word again/,
    ],
    [
      'a word in another script',
      'wo/ussd.json',
      'Dalal ak jàmm',
      'Здравствуйте',
      /"Здравствуйте" is not in the script of Wolof/,
    ],
    [
      'a mark before its letter, as Zawgyi has it',
      'wo/ussd.json',
      'Dalal ak jàmm',
      '\u1031\u1019\u1014\u1039',
      /a mark stands before its letter, as in Zawgyi/,
    ],
    ['an empty text', 'wo/ussd.json', '"Dalal ak jàmm"', '" "', /member\.home\.text: is empty/],
    [
      'a text that is an array',
      'wo/ussd.json',
      '"Dalal ak jàmm"',
      '["Dalal"]',
      /member\.home\.text: must be a text/,
    ],
    [
      'an unknown field of a language',
      'wo/language.json',
      '"direction": "ltr",',
      '"direction": "ltr", "colour": "red",',
      /^locales\/wo\/language\.json:\d+: .*colour/,
    ],
    [
      'a language without its months',
      'wo/language.json',
      '"samwiyee",',
      '',
      /^locales\/wo\/language\.json:\d+: months: /,
    ],
    [
      'a comma as decimal mark beside a right-to-left script',
      'ar/language.json',
      '"decimalMark": "."',
      '"decimalMark": ","',
      /decimalMark: must be "\."/,
    ],
  ])('%s', (_, file, from, to, fault) => {
    change(file, from, to)
    expect(faults()).toContainEqual(expect.stringMatching(fault))
  })

  test('a file that is missing or empty', () => {
    rmSync(path('wo/glossary.json'))
    writeFileSync(path('wo/consent.json'), '')
    expect(faults()).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^locales\/wo\/glossary\.json: is missing\. Copy/),
        expect.stringMatching(/^locales\/wo\/consent\.json:1: /),
      ]),
    )
  })

  test('all of them at once', () => {
    change('wo/sms.json', '"receipt": {', '"receipt" {')
    change('ff/ussd.json', '"home": "Menu",', '"home": "Menu",\n"home": "Menu",')
    change('ar/language.json', '"rtl"', '"up"')
    const told = faults().join('\n')
    for (const file of ['wo/sms.json:2', 'ff/ussd.json:5', 'ar/language.json:4'])
      expect(told).toContain(`locales/${file}: `)
  })
})

test('an SMS that every language lacks, and one that no code sends, are faults', () => {
  const files = readdirSync(join(folder, 'locales')).map((tag) => `${tag}/sms.json`)
  for (const file of files) change(file, '"language_set"', '"language_sett"')
  const told = faults()
  for (const file of files) {
    expect(told).toContainEqual(
      expect.stringContaining(`locales/${file}:1: has no text "reply.language_set"`),
    )
    expect(told).toContainEqual(expect.stringMatching(/"reply\.language_sett" is in no message/))
  }
})

test('a decomposed letter is taken for the letter', () => {
  change('wo/ussd.json', 'Dalal ak jàmm', 'Dalal ak ja\u0300mm')
  expect(faults()).toEqual([])
  expect(readI18n(join(folder, 'locales')).i18n.text('wo', 'ussd', 'member.home.text')).toBe('Dalal ak jàmm')
})
