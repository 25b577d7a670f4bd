// In: the word of one person who sees a member with a phone in her hand. Out: the phone hers once two different people have said so.
// One of the two is a facilitator. Must never bind on one word, and never leave the old PIN: who holds the phone may know it.
import { recordAudit } from '../audit.ts'
import type { Queryable } from '../db.ts'
import { RequestError } from '../errors.ts'

/** Whose word it is: a member of staff by phone, or an elected officer of her group by member number. */
export type Confirmer = { staff: string } | { officer: string }

export interface Confirmation {
  programmeId: string
  memberId: string
  /** The number in her hand: the one in doubt, or a new one that takes its place. E.164. */
  msisdn: string
  by: Confirmer
  /** Who handed the word in, for the audit log. */
  actor: string
  now: Date
}

export interface Confirmed {
  state: 'waiting' | 'bound'
  /** Until when the second word is taken; undefined once bound. */
  until?: Date
}

/** Both are at the same meeting, or see her on the way. */
export const confirmationHours = 24

/** Staff who meet members. */
const fieldRoles: ReadonlySet<string> = new Set(['facilitator', 'adviser', 'social_worker'])

/** True where a number is one of a member's own phones, in doubt or not; both are SQL of ours. */
export const isHerPhoneSql = (memberId: string, msisdn: string) =>
  `exists (select 1 from member_phones hers join phones p on p.id = hers.phone_id
            where hers.member_id = ${memberId} and p.msisdn = ${msisdn})`

interface Person {
  staffId: string | null
  officerId: string | null
  isField: boolean
  /** A member of staff can be a member too. */
  msisdns: string[]
}

/** In one transaction. Throws a RequestError when the word does not count. */
export async function confirmPhone(tx: Queryable, confirmation: Confirmation): Promise<Confirmed> {
  const { programmeId, memberId, now } = confirmation
  // One at a time for each member, so that two first words cannot miss each other.
  const member = await tx.query<{ groupId: string | null; status: string }>(
    'select group_id as "groupId", status from members where id = $1 and programme_id = $2 for update',
    [memberId, programmeId],
  )
  if (member.rows[0] === undefined || member.rows[0].status === 'left')
    throw new RequestError('member.unknown', { field: 'number' })
  const phoneId = await phoneOf(tx, confirmation)
  const person = await personOf(tx, confirmation, member.rows[0].groupId)
  const earlier = await earlierWords(tx, confirmation, phoneId)
  if (earlier.some((other) => isSame(other, person))) throw new RequestError('confirmation.same_person')
  if (earlier.length > 0 && !person.isField && !earlier.some(({ isField }) => isField))
    throw new RequestError('confirmation.facilitator_needed', { field: 'by' })
  await tx.query(
    `insert into phone_confirmations (member_id, phone_id, staff_id, officer_id, confirmed_at) values ($1, $2, $3, $4, $5)`,
    [memberId, phoneId, person.staffId, person.officerId, now],
  )
  await audit(tx, confirmation, 'phone.confirmed', {
    phone: phoneId,
    by: person.staffId === null ? `member:${person.officerId}` : `staff:${person.staffId}`,
  })
  if (earlier.length === 0)
    return { state: 'waiting', until: new Date(now.getTime() + confirmationHours * 3_600_000) }
  await bind(tx, confirmation, phoneId)
  return { state: 'bound' }
}

/** The phone, made known when it is new. A phone that is hers beyond doubt needs nobody's word. */
async function phoneOf(tx: Queryable, { programmeId, memberId, msisdn }: Confirmation): Promise<string> {
  await tx.query(
    'insert into phones (programme_id, msisdn) values ($1, $2) on conflict (programme_id, msisdn) do nothing',
    [programmeId, msisdn],
  )
  const { rows } = await tx.query<{ id: string; isHers: boolean }>(
    `select p.id, mp.member_id is not null and mp.is_primary and mp.reverify_since is null as "isHers"
       from phones p left join member_phones mp on mp.phone_id = p.id and mp.member_id = $3
      where p.programme_id = $1 and p.msisdn = $2`,
    [programmeId, msisdn, memberId],
  )
  const phone = rows[0]
  if (phone === undefined || phone.isHers)
    throw new RequestError('confirmation.not_needed', { field: 'phone' })
  return phone.id
}

async function personOf(
  tx: Queryable,
  { programmeId, memberId, msisdn, by }: Confirmation,
  groupId: string | null,
): Promise<Person> {
  if ('staff' in by) {
    // Nobody of the staff gives a word for herself as a member.
    const { rows } = await tx.query<{ id: string; role: string }>(
      `select id, role from staff where programme_id = $1 and msisdn = $2 and active and role <> 'auditor'
          and msisdn <> $4 and not ${isHerPhoneSql('$3::uuid', 'staff.msisdn')}`,
      [programmeId, by.staff, memberId, msisdn],
    )
    const staff = rows[0]
    if (staff === undefined) throw new RequestError('confirmation.not_entitled', { field: 'by.staff' })
    return { staffId: staff.id, officerId: null, isField: fieldRoles.has(staff.role), msisdns: [by.staff] }
  }
  const { rows } = await tx.query<{ id: string; msisdns: string[] }>(
    `select o.id, array(select p.msisdn from member_phones mp join phones p on p.id = mp.phone_id
                         where mp.member_id = o.id) as msisdns
       from members o
      where o.programme_id = $1 and o.number = $2 and o.group_id = $3 and o.id <> $4 and o.status = 'active'
        and o.role in ('president', 'treasurer', 'educator')`,
    [programmeId, by.officer, groupId, memberId],
  )
  const officer = rows[0]
  if (officer === undefined) throw new RequestError('confirmation.not_entitled', { field: 'by.officer' })
  return { staffId: null, officerId: officer.id, isField: false, msisdns: officer.msisdns }
}

async function earlierWords(
  tx: Queryable,
  { memberId, now }: Confirmation,
  phoneId: string,
): Promise<Person[]> {
  const since = new Date(now.getTime() - confirmationHours * 3_600_000)
  const { rows } = await tx.query<Omit<Person, 'isField'> & { role: string | null }>(
    `select c.staff_id as "staffId", c.officer_id as "officerId", s.role,
            array(select p.msisdn from member_phones mp join phones p on p.id = mp.phone_id where mp.member_id = c.officer_id
                  union all select s.msisdn where s.id is not null) as msisdns
       from phone_confirmations c left join staff s on s.id = c.staff_id
      where c.member_id = $1 and c.phone_id = $2 and c.used_at is null and c.confirmed_at > $3`,
    [memberId, phoneId, since],
  )
  return rows.map(({ role, ...person }) => ({ ...person, isField: fieldRoles.has(role ?? '') }))
}

function isSame(one: Person, other: Person): boolean {
  if (one.staffId !== null && one.staffId === other.staffId) return true
  if (one.officerId !== null && one.officerId === other.officerId) return true
  return one.msisdns.some((msisdn) => other.msisdns.includes(msisdn))
}

/** A new number takes the place of those in doubt; another that is beyond doubt stays hers, but no longer the first. */
async function bind(tx: Queryable, confirmation: Confirmation, phoneId: string): Promise<void> {
  const { memberId, now } = confirmation
  await tx.query(
    'delete from member_phones where member_id = $1 and phone_id <> $2 and reverify_since is not null',
    [memberId, phoneId],
  )
  await tx.query('update member_phones set is_primary = false where member_id = $1', [memberId])
  await tx.query(
    `insert into member_phones (member_id, phone_id, is_primary, bound_at) values ($1, $2, true, $3)
     on conflict (member_id, phone_id) do update
       set is_primary = true, bound_at = excluded.bound_at, reverify_since = null, reverify_reason = null`,
    [memberId, phoneId, now],
  )
  await tx.query('update phones set last_seen_at = $2 where id = $1', [phoneId, now])
  await tx.query('delete from member_pins where member_id = $1', [memberId])
  await tx.query(
    'update phone_confirmations set used_at = $3 where member_id = $1 and phone_id = $2 and used_at is null',
    [memberId, phoneId, now],
  )
  await audit(tx, confirmation, 'phone.rebound', { phone: phoneId, pin: 'reset' })
}

function audit(tx: Queryable, confirmation: Confirmation, action: string, after: object): Promise<void> {
  const { now: at, programmeId, actor, memberId } = confirmation
  return recordAudit(tx, { at, programmeId, actor, action, subject: `member:${memberId}`, after })
}
