// In: the prisma folder and a server where databases may be made. Out: every place where schema.prisma and the migrations disagree.
// Compares two throw-away databases, one built by the migrations and one by the schema, for what Prisma can express.
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { migrate, schemaDiff } from './migrations.ts'

// Prisma knows neither generated columns nor partial or covering indexes: those stand in migrations only.
const catalogueSql = `
  select 'column ' || table_name || '.' || column_name || ' ' || format_type(a.atttypid, a.atttypmod)
      || case when a.attnotnull then ' not null' else '' end
      || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') as fact
    from information_schema.columns c
    join pg_attribute a on a.attrelid = (quote_ident(table_schema) || '.' || quote_ident(table_name))::regclass
     and a.attname = column_name
    left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   where table_schema = 'public' and table_name <> '_prisma_migrations' and a.attgenerated = ''
  union all
  select 'key ' || conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid)
    from pg_constraint
   where connamespace = 'public'::regnamespace and contype in ('p', 'u', 'f')
     and conrelid::regclass::text <> '_prisma_migrations'
  union all
  select 'index ' || pg_get_indexdef(indexrelid)
    from pg_index
    join pg_class on pg_class.oid = indrelid
   where relnamespace = 'public'::regnamespace and relname <> '_prisma_migrations'
     and indpred is null and indexprs is null and indnkeyatts = indnatts
   order by 1`

/** Lines such as "only in migrations: column members.alias text not null"; none when both agree. */
export async function findDrift(adminUrl: string, prismaFolder: string): Promise<string[]> {
  const schema = readFileSync(join(prismaFolder, 'schema.prisma'), 'utf8')
  const fromMigrations = await withDatabase(adminUrl, async (url, client) => {
    await migrate(url, prismaFolder)
    return catalogue(client)
  })
  const fromSchema = await withDatabase(adminUrl, async (url, client) => {
    await client.query(await schemaDiff(url, null, schema))
    return catalogue(client)
  })
  return [
    ...[...fromMigrations]
      .filter((fact) => !fromSchema.has(fact))
      .map((fact) => `only in migrations: ${fact}`),
    ...[...fromSchema]
      .filter((fact) => !fromMigrations.has(fact))
      .map((fact) => `only in schema.prisma: ${fact}`),
  ]
}

async function catalogue(client: pg.Client): Promise<Set<string>> {
  const { rows } = await client.query<{ fact: string }>(catalogueSql)
  return new Set(rows.map((row) => row.fact))
}

async function withDatabase<Result>(
  adminUrl: string,
  work: (url: string, client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const name = `drift_${randomBytes(6).toString('hex')}`
  const admin = new pg.Client({ connectionString: adminUrl })
  await admin.connect()
  try {
    await admin.query(`create database ${name}`)
    const url = new URL(adminUrl)
    url.pathname = `/${name}`
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    try {
      return await work(url.href, client)
    } finally {
      await client.end()
      await admin.query(`drop database ${name} with (force)`)
    }
  } finally {
    await admin.end()
  }
}
