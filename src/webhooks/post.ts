// In: one telling of an event, signed. Out: the status of the answer, or a word for why there was none.
// Must never follow a redirect, wait longer than its time, or keep anything of what the answer says.
import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import type { LookupFunction } from 'node:net'
import { errorCode } from '../errors.ts'
import { type AddressRules, addressFault, pin, type Resolve } from './address.ts'

export interface Posting {
  url: string
  body: string
  headers: Readonly<Record<string, string>>
  rules: AddressRules
  timeoutMs: number
  resolve?: Resolve
}

export type Posted = { status: number } | { error: string }

/** Never rejects. */
export async function post({ url, body, headers, rules, timeoutMs, resolve }: Posting): Promise<Posted> {
  // Rules may have become stricter since the address was taken.
  const fault = addressFault(url, rules)
  if (fault !== undefined) return { error: `address.${fault}` }
  const target = new URL(url)
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const pinned = await Promise.race([pin(target, rules, resolve), ended(signal)])
    if (pinned === undefined) return { error: 'address.private' }
    return { status: await send(target, pinned, { body, headers, signal }) }
  } catch (error) {
    return { error: signal.aborted ? 'timeout' : errorCode(error) }
  }
}

function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('timeout')), { once: true })
  })
}

function send(
  url: URL,
  pinned: { address: string; family: number },
  { body, headers, signal }: { body: string; headers: Readonly<Record<string, string>>; signal: AbortSignal },
): Promise<number> {
  const lookup: LookupFunction = (_hostname, { all }, done) =>
    all === true ? done(null, [pinned]) : done(null, pinned.address, pinned.family)
  const bytes = Buffer.from(body)
  const request = url.protocol === 'https:' ? requestHttps : requestHttp
  return new Promise((resolve, reject) => {
    const call = request(
      url,
      {
        method: 'POST',
        lookup,
        // A kept connection would go to an address that was looked at for another call.
        agent: false,
        signal,
        headers: { 'content-type': 'application/json', 'content-length': bytes.length, ...headers },
      },
      (response) => {
        resolve(response.statusCode ?? 0)
        // What it says is not read.
        response.on('error', () => undefined)
        response.destroy()
      },
    )
    call.on('error', reject)
    call.end(bytes)
  })
}
