// Small programme, members, loans and payments for tests, written through the project's own functions.
import { randomBytes } from 'node:crypto'
import { Decimal } from 'decimal.js'
import { addDays, type CalendarDate } from '../../src/calendar.ts'
import type { Db } from '../../src/db.ts'
import {
  openAccounts,
  savingsAccount,
  savingsAccountCode,
  standardAccounts,
} from '../../src/ledger/accounts.ts'
import { type PostedEntry, postEntries } from '../../src/ledger/entries.ts'
import { createLoans, disbursementOf, type NewLoan, repaymentOf } from '../../src/ledger/loans.ts'
import { type ConsentPurpose, consentPurposes, recordWords, type Saying } from '../../src/members/consent.ts'

/** A Sunday, before noon in Dakar (UTC all year). */
export const testNow = new Date('2026-11-22T10:00:00Z')
export const testToday: CalendarDate = '2026-11-22'

export interface TestProgramme {
  id: string
  code: string
  currency: string
  /** Group that members join unless told otherwise. */
  groupId: string
}

export interface ProgrammeOverrides {
  code?: string
  serviceCode?: string
  senderId?: string
  shortcode?: string
  currency?: string
  country?: string
  timeZone?: string
  languages?: string[]
}

/** Programme "fansoto" (XOF, Senegal, *384*1) with one group and the standard accounts. */
export async function createProgramme(db: Db, overrides: ProgrammeOverrides = {}): Promise<TestProgramme> {
  const code = overrides.code ?? 'fansoto'
  const currency = overrides.currency ?? 'XOF'
  const programme = await db.prisma.programme.create({
    data: {
      code,
      name: code.toUpperCase(),
      serviceCode: overrides.serviceCode ?? '*384*1',
      senderId: overrides.senderId ?? 'FANSOTO',
      shortcode: overrides.shortcode ?? '21384',
      currencyCode: currency,
      country: overrides.country ?? 'SN',
      timeZone: overrides.timeZone ?? 'Africa/Dakar',
      languages: overrides.languages ?? ['fr', 'en', 'wo'],
      // No native speaker has read them; production offers them all the same where a programme says so.
      draftLanguages: overrides.languages ?? ['fr', 'en', 'wo'],
      officePhone: '+221338000000',
    },
  })
  const group = await db.prisma.group.create({
    data: { programmeId: programme.id, code: 'G01', name: 'Jappo', place: 'Ziguinchor' },
  })
  await openAccounts(db.pool, programme.id, standardAccounts(currency))
  return { id: programme.id, code, currency, groupId: group.id }
}

/** Of the programme's one group; asked for again, it changes nothing. */
export async function appointFacilitator(db: Db, programme: TestProgramme, msisdn: string): Promise<void> {
  await db.pool.query(
    `with person as (
       insert into staff (programme_id, first_name, last_name, msisdn, role, language)
       values ($1, 'Binta', 'Sané', $2, 'facilitator', 'fr') on conflict do nothing returning id)
     update groups set facilitator_id = person.id from person where groups.id = $3`,
    [programme.id, msisdn, programme.groupId],
  )
}

export interface TestMember {
  id: string
  number: string
  msisdn: string
  phoneId: string
}

export interface MemberOverrides {
  number?: string
  msisdn?: string
  /** Shares a phone that is already there. */
  phoneId?: string
  groupId?: string
  firstName?: string
  alias?: string
  language?: string | null
  status?: 'active' | 'suspended' | 'left'
  role?: 'member' | 'president' | 'treasurer' | 'educator'
  smsForm?: 'discreet' | 'full'
  birthYear?: number
  /** Opens her savings account [true]. */
  savings?: boolean
  /** What she agreed to at enrolment [everything]; []: she was never asked. */
  consents?: readonly ConsentPurpose[]
}

/** Long before every test's now. */
export const enrolledAt = new Date('2025-01-15T10:00:00Z')

/** Her yes to these purposes, as a facilitator took it down. */
export async function agreeAtEnrolment(
  db: Db,
  memberId: string,
  purposes: readonly ConsentPurpose[] = consentPurposes,
): Promise<void> {
  await recordWords(
    db.pool,
    purposes.map((purpose) => ({
      memberId,
      purpose,
      granted: true,
      channel: 'staff',
      wording: 'sheet-1',
      language: 'fr',
      collector: 'staff:test',
      at: enrolledAt,
    })),
  )
}

/** Her own word, on USSD. */
export function sayingAt(at: Date): Saying {
  return { channel: 'ussd', wording: '2026-11', language: 'fr', collector: 'herself', at }
}

let memberCount = 0

/** A member with her own primary phone and an empty savings account; language "fr" unless told otherwise. */
export async function createMember(
  db: Db,
  programme: TestProgramme,
  overrides: MemberOverrides = {},
): Promise<TestMember> {
  memberCount += 1
  const number = overrides.number ?? `M${String(memberCount).padStart(4, '0')}`
  const firstName = overrides.firstName ?? 'Awa'
  const member = await db.prisma.member.create({
    data: {
      programmeId: programme.id,
      groupId: overrides.groupId ?? programme.groupId,
      number,
      firstName,
      lastName: 'Diatta',
      alias: overrides.alias ?? firstName,
      birthYear: overrides.birthYear ?? 1985,
      language: overrides.language === undefined ? 'fr' : overrides.language,
      status: overrides.status ?? 'active',
      role: overrides.role ?? 'member',
      smsForm: overrides.smsForm ?? 'discreet',
    },
  })
  const phone =
    overrides.phoneId === undefined
      ? await db.prisma.phone.create({
          data: {
            programmeId: programme.id,
            msisdn: overrides.msisdn ?? `+2217700${String(memberCount).padStart(5, '0')}`,
          },
        })
      : await db.prisma.phone.findUniqueOrThrow({ where: { id: overrides.phoneId } })
  await db.prisma.memberPhone.create({ data: { memberId: member.id, phoneId: phone.id } })
  await agreeAtEnrolment(db, member.id, overrides.consents)
  if (overrides.savings !== false)
    await openAccounts(db.pool, programme.id, [savingsAccount(member, programme.currency)])
  return { id: member.id, number, msisdn: phone.msisdn, phoneId: phone.id }
}

export interface LoanOverrides {
  number?: string
  product?: NewLoan['product']
  cycle?: number
  /** One instalment each [three, the first in 3 days, then monthly steps of 30 days]. */
  dueDates?: CalendarDate[]
  /** Of each instalment, whole units [10000]. */
  principalEach?: number
  interestEach?: number
  disbursedDate?: CalendarDate
  /** Post the disbursement [true]. */
  disburse?: boolean
}

/** A disbursed loan of three instalments of 10 000 + 500 interest unless told otherwise. */
export async function createLoan(
  db: Db,
  programme: TestProgramme,
  member: TestMember,
  overrides: LoanOverrides = {},
): Promise<NewLoan & { entry: PostedEntry | undefined }> {
  const dueDates = overrides.dueDates ?? [3, 33, 63].map((days) => addDays(testToday, days))
  const zero = new Decimal(0)
  const principal = new Decimal(overrides.principalEach ?? 10_000)
  const interest = new Decimal(overrides.interestEach ?? 500)
  const loan: NewLoan = {
    number: overrides.number ?? `L${randomBytes(4).toString('hex')}`,
    memberId: member.id,
    product: overrides.product ?? 'standard',
    cycle: overrides.cycle ?? 1,
    principal: principal.times(dueDates.length),
    instalments: dueDates.map((dueDate) => ({ dueDate, principal, interest, fee: zero, insurance: zero })),
  }
  const disbursedDate = overrides.disbursedDate ?? addDays(testToday, -30)
  const posted = await db.transaction(async (tx) => {
    await createLoans(tx, programme.id, programme.currency, [loan])
    if (overrides.disburse === false) return []
    return postEntries(tx, programme.id, 'test', [disbursementOf(loan, disbursedDate)])
  })
  return { ...loan, entry: posted[0] }
}

/** Posts a repayment of whole units and gives its entry. */
export async function repay(
  db: Db,
  programme: TestProgramme,
  loanNumber: string,
  amount: number | string,
  options: { reference?: string; bookedDate?: CalendarDate } = {},
): Promise<PostedEntry> {
  const reference = options.reference ?? `repayment/${randomBytes(6).toString('hex')}`
  const entry = repaymentOf(loanNumber, new Decimal(amount), options.bookedDate ?? testToday, reference)
  return postOne(db, programme, entry)
}

/** Posts a savings deposit of whole units, or a withdrawal when the amount is below zero. */
export async function save(
  db: Db,
  programme: TestProgramme,
  member: TestMember,
  amount: number | string,
  options: { reference?: string; bookedDate?: CalendarDate } = {},
): Promise<PostedEntry> {
  const change = new Decimal(amount)
  return postOne(db, programme, {
    reference: options.reference ?? `savings/${randomBytes(6).toString('hex')}`,
    kind: change.isNegative() ? 'savings_withdrawal' : 'savings_deposit',
    bookedDate: options.bookedDate ?? testToday,
    postings: [
      { account: 'cash', amount: change },
      { account: savingsAccountCode(member.number), amount: change.negated() },
    ],
  })
}

async function postOne(
  db: Db,
  programme: TestProgramme,
  entry: Parameters<typeof postEntries>[3][number],
): Promise<PostedEntry> {
  const [posted] = await db.transaction((tx) => postEntries(tx, programme.id, 'test', [entry]))
  if (posted === undefined) throw new Error('nothing was posted')
  return posted
}
