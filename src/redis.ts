// In: a Redis URL. Out: a connection that fails fast while Redis is away or hangs and comes back by itself.
import { Redis } from 'ioredis'
import { errorCode } from './errors.ts'
import type { Logger } from './logger.ts'

/** `commandTimeout` in milliseconds [3000]. */
export function connectRedis(url: string, logger: Logger, commandTimeout = 3_000): Redis {
  const redis = new Redis(url, { maxRetriesPerRequest: 1, commandTimeout })
  redis.on('error', (error) => logger.warn({ event: 'redis.connection_lost', code: errorCode(error) }))
  return redis
}
