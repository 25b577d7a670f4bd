// What all tables hold, as one figure each, to see that nothing was changed.
import type { Queryable } from '../../src/db.ts'

/** What every call of the API changes, refused or not: it is counted. */
const counting = ['api_key_windows']

/** Row count and a checksum over every row, by table; two equal snapshots mean that no row came, went or changed. */
export async function snapshotTables(db: Queryable, except: readonly string[] = []) {
  const { rows: tables } = await db.query<{ name: string }>(
    `select relname as name from pg_class
      where relkind = 'r' and relnamespace = 'public'::regnamespace and relname <> all($1) order by 1`,
    [['_prisma_migrations', ...counting, ...except]],
  )
  const snapshot: Record<string, string> = {}
  for (const { name } of tables) {
    const { rows } = await db.query<{ figure: string }>(
      `select count(*) || ' ' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) as figure from "${name}" t`,
    )
    snapshot[name] = rows[0]?.figure ?? ''
  }
  return snapshot
}

/** The tables whose rows differ. */
export function changedTables(before: Record<string, string>, after: Record<string, string>): string[] {
  return Object.keys({ ...before, ...after }).filter((name) => before[name] !== after[name])
}
