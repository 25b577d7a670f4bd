// In: the time. Out: once a day, what is too old is forgotten and numbers that gave no sign are in doubt.
// Must never run in two processes at once.
import type { Clock } from '../clock.ts'
import type { Db } from '../db.ts'
import type { Logger } from '../logger.ts'
import { doubtSilent } from '../members/reverify.ts'
import type { Metrics } from '../metrics.ts'
import { createRounds, whenAlone } from '../rounds.ts'
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
  async function round(now: Date): Promise<Round> {
    const doubted = await db.transaction((tx) => doubtSilent(tx, now))
    if (doubted.length > 0) {
      metrics.reverify.inc({ reason: 'silent' }, doubted.length)
      logger.info({ event: 'phones.silent', bindings: doubted.length })
    }
    return { doubted: doubted.length, purged: await purge(options, now, rounds.isStopping) }
  }

  const runOnce = (now: Date) => whenAlone(db, dailyLockKey, () => round(now))
  const rounds = createRounds({
    clock,
    logger,
    failed: 'daily.failed',
    intervalMs,
    retryMs: 60_000,
    work: runOnce,
  })
  return { runOnce, start: rounds.start, stop: rounds.stop }
}
