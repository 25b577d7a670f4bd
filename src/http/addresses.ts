// In: networks from the configuration. Out: whether an address is in one of them. An address that cannot be read is in none.
import { BlockList, isIP } from 'node:net'

export type AddressCheck = (address: string | undefined) => boolean

/** "192.0.2.0/24", "192.0.2.7", "2001:db8::/32"; IPv4 that comes as IPv6 (::ffff:192.0.2.7) counts as IPv4. */
export function createAddressCheck(networks: readonly string[]): AddressCheck {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', bits] = network.split('/')
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
    list.addSubnet(address, bits === undefined ? (family === 'ipv4' ? 32 : 128) : Number(bits), family)
  }
  return (address) => {
    const plain = address?.replace(/^::ffff:(?=\d+\.)/i, '') ?? ''
    const version = isIP(plain)
    return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6')
  }
}
