// In: what a member asks of the back office: all that is held on her, or to be forgotten. Out: the document, or how many rows went.
import type { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Queryable } from '../db.ts'
import { RequestError } from '../errors.ts'
import { eraseMember, type ForgetDialogues } from '../privacy/erasure.ts'
import { exportMember, type MemberExport } from '../privacy/export.ts'
import { findMemberId } from './api-reads.ts'
import type { Answer, erasureAnswer, erasureSchema } from './api-schemas.ts'
import { type ApiCaller, actorOf } from './keys.ts'

export async function exportOf(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  number: string,
): Promise<Answer<MemberExport>> {
  return { status: 200, body: await exportMember(tx, await askedOf(tx, clock, caller, number)) }
}

export async function erase(
  deps: { tx: Queryable; clock: Clock; forgetDialogues: ForgetDialogues },
  caller: ApiCaller,
  number: string,
  { dryRun }: z.infer<typeof erasureSchema>,
): Promise<Answer<z.infer<typeof erasureAnswer>>> {
  const asked = await askedOf(deps.tx, deps.clock, caller, number)
  const rows = await eraseMember(deps, asked, { dryRun })
  const isAny = Object.values(rows).some((count) => count > 0)
  return { status: isAny && !dryRun ? 201 : 200, body: { member: number, dryRun, rows } }
}

async function askedOf(tx: Queryable, clock: Clock, caller: ApiCaller, number: string) {
  const memberId = await findMemberId(tx, caller, number)
  if (memberId === undefined)
    throw new RequestError('route.unknown', { field: 'number', detail: 'no member has this number' })
  const { programmeId } = caller
  return { programmeId, memberId, actor: actorOf(caller), now: clock.now() }
}
