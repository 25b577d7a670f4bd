// In: work that comes again and again. Out: one round of it after the other until it is told to stop, further apart while it fails.
// Must never let a failed round end the process, nor keep a stopped one waiting.
import type { Clock } from './clock.ts'
import type { Db } from './db.ts'
import { errorCode } from './errors.ts'
import type { Logger } from './logger.ts'
import { createWaker } from './waker.ts'

export interface RoundsOptions {
  clock: Clock
  logger: Logger
  /** What the log calls a round that failed. */
  failed: string
  intervalMs: number
  /** The pause after a failed round, doubled with each one in a row. */
  retryMs: number
  /** The longest of these pauses [intervalMs]. */
  retryMaxMs?: number
  work(now: Date): Promise<unknown>
}

export interface Rounds {
  start(): void
  /** Resolves when the round under way is over; long work asks `isStopping` between its parts. */
  stop(): Promise<void>
  isStopping(): boolean
}

export function createRounds(options: RoundsOptions): Rounds {
  const { clock, logger, failed, intervalMs, retryMs, retryMaxMs = intervalMs, work } = options
  const waker = createWaker()
  let stopping = false
  let loop: Promise<void> | undefined

  async function run(): Promise<void> {
    let failures = 0
    while (!stopping) {
      try {
        await work(clock.now())
        failures = 0
      } catch (error) {
        failures += 1
        logger.error({ event: failed, code: errorCode(error), failures })
      }
      await waker.rest(failures > 0 ? Math.min(retryMs * 2 ** failures, retryMaxMs) : intervalMs)
    }
  }

  return {
    start() {
      loop ??= run()
    },
    async stop() {
      stopping = true
      waker.stop()
      await loop
    },
    isStopping: () => stopping,
  }
}

/** Does the work under an advisory lock of the database; undefined when another process is at it right now. */
export async function whenAlone<Result>(
  { pool }: Pick<Db, 'pool'>,
  lockKey: number,
  work: () => Promise<Result>,
): Promise<Result | undefined> {
  const lock = await pool.connect()
  // A lost connection rejects the next query on it and is also told here; unheard, that would end the process.
  const onLost = () => {}
  lock.on('error', onLost)
  let broken = true
  try {
    const { rows } = await lock.query<{ mine: boolean }>('select pg_try_advisory_lock($1) as mine', [lockKey])
    let done: Result | undefined
    if (rows[0]?.mine === true)
      try {
        done = await work()
      } finally {
        await lock.query('select pg_advisory_unlock($1)', [lockKey])
      }
    broken = false
    return done
  } finally {
    lock.off('error', onLost)
    lock.release(broken)
  }
}
