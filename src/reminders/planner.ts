// In: schedules, meetings and trainings, and the time. Out: reminders in the outbox, each at most once, whoever plans and how often.
// Set-based: one statement a kind and programme. Must never compute money outside the database, nor send anything.
import { localParts } from '../calendar.ts'
import { type Clock, elapsedMs } from '../clock.ts'
import type { Db } from '../db.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { createMessagesFromSelect } from '../outbound/outbox.ts'
import { createRounds, whenAlone } from '../rounds.ts'
import { type ReminderKind, reminderKinds } from './kinds/index.ts'

export interface PlannerOptions {
  db: Db
  clock: Clock
  logger: Logger
  metrics: Metrics
  /** Between two rounds [600000]. */
  intervalMs?: number
}

/** Reminders written, by kind. */
export type Planned = Record<string, number>

export interface Planner {
  start(): void
  /** Resolves when the round under way is done. */
  stop(): Promise<void>
  /** One round for every programme. A round that another planner is doing right now is left to it (all counts 0). */
  planOnce(now: Date): Promise<Planned>
}

/** Arbitrary but fixed: two planners at once would only do the work twice, but never write twice. */
const plannerLockKey = 7_391_002

interface ProgrammeDay {
  id: string
  timeZone: string
}

export function createPlanner(options: PlannerOptions): Planner {
  const { db, clock, logger, metrics } = options
  const intervalMs = options.intervalMs ?? 600_000

  async function planKind(kind: ReminderKind, programme: ProgrammeDay, now: Date): Promise<number> {
    const startedMs = elapsedMs()
    const today = localParts(now, programme.timeZone).date
    const written = await db.transaction(async (tx) => {
      // One long statement: compiling it costs more than it saves, and its sorts and hashes should stay in memory.
      await tx.query(`set local jit = off`)
      await tx.query(`set local work_mem = '64MB'`)
      return createMessagesFromSelect(tx, kind.select, [programme.id, now, today])
    })
    if (written > 0) {
      metrics.reminders.inc({ kind: kind.name }, written)
      const durationMs = Math.round(elapsedMs() - startedMs)
      logger.info({
        event: 'reminders.planned',
        kind: kind.name,
        programme: programme.id,
        written,
        durationMs,
      })
    }
    return written
  }

  /** A kind that fails for one programme holds up no other; the first failure is given back when all were tried. */
  async function planAll(programmes: readonly ProgrammeDay[], now: Date, planned: Planned): Promise<unknown> {
    let failure: unknown
    for (const programme of programmes)
      for (const kind of reminderKinds) {
        try {
          planned[kind.name] = (planned[kind.name] ?? 0) + (await planKind(kind, programme, now))
        } catch (error) {
          failure ??= error
          const code = errorCode(error)
          logger.error({ event: 'reminders.kind_failed', kind: kind.name, programme: programme.id, code })
        }
      }
    return failure
  }

  async function planOnce(now: Date): Promise<Planned> {
    const planned: Planned = Object.fromEntries(reminderKinds.map((kind) => [kind.name, 0]))
    const failure = await whenAlone(db, plannerLockKey, async () => {
      const programmes = await db.pool.query<ProgrammeDay>(
        'select id, time_zone as "timeZone" from programmes order by code',
      )
      return planAll(programmes.rows, now, planned)
    })
    if (failure !== undefined) throw failure
    return planned
  }

  const rounds = createRounds({
    clock,
    logger,
    failed: 'reminders.failed',
    intervalMs,
    retryMs: 1_000,
    work: planOnce,
  })
  return { planOnce, start: rounds.start, stop: rounds.stop }
}
