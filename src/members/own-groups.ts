// In: somebody who works for the programme, or an elected officer. Out: the groups that are theirs.
// Must never show a group to whoever is not active, nor one of another programme.
import type { Queryable } from '../db.ts'

export interface WorkGroup {
  id: string
  code: string
  name: string
  place: string
}

const groupColumns = 'g.id, g.code, g.name, g.place'

/** Branch and administrators reach every group, others those that they facilitate; an auditor none. */
const staffGroupsSql = `
  from groups g join staff s on s.programme_id = g.programme_id
   where g.programme_id = $1 and s.id = $2 and s.active and s.role <> 'auditor'
     and (s.role in ('branch', 'administrator') or g.facilitator_id = s.id)`

export interface GroupsAsked {
  programmeId: string
  staffId: string
  /** Part of a name or code. */
  search?: string | undefined
  limit: number
  offset?: number
}

/** By name. */
export async function groupsOfStaff(tx: Queryable, asked: GroupsAsked): Promise<WorkGroup[]> {
  const { programmeId, staffId, search, limit, offset = 0 } = asked
  const pattern = search === undefined ? null : `%${search.replace(/[\\%_]/g, '\\$&')}%`
  const { rows } = await tx.query<WorkGroup>(
    `select ${groupColumns} ${staffGroupsSql} and ($3::text is null or g.name ilike $3 or g.code ilike $3)
      order by g.name, g.code limit $4 offset $5`,
    [programmeId, staffId, pattern, limit, offset],
  )
  return rows
}

/** Undefined when it is not, or no longer, theirs. */
export async function groupOfStaff(
  tx: Queryable,
  programmeId: string,
  staffId: string,
  groupId: string,
): Promise<WorkGroup | undefined> {
  const { rows } = await tx.query<WorkGroup>(`select ${groupColumns} ${staffGroupsSql} and g.id = $3`, [
    programmeId,
    staffId,
    groupId,
  ])
  return rows[0]
}

/** The group whose officer she is now; undefined when she is none any more. */
export async function groupOfOfficer(tx: Queryable, memberId: string): Promise<WorkGroup | undefined> {
  const { rows } = await tx.query<WorkGroup>(
    `select ${groupColumns} from groups g join members m on m.group_id = g.id
      where m.id = $1 and m.status = 'active' and m.role in ('president', 'treasurer', 'educator')`,
    [memberId],
  )
  return rows[0]
}
