// In: screens as they are laid out. Out: how many screens and seconds each answer takes a slow reader. The only place for such figures.

/** Characters that a new reader takes in: 50 words a minute (45 to 60 is the least that can be understood: H. Abadzi, Reading Fluency Measurements in EFA FTI Partner Countries, World Bank 2011) of five letters and a space. */
export const readCharactersPerSecond = 5
/** One key on a known place, and opening, sending and looking up again with a basic phone: our own guess, to be measured with members. */
export const keySeconds = 1
export const sendSeconds = 3
/** A letter by multi-tap: 7.95 words a minute for beginners (Sajida, New Data on Text Entry with Multitap and T9, Tampere 2012). */
export const letterSeconds = 1.5
/** A hop over the network and through the provider, as members wait for it: our own guess. */
export const networkSeconds = 2

/** Africa's Talking ends a dialogue after 180 s, and after 30 s without an answer (see docs/operations.md). */
export const sessionSecondsMax = 180
export const idleSecondsMax = 30
/** Paths that need more of a limit than this are listed. */
export const shareListed = 0.7

/** Reading a screen and answering it with so many keys. */
export function screenSeconds(text: string, keys: number, letters = 0): number {
  return text.length / readCharactersPerSecond + keys * keySeconds + letters * letterSeconds + sendSeconds
}
