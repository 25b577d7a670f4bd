// In: messages that are about to leave. Out: those of them that may, each with its segments, the network's tail on a first one included.
// Must never let two messages leave at once to a phone that has had none: which of them is first could not be said.
import type { Queryable } from '../db.ts'

interface Greeting {
  messageId: string
  phoneId: string
  segments: number
  greetingSegments?: number
}

/** Only messages with `greetingSegments` are asked about; a message that waits is to be tried again in seconds. */
export async function claimGreetings<One extends Greeting>(
  db: Queryable,
  messages: readonly One[],
): Promise<{ greeted: One[]; waiting: One[] }> {
  const asked = messages.filter(({ greetingSegments }) => greetingSegments !== undefined)
  if (asked.length === 0) return { greeted: [...messages], waiting: [] }
  const { rows } = await db.query<{ id: string; outcome: 'greets' | 'greeted' | 'waits' }>(
    'select message_id as id, outcome from claim_greetings($1::uuid[], $2::uuid[])',
    [asked.map(({ messageId }) => messageId), asked.map(({ phoneId }) => phoneId)],
  )
  const outcomes = new Map(rows.map(({ id, outcome }) => [id, outcome]))
  const greeted: One[] = []
  const waiting: One[] = []
  for (const message of messages) {
    const outcome = outcomes.get(message.messageId)
    if (outcome === 'waits') waiting.push(message)
    else if (outcome === 'greets')
      greeted.push({ ...message, segments: message.greetingSegments ?? message.segments })
    else greeted.push(message)
  }
  return { greeted, waiting }
}

/** For a programme that gets its tail now: phones that have had a message before will see none. */
export async function noteEarlierGreetings(db: Queryable, programmeId: string): Promise<void> {
  await db.query(
    `update phones p set greeted_by = first.id
       from (select distinct on (phone_id) phone_id, id from messages
              where programme_id = $1 and phone_id is not null and submitted_at is not null order by phone_id, submitted_at) first
      where p.id = first.phone_id and p.greeted_by is null`,
    [programmeId],
  )
}

/** For a programme whose sender ID changes: to the network every phone is new. */
export async function forgetGreetings(db: Queryable, programmeId: string): Promise<void> {
  await db.query('update phones set greeted_by = null where programme_id = $1 and greeted_by is not null', [
    programmeId,
  ])
}
