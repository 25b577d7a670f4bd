// In: what the back office posts and reads of the shared ledger. Out: its routes.

import { entriesAnswer, entriesOf, entriesQuery, entryOf, storedEntryAnswer } from './api-entries.ts'
import {
  loansAnswer,
  loansOf,
  loansQuery,
  memberLoansQuery,
  putSchedule,
  scheduleSchema,
} from './api-loans.ts'
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

const loansExample = {
  loans: [
    { ...loanExample, outstanding: '46400', currency: 'XOF', instalments: 1, lastDueDate: '2026-12-02' },
  ],
  next: null,
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
    path: '/entries',
    scope: 'read',
    summary: 'Entries with their postings, in the order in which they were written',
    query: entriesQuery,
    answer: entriesAnswer,
    example: {
      query: 'account=loan%2FL17&bookedFrom=2026-11-01',
      answer: { entries: [{ ...entryExample, reversedBy: null }], next: null },
    },
    handle: ({ tx, caller, query }) => entriesOf(tx, caller, query),
  }),
  route({
    method: 'get',
    path: '/entries/:reference',
    scope: 'read',
    summary: 'An entry with its postings, and which entry reverses it',
    params: { reference: 'Reference of the entry, percent-encoded' },
    answer: storedEntryAnswer,
    example: { answer: { ...entryExample, reversedBy: 'R-2026-118/x' } },
    handle: ({ tx, caller, params }) => entryOf(tx, caller, params.reference),
  }),
  route({
    method: 'get',
    path: '/loans',
    scope: 'read',
    summary: 'Loans by number, of one member or of all, with what is outstanding',
    query: loansQuery,
    answer: loansAnswer,
    refusals: ['route.unknown'],
    example: { query: 'member=M-204', answer: loansExample },
    handle: ({ tx, caller, query }) => loansOf(tx, caller, query),
  }),
  route({
    method: 'get',
    path: '/members/:number/loans',
    scope: 'read',
    summary: 'Loans of a member, with what is outstanding',
    params: { number: 'Member number, percent-encoded' },
    query: memberLoansQuery,
    answer: loansAnswer,
    example: { answer: loansExample },
    handle: ({ tx, caller, params, query }) =>
      loansOf(tx, caller, { ...query, member: params.number }, 'number'),
  }),
  route({
    method: 'put',
    path: '/loans/:number/schedule',
    scope: 'entries',
    summary:
      'Change the instalments that nobody has paid on: other days, other shares, more or fewer of them; never other sums',
    params: { number: 'Loan number, percent-encoded' },
    body: scheduleSchema,
    answer: loanStateAnswer,
    refusals: ['loan.schedule_paid', 'loan.schedule_invalid'],
    example: {
      body: { instalments: [{ dueDate: '2027-01-04', principal: '90000', interest: '2800' }] },
      answer: {
        ...loanExample,
        outstanding: '92800',
        overpaid: '0',
        unscheduled: '0',
        instalments: [
          {
            dueDate: '2027-01-04',
            amount: '92800',
            remaining: '92800',
            unpaid: { principal: '90000', interest: '2800', fee: '0', insurance: '0' },
          },
        ],
      },
    },
    handle: ({ tx, clock, caller, params, body }) => putSchedule(tx, clock, caller, params.number, body),
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
