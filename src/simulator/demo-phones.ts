// In: the demo programmes. Out: the phones that a visitor may hold, and what each one shows.
// Must never offer a number that is not the demo's own.
import type { Queryable } from '../db.ts'
import { type Colleague, colleagues, type DemoMember, demoPin } from './demo-members.ts'
import { type Profile, type ProfileName, profileNames } from './profile.ts'
import { readProfile } from './profiles.ts'
import { colleagueName } from './programme.ts'

/** What there is to see on a phone; the page says it in words. In the order of the page: every visitor should see the first five. */
const scenes = [
  'member',
  'new',
  'shared',
  'staff',
  'office',
  'suspended',
  'unknown',
  'usual',
  'overpaid',
  'corrected',
  ...colleagues,
] as const

export type Scene = (typeof scenes)[number]

export interface PhoneChoice {
  /** Names the phone in the page's addresses, in place of its number. */
  id: string
  programme: {
    name: ProfileName
    code: string
    title: Profile['title']
    sender: string
    madeUpAt: Date | null
  }
  scene: Scene
  msisdn: string
  /** Who holds it; everybody's short name for a shared phone; empty for an unknown number. */
  name: string
  /** What its holders read, each tag once; none where nothing is chosen yet. */
  languages: string[]
  /** Shown because this is a demo; undefined where there is none yet. */
  pin: string | undefined
  /** What she dials, for example "*384*1#". */
  serviceCode: string
  /** Where she can send SMS; undefined where that does not exist. */
  shortcode: string | undefined
}

interface Row {
  code: string
  serviceCode: string
  senderId: string
  shortcode: string | null
  madeUpAt: Date | null
  msisdns: string[]
}

/**
 * Of each demo programme in the database those of its phones that are there, and a number that nobody has. `first` stands before
 * the others.
 */
export async function chooseDemoPhones(db: Queryable, first?: ProfileName): Promise<PhoneChoice[]> {
  const names = first === undefined ? profileNames : [...new Set([first, ...profileNames])]
  const profiles = names.map(readProfile)
  const { rows } = await db.query<Row>(
    `select p.code, p.service_code as "serviceCode", p.sender_id as "senderId", p.shortcode,
            (select min(a.at) from audit_log a where a.programme_id = p.id and a.action = 'demo.seeded') as "madeUpAt",
            array(select f.msisdn from phones f where f.programme_id = p.id and f.msisdn = any($2)
                  union select s.msisdn from staff s where s.programme_id = p.id and s.msisdn = any($2)) as msisdns
       from programmes p where p.code = any($1)`,
    [
      profiles.map(({ programme }) => programme.code),
      profiles.flatMap(({ demo }) => [
        demo.facilitator,
        demo.office,
        ...Object.values(demo.colleagues),
        ...demo.members.map(({ msisdn }) => msisdn),
      ]),
    ],
  )
  return profiles.flatMap((profile) => {
    const row = rows.find(({ code }) => code === profile.programme.code)
    return row === undefined ? [] : phonesOf(profile, row)
  })
}

function phonesOf(profile: Profile, row: Row): PhoneChoice[] {
  const { code, serviceCode, senderId, shortcode, madeUpAt, msisdns } = row
  const { name, title, demo } = profile
  const choices = [...new Set([...msisdns, demo.unknown])].map((msisdn): PhoneChoice => {
    const holders = demo.members.filter((member) => member.msisdn === msisdn)
    const scene = sceneOfStaff(demo, msisdn)
    return {
      id: `${code}-${msisdn.slice(-4)}`,
      programme: { name, code, title, sender: senderId, madeUpAt },
      scene: scene ?? (msisdn === demo.unknown ? 'unknown' : sceneOf(holders)),
      msisdn,
      name: scene === undefined ? nameOf(holders) : staffName(profile, scene),
      languages: [...new Set(holders.flatMap(({ language }) => language ?? []))],
      pin: scene === 'staff' || holders.some(({ hasPin }) => hasPin) ? demoPin : undefined,
      serviceCode: `${serviceCode}#`,
      shortcode: shortcode ?? undefined,
    }
  })
  const place = ({ scene }: PhoneChoice) => scenes.indexOf(scene)
  return choices.sort((one, other) => place(one) - place(other) || (one.msisdn < other.msisdn ? -1 : 1))
}

type StaffScene = 'staff' | 'office' | Colleague

function sceneOfStaff(
  { facilitator, office, colleagues: numbers }: Profile['demo'],
  msisdn: string,
): StaffScene | undefined {
  if (msisdn === facilitator) return 'staff'
  if (msisdn === office) return 'office'
  return colleagues.find((role) => numbers[role] === msisdn)
}

/** The first facilitator bears the first name of the list, who administers the last. */
function staffName(profile: Profile, scene: StaffScene): string {
  if (scene !== 'staff' && scene !== 'office')
    return colleagueName(profile, colleagues.indexOf(scene)).firstName
  return profile.facilitatorNames.at(scene === 'staff' ? 0 : -1)?.[0] ?? ''
}

function nameOf(holders: readonly DemoMember[]): string {
  const [only, ...others] = holders
  if (only === undefined) return ''
  if (others.length === 0) return `${only.firstName} ${only.lastName}`
  return holders.map(({ alias }) => alias).join(', ')
}

function sceneOf(holders: readonly DemoMember[]): Scene {
  const [only, ...others] = holders
  if (others.length > 0) return 'shared'
  if (only?.situation === 'first_time') return 'new'
  if (only?.situation === 'due_in_three_days') return 'member'
  return only?.situation ?? 'unknown'
}
