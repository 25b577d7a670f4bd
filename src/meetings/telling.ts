// In: meetings or trainings that were changed. Out: one message for each member who was told otherwise, or may be told so right now.
// Written generously: when it is sent it is asked again whether she still holds the truth, and what the truth is by then.
import type { Queryable } from '../db.ts'
import { createMessagesFromSelect } from '../outbound/outbox.ts'
import { mayHaveArrivedSql } from '../outbound/told.ts'
import type { GatheringKind } from './gatherings.ts'

export interface ChangedGathering {
  id: string
  /** When it began before this change. */
  previousStart: Date
}

const columns = { meeting: 'meeting_id', training: 'training_session_id' } as const
const tables = { meeting: 'meetings', training: 'training_sessions' } as const

/** Messages about a gathering "g" to a member "mb" that she has, may have, or may be handed at this moment. */
const messagesSql = (kind: GatheringKind) => `
  select o.params from messages o
   where o.member_id = mb.id and o.${columns[kind]} = g.id and o.purpose in ('meeting', 'training')
     and (o.status in ('created', 'queued', 'claimed') or ${mayHaveArrivedSql('o')})`

const answersSql = (kind: GatheringKind) =>
  kind === 'meeting'
    ? 'select 1 from meeting_answers a where a.meeting_id = g.id and a.member_id = mb.id'
    : ''

/** She has a word of ours about it, or read it by USSD and said whether she comes. */
const wasTold = (kind: GatheringKind) =>
  [`exists (${messagesSql(kind)})`, ...(kind === 'meeting' ? [`exists (${answersSql(kind)})`] : [])].join(
    ' or ',
  )

// It expires with the first of the hours at which she may set out: the new one, the one before, the one that she was reminded of.
const tellSql = (kind: GatheringKind) => `
  select gr.programme_id, mb.id, '${kind}', '${kind}.' || case g.status when 'cancelled' then 'cancelled' else 'moved' end,
         'planned', '${kind}/' || g.id || '/' || g.changes || '/' || mb.id, jsonb_build_object('change', g.changes::text),
         null::uuid, ${kind === 'meeting' ? 'g.id, null::uuid' : 'null::uuid, g.id'}, $3::timestamptz, setting_out.at
    from unnest($1::uuid[], $2::timestamptz[]) as c(id, previous_start)
    join ${tables[kind]} g on g.id = c.id
    join groups gr on gr.id = g.group_id
    join members mb on mb.group_id = gr.id and mb.status = 'active'
    cross join lateral (
      select min(at) as at from (
        values (g.starts_at), (c.previous_start)
        union all select (her.params->>'startsAt')::timestamptz from (${messagesSql(kind)}) her) starts(at)
       where at > $3) setting_out
   where setting_out.at is not null and (${wasTold(kind)})`

/** Messages written; in the transaction that changed the rows. */
export async function tellOfChanges(
  tx: Queryable,
  kind: GatheringKind,
  changes: readonly ChangedGathering[],
  now: Date,
): Promise<number> {
  if (changes.length === 0) return 0
  return createMessagesFromSelect(tx, tellSql(kind), [
    changes.map(({ id }) => id),
    changes.map(({ previousStart }) => previousStart),
    now,
  ])
}

export interface ToTell {
  memberId: string
  alias: string
  firstName: string
  lastName: string
}

/** Who would get a message if it were changed now, by alias; for a preview. */
export async function whoIsToBeTold(tx: Queryable, kind: GatheringKind, id: string): Promise<ToTell[]> {
  const { rows } = await tx.query<ToTell>(
    `select mb.id as "memberId", mb.alias, mb.first_name as "firstName", mb.last_name as "lastName" from ${tables[kind]} g
       join members mb on mb.group_id = g.group_id and mb.status = 'active'
      where g.id = $1 and (${wasTold(kind)}) order by mb.alias, mb.id`,
    [id],
  )
  return rows
}
