import { expect, test } from 'vitest'
import { keyOf, type LedgerFact } from '../../../src/events/fact.ts'
import { handlers } from '../../../src/events/handlers/index.ts'

const fact = (memberIds: string[]): LedgerFact => ({
  eventId: '1',
  entryId: 'e1',
  kind: 'loan_repayment',
  programmeId: 'p1',
  bookedDate: '2026-11-22',
  stale: false,
  reversesId: null,
  reversed: false,
  memberIds,
})

test('an entry of one member has one key; an entry of many has one for each', () => {
  expect(keyOf('receipt', fact(['m1']), 'm1')).toBe('receipt/e1')
  expect(keyOf('receipt', fact(['m1', 'm2']), 'm2')).toBe('receipt/e1/m2')
})

test('fees, adjustments and openings are nobody’s news', () => {
  expect(Object.keys(handlers).sort()).toEqual([
    'loan_disbursement',
    'loan_repayment',
    'reversal',
    'savings_deposit',
    'savings_withdrawal',
  ])
})
