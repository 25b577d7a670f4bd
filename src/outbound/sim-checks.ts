// In: questions about SIMs that dialogues wrote down. Out: each asked at the provider once. Must never hold up a dialogue or a message.
import type { Clock } from '../clock.ts'
import type { Db } from '../db.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { SimSwapCheck } from '../providers/sim-swap.ts'
import { createWaker } from '../waker.ts'

export interface SimChecksOptions {
  db: Db
  clock: Clock
  logger: Logger
  check: SimSwapCheck
  /** Between two looks [3000]. */
  intervalMs?: number
}

export interface SimChecks {
  start(): void
  stop(): Promise<void>
  /** How many were asked. */
  askOnce(): Promise<number>
}

const batchRows = 20

// Claimed by asking: a crash in between leaves a question without its name, which the next dial asks anew after a while.
const claimSql = `
  update sim_checks c set asked_at = $1
    from phones p
   where p.id = c.phone_id and c.id in (
     select id from sim_checks where asked_at is null and wanted_at > $1::timestamptz - interval '1 hour'
      order by wanted_at limit ${batchRows} for update skip locked)
  returning c.id, p.msisdn`

export function createSimChecks(options: SimChecksOptions): SimChecks {
  const { db, clock, logger, check, intervalMs = 3_000 } = options
  const waker = createWaker()
  let stopping = false
  let loop: Promise<void> = Promise.resolve()

  async function ask(id: string, msisdn: string): Promise<boolean> {
    try {
      const requestId = await check.ask(msisdn)
      await db.pool.query('update sim_checks set request_id = $2 where id = $1', [id, requestId])
      return true
    } catch (error) {
      logger.warn({ event: 'sim_check.failed', code: errorCode(error) })
      await db.pool.query('update sim_checks set asked_at = null where id = $1 and request_id is null', [id])
      return false
    }
  }

  async function askOnce(): Promise<number> {
    const { rows } = await db.pool.query<{ id: string; msisdn: string }>(claimSql, [clock.now()])
    const asked = await Promise.all(rows.map(({ id, msisdn }) => ask(id, msisdn)))
    const failed = asked.filter((isAsked) => !isAsked).length
    if (failed > 0) throw new Error('The provider did not take a question')
    return asked.length
  }

  async function run(): Promise<void> {
    let failures = 0
    while (!stopping) {
      try {
        await askOnce()
        failures = 0
      } catch (error) {
        failures += 1
        logger.warn({ event: 'sim_check.round_failed', code: errorCode(error), failures })
      }
      await waker.rest(Math.min(intervalMs * 2 ** failures, 60_000))
    }
  }

  return {
    askOnce,
    start() {
      loop = run()
    },
    async stop() {
      stopping = true
      waker.stop()
      await loop
    },
  }
}
