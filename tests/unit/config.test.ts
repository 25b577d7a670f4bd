import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config.ts'
import { StartError } from '../../src/errors.ts'

const secret = 's'.repeat(32)
const production = {
  NODE_ENV: 'production',
  DATABASE_URL: 'postgresql://tama@db/tama',
  CALLBACK_SECRET: secret,
  PIN_PEPPER: secret,
  ADMIN_KEY: secret,
  AT_USERNAME: 'tama',
  AT_API_KEY: 'key',
}

function faultsOf(environment: Record<string, string>): readonly string[] {
  try {
    loadConfig(environment)
    return []
  } catch (error) {
    if (error instanceof StartError) return error.faults
    throw error
  }
}

describe('the configuration', () => {
  it('may be empty: everything has a default, and an empty value counts as none', () => {
    const config = loadConfig({ PORT: '', REDIS_URL: '' })
    expect(config).toMatchObject({
      production: false,
      port: 8080,
      databaseUrl: undefined,
      redisUrl: undefined,
    })
  })

  it('of production goes to the live provider, that of the sandbox to the sandbox', () => {
    expect(loadConfig(production).africasTalking?.baseUrl).toBe('https://api.africastalking.com')
    const sandbox = loadConfig({ AT_USERNAME: 'sandbox', AT_API_KEY: 'key' })
    expect(sandbox.africasTalking?.baseUrl).toBe('https://api.sandbox.africastalking.com')
  })

  it('of the calls to the provider leaves to the sender what it does not name', () => {
    expect(loadConfig({ SEND_CALLS_MAX: '' }).sendCalls).toEqual({})
    expect(loadConfig({ SEND_CALLS_AHEAD_MAX: '10' }).sendCalls).toEqual({ callsAheadMax: 10 })
    expect(loadConfig({ SEND_CALLS_MAX: '5', SEND_CALLS_AHEAD_MAX: '0' }).sendCalls).toEqual({
      callsMax: 5,
      callsAheadMax: 0,
    })
  })

  it.each([
    ['PORT', '80a', 'must be a number from 0 to 65535'],
    ['PORT', '65536', 'must be a number'],
    ['PORT', '-1', 'must be a number'],
    ['PORT', '1e3', 'must be a number'],
    ['DATABASE_URL', 'mysql://db/tama', 'must be an address that starts with postgresql://'],
    ['REDIS_URL', 'localhost:6379', 'must be an address that starts with redis://'],
    ['AT_BASE_URL', 'ftp://example.org', 'must be an address that starts with https://'],
    ['ALLOWED_CALLBACK_CIDRS', '192.0.2.0/33', 'must be addresses or networks'],
    ['ALLOWED_CALLBACK_CIDRS', '192.0.2.0/24,everyone', 'must be addresses or networks'],
    ['TRUSTED_PROXIES', 'true', 'must be addresses or networks'],
    ['SEND_CALLS_AHEAD_MAX', '-1', 'must be a whole number from 0 to 999'],
    ['LOG_LEVEL', 'loud', 'must be one of fatal, error'],
    ['NODE_ENV', 'prod', 'must be one of production, development, test'],
    ['PIN_PEPPER', 'short', 'needs at least 22 characters'],
  ])('refuses %s=%s and says what it must be', (name, value, sentence) => {
    const faults = faultsOf({ [name]: value })
    expect(faults).toHaveLength(1)
    expect(faults[0]).toContain(`${name}: ${sentence}`)
  })

  it('never repeats the value of a secret', () => {
    expect(faultsOf({ ADMIN_KEY: 'hush-hush' }).join()).not.toContain('hush')
  })

  it('takes addresses and networks of both kinds, with blanks between', () => {
    const config = loadConfig({
      ALLOWED_CALLBACK_CIDRS: '192.0.2.0/24, 198.51.100.7',
      TRUSTED_PROXIES: '2001:db8::/32',
    })
    expect(config.allowedCallbackCidrs).toEqual(['192.0.2.0/24', '198.51.100.7'])
    expect(config.trustedProxies).toEqual(['2001:db8::/32'])
  })

  it('of production may lack CALLBACK_SECRET: each programme then has its own', () => {
    const { CALLBACK_SECRET: _house, ...rest } = production
    expect(faultsOf(rest)).toEqual([])
  })

  it('refuses half a provider account', () => {
    expect(faultsOf({ AT_API_KEY: 'key' })).toEqual(['AT_USERNAME and AT_API_KEY: set both or neither'])
  })

  it.each(['http://api.africastalking.com', 'https://localhost:9', 'https://127.0.0.1'])(
    'of production does not send to %s',
    (url) => {
      expect(faultsOf({ ...production, AT_BASE_URL: url })).toEqual([expect.stringContaining('AT_BASE_URL')])
    },
  )

  it('names a wrong value and every other fault at once: one never hides another', () => {
    const faults = faultsOf({ NODE_ENV: 'production', PORT: 'x', AT_BASE_URL: 'http://127.0.0.1:9999' })
    for (const name of [
      'PORT',
      'DATABASE_URL',
      'PIN_PEPPER',
      'ADMIN_KEY',
      'AT_USERNAME',
      'AT_API_KEY',
      'AT_BASE_URL',
    ])
      expect(faults.filter((fault) => fault.startsWith(`${name}:`))).toHaveLength(1)
  })
})
