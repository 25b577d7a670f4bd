// In: the demo's known members. Out: the phones that a visitor may hold, and what each one shows.
// Must never offer a number that is not the demo's own.
import type { Queryable } from '../db.ts'
import { type DemoMember, demoMembers, demoPhones, demoProgrammeCode, unknownMsisdn } from './demo-members.ts'

/** What there is to see on a phone; the page says it in words. */
export type Scene =
  | 'member'
  | 'new'
  | 'shared'
  | 'suspended'
  | 'unknown'
  | 'english'
  | 'wolof'
  | 'overpaid'
  | 'corrected'
  | 'staff'

export interface PhoneChoice {
  /** Names the phone in the page's addresses, in place of its number. */
  id: string
  scene: Scene
  msisdn: string
  /** Who holds it; everybody's short name for a shared phone; empty for an unknown number. */
  name: string
  /** Shown because this is a demo; undefined where there is none yet. */
  pin: string | undefined
  /** What she dials, for example "*384*1#". */
  serviceCode: string
  /** Where she can send SMS; undefined where that does not exist. */
  shortcode: string | undefined
}

/** Those of the demo's phones that are in the database, and a number that nobody has. None without the demo programme. */
export async function chooseDemoPhones(db: Queryable): Promise<PhoneChoice[]> {
  const { rows } = await db.query<{ serviceCode: string; shortcode: string | null }>(
    `select service_code as "serviceCode", shortcode from programmes where code = $1`,
    [demoProgrammeCode],
  )
  const programme = rows[0]
  if (programme === undefined) return []
  const codes = { serviceCode: `${programme.serviceCode}#`, shortcode: programme.shortcode ?? undefined }
  const known = (await demoPhones(db)).map(({ msisdn, label, pin }): PhoneChoice => {
    const holders = demoMembers.filter((member) => member.msisdn === msisdn)
    const [only] = holders.length === 1 ? holders : []
    const name = only === undefined ? label : `${only.firstName} ${only.lastName}`
    return { id: idOf(msisdn), scene: sceneOf(holders), msisdn, name, pin, ...codes }
  })
  const unknown = { msisdn: unknownMsisdn, name: '', pin: undefined, ...codes }
  const choices = [...known, { id: idOf(unknownMsisdn), scene: 'unknown' as const, ...unknown }]
  return choices.sort((one, other) => scenes.indexOf(one.scene) - scenes.indexOf(other.scene))
}

/** In the order of the page: the first five are what every visitor should see. */
const scenes: readonly Scene[] = [
  'member',
  'new',
  'shared',
  'suspended',
  'unknown',
  'english',
  'wolof',
  'overpaid',
  'corrected',
  'staff',
]

const idOf = (msisdn: string) => msisdn.slice(-4)

function sceneOf(holders: readonly DemoMember[]): Scene {
  const [first] = holders
  if (first === undefined) return 'staff'
  if (holders.length > 1) return 'shared'
  if (first.situation === 'first_time') return 'new'
  if (first.situation === 'due_in_three_days') return 'member'
  if (first.situation !== 'usual') return first.situation
  return first.language === 'wo' ? 'wolof' : 'english'
}
