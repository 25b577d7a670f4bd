// The provider's side of the callbacks, for trials on real processes: posts forms to whichever web process serves.
import type { Place } from './harness.ts'
import { callbackSecret } from './harness.ts'

export type Fields = Record<string, string>

/** Posts one callback; rejects when nobody takes the connection. */
export async function postCallback(
  base: string,
  route: 'ussd' | 'ussd-end' | 'sms' | 'delivery' | 'opt-out',
  fields: Fields,
): Promise<{ status: number; text: string }> {
  const response = await fetch(`${base}/callbacks/africastalking/${callbackSecret}/${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields).toString(),
  })
  return { status: response.status, text: await response.text() }
}

export const ussdFields = (sessionId: string, phoneNumber: string, text: string): Fields => ({
  sessionId,
  phoneNumber,
  networkCode: '60801',
  serviceCode: '*384*1#',
  text,
})

export const smsFields = (id: string, from: string, text: string): Fields => ({
  date: '2026-11-24 10:00:00',
  from,
  id,
  text,
  to: '21384',
})

/** One dialogue of a phone: each word is one more input, and the answer is what she reads last. */
export function openDialogue(
  say: (fields: Fields) => Promise<string>,
  sessionId: string,
  phoneNumber: string,
): (...inputs: string[]) => Promise<string> {
  let text = ''
  return async (...inputs) => {
    let reply = ''
    for (const input of inputs) {
      text = text === '' ? input : `${text}*${input}`
      reply = await say(ussdFields(sessionId, phoneNumber, text))
    }
    return reply
  }
}

/** A place that serves, any of them, as a load balancer would choose. */
export function anyServing(places: readonly Place[]): string | undefined {
  const urls = places.flatMap((place) => place.serving()?.url ?? [])
  return urls[Math.floor(Math.random() * urls.length)]
}

/** The value below which a share of all stands. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0
}

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
