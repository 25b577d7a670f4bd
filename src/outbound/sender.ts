// In: jobs that name a batch. Out: each row of it decided, and those that may go handed to the provider and marked.
// Must never call the provider for a row whose `submitting` is not committed, and never call twice for a row that may have gone.
import type { Alarms } from '../alarms.ts'
import type { Clock } from '../clock.ts'
import { createPipeline, type Db } from '../db.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { SmsProvider } from '../providers/africastalking.ts'
import { claimBatch, closeBatch } from './batches.ts'
import { giveBudgetBack, type Refusal, takeBudget } from './budget.ts'
import { type CallDone, createCalls, type Entry, type LaneCalls } from './calls.ts'
import type { Decision } from './decision.ts'
import { matchReports } from './delivery-report.ts'
import { claimGreetings } from './greetings.ts'
import type { Queues, QueueWorker } from './queue.ts'
import { type Lane, lanes } from './status.ts'
import { createTransitionWriter, type Transition, type TransitionWriter } from './transitions.ts'

export interface Sender {
  /** Resolves when every lane can take jobs; DependencyError when the queue is away. */
  start(): Promise<void>
  /** Finishes and marks the calls under way, gives the rest back to the outbox. */
  stop(): Promise<void>
}

export interface SenderOptions {
  db: Db
  databaseUrl: string
  queues: Queues
  provider: SmsProvider
  decide(messageIds: readonly string[], now: Date): Promise<Decision[]>
  clock: Clock
  logger: Logger
  metrics: Metrics
  alarms?: Alarms
  /** The lanes this process works on [all]. */
  lanes?: readonly Lane[]
  /** Provider calls at once, each lane [50]. With callsAheadMax the most rows that a crash can leave in `submitting`, times recipientsPerCall. */
  callsMax?: number
  /**
   * Calls beyond callsMax whose rows are being marked before or after their turn, so that the provider never waits for a
   * commit [0]. Each may add a call's rows to the unknown ones of a crash.
   */
  callsAheadMax?: number
  /** Jobs at once, each lane [3]: one being sent while the next are claimed and decided. */
  batchesMax?: number
  /** Receivers of the same text in one call [provider.recipientsMax]; 1 makes one call a message. */
  recipientsPerCall?: number
  /** Tries that the provider did not take, before a message fails [50, about half a day]. */
  attemptsMax?: number
  /** First pause before a refused message is tried again; doubles up to retryMaxMs [urgent 5000, else 30000]. */
  retryBaseMs?: number
  /** [900000] */
  retryMaxMs?: number
  /** First pause of a lane after an account fault; doubles up to ten times that [30000]. */
  pauseMs?: number
  /** How soon a job of a dead process is taken again: [5000 urgent, 15000 else]. */
  stalledIntervalMs?: number
}

/** How long a second message waits for the first one to a phone. */
const greetingMs = 1_000

const statusByAction = {
  suppress: 'suppressed',
  cancel: 'cancelled',
  expire: 'expired',
  fail: 'failed',
} as const

export function createSender(options: SenderOptions): Sender {
  const { db, clock, logger, metrics } = options
  let writer: TransitionWriter | undefined
  let running: { calls: LaneCalls; worker: QueueWorker }[] = []

  async function startLane(lane: Lane, marks: TransitionWriter) {
    let worker: QueueWorker | undefined
    const calls = createCalls({
      ...options,
      lane,
      writer: marks,
      onPause: () => worker?.pause(),
      onResume: () => worker?.resume(),
      onReleased: (entries) => giveBudgetBack(db.pool, entries, clock.now()),
      onReportWaits: () => matchReports({ db, clock, metrics }).then(() => undefined),
    })
    worker = await options.queues.work(
      `outbound-${lane}`,
      {
        concurrency: options.batchesMax ?? 3,
        stalledIntervalMs: options.stalledIntervalMs ?? (lane === 'urgent' ? 5_000 : 15_000),
      },
      (batchId) => sendBatch(lane, batchId, calls, marks),
    )
    return { calls, worker }
  }

  /** One job. Rejects only when the database is away: the rows then wait for the relay. */
  async function sendBatch(lane: Lane, batchId: string, calls: LaneCalls, marks: TransitionWriter) {
    const now = clock.now()
    const rows = await claimBatch(db.pool, batchId, now)
    if (rows.length === 0) return
    metrics.transitions.inc({ status: 'claimed', lane }, rows.length)
    const claimed = new Map(rows.map((row) => [row.id, row]))
    let decisions: Decision[]
    try {
      decisions = await options.decide([...claimed.keys()], now)
    } catch (error) {
      logger.error({ event: 'sender.undecided', lane, batch: batchId, code: errorCode(error) })
      await calls.giveBack([...claimed.values()], batchId, 'undecided')
      return
    }
    const sends: Entry[] = []
    const settled: Transition[] = []
    for (const decision of decisions) {
      const row = claimed.get(decision.messageId)
      if (row === undefined) continue
      claimed.delete(decision.messageId)
      if (decision.action === 'suppress') metrics.suppressed.inc({ reason: decision.reason })
      if (decision.action === 'send') sends.push({ ...decision, attempts: row.attempts })
      else settled.push(withoutSending(decision, batchId))
    }
    const { greeted, waiting } = await claimGreetings(db.pool, sends, now)
    settled.push(...waiting.map(({ messageId }) => afterGreeting(messageId, batchId, now)))
    const refusals = await takeBudget(db.pool, greeted, now)
    settled.push(...refusals.map((refusal) => withoutBudget(refusal, batchId)))
    const refused = new Set(refusals.map(({ messageId }) => messageId))
    const affordable =
      refused.size === 0 ? greeted : greeted.filter(({ messageId }) => !refused.has(messageId))
    for (const messageId of claimed.keys())
      settled.push({ messageId, to: 'failed', source: 'sender', reason: 'undecided', ifBatch: batchId })
    const done: CallDone = { submitted: 0, released: 0, other: 0 }
    await Promise.all([
      marks.write(settled),
      ...calls.plan(affordable, batchId).map(async (call) => {
        const result = await call
        done.submitted += result.submitted
        done.released += result.released
        done.other += result.other
      }),
    ])
    await closeBatch(db.pool, batchId)
    logger.info({
      event: 'sender.batch',
      lane,
      batch: batchId,
      rows: rows.length,
      stopped: settled.length,
      ...done,
    })
  }

  return {
    async start() {
      // Two, so that one statement runs while the commit of the other reaches the disk.
      const pipelines = [1, 2].map(() => createPipeline({ url: options.databaseUrl, logger, name: 'marks' }))
      writer = createTransitionWriter({ pipelines, clock, logger, metrics })
      for (const lane of options.lanes ?? lanes) running.push(await startLane(lane, writer))
    },
    async stop() {
      const stopping = running
      running = []
      // Calls first: a job under way ends as soon as its calls are done or given back, and its worker can close then.
      await Promise.all(stopping.map(({ calls, worker }) => Promise.all([calls.stop(), worker.close()])))
      await writer?.close()
    },
  }
}

/** The first message to her phone is on its way: this one follows when that one has arrived. */
function afterGreeting(messageId: string, batchId: string, now: Date): Transition {
  const notBefore = new Date(now.getTime() + greetingMs)
  return {
    messageId,
    to: 'created',
    source: 'sender',
    reason: 'first_message',
    ifBatch: batchId,
    set: { notBefore },
  }
}

function withoutBudget({ messageId, reason, notBefore }: Refusal, batchId: string): Transition {
  const shared = { messageId, source: 'sender', reason, ifBatch: batchId } as const
  return notBefore === null
    ? { ...shared, to: 'suppressed' }
    : { ...shared, to: 'created', set: { notBefore } }
}

function withoutSending(decision: Exclude<Decision, { action: 'send' }>, batchId: string): Transition {
  const shared = {
    messageId: decision.messageId,
    source: 'sender',
    reason: decision.reason,
    ifBatch: batchId,
  } as const
  return decision.action === 'defer'
    ? { ...shared, to: 'created', set: { notBefore: decision.notBefore } }
    : { ...shared, to: statusByAction[decision.action] }
}
