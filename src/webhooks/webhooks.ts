// In: a programme that wants to hear of its events. Out: its webhooks and their deliveries; told again where it asks for it.
// Must never hand out what signs a webhook: that is secrets.ts.
import { recordAudit } from '../audit.ts'
import type { Queryable } from '../db.ts'
import { InvariantError } from '../errors.ts'
import type { WebhookEvent } from './events.ts'

export interface Webhook {
  id: string
  url: string
  events: WebhookEvent[]
  createdAt: Date
  disabledAt: Date | null
  failingSince: Date | null
  secretNumber: number
  rotatedAt: Date | null
}

/** Who does it, for the audit log. */
export interface Act {
  programmeId: string
  actor: string
  now: Date
}

/** A row of `webhooks` as a Webhook. */
export const webhookColumns = `id, url, events, created_at as "createdAt", disabled_at as "disabledAt", failing_since as "failingSince",
  secret_number as "secretNumber", rotated_at as "rotatedAt"`

/** Tables hold a row of each programme; `null` where the id is none of this one's. */
async function change(
  tx: Queryable,
  act: Act,
  id: string,
  { set, action, before, after }: { set: string; action: string; before?: object; after?: object },
): Promise<Webhook | undefined> {
  const { rows } = await tx.query<Webhook>(
    `update webhooks set ${set} where id = $1 and programme_id = $2 and deleted_at is null and $3::timestamptz is not null returning ${webhookColumns}`,
    [id, act.programmeId, act.now],
  )
  if (rows[0] === undefined) return undefined
  await record(tx, act, id, action, before, after)
  return rows[0]
}

function record(
  tx: Queryable,
  { programmeId, actor, now }: Act,
  id: string,
  action: string,
  before?: object,
  after?: object,
) {
  return recordAudit(tx, {
    at: now,
    programmeId,
    actor,
    action,
    subject: `webhook:${id}`,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  })
}

/** The address may hold a key of the receiver's: it stands in no log. */
export async function addWebhook(
  tx: Queryable,
  act: Act,
  { url, events }: { url: string; events: readonly WebhookEvent[] },
): Promise<Webhook> {
  const { rows } = await tx.query<Webhook>(
    `insert into webhooks (programme_id, url, events, created_at) values ($1, $2, $3, $4) returning ${webhookColumns}`,
    [act.programmeId, url, events, act.now],
  )
  const webhook = rows[0]
  if (webhook === undefined) throw new InvariantError('a webhook was not written')
  await record(tx, act, webhook.id, 'webhook.added', undefined, { events })
  return webhook
}

export async function findWebhook(
  tx: Queryable,
  programmeId: string,
  id: string,
): Promise<Webhook | undefined> {
  const { rows } = await tx.query<Webhook>(
    `select ${webhookColumns} from webhooks where id = $1 and programme_id = $2 and deleted_at is null`,
    [id, programmeId],
  )
  return rows[0]
}

/** Undefined when there is none (any more). What it was still to be told is told no more. */
export async function removeWebhook(tx: Queryable, act: Act, id: string): Promise<Webhook | undefined> {
  const removed = await change(tx, act, id, { set: 'deleted_at = $3', action: 'webhook.removed' })
  if (removed !== undefined) await giveUpAll(tx, id)
  return removed
}

/** The secret before signs too for a day. */
export function rotateSecret(tx: Queryable, act: Act, id: string): Promise<Webhook | undefined> {
  return change(tx, act, id, {
    set: 'secret_number = secret_number + 1, rotated_at = $3',
    action: 'webhook.rotated',
  })
}

/** One that was disabled hears again what happens from now on; what it missed is replayed. */
export async function enableWebhook(
  tx: Queryable,
  act: Act,
  id: string,
): Promise<{ webhook: Webhook; enabledNow: boolean } | undefined> {
  const webhook = await findWebhook(tx, act.programmeId, id)
  if (webhook === undefined || webhook.disabledAt === null)
    return webhook === undefined ? undefined : { webhook, enabledNow: false }
  const enabled = await change(tx, act, id, {
    set: 'disabled_at = null, failing_since = null',
    action: 'webhook.enabled',
  })
  return enabled === undefined ? undefined : { webhook: enabled, enabledNow: true }
}

/** Of a webhook that nobody answers for. */
export async function giveUpAll(tx: Queryable, webhookId: string): Promise<void> {
  await tx.query(
    'update webhook_deliveries set next_at = null where webhook_id = $1 and next_at is not null',
    [webhookId],
  )
}

/** One delivery, or what happened since an instant (and before another); each keeps its id, by which a receiver knows it. */
export interface Replay {
  delivery: string | null
  since: Date | null
  until: Date | null
}

/** How many are told again. Those that still wait come at once instead. */
export async function replay(
  tx: Queryable,
  act: Act,
  webhookId: string,
  { delivery, since, until }: Replay,
): Promise<number> {
  const { rowCount } = await tx.query(
    `update webhook_deliveries set next_at = $2, attempts = 0, delivered_at = null
      where webhook_id = $1 and ($3::uuid is null or id = $3)
        and ($4::timestamptz is null or created_at >= $4) and ($5::timestamptz is null or created_at < $5)
        and (next_at is null or next_at > $2 or attempts > 0)`,
    [webhookId, act.now, delivery, since, until],
  )
  if (rowCount !== null && rowCount > 0)
    await record(tx, act, webhookId, 'webhook.replayed', undefined, { deliveries: rowCount })
  return rowCount ?? 0
}
