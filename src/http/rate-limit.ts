// In: a call with a key. Out: whether it is within what the key may ask in a minute, counted over all processes.
// Must never cost a call more than one short statement, nor a refused one more than none once the minute is known to be spent.
import type { Clock } from '../clock.ts'
import type { Db } from '../db.ts'

export const windowSeconds = 60
const windowMs = windowSeconds * 1_000

/** Where a key stands in its minute, this call included. */
export interface Standing {
  allowed: boolean
  limit: number
  remaining: number
  /** Until the next minute. */
  resetSeconds: number
}

export type RateLimit = (keyId: string) => Promise<Standing>

// A process whose clock is behind counts into the newer minute.
const countSql = `
  insert into api_key_windows as w (api_key_id, window_at, calls) values ($1, $2, 1)
  on conflict (api_key_id) do update
     set calls = case when w.window_at >= excluded.window_at then w.calls + 1 else 1 end,
         window_at = greatest(w.window_at, excluded.window_at)
  returning calls`

export function createRateLimit({
  db,
  clock,
  callsPerMinute: limit,
}: {
  db: Pick<Db, 'pool'>
  clock: Clock
  callsPerMinute: number
}): RateLimit {
  /** Keys whose minute is spent, with that minute. */
  const spent = new Map<string, number>()
  return async (keyId) => {
    const nowMs = clock.now().getTime()
    const windowAtMs = nowMs - (nowMs % windowMs)
    const resetSeconds = Math.max(1, Math.ceil((windowAtMs + windowMs - nowMs) / 1_000))
    if (spent.get(keyId) === windowAtMs) return { allowed: false, limit, remaining: 0, resetSeconds }
    const { rows } = await db.pool.query<{ calls: number }>(countSql, [keyId, new Date(windowAtMs)])
    const calls = rows[0]?.calls ?? 0
    if (calls > limit) spent.set(keyId, windowAtMs)
    else spent.delete(keyId)
    return { allowed: calls <= limit, limit, remaining: Math.max(0, limit - calls), resetSeconds }
  }
}

/** The fields of draft-ietf-httpapi-ratelimit-headers; `Retry-After` only with a refusal. */
export function rateHeaders({ allowed, limit, remaining, resetSeconds }: Standing): Record<string, string> {
  return {
    'ratelimit-policy': `"key";q=${limit};w=${windowSeconds}`,
    ratelimit: `"key";r=${remaining};t=${resetSeconds}`,
    ...(allowed ? {} : { 'retry-after': String(resetSeconds) }),
  }
}
