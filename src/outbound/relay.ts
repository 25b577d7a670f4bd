// In: due rows of the outbox. Out: batches of them marked `queued`, one job each; rows that a lost queue or a dead process left
// behind are taken up again. Must never enqueue a row that may have reached the provider: such a row becomes `unknown`.
import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { type Db, type Listener, listen } from '../db.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import {
  abandonCalls,
  adoptStrays,
  batchesSince,
  closeBatch,
  type OpenBatch,
  queueDue,
  requeueLost,
} from './batches.ts'
import { matchReports } from './delivery-report.ts'
import type { Queues } from './queue.ts'
import { type Lane, lanes } from './status.ts'

export interface Relay {
  start(): Promise<void>
  stop(): Promise<void>
  /** Enqueues what is due in a lane now, up to the number of batches kept ahead; returns the rows. */
  enqueueDue(lane: Lane): Promise<number>
  /** One round of recovery; returns the rows it moved. */
  recover(): Promise<number>
}

export interface RelayOptions {
  db: Db
  databaseUrl: string
  queues: Queues
  clock: Clock
  logger: Logger
  metrics: Metrics
  /** Rows named by one job [urgent 50, planned and bulk 500]. */
  batchRows?: Record<Lane, number>
  /** Jobs kept waiting ahead of the workers, each lane [20]: enough to never stall, few enough to reorder by need. */
  batchesAheadMax?: number
  /** How long a row may stay queued or claimed without a job before it is taken again [30000]. */
  leaseMs?: number
  /** The provider's timeout with a margin: an older `submitting` row has lost its process [45000]. */
  submittingMs?: number
  /** How often the outbox is looked at when nothing wakes us [1000]. */
  pollMs?: number
  /** How often lost rows are looked for [5000]. */
  recoverMs?: number
}

/** Strays are rare and looking for them reads all open rows: not every round of recovery does. */
const roundsPerAdoption = 12

/** A job that BullMQ still holds after this many leases is not believed any more. */
const leasesMax = 20

export function createRelay(options: RelayOptions): Relay {
  const { db, queues, clock, logger, metrics } = options
  const batchRows = options.batchRows ?? { urgent: 50, planned: 500, bulk: 500 }
  const batchesAheadMax = options.batchesAheadMax ?? 20
  const leaseMs = options.leaseMs ?? 30_000
  const submittingMs = options.submittingMs ?? 45_000
  const pollMs = options.pollMs ?? 1_000
  const recoverMs = options.recoverMs ?? 5_000
  const waker = createWaker()
  const isFull: Record<Lane, boolean> = { urgent: false, planned: false, bulk: false }
  let loops: Promise<void>[] = []
  let running = false
  let listener: Listener | undefined

  async function enqueueDue(lane: Lane): Promise<number> {
    // Asked first: when the queue is away no row is marked.
    const room = batchesAheadMax - (await queues.waiting(`outbound-${lane}`))
    isFull[lane] = room <= 0
    let rows = 0
    for (let batch = 0; batch < room; batch++) {
      const batchId = randomUUID()
      const count = await queueDue(db.pool, { at: clock.now(), lane, batchId, rowsMax: batchRows[lane] })
      if (count === 0) break
      metrics.transitions.inc({ status: 'queued', lane }, count)
      rows += count
      // A job that cannot be added leaves its rows to the recovery.
      await queues.add(`outbound-${lane}`, [batchId])
      if (count < batchRows[lane]) break
    }
    return rows
  }

  async function laneLoop(lane: Lane): Promise<void> {
    let failures = 0
    while (running) {
      const seen = waker.wakes()
      let rows = 0
      try {
        rows = await enqueueDue(lane)
        failures = 0
      } catch (error) {
        failures += 1
        logger.warn({ event: 'relay.failed', lane, code: errorCode(error), failures })
      }
      if (failures > 0) await waker.sleep(Math.min(250 * 2 ** failures, 2_000))
      // While there is work the workers eat what is kept ahead: look again soon; else wait for a commit or the poll.
      else if (rows > 0 || isFull[lane]) await waker.sleep(50)
      else await waker.sleep(pollMs, seen)
    }
  }

  /** Takes up the rows of a batch that no job carries any more. */
  async function requeueUnlessCarried(batch: OpenBatch, now: Date): Promise<number> {
    const { lane } = batch
    const ageMs = now.getTime() - batch.movedAt.getTime()
    if (ageMs < leaseMs) return 0
    if (ageMs < leaseMs * leasesMax && (await queues.has(`outbound-${lane}`, batch.id))) return 0
    const newBatchId = randomUUID()
    const before = new Date(now.getTime() - leaseMs)
    const count = await requeueLost(db.pool, { at: now, batch, newBatchId, before })
    if (count === 0) return 0
    metrics.transitions.inc({ status: 'queued', lane }, count)
    logger.warn({ event: 'relay.requeued', lane, batch: newBatchId, rows: count })
    await queues.add(`outbound-${lane}`, [newBatchId])
    return count
  }

  async function recover(): Promise<number> {
    const now = clock.now()
    let rows = 0
    const givenUp = new Date(now.getTime() - submittingMs)
    const oldest = new Date(now.getTime() - Math.min(leaseMs, submittingMs))
    for (const batch of await batchesSince(db.pool, oldest)) {
      const lost = await abandonCalls(db.pool, { at: now, batch, before: givenUp })
      if (lost > 0) {
        metrics.transitions.inc({ status: 'unknown', lane: batch.lane }, lost)
        logger.error({ event: 'relay.outcome_unknown', lane: batch.lane, rows: lost })
      }
      rows += lost + (await requeueUnlessCarried(batch, now))
      await closeBatch(db.pool, batch.id)
    }
    const settled = await matchReports({ db, clock, metrics })
    return rows + settled
  }

  async function recoverLoop(): Promise<void> {
    for (let round = 0; running; round++) {
      try {
        if (round % roundsPerAdoption === 0)
          await adoptStrays(db.pool, new Date(clock.now().getTime() - leaseMs))
        await recover()
      } catch (error) {
        logger.warn({ event: 'relay.recovery_failed', code: errorCode(error) })
      }
      await waker.sleep(recoverMs)
    }
  }

  return {
    enqueueDue,
    recover,
    async start() {
      running = true
      listener = listen({ url: options.databaseUrl, channel: 'tama_outbox', logger, onNotice: waker.wake })
      loops = [...lanes.map(laneLoop), recoverLoop()]
    },
    async stop() {
      running = false
      waker.stop()
      await listener?.close()
      await Promise.all(loops)
    },
  }
}

/** Lets loops sleep until woken, and ends every sleep when stopped. */
function createWaker() {
  let wakes = 0
  let stopped = false
  const sleepers = new Set<{ end(): void; wakeable: boolean }>()
  return {
    /** Read before the work is looked for, so that a commit in between is not missed. */
    wakes: () => wakes,
    wake: () => {
      wakes += 1
      for (const sleeper of sleepers) if (sleeper.wakeable) sleeper.end()
    },
    stop: () => {
      stopped = true
      for (const sleeper of sleepers) sleeper.end()
    },
    /** With `seen`, a wake after that count ends the sleep. */
    sleep(ms: number, seen?: number): Promise<void> {
      if (stopped || (seen !== undefined && seen !== wakes)) return Promise.resolve()
      return new Promise((resolve) => {
        const sleeper = {
          wakeable: seen !== undefined,
          end: () => {
            clearTimeout(timer)
            sleepers.delete(sleeper)
            resolve()
          },
        }
        const timer = setTimeout(sleeper.end, ms)
        sleepers.add(sleeper)
      })
    },
  }
}
