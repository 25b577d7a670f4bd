// In: an address that somebody wants called. Out: whether we may, and the one resolved address that is then called.
// Must never let a caller of the API reach into our own network, not by a name that changes between the look and the call.
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import ipaddr from 'ipaddr.js'

export interface AddressRules {
  /** Only https, and only public addresses; otherwise, for trials on one machine, anything. */
  guarded: boolean
  /** Hosts of the house's own that may be called all the same, by http too, as their names stand in an address. */
  privateHosts: readonly string[]
}

export type AddressFault = 'unreadable' | 'scheme' | 'credentials' | 'private'

/** What is wrong with an address before any name is resolved; undefined: nothing. */
export function addressFault(
  address: string,
  { guarded, privateHosts }: AddressRules,
): AddressFault | undefined {
  if (!URL.canParse(address)) return 'unreadable'
  const { protocol, hostname, username, password } = new URL(address)
  if (!/^https?:$/.test(protocol) || hostname === '') return 'scheme'
  if (username !== '' || password !== '') return 'credentials'
  if (!guarded || privateHosts.includes(hostname)) return undefined
  if (protocol !== 'https:') return 'scheme'
  const literal = hostname.replace(/^\[|\]$/g, '')
  if (isIP(literal) !== 0 && !isPublic(literal)) return 'private'
  return /(^|\.)localhost\.?$/i.test(hostname) ? 'private' : undefined
}

const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3')

/**
 * Ranges that are nobody's own are "unicast"; everything else is private, local, shared, reserved, or hides an IPv4 address. What hides one
 * in the old way (::127.0.0.1) has no range of its own, but lies outside of what is given out.
 */
export function isPublic(address: string): boolean {
  if (!ipaddr.isValid(address)) return false
  const read = ipaddr.process(address)
  return read.range() === 'unicast' && (!(read instanceof ipaddr.IPv6) || read.match(globalUnicast))
}

export type Resolve = (hostname: string) => Promise<readonly { address: string; family: number }[]>

const resolveAll: Resolve = (hostname) => lookup(hostname, { all: true })

/**
 * The address to call for a host, pinned: what was looked at is what is called. Undefined when one that it resolves to is not public,
 * so that no order of addresses lets one slip through.
 */
export async function pin(
  url: URL,
  { guarded, privateHosts }: AddressRules,
  resolve: Resolve = resolveAll,
): Promise<{ address: string; family: number } | undefined> {
  const literal = url.hostname.replace(/^\[|\]$/g, '')
  const family = isIP(literal)
  const found = family === 0 ? await resolve(literal) : [{ address: literal, family }]
  const isFree = !guarded || privateHosts.includes(url.hostname)
  if (!isFree && !found.every(({ address }) => isPublic(address))) return undefined
  return found[0]
}
