// In: rows of members. Out: members with their groups and phones. Never overwrites a member who is already there.
import type pg from 'pg'
import { z } from 'zod'
import { type CalendarDate, instantAt } from '../calendar.ts'
import { type ConsentPurpose, type ConsentWord, consentPurposes, recordWords } from '../members/consent.ts'
import { enrolMembers, openGroups } from '../members/enrolment.ts'
import { findStaff } from '../members/staff.ts'
import type { AddFault } from './faults.ts'
import {
  date,
  emptyIsUndefined,
  type ImportProgramme,
  optionalPhone,
  optionalText,
  text,
  wholeNumber,
  word,
} from './fields.ts'
import type { ImportKind, Numbered, Written } from './kind.ts'

const optionalLanguage = (programme: ImportProgramme) =>
  optionalText(20).refine(
    (language) => language === undefined || programme.languages.includes(language),
    'language.unknown',
  )

/** "receipt reminder meeting", "none", or undefined for who was not asked. */
const optionalPurposes = z.string().transform((written, context): ConsentPurpose[] | undefined => {
  if (written === '') return undefined
  if (written === 'none') return []
  const words = written.split(' ').filter((one) => one !== '')
  const purposes = consentPurposes.filter((purpose) => words.includes(purpose))
  if (purposes.length === words.length) return purposes
  context.addIssue({ code: 'custom', message: 'consent.purpose' })
  return z.NEVER
})

const rowSchema = (programme: ImportProgramme) =>
  z.object({
    number: text(60),
    first_name: text(80),
    last_name: text(80),
    alias: optionalText(20),
    group: optionalText(60),
    group_name: optionalText(80),
    group_place: optionalText(80),
    phone: optionalPhone(programme.country),
    birth_year: emptyIsUndefined(wholeNumber(1900, 2100)),
    language: optionalLanguage(programme),
    status: emptyIsUndefined(word(['active', 'suspended', 'left'])),
    role: emptyIsUndefined(word(['member', 'president', 'treasurer', 'educator'])),
    consent: optionalPurposes,
    consent_wording: optionalText(40),
    consent_language: optionalLanguage(programme),
    consent_collector: optionalPhone(programme.country),
    consent_date: emptyIsUndefined(date),
  })

type MemberRow = z.infer<ReturnType<typeof rowSchema>>

const consentColumns = [
  'consent',
  'consent_wording',
  'consent_language',
  'consent_collector',
  'consent_date',
] as const

/** `today` is the programme's business date. */
export function membersKind(
  programme: ImportProgramme,
  today: CalendarDate,
): ImportKind<MemberRow, MemberRow> {
  const seen = new Set<string>()
  return {
    columns: {
      required: ['number', 'first_name', 'last_name'],
      optional: [
        'alias',
        'group',
        'group_name',
        'group_place',
        'phone',
        'birth_year',
        'language',
        'status',
        'role',
        ...consentColumns,
      ],
    },
    row: rowSchema(programme),
    groupBy: undefined,
    build: ([row], addFault) => {
      if (row === undefined) return undefined
      if (seen.has(row.value.number)) {
        addFault(row.line, 'number', 'member.doubled')
        return undefined
      }
      seen.add(row.value.number)
      return consentIsWhole(row, today, addFault) ? row.value : undefined
    },
    write: (tx, members, addFault) => writeMembers(tx, programme, members, addFault),
  }
}

/** Her word needs all that proves it, and nothing proves a word that is not there. */
function consentIsWhole(
  { line, value }: Numbered<MemberRow>,
  today: CalendarDate,
  addFault: AddFault,
): boolean {
  const [, ...proofs] = consentColumns
  const wrong = proofs.filter((column) => (value[column] === undefined) !== (value.consent === undefined))
  for (const column of wrong) addFault(line, column, 'consent.incomplete')
  const isFuture = value.consent_date !== undefined && value.consent_date > today
  if (isFuture) addFault(line, 'consent_date', 'date.future')
  return wrong.length === 0 && !isFuture
}

async function writeMembers(
  tx: pg.PoolClient,
  programme: ImportProgramme,
  members: readonly Numbered<MemberRow>[],
  addFault: AddFault,
): Promise<Written> {
  const existing = await tx.query<{ number: string; firstName: string; lastName: string }>(
    `select number, first_name as "firstName", last_name as "lastName"
       from members where programme_id = $1 and number = any($2)`,
    [programme.id, members.map(({ value }) => value.number)],
  )
  const known = new Map(existing.rows.map((row) => [row.number, row]))
  const fresh = members.filter(({ line, value }) => {
    const other = known.get(value.number)
    if (other !== undefined && (other.firstName !== value.first_name || other.lastName !== value.last_name))
      addFault(line, 'number', 'member.number_taken')
    return other === undefined
  })
  const rows = fresh.map(({ value }) => value)
  const groupIds = await openGroups(tx, programme.id, groupsIn(rows))
  const memberIds = await enrolMembers(
    tx,
    programme.id,
    rows.map((row) => ({
      number: row.number,
      firstName: row.first_name,
      lastName: row.last_name,
      alias: row.alias,
      groupId: row.group === undefined ? undefined : groupIds.get(row.group),
      birthYear: row.birth_year,
      language: row.language,
      status: row.status,
      role: row.role,
      phones: row.phone === undefined ? [] : [row.phone],
    })),
  )
  await noteConsents(tx, programme, fresh, memberIds, addFault)
  const changes = fresh.map(({ line }) => ({ row: line, isNew: true, columns: [] }))
  return { written: fresh.length, alreadyThere: members.length - fresh.length, changes }
}

/** Groups by code, each as its first row describes it. */
function groupsIn(rows: readonly MemberRow[]): Map<string, { name: string; place: string }> {
  const groups = new Map<string, { name: string; place: string }>()
  for (const { group, group_name: name, group_place: place } of rows)
    if (group !== undefined && !groups.has(group))
      groups.set(group, { name: name ?? group, place: place ?? '' })
  return groups
}

/** Purposes that a row does not name stay without a word; "none" is a no to all. */
async function noteConsents(
  tx: pg.PoolClient,
  programme: ImportProgramme,
  members: readonly Numbered<MemberRow>[],
  memberIds: ReadonlyMap<string, string>,
  addFault: AddFault,
): Promise<void> {
  const collectors = members.flatMap(({ value }) => value.consent_collector?.msisdn ?? [])
  const staffIds = await findStaff(tx, programme.id, [...new Set(collectors)])
  const words: ConsentWord[] = []
  for (const { line, value } of members) {
    const { consent, consent_wording: wording, consent_collector: phone, consent_date: day } = value
    const memberId = memberIds.get(value.number)
    if (consent === undefined || wording === undefined || phone === undefined || day === undefined) continue
    if (memberId === undefined) continue
    const staffId = staffIds.get(phone.msisdn)
    if (staffId === undefined) {
      addFault(line, 'consent_collector', 'staff.unknown')
      continue
    }
    const purposes = consent.length === 0 ? consentPurposes : consent
    for (const purpose of purposes)
      words.push({
        memberId,
        purpose,
        granted: consent.length > 0,
        channel: 'import',
        wording,
        language: value.consent_language,
        collector: `staff:${staffId}`,
        at: instantAt(day, 0, programme.timeZone),
      })
  }
  await recordWords(tx, words)
}
