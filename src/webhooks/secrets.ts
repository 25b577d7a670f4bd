// In: the house's secret, a webhook, what is posted. Out: the webhook's own secret, and signatures by the Standard Webhooks specification.
// Must never be stored: a secret follows from the house's, so that a copy of the database signs nothing.
import { createHmac, hkdfSync } from 'node:crypto'

const secretBytes = 32
/** How long the secret before signs too, so that a receiver can change over without losing an event. */
export const overlapMs = 24 * 3_600_000

/** As the receiver is shown it once. */
export function secretOf(houseSecret: string, webhookId: string, secretNumber: number): string {
  const key = hkdfSync('sha256', houseSecret, 'tama webhooks', `${webhookId}/${secretNumber}`, secretBytes)
  return `whsec_${Buffer.from(key).toString('base64')}`
}

/** Of `<id>.<timestamp>.<body>`. */
export function signatureOf(secret: string, id: string, timestamp: number, body: string): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`
}

export interface Signing {
  houseSecret: string
  webhookId: string
  secretNumber: number
  rotatedAt: Date | null
  now: Date
}

/** The signatures that count now, parted by a space. */
export function signaturesOf(
  { houseSecret, webhookId, secretNumber, rotatedAt, now }: Signing,
  id: string,
  timestamp: number,
  body: string,
): string {
  const overlaps = rotatedAt !== null && now.getTime() - rotatedAt.getTime() < overlapMs
  const numbers = overlaps && secretNumber > 1 ? [secretNumber, secretNumber - 1] : [secretNumber]
  return numbers
    .map((number) => signatureOf(secretOf(houseSecret, webhookId, number), id, timestamp, body))
    .join(' ')
}
