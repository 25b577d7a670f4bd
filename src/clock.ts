// The only reader of the time. Everything else is handed a Clock.
import { DependencyError } from './errors.ts'

export interface Clock {
  now(): Date
}

export const systemClock: Clock = { now: () => new Date() }

/** A clock for tests and simulations that stands still until it is moved. */
export interface FixedClock extends Clock {
  set(at: Date | string): void
  advanceMs(ms: number): void
}

export function fixedClock(start: Date | string): FixedClock {
  let at = new Date(start)
  return {
    now: () => new Date(at),
    set: (next) => {
      at = new Date(next)
    },
    advanceMs: (ms) => {
      at = new Date(at.getTime() + ms)
    },
  }
}

/** Monotonic milliseconds, for durations only. */
export function elapsedMs(): number {
  return performance.now()
}

/** Rejects with `dependency.slow` after `ms`; the work itself goes on. */
export function withTimeout<Result>(work: Promise<Result>, ms: number): Promise<Result> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new DependencyError('dependency.slow', 'No answer in time.')), ms)
    work.then(
      (result) => {
        clearTimeout(timer)
        resolve(result)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
