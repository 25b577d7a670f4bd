// In: what a member asks of her programme, and what staff do about it. Out: a case with a reference, an owner and a promised day; its end.
// The same asking twice is one open case. Must never hold what she said in words, nor say in the audit log what a case is about.
import { createHash } from 'node:crypto'
import { recordAudit } from '../audit.ts'
import { addWorkingDays, type CalendarDate, localParts } from '../calendar.ts'
import type { Queryable } from '../db.ts'
import { InvariantError } from '../errors.ts'
import { chooseOwner, giveCase } from './owner.ts'
import { type CaseKind, caseRuleOf, type OwnerRole, ownersInTurn } from './rules.ts'
import { type CaseOutcome, type CaseState, caseByReference, type Looker, seenSql } from './worklist.ts'

export { type Candidate, candidatesFor } from './owner.ts'
export { type CaseKind, caseKinds } from './rules.ts'
export {
  type CaseCount,
  type CaseOutcome,
  type CaseRole,
  type CaseState,
  type CasesAsk,
  caseByReference,
  caseOutcomes,
  casesOf,
  countOpenCases,
  countSocialCases,
  type Looker,
} from './worklist.ts'

export interface NewCase {
  programmeId: string
  memberId: string
  kind: CaseKind
  /** Names what opened it; the reference follows from it, so the same callback names the same one. */
  hopKey: string
  now: Date
  /** The entry that she says is not right; a case without one is about her account as a whole. */
  entryId?: string | undefined
  /** That she wants to be spoken to in. */
  language?: string | undefined
  /** Who wrote it down, for the audit log; left out when she asked by herself. */
  by?: string | undefined
}

export interface OpenedCase {
  reference: string
  promisedDate: CalendarDate | null
  /** False when it was open before. */
  openedNow: boolean
}

/** Crockford's letters: nothing that is misheard or misread over the phone. */
const referenceAlphabet = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'

const findSql = `
  select reference, promised_date as "promisedDate", false as "openedNow" from cases
   where (member_id = $1 and kind = $2 and status = 'open' and entry_id is not distinct from $3) or dedupe_key = $4
   order by status desc, opened_at limit 1`

const openSql = `
  insert into cases (programme_id, member_id, owner_id, kind, reference, dedupe_key, opened_at, entry_id, promised_date, language)
  select m.programme_id, m.id, $3, $4, $5, $6, $7, $8, $9, $10 from members m where m.id = $2 and m.programme_id = $1
  on conflict do nothing returning reference, promised_date as "promisedDate", true as "openedNow"`

/** The programme's rule says who owns it and by when she hears. One that is still open, or that this callback opened, is not opened twice. */
export async function openCase(db: Queryable, ask: NewCase): Promise<OpenedCase> {
  const { programmeId, memberId, kind, hopKey, now, entryId = null, language = null, by } = ask
  const dedupeKey = `${kind.replaceAll('_', '-')}/${hopKey}`
  const standing = () => db.query<OpenedCase>(findSql, [memberId, kind, entryId, dedupeKey])
  let promised: Promised | undefined
  for (let attempt = 0; attempt < 5; attempt += 1) {
    const found = (await standing()).rows[0]
    if (found !== undefined) return found
    promised ??= await promiseOf(db, ask)
    const bytes = createHash('sha256').update(`${hopKey}/${attempt}`).digest()
    const reference = [...bytes.subarray(0, 6)].map((byte) => referenceAlphabet[byte % 32]).join('')
    const { ownerId, promisedDate } = promised
    const values = [
      programmeId,
      memberId,
      ownerId,
      kind,
      reference,
      dedupeKey,
      now,
      entryId,
      promisedDate,
      language,
    ]
    const opened = (await db.query<OpenedCase>(openSql, values)).rows[0]
    // Nothing was written: the reference is taken, or she asked at the same moment twice.
    if (opened === undefined) continue
    if (by !== undefined)
      await audit(db, { programmeId, reference, by, now }, 'case.opened', {}, { status: 'open' })
    return opened
  }
  throw new InvariantError('No free case reference')
}

interface Promised {
  ownerId: string | null
  promisedDate: CalendarDate
}

async function promiseOf(db: Queryable, ask: NewCase): Promise<Promised> {
  const { programmeId, memberId, language } = ask
  const { owner, promisedDate } = await ruleOf(db, ask)
  const ownerId = await chooseOwner(db, { programmeId, memberId, inTurn: ownersInTurn(owner), language })
  return { ownerId: ownerId ?? null, promisedDate }
}

type RuleAsk = Pick<NewCase, 'programmeId' | 'kind' | 'now'>

/** By when somebody who asks now is to hear. */
export async function promisedDateOf(db: Queryable, ask: RuleAsk): Promise<CalendarDate> {
  return (await ruleOf(db, ask)).promisedDate
}

async function ruleOf(
  db: Queryable,
  { programmeId, kind, now }: RuleAsk,
): Promise<{ owner: OwnerRole; promisedDate: CalendarDate }> {
  const { rows } = await db.query<{
    timeZone: string
    holidays: CalendarDate[]
    answerWorkingDays: number
    caseRules: unknown
  }>(
    `select time_zone as "timeZone", holidays::text[] as holidays, answer_working_days as "answerWorkingDays",
            case_rules as "caseRules" from programmes where id = $1`,
    [programmeId],
  )
  const settings = rows[0]
  if (settings === undefined) throw new InvariantError('A case of no programme')
  const { owner, workingDays } = caseRuleOf(settings.caseRules, kind, settings.answerWorkingDays)
  const today = localParts(now, settings.timeZone).date
  return { owner, promisedDate: addWorkingDays(today, workingDays, settings.holidays) }
}

export interface CaseAct extends Looker {
  programmeId: string
  reference: string
  /** "staff:<id>", "api:<key name>". */
  by: string
  now: Date
}

/** Undefined when the programme has no such case that this person may act on; an auditor only reads. */
async function touch(
  tx: Queryable,
  act: CaseAct,
  set: string,
  where: string,
  values: readonly unknown[],
): Promise<{ case: CaseState; changed: boolean } | undefined> {
  if (act.role === 'auditor') return undefined
  const { programmeId, reference, role, staffId = null } = act
  const changed = await tx.query(
    `update cases c set ${set} where c.programme_id = $1 and c.reference = $2 and ${seenSql('$3', '$4')} and ${where}`,
    [programmeId, reference, role, staffId, ...values],
  )
  const state = await caseByReference(tx, act, reference)
  return state === undefined ? undefined : { case: state, changed: changed.rowCount === 1 }
}

export interface TakenCase {
  case: CaseState
  /** False when somebody is at it already, or it is closed. */
  takenNow: boolean
}

/** From now on it is this person's: `staffId` must be given. Of two at once one takes it. */
export async function takeCase(
  tx: Queryable,
  act: CaseAct & { staffId: string },
): Promise<TakenCase | undefined> {
  const done = await touch(
    tx,
    act,
    'taken_at = $5, owner_id = $4',
    `c.status = 'open' and c.taken_at is null`,
    [act.now],
  )
  if (done?.changed === true) await audit(tx, act, 'case.taken', { taken: false }, { taken: true })
  return done === undefined ? undefined : { case: done.case, takenNow: done.changed }
}

/**
 * To somebody else, who has to take it anew. Undefined when this person may not act on such a case; false when it is closed or
 * `ownerId` may not own it. Whoever hands it over may see it no more.
 */
export async function handCase(
  tx: Queryable,
  act: CaseAct & { ownerId: string },
): Promise<boolean | undefined> {
  const state = act.role === 'auditor' ? undefined : await caseByReference(tx, act, act.reference)
  if (state === undefined) return undefined
  const isGiven = await giveCase(tx, state.id, act.ownerId)
  if (isGiven) await audit(tx, act, 'case.handed', { taken: state.takenAt !== null }, { taken: false })
  return isGiven
}

export interface ClosedCase {
  case: CaseState
  /** False when it was closed before; its outcome is then the earlier one. */
  closedNow: boolean
}

export async function closeCase(
  tx: Queryable,
  act: CaseAct & { outcome: CaseOutcome },
): Promise<ClosedCase | undefined> {
  const { outcome, now } = act
  const set = `status = 'closed', outcome = $5, closed_at = $6`
  const done = await touch(tx, act, set, `c.status = 'open'`, [outcome, now])
  if (done?.changed === true)
    await audit(tx, act, 'case.closed', { status: 'open' }, { status: 'closed', outcome })
  return done === undefined ? undefined : { case: done.case, closedNow: done.changed }
}

/** The kind and the owner stay out of it: who asked for a social worker is for social workers alone. */
function audit(
  tx: Queryable,
  { programmeId, reference, by, now }: Pick<CaseAct, 'programmeId' | 'reference' | 'by' | 'now'>,
  action: string,
  before: object,
  after: object,
): Promise<void> {
  return recordAudit(tx, {
    at: now,
    programmeId,
    actor: by,
    action,
    subject: `case:${reference}`,
    before,
    after,
  })
}
