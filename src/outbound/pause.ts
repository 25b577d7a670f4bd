// In: a cause to send nothing, an operator's word to go on. Out: one open pause that every process obeys, and what waits behind it.
// Must never let go of a message that may have been sent before the pause without an operator's word.
import type { Db, Queryable } from '../db.ts'
import { type Moved, moveMessages } from './transitions.ts'

/** Why the outbox rests: another server or copy, rows that are gone, reports of messages that we believe unsent, a person. */
export type PauseCause = 'other_server' | 'lost_rows' | 'reports' | 'operator'

export interface Pause {
  cause: PauseCause
  pausedAt: Date
}

/** In a statement that takes messages out of the outbox: true while nothing may leave. */
export const isPausedSql = `exists (select 1 from outbox_pauses where resumed_at is null)`

export async function readPause(tx: Queryable): Promise<Pause | undefined> {
  const { rows } = await tx.query<Pause>(
    `select cause, paused_at as "pausedAt" from outbox_pauses where resumed_at is null`,
  )
  return rows[0]
}

/** Pauses, unless it is paused already; true when this call did it. Rows on their way to a worker go back to the outbox. */
export async function pauseOutbox(tx: Queryable, at: Date, cause: PauseCause): Promise<boolean> {
  const { rowCount } = await tx.query(
    'insert into outbox_pauses (cause, paused_at) values ($1, $2) on conflict do nothing',
    [cause, at],
  )
  if (rowCount !== 1) return false
  await giveBack(tx, at)
  return true
}

async function giveBack(tx: Queryable, at: Date): Promise<void> {
  const { rows } = await tx.query<{ id: string }>(
    `select id from messages where stage = 0 and status in ('queued', 'claimed')`,
  )
  await moveMessages(
    tx,
    at,
    rows.map(({ id }) => ({ messageId: id, to: 'created', source: 'relay', reason: 'paused' })),
  )
}

// A restored database knows nothing of what was sent between its backup and the pause. What was due by then may have gone; so may
// what is written since only because its fact is still there: reminders planned again, receipts of entries booked by then.
const isDoubtfulSql = `((m.created_at <= p.paused_at and m.not_before <= p.paused_at)
         or (m.created_at > p.paused_at and (m.purpose in ('reminder', 'meeting', 'training')
             or coalesce((select e.created_at <= p.paused_at from entries e where e.id = m.entry_id), false))))`

/** True for a waiting message of the alias `m` that may have gone before the pause that stands. */
export const mayHaveGoneSql = `coalesce((select ${isDoubtfulSql} from outbox_pauses p where p.resumed_at is null), false)`

/** Reason of a message that is not sent because it may have gone before a restore. */
export const mayHaveGone = 'may_have_gone'

const waitingSql = `
  select m.id, m.purpose, m.not_before as "notBefore", ${isDoubtfulSql} as doubtful
    from messages m, outbox_pauses p
   where p.resumed_at is null and m.stage = 0 and m.status = 'created'`

export interface Waiting {
  purpose: string
  /** May have gone before the pause. */
  doubtful: boolean
  count: number
  oldest: Date
  /** The first few. */
  ids: string[]
}

/** What would be sent if the outbox were let go now, by purpose. Empty while there is no pause. */
export async function waitingBehindPause(tx: Queryable): Promise<Waiting[]> {
  const { rows } = await tx.query<Waiting>(
    `select purpose, doubtful, count(*)::int as count, min("notBefore") as oldest, (array_agg(id order by "notBefore"))[1:5] as ids
       from (${waitingSql}) waiting group by purpose, doubtful order by purpose, doubtful`,
  )
  return rows
}

export interface Resumed {
  pause: Pause
  suppressed: Moved[]
}

/** Ends the pause; undefined when there is none. What is surely unsent goes; `doubtful` says what becomes of the rest. */
export async function resumeOutbox(
  db: Db,
  at: Date,
  doubtful: 'send' | 'suppress',
  andThen: (tx: Queryable, resumed: Resumed) => Promise<void>,
): Promise<Resumed | undefined> {
  return db.transaction(async (tx) => {
    const { rows } = await tx.query<Pause>(
      `select cause, paused_at as "pausedAt" from outbox_pauses where resumed_at is null for update`,
    )
    const [pause] = rows
    if (pause === undefined) return undefined
    // What was on its way to the queue when the pause began.
    await giveBack(tx, at)
    const held =
      doubtful === 'send'
        ? []
        : (await tx.query<{ id: string }>(`select id from (${waitingSql}) waiting where doubtful`)).rows
    const suppressed = await moveMessages(
      tx,
      at,
      held.map(({ id }) => ({ messageId: id, to: 'suppressed', source: 'operator', reason: mayHaveGone })),
    )
    await tx.query('update outbox_pauses set resumed_at = $1 where resumed_at is null', [at])
    const resumed = { pause, suppressed }
    await andThen(tx, resumed)
    return resumed
  })
}
