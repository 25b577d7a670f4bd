// In: a PostgreSQL URL. Out: Prisma for clarity, a pool for set-based SQL, one pipelined connection for the short reads behind a screen.
// Must never run a statement that can block on the pipelined connection: it would hold up every other screen.
import type { Duplex } from 'node:stream'
import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { errorCode } from './errors.ts'
import { PrismaClient } from './generated/prisma/client.ts'
import type { Logger } from './logger.ts'
import { writeTogether } from './write-together.ts'

/** Anything that runs SQL: the pool, or a client inside a transaction. */
export interface Queryable {
  query<Row extends pg.QueryResultRow = pg.QueryResultRow>(
    text: string,
    values?: unknown[],
  ): Promise<pg.QueryResult<Row>>
}

export interface Db {
  prisma: PrismaClient
  pool: pg.Pool
  reads: Pipeline
  /** The same for keyed reads of a whole batch, which take longer than a screen may wait. */
  batchReads: Pipeline
  /** Runs `work` in one transaction; commits when it resolves, rolls back when it rejects. */
  transaction<Result>(work: (tx: pg.PoolClient) => Promise<Result>): Promise<Result>
  /**
   * Like `transaction`, as the role that row-level security holds to one programme: a query without a WHERE neither sees nor changes
   * a row of another, and a table that no migration opened to the role is refused.
   */
  inProgramme<Result>(programmeId: string, work: (tx: Queryable) => Promise<Result>): Promise<Result>
  close(): Promise<void>
}

// Calendar days stay text: node-postgres would turn them into instants of the process's own time zone.
const dateOid = 1082
const types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    oid === dateOid
      ? (value: string) => value
      : pg.types.getTypeParser(oid, format as 'text')) as typeof pg.types.getTypeParser,
}

export interface DbOptions {
  url: string
  logger: Logger
  poolSizeMax?: number
  /** Prepares each new connection of the pool before its first statement. */
  onConnect?: (client: pg.ClientBase) => Promise<void>
}

/** Opens nothing yet: connections are made on first use. */
export function createDb({ url, logger, poolSizeMax = 10, onConnect }: DbOptions): Db {
  const pool = new pg.Pool({
    connectionString: url,
    max: poolSizeMax,
    connectionTimeoutMillis: 10_000,
    // Compiling a plan takes longer than any of our statements; the server would do it for the one that decides a batch.
    options: '-c jit=off',
    types,
    ...(onConnect === undefined ? {} : { onConnect }),
  })
  pool.on('error', (error) => logger.warn({ event: 'db.idle_connection_lost', code: errorCode(error) }))
  const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: url, max: 5 }) })
  const reads = createPipeline({ url, logger, name: 'reads' })
  const batchReads = createPipeline({ url, logger, name: 'batch-reads', statementTimeoutMs: 60_000 })
  return {
    prisma,
    pool,
    reads,
    batchReads,
    transaction: (work) => inTransaction(pool, 'begin', work),
    inProgramme: (programmeId, work) => inTransaction(pool, beginIn(programmeId), work),
    close: async () => {
      await Promise.all([prisma.$disconnect(), pool.end(), reads.close(), batchReads.close()])
    },
  }
}

/** One round trip; role and setting end with the transaction. */
function beginIn(programmeId: string): string {
  return `begin; set local role tama_api; set local tama.programme = ${pg.escapeLiteral(programmeId)}`
}

async function inTransaction<Result>(
  pool: pg.Pool,
  begin: string,
  work: (tx: pg.PoolClient) => Promise<Result>,
): Promise<Result> {
  const tx = await pool.connect()
  let broken: Error | undefined
  // A connection that is lost rejects the query under way and is also told here; unheard, that would end the process.
  const onLost = (error: Error) => {
    broken = error
  }
  tx.on('error', onLost)
  try {
    await tx.query(begin)
    const result = await work(tx)
    await tx.query('commit')
    return result
  } catch (error) {
    await tx.query('rollback').catch((rollbackError: Error) => {
      broken = rollbackError
    })
    throw error
  } finally {
    tx.off('error', onLost)
    tx.release(broken)
  }
}

/** Work that may be refused inside a transaction and taken back alone: what came before it stays. */
export async function attempt<Result>(tx: Queryable, work: () => Promise<Result>): Promise<Result> {
  await tx.query('savepoint attempt')
  try {
    const result = await work()
    await tx.query('release savepoint attempt')
    return result
  } catch (error) {
    await tx.query('rollback to savepoint attempt').catch(() => undefined)
    throw error
  }
}

/** One connection shared by many callers; statements are prepared by name and sent without waiting for one another. */
export interface Pipeline {
  query<Row extends pg.QueryResultRow>(name: string, text: string, values: unknown[]): Promise<Row[]>
  close(): Promise<void>
}

/** What reads by name need; a transaction can stand in for the shared connection. */
export type NamedReads = Pick<Pipeline, 'query'>

/** The same statements inside a transaction, where a name is not worth a prepared plan. */
export function namedReads(tx: Queryable): NamedReads {
  return { query: async (_name, text, values) => (await tx.query(text, values)).rows as never }
}

export interface PipelineOptions {
  url: string
  logger: Logger
  name: string
  /** Server-side limit a statement; a stalled read must not hold up the others for ever [7000]. */
  statementTimeoutMs?: number
  /** For writes that may be lost in a crash of the server, such as dialogue state [false]. */
  asynchronousCommit?: boolean
}

/** What node-postgres's Query takes and the type definitions leave out. */
type NamedQuery = new (
  text: string,
  values: unknown[],
  done: (error: Error | null, result: pg.QueryResult) => void,
) => pg.Submittable & { name: string }

const NamedQuery = pg.Query as unknown as NamedQuery

/** As `client.query({ name, text, values })`, without its copy of the config and its second promise: 20 microseconds a statement. */
function run<Row extends pg.QueryResultRow>(
  client: pg.Client,
  name: string,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    const query = new NamedQuery(text, values, (error, result) =>
      error === null || error === undefined ? resolve(result.rows) : reject(error),
    )
    query.name = name
    client.query(query)
  })
}

/** Not in the type definitions; node-postgres itself corks this stream around each statement. */
const streamOf = (client: pg.Client): Duplex =>
  (client as unknown as { connection: { stream: Duplex } }).connection.stream

// Short statements by key: planning each time costs more than running them. A plan is kept as long as the connection,
// so it must not be the scan that looks cheap while a table is still empty.
const keyedStatements =
  '-c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off'

/** Reconnects on the next query after the connection is lost; queries under way then reject. */
export function createPipeline(options: PipelineOptions): Pipeline {
  let connecting: Promise<pg.Client> | undefined

  async function connect(): Promise<pg.Client> {
    const client = new pg.Client({
      connectionString: options.url,
      pipeline: true,
      types,
      connectionTimeoutMillis: 5_000,
      statement_timeout: options.statementTimeoutMs ?? 7_000,
      application_name: `tama-${options.name}`,
      options: [keyedStatements, options.asynchronousCommit === true ? '-c synchronous_commit=off' : ''].join(
        ' ',
      ),
    })
    const forget = () => {
      connecting = undefined
    }
    client.on('error', (error) => {
      forget()
      options.logger.warn({ event: 'db.pipeline_lost', name: options.name, code: errorCode(error) })
    })
    client.on('end', forget)
    try {
      await client.connect()
      return client
    } catch (error) {
      forget()
      throw error
    }
  }

  return {
    async query<Row extends pg.QueryResultRow>(name: string, text: string, values: unknown[]) {
      connecting ??= connect()
      const client = await connecting
      writeTogether(streamOf(client))
      return run<Row>(client, name, text, values)
    },
    async close() {
      const client = await connecting?.catch(() => undefined)
      connecting = undefined
      await client?.end()
    },
  }
}

export interface Listener {
  close(): Promise<void>
}

export interface ListenOptions {
  url: string
  channel: 'tama_outbox' | 'tama_ledger'
  logger: Logger
  onNotice(): void
}

/** Calls `onNotice` at every commit that announced on the channel, and once when connected. Reconnects for ever: callers poll too. */
export function listen({ url, channel, logger, onNotice }: ListenOptions): Listener {
  let client: pg.Client | undefined
  let closed = false
  let retry: NodeJS.Timeout | undefined

  async function connect(): Promise<void> {
    const next = new pg.Client({
      connectionString: url,
      keepAlive: true,
      connectionTimeoutMillis: 5_000,
      application_name: 'tama-listen',
    })
    client = next
    let lost = false
    const lose = (error?: Error) => {
      if (lost || closed) return
      lost = true
      logger.warn({ event: 'db.listen_lost', channel, code: errorCode(error) })
      next.end().catch(() => undefined)
      retry = setTimeout(() => void connect(), 1_000)
    }
    next.on('error', lose)
    next.on('end', () => lose())
    next.on('notification', onNotice)
    try {
      await next.connect()
      await next.query(`listen ${channel}`)
      onNotice()
    } catch (error) {
      lose(error instanceof Error ? error : undefined)
    }
  }
  void connect()

  return {
    async close() {
      closed = true
      clearTimeout(retry)
      await client?.end().catch(() => undefined)
    },
  }
}
