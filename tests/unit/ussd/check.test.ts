import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { StartError } from '../../../src/errors.ts'
import { describeFault } from '../../../src/fault.ts'
import { loadI18n } from '../../../src/i18n.ts'
import { prove } from '../../../src/proof.ts'
import { checkFit } from '../../../src/ussd/check-fit.ts'
import { pathFaults, pathsOf } from '../../../src/ussd/check-paths.ts'
import { checkServiceCodes } from '../../../src/ussd/dial-codes.ts'
import { loadMenus, type Menu, parseMenu, readMenus } from '../../../src/ussd/menu.ts'

const good = readFileSync('menus/member.yaml', 'utf8')
const { parts } = readMenus('menus')
const parsed = (text: string, where = 'menu') => parseMenu(text, where, parts)
const programme = {
  code: 'fansoto',
  menu: 'member',
  languages: ['fr', 'en', 'wo'],
  currencyCode: 'XOF',
  screenSeptetsFirst: 140,
  screenSeptetsMax: 160,
  segmentsMax: 1,
  optOutTail: null,
  draftLanguages: [],
}
const languages = readdirSync('locales')

/** The public menu beside it: its texts stand in the same files. */
const menusWith = (menu: Menu) => new Map(loadMenus('menus')).set('member', menu)

const folder = mkdtempSync(join(tmpdir(), 'tama-locales-'))
cpSync('locales', folder, { recursive: true })
afterAll(() => rmSync(folder, { recursive: true }))

/** The faults of a menu, and of locales changed by `change`. */
function faultsOf(menu: Menu, change?: { language: string; from: string; to: string }): readonly string[] {
  const file = change === undefined ? '' : join(folder, change.language, 'ussd.json')
  const before = change === undefined ? '' : readFileSync(file, 'utf8')
  if (change !== undefined) {
    expect(before).toContain(change.from)
    writeFileSync(file, before.replace(change.from, change.to))
  }
  try {
    return prove(menusWith(menu), loadI18n(folder), [programme]).faults.map(describeFault)
  } catch (error) {
    if (error instanceof StartError) return error.faults
    throw error
  } finally {
    if (change !== undefined) writeFileSync(file, before)
  }
}

const changed = (from: string, to: string): Menu => {
  expect(good).toContain(from)
  return parsed(good.replace(from, to))
}

const same = parsed(good)

test('the menus of the house have no fault in any language', () => {
  const every = languages.map((tag) => ({ ...programme, languages: [tag], segmentsMax: 3 }))
  expect(prove(loadMenus('menus'), loadI18n('locales'), every).faults.map(describeFault)).toEqual([])
})

describe('the start is refused for', () => {
  test.each<[string, string, string, RegExp]>([
    ['an unknown target', 'to: meeting }', 'to: meetings }', /unknown state "meetings"/],
    ['an unreachable state', '- { key: "6", name: help, to: help }', '', /help: no way leads here/],
    [
      'a dead end',
      '    options:\n      - key: "1"\n        name: go\n        do: begin_pin_change\n        on:\n          has_pin: { to: pin_old, target: pin_changed }\n          no_pin: { to: pin_new, target: pin_changed }\n',
      '',
      /dead end/,
    ],
    ['unknown data', 'needs: [savings]', 'needs: [saving]', /unknown data "saving"/],
    ['an unknown action', 'do: ask_adviser', 'do: call_front', /unknown action "call_front"/],
    ['an outcome that leads nowhere', '      ok: pin_again\n', '', /can end with "ok", which leads nowhere/],
    [
      'an outcome that never comes',
      'on: { chosen: movement }',
      'on: { chosen: movement, refused: movement }',
      /never ends with "refused"/,
    ],
    ['an unknown fact', 'when: has_savings', 'when: has_cattle', /unknown fact "has_cattle"/],
    [
      'a key that is taken twice',
      '{ key: "2", name: meeting',
      '{ key: "1", name: meeting',
      /key 1 is taken twice/,
    ],
    ['a key that data may take', 'key: "8"', 'key: "4"', /key 4 is taken twice/],
    ['an unknown gate', 'new_pin: pin_new', 'new_pin: pin_newer', /gates.new_pin: unknown state/],
    [
      'a member’s data without a gate',
      '  savings:\n    kind: choice\n    pin: true\n    answer: savings',
      '  savings:\n    kind: choice',
      /needs who or pin/,
    ],
    [
      'an option without text',
      'name: training, to',
      'name: lessons, to',
      /fr\/ussd.json:\d+: has no text "member.home.options.lessons"/,
    ],
    ['an answer by SMS that has no text', 'answer: training', 'answer: lesson', /answer.lesson.discreet/],
    [
      'options out of order',
      '- { key: "1", name: language, to: language }\n      - { key: "2", name: pin, to: pin_change }',
      '- { key: "2", name: language, to: language }\n      - { key: "1", name: pin, to: pin_change }',
      /^menu:\d+: settings: key 1 stands behind key 2\. Put the options in the order/m,
    ],
    [
      '200 options',
      '      - { key: "1", name: language, to: language }\n',
      Array.from(
        { length: 200 },
        (_, index) => `      - { key: "${(index % 97) + 1}", name: language, to: language }\n`,
      ).join(''),
      /settings: 204 options are more than 12\. Group them/,
    ],
    [
      'a ring of info states',
      '  help:\n    kind: info\n    needs: [office]\n',
      '  help:\n    kind: info\n    options: [{ key: "1", name: on, to: ring }]\n  ring:\n    kind: info\n    options: [{ key: "1", name: on, to: help }]\n',
      /help: kind info has no options[\s\S]*ring: kind info has no options/,
    ],
  ])('%s', (_, from, to, fault) => {
    expect(faultsOf(changed(from, to)).join('\n')).toMatch(fault)
  })

  test.each<[string, { language: string; from: string; to: string }, RegExp]>([
    [
      'a missing text',
      { language: 'wo', from: '"pin_locked": {\n      "text"', to: '"pin_locked": {\n      "texts"' },
      /wo\/ussd.json:\d+: has no text "member.pin_locked.text"/,
    ],
    [
      'a missing common word',
      { language: 'en', from: '"more": "More"', to: '"moar": "More"' },
      /en\/ussd.json:\d+: has no text "common.more"/,
    ],
    [
      'a placeholder that is not known there',
      { language: 'fr', from: 'Votre épargne: {{amount}}', to: 'Votre épargne: {{sum}}' },
      /\{\{sum\}\} is not known there/,
    ],
    [
      'a placeholder that one language leaves out',
      { language: 'en', from: 'Your savings: {{amount}}', to: 'Your savings' },
      /languages do not show the same values/,
    ],
    [
      'an option that cannot fit',
      { language: 'fr', from: '"Toutes les échéances"', to: `"${'Toutes les échéances '.repeat(9)}"` },
      /an option with navigation is longer than 160/,
    ],
    [
      'a greeting that nobody sees',
      { language: 'fr', from: '"text": "Bienvenue"', to: `"text": "${'Bienvenue '.repeat(15).trim()}"` },
      /member\.home: in fr .* nobody sees its text: with it the first screen is longer than 140/,
    ],
    [
      'a first screen of two pages',
      { language: 'fr', from: '"Rappel, demandes"', to: `"${'Rappel, demandes '.repeat(5)}"` },
      /home: in fr .* the first screen is longer than 140/,
    ],
    [
      'a last screen that is too long',
      { language: 'en', from: 'The code is locked.', to: 'The code is locked. '.repeat(8) },
      /the last screen is longer than 140/,
    ],
  ])('%s', (_, change, fault) => {
    expect(faultsOf(same, change).join('\n')).toMatch(fault)
  })

  test('a menu or a language that a programme names and nobody has', () => {
    const odd = { ...programme, menu: 'officer', languages: ['fr', 'xx'] }
    const faults = prove(menusWith(same), loadI18n('locales'), [odd]).faults.map(describeFault)
    expect(faults).toContainEqual(expect.stringMatching(/no menu "officer"/))
    expect(faults).toContainEqual(expect.stringMatching(/no language "xx"/))
  })

  test('more than five screens to an answer, with the way to it', () => {
    const movements = '      - { key: "3", name: movements, to: movements }\n'
    const savings =
      '  savings:\n    kind: choice\n    pin: true\n    answer: savings\n    needs: [savings]\n    options:\n'
    const deep = parsed(
      good.replace(movements, '').replace(savings, `${savings}${movements.replace('"3"', '"1"')}`),
      'menus/member.yaml',
    )
    const { screens } = checkFit(menusWith(same), loadI18n('locales'), [{ ...programme, languages: ['fr'] }])
    expect(pathFaults(same, pathsOf(same, screens))).toEqual([])
    expect(pathFaults(deep, pathsOf(deep, screens)).map(describeFault)).toEqual([
      expect.stringMatching(
        /^menus\/member\.yaml:\d+: movement: in fr .* takes 6 screens, more than 5: home > pin > account > savings > movements > movement\. Move/,
      ),
    ])
  })

  test('several faults at once, all of them named', () => {
    const menu = parsed(
      good.replace('to: meeting }', 'to: meetings }').replace('do: ask_adviser', 'do: call_front'),
    )
    const faults = faultsOf(menu)
    expect(faults.some((fault) => fault.includes('meetings'))).toBe(true)
    expect(faults.some((fault) => fault.includes('call_front'))).toBe(true)
  })
})

describe('a menu file is refused for', () => {
  test.each<[string, string, RegExp]>([
    ['a part that nobody wrote', good.replace('part: group,', 'part: groups,'), /there is no part "groups"/],
    ['YAML that cannot be read', 'states: [', /menu/],
    ['a name in it twice', `${good}\nhome: help\n`, /unique|duplicate/i],
    ['an unknown field', good.replace('kind: list', 'kynd: list'), /schedule/],
    ['an unknown kind', good.replace('kind: list', 'kind: scroll'), /schedule.kind/],
    ['navigation’s own keys', good.replace('key: "6"', 'key: "98"'), /a key is 1 to 99 without 98/],
    [
      'an option with neither to nor do',
      good.replace('name: help, to: help', 'name: help'),
      /either to or do/,
    ],
  ])('%s', (_, text, fault) => {
    expect(() => parsed(text)).toThrow(fault)
  })
})

describe('service codes', () => {
  const codes = (...serviceCodes: string[]) =>
    serviceCodes.map((serviceCode, index) => ({ code: `p${index}`, serviceCode }))

  test('of two programmes may not be equal', () => {
    expect(() => checkServiceCodes(codes('*384*1', '*384*1'))).toThrow(/both have/)
  })
  test('may not be a deep dial into one another', () => {
    expect(() => checkServiceCodes(codes('*384*1*2', '*384*1'))).toThrow(/deep dial/)
  })
  test('that only look alike are fine', () => {
    expect(() => checkServiceCodes(codes('*384*1', '*384*12', '*385*1'))).not.toThrow()
  })
  test('end without "#"', () => {
    expect(() => checkServiceCodes(codes('*384*1#'))).toThrow(/without "#"/)
  })
})
