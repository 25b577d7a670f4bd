// In: an answer that could not be given in time. Out: the same answer as an outbox row, as soon as the database takes it.
// Kept in this process for at most 30 minutes; the row's dedupe key makes a second try harmless.
import { elapsedMs, withTimeout } from '../clock.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'

const giveUpMs = 30 * 60_000
const attemptTimeoutMs = 20_000
const firstDelayMs = 500
const delayMaxMs = 15_000
/** More than this at once means an outage; the rest has to dial again. */
const waitingMax = 10_000

export type LateAnswers = ReturnType<typeof createLateAnswers>

export function createLateAnswers({ logger, metrics }: { logger: Logger; metrics: Metrics }) {
  const waiting = new Set<Promise<void>>()
  const wakeUps = new Set<() => void>()
  let draining = false

  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer)
        wakeUps.delete(wake)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      timer.unref()
      wakeUps.add(wake)
    })
  }

  async function persist(session: string, attempt: () => Promise<void>): Promise<void> {
    const startedMs = elapsedMs()
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(delayMs * 2, delayMaxMs)) {
      try {
        await withTimeout(attempt(), attemptTimeoutMs)
        metrics.lateAnswers.inc({ outcome: 'settled' })
        logger.info({ event: 'ussd.late_answer', session, ms: Math.round(elapsedMs() - startedMs) })
        return
      } catch (error) {
        if (draining || elapsedMs() - startedMs > giveUpMs) {
          metrics.lateAnswers.inc({ outcome: 'given_up' })
          logger.error({ event: 'ussd.late_answer_given_up', session, code: errorCode(error) })
          return
        }
      }
      await pause(delayMs)
    }
  }

  return {
    /** `attempt` must be idempotent. False when too many wait already. */
    follow(session: string, attempt: () => Promise<void>): boolean {
      if (waiting.size >= waitingMax) {
        metrics.lateAnswers.inc({ outcome: 'dropped' })
        logger.error({ event: 'ussd.late_answer_dropped', session, waiting: waiting.size })
        return false
      }
      const work = persist(session, attempt).finally(() => waiting.delete(work))
      waiting.add(work)
      return true
    },
    /** One last attempt for each, then no more. */
    async drain(): Promise<void> {
      draining = true
      for (const wake of wakeUps) wake()
      await Promise.all(waiting)
    },
  }
}
