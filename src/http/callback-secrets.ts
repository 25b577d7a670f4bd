// In: the hash of a secret that a caller showed. Out: the programme whose callbacks it opens. Also makes, lists and retires secrets.
// Must never store or log a secret: it is shown once, and only its SHA-256 is kept and compared.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import { recordAudit } from '../audit.ts'
import { type Clock, elapsedMs } from '../clock.ts'
import type { Db, Queryable } from '../db.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'

/** "none_set": no programme has a valid one. "unavailable": the database cannot be asked, and was not before. */
export type FoundSecret = { programmeId: string } | 'wrong' | 'none_set' | 'unavailable'

export interface ProgrammeSecrets {
  find(hash: Buffer): Promise<FoundSecret>
}

export interface ProgrammeSecretsOptions {
  db: Db
  clock: Clock
  logger: Logger
  provider: string
  /** After which the list is read again: what was added or retired elsewhere counts within this time [5000]. */
  refreshMs?: number
}

interface KnownSecret {
  hash: Buffer
  programmeId: string
  since: Date
  until: Date | null
}

/** Keeps the short list of valid hashes for a few seconds; while the database is away the last one is used. */
export function createProgrammeSecrets(options: ProgrammeSecretsOptions): ProgrammeSecrets {
  const { db, clock, logger, provider, refreshMs = 5_000 } = options
  let known: KnownSecret[] | undefined
  let readAtMs = Number.NEGATIVE_INFINITY
  let reading: Promise<void> | undefined

  async function read(): Promise<void> {
    try {
      known = await readSecrets(db, provider, clock.now())
    } catch (error) {
      logger.warn({ event: 'callback.secrets_unread', code: errorCode(error) })
    } finally {
      readAtMs = elapsedMs()
      reading = undefined
    }
  }

  return {
    async find(hash) {
      if (elapsedMs() - readAtMs >= refreshMs) {
        reading ??= read()
        await reading
      }
      if (known === undefined) return 'unavailable'
      const now = clock.now()
      const valid = known.filter(({ since, until }) => since <= now && (until === null || until > now))
      if (valid.length === 0) return 'none_set'
      // Every one is compared: how long it takes must not say which one came close, or how many were passed.
      const found = valid.filter((secret) => timingSafeEqual(secret.hash, hash))[0]
      return found === undefined ? 'wrong' : { programmeId: found.programmeId }
    },
  }
}

async function readSecrets(db: Db, provider: string, now: Date): Promise<KnownSecret[]> {
  const { rows } = await db.pool.query<Omit<KnownSecret, 'hash'> & { hash: string }>(
    `select secret_hash as hash, programme_id as "programmeId", since, until from callback_secrets
      where provider = $1 and (until is null or until > $2)`,
    [provider, now],
  )
  return rows.map((row) => ({ ...row, hash: Buffer.from(row.hash, 'hex') }))
}

export interface SecretOwner {
  programmeId: string
  provider: string
}

export interface ListedSecret {
  id: string
  since: Date
  until: Date | null
}

/** Every secret that a programme has or had with a provider, oldest first; never the secret itself. */
export async function listCallbackSecrets(db: Queryable, owner: SecretOwner): Promise<ListedSecret[]> {
  const { rows } = await db.query<ListedSecret>(
    'select id, since, until from callback_secrets where programme_id = $1 and provider = $2 order by since, id',
    [owner.programmeId, owner.provider],
  )
  return rows
}

/** Two may be valid at a time: the one that the provider is still configured with, and the one that follows. */
const validMax = 2

/** Makes a secret of 256 random bits; this is the one time that it is seen. Undefined when two are valid already. */
export async function addCallbackSecret(db: Db, owner: SecretOwner, at: Date): Promise<string | undefined> {
  const secret = randomBytes(32).toString('base64url')
  return db.transaction(async (tx) => {
    await tx.query('select 1 from programmes where id = $1 for no key update', [owner.programmeId])
    const valid = (await listCallbackSecrets(tx, owner)).filter(({ until }) => until === null || until > at)
    if (valid.length >= validMax) return undefined
    const { rows } = await tx.query<{ id: string }>(
      'insert into callback_secrets (programme_id, provider, secret_hash, since) values ($1, $2, $3, $4) returning id',
      [owner.programmeId, owner.provider, createHash('sha256').update(secret).digest('hex'), at],
    )
    await audit(tx, owner, 'callback_secret.added', rows[0]?.id ?? '', at)
    return secret
  })
}

/** False when the programme has no such secret that is valid now. */
export async function retireCallbackSecret(
  db: Db,
  owner: SecretOwner,
  id: string,
  at: Date,
  until = at,
): Promise<boolean> {
  return db.transaction(async (tx) => {
    const retired = await tx.query(
      `update callback_secrets set until = $4
        where id::text = $1 and programme_id = $2 and provider = $3 and (until is null or until > $5)`,
      [id, owner.programmeId, owner.provider, until, at],
    )
    if (retired.rowCount !== 1) return false
    await audit(tx, owner, 'callback_secret.retired', id, at)
    return true
  })
}

function audit(tx: Queryable, owner: SecretOwner, action: string, id: string, at: Date): Promise<void> {
  const { programmeId, provider } = owner
  return recordAudit(tx, {
    at,
    programmeId,
    actor: 'operator',
    action,
    subject: `callback_secret:${id}`,
    after: { provider },
  })
}
