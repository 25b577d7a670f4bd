// A native reviewer's file: what comes back is either wholly right and written, or refused with every fault at once.
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'csv-parse/sync'
import { stringify } from 'csv-stringify/sync'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createProofOf } from '../../../src/commands/menus-programme.ts'
import { loadI18n } from '../../../src/i18n.ts'
import { describeReviewFault } from '../../../src/review/answers.ts'
import { writeCsv } from '../../../src/review/csv.ts'
import { importReview } from '../../../src/review/import.ts'
import { textRows } from '../../../src/review/rows.ts'
import { writeXliff } from '../../../src/review/xliff.ts'
import { loadMenus } from '../../../src/ussd/menu.ts'

const menus = loadMenus('menus')
let proofOf: Awaited<ReturnType<typeof createProofOf>>
let folder: string

beforeAll(async () => {
  proofOf = await createProofOf(menus)
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tama-review-test-'))
  cpSync('locales', folder, { recursive: true })
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const rowsOf = (code: string) =>
  textRows(folder, code, { i18n: loadI18n(folder), menus, measured: { screens: [], texts: [] } })

type Cells = Record<string, string>

/** The exported table, as a spreadsheet reads it. */
const tableOf = (code: string): Cells[] => parse(writeCsv(code, rowsOf(code)), { columns: true, bom: true })
const cellsOf = (table: readonly Cells[], key: string): Cells => {
  const found = table.find((row) => row.key === key)
  if (found === undefined) throw new Error(`no row ${key}`)
  return found
}
const bytesOf = (text: string) => new TextEncoder().encode(text)
const csvOf = (table: readonly Cells[], delimiter = ',') =>
  bytesOf(stringify([...table], { header: true, delimiter, bom: true }))

const importOf = (bytes: Uint8Array, date = '2026-11-26') =>
  importReview({ bytes, folder, menus, reviewer: 'Awa Ndiaye', date, proofOf })

const json = (code: string, name: string) => JSON.parse(readFileSync(join(folder, code, name), 'utf8'))

/** Every byte below the folder. */
const allBytes = () =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.json') || name.endsWith('.new'))
    .sort()
    .map((name) => `${name}\n${readFileSync(join(folder, name), 'utf8')}`)
    .join('\n')

describe('a table that comes back', () => {
  test('untouched changes nothing, confirms nothing and says what is open', async () => {
    const before = allBytes()
    const report = await importOf(csvOf(tableOf('wo')))
    expect(report).toMatchObject({
      faults: [],
      changed: 0,
      confirmed: 0,
      open: rowsOf('wo').length,
      files: [],
    })
    expect(allBytes()).toBe(before)
  })

  test('with one correction changes that text alone, keeps the draft, and passes the proof', async () => {
    const table = tableOf('wo')
    cellsOf(table, 'member.ask.text').correction = 'Danga bëgg ndimbal?'
    cellsOf(table, 'member.home.text').state = 'OK'
    cellsOf(table, 'member.help.dial').remark = 'sounds rude'
    const before = readFileSync(join(folder, 'wo', 'ussd.json'), 'utf8')
    const report = await importOf(csvOf(table))
    expect(report.faults).toEqual([])
    expect(report).toMatchObject({ code: 'wo', changed: 1, confirmed: 2, open: table.length - 2 })
    expect(report.remarks).toMatchObject([{ key: 'member.help.dial', remark: 'sounds rude' }])
    expect(readFileSync(join(folder, 'wo', 'ussd.json'), 'utf8')).toBe(
      before.replace('Danga soxla ndimbal?', 'Danga bëgg ndimbal?'),
    )
    expect(json('wo', 'language.json')).toMatchObject({
      reviewState: 'draft',
      reviewer: 'Awa Ndiaye',
      reviewedDate: '2026-11-26',
    })
    expect(proofOf(folder, 'wo')).toEqual([])
  })

  test('wholly confirmed makes the language reviewed; semicolons, other columns left out and rows in another order do', async () => {
    const table = tableOf('wo').reverse()
    for (const row of table) {
      row.state = 'ok'
      delete row.english
      delete row.limit
    }
    const report = await importOf(csvOf(table, ';'))
    expect(report).toMatchObject({ faults: [], changed: 0, open: 0 })
    expect(report.files).toEqual(['locales/wo/language.json'])
    const language = json('wo', 'language.json')
    expect(language).toMatchObject({ reviewState: 'reviewed', reviewer: 'Awa Ndiaye' })
    expect(language).not.toHaveProperty('reviewNote')
  })

  test('with one row less leaves the draft', async () => {
    const table = tableOf('wo').slice(1)
    for (const row of table) row.state = 'ok'
    expect(await importOf(csvOf(table))).toMatchObject({ faults: [], open: 1 })
    expect(json('wo', 'language.json').reviewState).toBe('draft')
  })

  test('read twice is done once', async () => {
    const table = tableOf('wo')
    cellsOf(table, 'member.ask.text').correction = 'Danga bëgg ndimbal?'
    cellsOf(table, 'weekdays.0').correction = 'dimaas'
    cellsOf(table, 'wording').correction = 'Danga bëgg bataaxal? Tànnal:'
    await importOf(csvOf(table))
    const after = allBytes()
    expect(await importOf(csvOf(table))).toMatchObject({ faults: [], changed: 0, confirmed: 3, files: [] })
    expect(allBytes()).toBe(after)
  })

  test('changes words of a list, and the question of consent as a new wording beside the one that was heard', async () => {
    const table = tableOf('wo')
    cellsOf(table, 'months.7').correction = 'uut'
    cellsOf(table, 'wording').correction = 'Danga bëgg bataaxal? Tànnal:'
    expect((await importOf(csvOf(table))).faults).toEqual([])
    expect(json('wo', 'language.json').months).toContain('uut')
    expect(json('wo', 'consent.json')).toEqual({
      current: '2026-11-26',
      wordings: {
        '2026-11': 'Danga soxla bataaxal? Tànnal:',
        '2026-11-26': 'Danga bëgg bataaxal? Tànnal:',
      },
    })
  })

  test('keeps the blanks at the edges of a text, which no table shows', async () => {
    const table = tableOf('wo')
    cellsOf(table, 'part.receipt').correction = 'Kode: {{receipt}}'
    expect((await importOf(csvOf(table))).faults).toEqual([])
    expect(json('wo', 'sms.json').part.receipt).toBe(' Kode: {{receipt}}')
  })
})

describe('formulas', () => {
  test.each(['=1+1', '+221', '-5', '@now', "'quoted", '\uff1dA1', ' =1'])(
    'a text %j is no formula in the table, and itself when it comes back',
    async (text) => {
      const { asText, fromText } = await import('../../../src/review/csv.ts')
      expect(asText(text)).toMatch(/^'/)
      expect(fromText(asText(text))).toBe(text.trim())
    },
  )

  test('no cell of any language begins as a formula does', () => {
    for (const code of loadI18n(folder).bases)
      for (const row of tableOf(code))
        for (const cell of Object.values(row)) expect(cell).not.toMatch(/^\s*[=+\-@]/)
  })
})

interface Wrong {
  name: string
  change(table: Cells[]): void
  /** What the report says, and of which rows. */
  says: RegExp
}

const setting = (key: string, cells: Cells) => (table: Cells[]) => {
  Object.assign(cellsOf(table, key), cells)
}

const wrongs: Wrong[] = [
  {
    name: 'an unknown key',
    change: setting('member.home.text', { key: 'member.hoem.text' }),
    says: /^row \d+: there is no text "member.hoem.text"/,
  },
  {
    name: 'an unknown file',
    change: setting('member.home.text', { file: 'locales/wo/../x.json' }),
    says: /there is no text "member.home.text" in locales\/wo/,
  },
  {
    name: 'a lost placeholder',
    change: setting('member.help.dial', { correction: 'Tape' }),
    says: /^row \d+: "member.help.dial" lost \{\{code\}\}/,
  },
  {
    name: 'an invented placeholder',
    change: setting('member.home.text', { correction: 'Dalal {{name}}' }),
    says: /"member.home.text" has \{\{name\}\}, which is not known there/,
  },
  {
    name: 'a placeholder twice',
    change: setting('member.help.dial', { correction: 'Tape {{code}} {{code}}' }),
    says: /"member.help.dial" shows a value another number of times/,
  },
  {
    name: 'a broken placeholder',
    change: setting('member.help.dial', { correction: 'Tape: {{code}' }),
    says: /broken \{\{placeholder\}\}/,
  },
  {
    name: 'a control character',
    change: setting('member.home.text', { correction: 'Dalal\u0007 ak' }),
    says: /"member.home.text" has a control character/,
  },
  {
    name: 'a word of two scripts',
    change: setting('member.home.text', { correction: 'Dаlal ak jàmm' }),
    says: /^row \d+: ussd.json: "member.home.text": the word "Dаlal" mixes scripts/,
  },
  {
    name: 'a text that no screen holds',
    change: setting('member.home.options.ask', { correction: 'Woo ma leegi '.repeat(8) }),
    says: /^row \d+: ussd.json: member.home: in wo .* the first screen is longer than 140/,
  },
  {
    name: 'an SMS of two segments',
    change: setting('reply.started', { correction: `{{sender}}: ${'jot nañu START. '.repeat(12)}` }),
    says: /^row \d+: sms.json: "reply.started".* it takes 2 segments/,
  },
  {
    name: 'a word of debt in a discreet SMS',
    change: setting('reminder.due_soon.discreet', { correction: '{{sender}}: sa bor. Tape: {{code}}' }),
    says: /^row \d+: sms.json: "reminder.due_soon.discreet" is a discreet text and says "bor"/,
  },
  {
    name: 'a day too long for the screens that show it',
    change: setting('weekdays.0', { correction: 'dibéer bi ci ayubés bi'.repeat(3) }),
    says: /^row \d+: sms.json: "receipt.loan_repayment.full".* it takes 2 segments/,
  },
  {
    name: 'a doubled row',
    change: (table) => table.push({ ...cellsOf(table, 'member.home.text') }),
    says: /^row \d+, row \d+: "member.home.text" stands twice/,
  },
  {
    name: 'a text that changed since',
    change: setting('member.home.text', { present: 'Dalal', state: 'ok' }),
    says: /"member.home.text" was changed since the export.*"Dalal ak jàmm"/,
  },
  {
    name: 'a state that is none',
    change: setting('member.home.text', { state: 'perhaps' }),
    says: /"member.home.text": the state is not known: "perhaps"/,
  },
  {
    name: 'a text of another language',
    change: (table) => table.push({ ...cellsOf(table, 'member.home.text'), file: 'locales/fr/ussd.json' }),
    says: /two languages stand in one file \(wo, fr\)/,
  },
  {
    name: 'another column',
    change: (table) => {
      for (const row of table) row.notes = 'x'
    },
    says: /column "notes": is not known/,
  },
  {
    name: 'a column that is missing',
    change: (table) => {
      for (const row of table) delete row.present
    },
    says: /column "present": is missing/,
  },
]

describe('is refused, and nothing is written', () => {
  test.each(wrongs)('$name', async ({ change, says }) => {
    const table = tableOf('wo')
    // A good correction beside it is not written either.
    cellsOf(table, 'member.ask.text').correction = 'Danga bëgg ndimbal?'
    change(table)
    const before = allBytes()
    const { faults, files } = await importOf(csvOf(table))
    expect(faults.map(describeReviewFault).join('\n')).toMatch(new RegExp(says.source, 'm'))
    for (const fault of faults) expect(fault.remedy).toMatch(/\.$/)
    expect(files).toEqual([])
    expect(allBytes()).toBe(before)
  })

  test('every fault at once, those of rows and those of the proof', async () => {
    const table = tableOf('wo')
    setting('member.help.dial', { correction: 'Tape' })(table)
    setting('member.home.options.ask', { correction: 'Woo ma leegi '.repeat(8) })(table)
    setting('reminder.due_soon.discreet', { correction: '{{sender}}: sa bor. Tape: {{code}}' })(table)
    setting('member.pin_changed.text', { state: 'no' })(table)
    const said = (await importOf(csvOf(table))).faults.map(describeReviewFault).join('\n')
    for (const part of [/lost \{\{code\}\}/, /longer than 140/, /says "bor"/, /state is not known/])
      expect(said).toMatch(part)
  })

  test.each([
    ['', 'is empty'],
    ['<xliff', 'no well-formed XML'],
    ['<!DOCTYPE x [<!ENTITY e "x">]><xliff version="1.2"/>', 'has a document type'],
    ['<xliff version="2.0" xmlns="urn:oasis:names:tc:xliff:document:2.0"/>', 'is no XLIFF 1.2 file'],
    ['<xliff version="1.2" xmlns="urn:oasis:names:tc:xliff:document:1.2"/>', 'has no texts'],
    ['file,key,present,state,correction,remark\nx,y,"z', 'quote'],
    ['file,key,present,state,correction,remark\nx,y,z,,,\n', 'names no language'],
    ['file,key,present,state,correction,remark\nlocales/xx/ussd.json,y,z,,,\n', 'no language "xx"'],
    ['file,key,present,state,correction,remark\nlocales/wo/ussd.json,y\n', 'more or fewer fields'],
  ])('a file %j', async (text, says) => {
    const { faults } = await importOf(bytesOf(text))
    expect(faults.map(describeReviewFault).join('\n')).toContain(says)
  })

  test('a file that is not UTF-8, in either form', async () => {
    for (const head of ['file,key\n', '<xliff>']) {
      const { faults } = await importOf(new Uint8Array([...bytesOf(head), 0xff, 0xfe]))
      expect(faults.map(describeReviewFault).join('\n')).toContain('is not UTF-8')
    }
  })
})

describe('XLIFF', () => {
  const unit = (xml: string, key: string, change: (unit: string) => string) =>
    xml.replace(new RegExp(`<trans-unit id="${key}"[\\s\\S]*?</trans-unit>`), (found) => {
      const changed = change(found)
      if (changed === found) throw new Error(`nothing changed in ${key}`)
      return changed
    })
  const empty = '<target state="needs-review-translation"></target>'

  test('a target corrects, the offered text taken over confirms, an approved unit confirms, a note is a remark', async () => {
    let xml = writeXliff('ar', rowsOf('ar'))
    const { text } = json('ar', 'ussd.json').member.home
    xml = unit(xml, 'member.settings.text', (found) => found.replace(empty, '<target>اختاري:</target>'))
    xml = unit(xml, 'member.home.text', (found) =>
      found.replace(empty, `<target state="final">${text}</target><note>fine &amp; short</note>`),
    )
    xml = unit(xml, 'member.who.text', (found) => found.replace('<trans-unit', '<trans-unit approved="yes"'))
    const report = await importOf(bytesOf(xml))
    expect(report.faults.map(describeReviewFault)).toEqual([])
    expect(report).toMatchObject({ code: 'ar', changed: 1, confirmed: 3 })
    expect(report.remarks).toMatchObject([{ key: 'member.home.text', remark: 'fine & short' }])
    expect(json('ar', 'ussd.json').member.settings.text).toBe('اختاري:')
  })

  test('faults name the line', async () => {
    const xml = unit(writeXliff('wo', rowsOf('wo')), 'member.help.dial', (found) =>
      found.replace(empty, '<target>Tape</target>'),
    )
    const line = xml.slice(0, xml.indexOf('<trans-unit id="member.help.dial"')).split('\n').length
    const [fault] = (await importOf(bytesOf(xml))).faults
    expect(fault?.places).toEqual([`line ${line}`])
  })

  test('texts with marks, quotes and several lines come back as they went', async () => {
    for (const code of loadI18n(folder).bases) {
      const xml = writeXliff(code, rowsOf(code)).replaceAll('<trans-unit ', '<trans-unit approved="yes" ')
      const report = await importOf(bytesOf(xml))
      expect(report.faults.map(describeReviewFault), code).toEqual([])
      expect(report, code).toMatchObject({ changed: 0, open: 0 })
    }
  })
})
