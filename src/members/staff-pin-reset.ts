// In: one of the staff who cannot use the PIN of the staff menu, and the administrator who saw him or her. Out: no PIN and no lock; at the
// next dial a new one is asked for. Must never reset without a row of the audit log in the same transaction.
import { recordAudit } from '../audit.ts'
import type { Queryable } from '../db.ts'
import { RequestError } from '../errors.ts'
import { removeStaffPin } from './pin.ts'

export interface StaffPinReset {
  programmeId: string
  /** Whose PIN it is: an id or a phone, E.164. */
  staff: { id: string } | { msisdn: string }
  /** The administrator, likewise. Nobody confirms himself, but the operator may write down that the only administrator came. */
  confirmedBy: { id: string } | { msisdn: string }
  /** Who wrote it down: "operator", "staff:<id>". */
  actor: string
  at: Date
}

const foundSql = `
  select s.id as "staffId", a.id as "administratorId", n.lock_level as "lockLevel", n.staff_id is not null as "hadPin"
    from staff s
    left join staff a on a.programme_id = s.programme_id and (a.id = $4::uuid or a.msisdn = $5) and a.active
                     and a.role = 'administrator'
    left join staff_pins n on n.staff_id = s.id
   where s.programme_id = $1 and (s.id = $2::uuid or s.msisdn = $3)`

/** Throws staff.unknown or pin.not_an_administrator. */
export async function resetStaffPin(tx: Queryable, reset: StaffPinReset): Promise<void> {
  const { programmeId, staff, confirmedBy, actor, at } = reset
  const named = (one: { id: string } | { msisdn: string }) =>
    'id' in one ? [one.id, null] : [null, one.msisdn]
  const { rows } = await tx.query<{
    staffId: string
    administratorId: string | null
    lockLevel: number | null
    hadPin: boolean
  }>(foundSql, [programmeId, ...named(staff), ...named(confirmedBy)])
  const found = rows[0]
  if (found === undefined) throw new RequestError('staff.unknown', { field: 'staff' })
  const { staffId, administratorId } = found
  if (administratorId === null || (administratorId === staffId && actor !== 'operator'))
    throw new RequestError('pin.not_an_administrator', { field: 'confirmedBy' })
  await removeStaffPin(tx, staffId)
  await recordAudit(tx, {
    at,
    programmeId,
    actor,
    action: 'pin.reset',
    subject: `staff:${staffId}`,
    before: { pin: found.hadPin, lockLevel: found.lockLevel ?? 0 },
    after: { pin: false, confirmedBy: `staff:${administratorId}` },
  })
}
