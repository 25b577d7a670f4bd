// In: what a member or the holder of a phone allows us to send. Out: her words, none ever overwritten, and what they come to now.
// Must never send or stop a message itself: opt-out.ts of the outbound path does both in one transaction.
import type { NamedReads, Queryable } from '../db.ts'

/** What a member may allow or refuse one by one: receipts and service, reminders, meetings and training, surveys, promotion. */
export const consentPurposes = ['receipt', 'reminder', 'meeting', 'survey', 'promotion'] as const
export type ConsentPurpose = (typeof consentPurposes)[number]

/** What serves her loan and her group; surveys and promotion are asked apart from it. */
export const servicePurposes = ['receipt', 'reminder', 'meeting'] as const satisfies ConsentPurpose[]

/** Where she said so. */
export type ConsentChannel = 'ussd' | 'sms' | 'staff' | 'import' | 'api'

/** How her word was taken down. */
export interface Saying {
  channel: ConsentChannel
  /** Version of the words that she was asked in. */
  wording: string
  /** The language that she was asked in. */
  language: string | undefined
  /** "herself", "staff:<id>" or "api:<key name>". */
  collector: string
  at: Date
  /** Names the callback that brought it, where one did: the same callback again, at any time, says nothing new. */
  callback?: string
}

export interface ConsentWord extends Saying {
  memberId: string
  /** "all" is STOP or START: kept as history; what counts is the mark on the member or the phone. */
  purpose: ConsentPurpose | 'all'
  granted: boolean
}

/** A member stops all that is sent to her; a phone stops all that is sent to it, whoever shares it. */
export type OptOutTarget = { memberId: string } | { phoneId: string }

/** SQL for her newest word on a purpose, null when she has said nothing. Both arguments are SQL of ours, never input. */
export function newestWordSql(member: string, purpose: string): string {
  return `(select c.granted from consents c where c.member_id = ${member} and c.purpose = ${purpose}
            order by c.collected_at desc, c.id desc limit 1)`
}

/**
 * Keeps each word as a row and counts them. A callback that came twice says one word; what staff or a program hands in again within
 * seconds, with nothing else between the two, is one word too.
 */
export async function recordWords(tx: Queryable, words: readonly ConsentWord[]): Promise<number> {
  if (words.length === 0) return 0
  const column = <Value>(read: (word: ConsentWord) => Value | undefined) =>
    words.map((word) => read(word) ?? null)
  const memberIds = column((word) => word.memberId)
  // Two that come at once see each other only one after the other.
  await tx.query('select 1 from members where id = any($1::uuid[]) order by id for no key update', [
    memberIds,
  ])
  const { rowCount } = await tx.query(
    `insert into consents (member_id, purpose, granted, channel, wording, language, collector, collected_at, callback_key)
     select w.* from unnest($1::uuid[], $2::text[], $3::bool[], $4::text[], $5::text[], $6::text[], $7::text[],
                            $8::timestamptz[], $9::text[])
                       as w (member_id, purpose, granted, channel, wording, language, collector, at, callback)
      where w.callback is not null or not exists (
        select 1 from consents c
         where c.member_id = w.member_id and c.purpose = w.purpose
           and (c.granted, c.channel, c.wording, c.collector) = (w.granted, w.channel, w.wording, w.collector)
           and c.collected_at > w.at - interval '10 seconds' and c.collected_at < w.at + interval '10 seconds'
           and not exists (
             select 1 from consents o
              where o.member_id = w.member_id and o.purpose = w.purpose and o.granted <> w.granted
                and o.collected_at between least(c.collected_at, w.at) and greatest(c.collected_at, w.at)))
     on conflict (member_id, purpose, callback_key) do nothing`,
    [
      memberIds,
      column((word) => word.purpose),
      column((word) => word.granted),
      column((word) => word.channel),
      column((word) => word.wording),
      column((word) => word.language),
      column((word) => word.collector),
      column((word) => word.at),
      column((word) => word.callback),
    ],
  )
  return rowCount ?? 0
}

/** A yes to what serves her, for each of these purposes on which she has never said anything. */
export async function agreeToService(tx: Queryable, memberId: string, saying: Saying): Promise<number> {
  const { rows } = await tx.query<{ purpose: string }>(
    'select distinct purpose from consents where member_id = $1',
    [memberId],
  )
  const said = new Set(rows.map(({ purpose }) => purpose))
  const open = servicePurposes.filter((purpose) => !said.has(purpose))
  return recordWords(
    tx,
    open.map((purpose) => ({ ...saying, memberId, purpose, granted: true })),
  )
}

// A word that is written down late does not undo what she said since.
const notSince = `not exists (select 1 from consents c where c.member_id = $1 and c.purpose = 'all' and c.collected_at > $2)`

/** Nothing but answers to her own asking leaves from now on. Keeps the first instant when it already stands. */
export async function stopAll(tx: Queryable, target: OptOutTarget, saying: Saying): Promise<number> {
  const [table, id] = rowOf(target)
  await tx.query(
    `update ${table} set opted_out_at = $2 where id = $1 and opted_out_at is null and ${notSince}`,
    [id, saying.at],
  )
  return recordForAll(tx, target, false, saying)
}

/** Undoes stopAll. Single purposes that she refused stay refused. */
export async function startAgain(tx: Queryable, target: OptOutTarget, saying: Saying): Promise<number> {
  const [table, id] = rowOf(target)
  await tx.query(
    `update ${table} set opted_out_at = null where id = $1 and opted_out_at is not null and ${notSince}`,
    [id, saying.at],
  )
  return recordForAll(tx, target, true, saying)
}

async function recordForAll(tx: Queryable, target: OptOutTarget, granted: boolean, saying: Saying) {
  const memberIds = await membersOf(tx, target)
  return recordWords(
    tx,
    memberIds.map((memberId) => ({ ...saying, memberId, purpose: 'all', granted })),
  )
}

/** Whose messages a word is about: the member's, or those of all whose primary phone it is. */
export async function membersOf(tx: Queryable, target: OptOutTarget): Promise<string[]> {
  if ('memberId' in target) return [target.memberId]
  const { rows } = await tx.query<{ id: string }>(
    'select member_id as id from member_phones where phone_id = $1 and is_primary and reverify_since is null',
    [target.phoneId],
  )
  return rows.map(({ id }) => id)
}

function rowOf(target: OptOutTarget): ['members' | 'phones', string] {
  return 'memberId' in target ? ['members', target.memberId] : ['phones', target.phoneId]
}

/** Minutes of the local day, [from, until). */
export interface SmsHours {
  from: number
  until: number
}

/** When SMS may reach her; undefined for the programme's hours. */
export async function setSmsHours(
  tx: Queryable,
  memberId: string,
  hours: SmsHours | undefined,
): Promise<void> {
  await tx.query('update members set sms_from_minute = $2, sms_until_minute = $3 where id = $1', [
    memberId,
    hours?.from ?? null,
    hours?.until ?? null,
  ])
}

export interface ConsentState {
  /** True while a STOP stands, hers or that of her primary phone. */
  stopped: boolean
  /** The network of her primary phone refuses our messages. */
  networkBlocked: boolean
  hours: SmsHours | undefined
  /** Purposes with a recorded yes. */
  granted: Record<ConsentPurpose, boolean>
}

const consentsSql = `
  select m.opted_out_at is not null or coalesce(p.opted_out_at is not null, false) as stopped,
         coalesce(p.network_blocked_at is not null, false) as "networkBlocked",
         m.sms_from_minute as "from", m.sms_until_minute as until,
         array(select asked.purpose from unnest($2::text[]) as asked (purpose)
                where ${newestWordSql('m.id', 'asked.purpose')}) as granted
    from members m
    left join member_phones mp on mp.member_id = m.id and mp.is_primary
    left join phones p on p.id = mp.phone_id
   where m.id = $1`

export async function readConsents(reads: NamedReads, memberId: string): Promise<ConsentState> {
  const [row] = await reads.query<{
    stopped: boolean
    networkBlocked: boolean
    from: number | null
    until: number | null
    granted: string[]
  }>('consents', consentsSql, [memberId, consentPurposes])
  const yes = new Set(row?.granted ?? [])
  const granted = Object.fromEntries(consentPurposes.map((purpose) => [purpose, yes.has(purpose)]))
  const { from = null, until = null } = row ?? {}
  return {
    stopped: row?.stopped ?? false,
    networkBlocked: row?.networkBlocked ?? false,
    hours: from === null || until === null ? undefined : { from, until },
    granted: granted as Record<ConsentPurpose, boolean>,
  }
}
