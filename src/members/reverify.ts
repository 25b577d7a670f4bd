// In: a sign that a number may have changed hands. Out: the bindings of that number in doubt, each once, in the audit log.
// A binding in doubt is like none: the phone is a stranger's until rebind.ts binds it again. Must never clear a doubt itself.
import { recordAudit } from '../audit.ts'
import type { Queryable } from '../db.ts'

/** gone: the network says so. silent: no sign for long. sim_swap: a new SIM. reported: somebody of the programme says so. */
export type ReverifyReason = 'gone' | 'silent' | 'sim_swap' | 'reported'

export interface Doubted {
  memberId: string
  phoneId: string
  programmeId: string
}

interface Doubt {
  reason: ReverifyReason
  actor: string
  now: Date
}

const doubted =
  'returning mp.member_id as "memberId", mp.phone_id as "phoneId", p.programme_id as "programmeId"'

// A number changes hands for everybody who shares it, in every programme that knows it. What happened before two people last
// saw her with the phone says nothing against it.
const byNetworkSql = `
  update member_phones mp set reverify_since = $2, reverify_reason = $3
    from phones told, programmes g, phones p, members m
   where m.id = mp.member_id and told.id = $1 and p.programme_id = g.id and p.msisdn = told.msisdn and mp.phone_id = p.id
     and mp.reverify_since is null and coalesce(mp.bound_at, m.created_at) <= $4
  ${doubted}`

/** The network told something at `evidenceAt` about the number of this phone. */
export async function doubtNumber(
  tx: Queryable,
  told: { phoneId: string; evidenceAt: Date } & Doubt,
): Promise<Doubted[]> {
  const { phoneId, evidenceAt, now, reason } = told
  const { rows } = await tx.query<Doubted>(byNetworkSql, [phoneId, now, reason, evidenceAt])
  return note(tx, rows, told)
}

/** Somebody of the programme says that a member no longer holds her numbers; another programme's word is not touched by it. */
export async function doubtMember(
  tx: Queryable,
  told: { memberId: string } & Omit<Doubt, 'reason'>,
): Promise<Doubted[]> {
  const { rows } = await tx.query<Doubted>(
    `update member_phones mp set reverify_since = $2, reverify_reason = 'reported'
       from phones p
      where p.id = mp.phone_id and mp.reverify_since is null
        and mp.phone_id in (select phone_id from member_phones where member_id = $1)
     ${doubted}`,
    [told.memberId, told.now],
  )
  return note(tx, rows, { ...told, reason: 'reported' })
}

// A delivery counts as a sign; it is looked for only where nobody has dialled or written for so long.
const silentSql = `
  update member_phones mp set reverify_since = $1, reverify_reason = 'silent'
    from phones p, programmes g, members m, lateral (select $1::timestamptz - make_interval(days => g.silent_days) as since) c
   where p.id = mp.phone_id and g.id = p.programme_id and m.id = mp.member_id and mp.reverify_since is null
     and p.last_seen_at < c.since and m.created_at < c.since and (mp.bound_at is null or mp.bound_at < c.since)
     and not exists (
       select 1 from member_phones s join messages d on d.member_id = s.member_id
        where s.phone_id = p.id and d.phone_id = p.id and d.status = 'delivered' and d.updated_at >= c.since)
  ${doubted}`

/** Every number that gave no sign for as long as its programme allows. Safe to repeat. */
export async function doubtSilent(tx: Queryable, now: Date): Promise<Doubted[]> {
  const { rows } = await tx.query<Doubted>(silentSql, [now])
  return note(tx, rows, { reason: 'silent', actor: 'system:silence', now })
}

async function note(tx: Queryable, rows: Doubted[], { reason, actor, now }: Doubt): Promise<Doubted[]> {
  for (const { memberId, phoneId, programmeId } of rows)
    await recordAudit(tx, {
      at: now,
      programmeId,
      actor,
      action: 'phone.reverify',
      subject: `member:${memberId}`,
      after: { phone: phoneId, reason },
    })
  return rows
}

/** A sign of whoever holds the phone. Kept to the day, so that a busy phone costs one write a day. */
export async function noteSeen(tx: Queryable, phoneId: string, now: Date): Promise<void> {
  await tx.query(
    `update phones set last_seen_at = $2 where id = $1 and last_seen_at < $2::timestamptz - interval '1 day'`,
    [phoneId, now],
  )
}
