// In: phone numbers as people write them. Out: E.164 with the plus sign, or undefined; masked for logs.
import parsePhoneNumber, { type CountryCode } from 'libphonenumber-js/max'

/** E.164 of a number written nationally (of `country`, ISO 3166-1 alpha-2) or internationally; undefined when no such number exists. */
export function parseMsisdn(text: string, country: string): string | undefined {
  const written = text.trim().replace(/^00/, '+')
  const parsed = parsePhoneNumber(written, country as CountryCode)
  return parsed?.isValid() === true ? parsed.number : undefined
}

/** "+221771234567" -> "+22177*****67": enough to tell two apart in a log, too little to call. */
export function maskMsisdn(msisdn: string): string {
  return msisdn.length < 9 ? '***' : `${msisdn.slice(0, 6)}*****${msisdn.slice(-2)}`
}
