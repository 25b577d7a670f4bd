// A fresh database a test file, cloned from the migrated template.
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { createDb, type Db } from '../../src/db.ts'
import { createLogger } from '../../src/logger.ts'

export const silentLogger = createLogger('silent')

export interface TestDatabase {
  url: string
  db: Db
  /** Closes the connections and drops the database. */
  drop(): Promise<void>
}

export async function createTestDatabase(): Promise<TestDatabase> {
  const name = `t_${randomBytes(6).toString('hex')}`
  const adminUrl = inject('adminUrl')
  await admin(adminUrl, `create database ${name} template template_tama`)
  const url = adminUrl.replace(/\/tama$/, `/${name}`)
  const db = createDb({ url, logger: silentLogger })
  return {
    url,
    db,
    drop: async () => {
      await db.close()
      await admin(adminUrl, `drop database if exists ${name} with (force)`)
    },
  }
}

async function admin(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
