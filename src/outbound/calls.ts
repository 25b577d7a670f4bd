// In: decided messages of one lane. Out: provider calls with a bounded number under way, each row marked before and after.
// Must never begin a call whose rows are not committed as `submitting`, nor hold rows of more than
// callsMax + callsAheadMax calls there.
import type { Alarms } from '../alarms.ts'
import { type Clock, elapsedMs } from '../clock.ts'
import type { Db } from '../db.ts'
import { errorCode, SendError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import { doubtNumber } from '../members/reverify.ts'
import type { Metrics } from '../metrics.ts'
import type { RecipientResult, SmsProvider } from '../providers/africastalking.ts'
import { createCircuit } from './circuit.ts'
import { groupByText } from './group-by-text.ts'
import { noteNetworkBlock } from './opt-out.ts'
import type { Lane } from './status.ts'
import type { Moved, Transition, TransitionWriter } from './transitions.ts'

export interface Sendable {
  phoneId: string
  msisdn: string
  senderId: string
  language: string
  text: string
  segments: number
  /** With the network's tail behind it, should it be the first to the phone. */
  greetingSegments?: number
  factsAt: Date
  factsSnapshot: string
}

/** A message that may go, with the tries it has behind it. */
export interface Entry extends Sendable {
  messageId: string
  attempts: number
}

/** What became of the rows of a call. */
export interface CallDone {
  submitted: number
  released: number
  other: number
}

export interface LaneCalls {
  /** Plans calls for a batch; each promise resolves when its rows are marked, and rejects only when they could not be. */
  plan(entries: readonly Entry[], batchId: string): Promise<CallDone>[]
  /** Puts claimed rows back into the outbox for a later try. */
  giveBack(rows: readonly { id: string; attempts: number }[], batchId: string, reason: string): Promise<void>
  /** Resolves when the calls under way are marked and the waiting ones given back. */
  stop(): Promise<void>
}

export interface CallOptions {
  lane: Lane
  db: Db
  writer: TransitionWriter
  provider: SmsProvider
  clock: Clock
  logger: Logger
  metrics: Metrics
  alarms?: Alarms
  callsMax?: number
  callsAheadMax?: number
  recipientsPerCall?: number
  attemptsMax?: number
  retryBaseMs?: number
  retryMaxMs?: number
  pauseMs?: number
  onPause(): Promise<void> | undefined
  onResume(): void
  /** Planned messages that were not submitted: what was reserved for them is free again. */
  onReleased(entries: readonly Entry[]): Promise<void>
  /** A delivery report came before its submit was saved. */
  onReportWaits(): Promise<void>
}

interface PlannedCall {
  batchId: string
  entries: readonly Entry[]
  resolve(done: CallDone): void
  reject(error: unknown): void
}

export function createCalls(options: CallOptions): LaneCalls {
  const { lane, db, writer, provider, clock, logger, metrics } = options
  /** For what may fail without harm to a message. */
  const warnOnFailure = (event: string, work: Promise<void> | undefined) =>
    work?.catch((error: unknown) => logger.warn({ event, lane, code: errorCode(error) }))
  const callsMax = options.callsMax ?? 50
  const slotsMax = callsMax + (options.callsAheadMax ?? 0)
  const recipientsPerCall = Math.min(
    options.recipientsPerCall ?? provider.recipientsMax,
    provider.recipientsMax,
  )
  const attemptsMax = options.attemptsMax ?? 50
  const retryBaseMs = options.retryBaseMs ?? (lane === 'urgent' ? 5_000 : 30_000)
  const retryMaxMs = options.retryMaxMs ?? 900_000
  let waiting: PlannedCall[] = []
  let callsUnderWay = 0
  const marked: (() => void)[] = []
  const runners = new Set<Promise<void>>()
  let stopped = false
  const circuit = createCircuit({
    ...options,
    onOpen(reason) {
      warnOnFailure('sender.pause_failed', options.onPause())
      giveWaitingBack(reason)
    },
    onTry() {
      options.onResume()
      pump()
    },
    onClose: () => pump(),
  })

  function pump(): void {
    while (runners.size < (circuit.isTrying() ? 1 : slotsMax) && waiting.length > 0) {
      const runner = run().finally(() => {
        runners.delete(runner)
        pump()
      })
      runners.add(runner)
    }
  }

  /** One slot. The mark after a call and the mark before the next stand in one statement: one commit a call, not two. */
  async function run(): Promise<void> {
    let finished: { call: PlannedCall; marks: Transition[] } | undefined
    for (;;) {
      const next = takeNext()
      if (next === undefined && finished === undefined) return
      let moved: Moved[]
      try {
        moved = await writer.write([...(finished?.marks ?? []), ...(next === undefined ? [] : starts(next))])
      } catch (error) {
        // The rows stay as they are; the relay finds them, and takes none again that may have gone.
        finished?.call.reject(error)
        next?.reject(error)
        finished = undefined
        continue
      }
      if (finished !== undefined) finish(finished.call, finished.marks, moved)
      finished = undefined
      if (next === undefined) continue
      const mine = new Set(moved.flatMap((row) => (row.to === 'submitting' ? row.id : [])))
      const entries = next.entries.filter((entry) => mine.has(entry.messageId))
      if (entries.length === 0) next.resolve({ submitted: 0, released: 0, other: 0 })
      else finished = { call: next, marks: await perform(entries) }
    }
  }

  /** While the lane is tried, one message: whatever becomes of the call costs no more than that one. */
  function takeNext(): PlannedCall | undefined {
    const next = waiting.shift()
    const [first, ...rest] = next?.entries ?? []
    if (next === undefined || first === undefined || rest.length === 0 || !circuit.isTrying()) return next
    // Both parts together are the call that was planned.
    const sum: CallDone = { submitted: 0, released: 0, other: 0 }
    let left = 2
    const part = (entries: readonly Entry[]): PlannedCall => ({
      ...next,
      entries,
      resolve(done) {
        sum.submitted += done.submitted
        sum.released += done.released
        sum.other += done.other
        left -= 1
        if (left === 0) next.resolve(sum)
      },
    })
    waiting.unshift(part(rest))
    return part([first])
  }

  function starts(call: PlannedCall): Transition[] {
    return call.entries.map(({ messageId, phoneId, language, text, segments, factsAt, factsSnapshot }) => ({
      messageId,
      to: 'submitting',
      source: 'sender',
      ifBatch: call.batchId,
      set: { phoneId, language, text, segments, factsAt, factsSnapshot, provider: provider.name },
    }))
  }

  function finish(call: PlannedCall, marks: readonly Transition[], moved: readonly Moved[]): void {
    const done: CallDone = { submitted: 0, released: 0, other: 0 }
    for (const { to } of marks) {
      if (to === 'submitted') done.submitted += 1
      else if (to === 'created') done.released += 1
      else done.other += 1
    }
    call.resolve(done)
    if (done.released > 0) {
      const back = new Set(marks.filter(({ to }) => to === 'created').map(({ messageId }) => messageId))
      release(call.entries.filter(({ messageId }) => back.has(messageId)))
    }
    if (moved.some((row) => row.reportWaits)) warnOnFailure('sender.report_waits', options.onReportWaits())
  }

  function release(entries: readonly Entry[]): void {
    warnOnFailure('sender.budget_kept', options.onReleased(entries))
  }

  /** At most callsMax at once; marked calls beyond them wait their turn. */
  async function perform(entries: readonly Entry[]): Promise<Transition[]> {
    if (callsUnderWay < callsMax) callsUnderWay += 1
    else await new Promise<void>((resolve) => marked.push(resolve))
    try {
      // A turn that comes after the end or in a pause is not taken: the provider has surely seen nothing.
      if (stopped || circuit.restsUntil() !== undefined)
        return entries.map(({ messageId }) => untaken(messageId))
      return await performNow(entries)
    } finally {
      // The place is handed on, so that nobody else takes it in between.
      const next = marked.shift()
      if (next === undefined) callsUnderWay -= 1
      else next()
    }
  }

  function untaken(messageId: string): Transition {
    const back = { messageId, to: 'created', source: 'sender' } as const
    const notBefore = circuit.restsUntil()
    return notBefore === undefined
      ? { ...back, reason: 'drain' }
      : { ...back, reason: 'paused', set: { notBefore } }
  }

  async function performNow(entries: readonly Entry[]): Promise<Transition[]> {
    const [first] = entries
    if (first === undefined) return []
    const startedMs = elapsedMs()
    let outcome = 'ok'
    try {
      const results = await provider.send({
        senderId: first.senderId,
        text: first.text,
        recipients: entries.map((entry) => entry.msisdn),
      })
      const byMsisdn = new Map(results.map((result) => [result.msisdn, result]))
      const marks = entries.map((entry) => markOf(entry, byMsisdn.get(entry.msisdn)))
      await noteAccountAndOptOuts(entries, byMsisdn)
      return marks
    } catch (error) {
      const fault = error instanceof SendError ? error : new SendError('send.broken_answer', { cause: error })
      outcome = fault.code
      const rest = circuit.failed(fault)
      logger.warn({
        event: 'sender.call_failed',
        lane,
        code: fault.code,
        messages: entries.map((e) => e.messageId),
      })
      return entries.map((entry) => markOfFault(entry, fault, rest))
    } finally {
      metrics.providerSeconds.observe({ provider: provider.name, outcome }, (elapsedMs() - startedMs) / 1_000)
    }
  }

  function markOf(entry: Entry, result: RecipientResult | undefined): Transition {
    // An answer that leaves a number out says nothing about it.
    if (result === undefined) return markOfFault(entry, new SendError('send.broken_answer'), undefined)
    if (!result.accepted) {
      logger.warn({ event: 'sender.refused', lane, message: entry.messageId, code: result.error.code })
      return markOfFault(entry, result.error, result.pauseLane ? circuit.open(result.error.code) : undefined)
    }
    const { providerMessageId, cost, segments } = result
    return {
      messageId: entry.messageId,
      to: 'submitted',
      source: 'sender',
      set: {
        provider: provider.name,
        ...(providerMessageId === undefined ? {} : { providerMessageId }),
        ...(cost === undefined ? {} : { cost: cost.amount, costCurrency: cost.currency }),
        ...(segments === undefined ? {} : { billedSegments: segments }),
      },
    }
  }

  /** `rest`: the lane is paused until then, which is not the message's fault and costs it no try. */
  function markOfFault(entry: Entry, fault: SendError, rest: Date | undefined): Transition {
    const mark = { messageId: entry.messageId, source: 'sender', reason: fault.code } as const
    if (fault.outcomeUnknown) return { ...mark, to: 'unknown' }
    if (rest !== undefined) return { ...mark, to: 'created', set: { notBefore: rest } }
    if (!fault.retry) return { ...mark, to: fault.code === 'send.request_invalid' ? 'failed' : 'rejected' }
    if (entry.attempts + 1 >= attemptsMax) return { ...mark, to: 'failed', set: { attempted: true } }
    return { ...mark, to: 'created', set: { attempted: true, notBefore: retryAt(entry.attempts) } }
  }

  /** Doubling pauses with jitter, so that the rows of an outage do not come back in one moment. */
  function retryAt(attempts: number): Date {
    const pauseMs = Math.min(retryMaxMs, retryBaseMs * 2 ** Math.min(attempts, 20))
    return new Date(clock.now().getTime() + pauseMs * (0.5 + Math.random()))
  }

  async function noteAccountAndOptOuts(
    entries: readonly Entry[],
    results: ReadonlyMap<string, RecipientResult>,
  ): Promise<void> {
    const refused = (says: (result: RecipientResult & { accepted: false }) => boolean) =>
      entries.filter((entry) => {
        const result = results.get(entry.msisdn)
        return result?.accepted === false && says(result)
      })
    const optedOut = refused((result) => result.optOut)
    await doubtReceivers(refused((result) => result.error.code === 'send.number_invalid'))
    if (![...results.values()].some((result) => !result.accepted && result.pauseLane)) circuit.succeeded()
    if (optedOut.length === 0) return
    const phoneIds = optedOut.map((entry) => entry.phoneId)
    await db
      .transaction((tx) => noteNetworkBlock(tx, phoneIds, 'send', clock.now()))
      .catch((error: unknown) => logger.error({ event: 'sender.opt_out_lost', code: errorCode(error) }))
  }

  /** The provider says that no SMS can reach these numbers. */
  async function doubtReceivers(gone: readonly Entry[]): Promise<void> {
    const now = clock.now()
    for (const { phoneId } of gone)
      await db
        .transaction((tx) =>
          doubtNumber(tx, { phoneId, evidenceAt: now, reason: 'gone', actor: 'system:sender', now }),
        )
        .then(({ length }) => metrics.reverify.inc({ reason: 'gone' }, length))
        .catch((error: unknown) => logger.error({ event: 'sender.doubt_lost', code: errorCode(error) }))
  }

  function giveWaitingBack(reason: string): void {
    const calls = waiting
    const notBefore = circuit.restsUntil()
    waiting = []
    release(calls.flatMap((call) => call.entries))
    for (const call of calls) {
      writer
        .write(
          call.entries.map((entry) => ({
            messageId: entry.messageId,
            to: 'created' as const,
            source: 'sender' as const,
            reason,
            ifBatch: call.batchId,
            ...(notBefore === undefined ? {} : { set: { notBefore } }),
          })),
        )
        .then(
          (moved) => call.resolve({ submitted: 0, released: moved.length, other: 0 }),
          (error: unknown) => call.reject(error),
        )
    }
  }

  return {
    plan(entries, batchId) {
      const planned = groupByText(entries, recipientsPerCall).map(
        (group) =>
          new Promise<CallDone>((resolve, reject) => {
            waiting.push({ batchId, entries: group, resolve, reject })
          }),
      )
      if (stopped) giveWaitingBack('drain')
      else if (circuit.restsUntil() !== undefined) giveWaitingBack('paused')
      else pump()
      return planned
    },

    async giveBack(rows, batchId, reason) {
      await writer.write(
        rows.map(({ id, attempts }) => {
          const mark = { messageId: id, source: 'sender', reason, ifBatch: batchId } as const
          return attempts + 1 >= attemptsMax
            ? { ...mark, to: 'failed' }
            : { ...mark, to: 'created', set: { attempted: true, notBefore: retryAt(attempts) } }
        }),
      )
    },

    async stop() {
      stopped = true
      circuit.stop()
      giveWaitingBack('drain')
      await Promise.all(runners)
    },
  }
}
