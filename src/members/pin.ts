// In: a PIN as it was typed, by a member or by staff. Out: whether it is hers. A try is counted in PostgreSQL before it is verified, so that any number of
// parallel tries gives at most three verifications. Must never store, log or return the PIN.
import { createHmac } from 'node:crypto'
import { hash, verify } from '@node-rs/argon2'
import { recordAudit } from '../audit.ts'
import type { Db, Queryable } from '../db.ts'

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

/** Whose PINs a table holds. The rules are the same for all; only the rows are kept apart, because a number may belong to both. */
interface Holders {
  pins: 'member_pins' | 'staff_pins'
  key: 'member_id' | 'staff_id'
  people: 'members' | 'staff'
  /** Before an id in the audit log. */
  word: 'member' | 'staff'
}

const memberHolders: Holders = { pins: 'member_pins', key: 'member_id', people: 'members', word: 'member' }
const staffHolders: Holders = { pins: 'staff_pins', key: 'staff_id', people: 'staff', word: 'staff' }

export type HolderPins = ReturnType<typeof createHolderPins>
export type Pins = ReturnType<typeof createPins>

/** The PINs of members; those of staff beside them under `staff`. */
export function createPins(options: { db: Db; pepper: string }) {
  return {
    ...createHolderPins(options, memberHolders),
    staff: createHolderPins(options, staffHolders),
  }
}

function createHolderPins({ db, pepper }: { db: Db; pepper: string }, holders: Holders) {
  const { pins, key, word } = holders
  const seasoned = (pin: string) => createHmac('sha256', pepper).update(pin).digest('hex')
  const sql = countTrySql(holders)

  return {
    /** Argon2id over HMAC(pepper, pin). */
    hash: (pin: string): Promise<string> => hash(seasoned(pin), argon2id),

    matches: (pinHash: string, pin: string): Promise<boolean> => verify(pinHash, seasoned(pin)),

    /**
     * Keeps her first PIN, given by its hash. False when she has another one by now: a dialogue that began without a PIN
     * must not replace one that was set meanwhile.
     */
    async setFirst(id: string, pinHash: string, now: Date): Promise<boolean> {
      return db.transaction(async (tx) => {
        const set = await tx.query(
          `insert into ${pins} (${key}, hash, set_at) values ($1, $2, $3) on conflict do nothing`,
          [id, pinHash, now],
        )
        if (set.rowCount === 0) {
          // The same callback again finds its own work.
          const same = await tx.query(`select 1 from ${pins} where ${key} = $1 and hash = $2`, [id, pinHash])
          return same.rowCount === 1
        }
        await audit(tx, holders, id, { at: now, actor: `${word}:${id}`, action: 'pin.set' })
        return true
      })
    },

    /** Replaces her PIN; a lock stands. False when it was reset meanwhile. */
    async change(id: string, pinHash: string, now: Date): Promise<boolean> {
      return db.transaction(async (tx) => {
        const changed = await tx.query(`update ${pins} set hash = $2, set_at = $3 where ${key} = $1`, [
          id,
          pinHash,
          now,
        ])
        if (changed.rowCount === 0) return false
        await audit(tx, holders, id, { at: now, actor: `${word}:${id}`, action: 'pin.changed' })
        return true
      })
    },

    /** For demo data and tests: nobody did it, so no row of the audit log says so. */
    async set(id: string, pin: string, now: Date): Promise<void> {
      await db.pool.query(
        `insert into ${pins} (${key}, hash, set_at) values ($1, $2, $3)
         on conflict (${key}) do update set hash = excluded.hash, set_at = excluded.set_at`,
        [id, await this.hash(pin), now],
      )
    },

    /**
     * `tryKey` names the callback: the same callback again is one try. `triesLeft` counts after a wrong PIN.
     * Locks: 15 minutes, then 24 hours, then until reset.
     */
    async verify(
      id: string,
      pin: string,
      tryKey: string,
      now: Date,
    ): Promise<{ verdict: PinVerdict; triesLeft: number }> {
      const counted = await db.pool.query<Counted>(sql, [
        id,
        tryKey,
        now,
        pinTriesMax,
        new Date(now.getTime() + firstLockMinutes * 60_000),
        new Date(now.getTime() + secondLockMinutes * 60_000),
        lockedForGood,
      ])
      const row = counted.rows[0]
      if (row === undefined) {
        const known = await db.pool.query(`select 1 from ${pins} where ${key} = $1`, [id])
        return { verdict: known.rowCount === 0 ? 'none' : 'locked', triesLeft: 0 }
      }
      if (await this.matches(row.hash, pin)) {
        await db.pool.query(
          `update ${pins} set tries = 0, lock_level = 0, locked_until = null where ${key} = $1 and hash = $2`,
          [id, row.hash],
        )
        return { verdict: 'ok', triesLeft: pinTriesMax }
      }
      const triesLeft = pinTriesMax - row.tries
      await countWrong(db, holders, id, now)
      if (triesLeft > 0) return { verdict: 'wrong', triesLeft }
      const after = { level: row.lockLevel }
      await audit(db.pool, holders, id, { at: now, actor: 'system:pin', action: 'pin.locked', after })
      return { verdict: 'locked', triesLeft }
    },
  }
}

interface Counted {
  hash: string
  tries: number
  lockLevel: number
}

/** Takes her PIN and every lock away: whoever dials next with her phone is asked for a new one. Only in person, see pin-reset.ts. */
export async function resetPin(tx: Queryable, memberId: string): Promise<void> {
  await tx.query('delete from member_pins where member_id = $1', [memberId])
}

/** The same for staff, see staff-pin-reset.ts. */
export async function removeStaffPin(tx: Queryable, staffId: string): Promise<void> {
  await tx.query('delete from staff_pins where staff_id = $1', [staffId])
}

async function audit(
  tx: Queryable,
  { people, word }: Holders,
  id: string,
  fact: { at: Date; actor: string; action: string; after?: object },
): Promise<void> {
  const { rows } = await tx.query<{ programmeId: string }>(
    `select programme_id as "programmeId" from ${people} where id = $1`,
    [id],
  )
  const programmeId = rows[0]?.programmeId
  if (programmeId !== undefined) await recordAudit(tx, { ...fact, programmeId, subject: `${word}:${id}` })
}

/** Wrong PINs of a programme by the minute, added up over all processes; watch.ts raises the alarm. */
async function countWrong(db: Db, { people }: Holders, id: string, now: Date): Promise<void> {
  await db.pool.query(
    `with old as (delete from wrong_pins where minute < $2::timestamptz - interval '1 day')
     insert into wrong_pins as w (programme_id, minute, count)
     select programme_id, date_trunc('minute', $2::timestamptz), 1 from ${people} where id = $1
     on conflict (programme_id, minute) do update set count = w.count + 1`,
    [id, now],
  )
}

/** For every programme whether its wrong PINs of the last ten minutes are above its limit. */
export async function readGuessing(db: Db, now: Date): Promise<Map<string, boolean>> {
  const { rows } = await db.pool.query<{ id: string; isAbove: boolean }>(
    `select p.id, coalesce(sum(w.count), 0) > p.wrong_pins_max as "isAbove"
       from programmes p
       left join wrong_pins w on w.programme_id = p.id and w.minute > $1::timestamptz - interval '10 minutes'
      group by p.id`,
    [now],
  )
  return new Map(rows.map(({ id, isAbove }) => [id, isAbove]))
}

// The last allowed try locks before it is verified; a right PIN takes the lock away again. A lock that has run out starts a new count.
// Plain column expressions: a concurrent update makes PostgreSQL evaluate them again on the newest row.
const countTrySql = ({ pins, key }: Holders) => `
  update ${pins} set
    tries = case when last_try_key = $2 then tries when locked_until is not null then 1 else tries + 1 end,
    lock_level = case when last_try_key is distinct from $2 and locked_until is null and tries + 1 >= $4
                      then lock_level + 1 else lock_level end,
    locked_until = case when last_try_key = $2 then locked_until
                        when locked_until is not null or tries + 1 < $4 then null
                        when lock_level = 0 then $5::timestamptz
                        when lock_level = 1 then $6::timestamptz
                        else $7::timestamptz end,
    last_try_key = $2
  where ${key} = $1 and (last_try_key = $2 or locked_until is null or locked_until <= $3)
  returning hash, tries, lock_level as "lockLevel"`

/** What can be known of her: not kept with the PIN. */
export interface PinOwner {
  birthYear?: number | undefined
  msisdns: readonly string[]
  /** Her member number. */
  number?: string
}

/** Repeats, runs, years of birth, any part of her own numbers, and what everybody chooses. */
export function isWeakPin(pin: string, { birthYear, msisdns, number = '' }: PinOwner): boolean {
  if (denied.has(pin) || isRepeat(pin) || isRun(pin, 1) || isRun(pin, -1)) return true
  if (birthYear === undefined ? /^(19\d\d|20[01]\d)$/.test(pin) : pin.includes(String(birthYear))) return true
  if (msisdns.some((msisdn) => msisdn.includes(pin) || pin.includes(msisdn.slice(-4)))) return true
  const digits = number.replace(/\D/g, '')
  return digits.includes(pin) || (digits !== '' && withoutZeros(pin) === withoutZeros(digits))
}

const withoutZeros = (digits: string) => digits.replace(/^0+/, '')

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
