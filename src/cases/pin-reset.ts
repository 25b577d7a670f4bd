// In: a PIN that is reset in person. Out: the reset, and what she had asked about it is answered.
import { recordAudit } from '../audit.ts'
import type { Queryable } from '../db.ts'
import { type PinReset, resetPinInPerson } from '../members/pin-reset.ts'

/** Throws as resetPinInPerson does; nothing is closed then. */
export async function resetPinAndClose(tx: Queryable, reset: PinReset): Promise<void> {
  await resetPinInPerson(tx, reset)
  const { programmeId, member, actor, at } = reset
  const { rows } = await tx.query<{ reference: string }>(
    `update cases c set status = 'closed', outcome = 'answered', closed_at = $3
       from members m
      where m.id = c.member_id and m.programme_id = $1 and m.number = $2 and c.kind = 'pin_reset' and c.status = 'open'
      returning c.reference`,
    [programmeId, member, at],
  )
  for (const { reference } of rows)
    await recordAudit(tx, {
      at,
      programmeId,
      actor,
      action: 'case.closed',
      subject: `case:${reference}`,
      before: { status: 'open' },
      after: { status: 'closed', outcome: 'answered' },
    })
}
