// In: a meeting or a training that is moved, cancelled or put back. Out: the row changed, and a message to each who was told otherwise.
// What the two have in common; meetings.ts and trainings.ts say which is which. Must never change what has begun.
import { recordAudit } from '../audit.ts'
import type { Queryable } from '../db.ts'
import { InvariantError } from '../errors.ts'
import type { MeetingFault } from './fault.ts'
import { tellOfChanges } from './telling.ts'

export type GatheringKind = 'meeting' | 'training'

export const gatheringTables = { meeting: 'meetings', training: 'training_sessions' } as const

export interface Gathering {
  id: string
  programmeId: string
  groupId: string
  startsAt: Date
  place: string
  status: 'planned' | 'cancelled'
  /** Of the programme: meetings are told in its hours. */
  timeZone: string
}

/** What came of a change. `toTell`: members who get a message unless, when it is sent, they know already. */
export type Changed<Of extends Gathering> =
  | { outcome: 'changed' | 'unchanged'; gathering: Of; toTell: number }
  | { outcome: 'refused'; fault: MeetingFault }

export interface Change {
  kind: GatheringKind
  id: string
  /** Left out: as it is. */
  startsAt?: Date | undefined
  place?: string | undefined
  status: 'planned' | 'cancelled'
  by: string
  now: Date
}

/** Further than this ahead is a slip of the keyboard. */
const farthestMs = 2 * 366 * 86_400_000
export const placeCharactersMax = 80

/** What is wrong with a start that somebody wishes for. */
export function startFault(startsAt: Date, now: Date): MeetingFault | undefined {
  if (Number.isNaN(startsAt.getTime()))
    return { field: 'startsAt', code: 'date.invalid', detail: 'must be an instant' }
  if (startsAt <= now) return { field: 'startsAt', code: 'meeting.past', detail: 'must lie ahead' }
  if (startsAt.getTime() - now.getTime() > farthestMs)
    return { field: 'startsAt', code: 'meeting.far', detail: 'is more than two years ahead' }
  return undefined
}

/** What is wrong with a place that somebody wishes for. */
export function placeFault(place: string): MeetingFault | undefined {
  if (place.trim() !== '' && place.length <= placeCharactersMax && /^\P{C}*$/u.test(place)) return undefined
  const detail = `must be 1 to ${placeCharactersMax} printable characters`
  return { field: 'place', code: 'place.invalid', detail }
}

interface Before {
  id: string
  programmeId: string
  startsAt: Date
  place: string
  status: 'planned' | 'cancelled'
}

/** Writes a change and whom it concerns in the transaction of `tx`. What is so already changes nothing and is told to nobody. */
export async function changeGathering(
  tx: Queryable,
  change: Change,
): Promise<{ outcome: 'changed' | 'unchanged'; toTell: number } | { fault: MeetingFault }> {
  const { kind, id, status, by, now } = change
  const table = gatheringTables[kind]
  const { rows } = await tx.query<Before>(
    `select t.id, g.programme_id as "programmeId", t.starts_at as "startsAt", t.place, t.status
       from ${table} t join groups g on g.id = t.group_id where t.id = $1 for no key update of t`,
    [id],
  )
  const [before] = rows
  if (before === undefined)
    return { fault: { field: 'id', code: 'meeting.unknown', detail: 'there is nothing under this id' } }
  const startsAt = change.startsAt ?? before.startsAt
  const place = change.place ?? before.place
  const isSame =
    before.status === status && before.startsAt.getTime() === startsAt.getTime() && before.place === place
  if (isSame) return { outcome: 'unchanged', toTell: 0 }
  if (before.startsAt <= now && before.status === 'planned')
    return { fault: { field: 'id', code: 'meeting.past', detail: 'has begun already' } }
  const fault = status === 'planned' ? (startFault(startsAt, now) ?? placeFault(place)) : undefined
  if (fault !== undefined) return { fault }
  const byHand = kind === 'meeting' ? ', by_hand = true' : ''
  await tx.query(
    `update ${table} set starts_at = $2, place = $3, status = $4, changes = changes + 1${byHand} where id = $1`,
    [id, startsAt, place, status],
  )
  const action = status === 'cancelled' ? 'cancelled' : before.status === 'cancelled' ? 'restored' : 'moved'
  await recordAudit(tx, {
    at: now,
    programmeId: before.programmeId,
    actor: by,
    action: `${kind}.${action}`,
    subject: `${kind}:${id}`,
    before: { startsAt: before.startsAt.toISOString(), status: before.status },
    // A place may name a person's house.
    after: { startsAt: startsAt.toISOString(), status, placeChanged: place !== before.place },
  })
  const toTell = await tellOfChanges(tx, kind, [{ id, previousStart: before.startsAt }], now)
  return { outcome: 'changed', toTell }
}

/** The changed row as its folder reads it. */
export async function changed<Of extends Gathering>(
  tx: Queryable,
  change: Change,
  read: (tx: Queryable, id: string) => Promise<Of | undefined>,
): Promise<Changed<Of>> {
  const done = await changeGathering(tx, change)
  if ('fault' in done) return { outcome: 'refused', fault: done.fault }
  const gathering = await read(tx, change.id)
  if (gathering === undefined) throw new InvariantError('what was just changed cannot be read')
  return { ...done, gathering }
}
