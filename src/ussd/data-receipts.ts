// In: a member, or a receipt that was verified. Out: what the screens show of movements and receipts.
import { type Movement, readMovements } from '../ledger/position.ts'
import { readReceipt, readReceiptCode } from '../ledger/receipt-codes.ts'
import { amountIn, type DataContext, type LineValues, type Samples, type Source } from './data.ts'
import { memberIn } from './data-messages.ts'

/** Movements on one screen list. */
const movementsShown = 5

const nothing = () => ({})
const dueSample = ({ amount, date }: Samples) => ({ amount, date })

const movementTexts = {
  cancelled: dueSample,
  loan_disbursement: dueSample,
  loan_repayment: dueSample,
  savings_deposit: dueSample,
  savings_withdrawal: dueSample,
  fee: dueSample,
  adjustment: ({ signedAmount, date }: Samples) => ({ amount: signedAmount, date }),
  opening: dueSample,
}

function shown(context: DataContext, row: Movement): { name: string; values: LineValues } {
  return {
    name: row.reversed ? 'cancelled' : row.kind,
    values: {
      date: context.i18n.date(context.language, row.bookedDate),
      // The word says which way it went; only a correction needs a sign.
      amount: amountIn(context, row.kind === 'adjustment' ? row.amount : row.amount.abs()),
    },
  }
}

export const receiptSources: Readonly<Record<string, Source>> = {
  /** The last ones; choosing one shows it alone. */
  movements: {
    texts: { none: nothing },
    alone: ['none'],
    optionTexts: movementTexts,
    optionsMax: movementsShown,
    ofMember: true,
    async load(context) {
      const rows = await readMovements(context.db.reads, memberIn(context), movementsShown)
      if (rows.length === 0) return { lines: [{ name: 'none', values: {} }] }
      return { lines: [], options: rows.map((row) => ({ value: row.entryId, ...shown(context, row) })) }
    },
  },

  /** The chosen one, with the code that stands on its receipt. */
  movement: {
    texts: {
      ...movementTexts,
      none: nothing,
      code: () => ({ receipt: '999999' }),
    },
    // One movement is shown at a time; the longest stands for all.
    alone: ['none', ...Object.keys(movementTexts).filter((name) => name !== 'adjustment')],
    facts: ['has_movement'],
    ofMember: true,
    async load(context) {
      const { reads } = context.db
      const { chosen: entryId } = context.dialogue
      if (entryId === undefined) return { lines: [{ name: 'none', values: {} }] }
      const memberId = memberIn(context)
      const [rows, receipt] = await Promise.all([
        readMovements(reads, memberId, 1, { entryId }),
        readReceiptCode(reads, memberId, entryId),
      ])
      const [row] = rows
      if (row === undefined) return { lines: [{ name: 'none', values: {} }] }
      const code = receipt === undefined ? [] : [{ name: 'code', values: { receipt } }]
      return { lines: [shown(context, row), ...code], facts: ['has_movement'] }
    },
  },

  /** A receipt that was verified by its code: amount, day and group, to whoever asks. */
  receipt: {
    texts: {
      none: nothing,
      found: dueSample,
      cancelled: dueSample,
      group: ({ place }) => ({ group: place }),
    },
    alone: ['none', 'cancelled'],
    ofMember: false,
    async load(context) {
      const { dialogue, programme, db, i18n, language } = context
      const receipt =
        dialogue.chosen === undefined ? undefined : await readReceipt(db.reads, programme.id, dialogue.chosen)
      if (receipt === undefined) return { lines: [{ name: 'none', values: {} }] }
      const values = {
        amount: amountIn(context, receipt.amount),
        date: i18n.date(language, receipt.bookedDate),
      }
      const group = receipt.group === null ? [] : [{ name: 'group', values: { group: receipt.group } }]
      return { lines: [{ name: receipt.reversed ? 'cancelled' : 'found', values }, ...group] }
    },
  },
}
