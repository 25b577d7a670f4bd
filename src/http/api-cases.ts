// In: what the back office asks about cases and about codes that are on no receipt. Out: 200 with states; a case closed with an outcome.
// Must never answer before the commit, nor show a number or what was typed.
import { z } from 'zod'
import { type CaseState, caseKinds, caseOutcomes, casesOf, closeCase } from '../cases/cases.ts'
import type { Clock } from '../clock.ts'
import type { Queryable } from '../db.ts'
import { RequestError } from '../errors.ts'
import type { Answer } from './api-schemas.ts'
import { type ApiCaller, actorOf } from './keys.ts'
import { cutPage, type ListOrder, nextAnswer, type Page, pageQuery, placeOf, readPage } from './paging.ts'

export const closingSchema = z.strictObject({
  outcome: z
    .enum(caseOutcomes)
    .describe('How it ended; what was wrong in the books is corrected by a reversal'),
})

export const caseAnswer = z.object({
  reference: z.string().describe('As the member was told it'),
  kind: z.enum(caseKinds),
  status: z.enum(['open', 'closed']),
  outcome: z.enum([...caseOutcomes, 'erased']).nullable(),
  member: z.string().describe('Member number'),
  owner: z.string().nullable().describe('First name of the facilitator who owns it'),
  entry: z
    .object({ reference: z.string(), kind: z.string(), bookedDate: z.string() })
    .nullable()
    .describe('What she says is not right; null when it is her account as a whole'),
  openedAt: z.string(),
  promisedDate: z.string().nullable().describe('The day by which she was told that she will hear'),
  closedAt: z.string().nullable(),
})

export const casesQuery = z.strictObject({
  status: z.enum(['open', 'closed']).default('open'),
  ...pageQuery,
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

const order: ListOrder = { name: 'cases', columns: [['reference', 'text']] }

/** Open ones: the first promised first; closed ones: the newest first. */
export async function listCases(
  tx: Queryable,
  clock: Clock,
  { programmeId }: ApiCaller,
  { status, ...page }: z.infer<typeof casesQuery>,
): Promise<Answer<z.infer<typeof casesAnswer>>> {
  const [before] = page.cursor === undefined ? [] : placeOf(order, page.cursor)
  const asked = { programmeId, role: 'api', status, before, limit: page.limit + 1, now: clock.now() } as const
  const { rows, next } = cutPage(order, await casesOf(tx, asked), page, ({ reference }) => [reference])
  return { status: 200, body: { cases: rows.map(bodyOf), next } }
}

/** Closing with the outcome that it has is 200 again; with another one 409. */
export async function closeCaseOf(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  reference: string,
  { outcome }: z.infer<typeof closingSchema>,
): Promise<Answer<z.infer<typeof caseAnswer>>> {
  const { programmeId } = caller
  const act = { programmeId, role: 'api', reference, by: actorOf(caller), now: clock.now() } as const
  const closed = await closeCase(tx, { ...act, outcome })
  if (closed === undefined)
    throw new RequestError('route.unknown', { field: 'reference', detail: 'no case has this reference' })
  if (closed.case.outcome !== outcome) throw new RequestError('case.closed', { field: 'outcome' })
  return { status: closed.closedNow ? 201 : 200, body: bodyOf(closed.case) }
}

const bodyOf = ({ reference, kind, status, outcome, member, owner, entry, ...state }: CaseState) => ({
  reference,
  kind,
  status,
  outcome,
  member,
  owner,
  entry,
  openedAt: state.openedAt.toISOString(),
  promisedDate: state.promisedDate,
  closedAt: state.closedAt?.toISOString() ?? null,
})

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
