// In: a timer. Out: a tiny job through the queue that writes the heartbeat "queue", so that readiness is proved by work done
// and not by what a client object believes of itself.
import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Db } from '../db.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Queues, QueueWorker } from './queue.ts'

export interface Canary {
  start(): Promise<void>
  stop(): Promise<void>
}

export interface CanaryOptions {
  db: Db
  queues: Queues
  clock: Clock
  logger: Logger
  everyMs: number
}

export function createCanary({ db, queues, clock, logger, everyMs }: CanaryOptions): Canary {
  let timer: NodeJS.Timeout | undefined
  let worker: QueueWorker | undefined

  const beat = async () => {
    await db.pool.query(
      `insert into heartbeats (name, beat_at) values ('queue', $1)
       on conflict (name) do update set beat_at = excluded.beat_at`,
      [clock.now()],
    )
  }
  const send = () => {
    queues
      .add('canary', [randomUUID()])
      .catch((error: unknown) => logger.warn({ event: 'canary.not_added', code: errorCode(error) }))
  }

  return {
    async start() {
      worker = await queues.work('canary', { concurrency: 1, stalledIntervalMs: 30_000 }, beat)
      send()
      timer = setInterval(send, everyMs)
    },
    async stop() {
      clearInterval(timer)
      await worker?.close()
    },
  }
}

/** When a job last went through the queue; undefined before the first. */
export async function readCanary(db: Db): Promise<Date | undefined> {
  const { rows } = await db.pool.query<{ beatAt: Date }>(
    `select beat_at as "beatAt" from heartbeats where name = 'queue'`,
  )
  return rows[0]?.beatAt
}
