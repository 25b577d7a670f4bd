// In: who is signed in. Out: what her role lets her see and do: one rule for groups and members, one for amounts, one for numbers.
// Every page asks here, so that no page can be more open than another.

import { type StaffRole, staffRoles } from '../members/staff.ts'

/** Everybody who is signed in. */
export const everyRole = staffRoles
/** They see the programme as a whole. */
export const officeRoles: readonly StaffRole[] = ['branch', 'administrator', 'auditor']
/** Those who work with members; an auditor only reads. */
export const workingRoles: readonly StaffRole[] = [
  'facilitator',
  'adviser',
  'social_worker',
  'branch',
  'administrator',
]

export interface Viewer {
  id: string
  role: StaffRole
}

/** SQL that holds for the groups that the viewer may see; `group` is SQL of ours for a row of groups, `$n` names the viewer's id. */
export function groupScopeSql({ role }: Viewer, group: string, parameter: string): string {
  return role === 'facilitator'
    ? `${group}.facilitator_id = ${parameter}::uuid`
    : `${parameter}::uuid is not null`
}

/** The same for a row of members. A facilitator sees the members of her own groups; the others meet members of all groups. */
export function memberScopeSql({ role }: Viewer, member: string, parameter: string): string {
  return role === 'facilitator'
    ? `exists (select 1 from groups scope where scope.id = ${member}.group_id and scope.facilitator_id = ${parameter}::uuid)`
    : `${parameter}::uuid is not null`
}

/** The same for a row of messages: one about nobody is seen by those who see the whole programme. */
export function messageScopeSql({ role }: Viewer, message: string, parameter: string): string {
  return role === 'facilitator'
    ? `exists (select 1 from members about join groups scope on scope.id = about.group_id
                where about.id = ${message}.member_id and scope.facilitator_id = ${parameter}::uuid)`
    : `${parameter}::uuid is not null`
}

/** What she owes and saved, and texts that may say so. */
export function seesAmounts({ role }: Pick<Viewer, 'role'>): boolean {
  return role === 'facilitator' || role === 'branch' || role === 'administrator'
}

/** Whole phone numbers, to call them; others see them masked. */
export function seesNumbers({ role }: Pick<Viewer, 'role'>): boolean {
  return role !== 'auditor'
}

export function changesThings({ role }: Pick<Viewer, 'role'>): boolean {
  return workingRoles.includes(role)
}
