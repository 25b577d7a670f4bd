// In: what a provider says happened to a message. Out: the report stored, known or not, and the message moved up the ladder.
// Must never guess: a word that stands in no table is stored and moves nothing; a number alone settles only a single `unknown`.
import type { Clock } from '../clock.ts'
import type { Db } from '../db.ts'
import { doubtNumber } from '../members/reverify.ts'
import type { Metrics } from '../metrics.ts'
import { africasTalkingGoneReasons, africasTalkingReportWords } from '../providers/africastalking.ts'
import { clearNetworkBlocks, noteNetworkBlock } from './opt-out.ts'
import { createOwedCorrections, owedCorrectionsSql } from './outbox.ts'
import { allowedMoves, type Lane, type ReportedStatus } from './status.ts'
import { countMoves, type Moved, moveMessages, type Transition } from './transitions.ts'

export interface DeliveryReport {
  provider: string
  providerMessageId: string
  /** The provider's own word. */
  status: string
  failureReason?: string | undefined
  networkCode?: string | undefined
  msisdn?: string | undefined
  /** The one programme whose messages it may move; undefined: any. */
  programmeId?: string | undefined
}

/** The words of each provider; literal, because the providers change their case between documents. */
const wordsByProvider: Readonly<Record<string, Readonly<Record<string, ReportedStatus>>>> = {
  africastalking: africasTalkingReportWords,
}

const goneReasonsByProvider: Readonly<Record<string, ReadonlySet<string>>> = {
  africastalking: africasTalkingGoneReasons,
}

/** What the provider's word means on the ladder; undefined for a word that stands in no table. */
export function statusOfReport(report: { provider: string; status: string }): ReportedStatus | undefined {
  const words = wordsByProvider[report.provider]
  return words !== undefined && Object.hasOwn(words, report.status) ? words[report.status] : undefined
}

/** A stable word for the event row: the provider's reason, or its status where that says more than ours. */
function reasonOf(report: { status: string; failureReason?: string | null | undefined }): string {
  return `report.${report.failureReason ?? report.status}`
}

const reportMoves = allowedMoves
  .filter((move) => move.startsWith('delivery_report '))
  .map((move) => `'${move.slice('delivery_report '.length)}'`)
  .join(', ')

// The hot path is one statement: store, find, move and note.
const recordSql = `
  with report as (
    insert into delivery_reports
      (provider, provider_message_id, status, failure_reason, network_code, received_at, programme_id, matched_at)
    select $2, $3, $4, $5, $6, $1, $9::uuid,
      case when exists (select 1 from messages where provider = $2 and provider_message_id = $3) then $1::timestamptz end
     where $9 is null or not exists (
       select 1 from messages where provider = $2 and provider_message_id = $3 and programme_id <> $9)
    returning id, matched_at
  ), moved as (
    update messages m set status = $7, reason = $8, updated_at = $1
     where m.provider = $2 and m.provider_message_id = $3 and ($9 is null or m.programme_id = $9)
       and (m.status || ' ' || $7::text) in (${reportMoves})
    returning m.id, old.status as from_status, new.status as to_status, m.lane, m.phone_id,
      m.programme_id, m.member_id, m.template, m.params
  ), corrected as (
    ${owedCorrectionsSql("(select * from moved where to_status = 'delivered')", '$1')}
  ), noted as (
    insert into message_events (message_id, from_status, to_status, source, reason, occurred_at)
    select id, from_status, to_status, 'delivery_report', $8, $1 from moved
  )
  select report.id as "reportId", report.matched_at is not null as matched, moved.id, moved.to_status as "to",
         moved.lane,
         exists (select 1 from phones p where p.id = moved.phone_id and p.network_blocked_at is not null) as blocked
    from report left join moved on true`

/**
 * What became of a report: it moved a message, it changed nothing (late or repeated), it waits, its word is unknown, or it is about
 * another programme's message than the caller's and not even stored.
 */
export type ReportOutcome = 'moved' | 'unchanged' | 'waiting' | 'unknown_word' | 'other_programme'

/** Stores every report; resolves also for unknown ids and words, which are facts too. */
export async function recordDeliveryReport(
  db: Db,
  clock: Clock,
  report: DeliveryReport,
  metrics?: Metrics,
): Promise<ReportOutcome> {
  const status = statusOfReport(report)
  const { rows } = await db.pool.query<{
    reportId: string
    matched: boolean
    id: string | null
    to: ReportedStatus
    lane: Lane
    blocked: boolean
  }>(recordSql, [
    clock.now(),
    report.provider,
    report.providerMessageId,
    report.status,
    report.failureReason ?? null,
    report.networkCode ?? null,
    status ?? null,
    reasonOf(report),
    report.programmeId ?? null,
  ])
  const moved = rows.filter((row) => row.id !== null)
  const reportId = rows[0]?.reportId
  let outcome: ReportOutcome =
    reportId === undefined
      ? 'other_programme'
      : status === undefined
        ? 'unknown_word'
        : moved.length > 0
          ? 'moved'
          : 'unchanged'
  if (metrics !== undefined) countMoves(metrics, moved)
  const through = moved.filter(({ to, blocked }) => to === 'delivered' && blocked)
  if (through.length > 0)
    await clearNetworkBlocks(
      db.pool,
      through.map((row) => row.id ?? ''),
    )
  if (isBlock(report) && rows[0]?.matched === true) await noteBlocks(db, clock, [report])
  if (rows[0]?.matched === false && reportId !== undefined) {
    outcome = (await keepForLater(db, clock, reportId, report, metrics)) ? 'moved' : 'waiting'
  }
  if (isGone(report) && reportId !== undefined)
    await doubtReceivers({ db, clock, ...(metrics === undefined ? {} : { metrics }) }, [report])
  metrics?.deliveryReports.inc({ outcome })
  return outcome
}

/** The receiver blocked us at her network. The provider writes the word in two ways. */
function isBlock({ failureReason }: { failureReason?: string | null | undefined }): boolean {
  return failureReason?.toLowerCase() === 'userinblacklist'
}

async function noteBlocks(
  db: Db,
  clock: Clock,
  reports: readonly { provider: string; providerMessageId: string }[],
): Promise<void> {
  await db.transaction(async (tx) => {
    for (const { provider, providerMessageId } of reports) {
      const { rows } = await tx.query<{ id: string }>(
        `select phone_id as id from messages
          where provider = $1 and provider_message_id = $2 and phone_id is not null`,
        [provider, providerMessageId],
      )
      await noteNetworkBlock(
        tx,
        rows.map(({ id }) => id),
        'report',
        clock.now(),
      )
    }
  })
}

type Named = Pick<DeliveryReport, 'provider' | 'providerMessageId'>

function isGone(report: { provider: string; failureReason?: string | null | undefined }): boolean {
  return goneReasonsByProvider[report.provider]?.has(report.failureReason ?? '') === true
}

/** Nobody has these numbers. What was sent before two people last saw her with the phone says nothing, however late it is told. */
async function doubtReceivers(
  { db, clock, metrics }: { db: Db; clock: Clock; metrics?: Metrics },
  reports: readonly Named[],
): Promise<void> {
  for (const { provider, providerMessageId } of reports)
    await db.transaction(async (tx) => {
      const { rows } = await tx.query<{ phoneId: string; evidenceAt: Date }>(
        `select phone_id as "phoneId", coalesce(submitted_at, created_at) as "evidenceAt" from messages
          where provider = $1 and provider_message_id = $2 and phone_id is not null`,
        [provider, providerMessageId],
      )
      for (const sent of rows) {
        const doubted = await doubtNumber(tx, {
          ...sent,
          reason: 'gone',
          actor: 'system:delivery_report',
          now: clock.now(),
        })
        metrics?.reverify.inc({ reason: 'gone' }, doubted.length)
      }
    })
}

async function keepForLater(
  db: Db,
  clock: Clock,
  reportId: string,
  { msisdn, programmeId }: DeliveryReport,
  metrics: Metrics | undefined,
): Promise<boolean> {
  if (msisdn !== undefined) {
    await db.pool.query(
      `update delivery_reports set phone_ids = (
         select array_agg(p.id) from programmes g join phones p on p.programme_id = g.id and p.msisdn = $2
          where $3::uuid is null or g.id = $3)
       where id = $1`,
      [reportId, msisdn, programmeId ?? null],
    )
  }
  return (await matchReports({ db, clock, ...(metrics === undefined ? {} : { metrics }) }, [reportId])) > 0
}

export interface WaitingReport {
  reportId: string
  provider: string
  providerMessageId: string
  status: string
  failureReason: string | null
  messageId: string
}

/** Of a row `r` of delivery_reports, as WaitingReport names them. */
export const reportColumns = `r.id as "reportId", r.provider, r.provider_message_id as "providerMessageId", r.status,
  r.failure_reason as "failureReason"`

// The report was faster than our own mark of the submit.
const byIdSql = `
  select ${reportColumns}, m.id as "messageId"
    from delivery_reports r
    join messages m on m.provider = r.provider and m.provider_message_id = r.provider_message_id
     and (r.programme_id is null or m.programme_id = r.programme_id)
   where r.matched_at is null and r.received_at > $1::timestamptz - interval '24 hours'
     and ($2::bigint[] is null or r.id = any($2))
   order by r.id limit 500`

// The provider's id was lost in a crash. The phone settles it when exactly one message of it is unknown, was being submitted
// before the report came, and none is being submitted right now (that one's report would look the same).
const byPhoneSql = `
  with submitting as materialized (
    select s.phone_id from batches b cross join unnest(b.message_ids) as carried (id)
      join messages s on s.id = carried.id and s.status = 'submitting'
  )
  select ${reportColumns}, lost.ids[1] as "messageId"
    from delivery_reports r
    join (
      select w.id as report_id, array_agg(m.id) as ids
        from delivery_reports w
        cross join unnest(w.phone_ids) as phone (id)
        join messages m on m.phone_id = phone.id
       where w.matched_at is null and w.received_at > $1::timestamptz - interval '24 hours'
         and ($2::bigint[] is null or w.id = any($2))
         and m.stage = 2 and m.provider_message_id is null and m.updated_at > $1::timestamptz - interval '24 hours'
         and exists (select 1 from message_events e
                      where e.message_id = m.id and e.to_status = 'submitting' and e.occurred_at <= w.received_at)
       group by w.id
    ) lost on lost.report_id = r.id
   where r.matched_at is null and r.received_at > $1::timestamptz - interval '24 hours'
     and ($2::bigint[] is null or r.id = any($2))
     and cardinality(lost.ids) = 1
     and not exists (select 1 from submitting where phone_id = any(r.phone_ids))
   order by r.id limit 500`

/**
 * Matches reports that wait (all of the last 24 hours, or the ones named) with messages that are known by now; returns how many
 * found theirs. Safe to run from several processes: the ladder makes a second application a no-op.
 */
export async function matchReports(
  deps: { db: Db; clock: Clock; metrics?: Metrics },
  reportIds?: readonly string[],
): Promise<number> {
  const { db, clock } = deps
  const values = [clock.now(), reportIds ?? null]
  let settled = 0
  for (const sql of [byIdSql, byPhoneSql]) {
    const { rows } = await db.pool.query<WaitingReport>(sql, values)
    const taken = sql === byPhoneSql ? firstPerMessage(rows) : rows
    if (taken.length > 0) settled += await settleReports(deps, taken)
  }
  return settled
}

/** One report a round settles a message of which only the phone is known; the next of the same message then finds it by its id. */
export function firstPerMessage(reports: readonly WaitingReport[]): WaitingReport[] {
  const known = reports.filter((report) => statusOfReport(report) !== undefined)
  return [...new Map(known.reverse().map((report) => [report.messageId, report])).values()]
}

/**
 * Moves each report's message and all that follows from it; returns how many reports found theirs. From `restore` a report whose message
 * was faster (it left after all) stays unmatched.
 */
export async function settleReports(
  { db, clock, metrics }: { db: Db; clock: Clock; metrics?: Metrics },
  found: readonly WaitingReport[],
  source: 'delivery_report' | 'restore' = 'delivery_report',
): Promise<number> {
  const { moved, reports } = await db.transaction(async (tx) => {
    const at = clock.now()
    const moves: Moved[] = []
    for (const round of roundsOf(found, source)) moves.push(...(await moveMessages(tx, at, round)))
    const movedIds = new Set(moves.map(({ id }) => id))
    const matched = source === 'restore' ? found.filter(({ messageId }) => movedIds.has(messageId)) : found
    await tx.query('update delivery_reports set matched_at = $1 where id = any($2::bigint[])', [
      at,
      matched.map((report) => report.reportId),
    ])
    const delivered = moves.filter(({ to }) => to === 'delivered').map(({ id }) => id)
    await createOwedCorrections(tx, delivered, at)
    await clearNetworkBlocks(tx, delivered)
    return { moved: moves, reports: matched }
  })
  if (metrics !== undefined) countMoves(metrics, moved)
  const blocks = reports.filter(isBlock)
  if (blocks.length > 0) await noteBlocks(db, clock, blocks)
  const gone = reports.filter(isGone)
  if (gone.length > 0)
    await doubtReceivers({ db, clock, ...(metrics === undefined ? {} : { metrics }) }, gone)
  return reports.length
}

/** Several reports of one message go in statements of their own, in the order they came. */
function roundsOf(reports: readonly WaitingReport[], source: Transition['source']): Transition[][] {
  const rounds: Transition[][] = []
  const used = new Map<string, number>()
  for (const report of reports) {
    const to = statusOfReport(report)
    if (to === undefined) continue
    const round = used.get(report.messageId) ?? 0
    used.set(report.messageId, round + 1)
    const transitions = rounds[round] ?? []
    rounds[round] = transitions
    transitions.push({
      messageId: report.messageId,
      to,
      source,
      reason: reasonOf(report),
      set: { provider: report.provider, providerMessageId: report.providerMessageId },
    })
  }
  return rounds
}
