import { expect, test } from 'vitest'
import { isReceiptCode, withCheckDigit } from '../../../src/ledger/receipt-codes.ts'

const codes = Array.from({ length: 100_000 }, (_, at) => withCheckDigit(String(at).padStart(5, '0')))

test('every code is six digits with a check digit that is right, and no two are the same', () => {
  expect(codes.filter((code) => !isReceiptCode(code))).toEqual([])
  expect(new Set(codes).size).toBe(100_000)
})

test('every single wrong digit shows, in every code: 100,000 codes, 5,400,000 slips', () => {
  const missed: string[] = []
  let slips = 0
  for (const code of codes)
    for (let at = 0; at < 6; at += 1)
      for (let digit = 0; digit < 10; digit += 1) {
        if (code[at] === String(digit)) continue
        slips += 1
        const slip = code.slice(0, at) + digit + code.slice(at + 1)
        if (isReceiptCode(slip)) missed.push(slip)
      }
  expect(slips).toBe(5_400_000)
  expect(missed).toEqual([])
}, 60_000)

test('every swap of two neighbours shows, in every code', () => {
  const missed: string[] = []
  for (const code of codes)
    for (let at = 0; at < 5; at += 1) {
      if (code[at] === code[at + 1]) continue
      const swapped = `${code.slice(0, at)}${code[at + 1]}${code[at]}${code.slice(at + 2)}`
      if (isReceiptCode(swapped)) missed.push(swapped)
    }
  expect(missed).toEqual([])
}, 60_000)

test('what is no code is none', () => {
  for (const text of ['', '48291', '4829180', '48291a', ' 482918', '482 918', '-82918', '４８２９１８'])
    expect(isReceiptCode(text)).toBe(false)
})
