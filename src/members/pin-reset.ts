// In: a member who cannot use her PIN, and the facilitator who saw her. Out: no PIN and no lock; at her next dial she is asked for a new one.
// Must never reset without a facilitator of her own group, nor without a row of the audit log in the same transaction.
import { recordAudit } from '../audit.ts'
import type { Queryable } from '../db.ts'
import { RequestError } from '../errors.ts'
import { resetPin } from './pin.ts'
import { isHerPhoneSql } from './rebind.ts'

export interface PinReset {
  programmeId: string
  /** The programme's own member number. */
  member: string
  /** Her facilitator's phone, E.164; of a member without a group: any active staff member's. */
  confirmedBy: string
  /** Who wrote it down: "operator", "api:<key name>". */
  actor: string
  at: Date
}

// A facilitator who is a member too: whoever holds her phone may be signed in as her, and would then open her account.
const foundSql = `
  select m.id as "memberId", s.id as "staffId", n.lock_level as "lockLevel", n.member_id is not null as "hadPin"
    from members m
    left join groups g on g.id = m.group_id
    left join staff s on s.programme_id = m.programme_id and s.msisdn = $3 and s.active and s.role <> 'auditor'
                     and (m.group_id is null or s.id = g.facilitator_id) and not ${isHerPhoneSql('m.id', 's.msisdn')}
    left join member_pins n on n.member_id = m.id
   where m.programme_id = $1 and m.number = $2
     for update of m`

/** Throws member.unknown or pin.not_her_facilitator. */
export async function resetPinInPerson(tx: Queryable, reset: PinReset): Promise<void> {
  const { programmeId, member, confirmedBy, actor, at } = reset
  const { rows } = await tx.query<{
    memberId: string
    staffId: string | null
    lockLevel: number | null
    hadPin: boolean
  }>(foundSql, [programmeId, member, confirmedBy])
  const found = rows[0]
  if (found === undefined) throw new RequestError('member.unknown', { field: 'member' })
  if (found.staffId === null) throw new RequestError('pin.not_her_facilitator', { field: 'confirmedBy' })
  await resetPin(tx, found.memberId)
  await recordAudit(tx, {
    at,
    programmeId,
    actor,
    action: 'pin.reset',
    subject: `member:${found.memberId}`,
    before: { pin: found.hadPin, lockLevel: found.lockLevel ?? 0 },
    after: { pin: false, confirmedBy: `staff:${found.staffId}` },
  })
}
