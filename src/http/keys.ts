// In: a programme and what a key may do. Out: an API key, shown once; later a key's programme and scopes. Also lists and revokes keys.
// Must never store or log a key itself.
import { createHash, randomBytes } from 'node:crypto'
import { recordAudit } from '../audit.ts'
import type { Db, Queryable } from '../db.ts'
import { InvariantError } from '../errors.ts'

/**
 * What a key may do. `read`: see members' positions, loans, accounts, states of messages. `entries`: post entries, reversals and loans.
 * `members`: change what concerns one member. `programme`: change what concerns many, such as groups, meetings, notices, settings.
 */
export const scopes = ['read', 'entries', 'members', 'programme'] as const
export type Scope = (typeof scopes)[number]

export function isScope(word: string): word is Scope {
  return (scopes as readonly string[]).includes(word)
}

/** Who is calling: the key names the programme, and entries carry the key's name as their poster. */
export interface ApiCaller {
  keyId: string
  keyName: string
  scopes: Scope[]
  programmeId: string
  currency: string
  timeZone: string
}

/** How a key is named where acts and entries say who did them. */
export function actorOf({ keyName }: Pick<ApiCaller, 'keyName'>): string {
  return `api:${keyName}`
}

export interface ListedKey {
  id: string
  name: string
  scopes: string[]
  createdAt: Date
  /** UTC day. */
  lastUsedOn: string | null
  revokedAt: Date | null
}

/** Makes a key of 256 random bits (base64url). Only its SHA-256 is kept, so this is the one time that it is seen. */
export async function createApiKey(
  db: Db,
  programmeId: string,
  name: string,
  allowed: readonly Scope[] = scopes,
  at?: Date,
): Promise<string> {
  const key = randomBytes(32).toString('base64url')
  await db.transaction(async (tx) => {
    const { rows } = await tx.query<{ id: string; createdAt: Date }>(
      `insert into api_keys (programme_id, name, key_hash, scopes, created_at) values ($1, $2, $3, $4, coalesce($5, now()))
       returning id, created_at as "createdAt"`,
      [programmeId, name, hashKey(key), allowed, at ?? null],
    )
    const row = rows[0]
    if (row === undefined) throw new InvariantError('a key was not written')
    await recordAudit(tx, {
      at: row.createdAt,
      programmeId,
      actor: 'operator',
      action: 'api_key.added',
      subject: `api_key:${row.id}`,
      after: { scopes: allowed },
    })
  })
  return key
}

/** Every key of a programme, oldest first. */
export async function listApiKeys(db: Queryable, programmeId: string): Promise<ListedKey[]> {
  const { rows } = await db.query<ListedKey>(
    `select id, name, scopes, created_at as "createdAt", last_used_on as "lastUsedOn", revoked_at as "revokedAt"
       from api_keys where programme_id = $1 order by created_at, id`,
    [programmeId],
  )
  return rows
}

/** Counts from the next request on. False when the programme has no such key that is not revoked. */
export async function revokeApiKey(db: Db, programmeId: string, id: string, at: Date): Promise<boolean> {
  return db.transaction(async (tx) => {
    const revoked = await tx.query(
      'update api_keys set revoked_at = $3 where id::text = $1 and programme_id = $2 and revoked_at is null',
      [id, programmeId, at],
    )
    if (revoked.rowCount !== 1) return false
    await recordAudit(tx, {
      at,
      programmeId,
      actor: 'operator',
      action: 'api_key.revoked',
      subject: `api_key:${id}`,
    })
    return true
  })
}

/** Undefined for an unknown or revoked key. A hash of 256 random bits needs no slow comparison. */
export async function findCallerByKey(db: Db, key: string, now: Date): Promise<ApiCaller | undefined> {
  const rows = await db.reads.query<ApiCaller & { usedToday: boolean; [column: string]: unknown }>(
    'api-key',
    `select k.id as "keyId", k.name as "keyName", k.scopes, k.programme_id as "programmeId", p.currency_code as currency,
            p.time_zone as "timeZone", k.last_used_on is not distinct from $2::date as "usedToday"
       from api_keys k join programmes p on p.id = k.programme_id where k.key_hash = $1 and k.revoked_at is null`,
    [hashKey(key), now.toISOString().slice(0, 10)],
  )
  const found = rows[0]
  if (found === undefined) return undefined
  const { usedToday, ...caller } = found
  // Once a day and key.
  if (!usedToday)
    await db.pool.query(
      'update api_keys set last_used_on = $2 where id = $1 and last_used_on is distinct from $2::date',
      [caller.keyId, now.toISOString().slice(0, 10)],
    )
  return caller
}

function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}
