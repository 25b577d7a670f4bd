// A programme whose staff send notices, and the rounds of its planner, for tests of what notices come to.
import type { Db } from '../../src/db.ts'
import { loadI18n } from '../../src/i18n.ts'
import { createMetrics } from '../../src/metrics.ts'
import { draftNotice, type NoticeDraft, sendNotice } from '../../src/notices/notices.ts'
import { createNoticePlanner, type NoticePlanner } from '../../src/notices/planner.ts'
import { createDecider, type Decision } from '../../src/outbound/decision.ts'
import type { MessageStatus } from '../../src/outbound/status.ts'
import { silentLogger } from './database.ts'
import { type TestProgramme, testNow } from './fixtures.ts'

export const i18n = loadI18n('locales')

export const minutesOn = (count: number) => new Date(testNow.getTime() + count * 60_000)

let made = 0

export async function createStaff(
  db: Db,
  programme: TestProgramme,
  role: string,
  groupId?: string,
): Promise<string> {
  made += 1
  const { id } = await db.prisma.staff.create({
    data: {
      programmeId: programme.id,
      firstName: 'Binta',
      lastName: 'Sané',
      msisdn: `+2217790${String(10_000 + made)}`,
      role,
      language: 'fr',
    },
  })
  if (groupId !== undefined)
    await db.prisma.group.update({ where: { id: groupId }, data: { facilitatorId: id } })
  return id
}

export async function createGroup(db: Db, programme: TestProgramme, code: string): Promise<string> {
  const { id } = await db.prisma.group.create({
    data: { programmeId: programme.id, code, name: `Groupe ${code}`, place: 'Bignona' },
  })
  return id
}

/** A notice in French to the programme's group, by this member of staff, unless told otherwise. */
export function noticeAsk(
  programme: TestProgramme,
  staffId: string,
  change: Partial<NoticeDraft> = {},
): NoticeDraft {
  made += 1
  return {
    programmeId: programme.id,
    author: { staffId },
    channel: 'console',
    purpose: 'service',
    audience: { groupIds: [programme.groupId] },
    texts: { fr: 'Le bureau est fermé demain.' },
    dedupeKey: `test/${made}`,
    now: testNow,
    ...change,
  }
}

/** Drafted, sent and, below the limit, on its way a minute after testNow. */
export async function sentNotice(db: Db, ask: NoticeDraft): Promise<string> {
  const draft = await draftNotice(db.pool, i18n, ask)
  if ('faults' in draft) throw new Error(JSON.stringify(draft.faults))
  const { outcome, faults } = await db.transaction((tx) => sendNotice(tx, draft.id, ask.author, ask.now))
  if (outcome === 'refused') throw new Error(JSON.stringify(faults))
  return draft.id
}

export function noticePlanner(db: Db, batchMembers = 10_000): NoticePlanner {
  const clock = { now: () => testNow }
  return createNoticePlanner({ db, clock, logger: silentLogger, metrics: createMetrics(), batchMembers })
}

/** What the sender would do with the open messages of a notice now, by the number of their members. */
export async function decisionsOf(db: Db, noticeId: string, now: Date): Promise<Map<string, Decision>> {
  const { rows } = await db.pool.query<{ id: string; number: string }>(
    `select m.id, mb.number from messages m join members mb on mb.id = m.member_id
      where m.notice_id = $1 and m.status = 'created' order by mb.number`,
    [noticeId],
  )
  const decisions = await createDecider({ db, i18n })(
    rows.map(({ id }) => id),
    now,
  )
  return new Map(rows.map(({ number }, index) => [number, decisions[index] as Decision]))
}

/** Puts a member's message of a notice where the sender and the network would have brought it. */
export async function bringTo(
  db: Db,
  noticeId: string,
  number: string,
  status: MessageStatus,
  reason: string | null = null,
): Promise<void> {
  const { rowCount } = await db.pool.query(
    `update messages m set status = $3, reason = $4, updated_at = $5,
            submitted_at = case when $3 in ('submitted', 'sent', 'delivered', 'undelivered') then $5::timestamptz end
       from members mb where mb.id = m.member_id and m.notice_id = $1 and mb.number = $2`,
    [noticeId, number, status, reason, testNow],
  )
  if (rowCount !== 1) throw new Error(`${rowCount} messages for ${number}`)
}

export async function statusOf(db: Db, noticeId: string): Promise<string | undefined> {
  const { rows } = await db.pool.query<{ status: string }>('select status from notices where id = $1', [
    noticeId,
  ])
  return rows[0]?.status
}
