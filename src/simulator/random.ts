// In: a seed. Out: the same row of chances every time. Not for secrets.

export type Random = ReturnType<typeof createRandom>

/** Mulberry32: small and good enough to shuffle delivery reports. The same seed gives the same row. */
export function createRandom(seed: number) {
  let state = seed >>> 0

  /** From 0 up to, not including, 1. */
  function next(): number {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  return {
    next,
    chance: (share: number) => share > 0 && next() < share,
    /** A whole number from `from` to `to`, both possible. */
    between: (from: number, to: number) => from + Math.floor(next() * (to - from + 1)),
    /** Lower-case hexadecimal digits, eight a draw. */
    hex(digits: number): string {
      let text = ''
      while (text.length < digits)
        text += Math.floor(next() * 4_294_967_296)
          .toString(16)
          .padStart(8, '0')
      return text.slice(0, digits)
    },
    /** One of the words, each as likely as its weight; undefined when no weight is above zero. */
    pick<Word extends string>(weights: Readonly<Partial<Record<Word, number>>>): Word | undefined {
      const entries = (Object.entries(weights) as [Word, number][]).filter(([, weight]) => weight > 0)
      let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
      for (const [word, weight] of entries) {
        left -= weight
        if (left < 0) return word
      }
      return entries.at(-1)?.[0]
    },
  }
}

/** Each as likely as the others. Throws a RangeError when there is none. */
export function pickOne<Value>(random: Random, values: readonly Value[]): Value {
  const value = values[random.between(0, values.length - 1)]
  if (value === undefined) throw new RangeError('nothing to pick from')
  return value
}
