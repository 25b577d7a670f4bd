// Everything that was written anywhere, as text, and the search for a PIN in it.
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Queryable } from '../../src/db.ts'

/** Every row of every table as text; `schema` is a pattern of LIKE. */
export async function dumpDatabase(db: Queryable, schema = '%'): Promise<string> {
  const tables = await db.query<{ name: string }>(
    `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema') and schemaname like $1`,
    [schema],
  )
  let text = ''
  for (const { name } of tables.rows) {
    const { rows } = await db.query<{ row: string }>(`select t::text as row from ${name} t`)
    text += `${rows.map(({ row }) => row).join('\n')}\n`
  }
  return text
}

/** Every key and value, whatever its kind. */
export async function dumpRedis(url: string): Promise<string> {
  const redis = new Redis(url)
  try {
    const parts: string[] = []
    for (const key of await redis.keys('*')) {
      const kind = await redis.type(key)
      const value =
        kind === 'hash'
          ? await redis.hgetall(key)
          : kind === 'string'
            ? ((await redis.get(key)) ?? '')
            : kind === 'list'
              ? await redis.lrange(key, 0, -1)
              : kind === 'zset'
                ? await redis.zrange(key, '0', '-1')
                : kind === 'stream'
                  ? await redis.xrange(key, '-', '+')
                  : await redis.smembers(key)
      parts.push(key, JSON.stringify(value))
    }
    return parts.join('\n')
  } finally {
    redis.disconnect()
  }
}

/** Every byte below a folder, one character each: also what a database has deleted and not yet overwritten. */
export function readFolder(folder: string): string {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
    .join('\n')
}

/**
 * The form in which a PIN stands in a text: as typed (percent-encoding or not), in hex, or hashed without a secret, which any machine
 * undoes in a second. Typed digits must stand alone: inside a longer number, hash or id they stand by chance.
 */
export function traceOf(pin: string, text: string): string | undefined {
  for (let at = text.indexOf(pin); at >= 0; at = text.indexOf(pin, at + 1)) {
    const before = text.slice(Math.max(0, at - 20), at)
    const after = text.charAt(at + pin.length)
    if (/(^|[^\w-]|%[0-7][0-9a-f])$/i.test(before) && !/[\w-]/.test(after)) return before + pin
  }
  return formsOf(pin).find((form) => text.includes(form))
}

function formsOf(pin: string): string[] {
  const hashes = ['md5', 'sha1', 'sha256', 'sha512'].flatMap((kind) =>
    (['hex', 'base64', 'base64url'] as const).map((form) => createHash(kind).update(pin).digest(form)),
  )
  return [Buffer.from(pin).toString('hex'), ...hashes]
}
