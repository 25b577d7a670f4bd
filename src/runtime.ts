// In: the configuration. Out: what every command and role is handed: folders, locales, menus, an open and current database.
// Must never go on with a fault: everything wrong with configuration, locales and menus is named at once.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Redis } from 'ioredis'
import pg from 'pg'
import { type Clock, elapsedMs, systemClock } from './clock.ts'
import { type Config, readConfig, type Secrets } from './config.ts'
import { createDb, type Db } from './db.ts'
import { type EmbeddedDatabase, keepSecrets, startEmbeddedDatabase } from './embedded.ts'
import { DependencyError, errorCode, StartError } from './errors.ts'
import type { I18n } from './i18n.ts'
import { createLogger, type Logger } from './logger.ts'
import { migrate } from './migrations.ts'
import { loadTexts } from './texts.ts'
import type { Menu } from './ussd/menu.ts'

const packageFolder = fileURLToPath(new URL('..', import.meta.url))
export const folders = {
  prisma: join(packageFolder, 'prisma'),
  menus: join(packageFolder, 'menus'),
  locales: join(packageFolder, 'locales'),
}

/** How long a start waits for a database or Redis that is not there yet. */
const dependencyWaitMs = 30_000

export interface Runtime {
  config: Config
  secrets: Secrets
  clock: Clock
  logger: Logger
  i18n: I18n
  menus: ReadonlyMap<string, Menu>
  databaseUrl: string
  /** True when the database is our own, in the data folder. */
  embedded: boolean
  db: Db
  /** Waits for what is running, then closes. */
  close(): Promise<void>
  /** For a process that is told to go while it works: open transactions are taken back, our own server is not left behind. */
  abandon(): Promise<void>
}

export interface OpenOptions {
  /** Aborted: the start is given up at the next step. */
  stop?: AbortSignal
  /** The role calls a provider and has no emulator. */
  sends?: boolean
  /** Called when nothing is wrong so far, before any database is waited for. */
  onConfigured?: (config: Config) => Promise<void>
}

/**
 * Opens everything below the roles. Everything that can be wrong before a database is asked stands in one StartError. Waits up to 30 s for a given database, then rejects with a DependencyError. Outside
 * production the newest migrations are applied; production refuses a database that lacks some (StartError).
 */
export async function openRuntime({ stop, sends = false, onConfigured }: OpenOptions = {}): Promise<Runtime> {
  const { config, faults } = readConfig()
  const lacking =
    sends && !config.production && config.africasTalking === undefined
      ? ['AT_USERNAME and AT_API_KEY: a worker needs them; without them "tama serve" shows a demo']
      : []
  const { i18n, menus } = loadTexts(folders, [...faults, ...lacking])
  const logger = createLogger(config.logLevel)
  await onConfigured?.(config)
  let embedded: EmbeddedDatabase | undefined
  if (config.databaseUrl === undefined) embedded = await startEmbeddedDatabase(config.dataFolder)
  const databaseUrl = embedded?.url ?? config.databaseUrl ?? ''
  try {
    await waitForDatabase(databaseUrl, stop)
    if (config.production) await requireMigrations(databaseUrl)
    else await migrate(databaseUrl, folders.prisma)
    stop?.throwIfAborted()
  } catch (error) {
    await embedded?.stop()
    throw error
  }
  const db = createDb({ url: databaseUrl, logger })
  return {
    config,
    secrets: config.production ? (config.secrets as Secrets) : keepSecrets(config.dataFolder, config.secrets),
    clock: systemClock,
    logger,
    i18n,
    menus,
    databaseUrl,
    embedded: embedded !== undefined,
    db,
    close: async () => {
      await db.close()
      await embedded?.stop()
    },
    abandon: async () => embedded?.stop(),
  }
}

/** Waits up to 30 s, then rejects with a DependencyError; at once when `stop` is aborted. */
export async function waitForDatabase(url: string, stop?: AbortSignal): Promise<void> {
  await waitFor('dependency.database', 'The database', () => pingDatabase(url), stop)
}

/** Waits for Redis as the start does for the database; the connection is closed again. */
export async function waitForRedis(url: string, stop?: AbortSignal): Promise<void> {
  const probe = async () => {
    const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: () => null })
    redis.on('error', () => {})
    try {
      await redis.connect()
      await redis.ping()
    } finally {
      redis.disconnect()
    }
  }
  await waitFor('dependency.redis', 'Redis', probe, stop)
}

async function waitFor(
  code: 'dependency.database' | 'dependency.redis',
  what: string,
  probe: () => Promise<void>,
  stop: AbortSignal | undefined,
): Promise<void> {
  const startedMs = elapsedMs()
  for (;;) {
    stop?.throwIfAborted()
    try {
      return await probe()
    } catch (error) {
      if (elapsedMs() - startedMs > dependencyWaitMs) {
        throw new DependencyError(code, `${what} did not answer within 30 s (${errorCode(error)}).`, {
          cause: error,
        })
      }
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }
}

async function pingDatabase(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query('select 1')
  } finally {
    await client.end()
  }
}

async function requireMigrations(url: string): Promise<void> {
  const wanted = readdirSync(join(folders.prisma, 'migrations'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const table = await client.query(`select to_regclass('_prisma_migrations') is not null as found`)
    const { rows } = table.rows[0]?.found
      ? await client.query('select migration_name from _prisma_migrations where finished_at is not null')
      : { rows: [] }
    const applied = new Set(rows.map((row: { migration_name: string }) => row.migration_name))
    const missing = wanted.filter((name) => !applied.has(name))
    if (missing.length > 0) throw new StartError('The database is behind: run "tama migrate" first', missing)
  } finally {
    await client.end()
  }
}
