// A repayment becomes a receipt: what was received, what is left to pay when the text is sent, and a code to verify it by.
import { receiptHandler } from '../receipts.ts'

export const loanRepayment = receiptHandler('receipt.loan_repayment', { coded: true })
