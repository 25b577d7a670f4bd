// A loan paid out is told with its first due date.
import { receiptHandler } from '../receipts.ts'

export const loanDisbursement = receiptHandler('loan.disbursed', { prefix: 'disbursement' })
