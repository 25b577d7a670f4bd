// In: the database and the queue. Out: what readiness asks of them, each check with a word when it fails.
import type { Clock } from '../clock.ts'
import type { Db } from '../db.ts'
import { readCanary } from '../outbound/canary.ts'
import type { Queues } from '../outbound/queue.ts'
import type { ReadinessCheck } from './operations.ts'

export interface ReadinessDeps {
  db: Db
  clock: Clock
  queues: Queues
  /** Age of the last beat from which on the queue stands still. */
  canaryLateMs: number
}

export function readinessChecks({
  db,
  clock,
  queues,
  canaryLateMs,
}: ReadinessDeps): Record<string, ReadinessCheck> {
  return {
    database: async () => {
      await db.reads.query('ping', 'select 1 as one', [])
      return undefined
    },
    // Asked by itself: a queue that went away is told at once, the canary only after its next beats.
    queue: async () => {
      await queues.waiting('canary')
      return undefined
    },
    canary: async () => {
      const beatAt = await readCanary(db)
      if (beatAt === undefined) return 'none yet'
      const ageMs = clock.now().getTime() - beatAt.getTime()
      return ageMs > canaryLateMs ? 'late' : undefined
    },
  }
}
