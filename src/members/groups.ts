// In: a group's code, name, place and facilitator. Out: the group, new or changed, and what it is like now.
// Must never move a group to another programme, nor give it to somebody who is no active staff.
import { recordAudit } from '../audit.ts'
import type { Queryable } from '../db.ts'
import { InvariantError } from '../errors.ts'

export interface GroupState {
  id: string
  code: string
  name: string
  place: string
  /** Of the facilitator. */
  facilitatorId: string | null
  facilitatorName: string | null
}

const groupSql = `
  select g.id, g.code, g.name, g.place, g.facilitator_id as "facilitatorId", s.first_name as "facilitatorName"
    from groups g left join staff s on s.id = g.facilitator_id where g.programme_id = $1 and g.code = $2`

/** Undefined when the programme has no such group. */
export async function groupByCode(
  tx: Queryable,
  programmeId: string,
  code: string,
): Promise<GroupState | undefined> {
  const { rows } = await tx.query<GroupState>(groupSql, [programmeId, code])
  return rows[0]
}

export interface NewGroup {
  programmeId: string
  code: string
  name: string
  place: string
  facilitatorId: string | null
  by: string
  now: Date
}

/** The group under this code; `opened` is false when it was there before, with whatever it was then. */
export async function openGroup(
  tx: Queryable,
  { programmeId, code, name, place, facilitatorId, by, now }: NewGroup,
): Promise<{ opened: boolean; group: GroupState }> {
  const { rows } = await tx.query<{ id: string }>(
    `insert into groups (programme_id, code, name, place, facilitator_id) values ($1, $2, $3, $4, $5)
     on conflict (programme_id, code) do nothing returning id`,
    [programmeId, code, name, place, facilitatorId],
  )
  const group = await groupByCode(tx, programmeId, code)
  if (group === undefined) throw new InvariantError('a group was neither written nor there')
  if (rows.length > 0)
    await recordAudit(tx, {
      at: now,
      programmeId,
      actor: by,
      action: 'group.opened',
      subject: `group:${group.id}`,
      after: { facilitator: staffOf(facilitatorId) },
    })
  return { opened: rows.length > 0, group }
}

export interface GroupChange {
  programmeId: string
  code: string
  /** What is left out stays. */
  name?: string | undefined
  place?: string | undefined
  facilitatorId?: string | null | undefined
  by: string
  now: Date
}

/** Undefined when there is no such group. `changed` is false when all of it was so. */
export async function changeGroup(
  tx: Queryable,
  { programmeId, code, by, now, ...wished }: GroupChange,
): Promise<{ changed: boolean; group: GroupState } | undefined> {
  await tx.query('select 1 from groups where programme_id = $1 and code = $2 for no key update', [
    programmeId,
    code,
  ])
  const before = await groupByCode(tx, programmeId, code)
  if (before === undefined) return undefined
  const name = wished.name ?? before.name
  const place = wished.place ?? before.place
  const facilitatorId = wished.facilitatorId === undefined ? before.facilitatorId : wished.facilitatorId
  if (name === before.name && place === before.place && facilitatorId === before.facilitatorId)
    return { changed: false, group: before }
  await tx.query('update groups set name = $2, place = $3, facilitator_id = $4 where id = $1', [
    before.id,
    name,
    place,
    facilitatorId,
  ])
  await recordAudit(tx, {
    at: now,
    programmeId,
    actor: by,
    action: 'group.changed',
    subject: `group:${before.id}`,
    before: { facilitator: staffOf(before.facilitatorId) },
    // Names and places of groups may be those of people.
    after: {
      facilitator: staffOf(facilitatorId),
      nameChanged: name !== before.name,
      placeChanged: place !== before.place,
    },
  })
  const group = await groupByCode(tx, programmeId, code)
  if (group === undefined) throw new InvariantError('a group that was just changed is gone')
  return { changed: true, group }
}

const staffOf = (id: string | null) => (id === null ? null : `staff:${id}`)
