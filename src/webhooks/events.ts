// What other programs can be told. The database writes each in the transaction of its fact (migration 20261127020100_webhooks_tell).
// Must never name a member, a number or a text: who may know more asks the API with the id.
import { z } from 'zod'
import { finalStatuses } from '../outbound/status.ts'

export const webhookEvents = ['message.final', 'case.opened', 'consent.changed'] as const
export type WebhookEvent = (typeof webhookEvents)[number]

const timestamp = z.string().describe('When it happened')

/** Bodies as they are posted. */
export const eventSchemas = {
  'message.final': z.object({
    type: z.literal('message.final'),
    timestamp,
    data: z.object({
      message: z.uuid().describe('For GET /messages/{id}'),
      purpose: z.string(),
      status: z.enum(finalStatuses),
      reason: z.string().nullable(),
    }),
  }),
  'case.opened': z.object({
    type: z.literal('case.opened'),
    timestamp,
    data: z.object({
      case: z.string().describe('For GET /cases/{reference}'),
      kind: z.string(),
      promisedDate: z.string().nullable(),
    }),
  }),
  'consent.changed': z.object({
    type: z.literal('consent.changed'),
    timestamp,
    data: z.object({
      change: z.string().describe('For GET /consents/{change}'),
      purpose: z.string().describe('"all" is STOP or START'),
      granted: z.boolean(),
      channel: z.string(),
    }),
  }),
} as const satisfies Record<WebhookEvent, z.ZodType>
