// What stands in the menu, in this order, and for whom. A new page is a line here, a file in pages/ and a line in routes.ts.

import type { StaffRole } from '../members/staff.ts'
import type { MenuEntry } from './page.ts'
import { everyRole, officeRoles } from './roles.ts'

const entries: readonly MenuEntry[] = [
  { path: '/', key: 'menu.today', roles: everyRole },
  { path: '/groups', key: 'menu.groups', roles: everyRole },
  { path: '/meetings', key: 'menu.meetings', roles: everyRole },
  { path: '/members', key: 'menu.members', roles: everyRole },
  { path: '/notices', key: 'menu.notices', roles: ['facilitator', ...officeRoles] },
  { path: '/cases', key: 'menu.cases', roles: everyRole },
  { path: '/messages', key: 'menu.messages', roles: ['facilitator', ...officeRoles] },
  { path: '/deliveries', key: 'menu.deliveries', roles: officeRoles },
  { path: '/paths', key: 'menu.paths', roles: officeRoles },
  { path: '/cost', key: 'menu.cost', roles: officeRoles },
  { path: '/files', key: 'menu.files', roles: ['branch', 'administrator'] },
  { path: '/languages', key: 'menu.languages', roles: everyRole },
  { path: '/staff', key: 'menu.staff', roles: officeRoles },
  { path: '/settings', key: 'menu.settings', roles: officeRoles },
  { path: '/audit', key: 'menu.audit', roles: ['administrator', 'auditor'] },
]

export function menuFor(role: StaffRole): MenuEntry[] {
  return entries.filter(({ roles }) => roles.includes(role))
}
