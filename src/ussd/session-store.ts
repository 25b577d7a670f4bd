// In: a session's key. Out: the dialogue as it was left, in one round trip; and back again in one. Two backends, one contract:
// a save whose version is not the one that was loaded changes nothing, so two callbacks at once have one effect.
import type { Writable } from 'node:stream'
import type { Redis } from 'ioredis'
import type { Pipeline } from '../db.ts'
import { writeTogether } from '../write-together.ts'
import { dialogueOf, keptMs, type Session } from './session.ts'

export interface Loaded {
  /** Undefined when there is none or it is too old to count. */
  session: Session | undefined
  /** To be handed to `save`; 0 when nothing is stored. */
  version: number
  /** What was answered to this very text. */
  reply: string | undefined
  /** This caller's newest other dialogue; looked up only when `session` is undefined. */
  last: Session | undefined
}

export interface Saving {
  key: string
  version: number
  session: Session
  /** Needed with the first save only. */
  caller: string | undefined
  textHash: string
  reply: string
}

export interface SessionStore {
  /** `caller` is undefined when her newest other dialogue is of no interest. */
  load(key: string, textHash: string, caller: string | undefined, now: Date): Promise<Loaded>
  /** False when another callback of this session was faster; nothing is stored then. */
  save(saving: Saving): Promise<boolean>
  /** Removes every dialogue of these phones, with its answers; returns how many. */
  forget(phoneIds: readonly string[]): Promise<number>
  /** Removes what has expired; returns how many dialogues. */
  purgeExpired(now: Date): Promise<number>
  close(): Promise<void>
}

function parseKept(json: string | null, now: Date): Session | undefined {
  if (json === null) return undefined
  const session = JSON.parse(json) as Session
  if (session.lastAtMs + keptMs <= now.getTime()) return undefined
  session.dialogue = dialogueOf(session.dialogue)
  return session
}

const loadSql = `
  select s.state, s.version, r.reply, l.state as last
    from (select 1) one
    left join ussd_sessions s on s.key = $1
    left join ussd_replies r on r.session_key = $1 and r.input_hash = $2
    left join lateral (select o.state from ussd_sessions o
                        where (s.key is null or s.expires_at <= $4) and o.caller = $3 and o.key <> $1
                        order by o.expires_at desc limit 1) l on true`

const saveSql = `
  with saved as (
    insert into ussd_sessions as s (key, state, version, caller, expires_at) values ($1, $2, $3::int + 1, $4, $5)
    on conflict (key) do update
      set state = excluded.state, version = excluded.version, expires_at = excluded.expires_at
      where s.version = $3
    returning 1)
  insert into ussd_replies as r (session_key, input_hash, reply, expires_at) select $1, $6, $7, $5 from saved
  on conflict (session_key, input_hash) do update set reply = excluded.reply, expires_at = excluded.expires_at
  returning 1`

const purgeSql = `
  with replies as (delete from ussd_replies where expires_at <= $1)
  , sessions as (delete from ussd_sessions where expires_at <= $1 returning 1)
  select count(*)::int as purged from sessions`

/** Dialogues are few and short-lived: reading each costs less than an index that every callback would write. */
const forgetSql = `
  with forgotten as (delete from ussd_sessions where (state::jsonb)->>'phoneId' = any($1) returning key)
  , replies as (delete from ussd_replies where session_key in (select key from forgotten))
  select count(*)::int as forgotten from forgotten`

/** Owns `pipeline`, which should be made with asynchronousCommit: dialogue state may be lost in a crash of the server. */
export function createPostgresSessions(pipeline: Pipeline): SessionStore {
  return {
    async load(key, textHash, caller, now) {
      const rows = await pipeline.query<{
        state: string | null
        version: number | null
        reply: string | null
        last: string | null
      }>('session-load', loadSql, [key, textHash, caller, now.toISOString()])
      const row = rows[0]
      if (row === undefined) return { session: undefined, version: 0, reply: undefined, last: undefined }
      const session = parseKept(row.state, now)
      return {
        session,
        version: row.version ?? 0,
        reply: session === undefined ? undefined : (row.reply ?? undefined),
        last: parseKept(row.last, now),
      }
    },
    async save({ key, version, session, caller, textHash, reply }) {
      const expiresAt = new Date(session.lastAtMs + keptMs).toISOString()
      const values = [key, JSON.stringify(session), version, caller ?? '', expiresAt, textHash, reply]
      const rows = await pipeline.query('session-save', saveSql, values)
      return rows.length === 1
    },
    async forget(phoneIds) {
      const rows = await pipeline.query<{ forgotten: number }>('session-forget', forgetSql, [phoneIds])
      return rows[0]?.forgotten ?? 0
    },
    async purgeExpired(now) {
      const rows = await pipeline.query<{ purged: number }>('session-purge', purgeSql, [now])
      return rows[0]?.purged ?? 0
    },
    close: () => pipeline.close(),
  }
}

// A hash a session: v(ersion), s(tate), r:<text hash> for each answer. The caller's key names her newest session.
const lastLua = `
  local other = redis.call('GET', KEYS[2])
  return other and other ~= KEYS[1] and redis.call('HGET', other, 's')`

const saveLua = `
  if (redis.call('HGET', KEYS[1], 'v') or '0') ~= ARGV[1] then return 0 end
  redis.call('HSET', KEYS[1], 'v', ARGV[1] + 1, 's', ARGV[2], 'r:' .. ARGV[3], ARGV[4])
  redis.call('PEXPIRE', KEYS[1], ARGV[5])
  if ARGV[6] ~= '' then redis.call('SET', KEYS[2], KEYS[1], 'PX', ARGV[6]) end
  return 1`

/** The caller's key is written with the first save and must outlive the longest dialogue; the session's own age decides. */
const callerKeptMs = 4 * keptMs

type Script = (...values: (string | number)[]) => Promise<unknown>

/** Owns `redis`, a connection of its own. Expiry is Redis's own. */
export function createRedisSessions(redis: Redis): SessionStore {
  redis.defineCommand('tamaSessionLast', { numberOfKeys: 2, lua: lastLua })
  redis.defineCommand('tamaSessionSave', { numberOfKeys: 2, lua: saveLua })
  const scripts = redis as unknown as { tamaSessionLast: Script; tamaSessionSave: Script }
  /** There is no stream before the first connection. */
  const gather = () => {
    const { stream } = redis as { stream?: Writable }
    if (stream !== undefined) writeTogether(stream)
  }
  const sessionKey = (key: string) => `tama:ussd:${key}`
  const callerKey = (caller: string) => `tama:ussd:caller:${caller}`
  return {
    async load(key, textHash, caller, now) {
      gather()
      const [[version, state, reply], last] = await Promise.all([
        redis.hmget(sessionKey(key), 'v', 's', `r:${textHash}`),
        caller === undefined ? null : scripts.tamaSessionLast(sessionKey(key), callerKey(caller)),
      ])
      const session = parseKept(state ?? null, now)
      return {
        session,
        version: Number(version ?? 0),
        reply: session === undefined ? undefined : (reply ?? undefined),
        last: session === undefined ? parseKept(last as string | null, now) : undefined,
      }
    },
    async save({ key, version, session, caller, textHash, reply }) {
      gather()
      const saved = await scripts.tamaSessionSave(
        sessionKey(key),
        callerKey(caller ?? ''),
        version,
        JSON.stringify(session),
        textHash,
        reply,
        keptMs,
        caller === undefined ? '' : callerKeptMs,
      )
      return saved === 1
    },
    async forget(phoneIds) {
      let forgotten = 0
      for await (const keys of redis.scanStream({ match: sessionKey('*'), count: 1_000, type: 'hash' }))
        for (const key of keys as string[]) {
          const state = await redis.hget(key, 's')
          const phoneId = state === null ? undefined : (JSON.parse(state) as Session).phoneId
          if (phoneId !== undefined && phoneIds.includes(phoneId)) forgotten += await redis.del(key)
        }
      return forgotten
    },
    purgeExpired: () => Promise.resolve(0),
    // Nothing is left to be said: a goodbye would wait for a Redis that is away.
    async close() {
      redis.disconnect()
    },
  }
}
