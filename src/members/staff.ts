// In: a programme and phone numbers. Out: which of them are its staff's, and what their roles may see.
// Must never tell a caller who is staff; the screens decide what is said.
import type { Queryable } from '../db.ts'

export const staffRoles = [
  'facilitator',
  'adviser',
  'social_worker',
  'branch',
  'administrator',
  'auditor',
] as const
export type StaffRole = (typeof staffRoles)[number]

export const isStaffRole = (role: string): role is StaffRole => staffRoles.some((known) => known === role)

export interface StaffMember {
  id: string
  programmeId: string
  firstName: string
  lastName: string
  /** E.164 with the plus sign. */
  msisdn: string
  role: StaffRole
  language: string
  /** Languages that he or she can speak with members, besides their own. */
  languages: string[]
  active: boolean
}

/** Whether a role sees every group of the programme; the others see the groups that they facilitate. */
export const seesAllGroups = (role: string): boolean => role === 'branch' || role === 'administrator'

const staffColumns = `s.id, s.programme_id as "programmeId", s.first_name as "firstName", s.last_name as "lastName", s.msisdn,
  s.role, s.language, s.languages, s.active`

/** Also who is not active any more: `active` says so. */
export async function findStaffByMsisdn(
  tx: Queryable,
  programmeId: string,
  msisdn: string,
): Promise<StaffMember | undefined> {
  const { rows } = await tx.query<StaffMember>(
    `select ${staffColumns} from staff s where s.programme_id = $1 and s.msisdn = $2`,
    [programmeId, msisdn],
  )
  return rows[0]
}

/** Active staff who may work by phone: an auditor reads in the console only, and to the phone is a stranger like any other. */
export async function findWritingStaff(
  tx: Queryable,
  programmeId: string,
  msisdn: string,
): Promise<StaffMember | undefined> {
  const staff = await findStaffByMsisdn(tx, programmeId, msisdn)
  return staff?.active === true && staff.role !== 'auditor' ? staff : undefined
}

/** Which of the programme's languages the menu speaks with them from now on. */
export async function chooseStaffLanguage(tx: Queryable, staffId: string, language: string): Promise<void> {
  await tx.query('update staff set language = $2 where id = $1', [staffId, language])
}

/** E.164 number to id, for those that belong to active staff of the programme. */
export async function findStaff(
  tx: Queryable,
  programmeId: string,
  msisdns: readonly string[],
): Promise<Map<string, string>> {
  if (msisdns.length === 0) return new Map()
  const { rows } = await tx.query<{ id: string; msisdn: string }>(
    'select id, msisdn from staff where programme_id = $1 and active and msisdn = any($2)',
    [programmeId, msisdns],
  )
  return new Map(rows.map(({ id, msisdn }) => [msisdn, id]))
}
