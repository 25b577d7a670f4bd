// In: the migration folders and a database. Out: the database at the newest migration, recorded as Prisma records it.
// Must never edit an applied migration or guess: a changed or failed migration stops with its name.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { PrismaPg } from '@prisma/adapter-pg'
import { bindSqlAdapterFactory, type SqlDriverAdapter } from '@prisma/driver-adapter-utils'
import pg from 'pg'

interface SchemaEngine {
  applyMigrations(input: object): Promise<{ appliedMigrationNames: string[] }>
  diff(input: object): Promise<{ stdout: string | null }>
  free(): void
}

interface EngineModule {
  __wbg_set_wasm(exports: object): void
  SchemaEngine: {
    new: (options: object, log: (message: string) => void, adapter: object) => Promise<SchemaEngine>
  }
}

// Node has WebAssembly; the type library of a server without a browser does not name it.
const { WebAssembly } = globalThis as unknown as {
  WebAssembly: {
    instantiate(
      bytes: Uint8Array,
      imports: object,
    ): Promise<{ instance: { exports: { __wbindgen_start(): void } } }>
  }
}

/** Arbitrary but fixed: two starts at once must not both migrate. */
const migrationLockKey = 7_391_001

// The CLI's native engine is downloaded from a host that closed networks cannot reach; the same engine
// ships as WebAssembly and is driven here directly. Its glue holds one instance, so it is loaded once a process.
let engineLoading: Promise<EngineModule> | undefined

async function loadEngine(): Promise<EngineModule> {
  const require = createRequire(import.meta.url)
  const gluePath = require.resolve('@prisma/schema-engine-wasm/schema_engine_bg')
  const glue = (await import('@prisma/schema-engine-wasm/schema_engine_bg')) as unknown as EngineModule
  const { instance } = await WebAssembly.instantiate(
    readFileSync(join(dirname(gluePath), 'schema_engine_bg.wasm')),
    { './schema_engine_bg.js': glue },
  )
  glue.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
  return glue
}

/** Hands an engine to `work` and closes its connections after. */
async function withEngine<Result>(
  url: string,
  schema: string,
  work: (engine: SchemaEngine) => Promise<Result>,
): Promise<Result> {
  engineLoading ??= loadEngine()
  const { SchemaEngine } = await engineLoading
  const pool = new pg.Pool({ connectionString: url, max: 2 })
  const factory = new PrismaPg(pool)
  const adapter = bindSqlAdapterFactory({
    provider: factory.provider,
    adapterName: factory.adapterName,
    connect: async () => withWholeScripts(await factory.connect(), url),
  })
  try {
    const engine = await SchemaEngine.new({ datamodels: [['schema.prisma', schema]] }, () => {}, adapter)
    try {
      return await work(engine)
    } finally {
      engine.free()
    }
  } finally {
    await pool.end()
  }
}

// The adapter cuts a script at every semicolon, which breaks function bodies; the server parses it right,
// and one simple query is also one transaction, so a migration applies whole or not at all.
function withWholeScripts(connection: SqlDriverAdapter, url: string): SqlDriverAdapter {
  connection.executeScript = async (script) => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    try {
      await client.query(script)
    } finally {
      await client.end()
    }
  }
  return connection
}

function migrationsIn(folder: string) {
  const names = readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
  return {
    baseDir: folder,
    lockfile: {
      path: 'migration_lock.toml',
      content: readFileSync(join(folder, 'migration_lock.toml'), 'utf8'),
    },
    shadowDbInitScript: '',
    migrationDirectories: names.map((name) => ({
      path: name,
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok', value: readFileSync(join(folder, name, 'migration.sql'), 'utf8') },
      },
    })),
  }
}

/**
 * Applies what is not yet applied, one process at a time (advisory lock), and names it.
 * Rejects with the engine's message when a migration fails or an applied one was edited.
 */
export async function migrate(url: string, prismaFolder: string): Promise<string[]> {
  const lock = new pg.Client({ connectionString: url })
  await lock.connect()
  try {
    if (await isCurrent(lock, join(prismaFolder, 'migrations'))) return []
    await lock.query('select pg_advisory_lock($1)', [migrationLockKey])
    const schema = readFileSync(join(prismaFolder, 'schema.prisma'), 'utf8')
    return await withEngine(url, schema, async (engine) => {
      const { appliedMigrationNames } = await engine.applyMigrations({
        migrationsList: migrationsIn(join(prismaFolder, 'migrations')),
        filters: { externalTables: [], externalEnums: [] },
      })
      return appliedMigrationNames
    })
  } finally {
    await lock.end()
  }
}

/** Whether every migration is applied as it stands in its file: the engine then has nothing to do, and its loading takes a second. */
async function isCurrent(client: pg.Client, folder: string): Promise<boolean> {
  const table = await client.query(`select to_regclass('_prisma_migrations') is not null as found`)
  if (table.rows[0]?.found !== true) return false
  const { rows } = await client.query<{ name: string; checksum: string }>(
    `select migration_name as name, checksum from _prisma_migrations where finished_at is not null`,
  )
  const applied = rows.map(({ name, checksum }) => `${name} ${checksum}`).sort()
  const wanted = migrationsIn(folder).migrationDirectories.map(({ path, migrationFile }) => {
    const checksum = createHash('sha256').update(migrationFile.content.value).digest('hex')
    return `${path} ${checksum}`
  })
  return applied.join('\n') === wanted.sort().join('\n')
}

/** SQL that leads from one schema text to another (null: an empty database). Needs a reachable database, changes none. */
export async function schemaDiff(url: string, from: string | null, to: string): Promise<string> {
  const model = (content: string) => ({
    tag: 'schemaDatamodel',
    files: [{ path: 'schema.prisma', content }],
  })
  return withEngine(url, to, async (engine) => {
    const result = await engine.diff({
      from: from === null ? { tag: 'empty' } : model(from),
      to: model(to),
      script: true,
      shadowDatabaseUrl: null,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    })
    return result.stdout ?? ''
  })
}
