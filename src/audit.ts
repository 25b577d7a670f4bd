// In: a fact about who changed what. Out: a row of the audit log in the same transaction; and a walk that finds any row that is not as written.
// Must never hold a name, a number, a text, an amount or a PIN: ids and stable words only.
import type { Queryable } from './db.ts'

export interface AuditFact {
  at: Date
  /** Left out for what concerns no single programme. */
  programmeId?: string
  /** "operator", "api:<key name>", "staff:<id>", "member:<id>", "system:<part>". */
  actor: string
  /** A stable word such as "pin.reset". */
  action: string
  /** What it was done to, such as "member:<id>". */
  subject: string
  before?: object
  after?: object
}

/** The chain of what concerns no single programme. */
export const houseChain = '00000000-0000-0000-0000-000000000000'

/** Stands or falls with the transaction of `tx`; the database links it to the row before it at commit. */
export async function recordAudit(tx: Queryable, fact: AuditFact): Promise<void> {
  const { at, programmeId = houseChain, actor, action, subject, before, after } = fact
  await tx.query(
    `insert into audit_log (programme_id, at, actor, action, subject, before, after)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      programmeId,
      at,
      actor,
      action,
      subject,
      before === undefined ? null : JSON.stringify(before),
      after === undefined ? null : JSON.stringify(after),
    ],
  )
}

/** The end of a chain. Kept outside the database it proves later that nothing up to here was rewritten. */
export interface AuditAnchor {
  programmeId: string
  position: number
  /** In hex. */
  hash: string
}

export interface AuditFault {
  programmeId: string
  position: number
  what: 'missing' | 'changed' | 'unlinked' | 'tail_cut' | 'not_the_anchor'
}

export interface AuditReport {
  rows: number
  /** Where each sound chain ends now. */
  anchors: AuditAnchor[]
  /** The first bad row of each chain. */
  faults: AuditFault[]
}

// Every row's hash is computed again from the row and from the stored hash before it.
const walkSql = `
  with walked as (
    select position, hash, row_number() over chain as place,
           sha256(coalesce(lag(hash) over chain, '') || convert_to(jsonb_build_array(programme_id, position,
             (extract(epoch from at) * 1000)::bigint, actor, action, subject, before, after)::text, 'UTF8')) as computed
      from audit_log where programme_id = $1
    window chain as (order by position nulls last, id))
  select place::int, (position is distinct from place) as misplaced, position is null as unlinked
    from walked where position is distinct from place or hash is distinct from computed
   order by place limit 1`

const endsSql = `
  select coalesce(h.programme_id, l.programme_id) as "programmeId", coalesce(l.rows, 0)::int as rows,
         coalesce(l.position, 0)::int as "lastPosition", h.position::int as "headPosition", encode(h.hash, 'hex') as hash,
         coalesce(h.hash = (select hash from audit_log a
                             where a.programme_id = h.programme_id and a.position = h.position), false) as "headFits"
    from audit_heads h
    full join (select programme_id, count(*) as rows, max(position) as position from audit_log group by 1) l
      on l.programme_id = h.programme_id
   order by 1`

interface End {
  programmeId: string
  rows: number
  lastPosition: number
  headPosition: number | null
  hash: string | null
  headFits: boolean
}

/** Walks every chain. `known` are anchors that were kept elsewhere. One snapshot when `tx` is a repeatable-read transaction. */
export async function verifyAudit(tx: Queryable, known: readonly AuditAnchor[] = []): Promise<AuditReport> {
  const ends = (await tx.query<End & { [column: string]: unknown }>(endsSql)).rows
  const report: AuditReport = { rows: 0, anchors: [], faults: [] }
  for (const end of ends) {
    report.rows += end.rows
    const fault = (await firstBadRow(tx, end)) ?? (await brokenAnchor(tx, end.programmeId, known))
    if (fault !== undefined) report.faults.push(fault)
    else if (end.hash !== null)
      report.anchors.push({
        programmeId: end.programmeId,
        position: end.lastPosition,
        hash: end.hash,
      })
  }
  for (const { programmeId } of known)
    if (!ends.some((end) => end.programmeId === programmeId))
      report.faults.push({ programmeId, position: 1, what: 'tail_cut' })
  return report
}

async function firstBadRow(tx: Queryable, end: End): Promise<AuditFault | undefined> {
  const { programmeId } = end
  const { rows } = await tx.query<{ place: number; misplaced: boolean; unlinked: boolean }>(walkSql, [
    programmeId,
  ])
  const bad = rows[0]
  if (bad !== undefined) {
    const what = bad.unlinked ? 'unlinked' : bad.misplaced ? 'missing' : 'changed'
    return { programmeId, position: bad.place, what }
  }
  if (end.headFits) return undefined
  return { programmeId, position: end.lastPosition + 1, what: 'tail_cut' }
}

async function brokenAnchor(
  tx: Queryable,
  programmeId: string,
  known: readonly AuditAnchor[],
): Promise<AuditFault | undefined> {
  for (const { position, hash } of known.filter((anchor) => anchor.programmeId === programmeId)) {
    const { rows } = await tx.query<{ same: boolean }>(
      `select encode(hash, 'hex') = $3 as same from audit_log where programme_id = $1 and position = $2`,
      [programmeId, position, hash],
    )
    if (rows[0]?.same !== true) return { programmeId, position, what: 'not_the_anchor' }
  }
  return undefined
}
