// In: a number, later the code that was sent to it. Out: a session. A number that is nobody's is answered as one that is somebody's.
// Must never log or keep a code: a keyed hash of it, and the message that carries it until it has left.
import { createHmac, randomInt, timingSafeEqual } from 'node:crypto'
import { recordAudit } from '../audit.ts'
import type { Db, Queryable } from '../db.ts'
import type { ProgrammeInfo } from '../members/programmes.ts'
import { parseMsisdn } from '../msisdn.ts'
import { createMessages } from '../outbound/outbox.ts'
import { openSession } from './sessions.ts'

export const codeLifeMs = 10 * 60_000
const codesMax = 3
const triesMax = 5
/** Wrong tries of a day, over all codes; then only an administrator's code opens, a day later an SMS does again. */
const triesADayMax = 30
const dayMs = 24 * 3_600_000

export interface SignIn {
  /** Sends a code when the number is that of active staff; nothing tells whether it was. */
  ask(programme: ProgrammeInfo, number: string, now: Date): Promise<void>
  /** A token when the code is the newest one of that number, undefined otherwise. */
  enter(programme: ProgrammeInfo, number: string, code: string, now: Date): Promise<string | undefined>
  /** A code handed over in person by who runs the house; undefined when no active staff has the number. */
  giveCode(programme: ProgrammeInfo, number: string, now: Date): Promise<string | undefined>
}

export function createSignIn({ db, pepper }: { db: Db; pepper: string }): SignIn {
  const key = createHmac('sha256', pepper).update('sign-in codes').digest()
  const hashOf = (staffId: string, code: string) =>
    createHmac('sha256', key).update(`${staffId}:${code}`).digest('hex')

  async function writeCode(tx: Queryable, staffId: string, now: Date) {
    const code = String(randomInt(1_000_000)).padStart(6, '0')
    const { rows } = await tx.query<{ id: string }>(
      'insert into sign_in_codes (staff_id, code_hash, sent_at) values ($1, $2, $3) returning id',
      [staffId, hashOf(staffId, code), now],
    )
    return { code, id: rows[0]?.id ?? '' }
  }

  return {
    async ask(programme, number, now) {
      await db.transaction(async (tx) => {
        const staff = await findActive(tx, programme, number)
        if (staff === undefined || !(await mayHaveCode(tx, staff.id, now))) return
        const { code, id } = await writeCode(tx, staff.id, now)
        await createMessages(tx, [
          {
            programmeId: programme.id,
            phoneId: await phoneOf(tx, programme.id, staff.msisdn),
            purpose: 'code',
            template: 'code.sign_in',
            lane: 'urgent',
            dedupeKey: `sign-in/${id}`,
            params: { digits: code, language: staff.language },
            notBefore: now,
            expiresAt: new Date(now.getTime() + codeLifeMs),
          },
        ])
      })
    },

    enter: (programme, number, code, now) =>
      db.transaction(async (tx) => {
        const staff = await findActive(tx, programme, number)
        if (staff === undefined || !(await takeCode(tx, staff.id, hashOf(staff.id, code), now)))
          return undefined
        const token = await openSession(tx, staff.id, now)
        await recordAudit(tx, {
          at: now,
          programmeId: programme.id,
          actor: `staff:${staff.id}`,
          action: 'console.signed_in',
          subject: `staff:${staff.id}`,
        })
        return token
      }),

    giveCode: (programme, number, now) =>
      db.transaction(async (tx) => {
        const staff = await findActive(tx, programme, number)
        if (staff === undefined) return undefined
        const { code } = await writeCode(tx, staff.id, now)
        await recordAudit(tx, {
          at: now,
          programmeId: programme.id,
          actor: 'operator',
          action: 'console.code_given',
          subject: `staff:${staff.id}`,
        })
        return code
      }),
  }
}

interface Found {
  id: string
  msisdn: string
  language: string
}

/** Locked: two requests at once are counted one after the other. */
async function findActive(
  tx: Queryable,
  programme: ProgrammeInfo,
  number: string,
): Promise<Found | undefined> {
  const { rows } = await tx.query<Found>(
    'select id, msisdn, language from staff where programme_id = $1 and msisdn = $2 and active for update',
    [programme.id, parseMsisdn(number, programme.country) ?? ''],
  )
  return rows[0]
}

async function mayHaveCode(tx: Queryable, staffId: string, now: Date): Promise<boolean> {
  const before = (ms: number) => new Date(now.getTime() - ms)
  const { rows } = await tx.query<{ codes: number; tries: number }>(
    `select count(*) filter (where sent_at > $2)::int as codes, coalesce(sum(tries), 0)::int as tries
       from sign_in_codes where staff_id = $1 and sent_at > $3`,
    [staffId, before(codeLifeMs), before(dayMs)],
  )
  const [used] = rows
  return used !== undefined && used.codes < codesMax && used.tries < triesADayMax
}

/** The newest code alone counts, and each try on it, whatever becomes of it. */
async function takeCode(tx: Queryable, staffId: string, hash: string, now: Date): Promise<boolean> {
  const { rows } = await tx.query<{ id: string; hash: string; sentAt: Date; tries: number; used: boolean }>(
    `update sign_in_codes set tries = tries + 1
      where id = (select id from sign_in_codes where staff_id = $1 order by sent_at desc, id desc limit 1)
     returning id, code_hash as hash, sent_at as "sentAt", tries, used_at is not null as used`,
    [staffId],
  )
  const [code] = rows
  if (code === undefined || code.used || code.tries > triesMax) return false
  if (now.getTime() - code.sentAt.getTime() >= codeLifeMs) return false
  if (!timingSafeEqual(Buffer.from(code.hash), Buffer.from(hash))) return false
  await tx.query('update sign_in_codes set used_at = $2, tries = tries - 1 where id = $1', [code.id, now])
  return true
}

/** A staff number may be a member's too: it is one phone. */
async function phoneOf(tx: Queryable, programmeId: string, msisdn: string): Promise<string> {
  await tx.query('insert into phones (programme_id, msisdn) values ($1, $2) on conflict do nothing', [
    programmeId,
    msisdn,
  ])
  const { rows } = await tx.query<{ id: string }>(
    'select id from phones where programme_id = $1 and msisdn = $2',
    [programmeId, msisdn],
  )
  return rows[0]?.id ?? ''
}
