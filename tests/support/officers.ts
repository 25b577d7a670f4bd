// A second group of the dialogues' programme, with elected officers, a meeting today, and a notice that did not reach everybody.
import type { Db } from '../../src/db.ts'
import {
  createLoan,
  createMember,
  type MemberOverrides,
  type TestMember,
  type TestProgramme,
  testNow,
} from './fixtures.ts'
import { numbers } from './ussd.ts'

export interface OfficersGroup {
  groupId: string
  members: Record<string, TestMember>
  /** Puts back all that work with the group can change; `treasurerSeesMembers` as the programme says. */
  reset(treasurerSeesMembers: boolean): Promise<void>
}

/** Group G02 "Kassoumaye" of Binta, at whose meetings everybody reads French but one. */
export async function createOfficersGroup(db: Db, programme: TestProgramme): Promise<OfficersGroup> {
  const binta = await db.prisma.staff.findFirstOrThrow({ where: { msisdn: numbers.binta } })
  const { id: groupId } = await db.prisma.group.create({
    data: {
      programmeId: programme.id,
      code: 'G02',
      name: 'Kassoumaye',
      place: 'Bignona',
      facilitatorId: binta.id,
    },
  })
  const people: Record<string, MemberOverrides> = {
    president: { firstName: 'Pauline', role: 'president', msisdn: numbers.president },
    treasurer: { firstName: 'Therese', role: 'treasurer', msisdn: numbers.treasurer },
    educator: { firstName: 'Elise', role: 'educator', msisdn: numbers.educator },
    sali: { firstName: 'Sali', msisdn: '+221770000014' },
    ndeye: { firstName: 'Ndeye', msisdn: '+221770000015', language: 'wo' },
  }
  const members: Record<string, TestMember> = {}
  for (const [person, overrides] of Object.entries(people))
    members[person] = await createMember(db, programme, { ...overrides, groupId, number: `N-${person}` })
  const { sali, ndeye } = members
  if (sali === undefined || ndeye === undefined) throw new Error('nobody there')
  await createLoan(db, programme, sali, { number: 'L-sali', dueDates: ['2026-11-22', '2026-12-25'] })
  await createLoan(db, programme, ndeye, { number: 'L-ndeye', dueDates: ['2026-11-15', '2026-12-31'] })
  const gatherings = [
    { groupId, startsAt: new Date('2026-11-22T11:30:00Z'), place: 'Case de Bignona' },
    { groupId, startsAt: new Date('2026-12-01T10:00:00Z'), place: 'Case de Bignona' },
  ]
  const meetings: string[] = []
  for (const data of gatherings) meetings.push((await db.prisma.meeting.create({ data })).id)
  const module = await db.prisma.trainingModule.findFirstOrThrow({ orderBy: { number: 'asc' } })
  await db.prisma.trainingModule.update({
    where: { id: module.id },
    data: {
      keyMessages: {
        fr: ['Un groupe décide ensemble.', 'Chacune peut parler.'],
        en: ['A group decides together.', 'Everyone may speak.'],
        wo: ['Mbootaay mi ànd.', 'Ku nekk mën na wax.'],
      },
    },
  })
  await db.prisma.trainingSession.create({
    data: {
      moduleId: module.id,
      groupId,
      startsAt: new Date('2026-12-05T09:00:00Z'),
      place: 'Case de Bignona',
    },
  })
  return {
    groupId,
    members,
    async reset(treasurerSeesMembers) {
      await db.pool.query(
        `delete from notice_recipients; delete from notices; delete from meeting_attendances`,
      )
      await db.pool.query('update programmes set treasurer_sees_members = $1', [treasurerSeesMembers])
      for (const [index, { startsAt, place }] of gatherings.entries())
        await db.pool.query(
          `update meetings set starts_at = $2, place = $3, status = 'planned', by_hand = false where id = $1`,
          [meetings[index], startsAt, place],
        )
      await db.pool.query(
        `insert into meeting_answers (meeting_id, member_id, coming, channel, answered_at)
         select $1, m.id, m.number <> 'N-sali', 'ussd', $3 from members m where m.number = any($2)`,
        [meetings[0], ['N-president', 'N-sali'], testNow],
      )
      await sendEarlierNotice(db, programme, groupId, binta.id)
    },
  }
}

/** Of two days ago: the president and the educator have it, the others do not. */
async function sendEarlierNotice(
  db: Db,
  programme: TestProgramme,
  groupId: string,
  staffId: string,
): Promise<void> {
  await db.pool.query(
    `with notice as (
       insert into notices (programme_id, author_staff_id, channel, purpose, audience, template, lane, status, approved_at, planned_at,
                            ended_at, dedupe_key, created_at)
       values ($1, $2, 'console', 'meeting', jsonb_build_object('groupIds', jsonb_build_array($3::text)), 'bring_booklet', 'planned', 'done',
               $4, $4, $4, 'earlier', $4) returning id
     ), told as (
       insert into messages (programme_id, member_id, purpose, template, lane, dedupe_key, not_before, status, notice_id)
       select $1, m.id, 'notice', 'notice.bring_booklet', 'planned', 'notice/earlier/' || m.id, $4,
              case when m.role in ('president', 'educator') then 'delivered' else 'undelivered' end, notice.id
         from notice, members m where m.group_id = $3::uuid returning id, member_id, notice_id
     )
     insert into notice_recipients (notice_id, member_id, group_id, message_id)
     select notice_id, member_id, $3::uuid, id from told`,
    [programme.id, staffId, groupId, new Date('2026-11-20T09:00:00Z')],
  )
}
