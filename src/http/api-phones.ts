// In: what staff see and say about a member's phones and PIN. Out: their states, numbers masked. What it means is in members/reverify.ts,
// rebind.ts and pin-reset.ts.
import type { z } from 'zod'
import { resetPinAndClose } from '../cases/pin-reset.ts'
import type { Clock } from '../clock.ts'
import type { Queryable } from '../db.ts'
import { RequestError } from '../errors.ts'
import { confirmPhone } from '../members/rebind.ts'
import { doubtMember } from '../members/reverify.ts'
import { maskMsisdn, parseMsisdn } from '../msisdn.ts'
import { findMemberId } from './api-reads.ts'
import type {
  Answer,
  confirmationAnswer,
  confirmationSchema,
  phonesAnswer,
  pinResetAnswer,
  pinResetSchema,
} from './api-schemas.ts'
import { type ApiCaller, actorOf } from './keys.ts'

type Phones = z.infer<typeof phonesAnswer>

export async function phonesOf(tx: Queryable, caller: ApiCaller, number: string): Promise<Answer<Phones>> {
  await memberIdOf(tx, caller, number)
  return { status: 200, body: await readPhones(tx, caller, number) }
}

/** A number changes hands for everybody who shares it, so others may be in doubt afterwards too. */
export async function reportPhones(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  number: string,
): Promise<Answer<Phones>> {
  const memberId = await memberIdOf(tx, caller, number)
  const doubted = await doubtMember(tx, { memberId, actor: actorOf(caller), now: clock.now() })
  return { status: doubted.length > 0 ? 201 : 200, body: await readPhones(tx, caller, number) }
}

export async function confirm(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  number: string,
  input: z.infer<typeof confirmationSchema>,
): Promise<Answer<z.infer<typeof confirmationAnswer>>> {
  const memberId = await memberIdOf(tx, caller, number)
  const msisdnOf = await numbersOf(tx, caller)
  const { by } = input
  const msisdn = msisdnOf(input.phone, 'phone')
  const { state, until } = await confirmPhone(tx, {
    programmeId: caller.programmeId,
    memberId,
    msisdn,
    by: 'staff' in by ? { staff: msisdnOf(by.staff, 'by.staff') } : by,
    actor: actorOf(caller),
    now: clock.now(),
  })
  return { status: 201, body: { member: number, state, until: until?.toISOString() ?? null } }
}

/** Each reset is an act of its own: only the same Idempotency-Key makes two requests one. */
export async function resetPin(
  tx: Queryable,
  clock: Clock,
  caller: ApiCaller,
  number: string,
  { confirmedBy }: z.infer<typeof pinResetSchema>,
): Promise<Answer<z.infer<typeof pinResetAnswer>>> {
  await memberIdOf(tx, caller, number)
  const msisdnOf = await numbersOf(tx, caller)
  await resetPinAndClose(tx, {
    programmeId: caller.programmeId,
    member: number,
    confirmedBy: msisdnOf(confirmedBy, 'confirmedBy'),
    actor: actorOf(caller),
    at: clock.now(),
  })
  return { status: 201, body: { member: number, pin: 'none' } }
}

/** Reads numbers as they are written in the programme's country; throws a RequestError that names the field. */
export async function numbersOf(
  tx: Queryable,
  caller: ApiCaller,
): Promise<(written: string, field: string) => string> {
  const { rows } = await tx.query<{ country: string }>('select country from programmes where id = $1', [
    caller.programmeId,
  ])
  return (written, field) => {
    const msisdn = parseMsisdn(written, rows[0]?.country ?? '')
    if (msisdn === undefined)
      throw new RequestError('request.field_invalid', { field, detail: 'must be a phone number' })
    return msisdn
  }
}

async function memberIdOf(tx: Queryable, caller: ApiCaller, number: string): Promise<string> {
  const id = await findMemberId(tx, caller, number)
  if (id !== undefined) return id
  throw new RequestError('route.unknown', { field: 'number', detail: 'no member has this number' })
}

async function readPhones(tx: Queryable, caller: ApiCaller, number: string): Promise<Phones> {
  const { rows } = await tx.query<{
    msisdn: string
    primary: boolean
    since: Date | null
    reason: string | null
  }>(
    `select p.msisdn, mp.is_primary as primary, mp.reverify_since as since, mp.reverify_reason as reason
       from members m join member_phones mp on mp.member_id = m.id join phones p on p.id = mp.phone_id
      where m.programme_id = $1 and m.number = $2 order by mp.is_primary desc, p.id`,
    [caller.programmeId, number],
  )
  return {
    member: number,
    phones: rows.map(({ msisdn, primary, since, reason }) => ({
      phone: maskMsisdn(msisdn),
      primary,
      state: since === null ? ('bound' as const) : ('reverify' as const),
      since: since?.toISOString() ?? null,
      reason,
    })),
  }
}
