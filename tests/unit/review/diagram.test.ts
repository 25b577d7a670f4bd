// The picture of a menu shows what a role can reach, and no more.
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { menuFor, menuSvg, rolesOf, seersOf } from '../../../src/review/diagram.ts'
import { loadMenus, menuDiagram, menuJsonSchema, parseMenu } from '../../../src/ussd/menu.ts'

const menu = parseMenu(
  `
version: 1
menu: small
home: home
gates: { language: language, pin: pin, who: pin, new_pin: pin, resume: language }
states:
  home:
    kind: choice
    options:
      - { key: "1", name: account, to: account }
      - { key: "2", name: collect, to: collect, roles: [president] }
      - { key: "3", name: teach_the_group_about_savings_and_loans, to: teach }
      - key: "4"
        name: ask
        do: call_back
        on: { asked: account, gone: "@home" }
  account: { kind: info, pin: true }
  collect: { kind: choice, who: true, options: [{ key: "1", name: list, to: listed }] }
  listed: { kind: info, who: true }
  teach: { kind: info, who: true, roles: [educator] }
  language: { kind: choice, options: [{ key: "1", name: x, to: "@target" }] }
  pin: { kind: input, do: check_pin, on: { ok: "@target", wrong: "@same", locked: shut } }
  shut: { kind: end }
`,
  'menus/small.yaml',
)

const statesFor = (role: string) => Object.keys(menuFor(menu, role).states)

describe('a role', () => {
  test('sees its own options and states, and nothing that only others reach', () => {
    expect(statesFor('member')).toEqual(['home', 'account', 'language', 'pin', 'shut'])
    expect(statesFor('president')).toContain('listed')
    expect(statesFor('president')).not.toContain('teach')
    expect(statesFor('educator')).toContain('teach')
    expect(menuFor(menu, 'member').states.home?.options.map(({ key }) => key)).toEqual(['1', '4'])
    expect(rolesOf(menu)).toEqual(['member', 'president', 'educator'])
    expect(seersOf(menu)).toEqual(['member', 'president', 'treasurer', 'educator'])
  })

  test('in Mermaid too', () => {
    expect(menuDiagram(menuFor(menu, 'member'))).not.toMatch(/collect|listed|teach/)
    expect(menuDiagram(menuFor(menu, 'president'))).toMatch(/home --> collect : 2 collect/)
  })
})

describe('the picture', () => {
  test('is one SVG file that asks for nothing outside and names menu, version and role', async () => {
    const svg = await menuSvg(menuFor(menu, 'president'), 'president')
    expect(svg).toMatch(/^<\?xml|^<svg/)
    expect(svg).toContain('small, version 1, as president sees it')
    const links = [...svg.matchAll(/(?:href|src)="([^"]*)"/g)].map(([, link = '']) => link)
    expect(links).toHaveLength(1)
    expect(links[0]).toMatch(/^data:image\/svg\+xml;base64,/)
    expect(svg).not.toMatch(/<script|url\(http/)
  })

  test('has a padlock for each state behind the PIN, and gates in a frame of their own', async () => {
    const whole = loadMenus('menus').get('member')
    expect(whole).toBeDefined()
    if (whole === undefined) return
    const svg = await menuSvg(whole)
    const locked = Object.values(whole.states).filter(({ pin }) => pin).length
    expect(svg.match(/<image /g)).toHaveLength(locked)
    expect(svg).toContain('Gates: they stop her on the way to another state')
    for (const name of Object.keys(whole.states))
      expect(svg).toContain(`>${name.replaceAll('_', ' ')}</text>`)
    expect((await menuSvg(menu)).match(/<image /g)).toHaveLength(1)
  })

  test('has no line longer than a reader takes in, and no arrow to where it is', async () => {
    const svg = await menuSvg(menu)
    const words = [...svg.matchAll(/>([^<>]+)<\/text>/g)].map(([, text = '']) => text)
    const long = words.filter((text) => text.length > 26 && !/version|Gates/.test(text))
    expect(long).toEqual([])
    expect(words).toContain('3 teach the group about')
    expect(svg).not.toMatch(/pin(:way\d+)?(:e)?&#45;&gt;pin/)
  })

  test('escapes what a name could hold', async () => {
    const odd = { ...menu, menu: '<b>&"' }
    expect(await menuSvg(odd)).not.toContain('<b>&"')
  })
})

test('the published form of menu files is the one that is read, and both menus name it', () => {
  expect(JSON.parse(readFileSync('menus/menu.schema.json', 'utf8'))).toEqual(
    JSON.parse(JSON.stringify(menuJsonSchema())),
  )
  for (const name of loadMenus('menus').keys())
    expect(readFileSync(`menus/${name}.yaml`, 'utf8')).toMatch(
      /^# yaml-language-server: \$schema=menu\.schema\.json\n/,
    )
})
