// In: a member's word that she comes to a meeting or not. Out: the word kept, the newest in the place of the one before.
// Must never take a word about a meeting that has begun, is off, or is not of her group.
import type { Queryable } from '../db.ts'

export interface MeetingWord {
  memberId: string
  coming: boolean
  channel: 'ussd' | 'sms'
  now: Date
  /** Left out: the next meeting of her group. */
  meetingId?: string | undefined
}

/** The meeting that it is about; undefined when there is none. */
export async function announceAttendance(
  tx: Queryable,
  { memberId, coming, channel, now, meetingId }: MeetingWord,
): Promise<string | undefined> {
  const { rows } = await tx.query<{ id: string }>(
    `insert into meeting_answers (meeting_id, member_id, coming, channel, answered_at)
     select t.id, m.id, $3, $5, $4 from meetings t join members m on m.group_id = t.group_id
      where m.id = $2 and t.status = 'planned' and t.starts_at > $4 and ($1::uuid is null or t.id = $1)
      order by t.starts_at, t.id limit 1
     on conflict (meeting_id, member_id) do update
       set coming = excluded.coming, channel = excluded.channel, answered_at = excluded.answered_at, tx_id = excluded.tx_id
     returning meeting_id as id`,
    [meetingId ?? null, memberId, coming, now, channel],
  )
  return rows[0]?.id
}
