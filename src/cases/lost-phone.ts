// In: a member number and a group, typed on a phone that is nobody's here. Out: a case for her facilitator when the two belong together.
// Must never let the caller see whether they do: whoever asks is answered the same.
import type { CalendarDate } from '../calendar.ts'
import type { Queryable } from '../db.ts'
import { openCase, promisedDateOf } from './cases.ts'

/** Claims of one phone in an hour. */
export const claimsMax = 3

/** Her id, of which the caller sees nothing; undefined for a number that nobody has. */
export async function claimedMember(
  tx: Queryable,
  programmeId: string,
  typed: string,
): Promise<string | undefined> {
  const number = typed.trim()
  if (number.length > 40) return undefined
  const { rows } = await tx.query<{ id: string }>(
    `select id from members where programme_id = $1 and number in ($2, upper($2)) and status <> 'left'`,
    [programmeId, number],
  )
  return rows[0]?.id
}

export interface LostClaim {
  programmeId: string
  /** Whom the number typed before names, if anybody. */
  memberId: string | undefined
  /** Name or code of the group, as typed. */
  group: string
  /** Keyed hash of the caller's number. */
  caller: string
  hopKey: string
  now: Date
}

// A repeated callback counts once. A row at its limit is not raised, and then nothing is done.
const countSql = `
  insert into verification_tries as t (programme_id, caller, hour, tries, misses, last_key)
  values ($1, 'lost/' || $2, date_trunc('hour', $3::timestamptz), 1, 0, $4)
  on conflict (programme_id, caller, hour) do update
    set tries = t.tries + (t.last_key <> excluded.last_key)::int, last_key = excluded.last_key
    where t.last_key = excluded.last_key or t.tries < $5
  returning 1`

/** The day by which her facilitator is to look for her, true or not; undefined when this phone has asked too often. */
export async function claimLostPhone(tx: Queryable, claim: LostClaim): Promise<CalendarDate | undefined> {
  const { programmeId, memberId, caller, hopKey, now } = claim
  const counted = await tx.query(countSql, [programmeId, caller, now, hopKey, claimsMax])
  if (counted.rowCount !== 1) return undefined
  const promised = await promisedDateOf(tx, { programmeId, kind: 'lost_phone', now })
  const { rows } = await tx.query<{ code: string; name: string }>(
    'select g.code, g.name from members m join groups g on g.id = m.group_id where m.id = $1 and m.programme_id = $2',
    [memberId ?? null, programmeId],
  )
  const typed = plain(claim.group)
  if (memberId !== undefined && rows.some(({ code, name }) => [plain(code), plain(name)].includes(typed)))
    await openCase(tx, { programmeId, memberId, kind: 'lost_phone', hopKey, now })
  return promised
}

/** Letters and figures alone, without marks and case: nobody types more on such a keypad. */
function plain(text: string): string {
  return text
    .normalize('NFD')
    .replace(/[^\p{L}\p{N}]/gu, '')
    .toLowerCase()
}
