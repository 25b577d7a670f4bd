// In: what a member chose. Out: it is kept.
import type { Queryable } from '../db.ts'

export type MemberStatus = 'active' | 'suspended' | 'left'
export type MemberRole = 'member' | 'president' | 'treasurer' | 'educator'

/** Her choice becomes the phone's too: it speaks while we do not know who holds it. */
export async function chooseLanguage(
  tx: Queryable,
  phoneId: string,
  memberId: string | undefined,
  language: string,
): Promise<void> {
  await tx.query(
    `with phone as (update phones set language = $3 where id = $1)
     update members set language = $3 where id = $2`,
    [phoneId, memberId ?? null, language],
  )
}
