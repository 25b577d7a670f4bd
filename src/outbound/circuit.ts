// In: how the provider calls of one lane ended. Out: whether the lane may call, rests, or tries with a single message.
// Must never let an outage cost more messages of unknown outcome than the calls under way when it began, and one a try after that.
import type { Alarms } from '../alarms.ts'
import type { Clock } from '../clock.ts'
import type { SendError, SendErrorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import type { Lane } from './status.ts'

export interface CircuitOptions {
  lane: Lane
  clock: Clock
  logger: Logger
  metrics: Metrics
  alarms?: Alarms
  /** First rest; doubles up to ten times that, and varies by a quarter, so that processes do not all try in one moment [30000]. */
  pauseMs?: number
  /** The lane rests from now on. */
  onOpen(reason: string): void
  /** The rest is over: one message may be tried. */
  onTry(): void
  /** A call went through: all may go. */
  onClose(): void
}

export interface Circuit {
  /** When the lane goes on; undefined unless it rests. */
  restsUntil(): Date | undefined
  /** One message at a time, until a call goes through. */
  isTrying(): boolean
  /** A call went through, and the account can send. */
  succeeded(): void
  /** A whole call failed; returns when the lane goes on, if it rests now. */
  failed(fault: SendError): Date | undefined
  /** The account, not a message, is at fault: rests at once. */
  open(reason: string): Date
  stop(): void
}

/** Calls in a row that failed as a whole, before the lane rests instead of trying every row. */
const failuresMax = 5
const accountFaults: ReadonlySet<SendErrorCode> = new Set(['send.account', 'send.unauthorised'])
/** The provider is away, silent or broken; a refusal that names the request says nothing about the next one. */
const outageFaults: ReadonlySet<SendErrorCode> = new Set([
  'send.refused_connection',
  'send.timeout',
  'send.broken_answer',
  'send.server_error',
  'send.throttled',
])

export function createCircuit(options: CircuitOptions): Circuit {
  const { lane, clock, logger, metrics } = options
  const pauseBaseMs = options.pauseMs ?? 30_000
  let restsUntil: Date | undefined
  let isTrying = false
  let timer: NodeJS.Timeout | undefined
  let quietTimer: NodeJS.Timeout | undefined
  let restsInARow = 0
  let failuresInARow = 0
  let stopped = false

  function open(reason: string): Date {
    if (restsUntil !== undefined) return restsUntil
    const pauseMs = Math.min(pauseBaseMs * 2 ** restsInARow, pauseBaseMs * 10) * (0.75 + Math.random() / 2)
    restsInARow = Math.min(restsInARow + 1, 20)
    isTrying = false
    clearTimeout(quietTimer)
    restsUntil = new Date(clock.now().getTime() + pauseMs)
    metrics.lanePaused.set({ lane }, 1)
    options.alarms?.raise('lane.paused', lane)
    logger.error({ event: 'sender.lane_paused', lane, code: reason, pauseMs: Math.round(pauseMs) })
    timer = setTimeout(tryAgain, pauseMs)
    const until = restsUntil
    options.onOpen(reason)
    return until
  }

  function tryAgain(): void {
    restsUntil = undefined
    isTrying = true
    metrics.lanePaused.set({ lane }, 0)
    if (stopped) return
    logger.info({ event: 'sender.lane_tries', lane })
    // Nobody is woken for a lane that holds nothing back: what was due has expired, or another process took it. The next call is a try all
    // the same, and raises the alarm anew if it fails.
    quietTimer = setTimeout(() => options.alarms?.clear('lane.paused', lane), pauseBaseMs)
    options.onTry()
  }

  return {
    restsUntil: () => restsUntil,
    isTrying: () => isTrying,
    open,
    succeeded() {
      failuresInARow = 0
      // What was under way when the lane began to rest ends no rest.
      if (restsUntil !== undefined) return
      restsInARow = 0
      clearTimeout(quietTimer)
      options.alarms?.clear('lane.paused', lane)
      if (!isTrying) return
      isTrying = false
      logger.info({ event: 'sender.lane_resumed', lane })
      options.onClose()
    },
    failed(fault) {
      if (accountFaults.has(fault.code)) return open(fault.code)
      if (!outageFaults.has(fault.code)) {
        failuresInARow = 0
        return undefined
      }
      failuresInARow += 1
      return isTrying || failuresInARow >= failuresMax ? open(fault.code) : undefined
    },
    stop() {
      stopped = true
      clearTimeout(timer)
      clearTimeout(quietTimer)
    },
  }
}
