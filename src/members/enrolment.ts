// In: people who join a programme, with groups and phones. Out: members, each with her first phone; groups that were not there are opened.
// Must never overwrite a member who is already there.
import type { Queryable } from '../db.ts'
import type { MemberRole, MemberStatus } from './members.ts'

export interface NewMember {
  number: string
  firstName: string
  lastName: string
  /** Her first name, cut to fit, unless she chose another. */
  alias: string | undefined
  groupId: string | undefined
  birthYear: number | undefined
  language: string | undefined
  status: MemberStatus | undefined
  role: MemberRole | undefined
  /** The first is hers to be written to. */
  phones: readonly WrittenPhone[]
}

export interface WrittenPhone {
  /** E.164. */
  msisdn: string
  /** As it was written. */
  raw: string
}

/** Characters of a name that a screen shows. */
export const aliasCharsMax = 20

/** Member number to id, of those who are new; a number that is taken is not in it. */
export async function enrolMembers(
  tx: Queryable,
  programmeId: string,
  members: readonly NewMember[],
): Promise<Map<string, string>> {
  const inserted = await tx.query<{ id: string; number: string }>(
    `insert into members (programme_id, group_id, number, first_name, last_name, alias, birth_year, language, status, role)
     select $1, t.* from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::text[], $9::text[],
       $10::text[]) as t
     on conflict (programme_id, number) do nothing returning id, number`,
    [
      programmeId,
      members.map(({ groupId }) => groupId ?? null),
      members.map(({ number }) => number),
      members.map(({ firstName }) => firstName),
      members.map(({ lastName }) => lastName),
      members.map(({ alias, firstName }) => alias ?? firstName.slice(0, aliasCharsMax)),
      members.map(({ birthYear }) => birthYear ?? null),
      members.map(({ language }) => language ?? null),
      members.map(({ status }) => status ?? 'active'),
      members.map(({ role }) => role ?? 'member'),
    ],
  )
  const ids = new Map(inserted.rows.map((row) => [row.number, row.id]))
  await linkPhones(
    tx,
    programmeId,
    members.flatMap(({ number, phones }) => {
      const memberId = ids.get(number)
      return memberId === undefined
        ? []
        : phones.map((phone, index) => ({ memberId, phone, first: index === 0 }))
    }),
  )
  return ids
}

async function linkPhones(
  tx: Queryable,
  programmeId: string,
  links: readonly { memberId: string; phone: WrittenPhone; first: boolean }[],
): Promise<void> {
  if (links.length === 0) return
  const raw = new Map(links.map(({ phone }) => [phone.msisdn, phone.raw]))
  await tx.query(
    `insert into phones (programme_id, msisdn, raw)
     select $1, t.* from unnest($2::text[], $3::text[]) as t on conflict do nothing`,
    [programmeId, [...raw.keys()], [...raw.values()]],
  )
  await tx.query(
    `insert into member_phones (member_id, phone_id, is_primary)
     select t.member_id, phones.id, t.first from unnest($2::uuid[], $3::text[], $4::boolean[]) as t (member_id, msisdn, first)
       join phones on phones.programme_id = $1 and phones.msisdn = t.msisdn
     on conflict (member_id, phone_id) do nothing`,
    [
      programmeId,
      links.map(({ memberId }) => memberId),
      links.map(({ phone }) => phone.msisdn),
      links.map(({ first }) => first),
    ],
  )
}

/** Group code to id; groups that are not there yet are opened. */
export async function openGroups(
  tx: Queryable,
  programmeId: string,
  groups: ReadonlyMap<string, { name: string; place: string }>,
): Promise<Map<string, string>> {
  if (groups.size === 0) return new Map()
  const codes = [...groups.keys()]
  const described = [...groups.values()]
  await tx.query(
    `insert into groups (programme_id, code, name, place)
     select $1, t.* from unnest($2::text[], $3::text[], $4::text[]) as t on conflict do nothing`,
    [programmeId, codes, described.map(({ name }) => name), described.map(({ place }) => place)],
  )
  const { rows } = await tx.query<{ id: string; code: string }>(
    'select id, code from groups where programme_id = $1 and code = any($2)',
    [programmeId, codes],
  )
  return new Map(rows.map(({ id, code }) => [code, id]))
}

/**
 * Adds numbers to a member who has none and never chose a PIN: until then nothing of hers can be seen by who holds them. False, with
 * nothing done, for anybody else: her new number is bound by two people (rebind.ts).
 */
export async function addFirstPhones(
  tx: Queryable,
  programmeId: string,
  memberId: string,
  phones: readonly WrittenPhone[],
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `select 1 from member_phones where member_id = $1
      union all select 1 from member_pins where member_id = $1`,
    [memberId],
  )
  if (rowCount !== 0) return false
  await linkPhones(
    tx,
    programmeId,
    phones.map((phone, index) => ({ memberId, phone, first: index === 0 })),
  )
  return true
}

/** Ids of the phones that are hers no longer; messages then go to another of hers that is beyond doubt. */
export async function removePhones(
  tx: Queryable,
  memberId: string,
  msisdns: readonly string[],
): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `delete from member_phones mp using phones p
      where p.id = mp.phone_id and mp.member_id = $1 and p.msisdn = any($2) returning p.id`,
    [memberId, msisdns],
  )
  await tx.query(
    `update member_phones set is_primary = true
      where member_id = $1 and not exists (select 1 from member_phones where member_id = $1 and is_primary)
        and phone_id = (select phone_id from member_phones where member_id = $1
                         order by reverify_since is not null, bound_at desc nulls last, phone_id limit 1)`,
    [memberId],
  )
  return rows.map(({ id }) => id)
}
