// The only reader of the environment. In: process.env. Out: one validated Config, or every fault at once.
// Must never print a secret's value.
import { isIP } from 'node:net'
import { join } from 'node:path'
import { z } from 'zod'
import { StartError } from './errors.ts'

const secret = z.string().min(22, 'needs at least 22 characters (128 bits in base64url)')
const emptyIsUnset = (value: unknown) => (value === '' ? undefined : value)
const optional = <Schema extends z.ZodType>(schema: Schema) => z.preprocess(emptyIsUnset, schema.optional())
const address = (protocol: RegExp, start: string) =>
  z.url({ protocol, error: `must be an address that starts with ${start}` })
const word = <const Words extends readonly string[]>(...words: Words) =>
  z.enum(words, `must be one of ${words.join(', ')}`)
const wholeNumber = (least: number, most: number) =>
  z
    .stringFormat(
      'whole number',
      (text) => /^\d{1,9}$/.test(text) && Number(text) >= least && Number(text) <= most,
      {
        error: `must be a whole number from ${least} to ${most}`,
      },
    )
    .transform(Number)
/** "10.0.0.0/8, 192.0.2.7": addresses and networks, each with its length in bits. */
const networks = z.string().transform((text, context) => {
  const list = text.split(',').map((one) => one.trim())
  const wrong = list.find((one) => !isNetwork(one))
  if (wrong !== undefined)
    context.addIssue('must be addresses or networks like 192.0.2.0/24, with commas between')
  return list
})
function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/')
  const version = isIP(address)
  if (version === 0 || more.length > 0) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128))
}
const hosts = z.string().transform((text, context) => {
  const names = text
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
  if (names.every((name) => URL.canParse(`http://${name}`) && new URL(`http://${name}`).hostname === name))
    return names
  context.addIssue({
    code: 'custom',
    message: 'must be names or addresses of hosts, parted by commas, without a port',
  })
  return z.NEVER
})
const isPort = (text: string) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535

const environmentSchema = z.object({
  NODE_ENV: optional(word('production', 'development', 'test')),
  PORT: optional(z.stringFormat('port', isPort, 'must be a number from 0 to 65535').transform(Number)),
  DATABASE_URL: optional(address(/^postgres(ql)?$/, 'postgresql://')),
  REDIS_URL: optional(address(/^rediss?$/, 'redis://')),
  CALLBACK_SECRET: optional(secret),
  ALLOWED_CALLBACK_CIDRS: optional(networks),
  TRUSTED_PROXIES: optional(networks),
  PIN_PEPPER: optional(secret),
  ADMIN_KEY: optional(secret),
  AT_USERNAME: optional(z.string().min(1)),
  AT_API_KEY: optional(z.string().min(1)),
  AT_BASE_URL: optional(address(/^https?$/, 'https://')),
  ALARM_URL: optional(address(/^https?$/, 'https://')),
  CANARY_SECONDS: optional(wholeNumber(1, 30)),
  UNKNOWN_HOURS: optional(wholeNumber(1, 24)),
  SEND_CALLS_MAX: optional(wholeNumber(1, 999)),
  SEND_CALLS_AHEAD_MAX: optional(wholeNumber(0, 999)),
  LOG_LEVEL: optional(word('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent')),
  TAMA_DATA: optional(z.string().min(1)),
  KEEP_TEXTS_DAYS: optional(wholeNumber(1, 9_999)),
  KEEP_CALLBACKS_DAYS: optional(wholeNumber(1, 9_999)),
  KEEP_DIALOGUES_DAYS: optional(wholeNumber(1, 9_999)),
  CONSOLE_IDLE_MINUTES: optional(wholeNumber(1, 1_440)),
  CONSOLE_HOURS: optional(wholeNumber(1, 168)),
  API_CALLS_PER_MINUTE: optional(wholeNumber(1, 1_000_000)),
  WEBHOOK_PRIVATE_HOSTS: optional(hosts),
})

/** Secrets that production must be given. */
const neededSecretNames = ['PIN_PEPPER', 'ADMIN_KEY'] as const
/** Secrets that a demo makes for itself. */
const secretNames = ['CALLBACK_SECRET', ...neededSecretNames] as const
export interface Secrets extends Record<(typeof neededSecretNames)[number], string> {
  /** Opens the callbacks of all programmes; undefined: each programme has its own (`tama callback-secret`). */
  CALLBACK_SECRET: string | undefined
}

export interface Config {
  production: boolean
  port: number
  /** Undefined: an embedded server in the data folder. */
  databaseUrl: string | undefined
  /** Undefined: queue and dialogues live in PostgreSQL. */
  redisUrl: string | undefined
  secrets: Partial<Secrets>
  /** Whence callbacks may come; undefined: from anywhere. */
  allowedCallbackCidrs: readonly string[] | undefined
  /** Whose word about the caller's address (X-Forwarded-For) is taken; undefined: nobody's. */
  trustedProxies: readonly string[] | undefined
  africasTalking: { username: string; apiKey: string; baseUrl: string } | undefined
  /** Where alarms are posted. */
  alarmUrl: string | undefined
  /** Between two proofs that the queue works. */
  canaryEveryMs: number
  /** How long a delivery report is waited for before a message of unknown outcome is ended. */
  unknownWindowMs: number
  /** For each lane of each worker; what is left out is the sender's own. */
  sendCalls: { callsMax?: number; callsAheadMax?: number }
  logLevel: string
  dataFolder: string
  /** Days after which texts, raw callbacks and dialogues are forgotten. */
  keepDays: { texts: number; callbacks: number; dialogues: number }
  /** How long a staff member stays signed in to the console: without doing anything, and in all. */
  console: { idleMs: number; wholeMs: number }
  /** What one API key may ask in a minute, of all processes together. */
  apiCallsPerMinute: number
  /** Hosts of our own network that webhooks may call all the same. */
  webhookPrivateHosts: readonly string[]
}

const sandboxUrl = 'https://api.sandbox.africastalking.com'
const liveUrl = 'https://api.africastalking.com'

/** Throws a StartError that names everything wrong. In production also everything missing. */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  const { config, faults } = readConfig(environment)
  if (faults.length > 0) throw new StartError('The configuration cannot be used', faults)
  return config
}

/** Like loadConfig, but hands out the faults; a configuration that has some must not be used. */
export function readConfig(environment: NodeJS.ProcessEnv = process.env): {
  config: Config
  faults: readonly string[]
} {
  const { values, faults } = parseEnvironment(environment)
  // Faulty names must still count as given, so that they are not reported twice.
  const isGiven = (name: string) => (environment[name] ?? '') !== ''
  const production = environment.NODE_ENV === 'production'
  if (production) {
    if (!isGiven('DATABASE_URL'))
      faults.push('DATABASE_URL: production does not run on the embedded database')
    for (const name of [...neededSecretNames, 'AT_USERNAME', 'AT_API_KEY'])
      if (!isGiven(name)) faults.push(`${name}: production needs it`)
    if (values.AT_BASE_URL !== undefined && !isProviderHost(values.AT_BASE_URL))
      faults.push('AT_BASE_URL: production does not send to an emulator or an unencrypted address')
  }
  if (isGiven('AT_USERNAME') !== isGiven('AT_API_KEY'))
    faults.push('AT_USERNAME and AT_API_KEY: set both or neither')
  const config: Config = {
    production,
    port: values.PORT ?? 8080,
    databaseUrl: values.DATABASE_URL,
    redisUrl: values.REDIS_URL,
    secrets: Object.fromEntries(
      secretNames.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]])),
    ),
    allowedCallbackCidrs: values.ALLOWED_CALLBACK_CIDRS,
    trustedProxies: values.TRUSTED_PROXIES,
    africasTalking:
      values.AT_USERNAME === undefined || values.AT_API_KEY === undefined
        ? undefined
        : {
            username: values.AT_USERNAME,
            apiKey: values.AT_API_KEY,
            baseUrl: values.AT_BASE_URL ?? (values.AT_USERNAME === 'sandbox' ? sandboxUrl : liveUrl),
          },
    alarmUrl: values.ALARM_URL,
    canaryEveryMs: (values.CANARY_SECONDS ?? 20) * 1_000,
    unknownWindowMs: (values.UNKNOWN_HOURS ?? 24) * 3_600_000,
    sendCalls: {
      ...(values.SEND_CALLS_MAX === undefined ? {} : { callsMax: values.SEND_CALLS_MAX }),
      ...(values.SEND_CALLS_AHEAD_MAX === undefined ? {} : { callsAheadMax: values.SEND_CALLS_AHEAD_MAX }),
    },
    // A newcomer's three lines must not drown in a log.
    logLevel: values.LOG_LEVEL ?? (production ? 'info' : 'warn'),
    dataFolder: values.TAMA_DATA ?? join(process.cwd(), 'data'),
    keepDays: {
      texts: values.KEEP_TEXTS_DAYS ?? 90,
      callbacks: values.KEEP_CALLBACKS_DAYS ?? 30,
      dialogues: values.KEEP_DIALOGUES_DAYS ?? 7,
    },
    console: {
      idleMs: (values.CONSOLE_IDLE_MINUTES ?? 30) * 60_000,
      wholeMs: (values.CONSOLE_HOURS ?? 12) * 3_600_000,
    },
    apiCallsPerMinute: values.API_CALLS_PER_MINUTE ?? 600,
    webhookPrivateHosts: values.WEBHOOK_PRIVATE_HOSTS ?? [],
  }
  return { config, faults }
}

/** What is right and what is wrong: one faulty name must not hide what else is wrong. */
function parseEnvironment(environment: NodeJS.ProcessEnv) {
  const parsed = environmentSchema.safeParse(environment)
  if (parsed.success) return { values: parsed.data, faults: [] }
  const wrong = new Set(parsed.error.issues.map((issue) => issue.path[0]))
  const rest = Object.fromEntries(Object.entries(environment).filter(([name]) => !wrong.has(name)))
  return {
    values: environmentSchema.parse(rest),
    faults: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
  }
}

function isProviderHost(url: string): boolean {
  const { protocol, hostname } = new URL(url)
  return protocol === 'https:' && !['localhost', '127.0.0.1', '[::1]'].includes(hostname)
}
