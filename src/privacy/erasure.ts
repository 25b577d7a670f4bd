// In: a member. Out: a pseudonym in her place: nothing that names her is left in any row, and the books are as they were.
// Must never change an amount, nor take from others what they share with her. Safe to repeat.
import { recordAudit } from '../audit.ts'
import type { Queryable } from '../db.ts'
import { applyTransitions } from '../outbound/transitions.ts'

export interface Erasure {
  programmeId: string
  memberId: string
  /** For the audit log. */
  actor: string
  now: Date
}

/** Rows changed or removed, by what they held. */
export type Erased = Record<string, number>

/** Dialogues of these phones, wherever they are kept. */
export type ForgetDialogues = (phoneIds: readonly string[]) => Promise<number>

/** Stands where her name stood; the columns take no null. */
const nobody = '-'

interface Known {
  programme: string
  member: string
  now: Date
  /** Phones that were hers alone. */
  phones: string[]
  nobody: string
}

/** Each counts its rows; `takes` names its values, $1 first. */
const steps: readonly { name: string; takes: readonly (keyof Known)[]; sql: string }[] = [
  {
    // A phone that she shared stays; that it had a message stays with it, whose it was does not.
    name: 'greetings',
    takes: ['member', 'now'],
    sql: `update phones p set greeted_at = case when may_have_left(m) then coalesce(p.greeted_at, $2) else p.greeted_at end, greeted_by = null
            from messages m where m.id = p.greeted_by and m.member_id = $1`,
  },
  {
    name: 'messages',
    takes: ['member', 'now'],
    sql: `update messages set text = null, text_purged_at = coalesce(text_purged_at, $2), params = '{}', phone_id = null
           where member_id = $1 and (text is not null or text_purged_at is null or params <> '{}' or phone_id is not null)`,
  },
  {
    name: 'answers_to_phone',
    takes: ['member', 'now', 'phones'],
    sql: `update messages set member_id = $1, text = null, text_purged_at = $2, params = '{}', phone_id = null
           where phone_id = any($3)`,
  },
  {
    name: 'inbound_messages',
    takes: ['programme', 'phones'],
    sql: 'select forget_inbound($1, $2)',
  },
  {
    name: 'delivery_reports',
    takes: ['programme', 'phones'],
    sql: 'select forget_reports($1, $2)',
  },
  {
    name: 'phone_confirmations',
    takes: ['member', 'phones'],
    sql: 'delete from phone_confirmations where member_id = $1 or phone_id = any($2)',
  },
  { name: 'sim_checks', takes: ['phones'], sql: 'delete from sim_checks where phone_id = any($1)' },
  { name: 'member_phones', takes: ['member'], sql: 'delete from member_phones where member_id = $1' },
  { name: 'phones', takes: ['phones'], sql: 'delete from phones where id = any($1)' },
  { name: 'member_pins', takes: ['member'], sql: 'delete from member_pins where member_id = $1' },
  { name: 'meeting_answers', takes: ['member'], sql: 'delete from meeting_answers where member_id = $1' },
  {
    name: 'meeting_attendances',
    takes: ['member'],
    sql: 'delete from meeting_attendances where member_id = $1',
  },
  {
    name: 'training_attendances',
    takes: ['member'],
    sql: 'delete from training_attendances where member_id = $1',
  },
  {
    name: 'cases',
    takes: ['member', 'now'],
    sql: `update cases set status = 'closed', language = null, appointment_at = null,
                 outcome = case when status = 'open' then 'erased' else outcome end, closed_at = coalesce(closed_at, $2)
           where member_id = $1 and (status = 'open' or language is not null or appointment_at is not null)`,
  },
  { name: 'receipt_codes', takes: ['member'], sql: 'delete from receipt_codes where member_id = $1' },
  {
    name: 'members',
    takes: ['member', 'now', 'nobody'],
    sql: `update members set first_name = $3, last_name = $3, alias = $3, birth_year = null, language = null, group_id = null,
                 role = 'member', status = 'left', sms_form = 'discreet', opted_out_at = coalesce(opted_out_at, $2),
                 erased_at = $2
           where id = $1 and erased_at is null`,
  },
  {
    name: 'former_groups',
    takes: ['member'],
    sql: `delete from former_rows where relation = 'members' and row_id = $1`,
  },
]

/**
 * Erases inside the caller's transaction; `dryRun` takes it back to before and only says what would go. Dialogues are forgotten at the
 * end: what is saved of them later finds a member who is no longer there.
 */
export async function eraseMember(
  { tx, forgetDialogues }: { tx: Queryable; forgetDialogues: ForgetDialogues },
  erasure: Erasure,
  options: { dryRun?: boolean } = {},
): Promise<Erased> {
  const dryRun = options.dryRun === true
  if (dryRun) await tx.query('savepoint dry_run')
  const { erased, phoneIds } = await erase(tx, erasure)
  if (dryRun) await tx.query('rollback to savepoint dry_run')
  else if (phoneIds.length > 0) erased.dialogues = await forgetDialogues(phoneIds)
  return erased
}

async function erase(
  tx: Queryable,
  { programmeId, memberId, actor, now }: Erasure,
): Promise<{ erased: Erased; phoneIds: string[] }> {
  // Whoever binds a phone to her or erases her at the same time waits here.
  await tx.query('select 1 from members where id = $1 and programme_id = $2 for update', [
    memberId,
    programmeId,
  ])
  const { rows: phones } = await tx.query<{ id: string; isShared: boolean }>(
    `select p.id, exists (select 1 from member_phones o where o.phone_id = p.id and o.member_id <> $1) as "isShared"
       from member_phones mp join phones p on p.id = mp.phone_id where mp.member_id = $1 for update of p`,
    [memberId],
  )
  const own = phones.filter(({ isShared }) => !isShared).map(({ id }) => id)
  const erased: Erased = {
    waiting_messages: await stopWaiting(tx, memberId, own, now),
    entry_descriptions: await emptyDescriptions(tx, memberId, now),
  }
  const known: Known = { programme: programmeId, member: memberId, now, phones: own, nobody }
  for (const { name, sql, takes } of steps)
    erased[name] =
      (
        await tx.query(
          sql,
          takes.map((value) => known[value]),
        )
      ).rowCount ?? 0
  if (Object.values(erased).some((rows) => rows > 0))
    await recordAudit(tx, {
      at: now,
      programmeId,
      actor,
      action: 'member.erased',
      subject: `member:${memberId}`,
      after: erased,
    })
  return { erased, phoneIds: phones.map(({ id }) => id) }
}

/** What has not yet been handed to the provider never will be. */
async function stopWaiting(
  tx: Queryable,
  memberId: string,
  phoneIds: readonly string[],
  now: Date,
): Promise<number> {
  const { rows } = await tx.query<{ id: string }>(
    `select id from messages where status in ('created', 'queued', 'claimed') and (member_id = $1 or phone_id = any($2))`,
    [memberId, phoneIds],
  )
  const moved = await applyTransitions(
    tx,
    now,
    rows.map(({ id }) => ({ messageId: id, to: 'suppressed', source: 'operator', reason: 'erased' })),
  )
  return moved.length
}

/** The back office may have written her name there. The ledger allows it only beside the record of it. */
async function emptyDescriptions(tx: Queryable, memberId: string, now: Date): Promise<number> {
  const { rows } = await tx.query<{ id: string }>(
    `insert into entry_erasures (entry_id, erased_at)
     select distinct e.id, $2::timestamptz
       from accounts a left join loans l on l.account_id = a.id
       join postings p on p.account_id = a.id join entries e on e.id = p.entry_id
      where (a.member_id = $1 or l.member_id = $1) and e.description is not null
     on conflict (entry_id) do nothing returning entry_id as id`,
    [memberId, now],
  )
  if (rows.length === 0) return 0
  const emptied = await tx.query('update entries set description = null where id = any($1)', [
    rows.map(({ id }) => id),
  ])
  return emptied.rowCount ?? 0
}
