// The whole way of a correction, by the commands of a programme director: out as a file, back, proved, and on the screen.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runTama } from '../support/tama.ts'

let folder: string
let program: string

/** A copy of the built house, whose texts may change. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tama-review-house-'))
  for (const part of ['dist', 'menus', 'locales', 'package.json'])
    cpSync(resolve(part), join(folder, part), { recursive: true })
  symlinkSync(resolve('node_modules'), join(folder, 'node_modules'))
  program = join(folder, 'dist', 'main.js')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const tama = (...words: string[]) => runTama(words, {}, program)
const file = (name: string) => join(folder, name)
const read = (name: string) => readFileSync(file(name), 'utf8')

test('a corrected Wolof text comes back, passes the proof and stands on the screen', async () => {
  const exported = await tama('menus', 'review', 'export', '--language', 'wo', '--out', file('wo.csv'))
  expect(exported).toMatchObject({ code: 0, output: expect.stringContaining('Written:') })
  const bytes = readFileSync(file('wo.csv'))
  expect([...bytes.subarray(0, 3)]).toEqual([0xef, 0xbb, 0xbf])
  const rows: Record<string, string>[] = parse(bytes, { columns: true, bom: true })
  const row = rows.find(({ key }) => key === 'member.ask.text')
  expect(row).toMatchObject({
    file: 'locales/wo/ussd.json',
    english: expect.stringMatching(/\w/),
    french: expect.stringMatching(/\w/),
    present: 'Danga soxla ndimbal?',
    gsm7: 'Danga soxla ndimbal?',
    limit: '160',
    state: '',
    correction: '',
    remark: '',
  })
  for (const one of rows) one.state = 'ok'
  Object.assign(row ?? {}, { state: '', correction: 'Danga bëgg ndimbal?', remark: 'as we say it' })
  writeFileSync(file('back.csv'), stringify(rows, { header: true, bom: true }))

  const imported = await tama(
    ...['menus', 'review', 'import', file('back.csv'), '--reviewer', 'Awa Ndiaye', '--date', '2026-11-26'],
  )
  expect(imported.output).toContain('"member.ask.text": as we say it')
  expect(imported.output).toContain(`1 texts changed, ${rows.length} confirmed.`)
  expect(imported.output).toContain('Every text of wo is reviewed by Awa Ndiaye.')
  expect(imported.code).toBe(0)
  expect(JSON.parse(read('locales/wo/language.json'))).toMatchObject({
    reviewState: 'reviewed',
    reviewer: 'Awa Ndiaye',
    reviewedDate: '2026-11-26',
  })

  writeFileSync(
    file('programme.yaml'),
    readFileSync('docs/programme.example.yaml', 'utf8').replace(/^draftLanguages:.*$/m, 'draftLanguages: []'),
  )
  const checked = await tama('menus', 'check', '--programme', file('programme.yaml'))
  expect(checked.output).toContain('no fault')
  expect(checked.output).toMatch(/fansoto +wo +reviewed/)

  const words = ['--language', 'wo', '--programme', file('programme.yaml')]
  expect((await tama('menus', 'screens', ...words, '--out', file('wo.html'))).code).toBe(0)
  expect(read('wo.html')).toContain('<div class="line">Danga begg ndimbal?</div>')
  expect(read('wo.html')).toContain('Reviewed by a native speaker (Awa Ndiaye, 2026-11-26)')
  const card = await tama('menus', 'card', ...words)
  expect(card.output).toContain('*384*1#')
  expect(card.output).toContain('Dellu ginnaaw')
}, 90_000)

test('a file with faults exits 1, names each with its row, and writes nothing', async () => {
  const before = read('locales/fr/ussd.json')
  await tama('menus', 'review', 'export', '--language', 'fr', '--format', 'xliff', '--out', file('fr.xlf'))
  const xml = read('fr.xlf').replace(
    /(<trans-unit id="member.help.dial"[\s\S]*?<target [^>]*>)/,
    '$1Composez le code',
  )
  writeFileSync(file('back.xlf'), xml)
  const refused = await tama('menus', 'review', 'import', file('back.xlf'), '--reviewer', 'Awa Ndiaye')
  expect(refused.code).toBe(1)
  expect(refused.output).toMatch(/Nothing was written:\n {2}- line \d+: "member.help.dial" lost \{\{code\}\}/)
  expect(read('locales/fr/ussd.json')).toBe(before)
})

describe('wrong words are answered with a sentence and exit 2', () => {
  test.each([
    [['menus', 'review'], /takes: export --language wo, or import FILE/],
    [['menus', 'review', 'export'], /Name the language/],
    [['menus', 'review', 'export', '--language', 'xx'], /There is no language "xx"/],
    [['menus', 'review', 'export', '--language', 'wo', '--format', 'pdf'], /csv or xliff/],
    [['menus', 'review', 'import', 'no-such-file', '--reviewer', 'Awa N'], /cannot be read/],
    [['menus', 'review', 'import', 'package.json'], /--reviewer/],
    [['menus', 'review', 'import', 'package.json', '--reviewer', 'Awa N', '--date', 'today'], /--date/],
    [['menus', 'screens', '--language', 'wo', '--out', '/no/such/folder/x.html'], /cannot be written/],
    [['menus', 'card', '--language', 'ar', '--programme', 'docs/programme.example.yaml'], /does not offer/],
    [['menus', 'diagram', '--role', 'queen'], /There is no role "queen".*president/],
    [['menus', 'diagram', '--menu', 'x'], /There is no menu "x".*member/],
    [['menus', 'paint'], /"menus paint" is unknown: check, diagram/],
    [['menus', 'check', 'all'], /takes no "all"/],
  ])('%j', async (words, says) => {
    const { code, output } = await tama(...words)
    expect(output).toMatch(says)
    expect(code).toBe(2)
  })
})

test('the picture of a role, and the form of menu files', async () => {
  const drawn = await tama('menus', 'diagram', '--role', 'president', '--svg', file('menu.svg'))
  expect(drawn.code).toBe(0)
  expect(read('menu.svg')).toContain('as president sees it')
  expect((await tama('menus', 'diagram')).output).toMatch(/^stateDiagram-v2/)
  const schema = await tama('menus', 'schema')
  expect(JSON.parse(schema.output)).toEqual(JSON.parse(read('menus/menu.schema.json')))
})
