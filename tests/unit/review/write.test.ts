// What a review writes stands as the formatter of the house would have it, in every language.
import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { loadI18n } from '../../../src/i18n.ts'
import { textRows } from '../../../src/review/rows.ts'
import { changedFiles } from '../../../src/review/write.ts'
import { loadMenus } from '../../../src/ussd/menu.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tama-review-write-'))
  cpSync('locales', folder, { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

/** Exit code of the formatter, which names every file that it would write otherwise. */
function formatterOn(path: string) {
  const words = ['format', `--config-path=${resolve('biome.json')}`, path]
  return spawnSync(resolve('node_modules/.bin/biome'), words, { encoding: 'utf8' })
}

const mark = { reviewer: 'Awa "Ñ" Ndiaye', date: '2026-11-26' }

test('texts of every length, words of lists, and the mark of the review', () => {
  const i18n = loadI18n(folder)
  const menus = loadMenus('menus')
  for (const code of i18n.bases) {
    const rows = textRows(folder, code, { i18n, menus, measured: { screens: [], texts: [] } })
    // Every word of a list twice as long: it no longer fits on one line. Every fifth text another one.
    const changes = rows
      .filter(({ file }, index) => file === 'language.json' || index % 5 === 0)
      .map((row) => ({
        row,
        place: '',
        text: row.file === 'language.json' ? `${row.present} ${row.present}` : `${row.present} "\\`,
      }))
    for (const complete of [false, true])
      for (const [name, text] of changedFiles(folder, code, changes, { ...mark, complete })) {
        writeFileSync(join(folder, code, name), text)
        expect(JSON.parse(text), `${code}/${name}`).toBeTruthy()
      }
    const language = JSON.parse(readFileSync(join(folder, code, 'language.json'), 'utf8'))
    expect(language, code).toMatchObject({ reviewState: 'reviewed', reviewer: mark.reviewer })
    expect(Object.keys(language).indexOf('reviewer'), code).toBe(
      Object.keys(language).indexOf('reviewState') + 1,
    )
    expect(language.weekdays[0], code).toMatch(/^(.+) \1/)
  }
  const { status, stdout, stderr } = formatterOn(folder)
  expect(status, stdout + stderr).toBe(0)
  // It does look: the same file in another form is refused.
  const path = join(folder, 'wo', 'language.json')
  writeFileSync(path, JSON.stringify(JSON.parse(readFileSync(path, 'utf8')), undefined, 4))
  expect(formatterOn(folder).status).toBe(1)
})

test('the mark alone moves nothing else', () => {
  const before = readFileSync(join(folder, 'wo', 'language.json'), 'utf8')
  const files = changedFiles(folder, 'wo', [], { ...mark, complete: false })
  expect([...files.keys()]).toEqual(['language.json'])
  const added = (files.get('language.json') ?? '').split('\n').filter((line) => !before.includes(line))
  expect(added).toEqual(['  "reviewer": "Awa \\"Ñ\\" Ndiaye",', '  "reviewedDate": "2026-11-26",'])
})
