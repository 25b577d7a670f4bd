// In: the programmes table at boot. Out: what every path needs to know about a programme.
// Nothing else about members is kept between calls.
import { isTimeZone } from '../calendar.ts'
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
  menu: string
  officePhone: string | null
  screenSeptetsFirst: number
  screenSeptetsMax: number
  sendFromMinute: number
  sendUntilMinute: number
  dailyCap: number
}

/** All programmes, by code. */
export async function loadProgrammes(db: Db): Promise<ProgrammeInfo[]> {
  const programmes = await db.prisma.programme.findMany({ orderBy: { code: 'asc' } })
  return programmes.map(({ createdAt: _, ...programme }) => programme)
}

/** What the database takes and no clock knows. */
export function programmeFaults(programmes: readonly Pick<ProgrammeInfo, 'code' | 'timeZone'>[]): string[] {
  return programmes
    .filter(({ timeZone }) => !isTimeZone(timeZone))
    .map(({ code, timeZone }) => `programme ${code}: there is no time zone "${timeZone}"`)
}
