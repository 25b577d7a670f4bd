// In: facts worth telling, inside the transaction that made them. Out: rows in `messages`; the relay is woken at commit.
// The only place that creates a message. The same fact (programme, dedupe key) never becomes a second row.
import type { Queryable } from '../db.ts'
import type { Lane } from './status.ts'

export type Purpose =
  | 'receipt'
  | 'reminder'
  | 'meeting'
  | 'training'
  | 'reply'
  | 'code'
  | 'notice'
  | 'survey'
  | 'promotion'

export interface NewMessage {
  programmeId: string
  /** A member or a phone must be named; without a phone it goes to the member's primary one. */
  memberId?: string
  phoneId?: string
  purpose: Purpose
  /** Text key in sms.json. */
  template: string
  lane: Lane
  /** One for each fact, for example `receipt/<entry>`. */
  dedupeKey: string
  /** Values the text needs beyond the fact itself; never a PIN. */
  params?: Record<string, string>
  entryId?: string
  instalmentId?: string
  meetingId?: string
  trainingSessionId?: string
  caseId?: string
  correctsId?: string
  notBefore: Date
  expiresAt?: Date
}

const messageColumns =
  'programme_id, member_id, phone_id, purpose, template, lane, dedupe_key, params, entry_id, instalment_id, meeting_id, ' +
  'training_session_id, case_id, corrects_id, not_before, expires_at'

const createSql = `
  insert into messages (${messageColumns})
  select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[], $8::jsonb[],
    $9::uuid[], $10::uuid[], $11::uuid[], $12::uuid[], $13::uuid[], $14::uuid[], $15::timestamptz[], $16::timestamptz[])
  on conflict (programme_id, dedupe_key) do nothing`

/** Rows written; a message whose (programme, dedupeKey) is already there is skipped. One statement. */
export async function createMessages(tx: Queryable, messages: readonly NewMessage[]): Promise<number> {
  if (messages.length === 0) return 0
  const column = <Value>(read: (message: NewMessage) => Value | undefined) =>
    messages.map((message) => read(message) ?? null)
  const { rowCount } = await tx.query(createSql, [
    column((message) => message.programmeId),
    column((message) => message.memberId),
    column((message) => message.phoneId),
    column((message) => message.purpose),
    column((message) => message.template),
    column((message) => message.lane),
    column((message) => message.dedupeKey),
    column((message) => JSON.stringify(message.params ?? {})),
    column((message) => message.entryId),
    column((message) => message.instalmentId),
    column((message) => message.meetingId),
    column((message) => message.trainingSessionId),
    column((message) => message.caseId),
    column((message) => message.correctsId),
    column((message) => message.notBefore),
    column((message) => message.expiresAt),
  ])
  return rowCount ?? 0
}

const resendSql = `
  insert into messages (${messageColumns}, notice_id, resends_id)
  select programme_id, member_id, phone_id, purpose, template, lane, dedupe_key || '/resend', params, entry_id, instalment_id,
         meeting_id, training_session_id, case_id, corrects_id, $2, expires_at, notice_id, id
    from messages where id = any($1::uuid[]) and resends_id is null
  on conflict do nothing`

/** The same facts once more, each as a message of its own that names the first; returns how many. What was resent already is skipped. */
export async function createResends(tx: Queryable, ids: readonly string[], now: Date): Promise<number> {
  if (ids.length === 0) return 0
  const { rowCount } = await tx.query(resendSql, [ids, now])
  return rowCount ?? 0
}

/** Template of what takes back an entry that was told. */
export const correctionTemplate = 'correction.entry'

/** After a week she knows it from her book; an outage must not end in a pile of old receipts. */
export const receiptLifeMs = 7 * 24 * 3_600_000

/** One entry that was told and is undone. */
export interface Correction {
  /** The receipt that told her of it. */
  receiptId: string
  /** The entry that undoes it. */
  entryId: string
  dedupeKey: string
}

/**
 * Notes on receipts that nobody seems to have got that their entries are undone: should a late report say that one was delivered after
 * all, the move that says so writes its correction.
 */
export async function oweCorrections(tx: Queryable, owed: readonly Correction[]): Promise<void> {
  if (owed.length === 0) return
  await tx.query(
    `update messages m set params = m.params || jsonb_build_object('owedEntry', w.entry_id, 'owedKey', w.dedupe_key)
       from unnest($1::uuid[], $2::text[], $3::text[]) as w(id, entry_id, dedupe_key) where m.id = w.id`,
    [
      owed.map(({ receiptId }) => receiptId),
      owed.map(({ entryId }) => entryId),
      owed.map(({ dedupeKey }) => dedupeKey),
    ],
  )
}

/**
 * Writes what was owed on the receipts in `delivered`, which yields `id, programme_id, member_id, template, params`; `at` is the instant.
 * It reads the rows as they were moved, so a reversal beside it either sees the delivery or is seen here.
 */
export const owedCorrectionsSql = (delivered: string, at: string) => `
  insert into messages (programme_id, member_id, purpose, template, lane, dedupe_key, params, entry_id, corrects_id, not_before, expires_at)
  select d.programme_id, d.member_id, 'receipt', '${correctionTemplate}', 'urgent', d.params->>'owedKey',
         jsonb_build_object('corrected', d.template), (d.params->>'owedEntry')::uuid, d.id, ${at},
         ${at}::timestamptz + interval '${receiptLifeMs} milliseconds'
    from ${delivered} d where d.params ? 'owedKey' and d.member_id is not null
  on conflict (programme_id, dedupe_key) do nothing`

/** Writes the corrections that are owed on these receipts, which were just moved to `delivered` in this transaction. */
export async function createOwedCorrections(
  tx: Queryable,
  messageIds: readonly string[],
  now: Date,
): Promise<void> {
  if (messageIds.length === 0) return
  await tx.query(
    `with delivered as (
       select id, programme_id, member_id, template, params from messages where id = any($2) and status = 'delivered')
     ${owedCorrectionsSql('delivered', '$1')}`,
    [now, messageIds],
  )
}

/** What the select of createMessagesFromSelect yields, in this order. */
export const plannedColumns = [
  'programme_id',
  'member_id',
  'purpose',
  'template',
  'lane',
  'dedupe_key',
  'params',
  'instalment_id',
  'meeting_id',
  'training_session_id',
  'not_before',
  'expires_at',
] as const

/**
 * Set-based twin for planners: `select` is one SELECT of ours (never built from input) that yields `plannedColumns` in order;
 * returns the rows written. Facts that already have their message are skipped.
 */
export async function createMessagesFromSelect(
  tx: Queryable,
  select: string,
  values: unknown[],
): Promise<number> {
  const { rowCount } = await tx.query(
    `insert into messages (${plannedColumns.join(', ')}) ${select} on conflict (programme_id, dedupe_key) do nothing`,
    values,
  )
  return rowCount ?? 0
}

/**
 * SQL that writes one message of a notice to each member in `carriers`, which yields `message_id, programme_id, member_id, purpose,
 * template, lane, notice_id, not_before, expires_at`. Stands as a part of the statement that notes the recipients, so that a message
 * and those whom it reaches are written together.
 */
export const noticeMessagesSql = (carriers: string) => `
  insert into messages (id, programme_id, member_id, purpose, template, lane, dedupe_key, notice_id, not_before, expires_at)
  select c.message_id, c.programme_id, c.member_id, c.purpose, c.template, c.lane,
         'notice/' || c.notice_id || '/' || c.member_id, c.notice_id, c.not_before, c.expires_at
    from ${carriers} c
  on conflict (programme_id, dedupe_key) do nothing`
