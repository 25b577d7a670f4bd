// In: a notice that was written by SMS, and later four digits from the same number. Out: a code to answer with, and what came of the answer.
// The sender of an SMS can be forged, the answer cannot be read by who forged it: nothing leaves without the code. Single use, half an hour.
import { randomInt } from 'node:crypto'
import type { Queryable } from '../db.ts'

const validMs = 30 * 60_000
const triesMax = 5

/** A code for this draft; a former draft of the same author waits no more. */
export async function askConfirmation(tx: Queryable, noticeId: string, staffId: string): Promise<string> {
  const code = String(randomInt(10_000)).padStart(4, '0')
  await tx.query(
    `update notices set confirm_code = case when id = $1 then $3 end
      where author_staff_id = $2 and channel = 'sms' and status = 'draft' and (id = $1 or confirm_code is not null)`,
    [noticeId, staffId, code],
  )
  return code
}

export type Confirmed = { noticeId: string } | { triesLeft: number } | 'void'

/** The draft that the code belongs to, once; "void" when none waits, or not any more. */
export async function confirm(tx: Queryable, staffId: string, code: string, now: Date): Promise<Confirmed> {
  const { rows } = await tx.query<{ id: string; right: boolean; tries: number }>(
    `select id, confirm_code = $2 as right, confirm_tries as tries from notices
      where author_staff_id = $1 and channel = 'sms' and status = 'draft' and confirm_code is not null and created_at > $3
      order by id desc limit 1 for update`,
    [staffId, code, new Date(now.getTime() - validMs)],
  )
  const [waiting] = rows
  if (waiting === undefined) return 'void'
  const tries = waiting.tries + 1
  const isOver = waiting.right || tries >= triesMax
  await tx.query(
    `update notices set confirm_tries = $2, confirm_code = case when $3 then null else confirm_code end where id = $1`,
    [waiting.id, tries, isOver],
  )
  if (waiting.right) return { noticeId: waiting.id }
  return isOver ? 'void' : { triesLeft: triesMax - tries }
}
