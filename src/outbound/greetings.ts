// In: messages that are about to leave. Out: those of them that may, each with its segments, the network's tail on a first one included.
// Must never let two messages leave at once to a phone that has had none: which of them is first could not be said.
import type { Queryable } from '../db.ts'
import type { Entry } from './calls.ts'

/** Of what is about to leave, all that a greeting is about. */
type Greeting = Pick<Entry, 'messageId' | 'phoneId' | 'segments' | 'greetingSegments'>

/** Only messages with `greetingSegments` are asked about; a message that waits is to be tried again in seconds. */
export async function claimGreetings<One extends Greeting>(
  db: Queryable,
  messages: readonly One[],
  now: Date,
): Promise<{ greeted: One[]; waiting: One[] }> {
  const asked = messages.filter(({ greetingSegments }) => greetingSegments !== undefined)
  if (asked.length === 0) return { greeted: [...messages], waiting: [] }
  const { rows } = await db.query<{ id: string; outcome: 'greets' | 'greeted' | 'waits' }>(
    'select message_id as id, outcome from claim_greetings($1::uuid[], $2::uuid[], $3)',
    [asked.map(({ messageId }) => messageId), asked.map(({ phoneId }) => phoneId), now],
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

// In the order in which senders lock them: neither waits for the other in a circle.
const phonesOf = (condition: string) =>
  `(select p.id from phones p where p.programme_id = $1 and ${condition} order by p.id for no key update)`

/** For a programme that gets its tail now: phones that have had a message before will see none. */
export async function noteEarlierGreetings(db: Queryable, programmeId: string, now: Date): Promise<void> {
  const hadOne = 'exists (select 1 from messages m where m.phone_id = p.id and may_have_left(m))'
  await db.query(
    `update phones set greeted_at = $2, greeted_by = null where id in ${phonesOf(`p.greeted_at is null and ${hadOne}`)}`,
    [programmeId, now],
  )
}

/** For a programme whose sender ID changes: to the network every phone is new. */
export async function forgetGreetings(db: Queryable, programmeId: string): Promise<void> {
  const hadAny = '(p.greeted_at is not null or p.greeted_by is not null)'
  await db.query(`update phones set greeted_at = null, greeted_by = null where id in ${phonesOf(hadAny)}`, [
    programmeId,
  ])
}
