// In: a programme and phone numbers. Out: which of them are its staff's.
import type { Queryable } from '../db.ts'

/** E.164 number to id, for those that belong to active staff of the programme. */
export async function findStaff(
  tx: Queryable,
  programmeId: string,
  msisdns: readonly string[],
): Promise<Map<string, string>> {
  if (msisdns.length === 0) return new Map()
  const { rows } = await tx.query<{ id: string; msisdn: string }>(
    'select id, msisdn from staff where programme_id = $1 and active and msisdn = any($2)',
    [programmeId, msisdns],
  )
  return new Map(rows.map(({ id, msisdn }) => [msisdn, id]))
}
