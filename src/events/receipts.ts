// In: entries that moved members' money. Out: one waiting receipt for each member of each entry.
// Must never tell of an entry that is already undone: then neither it nor its reversal is told.
import { issueReceiptCodes } from '../ledger/receipt-codes.ts'
import { createMessages, receiptLifeMs } from '../outbound/outbox.ts'
import { type Handler, keyOf } from './fact.ts'

export interface ReceiptOptions {
  /** [receipt] */
  prefix?: string
  /** Each has a code by which any phone can verify it. */
  coded?: boolean
}

/** A handler that writes `template` with the dedupe key `<prefix>/<entry>`. */
export function receiptHandler(
  template: string,
  { prefix = 'receipt', coded = false }: ReceiptOptions = {},
): Handler {
  return async (tx, facts, now) => {
    const receipts = facts
      .filter((fact) => !fact.reversed)
      .flatMap((fact) => fact.memberIds.map((memberId) => ({ fact, memberId })))
    const codeOf = await issueReceiptCodes(
      tx,
      coded
        ? receipts.map(({ fact, memberId }) => ({
            programmeId: fact.programmeId,
            entryId: fact.entryId,
            memberId,
          }))
        : [],
      now,
    )
    await createMessages(
      tx,
      receipts.map(({ fact, memberId }) => {
        const { programmeId, entryId } = fact
        const receipt = codeOf({ entryId, memberId })
        return {
          programmeId,
          memberId,
          purpose: 'receipt' as const,
          template,
          lane: 'urgent' as const,
          dedupeKey: keyOf(prefix, fact, memberId),
          ...(receipt === undefined ? {} : { params: { receipt } }),
          entryId,
          notBefore: now,
          expiresAt: new Date(now.getTime() + receiptLifeMs),
        }
      }),
    )
  }
}
