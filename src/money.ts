// In: amounts as decimal text. Out: exact decimals and plain amounts for people to read. Never a JavaScript number.
import { Decimal } from 'decimal.js'

export type Amount = Decimal

// Sums of postings of 16 digits and 4 decimals must stay exact; the library's own limit is 20 digits.
Decimal.set({ precision: 40 })

/** ISO 4217 (list of 2024-06-25): minor digits of each active currency. Intl differs for some (MGA, MMK, PKR), so the table is ours. */
const currenciesByExponent: Record<number, string> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  2: `AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF
    CHF CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG
    HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR
    MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK
    SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER
    ZAR ZMW`,
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
}

export const currencyExponents: ReadonlyMap<string, number> = new Map(
  Object.entries(currenciesByExponent).flatMap(([exponent, codes]) =>
    codes.split(/\s+/).map((code) => [code, Number(exponent)] as const),
  ),
)

/** The letters a member knows her money by; a currency not listed shows its ISO code. */
const currencySigns: Readonly<Record<string, string>> = { XOF: 'F', XAF: 'F', HTG: 'G', GNF: 'F' }

/** Minor digits of a currency. Throws a RangeError for a code that ISO 4217 does not list. */
export function currencyExponent(currency: string): number {
  const exponent = currencyExponents.get(currency)
  if (exponent === undefined) throw new RangeError(`Unknown currency code ${currency}`)
  return exponent
}

/**
 * Reads an amount written with digits and at most one point ("12500", "-3.5").
 * Undefined when it is no such text, too large for the ledger (16 digits before the point) or has more decimals than the currency.
 */
export function parseAmount(text: string, currency: string): Amount | undefined {
  if (!/^-?\d{1,16}(\.\d{1,4})?$/.test(text)) return undefined
  const amount = new Decimal(text)
  return amount.decimalPlaces() <= currencyExponent(currency) ? amount : undefined
}

/**
 * "12 500 F", "152.50 EUR": GSM-7 characters only, groups of three, never rounded. Intl would put U+202F and U+00A0 here, which
 * triple the price of an SMS. Beside a right-to-left script the groups need a comma: a space would turn them round, "500 12"
 * (Unicode Standard Annex 9, W4).
 */
export function formatAmount(
  amount: Amount,
  currency: string,
  decimalMark: '.' | ',' = '.',
  groupMark: ' ' | ',' = ' ',
): string {
  const [whole = '', decimals] = amount.abs().toFixed(currencyExponent(currency)).split('.')
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, groupMark)
  const sign = amount.isNegative() && !amount.isZero() ? '-' : ''
  const digits = decimals === undefined ? grouped : `${grouped}${decimalMark}${decimals}`
  return `${sign}${digits} ${currencySigns[currency] ?? currency}`
}
