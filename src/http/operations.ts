// In: questions of operators and supervisors. Out: health, readiness, metrics and the queue board.
// Must never show data of a member: metrics are counts, the board's jobs hold ids only.
import { createHash, timingSafeEqual } from 'node:crypto'
import { createBullBoard } from '@bull-board/api'
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter'
import { ExpressAdapter } from '@bull-board/express'
import type { Queue } from 'bullmq'
import { type Express, type RequestHandler, Router } from 'express'
import helmet from 'helmet'
import { type Alarms, alarmCodes } from '../alarms.ts'
import type { Metrics } from '../metrics.ts'

/** One thing that must work before this process takes traffic. Resolves to undefined, or to a word that says what is wrong. */
export type ReadinessCheck = () => Promise<string | undefined>

export interface OperationsOptions {
  metrics: Metrics
  checks: Readonly<Record<string, ReadinessCheck>>
  alarms: Alarms
  /** Refreshes gauges that are read from the database. */
  sample: () => Promise<void>
  queues: readonly Queue[]
  adminKey: string
}

const checkTimeoutMs = 2_000

/** `/healthz`, `/readyz`, `/metrics`, `/admin/queues`. */
export function createOperations(options: OperationsOptions): Router {
  const { metrics, checks, alarms, sample, queues, adminKey } = options
  const router = Router()
  router.get('/healthz', (_request, response) => {
    response.json({ status: 'alive' })
  })
  router.get('/readyz', async (_request, response) => {
    const names = Object.keys(checks)
    const faults = await Promise.all(Object.values(checks).map(withTimeout))
    const report = Object.fromEntries(names.map((name, index) => [name, faults[index] ?? 'ok']))
    const raised = alarms.list()
    const ready =
      faults.every((fault) => fault === undefined) && !raised.some(({ code }) => alarmCodes[code].notServing)
    response
      .status(ready ? 200 : 503)
      .json({ status: ready ? 'ready' : 'not ready', ...report, alarms: raised })
  })
  router.get('/metrics', async (_request, response) => {
    // A database that is away must not hide the figures of the process.
    await withTimeout(async () => {
      await sample()
      return undefined
    })
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })
  const board = new ExpressAdapter().setBasePath('/admin/queues')
  createBullBoard({
    queues: queues.map((queue) => new BullMQAdapter(queue, { readOnlyMode: true })),
    serverAdapter: board,
  })
  // The board styles itself from its script; it works over plain HTTP on an inner network too.
  const policy = {
    directives: {
      styleSrc: ["'self'", "'unsafe-inline'"],
      fontSrc: ["'self'"],
      upgradeInsecureRequests: null,
    },
  }
  router.use('/admin', helmet({ contentSecurityPolicy: policy, strictTransportSecurity: false }))
  const pages = board.getRouter() as Express
  pages.disable('x-powered-by')
  router.use('/admin/queues', requireAdminKey(adminKey), pages)
  return router
}

async function withTimeout(check: ReadinessCheck): Promise<string | undefined> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(resolve, checkTimeoutMs, 'no answer in time')
  })
  try {
    return await Promise.race([check(), late])
  } catch {
    return 'failed'
  } finally {
    clearTimeout(timer)
  }
}

/** HTTP Basic with any user name, so that a browser can ask for the key. */
function requireAdminKey(adminKey: string): RequestHandler {
  const expected = sha256(adminKey)
  return (request, response, next) => {
    const [scheme, encoded = ''] = (request.headers.authorization ?? '').split(' ')
    const given = Buffer.from(encoded, 'base64').toString('utf8').split(':').slice(1).join(':')
    if (scheme?.toLowerCase() === 'basic' && timingSafeEqual(sha256(given), expected)) next()
    else response.status(401).set('www-authenticate', 'Basic realm="Tama"').send('The admin key is needed')
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
