// In: the programmes table at boot. Out: what every path needs to know about a programme.
// Nothing else about members is kept between calls.
import { type CalendarDate, isTimeZone } from '../calendar.ts'
import { segmentsMaxOf } from '../countries.ts'
import type { Db } from '../db.ts'

export interface ProgrammeInfo {
  id: string
  code: string
  name: string
  /** Without the closing "#", for example "*384*1". */
  serviceCode: string
  senderId: string
  shortcode: string | null
  currencyCode: string
  country: string
  timeZone: string
  /** In menu order; the first is the default. */
  languages: string[]
  /** Offered although no native speaker has read them. */
  draftLanguages: string[]
  menu: string
  officePhone: string | null
  screenSeptetsFirst: number
  screenSeptetsMax: number
  sendFromMinute: number
  sendUntilMinute: number
  dailyCap: number
  /** Segments that a full text may have. */
  segmentsMax: number
  /** Text that the network puts behind our first message to a number. */
  optOutTail: string | null
  /** Days on which nobody works. */
  holidays: CalendarDate[]
  /** Within which a member who says "this is not right" is to hear. */
  answerWorkingDays: number
  /** What to dial against a network's block, by network code or "any". */
  unblockCodes: Readonly<Record<string, string>>
  /** Ask the network for a new SIM before a first PIN. */
  simSwapCheck: boolean
}

/** All programmes, by code. Plain SQL: Prisma's first query costs a serving process 80 MB of memory for good. */
export async function loadProgrammes(db: Pick<Db, 'pool'>): Promise<ProgrammeInfo[]> {
  const { rows } = await db.pool.query<ProgrammeInfo & { segmentsMax: number | null }>(
    `select id, code, name, service_code as "serviceCode", sender_id as "senderId", shortcode,
            currency_code as "currencyCode", country, time_zone as "timeZone", languages,
            draft_languages as "draftLanguages", menu, sms_segments_max as "segmentsMax", opt_out_tail as "optOutTail",
            holidays::text[] as holidays,
            office_phone as "officePhone", screen_septets_first as "screenSeptetsFirst",
            screen_septets_max as "screenSeptetsMax", send_from_minute as "sendFromMinute",
            send_until_minute as "sendUntilMinute", daily_cap as "dailyCap", answer_working_days as "answerWorkingDays",
            unblock_codes as "unblockCodes", sim_swap_check as "simSwapCheck"
       from programmes order by code`,
  )
  return rows.map((row) => ({ ...row, segmentsMax: row.segmentsMax ?? segmentsMaxOf(row.country) }))
}

/** What she dials to let our messages through again; undefined where the programme knows no code. */
export function unblockCodeOf(
  { unblockCodes }: Pick<ProgrammeInfo, 'unblockCodes'>,
  networkCode: string | undefined,
): string | undefined {
  const own = networkCode !== undefined && Object.hasOwn(unblockCodes, networkCode) ? networkCode : 'any'
  return unblockCodes[own]
}

/** What the database takes and no clock knows. */
export function programmeFaults(programmes: readonly Pick<ProgrammeInfo, 'code' | 'timeZone'>[]): string[] {
  return programmes
    .filter(({ timeZone }) => !isTimeZone(timeZone))
    .map(({ code, timeZone }) => `programme ${code}: there is no time zone "${timeZone}"`)
}
