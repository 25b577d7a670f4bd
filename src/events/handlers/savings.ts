// Money into or out of a savings account becomes a receipt.
import { receiptHandler } from '../receipts.ts'

export const savingsDeposit = receiptHandler('receipt.savings_deposit')
export const savingsWithdrawal = receiptHandler('receipt.savings_withdrawal')
