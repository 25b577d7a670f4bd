// In: what a provider calls back, parsed. Out: the answer of the dialogue, an inbound SMS, a report or an answer taken down.
// Must never log a whole number.
import { DependencyError } from './errors.ts'
import type { createCallbacks } from './http/callbacks.ts'
import { recordSimAnswer } from './members/sim-swap.ts'
import type { Metrics } from './metrics.ts'
import { maskMsisdn } from './msisdn.ts'
import { recordDeliveryReport } from './outbound/delivery-report.ts'
import type { Runtime } from './runtime.ts'
import type { createInbound } from './sms/inbound.ts'
import type { createUssd } from './ussd/ussd.ts'

/** The one network of today. */
export const providerName = 'africastalking'

interface Handled {
  runtime: Runtime
  metrics: Metrics
  ussd: ReturnType<typeof createUssd>
  /** In the texts of the moment. */
  inbound(): ReturnType<typeof createInbound>
}

/** What each callback does. */
export function createCallbackHandlers({
  runtime,
  metrics,
  ussd,
  inbound,
}: Handled): Parameters<typeof createCallbacks>[0]['handlers'] {
  const { db, clock, logger } = runtime
  return {
    ussd: ({ sessionId, phoneNumber, networkCode, serviceCode, text }, only) => {
      const more = networkCode === undefined ? {} : { networkCode }
      const call = { provider: providerName, sessionId, msisdn: phoneNumber, serviceCode, text, ...more }
      return ussd.answer(call, only)
    },
    ussdMalformed: () => ussd.malformed(),
    ussdEnd: async ({ sessionId, phoneNumber, serviceCode, status }) => {
      await ussd.ended({ provider: providerName, sessionId, msisdn: phoneNumber, serviceCode, status })
      logger.info({ event: 'ussd.end_received', msisdn: maskMsisdn(phoneNumber) })
    },
    sms: ({ id, from, to, text }, only) =>
      inbound().receive({ provider: providerName, id, from, to, text }, only),
    delivery: async ({ id, status, phoneNumber, networkCode, failureReason }, only) => {
      const outcome = await recordDeliveryReport(
        db,
        clock,
        {
          provider: providerName,
          providerMessageId: id,
          status,
          programmeId: only,
          ...(phoneNumber === undefined ? {} : { msisdn: phoneNumber }),
          ...(networkCode === undefined ? {} : { networkCode }),
          ...(failureReason === undefined ? {} : { failureReason }),
        },
        metrics,
      )
      logger.info({ event: 'delivery.received', outcome })
    },
    // A question whose name is not yet known is told again later.
    simSwap: async (answer, only) => {
      const doubted = await db.transaction((tx) => recordSimAnswer(tx, answer, clock.now(), only))
      if (doubted === undefined)
        throw new DependencyError('dependency.slow', 'An answer to a question that is not written down yet')
      metrics.reverify.inc({ reason: 'sim_swap' }, doubted.length)
      logger.info({ event: 'sim_check.answered', doubted: doubted.length })
    },
    optOut: ({ senderId, phoneNumber }, only) =>
      inbound().optOut({ provider: providerName, senderId, msisdn: phoneNumber }, only),
  }
}
