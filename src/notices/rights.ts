// In: who asks (staff, an elected officer, a program) and whom a notice is for. Out: whether that person may, or the fault that says why not.
// Must be asked by every act of this folder: pages and menus only leave out what would be refused here.
import type { Queryable } from '../db.ts'
import type { MemberRole } from '../members/members.ts'

/** Who writes a notice; `api` is the name of the key. */
export type Author = { staffId: string } | { memberId: string } | { api: string }

/** One thing that is wrong with what was asked; `detail` is a sentence for whoever can mend it and names nobody. */
export interface NoticeFault {
  /** "texts.wo", "sendAt"; "notice" for the notice as a whole. */
  field: string
  /** A stable word. */
  code: string
  detail: string
}

export const fault = (field: string, code: string, detail: string): NoticeFault => ({ field, code, detail })

/** What somebody may do with notices. */
export interface Standing {
  /** For the audit log. */
  actor: string
  /** Groups that may be written to. */
  groupIds: 'all' | readonly string[]
  /** An officer words nothing herself: a written text could shame a member. */
  templatesOnly: boolean
  staffId: string | null
  memberId: string | null
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
export const isUuid = (text: string): boolean => uuid.test(text)

/** Undefined for a stranger, for whoever is no longer active, and for an auditor, who only reads. */
export async function standingOf(
  tx: Queryable,
  programmeId: string,
  author: Author,
): Promise<Standing | undefined> {
  if ('api' in author)
    return {
      actor: `api:${author.api}`,
      groupIds: 'all',
      templatesOnly: false,
      staffId: null,
      memberId: null,
    }
  return 'staffId' in author
    ? staffStanding(tx, programmeId, author.staffId)
    : officerStanding(tx, programmeId, author.memberId)
}

/** Whoever works with groups reaches the own ones; the branch and administrators reach all. */
async function staffStanding(tx: Queryable, programmeId: string, staffId: string) {
  if (!isUuid(staffId)) return undefined
  const { rows } = await tx.query<{ role: string; groupIds: string[] }>(
    `select s.role, array(select g.id from groups g where g.facilitator_id = s.id and g.programme_id = $1) as "groupIds"
       from staff s where s.id = $2 and s.programme_id = $1 and s.active`,
    [programmeId, staffId],
  )
  const found = rows[0]
  if (found === undefined || found.role === 'auditor') return undefined
  const reachesAll = found.role === 'branch' || found.role === 'administrator'
  const groupIds = reachesAll ? ('all' as const) : found.groupIds
  return { actor: `staff:${staffId}`, groupIds, templatesOnly: false, staffId, memberId: null }
}

async function officerStanding(tx: Queryable, programmeId: string, memberId: string) {
  if (!isUuid(memberId)) return undefined
  const { rows } = await tx.query<{ role: MemberRole; groupId: string }>(
    `select role, group_id as "groupId" from members
      where id = $2 and programme_id = $1 and status = 'active' and role <> 'member' and group_id is not null`,
    [programmeId, memberId],
  )
  const found = rows[0]
  if (found === undefined) return undefined
  return {
    actor: `member:${memberId}`,
    groupIds: [found.groupId],
    templatesOnly: true,
    staffId: null,
    memberId,
  }
}

/** Whether a notice to these groups stays within what somebody may reach; without groups it is to the whole programme. */
export function reaches({ groupIds }: Standing, asked: readonly string[] | undefined): boolean {
  if (groupIds === 'all') return true
  return asked !== undefined && asked.length > 0 && asked.every((id) => groupIds.includes(id))
}

/** An actor of the audit log as somebody whose rights are asked; "operator" stands at the server itself and may do all. */
export async function standingOfActor(
  tx: Queryable,
  programmeId: string,
  actor: string,
): Promise<Standing | undefined> {
  const [kind, name = ''] = actor.split(/:(.*)/s)
  if (kind === 'operator' || kind === 'system')
    return { actor, groupIds: 'all', templatesOnly: false, staffId: null, memberId: null }
  if (kind === 'staff') return standingOf(tx, programmeId, { staffId: name })
  if (kind === 'member') return standingOf(tx, programmeId, { memberId: name })
  return kind === 'api' ? standingOf(tx, programmeId, { api: name }) : undefined
}
