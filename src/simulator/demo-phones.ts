// In: a demo programme. Out: the few phones that a visitor may hold, one of each kind worth seeing.
// Must never choose by anything that differs from run to run: the same data gives the same phones.
import type { Queryable } from '../db.ts'

export type DemoPhoneKind = 'member' | 'new' | 'shared' | 'suspended' | 'unknown'

export interface DemoPhone {
  /** Names the phone in the page's addresses, in place of its number. */
  id: string
  kind: DemoPhoneKind
  msisdn: string
  /** Who holds it; aliases of all for a shared phone; empty for an unknown number. */
  name: string
  /** Shown because this is a demo; undefined where she has yet to choose one. */
  pin: string | undefined
  /** What she dials, for example "*384*1#". */
  serviceCode: string
  /** Where she can send SMS; undefined where that does not exist. */
  shortcode: string | undefined
}

interface PhoneRow {
  kind: DemoPhoneKind
  msisdn: string
  name: string
}

/**
 * Chooses in the first programme: the phone of `tryMsisdn` with its PIN, a member who has yet to set one, a shared
 * phone, a suspended member, and a number of the country that nobody has. Kinds without a phone are left out.
 */
export async function chooseDemoPhones(
  db: Queryable,
  known: { programmeCode: string; tryMsisdn: string; tryPin: string; unknownMsisdn: string },
): Promise<DemoPhone[]> {
  const programme = await db.query<{ id: string; serviceCode: string; shortcode: string | null }>(
    `select id, service_code as "serviceCode", shortcode from programmes where code = $1`,
    [known.programmeCode],
  )
  const found = programme.rows[0]
  if (found === undefined) return []
  const { rows } = await db.query<PhoneRow>(phonesSql, [found.id, known.tryMsisdn])
  const unknown: PhoneRow = { kind: 'unknown', msisdn: known.unknownMsisdn, name: '' }
  return [...rows, unknown].map((row) => ({
    id: row.kind,
    ...row,
    pin: row.kind === 'member' ? known.tryPin : undefined,
    serviceCode: `${found.serviceCode}#`,
    shortcode: found.shortcode ?? undefined,
  }))
}

const phonesSql = `
with held as (
  select f.msisdn, count(*) as members, bool_and(m.status = 'active') as active,
         bool_or(m.status = 'suspended') as suspended, bool_or(n.member_id is not null) as has_pin,
         bool_or(exists (select from loans l where l.member_id = m.id)) as borrows,
         string_agg(m.alias, ', ' order by m.number) as aliases,
         min(m.first_name || ' ' || m.last_name) as full_name, min(m.number) as number
    from phones f
    join member_phones mp on mp.phone_id = f.id
    join members m on m.id = mp.member_id
    left join member_pins n on n.member_id = m.id
   where f.programme_id = $1
   group by f.msisdn),
ranked as (
  select held.*, case
           when msisdn = $2 then 'member'
           when members > 1 and active then 'shared'
           when members = 1 and suspended then 'suspended'
           when members = 1 and active and not has_pin then 'new'
         end as kind
    from held)
select kind, msisdn, case when kind = 'shared' then aliases else full_name end as name
  from (select ranked.*, row_number() over (partition by kind order by borrows desc, number, msisdn) as place
          from ranked where kind is not null) r
 where place = 1
 order by array_position(array['member', 'new', 'shared', 'suspended'], kind)`
