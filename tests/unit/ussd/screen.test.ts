import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { septetsOf } from '../../../src/encoding.ts'
import { layOut, type ScreenContent, ucs2UnitsMax } from '../../../src/ussd/screen.ts'

const foot = ['0 Back', '00 Home']
const more = '98 More'

function pagesOf(content: ScreenContent, limit: number): string[] {
  const pages: string[] = []
  for (let page = 0; page < 100; page += 1) {
    const shown = layOut(content, page, limit)
    pages.push(shown.text)
    if (!shown.more) return pages
  }
  throw new Error('endless pages')
}

describe('a screen', () => {
  test('that fits is one page without "more"', () => {
    const page = layOut({ lines: ['Hello'], options: ['1 One'], foot, more }, 0, 160)
    expect(page).toEqual({ text: 'Hello\n1 One\n0 Back\n00 Home', page: 0, more: false, whole: true })
  })

  test('of names alone gives up its text and words before it takes a second page', () => {
    const names = ['1 Francais', '2 Nederlands', '3 English', '4 العربية', '5 پښتو', '6 دری', '7 اردو']
    const content = { lines: ['Choisissez la langue:'], options: names, foot, more }
    expect(layOut(content, 0, 160).more).toBe(true)
    const bare = layOut({ ...content, bare: true }, 0, 160)
    expect(bare).toEqual({ text: [...names, '0 00'].join('\n'), page: 0, more: false, whole: true })
    expect(bare.text.length).toBeLessThanOrEqual(ucs2UnitsMax)
    const short = { ...content, options: names.slice(0, 2) }
    expect(layOut({ ...short, bare: true }, 0, 160)).toEqual(layOut(short, 0, 160))
  })

  test('exactly as long as the budget is one page; one septet more is two', () => {
    const room = 160 - '\n0 Back\n00 Home'.length
    expect(layOut({ lines: ['x'.repeat(room)], options: [], foot, more }, 0, 160).more).toBe(false)
    expect(layOut({ lines: ['x'.repeat(room), 'y'], options: [], foot, more }, 0, 160).more).toBe(true)
  })

  test('counts two septets for the signs of the extension table', () => {
    const lines = ['€'.repeat(70), 'x'.repeat(20)]
    expect(layOut({ lines, options: [], foot: [], more }, 0, 160).more).toBe(true)
  })

  test('in another alphabet has 70 characters', () => {
    const content = {
      lines: ['س'.repeat(40), 'ش'.repeat(40)],
      options: ['1 نعم'],
      foot: ['0 رجوع'],
      more: '98 تابع',
    }
    for (const page of pagesOf(content, 160)) expect(page.length).toBeLessThanOrEqual(ucs2UnitsMax)
  })

  test('breaks a line that is longer than a page between words', () => {
    const words = Array.from({ length: 60 }, (_, index) => `word${index}`)
    const pages = pagesOf({ lines: [words.join(' ')], options: [], foot, more }, 160)
    const read = pages.map((page) => page.replace(/\n(98 More\n)?0 Back\n00 Home$/, '')).join(' ')
    expect(read.split(/\s+/)).toEqual(words)
  })

  test('shows the last page when a later one is asked', () => {
    const lines = Array.from({ length: 20 }, (_, index) => `row number ${index}`)
    const last = layOut({ lines, options: [], foot, more }, 99, 160)
    expect(last.more).toBe(false)
    expect(last.text).toContain('row number 19')
  })

  test('never cuts an option, loses a word or exceeds the budget, whatever it holds', () => {
    const text = fc.string({
      minLength: 1,
      maxLength: 60,
      unit: fc.constantFrom(...'abcdefg é€ 1ësن'.split('')),
    })
    fc.assert(
      fc.property(
        fc.array(text, { maxLength: 12 }),
        fc.array(text, { maxLength: 9 }),
        fc.option(text, { nil: undefined }),
        (lines, options, notice) => {
          const content = { notice, lines, options, foot, more }
          const pages = pagesOf(content, 140)
          for (const page of pages) {
            const septets = septetsOf(page)
            if (septets === undefined) expect(page.length).toBeLessThanOrEqual(ucs2UnitsMax)
            else expect(septets).toBeLessThanOrEqual(140)
          }
          if (layOut(content, 0, 140).whole)
            for (const option of options)
              if (option.length < 30) expect(pages.some((page) => page.includes(option))).toBe(true)
        },
      ),
      { numRuns: 500, seed: 7391 },
    )
  })
})
