// In: what the back office asks about cases and about codes that are on no receipt. Out: 200 with states; a case closed with an outcome.
// Must never answer before the commit, nor show a number or what was typed.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { appointCase } from '../cases/appointment.ts'
import {
  type CaseState,
  caseByReference,
  caseKinds,
  caseOutcomes,
  casesOf,
  closeCase,
  openCase,
  takeCase,
} from '../cases/cases.ts'
import type { Clock } from '../clock.ts'
import type { Queryable } from '../db.ts'
import { InvariantError, RequestError } from '../errors.ts'
import { parseMsisdn } from '../msisdn.ts'
import { findMemberId } from './api-reads.ts'
import type { Answer } from './api-schemas.ts'
import { type ApiCaller, actorOf } from './keys.ts'
import { cutPage, type ListOrder, nextAnswer, type Page, pageQuery, placeOf, readPage } from './paging.ts'

/** What a key may see and open: who asked for a social worker is for social workers alone. */
const kindsOfKeys = caseKinds.filter((kind) => kind !== 'social_worker')
const kindOfKeys = z.enum(kindsOfKeys as [(typeof kindsOfKeys)[number], ...typeof kindsOfKeys])

export const casesQuery = z.strictObject({
  status: z.enum(['open', 'closed']).default('open'),
  kind: kindOfKeys.optional(),
  member: z.string().min(1).max(40).optional().describe('Member number'),
  overdue: z.literal('true').optional().describe('Only those whose promised day is over'),
  ...pageQuery,
})

export const closingSchema = z.strictObject({
  outcome: z
    .enum(caseOutcomes)
    .describe('How it ended; what was wrong in the books is corrected by a reversal'),
})

export const openingSchema = z.strictObject({
  kind: kindOfKeys,
  language: z.string().max(20).optional().describe('That she wants to be spoken to in; else her own'),
  entry: z.string().max(200).optional().describe('Reference of the entry that she disputes'),
})

export const takingSchema = z.strictObject({
  staff: z.string().max(40).describe('Phone of the one who works on it from now on'),
})

export const appointmentSchema = z.strictObject({
  at: z.iso
    .datetime({ offset: true })
    .nullable()
    .describe(
      'When she and the adviser meet; null takes it back. She is told by SMS if she agreed to messages about meetings',
    ),
})

const instant = z.string().nullable()

export const caseAnswer = z.object({
  reference: z.string().describe('As the member was told it'),
  kind: kindOfKeys,
  status: z.enum(['open', 'closed']),
  outcome: z.enum([...caseOutcomes, 'erased']).nullable(),
  member: z.string().describe('Member number'),
  owner: z.string().nullable().describe('First name of the one who owns it'),
  language: z.string().nullable().describe('That she asked to be spoken to in'),
  entry: z
    .object({ reference: z.string(), kind: z.string(), bookedDate: z.string() })
    .nullable()
    .describe('What she says is not right; null when it is her account as a whole'),
  openedAt: z.string(),
  promisedDate: z.string().nullable().describe('The day by which she was told that she will hear'),
  overdue: z.boolean(),
  takenAt: instant.describe('Since when somebody works on it'),
  appointmentAt: instant,
  passedOnAt: instant.describe('When it got another owner because the promised day was over'),
  closedAt: instant,
})

export const casesAnswer = z.object({ cases: z.array(caseAnswer), next: nextAnswer })

export const unmatchedCodesQuery = z.strictObject(pageQuery)

export const unmatchedCodesAnswer = z.object({
  unmatchedCodes: z.array(
    z.object({
      at: z.string(),
      phone: z.string().describe('Mark of the phone: the same one shows the same mark'),
      code: z.string().describe('Mark of what was typed: the same code shows the same mark'),
      wellFormed: z
        .boolean()
        .describe('False when the check digit was wrong: most likely a slip of the finger'),
    }),
  ),
  next: nextAnswer,
})

type CaseAnswer = z.infer<typeof caseAnswer>

/** One list for each status: a cursor of the open ones is none of the closed ones. */
const orderOf = (status: string): ListOrder => ({
  name: `cases/${status}`,
  columns: [['c.reference', 'text']],
})

export async function listCases(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  query: z.infer<typeof casesQuery>,
): Promise<Answer<z.infer<typeof casesAnswer>>> {
  const { status, kind, member, overdue, limit, cursor } = query
  const order = orderOf(status)
  const memberId = member === undefined ? undefined : await findMemberId(tx, caller, member)
  if (member !== undefined && memberId === undefined) return { status: 200, body: { cases: [], next: null } }
  const cases = await casesOf(tx, {
    programmeId: caller.programmeId,
    role: 'api',
    status,
    kind,
    memberId,
    overdue: overdue === 'true',
    limit: limit + 1,
    before: cursor === undefined ? undefined : placeOf(order, cursor)[0],
    now: clock.now(),
  })
  const { rows, next } = cutPage(order, cases, { limit, cursor }, ({ reference }) => [reference])
  return { status: 200, body: { cases: rows.map(bodyOf), next } }
}

/** One that is open already is 200: nothing is opened twice. */
export async function openCaseOf(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  number: string,
  { kind, language, entry }: z.infer<typeof openingSchema>,
): Promise<Answer<CaseAnswer>> {
  const { programmeId } = caller
  const memberId = await findMemberId(tx, caller, number)
  if (memberId === undefined)
    throw new RequestError('route.unknown', { field: 'number', detail: 'no member has this number' })
  if (entry !== undefined && kind !== 'dispute')
    throw new RequestError('request.field_invalid', { field: 'entry', detail: 'goes with a dispute' })
  const entryId = entry === undefined ? undefined : await entryOf(tx, { programmeId, memberId, entry })
  if (language !== undefined) await refuseUnspoken(tx, programmeId, language)
  const now = clock.now()
  const by = actorOf(caller)
  const ask = { programmeId, memberId, kind, language, entryId, hopKey: `api/${randomUUID()}`, by, now }
  const { reference, openedNow } = await openCase(tx, ask)
  const state = await caseByReference(tx, { programmeId, role: 'api', now }, reference)
  if (state === undefined) throw new InvariantError('a case was not written')
  return { status: openedNow ? 201 : 200, body: bodyOf(state) }
}

async function entryOf(
  tx: Queryable,
  { programmeId, memberId, entry }: { programmeId: string; memberId: string; entry: string },
): Promise<string> {
  const { rows } = await tx.query<{ id: string }>(
    `select e.id from entries e
      where e.programme_id = $1 and e.reference = $2 and exists (
        select 1 from postings p join accounts a on a.id = p.account_id left join loans l on l.account_id = a.id
         where p.entry_id = e.id and coalesce(l.member_id, a.member_id) = $3)`,
    [programmeId, entry, memberId],
  )
  const found = rows[0]
  if (found === undefined)
    throw new RequestError('request.field_invalid', {
      field: 'entry',
      detail: 'names no entry on her accounts',
    })
  return found.id
}

async function refuseUnspoken(tx: Queryable, programmeId: string, language: string): Promise<void> {
  const { rowCount } = await tx.query('select 1 from programmes where id = $1 and $2 = any(languages)', [
    programmeId,
    language,
  ])
  if (rowCount !== 1)
    throw new RequestError('request.field_invalid', {
      field: 'language',
      detail: 'is none of the languages of the programme',
    })
}

const actOf = (clock: Clock, caller: ApiCaller, reference: string) => ({
  programmeId: caller.programmeId,
  role: 'api' as const,
  reference,
  by: actorOf(caller),
  now: clock.now(),
})

function known<Done>(done: Done | undefined): Done {
  if (done === undefined)
    throw new RequestError('route.unknown', { field: 'reference', detail: 'no case has this reference' })
  return done
}

/** Of two who take a case one has it; the other is told. */
export async function takeCaseOf(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  reference: string,
  { staff }: z.infer<typeof takingSchema>,
): Promise<Answer<CaseAnswer>> {
  const act = actOf(clock, caller, reference)
  known(await caseByReference(tx, act, reference))
  const staffId = await staffOf(tx, caller, staff)
  const taken = known(await takeCase(tx, { ...act, staffId }))
  if (taken.case.status === 'closed') throw new RequestError('case.over', { field: 'reference' })
  if (taken.case.ownerId !== staffId) throw new RequestError('case.taken', { field: 'staff' })
  return { status: taken.takenNow ? 201 : 200, body: bodyOf(taken.case) }
}

async function staffOf(tx: Queryable, { programmeId }: ApiCaller, written: string): Promise<string> {
  const { rows } = await tx.query<{ country: string }>('select country from programmes where id = $1', [
    programmeId,
  ])
  const msisdn = parseMsisdn(written, rows[0]?.country ?? '')
  const person = await tx.query<{ id: string }>(
    `select id from staff where programme_id = $1 and msisdn = $2 and active and role <> 'auditor'`,
    [programmeId, msisdn ?? ''],
  )
  const id = person.rows[0]?.id
  if (id === undefined)
    throw new RequestError('request.field_invalid', {
      field: 'staff',
      detail: 'is no phone of somebody who works with members',
    })
  return id
}

export async function appointmentOf(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  reference: string,
  { at }: z.infer<typeof appointmentSchema>,
): Promise<Answer<CaseAnswer>> {
  const act = actOf(clock, caller, reference)
  const moment = at === null ? null : new Date(at)
  if (moment !== null && moment <= act.now)
    throw new RequestError('request.field_invalid', { field: 'at', detail: 'must lie ahead' })
  const appointed = known(await appointCase(tx, { ...act, at: moment }))
  if (appointed.case.kind !== 'adviser') throw new RequestError('case.no_appointment', { field: 'reference' })
  if (appointed.case.status === 'closed') throw new RequestError('case.over', { field: 'reference' })
  return { status: appointed.changed ? 201 : 200, body: bodyOf(appointed.case) }
}

export async function caseOf(
  tx: Queryable,
  clock: Clock,
  { programmeId }: ApiCaller,
  reference: string,
): Promise<Answer<z.infer<typeof caseAnswer>>> {
  const found = await caseByReference(tx, { programmeId, role: 'api', now: clock.now() }, reference)
  if (found === undefined)
    throw new RequestError('route.unknown', { field: 'reference', detail: 'no case has this reference' })
  return { status: 200, body: bodyOf(found) }
}

/** Closing with the outcome that it has is 200 again; with another one 409. */
export async function closeCaseOf(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  reference: string,
  { outcome }: z.infer<typeof closingSchema>,
): Promise<Answer<CaseAnswer>> {
  const closed = known(await closeCase(tx, { ...actOf(clock, caller, reference), outcome }))
  if (closed.case.outcome !== outcome) throw new RequestError('case.closed', { field: 'outcome' })
  return { status: closed.closedNow ? 201 : 200, body: bodyOf(closed.case) }
}

function bodyOf(state: CaseState): CaseAnswer {
  const { reference, kind, status, outcome, member, owner, language, entry, promisedDate, overdue } = state
  if (kind === 'social_worker') throw new InvariantError('a case that no key may see')
  const at = (moment: Date | null) => moment?.toISOString() ?? null
  return {
    reference,
    kind,
    status,
    outcome,
    member,
    owner,
    language,
    entry,
    openedAt: state.openedAt.toISOString(),
    promisedDate,
    overdue,
    takenAt: at(state.takenAt),
    appointmentAt: at(state.appointmentAt),
    passedOnAt: at(state.escalatedAt),
    closedAt: at(state.closedAt),
  }
}

/** Codes that somebody dialled and that are on no receipt, newest first. */
export async function unmatchedCodes(
  tx: Queryable,
  caller: ApiCaller,
  page: Page,
): Promise<Answer<z.infer<typeof unmatchedCodesAnswer>>> {
  const { rows, next } = await readPage<{ at: Date; phone: string; code: string; wellFormed: boolean }>(
    tx,
    { name: 'unmatched-codes', columns: [['id', 'bigint']], newestFirst: true },
    {
      select: 'occurred_at as at, phone_mark as phone, code_mark as code, well_formed as "wellFormed"',
      from: 'from unmatched_codes where programme_id = $1',
      values: [caller.programmeId],
      page,
    },
  )
  return {
    status: 200,
    body: { unmatchedCodes: rows.map(({ at, ...row }) => ({ at: at.toISOString(), ...row })), next },
  }
}
