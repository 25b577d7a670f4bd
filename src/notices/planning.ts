// In: a notice whose time has come. Out: a row for each member of its audience and a message for each phone, a batch a transaction.
// A batch that was cut off is as if it had never begun; what is written is passed over. Must never write to one member or phone twice.
import type { Queryable } from '../db.ts'
import { noticeMessagesSql } from '../outbound/outbox.ts'
import { aimedSql, audienceValues, judged, messagePurpose } from './audience.ts'
import { messageTemplate, type Notice, openingFor, startOf } from './record.ts'

export interface Batch {
  recipients: number
  messages: number
}

/** An end for notices without one: who has not got it by then is told in person or not at all. */
const lifeMs = 7 * 24 * 3_600_000

// $10 notice, $11 purpose, $12 template, $13 lane, $14 not before, $15 expiry.
const carriersOf = (source: string, phone: string) => `
  select distinct on (${phone}) uuidv7() as message_id, $1::uuid as programme_id, member_id, $11::text as purpose,
         $12::text as template, $13::text as lane, $10::uuid as notice_id, $14::timestamptz as not_before,
         $15::timestamptz as expires_at, ${phone}
    from ${source} where excluded is null order by ${phone}, member_id`

// All members of a phone stand in one batch, so that they find the message that they share.
const batchSql = `
  with open as materialized (
    select aimed.* from (${aimedSql}) aimed
     where not exists (select 1 from notice_recipients r where r.notice_id = $10 and r.member_id = aimed.member_id)
  ), first as (
    select phone_id, member_id from open order by phone_id nulls first, member_id limit $16
  ), batch as materialized (${judged(`
    select open.* from open
     where member_id in (select member_id from first)
        or phone_id = (select phone_id from first order by phone_id desc nulls last limit 1)`)}
  ), carriers as materialized (${carriersOf('batch', 'phone_id, words')}
  ), sent as (${noticeMessagesSql('carriers')} returning 1
  ), noted as (
    insert into notice_recipients (notice_id, member_id, group_id, excluded, message_id)
    select $10, b.member_id, b.group_id, b.excluded, c.message_id
      from batch b left join carriers c on b.excluded is null and c.phone_id = b.phone_id and c.words = b.words
    on conflict do nothing returning 1)
  select (select count(*) from noted)::int as recipients, (select count(*) from sent)::int as messages`

/** Reasons that are the carrier's own: whoever shares her phone may still be told. */
const ownReasons = [
  'member_left',
  'member_suspended',
  'opted_out',
  'no_consent',
  'reverify',
  'no_safe_hour',
  'daily_cap',
  'weekly_cap',
  'no_phone',
  'no_text',
  'erased',
]

// Her phone and words are asked again: a sharer may meanwhile have a phone of her own, or a reason of her own.
const carrySql = `
  with dropped as materialized (
    select r.member_id, m.id as old_id
      from messages m join notice_recipients r on r.message_id = m.id and r.member_id <> m.member_id
     where m.notice_id = $10 and r.notice_id = $10 and m.status in ('suppressed', 'cancelled', 'expired', 'failed')
       and m.reason = any($16::text[])
  ), batch as materialized (${judged(`
    select aimed.*, d.old_id from (${aimedSql}) aimed join dropped d on d.member_id = aimed.member_id`)}
  ), carriers as materialized (${carriersOf('batch', 'phone_id, words, old_id')}
  ), sent as (${noticeMessagesSql('carriers')} returning 1
  ), moved as (
    update notice_recipients r set excluded = b.excluded, message_id = c.message_id
      from batch b left join carriers c
        on b.excluded is null and c.phone_id = b.phone_id and c.words = b.words and c.old_id = b.old_id
     where r.notice_id = $10 and r.member_id = b.member_id returning 1)
  select (select count(*) from moved)::int as recipients, (select count(*) from sent)::int as messages`

/** The next members, at least `membersMax` of them while there are so many; none: all are written. */
export async function planBatch(
  tx: Queryable,
  notice: Notice,
  now: Date,
  membersMax: number,
): Promise<Batch> {
  // One long statement: its sorts and hashes should stay in memory.
  await tx.query(`set local work_mem = '64MB'`)
  return write(tx, batchSql, notice, now, membersMax)
}

/** Passes messages that were dropped for a reason of their carrier on to the next member of the phone. */
export async function carryOn(tx: Queryable, notice: Notice, now: Date): Promise<Batch> {
  return write(tx, carrySql, { ...notice, audience: {} }, now, ownReasons)
}

async function write(tx: Queryable, sql: string, notice: Notice, now: Date, last: unknown): Promise<Batch> {
  const notBefore = openingFor(notice, now)
  const expiresAt = notice.expiresAt ?? new Date((startOf(notice) ?? now).getTime() + lifeMs)
  const { rows } = await tx.query<{ recipients: number; messages: number }>(sql, [
    ...(await audienceValues(tx, notice, { strict: false })),
    notice.id,
    messagePurpose[notice.purpose],
    messageTemplate(notice),
    notice.lane,
    notBefore,
    expiresAt,
    last,
  ])
  return rows[0] ?? { recipients: 0, messages: 0 }
}
