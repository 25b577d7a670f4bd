// In: a member, and the roles that a case is offered to in turn. Out: the one who is to own it.
// Must never choose somebody who is not active, nor an adviser who does not speak with her.
import type { Queryable } from '../db.ts'
import type { OwnerRole } from './rules.ts'

export interface OwnerAsk {
  programmeId: string
  memberId: string
  /** The first role that has somebody gives the owner. */
  inTurn: readonly OwnerRole[]
  /** That she wants to be spoken to in; left out: her own. */
  language?: string | null | undefined
  /** Who had it until now. */
  except?: string | null | undefined
}

// Of one role: who speaks with her first, then who has the fewest open cases.
const ownerSql = `
  select s.id
    from members m
    left join groups g on g.id = m.group_id
    join staff s on s.programme_id = m.programme_id and s.active and s.id is distinct from $5
    cross join lateral (
      select case when s.id = g.facilitator_id and 'facilitator' = any($3) then 'facilitator' else s.role end as step,
             coalesce($4, m.language) = any(s.languages || s.language) as speaks) fit
    cross join lateral (select count(*) as cases from cases c where c.owner_id = s.id and c.status = 'open') load
   where m.id = $2 and m.programme_id = $1 and fit.step = any($3)
     and (fit.step <> 'facilitator' or s.id = g.facilitator_id)
     and (fit.step <> 'adviser' or coalesce(fit.speaks, true))
   order by array_position($3, fit.step), fit.speaks desc nulls last, load.cases, s.id
   limit 1`

export interface Candidate {
  id: string
  firstName: string
  lastName: string
  role: string
  /** Speaks the language that she wants to be spoken to in; null where she named none. */
  speaks: boolean | null
  /** Cases that this person owns now. */
  open: number
}

/** Of case `c` of member `m` with group `g`: whether staff `s` may own it. */
const mayOwnSql = `
  (s.active and s.programme_id = c.programme_id
     and case when c.kind = 'social_worker' then s.role = 'social_worker'
              else s.role in ('adviser', 'branch', 'administrator') or s.id = g.facilitator_id end)`

const candidatesFrom = `
    from cases c join members m on m.id = c.member_id left join groups g on g.id = m.group_id
    join staff s on ${mayOwnSql} and s.id is distinct from c.owner_id`

/** Whom a case may be handed to, those who speak with her first; social workers' cases stay with social workers. */
export async function candidatesFor(tx: Queryable, caseId: string): Promise<Candidate[]> {
  const { rows } = await tx.query<Candidate>(
    `select s.id, s.first_name as "firstName", s.last_name as "lastName", s.role,
            coalesce(c.language, m.language) = any(s.languages || s.language) as speaks,
            (select count(*) from cases o where o.owner_id = s.id and o.status = 'open')::int as open
     ${candidatesFrom} where c.id = $1 order by speaks desc nulls last, s.first_name, s.last_name, s.id limit 100`,
    [caseId],
  )
  return rows
}

/** Gives an open case to somebody who may own it, to be taken anew. False when it is closed, or not for that person. */
export async function giveCase(tx: Queryable, caseId: string, staffId: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    `update cases set owner_id = $2, taken_at = null
      where id = $1 and status = 'open' and exists (select 1 ${candidatesFrom} where c.id = cases.id and s.id = $2)`,
    [caseId, staffId],
  )
  return rowCount === 1
}

/** Undefined when the programme has nobody of these roles. */
export async function chooseOwner(tx: Queryable, ask: OwnerAsk): Promise<string | undefined> {
  const { programmeId, memberId, inTurn, language = null, except = null } = ask
  const { rows } = await tx.query<{ id: string }>(ownerSql, [programmeId, memberId, inTurn, language, except])
  return rows[0]?.id
}
