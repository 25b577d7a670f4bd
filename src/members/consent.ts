// In: what a member or the holder of a phone allows us to send. Out: the rows that every decision reads.
// Must never send or stop a message itself: opt-out.ts of the outbound path does both in one transaction.
import type { Queryable } from '../db.ts'

/** What a member may refuse one by one. */
export const consentPurposes = ['receipt', 'reminder', 'meeting', 'training'] as const
export type ConsentPurpose = (typeof consentPurposes)[number]

/** Where she said so. */
export type ConsentChannel = 'ussd' | 'sms' | 'staff' | 'import' | 'api'

/** A member stops all that is sent to her; a phone stops all that is sent to it, whoever shares it. */
export type OptOutTarget = { memberId: string } | { phoneId: string }

export interface ConsentState {
  /** True while "stop all" stands for the member. */
  optedOut: boolean
  /** A purpose without a recorded answer is granted: service messages of a signed loan. */
  granted: Record<ConsentPurpose, boolean>
}

/** Nothing but answers to her own asking leaves from now on. Keeps the first instant when it already stands. */
export async function stopAll(tx: Queryable, target: OptOutTarget, now: Date): Promise<void> {
  const [table, id] = rowOf(target)
  await tx.query(`update ${table} set opted_out_at = $2 where id = $1 and opted_out_at is null`, [id, now])
}

/** Undoes stopAll. Single purposes that she refused stay refused. */
export async function startAgain(tx: Queryable, target: OptOutTarget): Promise<void> {
  const [table, id] = rowOf(target)
  await tx.query(`update ${table} set opted_out_at = null where id = $1 and opted_out_at is not null`, [id])
}

function rowOf(target: OptOutTarget): ['members' | 'phones', string] {
  return 'memberId' in target ? ['members', target.memberId] : ['phones', target.phoneId]
}

/** Records her word for one purpose, in the language that she was asked in; the newest word counts. */
export async function setConsent(
  tx: Queryable,
  memberId: string,
  purpose: ConsentPurpose,
  granted: boolean,
  channel: ConsentChannel,
  language: string | undefined,
  now: Date,
): Promise<void> {
  await tx.query(
    `insert into consents (member_id, purpose, granted, channel, language, collected_at)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (member_id, purpose) do update
       set granted = excluded.granted, channel = excluded.channel, language = excluded.language,
           collected_at = excluded.collected_at`,
    [memberId, purpose, granted, channel, language ?? null, now],
  )
}

export async function readConsents(tx: Queryable, memberId: string): Promise<ConsentState> {
  const { rows } = await tx.query<{ optedOut: boolean; purpose: ConsentPurpose | null; granted: boolean }>(
    `select m.opted_out_at is not null as "optedOut", c.purpose, c.granted
       from members m left join consents c on c.member_id = m.id where m.id = $1`,
    [memberId],
  )
  const refused = new Set(
    rows.filter((row) => row.purpose !== null && !row.granted).map((row) => row.purpose),
  )
  const granted = Object.fromEntries(consentPurposes.map((purpose) => [purpose, !refused.has(purpose)]))
  return { optedOut: rows[0]?.optedOut ?? false, granted: granted as Record<ConsentPurpose, boolean> }
}
