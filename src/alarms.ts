// In: a part that finds, or no longer finds, something that a person must look at. Out: a gauge, an error line, a line in readiness,
// and a POST to the operator's own hook. Must never hold up the part that raises it, nor carry anything about a member.
import { type Clock, elapsedMs } from './clock.ts'
import { errorCode } from './errors.ts'
import type { Logger } from './logger.ts'
import type { Metrics } from './metrics.ts'

/** What can be wrong. `notServing`: messages do not leave, so readiness says no; the others are only listed there. */
export const alarmCodes = {
  'queue.silent': {
    notServing: true,
    sentence: 'No job went through the queue in time: workers are stopped, frozen or cut off.',
  },
  'outbox.waiting': {
    notServing: true,
    sentence: 'Messages that are due wait longer than they should.',
  },
  'outbox.paused': {
    notServing: true,
    sentence: 'Nothing leaves: the database seems restored, or an operator paused it. See "tama outbox".',
  },
  'lane.paused': {
    notServing: false,
    sentence: 'A lane rests: the provider is away, or refuses our account, sender or balance.',
  },
  'budget.spent': {
    notServing: false,
    sentence: "A programme's segments of the day are spent: what is not an answer waits for the next day.",
  },
  'texts.refused': {
    notServing: false,
    sentence:
      'A changed menu or text has faults: the former one is served. See the log, or "tama menus check".',
  },
  'cases.stuck': {
    notServing: false,
    sentence: 'A programme has an overdue case and nobody whom it could be passed on to: appoint staff.',
  },
  'webhook.failing': {
    notServing: false,
    sentence:
      'A webhook heard nothing for a day, or was disabled after five: its receiver is away or refuses.',
  },
  'pin.guessing': {
    notServing: false,
    sentence: "A programme's wrong PINs in ten minutes are above its limit: somebody may be guessing.",
  },
} as const

export type AlarmCode = keyof typeof alarmCodes

export interface Alarm {
  code: AlarmCode
  /** A lane, a part or a programme's id; a stable word. */
  where: string
  since: Date
}

export interface Alarms {
  /** Raising what is raised changes nothing. */
  raise(code: AlarmCode, where?: string): void
  /** Clearing what is not raised changes nothing. */
  clear(code: AlarmCode, where?: string): void
  /** What is raised now, oldest first. */
  list(): Alarm[]
  /** Gives what was not told yet one last chance of a second. */
  close(): Promise<void>
}

export interface AlarmsOptions {
  clock: Clock
  logger: Logger
  metrics: Metrics
  /** Undefined: nobody is told but the log, the metrics and readiness. */
  url?: string | undefined
  /** First pause before a hook that did not answer 2xx is tried again; doubles up to 100 times that [1000]. */
  retryMs?: number
  /** [5000] */
  timeoutMs?: number
}

interface Notice {
  code: AlarmCode
  where: string
  since: string
  /** Only when it is over. */
  clearedAt?: string
}

/** Notices kept while the hook is away; older ones are dropped, each with a line in the log. */
const noticesMax = 200
const lastChanceMs = 1_000

export function createAlarms({
  clock,
  logger,
  metrics,
  url,
  retryMs = 1_000,
  timeoutMs = 5_000,
}: AlarmsOptions): Alarms {
  const raised = new Map<string, Alarm>()
  const notices: Notice[] = []
  let telling: Promise<void> | undefined
  let closing = false
  let wake: (() => void) | undefined
  for (const code of Object.keys(alarmCodes)) metrics.alarms.set({ code }, 0)

  function tell(notice: Notice): void {
    if (url === undefined) return
    notices.push(notice)
    if (notices.length > noticesMax) {
      const dropped = notices.shift()
      logger.error({ event: 'alarm.not_told', code: dropped?.code, where: dropped?.where })
    }
    telling ??= tellAll(url).finally(() => {
      telling = undefined
    })
  }

  /** In order, each until it is taken: a hook that hears "cleared" has heard "raised". */
  async function tellAll(hook: string): Promise<void> {
    let failures = 0
    for (let notice = notices[0]; notice !== undefined; notice = notices[0]) {
      try {
        const response = await fetch(hook, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(notice),
          signal: AbortSignal.timeout(timeoutMs),
          redirect: 'error',
        })
        if (!response.ok) throw new Error('the hook refuses')
        if (notices[0] === notice) notices.shift()
        failures = 0
      } catch (error) {
        failures += 1
        logger.warn({ event: 'alarm.hook_failed', failures, code: errorCode(error) })
        if (closing) return
        await rest(Math.min(retryMs * 2 ** (failures - 1), retryMs * 100))
      }
    }
  }

  function rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      // A hook that is away keeps no process alive.
      timer.unref()
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  const count = (code: AlarmCode) =>
    metrics.alarms.set({ code }, [...raised.values()].filter((alarm) => alarm.code === code).length)

  return {
    raise(code, where = '') {
      const key = `${code} ${where}`
      if (raised.has(key)) return
      const since = clock.now()
      raised.set(key, { code, where, since })
      count(code)
      logger.error({ event: 'alarm.raised', code, where, what: alarmCodes[code].sentence })
      tell({ code, where, since: since.toISOString() })
    },

    clear(code, where = '') {
      const alarm = raised.get(`${code} ${where}`)
      if (alarm === undefined) return
      raised.delete(`${code} ${where}`)
      count(code)
      logger.info({ event: 'alarm.cleared', code, where })
      tell({ code, where, since: alarm.since.toISOString(), clearedAt: clock.now().toISOString() })
    },

    list: () => [...raised.values()],

    async close() {
      const startedMs = elapsedMs()
      closing = true
      wake?.()
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, lastChanceMs)
      })
      await Promise.race([telling, late])
      clearTimeout(timer)
      if (notices.length > 0)
        logger.warn({ event: 'alarm.left_untold', notices: notices.length, afterMs: elapsedMs() - startedMs })
    },
  }
}
