// In: what a member asks of her programme. Out: a case with a reference, an owner and, where one was promised, a day; and its closing.
// The same asking twice is one open case. Must never hold what she said in words.
import { createHash } from 'node:crypto'
import type { CalendarDate } from '../calendar.ts'
import type { Queryable } from '../db.ts'
import { InvariantError } from '../errors.ts'

export interface NewCase {
  programmeId: string
  memberId: string
  kind: 'call_back' | 'dispute'
  /** Names the callback that opened it; the reference follows from it, so the same callback names the same one. */
  hopKey: string
  now: Date
  /** The entry that she says is not right; a case without one is about her account as a whole. */
  entryId?: string
  promisedDate?: CalendarDate
}

export interface OpenedCase {
  reference: string
  promisedDate: CalendarDate | null
}

/** Crockford's letters: nothing that is misheard or misread over the phone. */
const referenceAlphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

const findSql = `
  select reference, promised_date as "promisedDate" from cases
   where (member_id = $1 and kind = $2 and status = 'open' and entry_id is not distinct from $3) or dedupe_key = $4
   order by status desc, opened_at limit 1`

const openSql = `
  insert into cases (programme_id, member_id, owner_id, kind, reference, dedupe_key, opened_at, entry_id, promised_date)
  select m.programme_id, m.id, g.facilitator_id, $3, $4, $5, $6, $7, $8
    from members m left join groups g on g.id = m.group_id
   where m.id = $2 and m.programme_id = $1
  on conflict do nothing returning reference, promised_date as "promisedDate"`

/** The facilitator of her group owns it. One that is still open, or that this callback opened, is not opened twice. */
export async function openCase(db: Queryable, ask: NewCase): Promise<OpenedCase> {
  const { programmeId, memberId, kind, hopKey, now, entryId = null, promisedDate = null } = ask
  const dedupeKey = `${kind.replace('_', '-')}/${hopKey}`
  const standing = () => db.query<OpenedCase>(findSql, [memberId, kind, entryId, dedupeKey])
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const found = (await standing()).rows[0]
    if (found !== undefined) return found
    const bytes = createHash('sha256').update(`${hopKey}/${attempt}`).digest()
    const reference = [...bytes.subarray(0, 6)].map((byte) => referenceAlphabet[byte % 32]).join('')
    const values = [programmeId, memberId, kind, reference, dedupeKey, now, entryId, promisedDate]
    const opened = (await db.query<OpenedCase>(openSql, values)).rows[0]
    // Nothing was written: the reference is taken, or she asked at the same moment twice.
    if (opened !== undefined) return opened
  }
  throw new InvariantError('No free case reference')
}

/** How a case that staff close may end. */
export const caseOutcomes = ['answered', 'corrected', 'confirmed', 'not_reached', 'withdrawn'] as const
export type CaseOutcome = (typeof caseOutcomes)[number]

export interface CaseState {
  reference: string
  kind: 'call_back' | 'dispute'
  status: 'open' | 'closed'
  outcome: CaseOutcome | 'erased' | null
  member: string
  /** First name of the facilitator who owns it. */
  owner: string | null
  entry: { reference: string; kind: string; bookedDate: CalendarDate } | null
  openedAt: Date
  promisedDate: CalendarDate | null
  closedAt: Date | null
}

const statesSql = `
  select c.reference, c.kind, c.status, c.outcome, m.number as member, s.first_name as owner,
         case when e.id is not null
           then json_build_object('reference', e.reference, 'kind', e.kind, 'bookedDate', e.booked_date) end as entry,
         c.opened_at as "openedAt", c.promised_date as "promisedDate", c.closed_at as "closedAt"
    from cases c
    join members m on m.id = c.member_id
    left join staff s on s.id = c.owner_id
    left join entries e on e.id = c.entry_id
   where c.programme_id = $1`

/** The open ones, those that were promised first at the head. */
export async function readOpenCases(db: Queryable, programmeId: string, limit: number): Promise<CaseState[]> {
  const { rows } = await db.query<CaseState>(
    `${statesSql} and c.status = 'open' order by c.promised_date nulls last, c.opened_at, c.id limit $2`,
    [programmeId, limit],
  )
  return rows
}

export interface ClosedCase {
  case: CaseState
  /** False when it was closed before; its outcome is then the earlier one. */
  closedNow: boolean
}

/** Undefined when the programme has no such case. */
export async function closeCase(
  tx: Queryable,
  programmeId: string,
  reference: string,
  outcome: CaseOutcome,
  now: Date,
): Promise<ClosedCase | undefined> {
  const closed = await tx.query(
    `update cases set status = 'closed', outcome = $3, closed_at = $4
      where programme_id = $1 and reference = $2 and status = 'open'`,
    [programmeId, reference, outcome, now],
  )
  const { rows } = await tx.query<CaseState>(`${statesSql} and c.reference = $2`, [programmeId, reference])
  return rows[0] === undefined ? undefined : { case: rows[0], closedNow: closed.rowCount === 1 }
}
