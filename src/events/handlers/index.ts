// Which kinds of entries are told, and by what. A new kind is one file and one line here.
import type { EntryKind } from '../../ledger/entries.ts'
import type { Handler } from '../fact.ts'
import { loanDisbursement } from './loan-disbursement.ts'
import { loanRepayment } from './loan-repayment.ts'
import { reversal } from './reversal.ts'
import { savingsDeposit, savingsWithdrawal } from './savings.ts'

/** A kind that is not listed is nobody's news: fees, adjustments and openings show in the statement. */
export const handlers: Partial<Record<EntryKind, Handler>> = {
  loan_disbursement: loanDisbursement,
  loan_repayment: loanRepayment,
  savings_deposit: savingsDeposit,
  savings_withdrawal: savingsWithdrawal,
  reversal,
}
