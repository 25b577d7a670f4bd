// In: messages whose outcome stayed unknown past the time in which a delivery report can be hoped for. Out: each of them ended by its
// purpose: given up, or sent once more as a message of its own. Must never send the same fact a third time, whoever runs and crashes.
import type { Clock } from '../clock.ts'
import type { Db, Queryable } from '../db.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { createWaker } from '../waker.ts'
import { createResends, type Purpose } from './outbox.ts'
import { countMoves, type Moved, moveMessages, type Transition } from './transitions.ts'

/** A reminder that may have gone is better missed than doubled; a receipt that did not go is a payment nobody confirmed. */
const resentPurposes: ReadonlySet<Purpose> = new Set(['receipt', 'code'])

/** Reasons of a message that was given up although the phone may have it. */
export const unknownEnds = ['unknown_expired', 'unknown_resent'] as const

export interface UnknownsOptions {
  db: Db
  clock: Clock
  logger: Logger
  metrics: Metrics
  /** How long a report is waited for [86400000]. */
  windowMs?: number
  /**
   * The same for codes [180000]: she is waiting for it now, and it is worth nothing tomorrow. Longer than a provider call and the
   * relay's own patience take together, and than most networks need for a report.
   */
  codeWindowMs?: number
  /** [30000] */
  everyMs?: number
}

export interface Unknowns {
  start(): void
  stop(): Promise<void>
  /** One round; safe in any number of processes at once. */
  settleOnce(): Promise<{ expired: number; resent: number }>
}

// Locked, so that a report or an operator who comes at the same moment wins or finds the message ended. Rows that somebody
// else is ending are left to him.
const dueSql = `
  select id, purpose, resends_id is not null as "isResend", expires_at is not null and expires_at <= $3 as "isStale",
         purpose = 'code' and text_purged_at is not null as "isForgotten"
    from messages
   where stage = 2 and updated_at <= case when purpose = 'code' then $2::timestamptz else $1::timestamptz end
   order by id limit 500 for update skip locked`

interface Due {
  id: string
  purpose: Purpose
  isResend: boolean
  isStale: boolean
  /** A code to sign in, which stands nowhere any more; another one is asked for. */
  isForgotten: boolean
}

export function createUnknowns(options: UnknownsOptions): Unknowns {
  const { db, clock, logger, metrics } = options
  const windowMs = options.windowMs ?? 86_400_000
  const codeWindowMs = Math.min(windowMs, options.codeWindowMs ?? 180_000)
  const everyMs = options.everyMs ?? 30_000
  const waker = createWaker()
  let running = false
  let loop: Promise<void> = Promise.resolve()

  async function settleOnce(): Promise<{ expired: number; resent: number }> {
    const now = clock.now()
    const before = (ms: number) => new Date(now.getTime() - ms)
    const done = await db.transaction(async (tx) => {
      const { rows } = await tx.query<Due>(dueSql, [before(windowMs), before(codeWindowMs), now])
      const again = rows.filter(
        (row) => resentPurposes.has(row.purpose) && !row.isResend && !row.isStale && !row.isForgotten,
      )
      const ids = new Set(again.map(({ id }) => id))
      const moved = await moveMessages(
        tx,
        now,
        rows.map(({ id }) => ({
          messageId: id,
          to: 'failed',
          source: 'relay',
          reason: ids.has(id) ? 'unknown_resent' : 'unknown_expired',
        })),
      )
      const ended = new Set(moved.map(({ id }) => id))
      const resent = await createResends(
        tx,
        [...ids].filter((id) => ended.has(id)),
        now,
      )
      return { moved, resent }
    })
    countMoves(metrics, done.moved)
    const result = { expired: done.moved.length - done.resent, resent: done.resent }
    if (done.moved.length > 0) logger.warn({ event: 'unknown.ended', ...result })
    return result
  }

  async function settleLoop(): Promise<void> {
    while (running) {
      waker.begin()
      try {
        await settleOnce()
      } catch (error) {
        logger.warn({ event: 'unknown.failed', code: errorCode(error) })
      }
      await waker.rest(everyMs)
    }
  }

  return {
    settleOnce,
    start() {
      running = true
      loop = settleLoop()
    },
    async stop() {
      running = false
      waker.stop()
      await loop
    },
  }
}

export const settlements = ['delivered', 'failed', 'resend'] as const
export type Settlement = (typeof settlements)[number]

/** What became of an operator's word: done, or why not. */
export type SettleOutcome = 'settled' | 'not_unknown' | 'already_resent'

/**
 * Ends one unknown message as an operator says. A resend is a new message, and there is one at most, whether a person or the
 * policy asked for it. `reason` stands in the message's history: stable words, nothing about a member.
 */
export async function settleByHand(
  tx: Queryable,
  now: Date,
  { messageId, as, reason }: { messageId: string; as: Settlement; reason: string },
): Promise<{ outcome: SettleOutcome; moved: Moved[] }> {
  const { rows } = await tx.query<{ isLast: boolean }>(
    `select resends_id is not null or (purpose = 'code' and text_purged_at is not null) as "isLast" from messages
      where id = $1 and stage = 2 for update`,
    [messageId],
  )
  const [row] = rows
  if (row === undefined) return { outcome: 'not_unknown', moved: [] }
  if (as === 'resend' && row.isLast) return { outcome: 'already_resent', moved: [] }
  const move: Transition = {
    messageId,
    to: as === 'delivered' ? 'delivered' : 'failed',
    source: 'operator',
    reason: as === 'resend' ? 'unknown_resent' : `by hand: ${reason}`,
  }
  const moved = await moveMessages(tx, now, [move])
  if (as === 'resend') await createResends(tx, [messageId], now)
  return { outcome: moved.length > 0 ? 'settled' : 'not_unknown', moved }
}
