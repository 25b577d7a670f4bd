// In: a timer in every process. Out: alarms when no job goes through the queue, when due messages wait too long, when nothing may leave, when
// a programme sees too many wrong PINs or has spent its day's budget, and when that is over.
// Runs in each role, because a worker that is frozen cannot say so itself. Only reads.
import type { AlarmCode, Alarms } from '../alarms.ts'
import type { Clock } from '../clock.ts'
import type { Db } from '../db.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { readGuessing } from '../members/pin.ts'
import { createWaker } from '../waker.ts'
import { readSpent } from './budget.ts'
import { readCanary } from './canary.ts'
import { readPause } from './pause.ts'
import { type Lane, lanes } from './status.ts'

/** What the watch of a queue that beats every `canaryEveryMs` holds to; everything scales with the beat. */
export interface WatchTimes {
  canaryEveryMs: number
  /** Two beats missed, and the third is due. */
  canaryLateMs: number
  watchEveryMs: number
  /** A question that gets no answer in this time is given up and asked again. */
  askMaxMs: number
}

export function watchTimes(canaryEveryMs: number): WatchTimes {
  return {
    canaryEveryMs,
    canaryLateMs: canaryEveryMs * 3,
    watchEveryMs: canaryEveryMs / 4,
    askMaxMs: 5_000,
  }
}

/** The longest that a stand-still can stay unnoticed: it began just after a beat, just after a look, and the next look is slow. */
export function noticedWithinMs({ canaryLateMs, watchEveryMs, askMaxMs }: WatchTimes): number {
  return canaryLateMs + watchEveryMs + 2 * askMaxMs
}

/**
 * How long a due message may wait while lanes move. Answers and receipts are late as soon as the canary is; a notice to ten
 * thousand or the reminders of a morning may take their time, and a queue that stands still is told by the canary.
 */
const waitMaxMs = (times: WatchTimes): Record<Lane, number> => ({
  urgent: times.canaryLateMs,
  planned: 900_000,
  bulk: 3_600_000,
})

export interface WatchOptions {
  db: Db
  clock: Clock
  logger: Logger
  alarms: Alarms
  times: WatchTimes
}

export interface Watch {
  start(): void
  stop(): Promise<void>
  /** One look. Rejects when the database does not answer. */
  look(): Promise<void>
}

export function createWatch({ db, clock, logger, alarms, times }: WatchOptions): Watch {
  const waitMax = waitMaxMs(times)
  const waker = createWaker()
  let running = false
  let loop: Promise<void> = Promise.resolve()
  // Before the first beat of all there is nothing to be late; from then on silence counts from the start of the watch too.
  let startedAt = clock.now()

  async function look(): Promise<void> {
    const asked = clock.now()
    const [beatAt, waiting, paused, guessed, spent] = await Promise.all([
      readCanary(db),
      readWaiting(db, asked),
      readPause(db.pool),
      readGuessing(db, asked),
      readSpent(db.pool, asked),
    ])
    if (paused !== undefined) alarms.raise('outbox.paused')
    else alarms.clear('outbox.paused')
    const now = clock.now()
    const sinceMs = now.getTime() - (beatAt ?? startedAt).getTime()
    if (sinceMs > times.canaryLateMs) alarms.raise('queue.silent')
    else alarms.clear('queue.silent')
    for (const lane of lanes) {
      // What a pause holds back is told as such.
      if (paused === undefined && (waiting.get(lane) ?? 0) > waitMax[lane])
        alarms.raise('outbox.waiting', lane)
      else alarms.clear('outbox.waiting', lane)
    }
    for (const [programmeId, isAbove] of guessed) settle('pin.guessing', programmeId, isAbove)
    for (const [programmeId, isSpent] of spent) settle('budget.spent', programmeId, isSpent)
  }

  function settle(code: AlarmCode, where: string, isRaised: boolean): void {
    if (isRaised) alarms.raise(code, where)
    else alarms.clear(code, where)
  }

  async function watchLoop(): Promise<void> {
    while (running) {
      waker.begin()
      try {
        await inTime(look(), times.askMaxMs)
      } catch (error) {
        // A database that is away is told by readiness and by every other part.
        logger.warn({ event: 'watch.failed', code: errorCode(error) })
      }
      await waker.rest(times.watchEveryMs)
    }
  }

  return {
    look,
    start() {
      running = true
      startedAt = clock.now()
      loop = watchLoop()
    },
    async stop() {
      running = false
      waker.stop()
      await loop
    },
  }
}

/** Milliseconds that the oldest due message of each lane has waited. */
export async function readWaiting(db: Db, now: Date): Promise<Map<Lane, number>> {
  const { rows } = await db.pool.query<{ lane: Lane; since: Date }>(
    `select lane, min(not_before) as since from messages
      where stage = 0 and not_before <= $1 group by lane`,
    [now],
  )
  return new Map(rows.map(({ lane, since }) => [lane, now.getTime() - since.getTime()]))
}

async function inTime(work: Promise<void>, limitMs: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('no answer in time')), limitMs)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}
