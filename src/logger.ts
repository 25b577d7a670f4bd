// One JSON line a callback, job and decision. Ids and masked numbers only: never a text, a name, an amount or a PIN.
import { type DestinationStream, type Logger, pino } from 'pino'

export type { Logger } from 'pino'

/** Logs to standard output, or to `destination` in tests. Fields that could hold what a member typed are cut out. */
export function createLogger(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: null,
    redact: { paths: ['text', 'pin', 'body', '*.text', '*.pin', '*.body', 'url', 'req.url'], remove: true },
  }
  return destination === undefined ? pino(options) : pino(options, destination)
}
