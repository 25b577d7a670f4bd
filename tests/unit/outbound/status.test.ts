import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  allowedMoves,
  canMove,
  isFinal,
  type MessageStatus,
  messageStatuses,
  type ReportedStatus,
  reportedStatuses,
  statusAfter,
  transitionSources,
} from '../../../src/outbound/status.ts'

const fold = (from: MessageStatus, reports: readonly ReportedStatus[]) =>
  reports.reduce<MessageStatus>((status, report) => statusAfter('delivery_report', status, report), from)

/** Said another way: the highest of what was reported wins, whatever came first. */
function reference(from: MessageStatus, reports: readonly ReportedStatus[]): MessageStatus {
  const heard = new Set<string>([from, ...reports])
  if (heard.has('delivered')) return 'delivered'
  if (from === 'failed' || from === 'expired') return from
  if (heard.has('undelivered')) return 'undelivered'
  if (heard.has('rejected')) return 'rejected'
  return heard.has('sent') ? 'sent' : from
}

const reportable = fc.constantFrom<MessageStatus>(
  'submitted',
  'unknown',
  'sent',
  'failed',
  'expired',
  'rejected',
  'undelivered',
)
const reportsOf = fc.array(fc.constantFrom(...reportedStatuses), { maxLength: 12 })

describe('the status ladder', () => {
  it('reports in any order, any number of times, end in the same status', () => {
    fc.assert(
      fc.property(reportable, reportsOf, fc.infiniteStream(fc.nat()), (from, reports, dice) => {
        const shuffled = [...reports, ...reports]
          .map((report) => ({ report, rank: dice.next().value as number }))
          .sort((a, b) => a.rank - b.rank)
          .map(({ report }) => report)
        expect(fold(from, shuffled)).toBe(fold(from, reports))
        expect(fold(from, reports)).toBe(reference(from, reports))
      }),
      { numRuns: 10_000 },
    )
  })

  it('a late "delivered" wins over undelivered, rejected, failed and expired', () => {
    for (const given of ['undelivered', 'rejected', 'failed', 'expired'] as const)
      expect(statusAfter('delivery_report', given, 'delivered')).toBe('delivered')
  })

  it('reports never take a message back, and never touch one that was not handed over', () => {
    for (const to of reportedStatuses) {
      expect(canMove('delivery_report', 'delivered', to)).toBe(false)
      for (const from of ['created', 'queued', 'claimed', 'submitting', 'suppressed', 'cancelled'] as const)
        expect(canMove('delivery_report', from, to)).toBe(false)
    }
    expect(canMove('delivery_report', 'sent', 'sent')).toBe(false)
  })

  it('only the relay and the sender may give a message back to the outbox, and only before it is submitted', () => {
    const back = allowedMoves.filter((move) => move.endsWith(' created'))
    expect(back).toEqual([
      'relay queued created',
      'relay claimed created',
      'sender queued created',
      'sender claimed created',
      'sender submitting created',
    ])
  })

  it('nobody sends an unknown message again', () => {
    for (const source of transitionSources)
      for (const to of ['created', 'queued', 'claimed', 'submitting'] as const)
        expect(canMove(source, 'unknown', to)).toBe(false)
  })

  it('a message in a provider call can no longer be stopped', () => {
    for (const source of ['planner', 'events', 'inbound', 'operator'] as const)
      for (const to of messageStatuses) expect(canMove(source, 'submitting', to)).toBe(false)
  })

  it('a final status leads nowhere but to a late "delivered"', () => {
    for (const from of messageStatuses.filter(isFinal))
      for (const source of transitionSources)
        for (const to of messageStatuses)
          if (canMove(source, from, to) && from !== 'rejected')
            expect([source, to]).toEqual(['delivery_report', 'delivered'])
  })
})
