// In: phone numbers as people write them. Out: E.164 with the plus sign, or undefined; masked for logs.
import parsePhoneNumber, { type CountryCode, isSupportedCountry, Metadata } from 'libphonenumber-js/max'

/** E.164 of a number written nationally (of `country`, ISO 3166-1 alpha-2) or internationally; undefined when no such number exists. */
export function parseMsisdn(text: string, country: string): string | undefined {
  const written = text.trim().replace(/^00/, '+')
  const parsed = parsePhoneNumber(written, country as CountryCode)
  return parsed?.isValid() === true ? parsed.number : undefined
}

/** In some plans (the USA's) a mobile cannot be told from a fixed line; where nothing can be told, the network decides. */
const mobileTypes: ReadonlySet<string | undefined> = new Set(['MOBILE', 'FIXED_LINE_OR_MOBILE', undefined])

export type SmsFault = 'country_not_allowed' | 'number_not_mobile'

/** Why no SMS may go to a number (E.164): another country's, or surely no mobile. Undefined when it may. */
export function smsFault(msisdn: string, countries: readonly string[]): SmsFault | undefined {
  // Parsing takes a tenth of a millisecond; nearly every number is a mobile of the programme's country.
  if (countries.some((country) => mobilePattern(country)?.test(msisdn) === true)) return undefined
  const parsed = parsePhoneNumber(msisdn)
  const isAllowed = parsed?.getPossibleCountries().some((country) => countries.includes(country)) === true
  if (!isAllowed) return 'country_not_allowed'
  return mobileTypes.has(parsed?.getType()) ? undefined : 'number_not_mobile'
}

const mobilePatterns = new Map<string, RegExp | undefined>()

/** A country's mobile numbers in E.164; undefined where the plan does not tell them. */
function mobilePattern(country: string): RegExp | undefined {
  if (!mobilePatterns.has(country)) mobilePatterns.set(country, makeMobilePattern(country))
  return mobilePatterns.get(country)
}

function makeMobilePattern(country: string): RegExp | undefined {
  if (!isSupportedCountry(country)) return undefined
  const metadata = new Metadata()
  metadata.selectNumberingPlan(country)
  const plan = metadata.numberingPlan as unknown as MobilePlan
  const mobile = plan.type('MOBILE')?.pattern()
  return mobile === undefined ? undefined : new RegExp(`^\\+${plan.callingCode()}(?:${mobile})$`)
}

/** More of a numbering plan than the library's types tell. */
interface MobilePlan {
  callingCode(): string
  type(name: 'MOBILE'): { pattern(): string } | undefined
}

/** "+221771234567" -> "+22177*****67": enough to tell two apart in a log, too little to call. */
export function maskMsisdn(msisdn: string): string {
  return msisdn.length < 9 ? '***' : `${msisdn.slice(0, 6)}*****${msisdn.slice(-2)}`
}
