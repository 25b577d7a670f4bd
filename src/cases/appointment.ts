// In: day and time that staff fix with a member who asked for an adviser. Out: the case with its appointment, and one SMS that tells her.
// Must never make an appointment for any other kind: an SMS would say that she asked.
import { recordAudit } from '../audit.ts'
import type { Queryable } from '../db.ts'
import { createMessages } from '../outbound/outbox.ts'
import { type CaseAct, type CaseState, caseByReference } from './cases.ts'
import { seenSql } from './worklist.ts'

export interface Appointed {
  case: CaseState
  /** False when it was at that time before, or the case can have none. */
  changed: boolean
}

/** Null takes it back. Undefined when this person may not act on such a case. */
export async function appointCase(
  tx: Queryable,
  act: CaseAct & { at: Date | null },
): Promise<Appointed | undefined> {
  if (act.role === 'auditor') return undefined
  const { programmeId, reference, role, staffId = null, at, by, now } = act
  const { rows } = await tx.query<{ id: string; memberId: string; before: Date | null }>(
    `update cases c set appointment_at = $5, taken_at = coalesce(c.taken_at, $6)
      where c.programme_id = $1 and c.reference = $2 and ${seenSql('$3', '$4')}
        and c.kind = 'adviser' and c.status = 'open' and c.appointment_at is distinct from $5::timestamptz
      returning c.id, c.member_id as "memberId", old.appointment_at as before`,
    [programmeId, reference, role, staffId, at, now],
  )
  const changed = rows[0]
  const state = await caseByReference(tx, act, reference)
  if (state === undefined || changed === undefined)
    return state === undefined ? undefined : { case: state, changed: false }
  const said = (moment: Date | null) => ({ appointmentAt: moment?.toISOString() ?? null })
  const subject = `case:${reference}`
  const fact = { at: now, programmeId, actor: by, action: 'case.appointed', subject }
  await recordAudit(tx, { ...fact, before: said(changed.before), after: said(at) })
  if (at !== null) await tell(tx, act, { caseId: changed.id, memberId: changed.memberId, at })
  return { case: state, changed: true }
}

/** Her word about messages of meetings holds for it, and the hours and caps of planned ones: whoever wants none reads it by USSD. */
async function tell(
  tx: Queryable,
  { programmeId, now }: CaseAct,
  { caseId, memberId, at }: { caseId: string; memberId: string; at: Date },
): Promise<void> {
  const startsAt = at.toISOString()
  await createMessages(tx, [
    {
      programmeId,
      memberId,
      purpose: 'meeting',
      template: 'case.appointment',
      lane: 'planned',
      dedupeKey: `case/${caseId}/${startsAt}/${now.toISOString()}`,
      params: { startsAt },
      caseId,
      notBefore: now,
      expiresAt: at,
    },
  ])
}
