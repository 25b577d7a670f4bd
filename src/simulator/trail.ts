// In: a demo phone's number. Out: its last messages with every status they took, from Tama's own tables.
// Must never show a text: the phone shows that.
import type { Queryable } from '../db.ts'

export interface TrailStep {
  status: string
  source: string
  reason: string | null
  at: Date
}

export interface TrailMessage {
  id: string
  purpose: string
  template: string
  status: string
  reason: string | null
  /** Short name of the member it is about; null for an answer to a number that nobody has. */
  alias: string | null
  createdAt: Date
  /** Local quiet hours and retries: not sent before this. */
  notBefore: Date
  providerMessageId: string | null
  /** Oldest first; the row's creation is the first step. */
  steps: TrailStep[]
}

/** Newest first, at most `limit`. */
export async function messageTrail(db: Queryable, msisdn: string, limit = 6): Promise<TrailMessage[]> {
  const { rows } = await db.query<TrailMessage & { steps: (Omit<TrailStep, 'at'> & { at: string })[] }>(
    `with phone as (select id from phones where msisdn = $1),
          recent as (
            select m.* from messages m
             where m.phone_id in (select id from phone)
                or (m.phone_id is null and m.member_id in (
                     select member_id from member_phones where is_primary and phone_id in (select id from phone)))
             order by m.created_at desc, m.id desc limit $2)
     select r.id, r.purpose, r.template, r.status, r.reason, b.alias, r.created_at as "createdAt",
            r.not_before as "notBefore", r.provider_message_id as "providerMessageId",
            coalesce(json_agg(json_build_object('status', e.to_status, 'source', e.source, 'reason', e.reason,
                     'at', e.occurred_at) order by e.id) filter (where e.id is not null), '[]') as steps
       from recent r
       left join members b on b.id = r.member_id
       left join message_events e on e.message_id = r.id
      group by r.id, r.purpose, r.template, r.status, r.reason, b.alias, r.created_at, r.not_before,
            r.provider_message_id
      order by r.created_at desc, r.id desc`,
    [msisdn, limit],
  )
  return rows.map((row) => {
    const steps = row.steps.map((step) => ({ ...step, at: new Date(step.at) }))
    const created = { status: 'created', source: 'outbox', reason: null, at: row.createdAt }
    return { ...row, steps: steps[0]?.status === 'created' ? steps : [created, ...steps] }
  })
}
