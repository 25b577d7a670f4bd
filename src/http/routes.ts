// Every route of `/api/v1`, by theme; a new theme is one file and one line here.
import type { Route } from './route.ts'
import { caseRoutes } from './routes-cases.ts'
import { groupRoutes } from './routes-groups.ts'
import { ledgerRoutes } from './routes-ledger.ts'
import { memberRoutes } from './routes-members.ts'
import { messageRoutes } from './routes-messages.ts'
import { noticeRoutes } from './routes-notices.ts'
import { webhookRoutes } from './routes-webhooks.ts'

export const routes: readonly Route[] = [
  ...ledgerRoutes,
  ...memberRoutes,
  ...messageRoutes,
  ...noticeRoutes,
  ...caseRoutes,
  ...webhookRoutes,
  ...groupRoutes,
]
