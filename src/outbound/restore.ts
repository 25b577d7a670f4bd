// In: the database's identity, and a mark of its newest row kept outside of it. Out: a pause when the database is a copy or lacks rows.
// Must never let a restored database send by itself: it does not know what was sent since its backup.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Redis } from 'ioredis'
import { recordAudit } from '../audit.ts'
import type { Clock } from '../clock.ts'
import type { Db, Queryable } from '../db.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Metrics } from '../metrics.ts'
import { createWaker } from '../waker.ts'
import { type PauseCause, pauseOutbox, readPause } from './pause.ts'
import { reconcileReports } from './reconcile.ts'

/** Where the newest row's number of a database is kept outside it; undefined while nothing was written or it cannot be read. */
export interface Mark {
  read(database: string): Promise<bigint | undefined>
  write(database: string, newest: bigint): Promise<void>
}

const markName = 'newest-message-event'
const parseMark = (text: string | null) =>
  text !== null && /^\d{1,18}$/.test(text) ? BigInt(text) : undefined

export function redisMark(redis: Redis): Mark {
  return {
    read: async (database) => parseMark(await redis.get(`tama:${markName}:${database}`)),
    write: async (database, newest) => {
      await redis.set(`tama:${markName}:${database}`, String(newest))
    },
  }
}

export function fileMark(folder: string): Mark {
  const path = (database: string) => join(folder, `${markName}-${database}`)
  let isToldOf = false
  return {
    read: async (database) => parseMark(await readFile(path(database), 'utf8').catch(() => null)),
    write: async (database, newest) => {
      try {
        await mkdir(folder, { recursive: true })
        await writeFile(`${path(database)}.new`, String(newest))
        await rename(`${path(database)}.new`, path(database))
        isToldOf = false
      } catch (error) {
        // Told once; every few seconds would drown the log. Tried again all the same: a full disk does not stay full.
        if (isToldOf) return
        isToldOf = true
        throw error
      }
    },
  }
}

export interface RestoreWatchOptions {
  db: Db
  clock: Clock
  logger: Logger
  mark: Mark
}

const databaseSql = `
  select (select system_identifier from pg_control_system()) || '-'
         || (select oid from pg_database where datname = current_database()) as database`

/**
 * The cluster, the database and the timeline: a dump that is read in elsewhere has another cluster or database, and recovery to a
 * point in time begins a new timeline. Only files put back in place keep all three, which is what the mark is for.
 */
const seenSql = `
  select $1 || '-' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8) as identity,
         (select identity from lineage) as known,
         (select coalesce(max(id), 0) from message_events)::text as newest`

interface Seen {
  identity: string
  known: string | null
  newest: string
}

/** Asks once, pauses if need be, and writes the mark anew. Resolves to true while the outbox is paused, whatever the cause. */
export async function checkRestore({ db, clock, logger, mark }: RestoreWatchOptions): Promise<boolean> {
  const [here] = (await db.pool.query<{ database: string }>(databaseSql)).rows
  if (here === undefined) return false
  // Before the rows: what another process writes into the mark meanwhile is no row that we lack.
  let isRead = true
  const marked = await mark.read(here.database).catch((error: unknown) => {
    logger.warn({ event: 'restore.mark_unread', code: errorCode(error) })
    isRead = false
    return undefined
  })
  const [seen] = (await db.pool.query<Seen>(seenSql, [here.database])).rows
  if (seen === undefined) return false
  const newest = BigInt(seen.newest)
  const cause = causeOf(seen, newest, marked)
  if (cause !== undefined || seen.known !== seen.identity)
    await db.transaction((tx) => note(tx, clock.now(), seen.identity, cause))
  if (cause !== undefined) logger.error({ event: 'restore.found', cause })
  // After the pause stands: a crash in between finds the old mark again. One that could not be read is not written over: it may know more.
  if (isRead && marked !== newest)
    await mark
      .write(here.database, newest)
      .catch((error: unknown) => logger.warn({ event: 'restore.mark_unwritten', code: errorCode(error) }))
  return (await readPause(db.pool)) !== undefined
}

function causeOf(
  { identity, known }: Seen,
  newest: bigint,
  marked: bigint | undefined,
): PauseCause | undefined {
  // A database that never served has nothing to send again.
  if (known === null) return undefined
  if (marked !== undefined && marked > newest) return 'lost_rows'
  // A replica that took over without losing a row is no restore.
  return known !== identity && marked === undefined ? 'other_server' : undefined
}

async function note(tx: Queryable, at: Date, identity: string, cause: PauseCause | undefined): Promise<void> {
  await tx.query(
    'insert into lineage (identity) values ($1) on conflict (id) do update set identity = excluded.identity',
    [identity],
  )
  if (cause === undefined || !(await pauseOutbox(tx, at, cause))) return
  await recordAudit(tx, {
    at,
    actor: 'system:restore',
    action: 'outbox.paused',
    subject: 'outbox',
    after: { cause },
  })
}

/** Looks again and again, in every process, for a restore and for reports that give one away; `look` is one round. */
export function createRestoreWatch(options: RestoreWatchOptions & { metrics: Metrics; everyMs: number }) {
  const { logger, everyMs } = options
  const waker = createWaker()
  let running = false
  let loop: Promise<void> = Promise.resolve()

  async function look(): Promise<void> {
    await reconcileReports(options)
    await checkRestore(options)
  }

  async function watchLoop(): Promise<void> {
    while (running) {
      await waker.rest(everyMs)
      if (!running) return
      try {
        await look()
      } catch (error) {
        logger.warn({ event: 'restore.failed', code: errorCode(error) })
      }
    }
  }

  return {
    look,
    start() {
      running = true
      loop = watchLoop()
    },
    async stop() {
      running = false
      waker.stop()
      await loop
    },
  }
}
