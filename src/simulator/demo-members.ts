// The members of the demo whose situation is known: which phone shows what. The same on every start.
// Nothing of this stands in the database; the PIN is a demo's and is refused nowhere else.
import type { Queryable } from '../db.ts'

export const demoProgrammeCode = 'fansoto'

/** The PIN of every demo member who has one. */
export const demoPin = '4816'

/** A number of the country that nobody has. */
export const unknownMsisdn = '+221770000199'

export const demoFacilitatorMsisdn = '+221770000190'

type Situation = 'due_in_three_days' | 'first_time' | 'suspended' | 'overpaid' | 'corrected' | 'usual'

export interface DemoMember {
  firstName: string
  lastName: string
  alias: string
  msisdn: string
  /** Undefined until she has chosen. */
  language: string | undefined
  hasPin: boolean
  situation: Situation
}

const member = (
  alias: string,
  lastName: string,
  lastDigits: string,
  language: string | undefined,
  situation: Situation,
): DemoMember => ({
  firstName: alias,
  lastName,
  alias,
  msisdn: `+2217700001${lastDigits}`,
  language,
  hasPin: situation !== 'first_time',
  situation,
})

/** In the first group, right after its officers. Its next meeting is tomorrow. */
export const demoMembers: readonly DemoMember[] = [
  member('Awa', 'Diatta', '01', 'fr', 'due_in_three_days'),
  member('Mariama', 'Badji', '02', undefined, 'first_time'),
  member('Fatou', 'Sambou', '03', 'fr', 'usual'),
  member('Binta', 'Sambou', '03', 'wo', 'usual'),
  member('Khady', 'Coly', '03', 'fr', 'usual'),
  member('Rose', 'Bassène', '04', 'fr', 'suspended'),
  member('Adama', 'Camara', '05', 'en', 'usual'),
  member('Ndèye', 'Gueye', '06', 'wo', 'usual'),
  member('Sona', 'Mané', '07', 'fr', 'overpaid'),
  member('Oumou', 'Diallo', '08', 'fr', 'corrected'),
]

export interface DemoPhone {
  msisdn: string
  label: string
  /** What there is to see. */
  hint: string
  pin?: string
}

const described: readonly DemoPhone[] = [
  {
    msisdn: '+221770000101',
    label: 'Awa',
    hint: 'French; instalment due in three days, meeting tomorrow: reminders come at the first start',
    pin: demoPin,
  },
  { msisdn: '+221770000102', label: 'Mariama', hint: 'dials for the first time: language and PIN to choose' },
  {
    msisdn: '+221770000103',
    label: 'Fatou, Binta, Khady',
    hint: 'three members share this phone',
    pin: demoPin,
  },
  { msisdn: '+221770000104', label: 'Rose', hint: 'suspended member', pin: demoPin },
  { msisdn: '+221770000105', label: 'Adama', hint: 'English', pin: demoPin },
  { msisdn: '+221770000106', label: 'Ndèye', hint: 'Wolof', pin: demoPin },
  { msisdn: '+221770000107', label: 'Sona', hint: 'paid more than she owed', pin: demoPin },
  { msisdn: '+221770000108', label: 'Oumou', hint: 'a payment was booked twice and corrected', pin: demoPin },
  { msisdn: demoFacilitatorMsisdn, label: 'Seynabou', hint: 'facilitator of the first groups' },
]

/** The demo's phones that are in the database; none when its programme is another. */
export async function demoPhones(db: Queryable): Promise<DemoPhone[]> {
  const { rows } = await db.query<{ msisdn: string }>(
    `select f.msisdn from phones f join programmes p on p.id = f.programme_id where p.code = $1 and f.msisdn = any($2)
     union
     select s.msisdn from staff s join programmes p on p.id = s.programme_id where p.code = $1 and s.msisdn = any($2)`,
    [demoProgrammeCode, described.map(({ msisdn }) => msisdn)],
  )
  const there = new Set(rows.map((row) => row.msisdn))
  return described.filter(({ msisdn }) => there.has(msisdn))
}
