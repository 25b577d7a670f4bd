// One house for all trials: databases, a provider that counts, and role processes that a supervisor starts again when they end.
// The processes are the built program with nothing but its environment; they are killed with real signals.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDb, type Db } from '../../src/db.ts'
import { type EmbeddedDatabase, startEmbeddedDatabase } from '../../src/embedded.ts'
import { migrate } from '../../src/migrations.ts'
import { createTestDatabase, silentLogger } from './database.ts'
import { startTestProvider, type TestProvider } from './outbound.ts'
import { freePort, hasRedis, startRedis, type TestRedis } from './redis.ts'
import { startTama, type Tama } from './tama.ts'

export type Role = 'web' | 'worker' | 'planner'
export type Backend = 'PostgreSQL' | 'Redis'

/** What a trial runs on; Redis only where there is one (support/redis.ts says so). */
export const backends: readonly Backend[] = hasRedis ? ['PostgreSQL', 'Redis'] : ['PostgreSQL']

export const callbackSecret = 'trial-secret-0123456789abcdef'
export const pepper = 'trial-pepper-0123456789abcdef'

export interface Running {
  /** AT_USERNAME of this one process: the provider knows by it who calls. */
  username: string
  /** Where it listens, from its first moment. */
  url: string
  tama: Tama
  /** Resolves when it serves; rejects when it ends before. */
  serving: Promise<void>
}

export interface Ended {
  role: Role
  /** Exit code or signal. */
  code: number | string
  /** The signal that we sent; undefined when it went by itself. */
  asked: NodeJS.Signals | undefined
  /** From the signal to the end. */
  tookMs: number
  output: string
}

/** A place for one process of a role, filled again whenever it falls empty, as a supervisor does. */
export interface Place {
  role: Role
  /** The process, if it serves by now. */
  serving(): Running | undefined
  running(): Running | undefined
  /** Resolves when a process serves in it. */
  filled(): Promise<Running>
  /** Sends the signal and resolves when the process has ended. */
  end(signal: NodeJS.Signals): Promise<Ended>
}

export interface Harness {
  backend: Backend
  db: Db
  databaseUrl: string
  redis: TestRedis | undefined
  provider: TestProvider
  /** Every end of a process so far. */
  ends: Ended[]
  /** Starts a process and keeps the place filled until the harness closes. */
  keep(role: Role): Place
  environment(): Record<string, string>
  close(): Promise<void>
}

export interface HarnessOptions {
  backend: Backend
  /** A database that is there already (own-server.ts); else a clone of the template on the shared server. */
  databaseUrl?: string
  redisUrl?: string | undefined
  environment?: Record<string, string>
}

/** How soon a supervisor starts again what ended. */
const restartMs = 200

export async function startHarness(options: HarnessOptions): Promise<Harness> {
  const folder = mkdtempSync(join(tmpdir(), 'tama-trial-'))
  const given = options.databaseUrl
  const test = given === undefined ? await createTestDatabase() : undefined
  const databaseUrl = test?.url ?? given ?? ''
  const db = test?.db ?? createDb({ url: databaseUrl, logger: silentLogger })
  const ownRedis =
    options.backend === 'Redis' && options.redisUrl === undefined ? await startRedis() : undefined
  const redisUrl = ownRedis?.url ?? options.redisUrl
  const provider = await startTestProvider()
  const ends: Ended[] = []
  const places: { close(): Promise<void> }[] = []
  let count = 0

  const environment = () => ({
    DATABASE_URL: databaseUrl,
    ...(options.backend === 'Redis' && redisUrl !== undefined ? { REDIS_URL: redisUrl } : {}),
    TAMA_DATA: folder,
    CALLBACK_SECRET: callbackSecret,
    PIN_PEPPER: pepper,
    AT_USERNAME: 'trial',
    AT_API_KEY: 'key',
    AT_BASE_URL: provider.url,
    SEND_CALLS_MAX: '10',
    LOG_LEVEL: 'error',
    ...options.environment,
  })

  async function launch(role: Role): Promise<Running> {
    count += 1
    const username = `${role}-${count}`
    const port = await freePort()
    const tama = startTama(['serve', role], { ...environment(), AT_USERNAME: username, PORT: String(port) })
    const serving = tama.printed(/Tama \w+ at (\S+)/, 120_000).then(() => undefined)
    serving.catch(() => undefined)
    return { username, url: `http://127.0.0.1:${port}`, tama, serving }
  }

  function keep(role: Role): Place {
    let current: Running | undefined
    let serving: Running | undefined
    let asked: { signal: NodeJS.Signals; atMs: number } | undefined
    let ending: Promise<Ended> | undefined
    let closed = false

    async function fill(): Promise<void> {
      while (!closed) {
        const running = await launch(role)
        if (closed) running.tama.child.kill('SIGKILL')
        current = running
        ending = running.tama.ended.then((code) => {
          const tookMs = asked === undefined ? 0 : performance.now() - asked.atMs
          const end = { role, code, asked: asked?.signal, tookMs, output: running.tama.output() }
          asked = undefined
          current = undefined
          serving = undefined
          ends.push(end)
          return end
        })
        running.serving.then(
          () => {
            if (current === running) serving = running
          },
          () => undefined,
        )
        await ending
        await new Promise((resolve) => setTimeout(resolve, restartMs))
      }
    }
    const filling = fill()

    const place: Place = {
      role,
      running: () => current,
      serving: () => serving,
      async filled() {
        while (serving === undefined) await new Promise((resolve) => setTimeout(resolve, 20))
        return serving
      },
      async end(signal) {
        const running = current
        const end = ending
        if (running === undefined || end === undefined) throw new Error(`no ${role} to end`)
        asked = { signal, atMs: performance.now() }
        running.tama.child.kill(signal)
        return end
      },
    }
    places.push({
      async close() {
        closed = true
        if (current !== undefined) await place.end('SIGKILL')
        await filling
      },
    })
    return place
  }

  return {
    backend: options.backend,
    db,
    databaseUrl,
    redis: ownRedis,
    provider,
    ends,
    keep,
    environment,
    async close() {
      await Promise.all(places.map((place) => place.close()))
      await provider.stop()
      await ownRedis?.stop()
      await (test === undefined ? db.close() : test.drop())
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

export interface OwnServer {
  url: string
  /** Where all of it lies, its log and its journal too. */
  folder: string
  /** As pg_ctl stop -m immediate: no goodbye, no checkpoint; the next start recovers. */
  stopHard(): Promise<void>
  start(): Promise<void>
  /** Every process of the server stands still until it is thawed; what was asked of it waits. */
  freeze(): void
  thaw(): void
  remove(): Promise<void>
}

/** A PostgreSQL server of the trial's own, migrated, to be stopped at will; it always comes back at the same address. */
export async function startOwnServer(): Promise<OwnServer> {
  const folder = mkdtempSync(join(tmpdir(), 'tama-server-'))
  const port = await freePort()
  let server: EmbeddedDatabase | undefined = await startEmbeddedDatabase(folder, port)
  const url = server.url
  await migrate(url, 'prisma')
  const postmaster = () =>
    Number(readFileSync(join(folder, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0])

  function signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    const main = postmaster()
    for (const pid of [main, ...childrenOf(main)]) {
      try {
        process.kill(pid, name)
      } catch {
        // It ended in between.
      }
    }
  }

  return {
    url,
    folder,
    async stopHard() {
      const main = postmaster()
      process.kill(main, 'SIGQUIT')
      while (isAlive(main)) await new Promise((resolve) => setTimeout(resolve, 10))
    },
    async start() {
      server = await startEmbeddedDatabase(folder, port)
    },
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async remove() {
      await server?.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        // pid (name) state parent ...
        const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
        return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) === parent
      } catch {
        return false
      }
    })
}
