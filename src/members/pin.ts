// In: a PIN as it was typed. Out: whether it is hers. A try is counted in PostgreSQL before it is verified, so that any number of
// parallel tries gives at most three verifications. Must never store, log or return the PIN.
import { createHmac } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import type { Db } from '../db.ts'

/** OWASP password storage cheat sheet: Argon2id, 19 MiB, 2 passes, 1 lane. */
const argon2id = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** Wrong tries before a lock. */
export const pinTriesMax = 3
const firstLockMinutes = 15
const secondLockMinutes = 24 * 60
/** The third lock ends only by a reset in person. */
const lockedForGood = '9999-12-31T00:00:00Z'

/** Frequent choices that are neither a run nor a repeat (analyses of leaked PINs). */
const denied = new Set([
  '1004',
  '2580',
  '0852',
  '1313',
  '1379',
  '7777',
  '1998',
  '6969',
  '5683',
  '159753',
  '147258',
])

export type PinVerdict = 'ok' | 'wrong' | 'locked' | 'none'

export type Pins = ReturnType<typeof createPins>

export function createPins({ db, pepper }: { db: Db; pepper: string }) {
  const seasoned = (pin: string) => createHmac('sha256', pepper).update(pin).digest('hex')

  return {
    /** Argon2id over HMAC(pepper, pin). */
    hash: (pin: string): Promise<string> => hash(seasoned(pin), argon2id),

    matches: (pinHash: string, pin: string): Promise<boolean> => verify(pinHash, seasoned(pin)),

    /** Keeps a PIN given by its hash; ends any lock below the one that only a reset in person ends. */
    async setHash(memberId: string, pinHash: string, now: Date): Promise<void> {
      await db.pool.query(
        `insert into member_pins (member_id, hash, set_at) values ($1, $2, $3)
         on conflict (member_id) do update set hash = excluded.hash, set_at = excluded.set_at`,
        [memberId, pinHash, now],
      )
    },

    async set(memberId: string, pin: string, now: Date): Promise<void> {
      await this.setHash(memberId, await this.hash(pin), now)
    },

    /** In person, at the meeting: the member chooses a new PIN at her next dial. */
    async reset(memberId: string): Promise<void> {
      await db.pool.query('delete from member_pins where member_id = $1', [memberId])
    },

    /**
     * `tryKey` names the callback: the same callback again is one try. `triesLeft` counts after a wrong PIN.
     * Locks: 15 minutes, then 24 hours, then until reset.
     */
    async verify(
      memberId: string,
      pin: string,
      tryKey: string,
      now: Date,
    ): Promise<{ verdict: PinVerdict; triesLeft: number }> {
      const counted = await db.pool.query<{ hash: string; tries: number }>(countTrySql, [
        memberId,
        tryKey,
        now,
        pinTriesMax,
        new Date(now.getTime() + firstLockMinutes * 60_000),
        new Date(now.getTime() + secondLockMinutes * 60_000),
        lockedForGood,
      ])
      const row = counted.rows[0]
      if (row === undefined) {
        const known = await db.pool.query('select 1 from member_pins where member_id = $1', [memberId])
        return { verdict: known.rowCount === 0 ? 'none' : 'locked', triesLeft: 0 }
      }
      if (await this.matches(row.hash, pin)) {
        await db.pool.query(
          'update member_pins set tries = 0, lock_level = 0, locked_until = null where member_id = $1 and hash = $2',
          [memberId, row.hash],
        )
        return { verdict: 'ok', triesLeft: pinTriesMax }
      }
      const triesLeft = pinTriesMax - row.tries
      return { verdict: triesLeft > 0 ? 'wrong' : 'locked', triesLeft }
    },
  }
}

// The last allowed try locks before it is verified; a right PIN takes the lock away again. A lock that has run out starts a new count.
// Plain column expressions: a concurrent update makes PostgreSQL evaluate them again on the newest row.
const countTrySql = `
  update member_pins set
    tries = case when last_try_key = $2 then tries when locked_until is not null then 1 else tries + 1 end,
    lock_level = case when last_try_key is distinct from $2 and locked_until is null and tries + 1 >= $4
                      then lock_level + 1 else lock_level end,
    locked_until = case when last_try_key = $2 then locked_until
                        when locked_until is not null or tries + 1 < $4 then null
                        when lock_level = 0 then $5::timestamptz
                        when lock_level = 1 then $6::timestamptz
                        else $7::timestamptz end,
    last_try_key = $2
  where member_id = $1 and (last_try_key = $2 or locked_until is null or locked_until <= $3)
  returning hash, tries`

/** Repeats, runs, her birth year, the last digits of her own numbers, and what everybody chooses. */
export function isWeakPin(
  pin: string,
  { birthYear, msisdns }: { birthYear?: number | undefined; msisdns: readonly string[] },
): boolean {
  if (denied.has(pin) || isRepeat(pin) || isRun(pin, 1) || isRun(pin, -1)) return true
  if (birthYear !== undefined && pin.includes(String(birthYear))) return true
  return msisdns.some((msisdn) => msisdn.endsWith(pin))
}

/** 4 to 6 digits, nothing else. */
export function isPin(text: string): boolean {
  return /^\d{4,6}$/.test(text)
}

/** "0000", "1212", "123123", "112233". */
function isRepeat(pin: string): boolean {
  return /^(\d{1,3})\1+$/.test(pin) || /^(?:(\d)\1+)+$/.test(pin)
}

function isRun(pin: string, step: 1 | -1): boolean {
  for (let at = 1; at < pin.length; at += 1)
    if ((Number(pin[at - 1]) + step + 10) % 10 !== Number(pin[at])) return false
  return true
}
