// In: the time. Out: a case that nobody answered by the promised day has another owner, once; an alarm where there is nobody.
// Several planners may do it at once. Must never pass a social worker's case to anybody but a social worker.
import type { Alarms } from '../alarms.ts'
import { recordAudit } from '../audit.ts'
import type { Clock } from '../clock.ts'
import type { Db, Queryable } from '../db.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { createRounds } from '../rounds.ts'
import { chooseOwner } from './owner.ts'
import { type CaseKind, ownersAfter } from './rules.ts'
import { overdueSql } from './worklist.ts'

export interface EscalationOptions {
  db: Db
  clock: Clock
  logger: Logger
  metrics: Metrics
  alarms: Alarms
  /** Between two rounds [an hour]: midnight is another hour in every zone. */
  intervalMs?: number
}

export interface Escalated {
  /** Cases with a new owner. */
  passedOn: number
  /** Cases that nobody can take. */
  stuck: number
}

export interface Escalation {
  start(): void
  /** Resolves when the case under way is done. */
  stop(): Promise<void>
  runOnce(now: Date): Promise<Escalated>
}

interface Overdue {
  id: string
  programmeId: string
  memberId: string
  kind: CaseKind
  ownerId: string | null
  language: string | null
  reference: string
}

const hourMs = 3_600_000

const nextSql = `
  select c.id, c.programme_id as "programmeId", c.member_id as "memberId", c.kind, c.owner_id as "ownerId", c.language,
         c.reference
    from cases c join programmes p on p.id = c.programme_id
   where c.status = 'open' and c.escalated_at is null and ${overdueSql('$1')} and c.id > $2
   order by c.id limit 1 for update of c skip locked`

export function createEscalation(options: EscalationOptions): Escalation {
  const { db, clock, logger, metrics, alarms, intervalMs = hourMs } = options
  async function runOnce(now: Date): Promise<Escalated> {
    const done: Escalated = { passedOn: 0, stuck: 0 }
    const stuckIn = new Set<string>()
    for (let after = '00000000-0000-0000-0000-000000000000'; !rounds.isStopping(); ) {
      const one = await db.transaction((tx) => passOn(tx, after, now))
      if (one === undefined) break
      after = one.id
      if (one.passedOn) done.passedOn += 1
      else {
        done.stuck += 1
        stuckIn.add(one.programmeId)
      }
    }
    for (const programmeId of stuckIn) alarms.raise('cases.stuck', programmeId)
    for (const { code, where } of alarms.list())
      if (code === 'cases.stuck' && !stuckIn.has(where)) alarms.clear(code, where)
    const { rows } = await db.pool.query<{ overdue: number }>(
      `select count(*)::int as overdue from cases c join programmes p on p.id = c.programme_id where ${overdueSql('$1')}`,
      [now],
    )
    metrics.casesOverdue.set(rows[0]?.overdue ?? 0)
    if (done.passedOn > 0) logger.info({ event: 'cases.passed_on', cases: done.passedOn })
    return done
  }

  const rounds = createRounds({
    clock,
    logger,
    failed: 'cases.failed',
    intervalMs,
    retryMs: 60_000,
    work: runOnce,
  })
  return { runOnce, start: rounds.start, stop: rounds.stop }
}

/** The next overdue case; undefined when there is none that another planner does not have. */
async function passOn(
  tx: Queryable,
  after: string,
  now: Date,
): Promise<{ id: string; programmeId: string; passedOn: boolean } | undefined> {
  const { rows } = await tx.query<Overdue & { [column: string]: unknown }>(nextSql, [now, after])
  const found = rows[0]
  if (found === undefined) return undefined
  const { id, programmeId, memberId, kind, ownerId, language, reference } = found
  const next = await chooseOwner(tx, {
    programmeId,
    memberId,
    inTurn: ownersAfter(kind),
    language,
    except: ownerId,
  })
  if (next === undefined) return { id, programmeId, passedOn: false }
  // Whoever has it now has not begun with it.
  await tx.query('update cases set owner_id = $2, escalated_at = $3, taken_at = null where id = $1', [
    id,
    next,
    now,
  ])
  await recordAudit(tx, {
    at: now,
    programmeId,
    actor: 'system:cases',
    action: 'case.escalated',
    subject: `case:${reference}`,
    before: { escalated: false },
    after: { escalated: true },
  })
  return { id, programmeId, passedOn: true }
}
