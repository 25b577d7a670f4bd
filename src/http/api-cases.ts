// In: what the back office asks about cases and about codes that are on no receipt. Out: 200 with states; a case closed with an outcome.
// Must never answer before the commit, nor show a number or what was typed.
import type { z } from 'zod'
import { recordAudit } from '../audit.ts'
import type { Clock } from '../clock.ts'
import type { Queryable } from '../db.ts'
import { RequestError } from '../errors.ts'
import { type CaseState, closeCase, readOpenCases } from '../members/cases.ts'
import type { Answer, caseAnswer, casesAnswer, closingSchema, unmatchedCodesAnswer } from './api-schemas.ts'
import type { ApiCaller } from './keys.ts'

const casesMax = 200
const unmatchedMax = 100

export async function openCases(
  tx: Queryable,
  caller: ApiCaller,
): Promise<Answer<z.infer<typeof casesAnswer>>> {
  const cases = await readOpenCases(tx, caller.programmeId, casesMax)
  return { status: 200, body: { cases: cases.map(bodyOf) } }
}

/** Closing with the outcome that it has is 200 again; with another one 409. */
export async function closeCaseOf(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  reference: string,
  { outcome }: z.infer<typeof closingSchema>,
): Promise<Answer<z.infer<typeof caseAnswer>>> {
  const { programmeId, keyName } = caller
  const now = clock.now()
  const closed = await closeCase(tx, programmeId, reference, outcome, now)
  if (closed === undefined)
    throw new RequestError('route.unknown', { field: 'reference', detail: 'no case has this reference' })
  if (closed.case.outcome !== outcome) throw new RequestError('case.closed', { field: 'outcome' })
  if (closed.closedNow)
    await recordAudit(tx, {
      at: now,
      programmeId,
      actor: `api:${keyName}`,
      action: 'case.close',
      subject: `case:${reference}`,
      before: { status: 'open' },
      after: { status: 'closed', outcome },
    })
  return { status: closed.closedNow ? 201 : 200, body: bodyOf(closed.case) }
}

const bodyOf = (state: CaseState) => ({
  ...state,
  openedAt: state.openedAt.toISOString(),
  closedAt: state.closedAt?.toISOString() ?? null,
})

/** The newest codes that somebody dialled and that are on no receipt. */
export async function unmatchedCodes(
  tx: Queryable,
  caller: ApiCaller,
): Promise<Answer<z.infer<typeof unmatchedCodesAnswer>>> {
  const { rows } = await tx.query<{ at: Date; phone: string; code: string; wellFormed: boolean }>(
    `select occurred_at as at, phone_mark as phone, code_mark as code, well_formed as "wellFormed"
       from unmatched_codes where programme_id = $1 order by id desc limit $2`,
    [caller.programmeId, unmatchedMax],
  )
  return {
    status: 200,
    body: { unmatchedCodes: rows.map(({ at, ...row }) => ({ at: at.toISOString(), ...row })) },
  }
}
