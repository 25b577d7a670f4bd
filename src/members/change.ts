// In: what somebody of the programme changes about a member. Out: her row and phones changed, in the audit log with before and after.
// Must never bind a new number to a member who had one before on one word, nor write to one who was erased.
import { recordAudit } from '../audit.ts'
import type { Queryable } from '../db.ts'
import { RequestError } from '../errors.ts'
import { addFirstPhones, removePhones, type WrittenPhone } from './enrolment.ts'
import type { MemberRole, MemberStatus } from './members.ts'

/** What is left out stays as it is. */
export interface MemberChanges {
  firstName?: string | undefined
  lastName?: string | undefined
  alias?: string | undefined
  /** Null: she is in no group. */
  groupId?: string | null | undefined
  role?: MemberRole | undefined
  status?: MemberStatus | undefined
  /** Null: she chooses anew. */
  language?: string | null | undefined
  addPhones?: readonly WrittenPhone[] | undefined
  /** E.164. */
  removePhones?: readonly string[] | undefined
}

export interface MemberChange {
  programmeId: string
  memberId: string
  changes: MemberChanges
  actor: string
  now: Date
}

interface Words {
  groupId: string | null
  role: string
  status: string
  language: string | null
}

/** The log holds no names: that they changed is said by the names of the fields. */
interface Names {
  firstName: string
  lastName: string
  alias: string
}

const nameFields = ['firstName', 'lastName', 'alias'] as const
const wordFields = ['groupId', 'role', 'status', 'language'] as const

/** False when all of it was so already. Throws member.erased or phone.confirmation_needed. */
export async function changeMember(
  tx: Queryable,
  { programmeId, memberId, changes, actor, now }: MemberChange,
): Promise<boolean> {
  const { rows } = await tx.query<Words & Names & { erased: boolean }>(
    `select group_id as "groupId", role, status, language, first_name as "firstName", last_name as "lastName", alias,
            erased_at is not null as erased
       from members where id = $1 and programme_id = $2 for update`,
    [memberId, programmeId],
  )
  const before = rows[0]
  if (before === undefined) throw new RequestError('member.unknown', { field: 'number' })
  if (before.erased) throw new RequestError('member.erased', { field: 'number' })
  const names = nameFields.filter((name) => changes[name] !== undefined && changes[name] !== before[name])
  const words = wordFields.filter((name) => changes[name] !== undefined && changes[name] !== before[name])
  if (names.length + words.length > 0)
    await tx.query(
      `update members set first_name = $2, last_name = $3, alias = $4, group_id = $5, role = $6, status = $7, language = $8
        where id = $1`,
      [
        memberId,
        ...[...nameFields, ...wordFields].map((name) => changes[name] ?? kept(changes, before, name)),
      ],
    )
  const phones = await changePhones(tx, programmeId, memberId, changes)
  if (names.length + words.length + phones.added.length + phones.removed.length === 0) return false
  const logged = (values: Partial<Words>) =>
    Object.fromEntries(words.map((name) => [name === 'groupId' ? 'group' : name, values[name] ?? null]))
  await recordAudit(tx, {
    at: now,
    programmeId,
    actor,
    action: 'member.changed',
    subject: `member:${memberId}`,
    before: { ...logged(before), ...(phones.removed.length > 0 ? { phones: phones.removed } : {}) },
    after: {
      ...logged(changes as Partial<Words>),
      ...(names.length > 0 ? { renamed: names } : {}),
      ...(phones.added.length > 0 ? { phones: phones.added } : {}),
    },
  })
  return true
}

/** Null is a value of its own where a field may have none. */
function kept(changes: MemberChanges, before: Words & Names, name: keyof (Words & Names)): string | null {
  return changes[name] === null ? null : before[name]
}

async function changePhones(
  tx: Queryable,
  programmeId: string,
  memberId: string,
  { addPhones = [], removePhones: leaving = [] }: MemberChanges,
): Promise<{ added: string[]; removed: string[] }> {
  const hers = await phonesOf(tx, memberId)
  const removed = leaving.length === 0 ? [] : await removePhones(tx, memberId, leaving)
  const fresh = addPhones.filter(({ msisdn }) => !hers.has(msisdn))
  if (fresh.length === 0) return { added: [], removed }
  if (hers.size > 0 || !(await addFirstPhones(tx, programmeId, memberId, fresh)))
    throw new RequestError('phone.confirmation_needed', { field: 'phones.add' })
  return { added: [...(await phonesOf(tx, memberId)).values()], removed }
}

async function phonesOf(tx: Queryable, memberId: string): Promise<Map<string, string>> {
  const { rows } = await tx.query<{ id: string; msisdn: string }>(
    'select p.id, p.msisdn from member_phones mp join phones p on p.id = mp.phone_id where mp.member_id = $1',
    [memberId],
  )
  return new Map(rows.map(({ id, msisdn }) => [msisdn, id]))
}
