// In: who asks, as a keyed hash. Out: whether it may go on. Sign-in budgets hold across processes; a budget that cannot be read is spent.
import { createHmac } from 'node:crypto'
import { RateLimiterMemory, RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible'
import type { Db } from '../db.ts'

export interface Limits {
  /** A code was asked for from this address. */
  ask(address: string): Promise<boolean>
  /** A code was typed at this address. */
  enter(address: string): Promise<boolean>
  /** A page was asked for in this session; counted by each process for itself. */
  page(session: string): Promise<boolean>
}

export interface Budgets {
  /** In ten minutes, from one address: an office shares one. */
  asks: number
  entries: number
  /** In a minute, in one session. */
  pages: number
}

export const usualBudgets: Budgets = { asks: 20, entries: 60, pages: 300 }

export function createLimits(db: Db, pepper: string, budgets: Budgets = usualBudgets): Limits {
  const key = createHmac('sha256', pepper).update('rate limits').digest()
  const keyed = (word: string) => createHmac('sha256', key).update(word).digest('base64url')
  const shared = (name: string, points: number) =>
    new RateLimiterPostgres({
      storeClient: db.pool,
      storeType: 'pool',
      tableName: 'rate_limits',
      tableCreated: true,
      // What is over is deleted with everything else that is kept for a time.
      clearExpiredByTimeout: false,
      keyPrefix: name,
      points,
      duration: 600,
    })
  const asks = shared('ask', budgets.asks)
  const entries = shared('enter', budgets.entries)
  const pages = new RateLimiterMemory({ points: budgets.pages, duration: 60 })
  return {
    ask: (address) => isWithin(asks.consume(keyed(address))),
    enter: (address) => isWithin(entries.consume(keyed(address))),
    page: (session) => isWithin(pages.consume(keyed(session))),
  }
}

/** A spent budget rejects with what is left; anything else is the database that is away. */
function isWithin(consumed: Promise<unknown>): Promise<boolean> {
  return consumed.then(
    () => true,
    (error: unknown) => {
      if (error instanceof RateLimiterRes) return false
      throw error
    },
  )
}
