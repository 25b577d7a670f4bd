// In: what a member or the holder of a phone allows us to send. Out: the rows that every decision reads.
// Must never send or stop a message itself: opt-out.ts of the outbound path does both in one transaction.
import type { Pipeline, Queryable } from '../db.ts'

/** What a member may refuse one by one. */
export const consentPurposes = ['receipt', 'reminder', 'meeting', 'training'] as const
export type ConsentPurpose = (typeof consentPurposes)[number]

/** Where she said so. */
export type ConsentChannel = 'ussd' | 'sms' | 'staff' | 'import' | 'api'

/** A member stops all that is sent to her; a phone stops all that is sent to it, whoever shares it. */
export type OptOutTarget = { memberId: string } | { phoneId: string }

/** Nothing but answers to her own asking leaves from now on. Keeps the first instant when it already stands. */
export async function stopAll(
  tx: Queryable,
  { now, ...target }: OptOutTarget & { now: Date },
): Promise<void> {
  const [table, id] = rowOf(target)
  await tx.query(`update ${table} set opted_out_at = $2 where id = $1 and opted_out_at is null`, [id, now])
}

/** Undoes stopAll. Single purposes that she refused stay refused. */
export async function startAgain(tx: Queryable, target: OptOutTarget & { now?: Date }): Promise<void> {
  const [table, id] = rowOf(target)
  await tx.query(`update ${table} set opted_out_at = null where id = $1 and opted_out_at is not null`, [id])
}

function rowOf(target: OptOutTarget): ['members' | 'phones', string] {
  return 'memberId' in target ? ['members', target.memberId] : ['phones', target.phoneId]
}

export interface NewConsent {
  memberId: string
  purpose: ConsentPurpose
  granted: boolean
  channel: ConsentChannel
  /** The language that she was asked in. */
  language: string | undefined
  now: Date
}

/** Records her word for one purpose; the newest word counts. */
export async function setConsent(tx: Queryable, consent: NewConsent): Promise<void> {
  await tx.query(
    `insert into consents (member_id, purpose, granted, channel, language, collected_at)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (member_id, purpose) do update
       set granted = excluded.granted, channel = excluded.channel, language = excluded.language,
           collected_at = excluded.collected_at`,
    [
      consent.memberId,
      consent.purpose,
      consent.granted,
      consent.channel,
      consent.language ?? null,
      consent.now,
    ],
  )
}

export interface ConsentState {
  /** True while "stop all" stands for the member. */
  stopped: boolean
  /** A purpose without a recorded answer is granted: service messages of a signed loan. */
  granted: Record<ConsentPurpose, boolean>
}

const consentsSql = `
  select m.opted_out_at is not null as stopped,
         array(select c.purpose from consents c where c.member_id = m.id and not c.granted) as refused
    from members m where m.id = $1`

export async function readConsents(reads: Pipeline, memberId: string): Promise<ConsentState> {
  const [row] = await reads.query<{ stopped: boolean; refused: string[] }>('consents', consentsSql, [
    memberId,
  ])
  const refused = new Set(row?.refused ?? [])
  const granted = Object.fromEntries(consentPurposes.map((purpose) => [purpose, !refused.has(purpose)]))
  return { stopped: row?.stopped ?? false, granted: granted as Record<ConsentPurpose, boolean> }
}
