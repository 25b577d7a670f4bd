// In: her word about our messages, by SMS, dialogue, staff or network. Out: the word kept, and every waiting message that it no longer
// allows suppressed in the same transaction. What is already with the provider cannot be called back; sending asks again.
import type { Queryable } from '../db.ts'
import {
  type ConsentWord,
  membersOf,
  newestWordSql,
  type OptOutTarget,
  recordWords,
  type Saying,
  stopAll,
} from '../members/consent.ts'
import { applyTransitions } from './transitions.ts'

/**
 * SQL for what she says about the purpose of a message: trainings count as meetings, notices as service. Null for answers to her own
 * asking, which need no consent. `message` is the alias of the messages table.
 */
export function consentOfMessageSql(message: string): string {
  const needed = `case ${message}.purpose when 'training' then 'meeting' when 'notice' then 'receipt' else ${message}.purpose end`
  return `case when ${message}.purpose not in ('reply', 'code') then ${newestWordSql(`${message}.member_id`, needed)} end`
}

const unwantedSql = `
  select m.id, case when mb.opted_out_at is not null or ph.opted_out_at is not null then 'opted_out'
                    else 'no_consent' end as reason
    from messages m
    join members mb on mb.id = m.member_id
    left join member_phones mp on mp.member_id = mb.id and mp.is_primary
    left join phones ph on ph.id = mp.phone_id
   where m.status in ('created', 'queued', 'claimed') and m.purpose not in ('reply', 'code') and m.member_id = any($1)
     and (mb.opted_out_at is not null or ph.opted_out_at is not null or (${consentOfMessageSql('m')}) is not true)`

async function suppressUnwanted(tx: Queryable, memberIds: readonly string[], at: Date): Promise<number> {
  if (memberIds.length === 0) return 0
  const { rows } = await tx.query<{ id: string; reason: string }>(unwantedSql, [memberIds])
  const moved = await applyTransitions(
    tx,
    at,
    rows.map(({ id, reason }) => ({ messageId: id, to: 'suppressed', source: 'inbound', reason })),
  )
  return moved.length
}

/** Stops messages to a member or a phone at once; returns how many waiting ones were suppressed. */
export async function stopMessages(tx: Queryable, target: OptOutTarget, saying: Saying): Promise<number> {
  await stopAll(tx, target, saying)
  return suppressUnwanted(tx, await membersOf(tx, target), saying.at)
}

/** Keeps her words for single purposes; a no counts at once. Returns how many waiting messages were suppressed. */
export async function setConsents(tx: Queryable, words: readonly ConsentWord[], now: Date): Promise<number> {
  await recordWords(tx, words)
  const refusing = words.filter(({ granted }) => !granted).map(({ memberId }) => memberId)
  return suppressUnwanted(tx, [...new Set(refusing)], now)
}
