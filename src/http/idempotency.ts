// In: a write of the API with an Idempotency-Key. Out: one effect, and for each repetition the bytes of the first answer.
// Must never part the effect from its answer: both commit in the transaction that is handed in.
import { createHash } from 'node:crypto'
import type { Queryable } from '../db.ts'
import { InvariantError, RequestError } from '../errors.ts'
import type { Answer } from './api-schemas.ts'

const keyPattern = /^[\x20-\x7e]{1,255}$/

/** An answer as it leaves. */
export interface WrittenAnswer {
  status: number
  text: string
  /** True for a repetition, which had no effect. */
  replayed: boolean
}

export interface KeyedWrite {
  apiKeyId: string
  programmeId: string
  /** The header as it came; undefined: the write is not protected beyond its natural key. */
  key: string | undefined
  /** Method, path and body: what a repetition must have in common with the first. */
  request: readonly [method: string, path: string, body: unknown]
  at: Date
}

/**
 * Runs `write` once for a key of an API key, for as long as retention.ts keeps its answer. Requests with the same key wait for each other's commit. A refused write is not
 * remembered: it had no effect, so the same key may try again. Another request under a used key: RequestError idempotency.conflict.
 */
export async function writeOnce(
  tx: Queryable,
  { apiKeyId, programmeId, key, request, at }: KeyedWrite,
  write: () => Promise<Answer>,
): Promise<WrittenAnswer> {
  if (key === undefined) return answerOf(await write())
  if (!keyPattern.test(key))
    throw new RequestError('request.field_invalid', {
      field: 'idempotency-key',
      detail: 'must be 1 to 255 printable ASCII characters',
    })
  const requestHash = createHash('sha256').update(JSON.stringify(request)).digest('hex')
  const taken = await tx.query(
    `insert into idempotency_keys (api_key_id, key, programme_id, request_hash, created_at)
     values ($1, $2, $3, $4, $5) on conflict do nothing`,
    [apiKeyId, key, programmeId, requestHash, at],
  )
  if (taken.rowCount === 0) return recall(tx, apiKeyId, key, requestHash)
  const answer = answerOf(await write())
  await tx.query('update idempotency_keys set status = $3, answer = $4 where api_key_id = $1 and key = $2', [
    apiKeyId,
    key,
    answer.status,
    answer.text,
  ])
  return answer
}

async function recall(
  tx: Queryable,
  apiKeyId: string,
  key: string,
  requestHash: string,
): Promise<WrittenAnswer> {
  const { rows } = await tx.query<{ requestHash: string; status: number; text: string }>(
    `select request_hash as "requestHash", status, answer as text
       from idempotency_keys where api_key_id = $1 and key = $2`,
    [apiKeyId, key],
  )
  const first = rows[0]
  if (first === undefined) throw new InvariantError('an idempotency key went while it was asked for')
  if (first.requestHash !== requestHash)
    throw new RequestError('idempotency.conflict', { field: 'idempotency-key' })
  return { status: first.status, text: first.text, replayed: true }
}

/** What was answered by work that nobody else did before. */
export function answerOf({ status, body }: Answer): WrittenAnswer {
  return { status, text: JSON.stringify(body), replayed: false }
}
