// In: a cookie. Out: who is signed in, while the session is neither idle nor old. Only a hash of a token is kept.
// Must never tell why a token is not good, nor keep one that was there before the sign-in.
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Db, Queryable } from '../db.ts'
import { isStaffRole } from '../members/staff.ts'
import type { SignedIn } from './page.ts'

export interface SessionLimits {
  idleMs: number
  wholeMs: number
}

/** 256 random bits. */
export function newToken(): string {
  return randomBytes(32).toString('base64url')
}

const hashOf = (token: string) => createHash('sha256').update(token).digest('hex')

/** What a form of this session must bring; known only to whoever has the cookie, and useless without it. */
export function csrfOf(token: string): string {
  return createHmac('sha256', token).update('form').digest('base64url')
}

export function isCsrfOf(token: string, sent: string): boolean {
  const wanted = Buffer.from(csrfOf(token))
  const given = Buffer.from(sent)
  return wanted.length === given.length && timingSafeEqual(wanted, given)
}

/** Opens a session and gives its token, the one time that it is seen. */
export async function openSession(tx: Queryable, staffId: string, now: Date): Promise<string> {
  const token = newToken()
  await tx.query(
    'insert into console_sessions (token_hash, staff_id, created_at, seen_at) values ($1, $2, $3, $3)',
    [hashOf(token), staffId, now],
  )
  return token
}

const findSql = `
  select s.id, s.programme_id as "programmeId", s.first_name as "firstName", s.last_name as "lastName", s.msisdn, s.role,
         s.language, c.seen_at as "seenAt"
    from console_sessions c join staff s on s.id = c.staff_id
   where c.token_hash = $1 and c.ended_at is null and s.active and c.seen_at > $2 and c.created_at > $3`

/** A sign of life is written once in so long. */
const touchAfterMs = 30_000

/** `touches`: somebody did something; a part of a page that renews itself does not keep a session alive. */
export async function findSession(
  db: Db,
  token: string | undefined,
  now: Date,
  limits: SessionLimits,
  touches: boolean,
): Promise<SignedIn | undefined> {
  if (token === undefined || !/^[\w-]{43}$/.test(token)) return undefined
  const before = (ms: number) => new Date(now.getTime() - ms)
  const hash = hashOf(token)
  const { rows } = await db.pool.query<SignedIn & { role: string; seenAt: Date }>(findSql, [
    hash,
    before(limits.idleMs),
    before(limits.wholeMs),
  ])
  const [found] = rows
  if (found === undefined || !isStaffRole(found.role)) return undefined
  const { seenAt, ...staff } = found
  if (touches && now.getTime() - seenAt.getTime() > touchAfterMs)
    await db.pool.query('update console_sessions set seen_at = $2 where token_hash = $1 and seen_at < $2', [
      hash,
      now,
    ])
  return staff
}

export async function endSession(tx: Queryable, token: string, now: Date): Promise<void> {
  await tx.query('update console_sessions set ended_at = $2 where token_hash = $1 and ended_at is null', [
    hashOf(token),
    now,
  ])
}

/** Ends all sessions of a member of staff; returns how many there were. */
export async function endSessionsOf(tx: Queryable, staffId: string, now: Date): Promise<number> {
  const { rowCount } = await tx.query(
    'update console_sessions set ended_at = $2 where staff_id = $1 and ended_at is null',
    [staffId, now],
  )
  return rowCount ?? 0
}
