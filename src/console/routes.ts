// Every page of the console. The matrix of the tests is made from this table: who sees which page.
import type { ConsoleRoute } from './page.ts'
import { auditRoutes } from './pages/audit.ts'
import { calendarRoutes } from './pages/calendar.ts'
import { caseRoutes } from './pages/case.ts'
import { casesRoutes } from './pages/cases.ts'
import { costRoutes } from './pages/cost.ts'
import { deliveryRoutes } from './pages/deliveries.ts'
import { fileRoutes } from './pages/files.ts'
import { groupRoutes } from './pages/groups.ts'
import { languageRoutes } from './pages/languages.ts'
import { meetingRoutes } from './pages/meetings.ts'
import { memberRoutes } from './pages/member.ts'
import { membersRoutes } from './pages/members.ts'
import { messageRoutes } from './pages/messages.ts'
import { noticeRoutes } from './pages/notice.ts'
import { noticesRoutes } from './pages/notices.ts'
import { pathRoutes } from './pages/paths.ts'
import { readOutRoutes } from './pages/read-out.ts'
import { settingRoutes } from './pages/settings.ts'
import { staffRoutes } from './pages/staff.ts'
import { todayRoutes } from './pages/today.ts'

export const consoleRoutes: readonly ConsoleRoute[] = [
  ...todayRoutes,
  ...groupRoutes,
  ...calendarRoutes,
  ...meetingRoutes,
  ...membersRoutes,
  ...memberRoutes,
  ...casesRoutes,
  ...caseRoutes,
  ...messageRoutes,
  ...noticesRoutes,
  ...noticeRoutes,
  ...readOutRoutes,
  ...deliveryRoutes,
  ...pathRoutes,
  ...costRoutes,
  ...languageRoutes,
  ...fileRoutes,
  ...staffRoutes,
  ...settingRoutes,
  ...auditRoutes,
]
