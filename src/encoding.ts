// In: text. Out: its length on the carrier, the letters that cost, and its spelling by reviewed rules. Never strips an accent that no rule names.

/** GSM 03.38 default alphabet (3GPP TS 23.038, 6.2.1); the escape position is left out. */
const basicAlphabet =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà'
/** Extension table (TS 23.038, 6.2.1.1): two septets each. */
const extensionAlphabet = '\f^{}\\[~]|€'

const septetsByCharacter = new Map<string, 1 | 2>([
  ...[...basicAlphabet].map((character) => [character, 1] as const),
  ...[...extensionAlphabet].map((character) => [character, 2] as const),
])

/** Septets of a text in GSM-7, or undefined when a character is outside it. */
export function septetsOf(text: string): number | undefined {
  let septets = 0
  for (const character of text) {
    const cost = septetsByCharacter.get(character)
    if (cost === undefined) return undefined
    septets += cost
  }
  return septets
}

/** The first character that GSM-7 does not have. */
export function firstOutsideGsm7(text: string): string | undefined {
  for (const character of text) if (!septetsByCharacter.has(character)) return character
  return undefined
}

export interface SmsMeasure {
  encoding: 'gsm7' | 'ucs2'
  /** Septets or UTF-16 units. */
  units: number
  segments: number
}

/** Septets of GSM-7 or units of UCS-2 in an SMS that stands alone, and in each part of a longer one (TS 23.040, 9.2.3.24.1: 6 octets of header). */
const smsRoom = { gsm7: { alone: 160, part: 153 }, ucs2: { alone: 70, part: 67 } } as const

/** What each character costs, in the encoding that the whole text needs. */
function costsOf(text: string): { encoding: 'gsm7' | 'ucs2'; units: number; costs: number[] } {
  const septets = septetsOf(text)
  const characters = [...text]
  return septets === undefined
    ? { encoding: 'ucs2', units: text.length, costs: characters.map((character) => character.length) }
    : {
        encoding: 'gsm7',
        units: septets,
        costs: characters.map((character) => septetsByCharacter.get(character) ?? 1),
      }
}

/** Segments of an SMS: 160 septets or 70 units alone, 153 or 67 a part; a two-septet sign or a surrogate pair is never cut. */
export function measureSms(text: string): SmsMeasure {
  const { encoding, units, costs } = costsOf(text)
  const { alone, part } = smsRoom[encoding]
  return { encoding, units, segments: units <= alone ? 1 : startsOfParts(costs, part).length }
}

/** Indices of the characters with which the parts begin. */
function startsOfParts(costs: readonly number[], limit: number): number[] {
  const starts = [0]
  let used = 0
  for (const [index, cost] of costs.entries()) {
    if (used + cost > limit) {
      starts.push(index)
      used = 0
    }
    used += cost
  }
  return starts
}

export interface SmsEstimate extends SmsMeasure {
  /** The letters outside GSM-7 that make the text UCS-2, each once, in the order of the text. */
  costly: string[]
  /** The character with which the text outgrows a single segment; undefined for one segment. */
  over: { character: string; at: number } | undefined
  /** Segments if the costly letters were replaced by one GSM-7 letter each. */
  segmentsWithoutCostly: number
}

/** What a text costs and which characters make it cost that, for whoever writes it. `at` counts characters from 0. */
export function estimateSms(text: string): SmsEstimate {
  const measure = measureSms(text)
  const characters = [...text]
  const costly = [...new Set(characters.filter((character) => !septetsByCharacter.has(character)))]
  const plain = characters.map((character) => (septetsByCharacter.has(character) ? character : 'x')).join('')
  const { costs, encoding } = costsOf(text)
  let at = 0
  for (let used = 0; at < costs.length; at += 1) {
    used += costs[at] ?? 0
    if (used > smsRoom[encoding].alone) break
  }
  return {
    ...measure,
    costly,
    over: measure.segments === 1 ? undefined : { character: characters[at] ?? '', at },
    segmentsWithoutCostly: measureSms(plain).segments,
  }
}

/** Octets that every network carries in one USSD string (TS 23.038, 5; TS 24.090). */
export const ussdOctetsMax = 160

/** A USSD string as it is packed: eight septets in seven octets, or two octets a UTF-16 unit. */
export function measureUssd(text: string): { encoding: 'gsm7' | 'ucs2'; units: number; octets: number } {
  const septets = septetsOf(text)
  return septets === undefined
    ? { encoding: 'ucs2', units: text.length, octets: text.length * 2 }
    : { encoding: 'gsm7', units: septets, octets: Math.ceil((septets * 7) / 8) }
}

/** Reviewed spelling rules of one language: whole words first, then letters. */
export interface Gsm7Rules {
  words: Readonly<Record<string, string>>
  letters: Readonly<Record<string, string>>
}

/** Typographic signs that mean the same as a GSM-7 one in every language. */
const typography: Readonly<Record<string, string>> = {
  '\u00a0': ' ',
  '\u202f': ' ',
  '\u2009': ' ',
  '\u2019': "'",
  '\u2018': "'",
  '\u201c': '"',
  '\u201d': '"',
  '\u00ab': '"',
  '\u00bb': '"',
  '\u2026': '...',
  '\u2013': '-',
  '\u2014': '-',
}
/** Direction marks and joiners: basic phones show them as boxes, and each would cost a whole encoding. */
const invisible = /[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g

/**
 * A text as a phone is to get it. With rules: its GSM-7 spelling in that language; a character that no rule covers stays, so
 * that a check can name it. Without rules: its own letters, with plain spaces and quotes. Normalised to NFC either way: "e"
 * with a combining accent is one letter.
 */
export function spell(text: string, rules: Gsm7Rules | null): string {
  const spelled = text.normalize('NFC')
  if (septetsOf(spelled) !== undefined) return spelled
  return rules === null ? withAllLetters(spelled) : inGsm7(spelled, rules)
}

function withAllLetters(text: string): string {
  let out = ''
  for (const character of text.replace(invisible, '')) out += typography[character] ?? character
  return out
}

function inGsm7(text: string, rules: Gsm7Rules): string {
  let spelled = text.replace(invisible, '')
  for (const [word, replacement] of Object.entries(rules.words))
    spelled = spelled.replace(new RegExp(`(?<![\\p{L}])${word}(?![\\p{L}])`, 'gu'), replacement)
  let out = ''
  for (const character of spelled) {
    if (septetsByCharacter.has(character)) out += character
    else out += rules.letters[character] ?? typography[character] ?? character
  }
  return out
}
