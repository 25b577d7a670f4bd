// In: a member. Out: all that is held on her, as one JSON document. Must never hold a PIN's hash, nor what belongs to another member.
import { recordAudit } from '../audit.ts'
import type { Queryable } from '../db.ts'

/** Rows by table, as they stand in the database (docs/privacy.md says what each is). */
export interface MemberExport {
  format: 'tama-member/1'
  exportedAt: string
  tables: Record<string, unknown[]>
}

const ownAccounts = `select a.id from accounts a left join loans l on l.account_id = a.id
                      where a.member_id = $1 or l.member_id = $1`
const ownPhones = 'select phone_id from member_phones where member_id = $1'

/** One query a table; $1 is the member. A table that refers to members and is not here fails a test. */
export const exportedTables: Readonly<Record<string, string>> = {
  // Without the forms of her names that she is found by.
  members: `select to_jsonb(t) - '{plain_number,plain_alias,plain_name,plain_reversed}'::text[] as row from members t where id = $1`,
  groups: `select jsonb_build_object('code', g.code, 'name', g.name, 'place', g.place) as row
             from members m join groups g on g.id = m.group_id where m.id = $1`,
  member_phones: 'select to_jsonb(t) as row from member_phones t where member_id = $1 order by phone_id',
  // Of a shared phone the message may be another member's.
  phones: `select to_jsonb(t) - 'greeted_by' as row from phones t where id in (${ownPhones}) order by id`,
  sim_checks: `select to_jsonb(t) - 'request_id' as row from sim_checks t where phone_id in (${ownPhones}) order by id`,
  phone_confirmations: `select to_jsonb(t) as row from phone_confirmations t
                         where member_id = $1 or officer_id = $1 order by id`,
  member_pins: `select to_jsonb(t) - 'hash' - 'last_try_key' as row from member_pins t where member_id = $1`,
  consents: 'select to_jsonb(t) as row from consents t where member_id = $1 order by purpose',
  meeting_answers:
    'select to_jsonb(t) as row from meeting_answers t where member_id = $1 order by answered_at',
  meeting_attendances:
    'select to_jsonb(t) as row from meeting_attendances t where member_id = $1 order by taken_at',
  training_attendances:
    'select to_jsonb(t) as row from training_attendances t where member_id = $1 order by session_id',
  receipt_codes: 'select to_jsonb(t) as row from receipt_codes t where member_id = $1 order by issued_at, id',
  // Who hands out an export must not read from it that she asked for a social worker: of no case does it say what it is about or whose.
  cases: `select to_jsonb(t) - 'kind' - 'owner_id' - 'dedupe_key' - 'language' as row from cases t
           where member_id = $1 order by opened_at`,
  loans: 'select to_jsonb(t) as row from loans t where member_id = $1 order by number',
  instalments: `select to_jsonb(t) as row from instalments t join loans l on l.id = t.loan_id
                 where l.member_id = $1 order by t.due_date, t.number`,
  accounts: `select to_jsonb(t) as row from accounts t where id in (${ownAccounts}) order by code`,
  // Amounts as text: a JSON number has no exact decimals. Of an entry only the postings on her own accounts.
  postings: `select to_jsonb(t) || jsonb_build_object('amount', t.amount::text) as row from postings t
              where account_id in (${ownAccounts}) order by id`,
  entries: `select to_jsonb(t) - 'tx_id' as row from entries t
             where id in (select entry_id from postings where account_id in (${ownAccounts})) order by booked_date, id`,
  messages: 'select to_jsonb(t) as row from messages t where member_id = $1 order by created_at, id',
  // Those that she wrote as an officer; her own line of each that was for her.
  notices: `select to_jsonb(t) - 'tx_id' - 'confirm_code' as row from notices t where author_member_id = $1 order by created_at, id`,
  notice_recipients:
    'select to_jsonb(t) as row from notice_recipients t where member_id = $1 order by notice_id',
  message_events: `select to_jsonb(t) as row from message_events t join messages m on m.id = t.message_id
                    where m.member_id = $1 order by t.id`,
  delivery_reports: `select to_jsonb(t) - 'phone_ids' as row from delivery_reports t
                       join messages m on m.provider = t.provider and m.provider_message_id = t.provider_message_id
                      where m.member_id = $1 order by t.id`,
  inbound_messages: `select to_jsonb(t) as row from inbound_messages t
                      where phone_id in (${ownPhones}) order by received_at`,
  audit_log: `select jsonb_build_object('at', t.at, 'actor', t.actor, 'action', t.action, 'before', t.before, 'after', t.after)
                as row from audit_log t where subject = 'member:' || $1::text order by t.id`,
}

const parts = Object.entries(exportedTables).map(
  ([table, sql]) => `'${table}', coalesce((select jsonb_agg(part.row) from (${sql}) part), '[]')`,
)

/** One statement, so one snapshot of everything. That it was made stands in the audit log. */
export async function exportMember(
  tx: Queryable,
  asked: { programmeId: string; memberId: string; actor: string; now: Date },
): Promise<MemberExport> {
  const { programmeId, memberId, actor, now } = asked
  const { rows } = await tx.query<{ tables: Record<string, unknown[]> }>(
    `select jsonb_build_object(${parts.join(', ')}) as tables`,
    [memberId],
  )
  await recordAudit(tx, {
    at: now,
    programmeId,
    actor,
    action: 'member.exported',
    subject: `member:${memberId}`,
  })
  return { format: 'tama-member/1', exportedAt: now.toISOString(), tables: rows[0]?.tables ?? {} }
}
