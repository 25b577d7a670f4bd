// In: forms for Tama's callbacks. Out: HTTP posts, few at a time, again after a while when not answered 200.
// Must never keep the process alive: every timer is unref'ed, and close() ends what is under way.
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'

export interface PosterOptions {
  logger: Logger
  /** Posts at once [16]. */
  concurrency?: number
  /** Pauses before each further try; Africa's Talking tries for about ten minutes [1 s, 5 s, 30 s, 2 min, 5 min]. */
  retryDelaysMs?: readonly number[] | undefined
}

export type CallbackPath = 'delivery' | 'sms' | 'opt-out' | 'ussd' | 'ussd-end' | 'sim-swap'
export type Form = Readonly<Record<string, string | undefined>>

export type Poster = ReturnType<typeof createPoster>

export function createPoster(options: PosterOptions) {
  const { logger, concurrency = 16 } = options
  const retryDelaysMs = options.retryDelaysMs ?? [1_000, 5_000, 30_000, 120_000, 300_000]
  const timers = new Set<NodeJS.Timeout>()
  const waiting: (() => void)[] = []
  const settledListeners = new Set<() => void>()
  const closing = new AbortController()
  let base: string | undefined
  let running = 0
  let pending = 0

  function later(delayMs: number, work: () => void): NodeJS.Timeout {
    const timer = setTimeout(() => {
      timers.delete(timer)
      work()
    }, delayMs)
    timer.unref()
    timers.add(timer)
    return timer
  }

  function cancel(timer: NodeJS.Timeout | undefined): void {
    if (timer === undefined) return
    clearTimeout(timer)
    timers.delete(timer)
  }

  async function withTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    // A turn that ends is handed to the next in line, so that the count never overshoots.
    if (running >= concurrency) await new Promise<void>((resolve) => waiting.push(resolve))
    else running += 1
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }

  /** One try. Rejects when there is no callback address, no answer in time, or no connection. */
  async function post(
    path: CallbackPath,
    form: Form,
    timeoutMs: number,
  ): Promise<{ status: number; body: string }> {
    if (base === undefined) throw new Error('No callback address is set')
    const fields = new URLSearchParams()
    for (const [field, value] of Object.entries(form)) if (value !== undefined) fields.append(field, value)
    // Insights alone are told in JSON.
    const body = path === 'sim-swap' ? JSON.stringify(form) : fields
    const response = await fetch(`${base}/${path}`, {
      method: 'POST',
      body,
      signal: AbortSignal.any([closing.signal, AbortSignal.timeout(timeoutMs)]),
    })
    return { status: response.status, body: await response.text() }
  }

  /** Keeps trying; true as soon as one try was answered 200. `attempted` hears how each try went. */
  async function deliver(
    path: CallbackPath,
    form: Form,
    attempted?: (ok: boolean) => void,
  ): Promise<boolean> {
    pending += 1
    try {
      for (let attempt = 0; ; attempt += 1) {
        const ok = await withTurn(() => post(path, form, 30_000))
          .then((answer) => answer.status === 200)
          .catch((error: unknown) => {
            logger.debug({ event: 'emulator.callback_failed', path, code: errorCode(error) })
            return false
          })
        attempted?.(ok)
        const delayMs = retryDelaysMs[attempt]
        if (ok || delayMs === undefined || closing.signal.aborted) return ok
        await new Promise<void>((resolve) => later(delayMs, resolve))
      }
    } finally {
      pending -= 1
      settleIfIdle()
    }
  }

  function settleIfIdle(): void {
    if (pending > 0) return
    for (const listener of settledListeners) listener()
    settledListeners.clear()
  }

  return {
    later,
    cancel,
    post,
    deliver,
    /** Where Tama listens, for example "http://127.0.0.1:8080/callbacks/africastalking/<secret>"; undefined: nobody is told. */
    setBase: (url: string | undefined) => {
      base = url?.replace(/\/$/, '')
    },
    hasBase: () => base !== undefined,
    /** Counts planned work, so that settled() waits for it too. */
    plan(delayMs: number, work: () => Promise<unknown>): void {
      pending += 1
      later(delayMs, () => {
        work()
          .catch((error: unknown) => logger.warn({ event: 'emulator.failed', code: errorCode(error) }))
          .finally(() => {
            pending -= 1
            settleIfIdle()
          })
      })
    },
    /** Resolves when no report is planned, under way or waiting for another try. */
    settled: () =>
      pending === 0
        ? Promise.resolve()
        : new Promise<void>((resolve) => settledListeners.add(() => resolve())),
    close(): void {
      closing.abort()
      for (const timer of timers) clearTimeout(timer)
      timers.clear()
      pending = 0
      settleIfIdle()
    },
  }
}
