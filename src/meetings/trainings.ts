// In: a group, or one of its training sessions. Out: what is ahead; a session written, moved, cancelled or put back, and those told who
// were told otherwise. As meetings.ts, without a calendar: a module is taught once.
import { recordAudit } from '../audit.ts'
import type { Queryable } from '../db.ts'
import { InvariantError } from '../errors.ts'
import type { MeetingFault } from './fault.ts'
import { type Changed, changed, type Gathering, placeFault, startFault } from './gatherings.ts'

export interface TrainingSession extends Gathering {
  groupCode: string
  groupName: string
  module: number
  /** One of those that every member takes before her first loan. */
  initial: boolean
  /** By language. */
  titles: Record<string, string>
  /** What an educator reads out, by language. */
  keyMessages: Record<string, string[]>
}

const sessionSql = `
  select s.id, g.programme_id as "programmeId", s.group_id as "groupId", g.code as "groupCode", g.name as "groupName",
         s.starts_at as "startsAt", s.place, s.status, p.time_zone as "timeZone", d.number as module, d.initial, d.titles,
         d.key_messages as "keyMessages"
    from training_sessions s join groups g on g.id = s.group_id join programmes p on p.id = g.programme_id
    join training_modules d on d.id = s.module_id`

/** Undefined for an id that is no session's. */
export async function sessionOf(tx: Queryable, id: string): Promise<TrainingSession | undefined> {
  const { rows } = await tx.query<TrainingSession>(`${sessionSql} where s.id = $1`, [id])
  return rows[0]
}

/** Planned sessions of a group that have not begun, the next one first. */
export async function upcomingSessions(
  tx: Queryable,
  groupId: string,
  now: Date,
  limit: number,
): Promise<TrainingSession[]> {
  const { rows } = await tx.query<TrainingSession>(
    `${sessionSql} where s.group_id = $1 and s.starts_at > $2 and s.status = 'planned' order by s.starts_at, s.id limit $3`,
    [groupId, now, limit],
  )
  return rows
}

/** All sessions of a group from an instant on, cancelled ones too, in the order of time. */
export async function sessionsFrom(
  tx: Queryable,
  groupId: string,
  from: Date,
  limit: number,
  /** The last one of the page before. */
  after?: { startsAt: string; id: string },
): Promise<TrainingSession[]> {
  const { rows } = await tx.query<TrainingSession>(
    `${sessionSql} where s.group_id = $1 and s.starts_at >= $2
        and ($4::timestamptz is null or (s.starts_at, s.id) > ($4, $5::uuid)) order by s.starts_at, s.id limit $3`,
    [groupId, from, limit, after?.startsAt ?? null, after?.id ?? null],
  )
  return rows
}

export interface NewSession {
  groupId: string
  /** Number of the module. */
  module: number
  startsAt: Date
  /** Left out: where the group usually meets. */
  place?: string | undefined
  by: string
  now: Date
}

/** A module that a group is to be taught. The same hour and module again is the same session. */
export async function addSession(
  tx: Queryable,
  { groupId, module, startsAt, place, by, now }: NewSession,
): Promise<{ outcome: 'added' | 'unchanged'; session: TrainingSession } | { fault: MeetingFault }> {
  const groups = await tx.query<{ programmeId: string; place: string; moduleId: string | null }>(
    `select g.programme_id as "programmeId", g.place, d.id as "moduleId"
       from groups g left join training_modules d on d.programme_id = g.programme_id and d.number = $2
      where g.id = $1 for no key update of g`,
    [groupId, module],
  )
  const group = groups.rows[0]
  if (group === undefined)
    return { fault: { field: 'group', code: 'group.unknown', detail: 'there is no such group' } }
  if (group.moduleId === null)
    return { fault: { field: 'module', code: 'module.unknown', detail: 'there is no such module' } }
  const where = place ?? group.place
  const fault = startFault(startsAt, now) ?? placeFault(where)
  if (fault !== undefined) return { fault }
  const standing = await tx.query<TrainingSession>(
    `${sessionSql} where s.group_id = $1 and s.starts_at = $2 and s.module_id = $3 and s.status = 'planned' limit 1`,
    [groupId, startsAt, group.moduleId],
  )
  const there = standing.rows[0]
  if (there !== undefined) return { outcome: 'unchanged', session: there }
  const { rows } = await tx.query<{ id: string }>(
    'insert into training_sessions (module_id, group_id, starts_at, place) values ($1, $2, $3, $4) returning id',
    [group.moduleId, groupId, startsAt, where],
  )
  const session = await sessionOf(tx, rows[0]?.id ?? '')
  if (session === undefined) throw new InvariantError('a training session was not written')
  await recordAudit(tx, {
    at: now,
    programmeId: group.programmeId,
    actor: by,
    action: 'training.added',
    subject: `training:${session.id}`,
    after: { group: `group:${groupId}`, module, startsAt: startsAt.toISOString() },
  })
  return { outcome: 'added', session }
}

interface Act {
  sessionId: string
  by: string
  now: Date
}

/** To another hour or place. A cancelled session is put back first. */
export async function moveSession(
  tx: Queryable,
  { sessionId: id, startsAt, place, by, now }: Act & { startsAt: Date; place?: string | undefined },
): Promise<Changed<TrainingSession>> {
  if ((await sessionOf(tx, id))?.status === 'cancelled')
    return {
      outcome: 'refused',
      fault: { field: 'status', code: 'meeting.cancelled', detail: 'is cancelled: put it back first' },
    }
  return changed(tx, { kind: 'training', id, startsAt, place, status: 'planned', by, now }, sessionOf)
}

export function cancelSession(
  tx: Queryable,
  { sessionId: id, by, now }: Act,
): Promise<Changed<TrainingSession>> {
  return changed(tx, { kind: 'training', id, status: 'cancelled', by, now }, sessionOf)
}

/** A cancelled session takes place after all, when and where it was to be. */
export function restoreSession(
  tx: Queryable,
  { sessionId: id, by, now }: Act,
): Promise<Changed<TrainingSession>> {
  return changed(tx, { kind: 'training', id, status: 'planned', by, now }, sessionOf)
}
