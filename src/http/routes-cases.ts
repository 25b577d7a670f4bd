// In: what the back office asks about cases, and settles. Out: its routes.
import {
  caseAnswer,
  casesAnswer,
  casesQuery,
  closeCaseOf,
  closingSchema,
  listCases,
  unmatchedCodes,
  unmatchedCodesAnswer,
  unmatchedCodesQuery,
} from './api-cases.ts'
import { type Route, route } from './route.ts'

const caseExample = {
  reference: '4827',
  kind: 'dispute' as const,
  status: 'open' as const,
  outcome: null,
  member: 'M-204',
  owner: 'Fatou',
  entry: { reference: 'R-2026-118', kind: 'loan_repayment', bookedDate: '2026-11-02' },
  openedAt: '2026-11-20T10:00:00.000Z',
  promisedDate: '2026-11-24',
  closedAt: null,
}

export const caseRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/cases',
    scope: 'read',
    summary:
      'Open cases, the first promised first: members who ask to be called, or say that an entry is not right; or closed ones',
    query: casesQuery,
    answer: casesAnswer,
    example: { answer: { cases: [caseExample], next: null } },
    handle: ({ tx, clock, caller, query }) => listCases(tx, clock, caller, query),
  }),
  route({
    method: 'post',
    path: '/cases/:reference/close',
    scope: 'members',
    summary: 'Close a case with its outcome',
    params: { reference: 'Reference of the case' },
    body: closingSchema,
    answer: caseAnswer,
    refusals: ['route.unknown', 'case.closed'],
    example: {
      body: { outcome: 'corrected' },
      answer: {
        ...caseExample,
        status: 'closed',
        outcome: 'corrected',
        closedAt: '2026-11-23T09:30:00.000Z',
      },
    },
    handle: ({ tx, clock, caller, params, body }) => closeCaseOf(tx, clock, caller, params.reference, body),
  }),
  route({
    method: 'get',
    path: '/unmatched-codes',
    scope: 'read',
    summary: 'Codes that somebody dialled and that are on no receipt, newest first',
    query: unmatchedCodesQuery,
    answer: unmatchedCodesAnswer,
    example: {
      answer: {
        unmatchedCodes: [{ at: '2026-11-20T10:00:00.000Z', phone: 'k3f9', code: 'p07c', wellFormed: true }],
        next: null,
      },
    },
    handle: ({ tx, caller, query }) => unmatchedCodes(tx, caller, query),
  }),
]
