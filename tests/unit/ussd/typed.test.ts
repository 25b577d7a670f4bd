import { describe, expect, test } from 'vitest'
import { dayTyped, timeTyped, wordsTyped } from '../../../src/ussd/typed.ts'

describe('a day', () => {
  test.each([
    ['2711', '2026-11-27'],
    ['27/11', '2026-11-27'],
    ['5 12', '2026-12-05'],
    ['٢٧١١', '2026-11-27'],
    ['2211', '2026-11-22'],
    ['2111', '2027-11-21'],
    ['2902', undefined],
    ['3102', undefined],
    ['0000', undefined],
    ['271', undefined],
    ['271126', undefined],
    ['demain', undefined],
    ['', undefined],
  ])('"%s" is the next one that has the name', (typed, day) => {
    expect(dayTyped(typed, '2026-11-22', 'gregorian')).toBe(day)
  })

  test('of the solar Hijri year is meant where the screens show it', () => {
    expect(dayTyped('0609', '2026-11-22', 'persian')).toBe('2026-11-27')
  })

  test('of February in a leap year is there', () => {
    expect(dayTyped('2902', '2027-11-22', 'gregorian')).toBe('2028-02-29')
  })
})

describe('an hour', () => {
  test.each([
    ['1030', '10:30'],
    ['10h30', '10:30'],
    ['9:05', '09:05'],
    ['0000', '00:00'],
    ['2359', '23:59'],
    ['2400', undefined],
    ['1060', undefined],
    ['10', undefined],
    ['midi', undefined],
  ])('"%s"', (typed, time) => {
    expect(timeTyped(typed)).toBe(time)
  })
})

describe('words', () => {
  test('are one line of so many letters at most', () => {
    expect(wordsTyped('  Case \n de  santé ', 20)).toBe('Case de santé')
    expect(wordsTyped('a'.repeat(20), 20)).toBe('a'.repeat(20))
    expect(wordsTyped('a'.repeat(21), 20)).toBeUndefined()
    expect(wordsTyped(' \u0007 ', 20)).toBeUndefined()
  })

  test('are never what could be a PIN, which no dialogue may keep', () => {
    expect(wordsTyped('7391', 20)).toBeUndefined()
    expect(wordsTyped('G001', 20)).toBe('G001')
  })
})
