// What staff read in the console: the same texts with the same values in each of its languages, and none that no page shows.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { consoleFaults, consoleLanguage, consoleLanguages } from '../../src/console/words.ts'
import { describeFault } from '../../src/fault.ts'
import { loadI18n } from '../../src/i18n.ts'
import { importFaults } from '../../src/imports/faults.ts'
import { importKinds } from '../../src/imports/kind.ts'

const i18n = loadI18n('locales')
const folder = join(import.meta.dirname, '..', '..', 'src', 'console')
const code = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => readFileSync(join(folder, file), 'utf8'))
  .join('\n')
/** Keys that stand in the code as a whole, and families whose last part is a value. */
const named = new Set([...code.matchAll(/'([a-z_]+\.[a-z_0-9]+)'/g)].map((match) => match[1] ?? ''))
const families = new Set([...code.matchAll(/`([a-z_]+)\.\$\{/g)].map((match) => match[1] ?? ''))

describe('the texts of the console', () => {
  test('are there in French, English and Dutch, the same in each', () => {
    expect(consoleLanguages(i18n)).toEqual(['en', 'fr', 'nl'])
    expect(consoleFaults(i18n).map(describeFault)).toEqual([])
  })

  test('are shown by some page, each of them', () => {
    const unused = [...i18n.keys('en', 'console')].filter(
      (key) => !named.has(key) && !families.has(key.split('.')[0] ?? ''),
    )
    expect(unused).toEqual([])
  })

  test('are all there that pages ask for', () => {
    const asked = [...code.matchAll(/\bsay\(\s*'([a-z_.0-9]+)'/g)].map((match) => match[1] ?? '')
    expect(asked.length).toBeGreaterThan(100)
    expect(asked.filter((key) => !i18n.has('en', 'console', key))).toEqual([])
    // The command line says in English what the console says in its languages.
    for (const [code, sentence] of Object.entries(importFaults))
      expect(i18n.text('en', 'console', `import_fault.${code.replace('.', '_')}`)).toBe(sentence)
    expect(importKinds.filter((kind) => !i18n.has('en', 'console', `file_kind.${kind}`))).toEqual([])
  })

  test('are in a language that has them where hers has none', () => {
    expect(consoleLanguage(i18n, ['wo', 'nl'])).toBe('nl')
    expect(consoleLanguage(i18n, [undefined, 'wo'])).toBe('en')
  })

  test('hold no draft of another language', () => {
    const [en, fr, nl] = ['en', 'fr', 'nl'].map(
      (tag) => new Map([...i18n.keys(tag, 'console')].map((key) => [key, i18n.text(tag, 'console', key)])),
    )
    const long = [...(en ?? [])].filter(([, text]) => text.split(' ').length > 3)
    expect(long.filter(([key, text]) => fr?.get(key) === text || nl?.get(key) === text)).toEqual([])
  })
})
