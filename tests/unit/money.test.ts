import { Decimal } from 'decimal.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { septetsOf } from '../../src/encoding.ts'
import { currencyExponents, formatAmount, parseAmount } from '../../src/money.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'

describe('amounts', () => {
  let database: TestDatabase
  beforeAll(async () => {
    database = await createTestDatabase()
  })
  afterAll(() => database.drop())

  it('the database and the code hold the same ISO 4217 table', async () => {
    const { rows } = await database.db.pool.query<{ code: string; exponent: number }>(
      'select code, exponent from currencies order by code',
    )
    expect(rows).toEqual([...currencyExponents].sort().map(([code, exponent]) => ({ code, exponent })))
  })

  it.each([
    ['12500', 'XOF', '12 500 F'],
    ['0', 'XOF', '0 F'],
    ['-1234567', 'XOF', '-1 234 567 F'],
    ['152.5', 'EUR', '152.50 EUR'],
    ['1000.05', 'HTG', '1 000.05 G'],
  ])('%s %s reads "%s" in GSM-7, where Intl would leave it', (text, currency, expected) => {
    const shown = formatAmount(new Decimal(text), currency)
    expect(shown).toBe(expected)
    expect(septetsOf(shown)).toBeDefined()
    const byIntl = new Intl.NumberFormat('fr-SN', { style: 'currency', currency }).format(12500)
    expect(septetsOf(byIntl)).toBeUndefined()
  })

  it.each([
    ['1.5', 'XOF'],
    ['1e3', 'EUR'],
    ['', 'EUR'],
    ['1,5', 'EUR'],
    ['1.234', 'EUR'],
    ['NaN', 'EUR'],
    ['99999999999999999', 'EUR'],
  ])('"%s" %s is no amount', (text, currency) => {
    expect(parseAmount(text, currency)).toBeUndefined()
  })
})
