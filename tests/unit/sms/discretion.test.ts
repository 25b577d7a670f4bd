import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadI18n } from '../../../src/i18n.ts'
import { discretionFaults } from '../../../src/sms/discretion.ts'

const folder = mkdtempSync(join(tmpdir(), 'tama-locales-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** The faults of the house's texts with some of them changed. */
function faultsWith(language: string, changes: Record<string, string>): string[] {
  cpSync('locales', folder, { recursive: true })
  const file = join(folder, language, 'sms.json')
  const texts = JSON.parse(readFileSync(file, 'utf8')) as Record<string, unknown>
  for (const [key, text] of Object.entries(changes)) {
    const path = key.split('.')
    const last = path.pop() ?? ''
    let node = texts
    for (const part of path) {
      node[part] ??= {}
      node = node[part] as Record<string, unknown>
    }
    node[last] = text
  }
  writeFileSync(file, JSON.stringify(texts))
  // Each fault says in its own field where it stands; the sentence is what is compared.
  return discretionFaults(loadI18n(folder)).map(({ file, what }) => `${file}: ${what}`)
}

const fault = (language: string, key: string, what: string) =>
  `locales/${language}/sms.json: "${key}" is a discreet text and ${what}`

test('the texts of the house are discreet where they must be', () => {
  expect(discretionFaults(loadI18n('locales'))).toEqual([])
})

describe('a discreet text is refused that shows', () => {
  test.each([
    ['an amount', 'amount', 'an amount'],
    ['a balance', 'balance', 'an amount'],
    ['amounts in parts', 'parts', 'amounts'],
    ['the day of a debt', 'dueDate', 'the day of a debt'],
    ['her name', 'name', 'a name'],
    ['the facilitator’s name', 'signature', 'a name'],
    ['her group', 'group', 'a group'],
    ['where a group meets', 'place', 'the place of a group'],
    ['a value that nobody has looked at', 'surprise', 'not known to be discreet'],
  ])('%s', (_, value, why) => {
    const key = 'receipt.loan_repayment.discreet'
    expect(faultsWith('en', { [key]: `{{sender}}: news {{${value}}}` })).toEqual([
      fault('en', key, `shows {{${value}}}: ${why}`),
    ])
  })
})

describe('a discreet text is refused that says', () => {
  test.each([
    ['en', 'Your loan is near', 'loan*'],
    ['en', 'You owe a little', 'owe'],
    ['en', 'News of your group', 'group*'],
    ['fr', 'votre échéance approche', 'échéance*'],
    ['fr', 'votre PRÊT, faites', 'prêt'],
    ['fr', 'votre pret: faites', 'pret'],
    ['fr', 'des nouvelles du groupe', 'groupe*'],
    ['wo', 'sa bor. Tape:', 'bor'],
    ['wo', 'li  des. Tape:', 'li des'],
    ['wo', 'sa mbootaay', 'mbootaay'],
  ])('in %s: %s', (language, words, word) => {
    const key = 'reminder.due_soon.discreet'
    expect(faultsWith(language, { [key]: `{{sender}}: ${words} {{code}}` })).toEqual([
      fault(language, key, `says "${word}"`),
    ])
  })
})

test('a text without forms that may leave unasked is held to the same, its full forms are not', () => {
  expect(
    faultsWith('en', {
      'notice.plain': '{{sender}}: {{name}}, bring the money',
      'notice.formed.discreet': '{{sender}}: news. Dial {{code}}',
      'notice.formed.full': '{{sender}}: {{name}}, bring {{amount}}',
    }),
  ).toEqual([
    fault('en', 'notice.plain', 'shows {{name}}: a name'),
    fault('en', 'notice.plain', 'says "money"'),
  ])
})

test('words that only look alike pass, and a reply may name a keyword in capitals, but not say it', () => {
  expect(
    faultsWith('fr', { 'answer.dial.discreet': '{{sender}}: tout est prête, du nouveau {{code}}' }),
  ).toEqual([])
  expect(faultsWith('en', { 'reply.help': '{{sender}}: send BALANCE or STOP' })).toEqual([])
  expect(faultsWith('en', { 'reply.help': '{{sender}}: ask your balance' })).toEqual([
    fault('en', 'reply.help', 'says "balance*"'),
  ])
})

test('every fault is told at once', () => {
  const telling = '{{sender}}: {{name}}, your loan {{amount}}'
  expect(
    faultsWith('en', { 'reminder.due_soon.discreet': telling, 'loan.disbursed.discreet': telling }),
  ).toHaveLength(6)
})
