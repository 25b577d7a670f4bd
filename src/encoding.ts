// In: text. Out: its length on the carrier and its GSM-7 spelling by reviewed rules. Never strips an accent that no rule names.

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

/** Segments of an SMS: 160 septets or 70 units alone, 153 or 67 a part; a two-septet sign or a surrogate pair is never cut. */
export function measureSms(text: string): SmsMeasure {
  const septets = septetsOf(text)
  if (septets !== undefined) {
    const costs = [...text].map((character) => septetsByCharacter.get(character) ?? 1)
    return { encoding: 'gsm7', units: septets, segments: septets <= 160 ? 1 : partsOf(costs, 153) }
  }
  const costs = [...text].map((character) => character.length)
  return { encoding: 'ucs2', units: text.length, segments: text.length <= 70 ? 1 : partsOf(costs, 67) }
}

function partsOf(costs: readonly number[], limit: number): number {
  let parts = 1
  let used = 0
  for (const cost of costs) {
    if (used + cost > limit) {
      parts += 1
      used = 0
    }
    used += cost
  }
  return parts
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

/**
 * The GSM-7 spelling of a text in a language. Characters that no rule covers stay as they are, so that a check can name them.
 * The text is normalised to NFC first: "e" with a combining accent is one letter.
 */
export function spellGsm7(text: string, rules: Gsm7Rules): string {
  let spelled = text.normalize('NFC')
  if (septetsOf(spelled) !== undefined) return spelled
  for (const [word, replacement] of Object.entries(rules.words))
    spelled = spelled.replace(new RegExp(`(?<![\\p{L}])${word}(?![\\p{L}])`, 'gu'), replacement)
  let out = ''
  for (const character of spelled) {
    if (septetsByCharacter.has(character)) out += character
    else out += rules.letters[character] ?? typography[character] ?? character
  }
  return out
}
