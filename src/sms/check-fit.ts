// In: the SMS texts, a programme and its country. Out: each text with the longest data, and every one that the country or the purse refuses.
import { estimateSms, type SmsEstimate, septetsOf, spell } from '../encoding.ts'
import type { Fault } from '../fault.ts'
import type { I18n, LanguageInfo } from '../i18n.ts'
import type { ProgrammeInfo } from '../members/programmes.ts'
import { listUnitsMax } from '../outbound/answers.ts'
import { fitValue, nameCharactersMax, placeCharactersMax, titleCharactersMax } from '../outbound/wording.ts'
import { languageChoices } from './choices.ts'

export type SmsLimits = Pick<
  ProgrammeInfo,
  'code' | 'languages' | 'currencyCode' | 'segmentsMax' | 'optOutTail'
>

/** One text with the longest data. */
export interface WorstText extends SmsEstimate {
  programme: string
  tag: string
  key: string
  text: string
  /** Segments that it may have there. */
  segmentsMax: number
}

/** Longer than what a text may carry: the same code cuts them as before sending. */
const longName = 'Ndèye Coumba Bâ Sané Diédhiou'
const longPlace = 'Sous le grand fromager de Boucotte-Ziguinchor'
const longTitle = 'Le rôle du groupe et la garantie solidaire entre nous'
const longestReceipt = '999999'
const longestCode = '999999'
/** Every text that leaves by itself; parts stand inside others. */
export function worstTexts(
  i18n: I18n,
  {
    code: programme,
    languages,
    tags = languages,
    currencyCode,
    segmentsMax,
  }: SmsLimits & { tags?: readonly string[] },
  longest: { amount(tag: string, currency: string): string; date(tag: string): string },
): WorstText[] {
  return tags.flatMap((tag) => {
    const info = i18n.language(tag)
    const values = valuesOf(i18n, tag, languages, longest.amount(tag, currencyCode), longest.date(tag))
    return (
      [...i18n.keys(tag, 'sms')]
        .filter((key) => !key.startsWith('part.') || key.startsWith('part.movement.'))
        // Where parts are not joined nobody gets these (see outbound/texts).
        .filter((key) => info.gsm7 !== null || segmentsMax > 1 || !/\.full(_\w+)?$/.test(key))
        .map((key) => {
          const text = spell(i18n.text(tag, 'sms', key, values(key)), info.gsm7)
          return {
            programme,
            tag,
            key,
            text,
            ...estimateSms(text),
            segmentsMax: limitOf(key, info, segmentsMax),
          }
        })
    )
  })
}

/**
 * Whoever holds the phone may read it: it keeps to one segment everywhere. A full text has what the programme pays for, and an
 * answer to her own SMS in a script without GSM-7 two, also where they arrive apart.
 */
function limitOf(key: string, { gsm7 }: LanguageInfo, segmentsMax: number): number {
  if (key.endsWith('.discreet') || key.startsWith('code.')) return 1
  if (gsm7 !== null) return 1
  return /^(reply|staff)\./.test(key) ? 2 : segmentsMax
}

function valuesOf(i18n: I18n, tag: string, languages: readonly string[], amount: string, date: string) {
  const part = (name: string, values: Record<string, string>) => i18n.text(tag, 'sms', name, values)
  const outstanding = part('part.outstanding', { balance: amount })
  const savings = part('part.savings', { balance: amount })
  const info = i18n.language(tag)
  const name = fitValue(longName, info, nameCharactersMax)
  const longer = outstanding.length > savings.length ? outstanding : savings
  const same = {
    sender: 'WWWWWWWWWWW',
    code: '*38400*1234#',
    unblock: '*456*99*5*5*1#',
    office: '+221 33 800 00 0',
    name,
    facilitator: name,
    signature: part('part.signature', { facilitator: name }),
    place: fitValue(longPlace, info, placeCharactersMax),
    title: fitValue(longTitle, info, titleCharactersMax),
    amount,
    balance: amount,
    due: amount,
    date,
    dueDate: date,
    time: i18n.time(tag, 22 * 60 + 30),
    receipt: longestReceipt,
    digits: longestCode,
    group: 'W'.repeat(12),
    groups: 'WWWWWWWWWWWW, '.repeat(4),
    members: '9999',
    others: '9999',
    pieces: '9',
    left: '9',
    lines: longestList(i18n, tag, amount),
    choices: languageChoices(i18n, languages, info.gsm7 === null),
  }
  return (key: string) => ({
    ...same,
    // An entry is about a loan or about savings, a balance about both.
    parts: key.startsWith('correction.') ? longer : `${outstanding} ${savings}`,
    proof: part(key.endsWith('.discreet') ? 'part.proof' : 'part.receipt', { receipt: longestReceipt }),
  })
}

/** As many movements as a list takes (see outbound/answers), with the longest word for one. */
function longestList(i18n: I18n, tag: string, amount: string): string {
  const words = [...i18n.keys(tag, 'sms')]
    .filter((key) => key.startsWith('part.movement.'))
    .map((key) => i18n.text(tag, 'sms', key))
  const word = words.reduce((one, other) => (other.length > one.length ? other : one), '')
  const line = `${i18n.shortDate(tag, '2026-12-29')} ${word} ${amount}`
  const lines = Array.from({ length: 5 }, (_, index) =>
    Array.from({ length: index + 1 }, () => line).join(', '),
  )
  return lines.findLast((list) => list.length <= listUnitsMax) ?? line
}

/** What is too long, leaves GSM-7, or has no room left for the network's own words behind the first message. */
export function smsFaults(i18n: I18n, limits: SmsLimits, texts: readonly WorstText[]): Fault[] {
  return texts.flatMap((worst) => {
    const { tag, key, text, segments, segmentsMax, costly } = worst
    const place = () => i18n.place(tag, 'sms.json', key.split('.'))
    const where = `"${key}": in ${tag} for programme ${limits.code}`
    const isGsm7 = i18n.language(tag).gsm7 !== null
    if (text.includes('{{'))
      return [
        {
          ...place(),
          what: `${where} a value is not known there`,
          text,
          remedy: 'Look for a slip in the name between {{ and }}.',
        },
      ]
    if (isGsm7 && costly.length > 0)
      return [
        {
          ...place(),
          what: `${where} ${costly.map((letter) => `"${letter}"`).join(' ')} is outside GSM-7 and makes it ${segments} segments, not ${worst.segmentsWithoutCostly}`,
          text,
          remedy: `Add a spelling for ${costly.join(' ')} to "gsm7" in locales/${place().file.split('/')[1]}/language.json.`,
        },
      ]
    if (segments > segmentsMax)
      return [
        {
          ...place(),
          what: `${where} it takes ${segments} segments, more than ${segmentsMax}, from ${JSON.stringify(worst.over?.character)} on, its character ${(worst.over?.at ?? 0) + 1}`,
          text,
          remedy: isGsm7
            ? 'Shorten it.'
            : 'Shorten it, or offer the language in its GSM-7 spelling where it has one.',
        },
      ]
    const tail = tailFault(limits, worst)
    return tail === undefined
      ? []
      : [{ ...place(), what: `${where} ${tail}`, text, remedy: 'Shorten the text or the tail.' }]
  })
}

/** Where parts are not joined, the network's tail must stand in the same segment. */
function tailFault(
  { optOutTail, segmentsMax }: SmsLimits,
  { text, encoding }: WorstText,
): string | undefined {
  if (optOutTail === null || segmentsMax > 1) return undefined
  const whole = `${text}${optOutTail}`
  const { segments } = estimateSms(whole)
  if (segments === 1) return undefined
  const units = encoding === 'gsm7' ? (septetsOf(whole) ?? whole.length) : whole.length
  return `with the network's tail it takes ${segments} segments (${units} units) where parts are not joined`
}
