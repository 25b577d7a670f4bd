// In: a phone on which a first PIN is about to be set, and later the network's word about its SIM. Out: whether to go on; a doubt.
// Asked only there: a first PIN opens an account to whoever holds the phone, everything else needs the PIN. Must never guess "clean".
import type { Queryable } from '../db.ts'
import { type Doubted, doubtNumber } from './reverify.ts'

/** How long a clean answer counts. */
const cleanHours = 24
/** An answer that has not come by then is not waited for (a question that was never asked: after an hour). Sooner nothing is asked
    again, because each question costs money. */
const patienceMinutes = 15

/** True when the network said so lately; otherwise the question is written down, once, and the worker asks it. */
export async function isSimClean(tx: Queryable, phoneId: string, now: Date): Promise<boolean> {
  const { rows } = await tx.query<{ clean: boolean }>(
    `with known as (
       select coalesce(bool_or(outcome = 'clean' and answered_at > $2::timestamptz - make_interval(hours => $3)), false) as clean,
              coalesce(bool_or(coalesce(answered_at, asked_at, wanted_at + interval '45 minutes') > $2::timestamptz - make_interval(mins => $4)), false) as lately
         from sim_checks where phone_id = $1 and wanted_at > $2::timestamptz - make_interval(hours => $3)
     ), wanted as (
       insert into sim_checks (phone_id, wanted_at) select $1, $2 from known where not clean and not lately
     )
     select clean from known`,
    [phoneId, now, cleanHours, patienceMinutes],
  )
  return rows[0]?.clean === true
}

/** What the network says of one question. */
export interface SimAnswer {
  requestId: string
  /** "Swapped" or "NotSwapped"; another word is kept as unreadable, and counts as no answer. */
  status: string
  /** "24-11-2026"; "01-01-1900" means never. */
  lastSimSwapDate?: string | undefined
}

/**
 * Undefined when no question has this name (yet), or none about a phone of `programmeId` when that is given. The same answer again
 * changes nothing.
 */
export async function recordSimAnswer(
  tx: Queryable,
  answer: SimAnswer,
  now: Date,
  programmeId?: string,
): Promise<Doubted[] | undefined> {
  const swappedAt = swapOf(answer)
  const outcome =
    answer.status === 'Swapped' ? 'swapped' : answer.status === 'NotSwapped' ? 'clean' : 'unreadable'
  const { rows } = await tx.query<{ phoneId: string; isFirst: boolean }>(
    `update sim_checks set answered_at = coalesce(answered_at, $2), outcome = coalesce(outcome, $3)
      where request_id = $1 and ($4::uuid is null or phone_id in (select id from phones where programme_id = $4))
     returning phone_id as "phoneId", old.answered_at is null as "isFirst"`,
    [answer.requestId, now, outcome, programmeId ?? null],
  )
  const check = rows[0]
  if (check === undefined) return undefined
  if (!check.isFirst || outcome !== 'swapped') return []
  const { phoneId } = check
  const doubted = await doubtNumber(tx, {
    phoneId,
    evidenceAt: swappedAt ?? now,
    reason: 'sim_swap',
    actor: 'system:sim_swap',
    now,
  })
  // A swap from before she was bound to the phone says nothing against it.
  if (doubted.length === 0)
    await tx.query(`update sim_checks set outcome = 'clean' where request_id = $1`, [answer.requestId])
  return doubted
}

/**
 * The day's first instant: who lost her SIM in the morning and was bound in the afternoon must not be in doubt again for ever.
 * Undefined when no day is told: then it counts as now.
 */
function swapOf({ lastSimSwapDate }: SimAnswer): Date | undefined {
  const parts = /^(\d{2})-(\d{2})-(\d{4})$/.exec(lastSimSwapDate ?? '')
  if (parts === null) return undefined
  const [, day, month, year] = parts
  const at = new Date(`${year}-${month}-${day}T00:00:00Z`)
  return Number.isNaN(at.getTime()) ? undefined : at
}
