// In: what the back office posts and reads of the shared ledger. Out: its routes.

import { loanStateOf, statementOf } from './api-reads.ts'
import {
  entryAnswer,
  entrySchema,
  loanAnswer,
  loanSchema,
  loanStateAnswer,
  reversalSchema,
  statementAnswer,
  statementQuery,
} from './api-schemas.ts'
import { createLoan, postEntry, postReversal } from './api-writes.ts'
import { type Route, route } from './route.ts'

const bookingRefusals = [
  'entry.reference_conflict',
  'entry.reference_concurrent',
  'entry.account_closed',
  'entry.date_future',
] as const

const postings = [
  { account: 'cash', amount: '46400' },
  { account: 'loan/L17', amount: '-46400' },
]
const entryExample = {
  id: '01a203cf-1bb5-7597-b474-41bae3555a81',
  reference: 'R-2026-118',
  kind: 'loan_repayment' as const,
  bookedDate: '2026-11-02',
  description: 'Meeting in Brin',
  reverses: null,
  postings,
}
const loanExample = {
  number: 'L17',
  member: 'M-204',
  product: 'standard' as const,
  cycle: 1,
  principal: '90000',
}

export const ledgerRoutes: readonly Route[] = [
  route({
    method: 'post',
    path: '/entries',
    scope: 'entries',
    summary: 'Post an entry',
    body: entrySchema,
    answer: entryAnswer,
    refusals: [
      ...bookingRefusals,
      'entry.unbalanced',
      'entry.currency_mix',
      'entry.decimals',
      'entry.account_unknown',
    ],
    example: {
      body: {
        reference: entryExample.reference,
        kind: entryExample.kind,
        bookedDate: entryExample.bookedDate,
        description: entryExample.description,
        postings,
      },
      answer: entryExample,
    },
    handle: ({ tx, clock, caller, body }) => postEntry(tx, clock, caller, body),
  }),
  route({
    method: 'post',
    path: '/entries/:reference/reversal',
    scope: 'entries',
    summary: 'Reverse an entry by its mirror',
    params: { reference: 'Reference of the entry to reverse, percent-encoded' },
    body: reversalSchema,
    answer: entryAnswer,
    refusals: [
      ...bookingRefusals,
      'entry.already_reversed',
      'entry.reversal_unknown',
      'entry.reversal_invalid',
    ],
    example: {
      body: { reference: 'R-2026-118/x', bookedDate: '2026-11-03' },
      answer: {
        id: '01a203d0-2c4f-7d11-9a3c-0c5e6f7a8b9d',
        reference: 'R-2026-118/x',
        kind: 'reversal',
        bookedDate: '2026-11-03',
        description: null,
        reverses: 'R-2026-118',
        postings: [
          { account: 'cash', amount: '-46400' },
          { account: 'loan/L17', amount: '46400' },
        ],
      },
    },
    handle: ({ tx, clock, caller, params, body }) => postReversal(tx, clock, caller, params.reference, body),
  }),
  route({
    method: 'post',
    path: '/loans',
    scope: 'entries',
    summary: 'Open a loan with its schedule and hand it out',
    body: loanSchema,
    answer: loanAnswer,
    refusals: ['loan.number_taken', 'loan.schedule_invalid', 'member.unknown', 'entry.date_future'],
    example: {
      body: {
        ...loanExample,
        disbursedDate: '2026-11-02',
        instalments: [{ dueDate: '2026-12-02', principal: '90000', interest: '2800' }],
      },
      answer: {
        ...loanExample,
        account: 'loan/L17',
        disbursedDate: '2026-11-02',
        disbursement: 'disbursement/L17',
        instalments: [
          { dueDate: '2026-12-02', principal: '90000', interest: '2800', fee: '0', insurance: '0' },
        ],
      },
    },
    handle: ({ tx, clock, caller, body }) => createLoan(tx, clock, caller, body),
  }),
  route({
    method: 'get',
    path: '/loans/:number',
    scope: 'read',
    summary: 'A loan with what of each instalment is still to be paid, part by part',
    params: { number: 'Loan number, percent-encoded' },
    answer: loanStateAnswer,
    refusals: ['route.unknown'],
    example: {
      answer: {
        ...loanExample,
        outstanding: '46400',
        overpaid: '0',
        unscheduled: '0',
        instalments: [
          {
            dueDate: '2026-12-02',
            amount: '92800',
            remaining: '46400',
            unpaid: { principal: '46400', interest: '0', fee: '0', insurance: '0' },
          },
        ],
      },
    },
    handle: ({ tx, caller, params }) => loanStateOf(tx, caller, params.number),
  }),
  route({
    method: 'get',
    path: '/accounts/:code/statement',
    scope: 'read',
    summary: 'Postings of an account with the balance after each, in booking order',
    params: { code: 'Account code, percent-encoded ("loan%2FL17")' },
    query: statementQuery,
    answer: statementAnswer,
    refusals: ['route.unknown'],
    example: {
      query: 'limit=1',
      answer: {
        account: 'loan/L17',
        type: 'asset',
        purpose: 'loan',
        currency: 'XOF',
        closedAt: null,
        balance: '46400',
        rows: [
          {
            reference: 'disbursement/L17',
            kind: 'loan_disbursement',
            bookedDate: '2026-11-02',
            description: null,
            reversed: false,
            amount: '92800',
            balance: '92800',
          },
        ],
        next: 'WyJzdGF0ZW1lbnQiLCIyMDI2LTExLTAyIiwiMTE4Il0',
      },
    },
    handle: ({ tx, caller, params, query }) => statementOf(tx, caller, params.code, query),
  }),
]
