// In: a meeting or training of a group. Out: who said that she comes, who came, and who is ready for a first loan.
// Must never count a session that a member did not attend, nor take attendance of what lies ahead.
import { recordAudit } from '../audit.ts'
import type { Queryable } from '../db.ts'
import { initialDoneSql, initialTotalSql, isReadyForFirstLoan } from '../ledger/position.ts'

export type Attended = { meetingId: string } | { sessionId: string }

export interface AttendanceRow {
  memberId: string
  number: string
  /** Several members of a group may have the same one. */
  alias: string
  firstName: string
  lastName: string
  /** Her own word before a meeting; null: she said nothing. */
  announced: 'yes' | 'no' | null
  /** Null: nobody took it down. */
  attended: boolean | null
}

const tablesOf = (of: Attended) =>
  'meetingId' in of
    ? {
        id: of.meetingId,
        kind: 'meeting',
        gatherings: 'meetings',
        came: 'meeting_attendances',
        key: 'meeting_id',
      }
    : {
        id: of.sessionId,
        kind: 'training',
        gatherings: 'training_sessions',
        came: 'training_attendances',
        key: 'session_id',
      }

/** The group's active members, and who left since but was there; by alias. */
export async function attendanceOf(tx: Queryable, of: Attended): Promise<AttendanceRow[]> {
  const { id, kind, gatherings, came, key } = tablesOf(of)
  const { rows } = await tx.query<AttendanceRow>(
    `select m.id as "memberId", m.number, m.alias, m.first_name as "firstName", m.last_name as "lastName", c.attended,
            ${kind === 'meeting' ? `case a.coming when true then 'yes' when false then 'no' end` : 'null'} as announced
       from ${gatherings} t
       join members m on m.group_id = t.group_id or exists (
         select 1 from ${came} other where other.${key} = t.id and other.member_id = m.id)
       left join ${came} c on c.${key} = t.id and c.member_id = m.id
       ${kind === 'meeting' ? 'left join meeting_answers a on a.meeting_id = t.id and a.member_id = m.id' : ''}
      where t.id = $1 and (m.status = 'active' or c.attended is not null)
      order by m.alias, m.number`,
    [id],
  )
  return rows
}

/** Attendance is taken from this long before the hour: people come early, and nobody has come to what is tomorrow. */
const earlyMs = 3 * 3_600_000

/** True when it is taken down, or was so already; false for who is not of the group, and for what is off or ahead. */
export async function takeAttendance(
  tx: Queryable,
  of: Attended,
  { memberId, attended, by, now }: { memberId: string; attended: boolean; by: string; now: Date },
): Promise<boolean> {
  const { id, kind, gatherings, came, key } = tablesOf(of)
  const found = await tx.query<{ programmeId: string; before: boolean | null }>(
    `select m.programme_id as "programmeId", c.attended as before
       from ${gatherings} t
       join members m on m.id = $2 and m.programme_id = (select programme_id from groups g where g.id = t.group_id)
       left join ${came} c on c.${key} = t.id and c.member_id = m.id
      where t.id = $1 and t.status = 'planned' and t.starts_at <= $3
        and (c.member_id is not null or m.group_id = t.group_id and m.status <> 'left')`,
    [id, memberId, new Date(now.getTime() + earlyMs)],
  )
  const row = found.rows[0]
  if (row === undefined) return false
  if (row.before === attended) return true
  await tx.query(
    `insert into ${came} (${key}, member_id, attended, taken_by, taken_at) values ($1, $2, $3, $4, $5)
     on conflict (${key}, member_id) do update
       set attended = excluded.attended, taken_by = excluded.taken_by, taken_at = excluded.taken_at`,
    [id, memberId, attended, by, now],
  )
  await recordAudit(tx, {
    at: now,
    programmeId: row.programmeId,
    actor: by,
    action: 'attendance.taken',
    subject: `${kind}:${id}`,
    ...(row.before === null ? {} : { before: { member: `member:${memberId}`, attended: row.before } }),
    after: { member: `member:${memberId}`, attended },
  })
  return true
}

export interface Readiness {
  memberId: string
  number: string
  alias: string
  firstName: string
  lastName: string
  /** Initial sessions that she attended. */
  attended: number
  /** Initial sessions that the programme has. */
  needed: number
  /** She has or had a loan: the question is behind her. */
  borrowed: boolean
  /** All of them attended, and no loan ever. */
  ready: boolean
}

/** The group's active members, by alias. */
export async function firstLoanReadiness(tx: Queryable, groupId: string): Promise<Readiness[]> {
  const { rows } = await tx.query<Omit<Readiness, 'ready'>>(
    `select m.id as "memberId", m.number, m.alias, m.first_name as "firstName", m.last_name as "lastName",
            ${initialDoneSql} as attended, ${initialTotalSql} as needed,
            exists (select 1 from loans l where l.member_id = m.id) as borrowed
       from members m where m.group_id = $1 and m.status = 'active' order by m.alias, m.number`,
    [groupId],
  )
  return rows.map((row) => ({
    ...row,
    ready: isReadyForFirstLoan({ ...row, initialDone: row.attended, initialTotal: row.needed }),
  }))
}
