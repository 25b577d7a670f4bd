// In: a profile, a seed, a size and a day. Out: its programme, made up: members, phones, meetings, trainings, a full ledger.
// Must never stand beside a programme that is no demo's, and never owe anybody a message for the past it makes up.
import { Decimal } from 'decimal.js'
import type pg from 'pg'
import { recordAudit } from '../audit.ts'
import { addDays, localParts } from '../calendar.ts'
import type { Db } from '../db.ts'
import { StartError } from '../errors.ts'
import { insertDescribed } from '../imports/programme.ts'
import { withoutTelling } from '../imports/told.ts'
import { chart, openAccounts, savingsAccount, standardAccounts } from '../ledger/accounts.ts'
import { type NewEntry, postEntries, reverseEntry } from '../ledger/entries.ts'
import { createLoans, disbursementOf, type NewLoan } from '../ledger/loans.ts'
import { recordWords, servicePurposes } from '../members/consent.ts'
import { colleagues, demoPin } from './demo-members.ts'
import type { Profile } from './profile.ts'
import { readProfile } from './profiles.ts'
import { insertMeetings, insertSessions } from './seed-gatherings.ts'
import {
  facilitatorsFor,
  groupSize,
  initialModules,
  phoneNumber,
  planGroup,
  type SeedGroup,
  type SeedMember,
} from './seed-group.ts'
import { keyMessagesIn, moduleTitlesIn } from './seed-words.ts'

const postedBy = 'seed'
/** Groups written together; keeps memory small whatever the size of the programme. */
const groupsPerBatch = 20
const entriesPerBatch = 2_000
/** Before the oldest entry that the seed makes up. */
const enrolledDaysAgo = 1_000
/** The sheet that was read to them. */
const enrolmentWording = 'sheet-1'

export interface SeedOptions {
  /** [casamance] */
  profile?: Profile
  /** The same seed and day make the same data. */
  seed: number
  members: number
  now: Date
  /** Keeps a PIN; only demo members get one. */
  setPin: (memberId: string, pin: string) => Promise<void>
  /** The same for the first facilitator [chosen at the first dial]. */
  setStaffPin?: (staffId: string, pin: string) => Promise<void>
  /** In members. */
  onProgress?: (done: number, total: number) => void
}

/**
 * One transaction, then the PINs. Gives the programme's id. Throws a StartError when the programme is there, or one that was not
 * made up.
 */
export async function seedProgramme(db: Db, options: SeedOptions): Promise<string> {
  const { profile = readProfile('casamance') } = options
  const today = localParts(options.now, profile.programme.timeZone).date
  const { programmeId, pinHolders, facilitatorIds } = await db.transaction(async (tx) => {
    await refuseOthers(tx, profile)
    const write = () => writeProgramme(tx, profile, options, today)
    const written = await withoutTelling(tx, options.now, write)
    await recordAudit(tx, {
      at: options.now,
      programmeId: written.programmeId,
      actor: 'operator',
      action: 'demo.seeded',
      subject: `programme:${written.programmeId}`,
      after: { members: options.members, seed: options.seed },
    })
    return written
  })
  // A server that has just taken a million rows would plan its first reads for empty tables.
  await db.pool.query('analyze')
  for (const memberId of pinHolders) await options.setPin(memberId, demoPin)
  const [facilitatorId] = facilitatorIds
  if (facilitatorId !== undefined) await options.setStaffPin?.(facilitatorId, demoPin)
  return programmeId
}

/** What was made up is known by its row in the audit log. */
async function refuseOthers(tx: pg.PoolClient, { programme }: Profile): Promise<void> {
  const { rows } = await tx.query<{ code: string; isDemo: boolean }>(
    `select code, exists (select from audit_log a where a.programme_id = p.id and a.action = 'demo.seeded') as "isDemo"
       from programmes p order by code`,
  )
  const fail = (fault: string) => {
    throw new StartError('There is nothing to seed', [fault])
  }
  if (rows.some(({ code }) => code === programme.code))
    fail(`the database already has a programme "${programme.code}"`)
  const real = rows.find(({ isDemo }) => !isDemo)
  if (real !== undefined) fail(`the database already has a programme that is no demo's: "${real.code}"`)
}

async function writeProgramme(tx: pg.PoolClient, profile: Profile, options: SeedOptions, today: string) {
  const { seed, members, onProgress } = options
  const programmeId = await insertDescribed(tx, profile.programme)
  const facilitatorIds = await insertStaff(tx, programmeId, profile, options)
  const moduleIds = await insertModules(tx, programmeId, profile)
  await openAccounts(tx, programmeId, standardAccounts(profile.programme.currency))
  await postEntries(tx, programmeId, postedBy, [openingEntry(profile, members, today)])
  const writer = { tx, programmeId, profile, facilitatorIds, moduleIds, now: options.now }
  const pinHolders: string[] = []
  const groupCount = Math.ceil(members / groupSize)
  for (let first = 0; first < groupCount; first += groupsPerBatch) {
    const count = Math.min(groupsPerBatch, groupCount - first)
    const groups = Array.from({ length: count }, (_, index) =>
      planGroup({ profile, seed, today, members }, first + index),
    )
    pinHolders.push(...(await writeGroups(writer, groups)))
    onProgress?.(Math.min(members, (first + count) * groupSize), members)
  }
  return { programmeId, pinHolders, facilitatorIds }
}

/** The facilitators' ids; who administers the programme is written with them. */
async function insertStaff(
  tx: pg.PoolClient,
  programmeId: string,
  profile: Profile,
  { seed, members }: SeedOptions,
): Promise<string[]> {
  const { facilitatorNames, demo, numbers, staffLanguage } = profile
  const staff = Array.from({ length: facilitatorsFor(members) }, (_, index) => {
    const [firstName = '', lastName = ''] = facilitatorNames[index % facilitatorNames.length] ?? []
    // Members' phones come from the same row of numbers, further in front.
    const msisdn = index === 0 ? demo.facilitator : phoneNumber(numbers, seed, numbers.staffFrom + index)
    return { firstName, lastName, msisdn, role: 'facilitator' }
  })
  const [firstName = '', lastName = ''] = facilitatorNames.at(-1) ?? []
  staff.push({ firstName, lastName, msisdn: demo.office, role: 'administrator' })
  for (const [index, role] of colleagues.entries())
    staff.push({ ...colleagueName(profile, index), msisdn: demo.colleagues[role], role })
  const { rows } = await tx.query<{ id: string; msisdn: string }>(
    `insert into staff (programme_id, first_name, last_name, msisdn, role, language, languages)
     select $1, t.*, $6, case t.role when 'adviser' then $7::text[] else '{}' end
       from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as t (first_name, last_name, msisdn, role) returning id, msisdn`,
    [
      programmeId,
      staff.map((one) => one.firstName),
      staff.map((one) => one.lastName),
      staff.map((one) => one.msisdn),
      staff.map((one) => one.role),
      staffLanguage,
      // Whoever asks for an adviser is to be understood.
      profile.programme.languages,
    ],
  )
  const idByMsisdn = new Map(rows.map((row) => [row.msisdn, row.id]))
  return staff.filter(({ role }) => role === 'facilitator').map((one) => idByMsisdn.get(one.msisdn) ?? '')
}

/** Of the people whom the programme serves. */
export function colleagueName({ peoples }: Profile, index: number): { firstName: string; lastName: string } {
  const [{ firstNames, lastNames }] = peoples
  const at = (names: readonly string[]) => names[(index * 3 + 1) % names.length] ?? ''
  return { firstName: at(firstNames), lastName: at(lastNames) }
}

async function insertModules(
  tx: pg.PoolClient,
  programmeId: string,
  { programme, farms }: Profile,
): Promise<Map<number, string>> {
  const titles = moduleTitlesIn(programme.languages, farms).map((each) => JSON.stringify(each))
  const { rows } = await tx.query<{ id: string; number: number }>(
    `insert into training_modules (programme_id, number, initial, titles, key_messages)
     select $1, t.number, t.number <= $3, t.titles::jsonb, t.messages::jsonb
       from unnest($2::text[], $4::text[]) with ordinality as t (titles, messages, number) returning id, number`,
    [
      programmeId,
      titles,
      initialModules,
      keyMessagesIn(programme.languages).map((each) => JSON.stringify(each)),
    ],
  )
  return new Map(rows.map((row) => [row.number, row.id]))
}

/** Donors' money, so that the cash account never falls below zero. */
function openingEntry({ money }: Profile, members: number, today: string): NewEntry {
  const amount = new Decimal(members).times(1_000).times(money.unit)
  return {
    reference: 'opening',
    kind: 'opening',
    bookedDate: addDays(today, -1_000),
    postings: [
      { account: chart.cash, amount },
      { account: chart.opening, amount: amount.negated() },
    ],
  }
}

export interface Writer {
  tx: pg.PoolClient
  profile: Profile
  programmeId: string
  facilitatorIds: readonly string[]
  moduleIds: ReadonlyMap<number, string>
  now: Date
}

/** Gives the ids of demo members who have a PIN. */
async function writeGroups(writer: Writer, groups: readonly SeedGroup[]): Promise<string[]> {
  const { tx, programmeId, facilitatorIds } = writer
  const inserted = await tx.query<{ id: string; code: string }>(
    `insert into groups (programme_id, code, name, place, facilitator_id)
     select $1, t.* from unnest($2::text[], $3::text[], $4::text[], $5::uuid[]) as t returning id, code`,
    [
      programmeId,
      groups.map((group) => group.code),
      groups.map((group) => group.name),
      groups.map((group) => group.place),
      groups.map((group) => facilitatorIds[group.facilitator]),
    ],
  )
  const groupIds = new Map(inserted.rows.map((row) => [row.code, row.id]))
  const memberIds = await insertMembers(writer, groups, groupIds)
  const members = groups.flatMap((group) => group.members)
  await insertPhones(writer, members, memberIds)
  await noteConsents(writer, groups, memberIds)
  await insertMeetings(writer, groups, groupIds)
  await insertSessions(writer, groups, groupIds, memberIds)
  await writeMoney(writer, members, memberIds)
  return members.flatMap(({ number, demo }) => (demo?.hasPin === true ? [memberIds.get(number) ?? ''] : []))
}

async function insertMembers(
  { tx, programmeId }: Writer,
  groups: readonly SeedGroup[],
  groupIds: ReadonlyMap<string, string>,
): Promise<Map<string, string>> {
  const rows = groups.flatMap((group) =>
    group.members.map((member) => ({ ...member, groupId: groupIds.get(group.code) })),
  )
  const inserted = await tx.query<{ id: string; number: string }>(
    `insert into members (programme_id, group_id, number, first_name, last_name, alias, birth_year, language, status, role)
     select $1, t.* from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[], $8::text[], $9::text[],
       $10::text[]) as t
     returning id, number`,
    [
      programmeId,
      rows.map((row) => row.groupId),
      rows.map((row) => row.number),
      rows.map((row) => row.firstName),
      rows.map((row) => row.lastName),
      rows.map((row) => row.alias),
      rows.map((row) => row.birthYear),
      rows.map((row) => row.language ?? null),
      rows.map((row) => row.status),
      rows.map((row) => row.role),
    ],
  )
  return new Map(inserted.rows.map((row) => [row.number, row.id]))
}

/** At enrolment the facilitator asked about what serves them; who dials for the first time is asked on the screen. */
async function noteConsents(
  { tx, profile, facilitatorIds, now }: Writer,
  groups: readonly SeedGroup[],
  memberIds: ReadonlyMap<string, string>,
): Promise<void> {
  const at = new Date(now.getTime() - enrolledDaysAgo * 86_400_000)
  const words = groups.flatMap((group) =>
    group.members
      .filter(({ demo }) => demo?.situation !== 'first_time')
      .flatMap(({ number, language }) =>
        servicePurposes.map((purpose) => ({
          memberId: memberIds.get(number) ?? '',
          purpose,
          granted: true,
          channel: 'staff' as const,
          wording: enrolmentWording,
          language: language ?? profile.programme.languages[0] ?? '',
          collector: `staff:${facilitatorIds[group.facilitator]}`,
          at,
        })),
      ),
  )
  await recordWords(tx, words)
}

async function insertPhones(
  { tx, programmeId }: Writer,
  members: readonly SeedMember[],
  memberIds: ReadonlyMap<string, string>,
): Promise<void> {
  const held = members.flatMap(({ number, msisdn }) =>
    msisdn === undefined ? [] : [{ memberId: memberIds.get(number), msisdn }],
  )
  const msisdns = [...new Set(held.map((row) => row.msisdn))]
  await tx.query(
    `with added as (
       insert into phones (programme_id, msisdn, raw)
       select $1, t.msisdn, t.msisdn from unnest($2::text[]) as t (msisdn) returning id, msisdn)
     insert into member_phones (member_id, phone_id)
     select t.member_id, added.id from unnest($3::uuid[], $4::text[]) as t (member_id, msisdn)
       join added on added.msisdn = t.msisdn`,
    [programmeId, msisdns, held.map((row) => row.memberId), held.map((row) => row.msisdn)],
  )
}

/** Entries go in booked order, so that a statement reads as if they had been posted day by day. */
async function writeMoney(
  { tx, programmeId, profile }: Writer,
  members: readonly SeedMember[],
  memberIds: ReadonlyMap<string, string>,
): Promise<void> {
  const { currency } = profile.programme
  const idOf = (member: SeedMember) => memberIds.get(member.number) ?? ''
  const savers = profile.money.takesSavings ? members : []
  const books = savers.map((member) => savingsAccount({ id: idOf(member), number: member.number }, currency))
  await openAccounts(tx, programmeId, books)
  const loans = members.flatMap((member) =>
    member.money.loans.map(({ loan, disbursedDate }) => {
      const whole: NewLoan = { ...loan, memberId: idOf(member) }
      return { loan: whole, disbursedDate }
    }),
  )
  await createLoans(
    tx,
    programmeId,
    currency,
    loans.map(({ loan }) => loan),
  )
  const entries = [
    ...loans.map(({ loan, disbursedDate }) => disbursementOf(loan, disbursedDate)),
    ...members.flatMap((member) => member.money.entries),
  ].sort((left, right) =>
    left.bookedDate < right.bookedDate ? -1 : left.bookedDate > right.bookedDate ? 1 : 0,
  )
  for (let first = 0; first < entries.length; first += entriesPerBatch)
    await postEntries(tx, programmeId, postedBy, entries.slice(first, first + entriesPerBatch))
  for (const reversal of members.flatMap((member) => member.money.reversals))
    await reverseEntry(tx, programmeId, postedBy, reversal)
}
