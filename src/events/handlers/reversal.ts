// An entry is undone. Was it told already, a correction follows in the same language; does its receipt still wait, it is cancelled
// and neither is sent; was its receipt given up, a correction is owed from the day on which a late report says that it came. A receipt
// that is written later is stopped at sending, where the entry is looked at again.
import type { Queryable } from '../../db.ts'
import {
  type Correction,
  correctionTemplate,
  createMessages,
  oweCorrections,
  receiptLifeMs,
} from '../../outbound/outbox.ts'
import { mayHaveGone, mayHaveGoneSql } from '../../outbound/pause.ts'
import type { MessageStatus } from '../../outbound/status.ts'
import { applyTransitions } from '../../outbound/transitions.ts'
import { unknownEnds } from '../../outbound/unknown.ts'
import { keyOf, type LedgerFact } from '../fact.ts'

interface Receipt {
  id: string
  entryId: string
  memberId: string
  status: MessageStatus
  reason: string | null
  template: string
  /** Waits behind a pause, and may have gone before it. */
  doubtful: boolean
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
/** Given up on, or held after a restore, and yet the phone may have it. */
const isMaybeTold = ({ status, reason, doubtful }: Receipt) =>
  maybeTold.has(status) ||
  doubtful ||
  (status === 'failed' && unknownEnds.some((end) => end === reason)) ||
  (status === 'suppressed' && reason === mayHaveGone)

/** Given up; a late report may still say that it was delivered. */
const seemsUntold: ReadonlySet<MessageStatus> = new Set(['failed', 'rejected', 'expired'])

const receiptsSql = `
  select id, entry_id as "entryId", member_id as "memberId", status, reason, template,
         stage = 0 and status <> 'submitting' and ${mayHaveGoneSql} as doubtful
    from messages m
   where entry_id = any($1) and purpose = 'receipt' and template <> '${correctionTemplate}' and member_id is not null
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
    waiting.map(({ id, doubtful }) =>
      doubtful
        ? { messageId: id, to: 'suppressed', source: 'events', reason: mayHaveGone }
        : { messageId: id, to: 'cancelled', source: 'events', reason: 'reversed' },
    ),
  )
  const among = (isOne: (receipt: Receipt) => boolean) =>
    rows.flatMap((receipt) => {
      const fact = byEntry.get(receipt.entryId)
      return fact !== undefined && isOne(receipt) ? [{ fact, receipt }] : []
    })
  await createMessages(
    tx,
    among(isMaybeTold).map(({ fact, receipt }) => correctionOf(fact, receipt, now)),
  )
  await oweCorrections(
    tx,
    among((receipt) => seemsUntold.has(receipt.status) && !isMaybeTold(receipt)).map(
      ({ fact, receipt }): Correction => ({
        receiptId: receipt.id,
        entryId: fact.entryId,
        dedupeKey: keyOf('correction', fact, receipt.memberId),
      }),
    ),
  )
}

function correctionOf(fact: LedgerFact, receipt: Receipt, now: Date) {
  return {
    programmeId: fact.programmeId,
    memberId: receipt.memberId,
    purpose: 'receipt' as const,
    template: correctionTemplate,
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
