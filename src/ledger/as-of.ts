// In: a snapshot that a statement once read under. Out: a database that answers every statement as it would have then.
// Needs nothing of the statements: temporary views stand in front of the tables. Must never write to what they show.
import type pg from 'pg'
import { createDb, type Db, type Pipeline } from '../db.ts'
import type { Logger } from '../logger.ts'

/** Runs statements as they are, and names the snapshot that the last one read under. */
export function noteSnapshot(reads: Pipeline, note: (snapshot: string) => void): Pipeline {
  return {
    async query<Row extends pg.QueryResultRow>(name: string, text: string, values: unknown[]) {
      const rows = await reads.query<Row & { takenUnder: string; isRow: true | null }>(
        `${name}.noted`,
        `select pg_current_snapshot()::text as "takenUnder", asked.*
           from (values (1)) one left join (select true as "isRow", inner_rows.* from (${text}) inner_rows) asked on true`,
        values,
      )
      if (rows[0] !== undefined) note(rows[0].takenUnder)
      return rows.filter(({ isRow }) => isRow === true)
    },
    close: () => reads.close(),
  }
}

// A row without a transaction id is older than this bookkeeping. Ids and snapshots are those of one server and its copies.
const seen = (txId: string) =>
  `(${txId} is null or pg_visible_in_snapshot(${txId}, current_setting('tama.snapshot')::pg_snapshot))`

/** Rows never changed since, then the version of each changed row that stood at the snapshot; `was` may hold only some columns. */
function asOfView(table: string, inserted = seen('v.tx_id')): string {
  return `create or replace temporary view ${table} as
    select v.* from public.${table} v
     where ${inserted} and not exists (
       select from public.former_rows f where f.row_id = v.id and not ${seen('f.tx_id')})
    union all
    select v.* from (
      select distinct on (row_id) row_id, was from public.former_rows f
       where relation = '${table}' and not ${seen('f.tx_id')} order by row_id, id) former
      left join public.${table} t on t.id = former.row_id
      cross join lateral jsonb_populate_record(t, former.was) v
     where ${inserted}`
}

const viewsSql = [
  `create or replace temporary view entries as select * from public.entries v where ${seen('v.tx_id')}`,
  `create or replace temporary view postings as
     select p.* from public.postings p join public.entries v on v.id = p.entry_id where ${seen('v.tx_id')}`,
  `create or replace temporary view accounts as select * from public.accounts v where ${seen('v.tx_id')}`,
  ...['instalments', 'meetings', 'training_sessions', 'notices'].map((table) => asOfView(table)),
  ...['training_modules', 'programmes', 'members', 'cases'].map((table) => asOfView(table, 'true')),
].join(';\n')

export interface AsOf {
  db: Pick<Db, 'pool' | 'reads'>
  /** What follows reads as of this snapshot. */
  at(snapshot: string): Promise<void>
  close(): Promise<void>
}

/** One connection of its own, so one reader at a time. Without `at` every read of the ledger is refused. */
export function openAsOf({ url, logger }: { url: string; logger: Logger }): AsOf {
  // A connection that is lost and made anew has the views again and no snapshot: its reads fail, they do not lie.
  const onConnect = async (client: pg.ClientBase) => {
    await client.query(viewsSql)
  }
  const { pool, close } = createDb({ url, logger, poolSizeMax: 1, onConnect })
  const reads: Pipeline = {
    query: async (name, text, values) => (await pool.query({ name, text, values })).rows,
    close: () => Promise.resolve(),
  }
  return {
    db: { pool, reads },
    async at(snapshot) {
      await pool.query(`select set_config('tama.snapshot', $1, false)`, [snapshot])
    },
    close,
  }
}
