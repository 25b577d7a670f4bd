// In: the time. Out: once a day, what is too old is forgotten and numbers that gave no sign are in doubt.
// Must never run in two processes at once.
import type { Clock } from '../clock.ts'
import type { Db } from '../db.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { doubtSilent } from '../members/reverify.ts'
import type { Metrics } from '../metrics.ts'
import { createWaker } from '../waker.ts'
import { type Purged, purge, type RetentionOptions } from './retention.ts'

export interface DailyOptions extends RetentionOptions {
  db: Db
  clock: Clock
  logger: Logger
  metrics: Metrics
  /** Between two rounds [a day]. */
  intervalMs?: number
}

/** What one round did. */
export interface Round {
  purged: Purged
  /** Bindings of members to phones. */
  doubted: number
}

export interface Daily {
  start(): void
  /** Resolves when the batch under way is done. */
  stop(): Promise<void>
  /** One round; undefined when another process is at it right now. */
  runOnce(now: Date): Promise<Round | undefined>
}

/** Arbitrary but fixed. */
const dailyLockKey = 7_391_003
const dayMs = 24 * 3_600_000

export function createDaily(options: DailyOptions): Daily {
  const { db, clock, logger, metrics, intervalMs = dayMs } = options
  const waker = createWaker()
  let stopping = false
  let loop: Promise<void> = Promise.resolve()

  async function round(now: Date): Promise<Round> {
    const doubted = await db.transaction((tx) => doubtSilent(tx, now))
    if (doubted.length > 0) {
      metrics.reverify.inc({ reason: 'silent' }, doubted.length)
      logger.info({ event: 'phones.silent', bindings: doubted.length })
    }
    return { doubted: doubted.length, purged: await purge(options, now, () => stopping) }
  }

  async function runOnce(now: Date): Promise<Round | undefined> {
    const lock = await db.pool.connect()
    // A lost connection rejects the next query on it and is also told here; unheard, that would end the process.
    const onLost = () => {}
    lock.on('error', onLost)
    let broken = true
    try {
      const { rows } = await lock.query<{ mine: boolean }>('select pg_try_advisory_lock($1) as mine', [
        dailyLockKey,
      ])
      let done: Round | undefined
      if (rows[0]?.mine === true)
        try {
          done = await round(now)
        } finally {
          await lock.query('select pg_advisory_unlock($1)', [dailyLockKey])
        }
      broken = false
      return done
    } finally {
      lock.off('error', onLost)
      lock.release(broken)
    }
  }

  async function run(): Promise<void> {
    let failures = 0
    while (!stopping) {
      try {
        await runOnce(clock.now())
        failures = 0
      } catch (error) {
        failures += 1
        logger.error({ event: 'daily.failed', code: errorCode(error), failures })
      }
      await waker.rest(failures > 0 ? Math.min(60_000 * 2 ** failures, intervalMs) : intervalMs)
    }
  }

  return {
    runOnce,
    start() {
      loop = run()
    },
    async stop() {
      stopping = true
      waker.stop()
      await loop
    },
  }
}
