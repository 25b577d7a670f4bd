// In: made-up groups, once they have ids. Out: their calendars, meetings and trainings, and who attended those.
import { instantAt } from '../calendar.ts'
import type { Writer } from './programme.ts'
import type { SeedGroup } from './seed-group.ts'

/** Each group meets by a rule; what the planner writes later goes on from here. */
export async function insertMeetings(
  { tx, profile, now }: Writer,
  groups: readonly SeedGroup[],
  groupIds: ReadonlyMap<string, string>,
): Promise<void> {
  const { timeZone } = profile.programme
  const rows = groups.flatMap(({ code, meetingPlace, rule, meetings }) =>
    meetings.map(({ date, minuteOfDay }, position) => ({
      groupId: groupIds.get(code),
      date,
      startsAt: instantAt(date, minuteOfDay, timeZone),
      minuteOfDay,
      place: meetingPlace,
      rule: position === 0 ? rule : null,
    })),
  )
  await tx.query(
    `with held as (
       select * from unnest($1::uuid[], $2::date[], $3::timestamptz[], $4::int[], $5::text[], $6::text[])
         as h(group_id, day, starts_at, minute, place, rule)
     ), calendars as (
       insert into group_calendars (group_id, rule, starts_on, start_minute, place, created_at)
       select group_id, rule, day, minute, place, $7 from held where rule is not null returning id, group_id)
     insert into meetings (group_id, calendar_id, occurrence_date, starts_at, place)
     select h.group_id, c.id, h.day, h.starts_at, h.place from held h join calendars c on c.group_id = h.group_id`,
    [
      rows.map((row) => row.groupId),
      rows.map((row) => row.date),
      rows.map((row) => row.startsAt),
      rows.map((row) => row.minuteOfDay),
      rows.map((row) => row.place),
      rows.map((row) => row.rule),
      now,
    ],
  )
}

export async function insertSessions(
  { tx, profile, moduleIds, now }: Writer,
  groups: readonly SeedGroup[],
  groupIds: ReadonlyMap<string, string>,
  memberIds: ReadonlyMap<string, string>,
): Promise<void> {
  const rows = groups.flatMap((group) =>
    group.sessions.map(({ module, date, minuteOfDay }) => ({
      group,
      module,
      groupId: groupIds.get(group.code) ?? '',
      moduleId: moduleIds.get(module) ?? '',
      startsAt: instantAt(date, minuteOfDay, profile.programme.timeZone),
    })),
  )
  const inserted = await tx.query<{ id: string; groupId: string; moduleId: string }>(
    `insert into training_sessions (module_id, group_id, starts_at, place)
     select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::text[])
     returning id, group_id as "groupId", module_id as "moduleId"`,
    [
      rows.map((row) => row.moduleId),
      rows.map((row) => row.groupId),
      rows.map((row) => row.startsAt),
      rows.map((row) => row.group.meetingPlace),
    ],
  )
  const sessionIds = new Map(inserted.rows.map((row) => [`${row.groupId} ${row.moduleId}`, row.id]))
  const attendances = rows
    .filter(({ startsAt }) => startsAt < now)
    .flatMap(({ group, module, groupId, moduleId }) =>
      group.members.map((member) => ({
        sessionId: sessionIds.get(`${groupId} ${moduleId}`),
        memberId: memberIds.get(member.number),
        attended: member.attended.has(module),
      })),
    )
  await tx.query(
    `insert into training_attendances (session_id, member_id, attended)
     select * from unnest($1::uuid[], $2::uuid[], $3::bool[])`,
    [
      attendances.map((row) => row.sessionId),
      attendances.map((row) => row.memberId),
      attendances.map((row) => row.attended),
    ],
  )
}
