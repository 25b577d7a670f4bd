// In: STOP, by SMS, dialogue or network. Out: the opt-out, and every waiting message suppressed in the same transaction.
// What is already with the provider cannot be called back; everything else is stopped, and sending asks again.
import type { Queryable } from '../db.ts'
import { type OptOutTarget, stopAll } from '../members/consent.ts'
import { applyTransitions } from './transitions.ts'

const waitingSql = `
  select m.id from messages m
   where m.status in ('created', 'queued', 'claimed') and m.purpose not in ('reply', 'code') and m.member_id = any($1)`

const membersSql = `select member_id as id from member_phones where phone_id = $1 and is_primary`

/** Stops messages to a member or a phone at once; returns how many waiting ones were suppressed. */
export async function stopMessages(tx: Queryable, target: OptOutTarget, now: Date): Promise<number> {
  await stopAll(tx, { ...target, now })
  const memberIds =
    'memberId' in target
      ? [target.memberId]
      : (await tx.query<{ id: string }>(membersSql, [target.phoneId])).rows.map((row) => row.id)
  if (memberIds.length === 0) return 0
  const { rows } = await tx.query<{ id: string }>(waitingSql, [memberIds])
  const moved = await applyTransitions(
    tx,
    now,
    rows.map(({ id }) => ({ messageId: id, to: 'suppressed', source: 'inbound', reason: 'opted_out' })),
  )
  return moved.length
}
