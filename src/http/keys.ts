// In: a programme. Out: an API key, shown once; later a key's programme. Must never store or log a key itself.
import { createHash, randomBytes } from 'node:crypto'
import type { Db } from '../db.ts'

/** Who is calling: the key names the programme, and entries carry the key's name as their poster. */
export interface ApiCaller {
  keyId: string
  keyName: string
  programmeId: string
  currency: string
  timeZone: string
}

/** Makes a key of 256 random bits (base64url). Only its SHA-256 is kept, so this is the one time that it is seen. */
export async function createApiKey(db: Db, programmeId: string, name: string): Promise<string> {
  const key = randomBytes(32).toString('base64url')
  await db.prisma.apiKey.create({ data: { programmeId, name, keyHash: hashKey(key) } })
  return key
}

/** Undefined for an unknown or revoked key. A hash of 256 random bits needs no slow comparison. */
export async function findCallerByKey(db: Db, key: string): Promise<ApiCaller | undefined> {
  const rows = await db.reads.query<ApiCaller & { [column: string]: unknown }>(
    'api-key',
    `select k.id as "keyId", k.name as "keyName", k.programme_id as "programmeId", p.currency_code as currency, p.time_zone as "timeZone"
       from api_keys k join programmes p on p.id = k.programme_id where k.key_hash = $1 and k.revoked_at is null`,
    [hashKey(key)],
  )
  return rows[0]
}

function hashKey(key: string): string {
  return createHash('sha256').update(key).digest('hex')
}
