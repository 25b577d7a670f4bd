// In: a seed and a group's place in the row. Out: the group with its members, meetings and trainings, before any id is known.
// Pure: the same seed, group and day give the same group, whatever the number of groups.
import { addDays, type CalendarDate } from '../calendar.ts'
import type { DemoMember } from './demo-members.ts'
import type { NumberRow, Profile } from './profile.ts'
import { createRandom, pickOne, type Random } from './random.ts'
import { type MeetingDays, type MoneySituation, planMoney, type SeedMoney } from './seed-money.ts'
import { moduleCount } from './seed-words.ts'

export const groupSize = 25
export const initialModules = 6
const groupsPerFacilitator = 10

export interface SeedMember {
  number: string
  firstName: string
  lastName: string
  alias: string
  birthYear: number
  language: string | undefined
  status: 'active' | 'suspended'
  role: 'member' | 'president' | 'treasurer' | 'educator'
  msisdn: string | undefined
  demo: DemoMember | undefined
  money: SeedMoney
  /** Module numbers she took part in. */
  attended: ReadonlySet<number>
}

interface Gathering {
  date: CalendarDate
  minuteOfDay: number
}

export interface SeedGroup {
  code: string
  name: string
  place: string
  meetingPlace: string
  facilitator: number
  members: SeedMember[]
  meetings: Gathering[]
  /** The rule that yields them, from the first of them on. */
  rule: string
  sessions: (Gathering & { module: number })[]
}

export interface SeedTerms {
  profile: Profile
  seed: number
  today: CalendarDate
  /** In the whole programme. */
  members: number
}

/** `index` counts from 0. */
export function planGroup(terms: SeedTerms, index: number): SeedGroup {
  const { profile, seed, today, members } = terms
  const random = createRandom(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b))
  const isDemo = index === 0
  const isNew = index % 10 === 9
  const stepDays = !isDemo && random.chance(0.4) ? 28 : 14
  const days: MeetingDays = {
    today,
    next: addDays(today, isDemo ? 1 : random.between(1, stepDays)),
    stepDays,
  }
  const place = pickOne(random, profile.places)
  const minuteOfDay = pickOne(random, [9 * 60, 10 * 60, 15 * 60, 16 * 60 + 30])
  const sessions = planSessions(random, days, isNew)
  const size = Math.min(groupSize, members - index * groupSize)
  return {
    code: `G${String(index + 1).padStart(3, '0')}`,
    name: `${pickOne(random, profile.groupNames)} ${place}`,
    place,
    meetingPlace: `${pickOne(random, profile.meetingPlaces)}, ${place}`,
    facilitator: Math.floor(index / groupsPerFacilitator),
    members: planMembers(random, terms, index, size, days, isNew, sessions),
    meetings: Array.from({ length: 10 }, (_, position) => ({
      date: addDays(days.next, (position - 6) * stepDays),
      minuteOfDay,
    })),
    rule: `FREQ=WEEKLY;INTERVAL=${stepDays / 7}`,
    sessions,
  }
}

/** The facilitators that so many members need. */
export const facilitatorsFor = (members: number) => Math.ceil(members / groupSize / groupsPerFacilitator)

/** The initial modules first, then one a month; a new group is at its fourth. The next one is always ahead. */
function planSessions(random: Random, days: MeetingDays, isNew: boolean): SeedGroup['sessions'] {
  const minuteOfDay = pickOne(random, [8 * 60 + 30, 11 * 60, 14 * 60 + 30])
  const next = addDays(days.today, random.between(2, 13))
  const at = (module: number, offsetDays: number) => ({
    module,
    date: addDays(next, offsetDays),
    minuteOfDay,
  })
  const initial = Array.from({ length: initialModules }, (_, index) => index + 1)
  if (isNew) return initial.map((module) => at(module, (module - 5) * 14))
  const latest = random.between(9, moduleCount - 1)
  return [
    ...initial.map((module) => at(module, -420 + module * 7)),
    ...[latest - 2, latest - 1, latest].map((module) => at(module, (module - latest) * 28)),
    at(latest + 1, 28),
  ]
}

function planMembers(
  random: Random,
  { profile, seed }: SeedTerms,
  groupIndex: number,
  size: number,
  days: MeetingDays,
  isNew: boolean,
  sessions: SeedGroup['sessions'],
): SeedMember[] {
  const isDemo = groupIndex === 0
  const purse = { ...profile.money, random, currency: profile.programme.currency }
  const phones = planPhones(random, profile, seed, groupIndex, size)
  const members: SeedMember[] = []
  for (let seat = 0; seat < size; seat += 1) {
    const demo = isDemo ? profile.demo.members[seat - officers.length] : undefined
    const number = `${profile.letter}${String(groupIndex * groupSize + seat + 1).padStart(6, '0')}`
    const situation = demo?.situation ?? situationOf(random, isNew)
    const money = planMoney(purse, number, days, situation)
    const held = sessions.filter(({ date }) => date < days.today).map(({ module }) => module)
    const isDue = money.loans.length > 0
    const names = nameOf(random, profile)
    const msisdn = demo === undefined ? phones[seat] : demo.msisdn
    const firstName = demo?.firstName ?? names.firstName
    const lastName = demo?.lastName ?? names.lastName
    const taken = members.some(
      (other) => msisdn !== undefined && other.msisdn === msisdn && other.alias === firstName,
    )
    members.push({
      number,
      firstName,
      lastName,
      alias: taken ? `${firstName} ${lastName.slice(0, 1)}${seat}` : firstName,
      birthYear: Number(days.today.slice(0, 4)) - random.between(21, 62),
      language: languageOf(random, profile, demo),
      status: demo?.situation === 'suspended' || random.chance(0.005) ? 'suspended' : 'active',
      role: officers[seat] ?? 'member',
      msisdn,
      demo,
      money,
      attended: new Set(held.filter((module) => (isDue && module <= initialModules) || random.chance(0.88))),
    })
  }
  return members
}

const officers = ['president', 'treasurer', 'educator'] as const

function situationOf(random: Random, isNew: boolean): MoneySituation {
  if (isNew) return 'newcomer'
  return random.chance(0.03) ? 'dormant' : 'usual'
}

function languageOf(
  random: Random,
  { languageShares }: Profile,
  demo: DemoMember | undefined,
): string | undefined {
  const drawn = random.pick(languageShares)
  if (demo !== undefined) return demo.language
  return drawn === 'none' ? undefined : drawn
}

function nameOf(random: Random, { peoples, menShare }: Profile): { firstName: string; lastName: string } {
  let left = random.between(1, 100)
  let people = peoples[0]
  for (const one of peoples) {
    people = one
    left -= one.share
    if (left <= 0) break
  }
  const isMan = random.chance(menShare)
  return {
    firstName: pickOne(random, isMan ? people.men : people.firstNames),
    lastName: pickOne(random, people.lastNames),
  }
}

/** Of 25: two without a phone, and two pairs or three who share one; seats of officers and demo members are left alone. */
function planPhones(
  random: Random,
  { numbers, demo }: Profile,
  seed: number,
  groupIndex: number,
  size: number,
): (string | undefined)[] {
  const phones: (string | undefined)[] = Array.from({ length: size }, (_, seat) =>
    phoneNumber(numbers, seed, groupIndex * groupSize + seat),
  )
  const first = groupIndex === 0 ? officers.length + demo.members.length : officers.length
  const free = Array.from({ length: Math.max(0, size - first) }, (_, index) => index + first)
  const sets = random.chance(0.25) ? [3] : [2, 2]
  for (const count of sets) {
    if (free.length < count) break
    const [owner = 0, ...others] = free.splice(random.between(0, free.length - count), count)
    for (const seat of others) phones[seat] = phones[owner]
  }
  for (let without = 0; without < 2 && free.length > 0; without += 1) {
    const [seat = 0] = free.splice(random.between(0, free.length - 1), 1)
    phones[seat] = undefined
  }
  return phones
}

/** A mobile number of the country, another for every index below the length of the row. */
export function phoneNumber(
  { start, prefixes, digits, reserved }: NumberRow,
  seed: number,
  index: number,
): string {
  const usable = 10 ** digits - reserved
  // The factor is prime and does not divide the range, so that no two indexes meet.
  const place = Number(
    (BigInt(index) * 15_485_863n + BigInt(seed >>> 0) * 7_919n) % BigInt(usable * prefixes.length),
  )
  const prefix = prefixes[Math.floor(place / usable)] ?? ''
  return `${start}${prefix}${String((place % usable) + reserved).padStart(digits, '0')}`
}
