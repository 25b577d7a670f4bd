// In: the groups of a programme's description, with when each meets. Out: groups, their facilitators and calendars, new or brought up to date.
// Must never take away what the description leaves out: a group that it does not name stays as it is.
import { z } from 'zod'
import type { Queryable } from '../db.ts'
import { StartError } from '../errors.ts'
import { readCalendar, setCalendar } from '../meetings/calendars.ts'
import { parseMsisdn } from '../msisdn.ts'

const printable = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .regex(/^\P{C}*$/u, 'must be printable characters')

const meetsSchema = z.strictObject({
  rule: z.string().max(200),
  startsOn: z.iso.date('must be a day such as "2027-01-12"'),
  at: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'must be a time such as "10:00"')
    .transform((time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3))),
  place: printable(80).optional(),
})

export const groupsSchema = z
  .array(
    z.strictObject({
      code: printable(60),
      name: printable(80),
      place: printable(80),
      facilitator: z.string().optional(),
      meets: meetsSchema.optional(),
    }),
  )
  .refine((groups) => new Set(groups.map(({ code }) => code)).size === groups.length, 'names a group twice')
  .default([])

export type DescribedGroup = z.infer<typeof groupsSchema>[number]

/** What the schema cannot see: rules that yield nothing, facilitators who are not among the staff. */
export function groupFaults(
  groups: readonly DescribedGroup[],
  country: string,
  staffPhones: ReadonlySet<string>,
): string[] {
  return groups.flatMap(({ facilitator, place, meets }, index) => {
    const where = `groups.${index}`
    const phone = facilitator === undefined ? undefined : parseMsisdn(facilitator, country)
    const stranger = facilitator !== undefined && (phone === undefined || !staffPhones.has(phone))
    const read =
      meets === undefined
        ? undefined
        : readCalendar({ ...meets, place: meets.place ?? place, startMinute: meets.at })
    const faults = read !== undefined && 'faults' in read ? read.faults : []
    return [
      ...(stranger ? [`${where}.facilitator: is the phone of nobody under staff`] : []),
      ...faults.map(({ field, detail }) => `${where}.meets.${field}: ${detail}`),
    ]
  })
}

/** Ids of groups that are new or no longer as they were. */
export async function writeGroups(
  tx: Queryable,
  { programmeId, country, now }: { programmeId: string; country: string; now: Date },
  groups: readonly DescribedGroup[],
): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `insert into groups as g (programme_id, code, name, place, facilitator_id)
     select $1, w.code, w.name, w.place, s.id
       from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as w(code, name, place, facilitator)
       left join staff s on s.programme_id = $1 and s.msisdn = w.facilitator
     on conflict (programme_id, code) do update
       set name = excluded.name, place = excluded.place,
           facilitator_id = coalesce(excluded.facilitator_id, g.facilitator_id)
       where (g.name, g.place, g.facilitator_id)
             is distinct from (excluded.name, excluded.place, coalesce(excluded.facilitator_id, g.facilitator_id))
     returning id`,
    [
      programmeId,
      groups.map(({ code }) => code),
      groups.map(({ name }) => name),
      groups.map(({ place }) => place),
      groups.map(({ facilitator }) =>
        facilitator === undefined ? null : (parseMsisdn(facilitator, country) ?? null),
      ),
    ],
  )
  const found = await tx.query<{ id: string; code: string }>(
    'select id, code from groups where programme_id = $1 and code = any($2)',
    [programmeId, groups.map(({ code }) => code)],
  )
  const ids = new Map(found.rows.map(({ id, code }) => [code, id]))
  for (const { code, place, meets } of groups) {
    if (meets === undefined) continue
    const { rule, startsOn, at: startMinute } = meets
    const asked = { groupId: ids.get(code) ?? '', rule, startsOn, startMinute, by: 'operator', now }
    const set = await setCalendar(tx, { ...asked, place: meets.place ?? place })
    if ('faults' in set)
      throw new StartError(
        'The programme cannot be written',
        set.faults.map(({ field, detail }) => `groups.${code}.meets.${field}: ${detail}`),
      )
  }
  return rows.map(({ id }) => id)
}
