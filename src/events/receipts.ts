// In: entries that moved members' money. Out: one waiting receipt for each member of each entry.
// Must never tell of an entry that is already undone: then neither it nor its reversal is told.
import { createMessages } from '../outbound/outbox.ts'
import { type Handler, keyOf } from './fact.ts'

/** After a week she knows it from her book; an outage must not end in a pile of old receipts. */
export const receiptLifeMs = 7 * 24 * 3_600_000

/** A handler that writes `template` with the dedupe key `<prefix>/<entry>`. */
export function receiptHandler(template: string, prefix = 'receipt'): Handler {
  return async (tx, facts, now) => {
    await createMessages(
      tx,
      facts
        .filter((fact) => !fact.reversed)
        .flatMap((fact) =>
          fact.memberIds.map((memberId) => ({
            programmeId: fact.programmeId,
            memberId,
            purpose: 'receipt' as const,
            template,
            lane: 'urgent' as const,
            dedupeKey: keyOf(prefix, fact, memberId),
            entryId: fact.entryId,
            notBefore: now,
            expiresAt: new Date(now.getTime() + receiptLifeMs),
          })),
        ),
    )
  }
}
