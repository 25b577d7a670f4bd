// In: which events another program wants to be told, and where. Out: webhooks and their deliveries; a secret only as it is made.
// Must never keep a secret, nor take an address inside our own network.
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Queryable } from '../db.ts'
import { RequestError } from '../errors.ts'
import { type AddressFault, addressFault } from '../webhooks/address.ts'
import { webhookEvents } from '../webhooks/events.ts'
import { secretOf } from '../webhooks/secrets.ts'
import {
  addWebhook,
  enableWebhook,
  findWebhook,
  removeWebhook,
  replay,
  rotateSecret,
  type Webhook,
  webhookColumns,
} from '../webhooks/webhooks.ts'
import type { Answer } from './api-schemas.ts'
import { type ApiCaller, actorOf } from './keys.ts'
import { type ListOrder, nextAnswer, type Page, pageQuery, readPage } from './paging.ts'
import type { RouteDeps } from './route.ts'

const instant = z.iso.datetime({ offset: true })
const emptySchema = z.strictObject({})

export { emptySchema as webhookActSchema }

export const webhookSchema = z.strictObject({
  url: z
    .string()
    .min(1)
    .max(2_000)
    .describe('https; it is called from our servers and never followed to another place'),
  events: z
    .array(z.enum(webhookEvents))
    .min(1)
    .max(webhookEvents.length)
    .refine((events) => new Set(events).size === events.length, 'must name each event once'),
})

export const replaySchema = z
  .strictObject({
    delivery: z.guid().optional().describe('Id of one delivery'),
    since: instant.optional().describe('All that happened from this instant on'),
    until: instant.optional().describe('With "since": the instant before which it happened [now]'),
  })
  .refine(({ delivery, since }) => (delivery === undefined) !== (since === undefined), {
    path: ['delivery'],
    message: 'give either delivery or since',
  })
  .refine(({ since, until }) => until === undefined || since !== undefined, {
    path: ['until'],
    message: 'goes with since only',
  })

export const webhooksQuery = z.strictObject(pageQuery)

export const deliveriesQuery = z.strictObject({
  state: z.enum(['waiting', 'delivered', 'given_up']).optional(),
  ...pageQuery,
})

const webhookFields = {
  id: z.guid(),
  url: z.string(),
  events: z.array(z.enum(webhookEvents)),
  createdAt: z.string(),
  state: z.enum(['active', 'failing', 'disabled']).describe('Disabled: nothing got through for five days'),
  failingSince: z.string().nullable().describe('Since when nothing got through'),
  secretNumber: z.int().describe('Which of its secrets signs; the one before does too for a day'),
}
export const webhookAnswer = z.object(webhookFields)
export const webhooksAnswer = z.object({ webhooks: z.array(webhookAnswer), next: nextAnswer })
export const webhookSecretAnswer = z.object({
  ...webhookFields,
  secret: z.string().describe('Keep it: it is shown in this answer only'),
})
export const removedAnswer = z.object({ id: z.guid(), state: z.literal('deleted') })
export const replayedAnswer = z.object({
  id: z.guid(),
  deliveries: z.int().describe('How many are told again'),
})

export const deliveriesAnswer = z.object({
  deliveries: z.array(
    z.object({
      id: z.guid().describe('The webhook-id of every telling of it'),
      event: z.enum(webhookEvents),
      state: z.enum(['waiting', 'delivered', 'given_up']),
      createdAt: z.string(),
      attempts: z.int(),
      nextAt: z.string().nullable(),
      deliveredAt: z.string().nullable(),
      lastStatus: z.int().nullable().describe('HTTP status of the last answer'),
      lastError: z.string().nullable().describe('Why there was no answer'),
      payload: z.record(z.string(), z.unknown()).describe('What is posted'),
    }),
  ),
  next: nextAnswer,
})

type WebhookBody = z.infer<typeof webhookAnswer>
type SecretBody = z.infer<typeof webhookSecretAnswer>

interface Ask extends Pick<RouteDeps, 'clock' | 'webhooks'> {
  tx: Queryable
  caller: ApiCaller
}

const actOf = ({ clock, caller }: { clock: Clock; caller: ApiCaller }) => ({
  programmeId: caller.programmeId,
  actor: actorOf(caller),
  now: clock.now(),
})

const faultWords: Readonly<Record<AddressFault, string>> = {
  unreadable: 'must be an address like https://example.org/tama',
  scheme: 'must begin with https://',
  credentials: 'must hold no user name and no password',
  private: 'must be reachable from anywhere',
}

export async function writeWebhook(
  ask: Ask,
  { url, events }: z.infer<typeof webhookSchema>,
): Promise<Answer<SecretBody>> {
  const fault = addressFault(url, ask.webhooks.rules)
  if (fault !== undefined)
    throw new RequestError('request.field_invalid', { field: 'url', detail: faultWords[fault] })
  const webhook = await addWebhook(ask.tx, actOf(ask), { url, events })
  return { status: 201, body: unrevealed(webhook) }
}

const webhookOrder: ListOrder = { name: 'webhooks', columns: [['id', 'uuid']] }

export async function webhooksOf(
  { tx, caller }: Ask,
  page: Page,
): Promise<Answer<z.infer<typeof webhooksAnswer>>> {
  const { rows, next } = await readPage<Webhook>(tx, webhookOrder, {
    select: webhookColumns,
    from: 'from webhooks where programme_id = $1 and deleted_at is null',
    values: [caller.programmeId],
    page,
  })
  return { status: 200, body: { webhooks: rows.map(bodyOf), next } }
}

export async function removeOf(ask: Ask, id: string): Promise<Answer<z.infer<typeof removedAnswer>>> {
  const webhook = await removeWebhook(ask.tx, actOf(ask), idOf(id))
  if (webhook === undefined) throw unknownWebhook()
  return { status: 200, body: { id: webhook.id, state: 'deleted' } }
}

export async function rotateOf(ask: Ask, id: string): Promise<Answer<SecretBody>> {
  const webhook = await rotateSecret(ask.tx, actOf(ask), idOf(id))
  if (webhook === undefined) throw unknownWebhook()
  return { status: 201, body: unrevealed(webhook) }
}

export async function enableOf(ask: Ask, id: string): Promise<Answer<WebhookBody>> {
  const enabled = await enableWebhook(ask.tx, actOf(ask), idOf(id))
  if (enabled === undefined) throw unknownWebhook()
  return { status: enabled.enabledNow ? 201 : 200, body: bodyOf(enabled.webhook) }
}

export async function replayOf(
  ask: Ask,
  id: string,
  { delivery, since, until }: z.infer<typeof replaySchema>,
): Promise<Answer<z.infer<typeof replayedAnswer>>> {
  const webhook = await found(ask, id)
  if (webhook.disabledAt !== null) throw new RequestError('webhook.disabled', { field: 'id' })
  const deliveries = await replay(ask.tx, actOf(ask), webhook.id, {
    delivery: delivery ?? null,
    since: since === undefined ? null : new Date(since),
    until: until === undefined ? null : new Date(until),
  })
  return { status: deliveries > 0 ? 201 : 200, body: { id: webhook.id, deliveries } }
}

interface DeliveryRow {
  id: string
  event: (typeof webhookEvents)[number]
  state: 'waiting' | 'delivered' | 'given_up'
  createdAt: Date
  attempts: number
  nextAt: Date | null
  deliveredAt: Date | null
  lastStatus: number | null
  lastError: string | null
  payload: Record<string, unknown>
}

const order: ListOrder = { name: 'deliveries', columns: [['d.id', 'uuid']], newestFirst: true }
const stateSql = `case when d.delivered_at is not null then 'delivered' when d.next_at is not null then 'waiting' else 'given_up' end`

export async function deliveriesOf(
  ask: Ask,
  id: string,
  { state, ...page }: z.infer<typeof deliveriesQuery> & Page,
): Promise<Answer<z.infer<typeof deliveriesAnswer>>> {
  const webhook = await found(ask, id)
  const { rows, next } = await readPage<DeliveryRow>(ask.tx, order, {
    select: `d.id, d.event, ${stateSql} as state, d.created_at as "createdAt", d.attempts, d.next_at as "nextAt",
      d.delivered_at as "deliveredAt", d.last_status as "lastStatus", d.last_error as "lastError", d.payload`,
    from: `from webhook_deliveries d where d.webhook_id = $1 and ($2::text is null or ${stateSql} = $2)`,
    values: [webhook.id, state ?? null],
    page,
  })
  const deliveries = rows.map((row) => ({
    ...row,
    createdAt: row.createdAt.toISOString(),
    nextAt: row.nextAt?.toISOString() ?? null,
    deliveredAt: row.deliveredAt?.toISOString() ?? null,
  }))
  return { status: 200, body: { deliveries, next } }
}

/** The secret follows from what the answer says of the webhook, so that the kept answer of a repeated request can do without it. */
export function revealSecret(body: SecretBody, { webhooks }: RouteDeps): SecretBody {
  return { ...body, secret: secretOf(webhooks.houseSecret, body.id, body.secretNumber) }
}

const unrevealed = (webhook: Webhook): SecretBody => ({ ...bodyOf(webhook), secret: '' })

const bodyOf = ({ createdAt, disabledAt, failingSince, rotatedAt: _, ...webhook }: Webhook): WebhookBody => ({
  ...webhook,
  createdAt: createdAt.toISOString(),
  state: disabledAt !== null ? 'disabled' : failingSince !== null ? 'failing' : 'active',
  failingSince: failingSince?.toISOString() ?? null,
})

const unknownWebhook = () =>
  new RequestError('route.unknown', { field: 'id', detail: 'no webhook has this id' })

/** What is no id of any kind is no webhook's either. */
function idOf(id: string): string {
  if (!z.guid().safeParse(id).success) throw unknownWebhook()
  return id
}

async function found({ tx, caller }: Ask, id: string): Promise<Webhook> {
  const webhook = await findWebhook(tx, caller.programmeId, idOf(id))
  if (webhook === undefined) throw unknownWebhook()
  return webhook
}
