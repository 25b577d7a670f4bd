// In: her word about our messages, by SMS, dialogue, staff or network. Out: the word kept, and every waiting message that it no longer
// allows suppressed in the same transaction. What is already with the provider cannot be called back; sending asks again.
import type { Queryable } from '../db.ts'
import {
  agreeToService,
  type ConsentWord,
  membersOf,
  newestWordSql,
  type OptOutTarget,
  recordWords,
  type Saying,
  startAgain,
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
                    when ph.network_blocked_at is not null then 'network_block' else 'no_consent' end as reason
    from messages m
    join members mb on mb.id = m.member_id
    left join member_phones mp on mp.member_id = mb.id and mp.is_primary
    left join phones ph on ph.id = mp.phone_id
   where m.status in ('created', 'queued', 'claimed') and m.purpose not in ('reply', 'code') and m.member_id = any($1)
     and (mb.opted_out_at is not null or ph.opted_out_at is not null or ph.network_blocked_at is not null or (${consentOfMessageSql('m')}) is not true)`

async function suppressUnwanted(tx: Queryable, memberIds: readonly string[], at: Date): Promise<void> {
  if (memberIds.length === 0) return
  const { rows } = await tx.query<{ id: string; reason: string }>(unwantedSql, [memberIds])
  await applyTransitions(
    tx,
    at,
    rows.map(({ id, reason }) => ({ messageId: id, to: 'suppressed', source: 'inbound', reason })),
  )
}

/** Stops messages to a member or a phone at once; counts the words that are new. `now` is when the moves are made. */
export async function stopMessages(
  tx: Queryable,
  target: OptOutTarget,
  saying: Saying,
  now: Date = saying.at,
): Promise<number> {
  const words = await stopAll(tx, target, saying)
  await suppressUnwanted(tx, await membersOf(tx, target), now)
  return words
}

/** Undoes a stop of the member, and the one of the phone in question: it is hers alone, or she dials from it. */
export async function startMessages(
  tx: Queryable,
  { memberId, dialledFrom }: { memberId: string; dialledFrom?: string },
  saying: Saying,
): Promise<number> {
  const { rows } = await tx.query<{ id: string }>(
    `select phone_id as id from member_phones mp where member_id = $1 and (phone_id = $2 or is_primary and not exists (
       select 1 from member_phones o where o.phone_id = mp.phone_id and o.member_id <> $1))`,
    [memberId, dialledFrom ?? null],
  )
  let words = await startAgain(tx, { memberId }, saying)
  for (const { id } of rows) words += await startAgain(tx, { phoneId: id }, saying)
  return words + (await agreeToService(tx, memberId, saying))
}

/** How we know that a network refuses our messages: it called us back, refused a send, or reported so. */
export type BlockSource = 'callback' | 'send' | 'report'

/** The networks of these phones refuse our messages: what waits for them is suppressed. START cannot undo that, only she at her network. */
export async function noteNetworkBlock(
  tx: Queryable,
  phoneIds: readonly string[],
  source: BlockSource,
  at: Date,
): Promise<void> {
  await tx.query(
    `update phones set network_blocked_at = $2, network_block_source = $3
      where id = any($1) and network_blocked_at is null`,
    [phoneIds, at, source],
  )
  const { rows } = await tx.query<{ id: string }>(
    'select distinct member_id as id from member_phones where phone_id = any($1) and is_primary',
    [phoneIds],
  )
  await suppressUnwanted(
    tx,
    rows.map(({ id }) => id),
    at,
  )
}

/** A message that was handed over after the block and reached the phone shows that the block is gone. */
export async function clearNetworkBlocks(tx: Queryable, deliveredIds: readonly string[]): Promise<void> {
  await tx.query(
    `update phones p set network_blocked_at = null, network_block_source = null from messages m
      where m.id = any($1) and p.id = m.phone_id and m.submitted_at > p.network_blocked_at`,
    [deliveredIds],
  )
}

/** Keeps her words for single purposes, and counts those that are new; a no counts at once. */
export async function setConsents(tx: Queryable, words: readonly ConsentWord[], now: Date): Promise<number> {
  const written = await recordWords(tx, words)
  const refusing = words.filter(({ granted }) => !granted).map(({ memberId }) => memberId)
  await suppressUnwanted(tx, [...new Set(refusing)], now)
  return written
}
