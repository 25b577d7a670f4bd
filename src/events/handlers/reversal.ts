// An entry is undone. Was it told already, a correction follows in the same language; does its receipt still wait, it is cancelled
// and neither is sent. A receipt that is written later is stopped at sending, where the entry is looked at again.
import type { Queryable } from '../../db.ts'
import { createMessages } from '../../outbound/outbox.ts'
import type { MessageStatus } from '../../outbound/status.ts'
import { applyTransitions } from '../../outbound/transitions.ts'
import { unknownEnds } from '../../outbound/unknown.ts'
import { keyOf, type LedgerFact } from '../fact.ts'
import { receiptLifeMs } from '../receipts.ts'

interface Receipt {
  id: string
  entryId: string
  memberId: string
  status: MessageStatus
  reason: string | null
  template: string
}

/** The provider has it or may have it; "undelivered" may still turn into a late delivery. */
const maybeTold: ReadonlySet<MessageStatus> = new Set([
  'submitting',
  'submitted',
  'sent',
  'delivered',
  'undelivered',
  'unknown',
])
/** Given up on, and yet the phone may have it. */
const isMaybeTold = ({ status, reason }: Receipt) =>
  maybeTold.has(status) || (status === 'failed' && unknownEnds.some((end) => end === reason))

const receiptsSql = `
  select id, entry_id as "entryId", member_id as "memberId", status, reason, template from messages
   where entry_id = any($1) and purpose = 'receipt' and template <> 'correction.entry' and member_id is not null
     for update`

export async function reversal(tx: Queryable, facts: readonly LedgerFact[], now: Date): Promise<void> {
  const byEntry = new Map(
    facts.flatMap((fact) => (fact.reversesId === null ? [] : [[fact.reversesId, fact]])),
  )
  // Locked, so that a sender cannot move a row between our look and our word.
  const { rows } = await tx.query<Receipt>(receiptsSql, [[...byEntry.keys()]])
  const waiting = rows.filter(({ status }) => ['created', 'queued', 'claimed'].includes(status))
  await applyTransitions(
    tx,
    now,
    waiting.map(({ id }) => ({ messageId: id, to: 'cancelled', source: 'events', reason: 'reversed' })),
  )
  const told = rows.filter(isMaybeTold)
  await createMessages(
    tx,
    told.flatMap((receipt) => {
      const fact = byEntry.get(receipt.entryId)
      return fact === undefined ? [] : [correctionOf(fact, receipt, now)]
    }),
  )
}

function correctionOf(fact: LedgerFact, receipt: Receipt, now: Date) {
  return {
    programmeId: fact.programmeId,
    memberId: receipt.memberId,
    purpose: 'receipt' as const,
    template: 'correction.entry',
    lane: 'urgent' as const,
    dedupeKey: keyOf('correction', fact, receipt.memberId),
    entryId: fact.entryId,
    correctsId: receipt.id,
    // What was told decides which amount is taken back.
    params: { corrected: receipt.template },
    notBefore: now,
    expiresAt: new Date(now.getTime() + receiptLifeMs),
  }
}
