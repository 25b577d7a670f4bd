// C5: whatever hours a programme and a member keep, in whatever zone, no unasked message leaves outside both, and each leaves
// at the first minute that both allow.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { localParts } from '../../src/calendar.ts'
import { decide } from '../../src/outbound/decision.ts'
import type { DecisionRow } from '../../src/outbound/decision-query.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { plainRow } from '../support/rows.ts'

const zones = ['Africa/Dakar', 'America/Montreal', 'Europe/Brussels', 'Asia/Kathmandu', 'Pacific/Apia']
const window = fc
  .tuple(fc.integer({ min: 0, max: 1_439 }), fc.integer({ min: 1, max: 1_440 }))
  .filter(([from, until]) => from < until)

/** Minutes of the year in which the clocks of some zone change, or any; seconds too. */
const instant = fc.oneof(
  fc.integer({ min: Date.parse('2026-01-01'), max: Date.parse('2027-12-31') }),
  fc.integer({ min: Date.parse('2026-03-28'), max: Date.parse('2026-03-30') }),
  fc.integer({ min: Date.parse('2026-10-31'), max: Date.parse('2026-11-02') }),
)
const minuteMs = 60_000

test('C5: no unasked message outside the hours that are safe for her', () => {
  let tried = 0
  let deferred = 0
  fc.assert(
    fc.property(
      window,
      fc.option(window, { nil: undefined }),
      fc.constantFrom(...zones),
      instant,
      fc.integer({ min: -1, max: 1 }),
      fc.constantFrom('receipt', 'reminder', 'meeting', 'notice') as fc.Arbitrary<DecisionRow['purpose']>,
      ([sendFrom, sendUntil], hers, timeZone, atMs, edge, purpose) => {
        const from = Math.max(sendFrom, hers?.[0] ?? 0)
        const until = Math.min(sendUntil, hers?.[1] ?? 1_440)
        const row: DecisionRow = {
          ...plainRow,
          purpose,
          template: 'reply.help',
          timeZone,
          sendFromMinute: sendFrom,
          sendUntilMinute: sendUntil,
          memberFromMinute: hers?.[0] ?? null,
          memberUntilMinute: hers?.[1] ?? null,
        }
        // Half of the tries are a minute around an edge of the hours.
        const near = atMs % 2 === 0
        const drawn = new Date(atMs)
        const edgeMinute = atMs % 4 === 0 ? from : until
        const shift = (edgeMinute - localParts(drawn, timeZone).minuteOfDay + edge) * minuteMs
        const now = near ? new Date(drawn.getTime() + shift) : drawn
        const minute = localParts(now, timeZone).minuteOfDay
        const verdict = decide(row, now)
        tried += 1
        if (from >= until) expect(verdict).toEqual({ action: 'suppress', reason: 'no_safe_hour' })
        else if (minute >= from && minute < until) expect(verdict).toEqual({ action: 'send' })
        else {
          deferred += 1
          if (verdict.action !== 'defer') throw new Error(`${verdict.action} at minute ${minute}`)
          const opening = verdict.notBefore
          expect(opening.getTime()).toBeGreaterThan(now.getTime())
          expect(opening.getTime() - now.getTime()).toBeLessThanOrEqual(26 * 60 * minuteMs)
          // It leaves then; where the clocks skip that minute, at the first one after it.
          expect(localParts(opening, timeZone).minuteOfDay).toBeGreaterThanOrEqual(from)
          expect(localParts(opening, timeZone).minuteOfDay - from).toBeLessThanOrEqual(60)
          expect(decide({ ...row, purpose: 'reply' }, now)).toEqual({ action: 'send' })
        }
      },
    ),
    { numRuns: atScale(5_000, 200_000), seed: 20261124 },
  )
  expect(deferred).toBeGreaterThan(0)
  showFigure(
    'C5',
    `${tried} instants in 5 zones, half a minute around an edge: ${deferred} put off to the opening, 0 outside`,
  )
})
