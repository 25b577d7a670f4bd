// In: the parts of a running process. Out: all of them stopped on SIGTERM or SIGINT, in reverse order, and the process ended within 40 s.
import { elapsedMs, withTimeout } from './clock.ts'
import type { Logger } from './logger.ts'

/** A supervisor gives us 40 s; what is not finished by then never will be. */
const drainMaxMs = 38_000
/** What hangs (a queue client whose Redis is away) must leave time for the database to be closed. */
const partsDrainMaxMs = 30_000

/** Something that runs and can be stopped; stopped in the reverse order of starting. */
export interface Part {
  name: string
  stop(): Promise<void>
}

/** `stopAll` is undefined while nothing is open yet: the start then sees the aborted signal and ends by itself. */
export function drainOnSignal(stop: AbortController, stopAll: () => Promise<boolean> | undefined): void {
  const drain = () => {
    if (stop.signal.aborted) return
    stop.abort()
    const late = setTimeout(() => {
      console.error(`Not drained within ${drainMaxMs / 1_000} s.`)
      process.exit(1)
    }, drainMaxMs)
    void stopAll()?.then((clean) => {
      clearTimeout(late)
      process.exit(clean ? 0 : 1)
    })
  }
  process.on('SIGTERM', drain)
  process.on('SIGINT', drain)
}

/** True when every part stopped without a fault. */
export async function stopAll(logger: Logger, parts: Part[]): Promise<boolean> {
  let clean = true
  const startedMs = elapsedMs()
  for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
    const limitMs = (parts.length === 0 ? drainMaxMs : partsDrainMaxMs) - (elapsedMs() - startedMs)
    try {
      await withTimeout(part.stop(), limitMs)
    } catch (error) {
      clean = false
      logger.error({
        event: 'serve.stop_failed',
        part: part.name,
        err: error instanceof Error ? error.name : 'unknown',
      })
    }
  }
  return clean
}
