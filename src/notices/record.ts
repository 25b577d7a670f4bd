// In: an id. Out: a notice as it stands, with what of its programme its words and its way depend on. Only reads.
import { addDays, instantAt, localParts } from '../calendar.ts'
import { segmentsMaxOf } from '../countries.ts'
import type { Queryable } from '../db.ts'
import { writtenTemplate } from '../outbound/notice-text.ts'
import type { Audience, NoticePurpose } from './audience.ts'
import { type Author, isUuid } from './rights.ts'

export const noticeStatuses = [
  'draft',
  'waiting',
  'approved',
  'sending',
  'done',
  'undone',
  'stopped',
  'refused',
  'expired',
] as const
export type NoticeStatus = (typeof noticeStatuses)[number]
export type NoticeChannel = 'ussd' | 'sms' | 'console' | 'api'
export type NoticeLane = 'planned' | 'bulk'

/** What of the programme its notices depend on. */
export interface NoticeProgramme {
  programmeId: string
  languages: string[]
  timeZone: string
  senderId: string
  serviceCode: string
  /** Segments that a written text may have: what the networks there join, or the programme pays for. */
  segmentsMax: number
  /** Text that the network puts behind our first message to a number. */
  optOutTail: string | null
  /** What a segment costs, as text; null where the programme has no price. */
  price: string | null
  currency: string | null
  approvalAbove: number
  sendFromMinute: number
  sendUntilMinute: number
}

export interface Notice extends NoticeProgramme {
  id: string
  authorStaffId: string | null
  authorMemberId: string | null
  channel: NoticeChannel
  purpose: NoticePurpose
  audience: Audience
  /** Null: somebody wrote the texts. */
  template: string | null
  fields: Record<string, string>
  texts: Record<string, string>
  lane: NoticeLane
  status: NoticeStatus
  sendAt: Date | null
  expiresAt: Date | null
  approverId: string | null
  approvedAt: Date | null
  plannedAt: Date | null
  endedAt: Date | null
  endedBy: string | null
  createdAt: Date
}

const programmeColumns = `
  pr.id as "programmeId", pr.languages, pr.time_zone as "timeZone", pr.sender_id as "senderId",
  pr.service_code as "serviceCode", pr.country::text, pr.sms_segments_max as "segmentsMax", pr.opt_out_tail as "optOutTail",
  pr.segment_price::text as price, pr.segment_currency as currency, pr.approval_above as "approvalAbove",
  pr.send_from_minute as "sendFromMinute", pr.send_until_minute as "sendUntilMinute"`

type ProgrammeRow = Omit<NoticeProgramme, 'segmentsMax'> & { country: string; segmentsMax: number | null }

function withSegments<Row extends ProgrammeRow>(row: Row) {
  const { country, segmentsMax, ...rest } = row
  return { ...rest, segmentsMax: segmentsMax ?? segmentsMaxOf(country) }
}

export async function readNoticeProgramme(
  tx: Queryable,
  programmeId: string,
): Promise<NoticeProgramme | undefined> {
  const { rows } = await tx.query<ProgrammeRow>(
    `select ${programmeColumns} from programmes pr where pr.id = $1`,
    [programmeId],
  )
  return rows[0] === undefined ? undefined : withSegments(rows[0])
}

const noticeSql = `
  select n.id, n.author_staff_id as "authorStaffId", n.author_member_id as "authorMemberId", n.channel, n.purpose, n.audience,
         n.template, n.fields, n.texts, n.lane, n.status, n.send_at as "sendAt", n.expires_at as "expiresAt",
         n.approver_id as "approverId", n.approved_at as "approvedAt", n.planned_at as "plannedAt",
         n.ended_at as "endedAt", n.ended_by as "endedBy", n.created_at as "createdAt", ${programmeColumns}
    from notices n join programmes pr on pr.id = n.programme_id where n.id = $1`

/** `hold` keeps others from moving it until the transaction ends; "skip" gives undefined when somebody else holds it. */
export async function readNotice(
  tx: Queryable,
  noticeId: string,
  hold?: 'wait' | 'skip',
): Promise<Notice | undefined> {
  if (!isUuid(noticeId)) return undefined
  // A lock that is waited for in the reading statement would give the row as it was before the wait.
  if (hold === 'wait') await tx.query('select 1 from notices where id = $1 for no key update', [noticeId])
  const locking = hold === 'skip' ? ' for no key update of n skip locked' : ''
  const { rows } = await tx.query<ProgrammeRow & Omit<Notice, keyof NoticeProgramme>>(noticeSql + locking, [
    noticeId,
  ])
  return rows[0] === undefined ? undefined : withSegments(rows[0])
}

/** As its messages name what they say. */
export function messageTemplate({ template }: Pick<Notice, 'template'>): string {
  return template === null ? writtenTemplate : `notice.${template}`
}

export function isAuthor(notice: Notice, author: Author): boolean {
  if ('staffId' in author) return notice.authorStaffId === author.staffId
  if ('memberId' in author) return notice.authorMemberId === author.memberId
  return notice.channel === 'api' && notice.authorStaffId === null && notice.authorMemberId === null
}

/** How long it can be taken back whole before anything leaves. */
export const undoMs = 60_000

/** When it starts to leave; undefined while nobody has let it go. */
export function startOf({ approvedAt, sendAt }: Pick<Notice, 'approvedAt' | 'sendAt'>): Date | undefined {
  if (approvedAt === null) return undefined
  return new Date(Math.max(approvedAt.getTime() + undoMs, sendAt?.getTime() ?? 0))
}

/** `at`, or when the hours of the programme open next: 100,000 messages need not be taken up only to be put back. */
export function openingFor(
  {
    timeZone,
    sendFromMinute,
    sendUntilMinute,
  }: Pick<Notice, 'timeZone' | 'sendFromMinute' | 'sendUntilMinute'>,
  at: Date,
): Date {
  const { date, minuteOfDay } = localParts(at, timeZone)
  if (minuteOfDay >= sendFromMinute && minuteOfDay < sendUntilMinute) return at
  const opening = instantAt(minuteOfDay < sendFromMinute ? date : addDays(date, 1), sendFromMinute, timeZone)
  return opening > at ? opening : at
}

/** When its first SMS leaves: once it cannot be undone, at its own time, in the hours of the programme. */
export function leavesAt(notice: Notice): Date | undefined {
  const start = startOf(notice)
  return start === undefined ? undefined : openingFor(notice, start)
}
