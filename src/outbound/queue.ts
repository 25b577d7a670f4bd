// In: a PostgreSQL URL and perhaps a Redis URL. Out: BullMQ queues and workers, one per lane and one canary, on either backend.
// A job only names a batch of rows: the rows in `messages` are the record, and the queue may be lost at any time.
import { createPostgresBackend, type Job, Queue, runMigrations, Worker } from 'bullmq'
import pg from 'pg'
import { withTimeout } from '../clock.ts'
import { DependencyError, errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { type Lane, lanes } from './status.ts'

export type QueueName = `outbound-${Lane}` | 'canary'
/** Ids only: BullMQ keeps job data in clear text. */
export type JobData = { batchId: string }

export const queueNames: readonly QueueName[] = [
  ...lanes.map((lane) => `outbound-${lane}` as const),
  'canary',
]

export interface QueueWorker {
  /** Stops taking jobs; those under way go on. */
  pause(): Promise<void>
  resume(): void
  /** Waits for the jobs under way. */
  close(): Promise<void>
}

export interface WorkerSettings {
  /** Jobs at once in this process. */
  concurrency: number
  /** After a crash a job is taken again within about two of these. */
  stalledIntervalMs: number
}

export interface Queues {
  backend: 'postgres' | 'redis'
  /** The queues themselves, for the queue board. */
  all: readonly Queue[]
  /** Makes BullMQ's own tables (PostgreSQL) and waits for every queue; DependencyError when one cannot be reached. */
  ready(): Promise<void>
  add(name: QueueName, batchIds: readonly string[]): Promise<void>
  /** Jobs not yet taken. */
  waiting(name: QueueName): Promise<number>
  /** False when no job carries this batch any more. */
  has(name: QueueName, batchId: string): Promise<boolean>
  /** Resolves when the worker can take jobs; DependencyError when the backend is away (BullMQ itself would stay silent for ever). */
  work(
    name: QueueName,
    settings: WorkerSettings,
    process: (batchId: string) => Promise<void>,
  ): Promise<QueueWorker>
  close(): Promise<void>
}

export interface QueueOptions {
  databaseUrl: string
  /** Undefined: PostgreSQL carries the queue too. */
  redisUrl: string | undefined
  logger: Logger
}

const postgresSchema = 'bullmq'

/** BullMQ's own pauses grow to 20 s, which would keep the queue silent long after Redis is back. */
const retryStrategy = (tries: number) => Math.min(tries * 100, 1_000)
/** A command that waits for a Redis that is away or hangs would hold up its caller: it fails, and the caller tries again. */
const redisQueueOptions = { maxRetriesPerRequest: 1, commandTimeout: 3_000, retryStrategy }
/** What a Redis gets to say goodbye; what it has not answered then is not needed, the rows are the record. */
const closeMaxMs = 1_000

export function createQueues({ databaseUrl, redisUrl, logger }: QueueOptions): Queues {
  const queues = new Map<QueueName, Queue>()
  const workers = new Set<QueueWorker>()

  // Each queue and worker keeps its own small pool. A commit that a database crash takes back is a lost job, which the
  // relay finds: asynchronous commit is safe here and three times faster.
  const postgresConnection = () => ({
    connectionString: databaseUrl,
    schema: postgresSchema,
    max: 2,
    options: '-c synchronous_commit=off',
    application_name: 'tama-queue',
  })

  function openQueue(name: QueueName): Queue {
    const defaultJobOptions = { removeOnComplete: true, removeOnFail: true }
    const queue =
      redisUrl === undefined
        ? // The classes differ only in the type of their connection, which nothing here touches.
          (new Queue(
            name,
            { connection: postgresConnection(), defaultJobOptions },
            createPostgresBackend,
          ) as unknown as Queue)
        : new Queue(name, { connection: { url: redisUrl, ...redisQueueOptions }, defaultJobOptions })
    queue.on('error', (error) => logger.warn({ event: 'queue.error', queue: name, code: errorCode(error) }))
    return queue
  }

  function queueOf(name: QueueName): Queue {
    const queue = queues.get(name) ?? openQueue(name)
    queues.set(name, queue)
    return queue
  }

  function openWorker(
    name: QueueName,
    settings: WorkerSettings,
    process: (batchId: string) => Promise<void>,
  ) {
    const shared = {
      concurrency: settings.concurrency,
      lockDuration: settings.stalledIntervalMs * 2,
      stalledInterval: settings.stalledIntervalMs,
      // The default gives a job up for good after its second crash, which loses messages.
      maxStalledCount: 1_000_000,
      runRetryDelay: 1_000,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    }
    const perform = (job: Job<JobData>) => process(job.data.batchId)
    return redisUrl === undefined
      ? (new Worker(
          name,
          perform,
          { ...shared, connection: postgresConnection() },
          createPostgresBackend,
        ) as unknown as Worker)
      : new Worker(name, perform, {
          ...shared,
          connection: { url: redisUrl, maxRetriesPerRequest: null, retryStrategy },
        })
  }

  return {
    backend: redisUrl === undefined ? 'postgres' : 'redis',
    get all() {
      return queueNames.map(queueOf)
    },

    async ready() {
      try {
        if (redisUrl === undefined) await migrateQueues(databaseUrl)
        await Promise.all(queueNames.map((name) => queueOf(name).waitUntilReady()))
      } catch (error) {
        throw new DependencyError('dependency.queue', 'The queue cannot be reached.', { cause: error })
      }
    },

    async add(name, batchIds) {
      if (batchIds.length === 0) return
      await queueOf(name).addBulk(
        batchIds.map((batchId) => ({
          name: 'send',
          data: { batchId } satisfies JobData,
          opts: { jobId: batchId },
        })),
      )
    },

    waiting: (name) => queueOf(name).getWaitingCount(),

    async has(name, batchId) {
      const state = await queueOf(name).getJobState(batchId)
      return state === 'waiting' || state === 'active' || state === 'delayed' || state === 'prioritized'
    },

    async work(name, settings, process) {
      const underWay = new Set<Promise<void>>()
      const worker = openWorker(name, settings, (batchId) => {
        const job = process(batchId).finally(() => underWay.delete(job))
        underWay.add(job)
        return job
      })
      worker.on('error', (error) =>
        logger.warn({ event: 'worker.error', queue: name, code: errorCode(error) }),
      )
      worker.on('failed', (job, error) =>
        logger.error({ event: 'job.failed', queue: name, batch: job?.id, code: errorCode(error) }),
      )
      try {
        await worker.waitUntilReady()
      } catch (error) {
        await worker.close(true).catch(() => undefined)
        throw new DependencyError('dependency.queue', `The worker of ${name} cannot start.`, { cause: error })
      }
      const opened: QueueWorker = {
        pause: () => worker.pause(true),
        resume: () => worker.resume(),
        close: async () => {
          workers.delete(opened)
          await worker.pause(true)
          await Promise.allSettled(underWay)
          await closeOrCut(worker)
        },
      }
      workers.add(opened)
      return opened
    },

    async close() {
      await Promise.all([...workers].map((worker) => worker.close()))
      await Promise.all([...queues.values()].map(closeOrCut))
    },
  }
}

/** BullMQ itself would wait for ever for a backend that is away, to say what nobody needs to hear. */
async function closeOrCut(client: Queue | Worker): Promise<void> {
  await withTimeout(client.close(), closeMaxMs).catch(() => {
    void client.disconnect().catch(() => undefined)
  })
}

/** BullMQ's own tables in their own schema; a second run changes nothing. */
export async function migrateQueues(databaseUrl: string): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    await runMigrations(client, postgresSchema)
  } finally {
    await client.end()
  }
}
