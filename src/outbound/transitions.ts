// In: moves of messages that someone asks for. Out: those that the ladder allows, done and recorded in one statement a batch.
// Must never move a message without an event row, and never from a status that status.ts does not allow.

import type { Clock } from '../clock.ts'
import { elapsedMs } from '../clock.ts'
import type { Pipeline, Queryable } from '../db.ts'
import { errorCode, InvariantError } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { allowedMoves, type Lane, type MessageStatus, type TransitionSource } from './status.ts'

export interface Transition {
  messageId: string
  to: MessageStatus
  source: TransitionSource
  /** A stable word such as "paid" or "send.timeout"; never a text or a number. */
  reason?: string
  /** Moves only while this job still owns the row. */
  ifBatch?: string
  set?: TransitionFields
}

/** What is learnt with a move; a field left out keeps its value. */
export interface TransitionFields {
  phoneId?: string
  language?: string
  text?: string
  segments?: number
  /** When and under which snapshot the facts of the text were read. */
  factsAt?: Date
  factsSnapshot?: string
  provider?: string
  providerMessageId?: string
  cost?: string
  costCurrency?: string
  notBefore?: Date
  /** Counts one try that the provider did not take. */
  attempted?: boolean
}

export interface Moved {
  id: string
  to: MessageStatus
  lane: Lane
  /** A delivery report came before this submit was saved and waits for it. */
  reportWaits: boolean
}

/**
 * Completes an UPDATE of `messages m` so that the same statement writes the event rows, and what `also` adds from `moved`, which
 * holds `id, attempts`; `result` is selected from it. In the UPDATE `$1` is the instant, and old and new name the row's versions.
 */
export function movingStatement(
  update: string,
  source: TransitionSource,
  result: string,
  also?: string,
): string {
  return `with moved as (
      ${update} returning new.id, new.attempts, old.status as from_status, new.status as to_status, new.reason
    ), noted as (
      insert into message_events (message_id, from_status, to_status, source, reason, occurred_at)
      select id, from_status, to_status, '${source}', reason, $1 from moved
    )${also === undefined ? '' : `, more as (${also})`}
    select ${result} from moved`
}

const moveList = allowedMoves.map((move) => `'${move}'`).join(', ')

// One statement whatever is moved: unnest keeps it one prepared plan for a batch of any size.
const applySql = `
  with wanted as (
    select * from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::text[], $9::text[],
      $10::int[], $11::text[], $12::text[], $13::numeric[], $14::text[], $15::timestamptz[], $16::int[], $17::timestamptz[],
      $18::text[])
      as w(id, status, source, reason, if_batch, phone_id, language, text, segments, provider, provider_message_id, cost,
           cost_currency, not_before, attempted, facts_at, facts_snapshot)
  ), moved as (
    update messages m set
        status = w.status,
        reason = w.reason,
        updated_at = $1,
        batch_id = case when w.status = 'created' then null else m.batch_id end,
        phone_id = coalesce(w.phone_id, m.phone_id),
        language = coalesce(w.language, m.language),
        text = coalesce(w.text, m.text),
        segments = coalesce(w.segments, m.segments),
        provider = coalesce(w.provider, m.provider),
        provider_message_id = coalesce(w.provider_message_id, m.provider_message_id),
        cost = coalesce(w.cost, m.cost),
        cost_currency = coalesce(w.cost_currency, m.cost_currency),
        not_before = coalesce(w.not_before, m.not_before),
        facts_at = coalesce(w.facts_at, m.facts_at),
        facts_snapshot = coalesce(w.facts_snapshot::pg_snapshot, m.facts_snapshot),
        attempts = m.attempts + w.attempted,
        submitted_at = case when w.status = 'submitted' then $1 else m.submitted_at end
      from wanted w
     where m.id = w.id
       and (w.source || ' ' || m.status || ' ' || w.status) in (${moveList})
       and (w.if_batch is null or w.if_batch = m.batch_id)
    returning m.id, old.status as from_status, new.status as to_status, w.source, w.reason, m.lane,
      w.provider, w.provider_message_id
  ), noted as (
    insert into message_events (message_id, from_status, to_status, source, reason, occurred_at)
    select id, from_status, to_status, source, reason, $1 from moved
  )
  select id, lane,
         provider_message_id is not null and exists (
           select 1 from delivery_reports r
            where r.matched_at is null and r.provider = moved.provider
              and r.provider_message_id = moved.provider_message_id) as "reportWaits"
    from moved`

function applyValues(at: Date, transitions: readonly Transition[]): unknown[] {
  const ids = new Set<string>()
  for (const { messageId } of transitions) {
    if (ids.has(messageId)) throw new InvariantError(`Message ${messageId} is moved twice in one statement`)
    ids.add(messageId)
  }
  const column = <Value>(read: (fields: TransitionFields) => Value | undefined) =>
    transitions.map(({ set }) => (set === undefined ? null : (read(set) ?? null)))
  return [
    at,
    [...ids],
    transitions.map((transition) => transition.to),
    transitions.map((transition) => transition.source),
    transitions.map((transition) => transition.reason ?? null),
    transitions.map((transition) => transition.ifBatch ?? null),
    column((set) => set.phoneId),
    column((set) => set.language),
    column((set) => set.text),
    column((set) => set.segments),
    column((set) => set.provider),
    column((set) => set.providerMessageId),
    column((set) => set.cost),
    column((set) => set.costCurrency),
    column((set) => set.notBefore),
    transitions.map(({ set }) => (set?.attempted === true ? 1 : 0)),
    column((set) => set.factsAt),
    column((set) => set.factsSnapshot),
  ]
}

/** Moves what the ladder allows from each row's present status; one statement. The others stay as they are. */
export async function moveMessages(
  tx: Queryable,
  at: Date,
  transitions: readonly Transition[],
): Promise<Moved[]> {
  if (transitions.length === 0) return []
  const { rows } = await tx.query<Omit<Moved, 'to'>>(applySql, applyValues(at, transitions))
  return withTarget(rows, transitions)
}

function withTarget(rows: readonly Omit<Moved, 'to'>[], transitions: readonly Transition[]): Moved[] {
  const targets = new Map(transitions.map(({ messageId, to }) => [messageId, to]))
  return rows.flatMap((row) => {
    const to = targets.get(row.id)
    return to === undefined ? [] : { ...row, to }
  })
}

/** Like moveMessages; returns the ids that moved. */
export async function applyTransitions(
  tx: Queryable,
  at: Date,
  transitions: readonly Transition[],
): Promise<string[]> {
  return (await moveMessages(tx, at, transitions)).map((row) => row.id)
}

/** Adds moves to the figures, one by status and lane. */
export function countMoves(metrics: Metrics, moved: readonly Pick<Moved, 'to' | 'lane'>[]): void {
  const counts = new Map<string, { status: string; lane: string; count: number }>()
  for (const { to, lane } of moved) {
    const key = `${to} ${lane}`
    const entry = counts.get(key)
    if (entry === undefined) counts.set(key, { status: to, lane, count: 1 })
    else entry.count += 1
  }
  for (const { status, lane, count } of counts.values()) metrics.transitions.inc({ status, lane }, count)
}

/** Writes moves of many callers in few statements. */
export interface TransitionWriter {
  /** Resolves once committed, with the moves that took place. The moves of one call stand in one statement. */
  write(transitions: readonly Transition[]): Promise<Moved[]>
  close(): Promise<void>
}

export interface TransitionWriterOptions {
  /** Connections of its own, because statements wait for row locks here; each runs one statement at a time. */
  pipelines: readonly Pipeline[]
  clock: Clock
  logger: Logger
  metrics: Metrics
  /** Rows in one statement [500]. */
  rowsMax?: number
  /** How long a write is tried again while the database is away [20000]. */
  retryForMs?: number
}

interface Ask {
  transitions: readonly Transition[]
  resolve(moved: Moved[]): void
  reject(error: unknown): void
}

/**
 * Group commit: everything asked while all connections are busy goes into the next statement, so that each caller has its commit
 * before it goes on and yet a statement serves many. A write that fails is tried again: moves already made are then refused
 * by the ladder and reported as not moved, which the caller must take as "not mine".
 */
export function createTransitionWriter(options: TransitionWriterOptions): TransitionWriter {
  const { clock, logger, metrics } = options
  const rowsMax = options.rowsMax ?? 500
  const retryForMs = options.retryForMs ?? 20_000
  let waiting: Ask[] = []
  const idle = [...options.pipelines]

  function take(): Ask[] {
    const ids = new Set<string>()
    let count = 0
    for (const { transitions } of waiting) {
      if (count > 0 && ids.size + transitions.length > rowsMax) break
      // A job that was taken for dead may still be at work beside its second run: a statement moves a message once.
      if (count > 0 && transitions.some(({ messageId }) => ids.has(messageId))) break
      for (const { messageId } of transitions) ids.add(messageId)
      count += 1
    }
    const taken = waiting.slice(0, count)
    waiting = waiting.slice(count)
    return taken
  }

  async function run(pipeline: Pipeline, asks: readonly Ask[]): Promise<void> {
    try {
      const transitions = asks.flatMap((ask) => ask.transitions)
      const moved = await writeWithRetry(pipeline, transitions)
      countMoves(metrics, moved)
      const byId = new Map(moved.map((row) => [row.id, row]))
      for (const ask of asks) {
        ask.resolve(ask.transitions.flatMap(({ messageId }) => byId.get(messageId) ?? []))
      }
    } catch (error) {
      for (const ask of asks) ask.reject(error)
    }
  }

  async function writeWithRetry(pipeline: Pipeline, transitions: readonly Transition[]): Promise<Moved[]> {
    const startedMs = elapsedMs()
    for (let pauseMs = 50; ; pauseMs = Math.min(pauseMs * 2, 2_000)) {
      try {
        const rows = await pipeline.query<Omit<Moved, 'to'> & { [column: string]: unknown }>(
          'messages.move',
          applySql,
          applyValues(clock.now(), transitions),
        )
        return withTarget(rows, transitions)
      } catch (error) {
        if (error instanceof InvariantError || elapsedMs() - startedMs > retryForMs) throw error
        logger.warn({ event: 'messages.move_failed', code: errorCode(error), rows: transitions.length })
        await new Promise((resolve) => setTimeout(resolve, pauseMs))
      }
    }
  }

  function flush(): void {
    while (waiting.length > 0) {
      const pipeline = idle.pop()
      if (pipeline === undefined) return
      run(pipeline, take()).finally(() => {
        idle.push(pipeline)
        flush()
      })
    }
  }

  return {
    write(transitions) {
      if (transitions.length === 0) return Promise.resolve([])
      return new Promise((resolve, reject) => {
        waiting.push({ transitions, resolve, reject })
        // Callers that ask in the same turn of the event loop share the first statement too.
        setImmediate(flush)
      })
    },
    async close() {
      await Promise.all(options.pipelines.map((pipeline) => pipeline.close()))
    },
  }
}
