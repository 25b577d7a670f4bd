// In: JSON. Out: what the emulated provider does wrong until it is told otherwise.
import { z } from 'zod'

/** Per-recipient codes of Africa's Talking and the word that goes with each. */
export const recipientStatuses: Readonly<Record<number, string>> = {
  100: 'Processed',
  101: 'Success',
  102: 'Queued',
  401: 'RiskHold',
  402: 'InvalidSenderId',
  403: 'InvalidPhoneNumber',
  404: 'UnsupportedNumberType',
  405: 'InsufficientBalance',
  406: 'UserInBlacklist',
  407: 'CouldNotRoute',
  409: 'DoNotDisturbRejection',
  500: 'InternalServerError',
  501: 'GatewayError',
  502: 'RejectedByGateway',
}

/**
 * How a whole call fails. `refuse`: nobody listens (mounted in another server: the socket is cut before the body is read).
 * `reset`: the socket is cut after the body was read. `hang`: no answer ever. `garbage`: 201 with something that is not JSON.
 * `no_recipients`: 201 with an account-level message and no recipients.
 */
export const outages = [
  'refuse',
  'reset',
  'hang',
  'error_500',
  'unavailable_503',
  'throttle_429',
  'garbage',
  'no_recipients',
] as const

const statusCode = z
  .int()
  .refine((code) => code in recipientStatuses, { error: 'is not a status code of the provider' })
const msisdn = z.string().regex(/^\+[1-9]\d{6,14}$/, 'is not an E.164 number')

export const faultsSchema = z.strictObject({
  outage: z.enum(outages).optional(),
  /** The messages are taken, billed and delivered, and only then the call fails: the dangerous kind [false]. */
  outageAfterAccept: z.boolean().default(false),
  /** The outage ends by itself after so many calls [never]. */
  outageCalls: z.int().min(1).optional(),
  /** The outage ends by itself after so long [never]. */
  outageMs: z.int().min(1).max(86_400_000).optional(),
  /** Every answer of the messaging endpoint waits so long [0]. */
  slowMs: z.int().min(0).max(600_000).default(0),
  /** One status code for every recipient, for example 405 for an empty balance. */
  everyRecipient: statusCode.optional(),
  /** Status codes by number. */
  recipients: z.record(msisdn, statusCode).default({}),
  /** One network fails: the last word of delivery reports to numbers that begin so, for example {"+22178": "Failed"}. */
  lastWords: z
    .record(
      z.string().regex(/^\+[1-9]\d{0,13}$/, 'is no beginning of an E.164 number'),
      z.enum(['Failed', 'Rejected', 'AbsentSubscriber', 'Expired']),
    )
    .default({}),
  /** Numbers answered with 406, beside those that opted out. */
  blacklist: z.array(msisdn).default([]),
})

export type Faults = z.output<typeof faultsSchema>
export type FaultsInput = z.input<typeof faultsSchema>

/** Throws a ZodError that names every wrong field. */
export function parseFaults(input: unknown): Faults {
  return faultsSchema.parse(input)
}

export type FaultState = ReturnType<typeof createFaultState>

export function createFaultState() {
  let faults = parseFaults({})
  return {
    current: () => faults,
    replace(next: Faults): void {
      faults = next
    },
    endOutage(): void {
      const { outage: _outage, outageCalls: _outageCalls, ...rest } = faults
      faults = rest
    },
    /** How this call fails, if it does; counts it. */
    takeOutage(): Faults['outage'] {
      const { outage, outageCalls } = faults
      if (outage === undefined || outageCalls === undefined) return outage
      if (outageCalls > 1) faults = { ...faults, outageCalls: outageCalls - 1 }
      else this.endOutage()
      return outage
    },
  }
}
