// In: day and time that staff fix with a member who asked for an adviser. Out: the case with its appointment, and one SMS that tells her, also
// when what she was told of it is no longer so.
// Must never make an appointment for any other kind: an SMS would say that she asked.
import { recordAudit } from '../audit.ts'
import type { Queryable } from '../db.ts'
import { createMessages } from '../outbound/outbox.ts'
import { toldAppointmentSql } from '../outbound/told.ts'
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
  await tell(tx, act, { caseId: changed.id, memberId: changed.memberId, at })
  return { case: state, changed: true }
}

/**
 * Her word about messages of meetings holds for it, and the hours of planned ones: whoever wants none reads it by USSD. When it is sent it
 * is asked again what she was told by then.
 */
async function tell(
  tx: Queryable,
  { programmeId, now }: CaseAct,
  { caseId, memberId, at }: { caseId: string; memberId: string; at: Date | null },
): Promise<void> {
  const { rows } = await tx.query<{ told: string | null }>(
    `select ${toldAppointmentSql('$1', 'false')} as told`,
    [caseId],
  )
  const told = rows[0]?.told ?? null
  const knows = told === null || told === 'off' ? undefined : new Date(told)
  // An hour that is over moves nobody any more.
  const setsOut = [knows, at ?? undefined].flatMap((start) =>
    start !== undefined && start > now ? [start] : [],
  )
  const [first] = setsOut.sort((one, other) => one.getTime() - other.getTime())
  const starts = at ?? knows
  if (first === undefined || starts === undefined) return
  const change = at === null ? '_cancelled' : knows === undefined ? '' : '_moved'
  const startsAt = starts.toISOString()
  await createMessages(tx, [
    {
      programmeId,
      memberId,
      purpose: 'meeting',
      template: `case.appointment${change}`,
      lane: 'planned',
      dedupeKey: `case/${caseId}/${at === null ? 'off' : startsAt}/${now.toISOString()}`,
      params: { startsAt },
      caseId,
      notBefore: now,
      expiresAt: first,
    },
  ])
}
