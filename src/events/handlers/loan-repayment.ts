// A repayment becomes a receipt: what was received, and what is left to pay when the text is sent.
import { receiptHandler } from '../receipts.ts'

export const loanRepayment = receiptHandler('receipt.loan_repayment')
