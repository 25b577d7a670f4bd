// The main job from end to end: real processes, the real SDK, the provider emulator; on both queue backends.
// A canary PIN goes through every flow, and everything that was written anywhere is searched for it after.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { addDays, localParts } from '../../src/calendar.ts'
import { systemClock } from '../../src/clock.ts'
import { createApiKey } from '../../src/http/keys.ts'
import { createEmulator, type Emulator } from '../../src/simulator/emulator.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import {
  createLoan,
  createMember,
  createProgramme,
  type TestMember,
  type TestProgramme,
} from '../support/fixtures.ts'
import { freePort, hasRedis, startRedis, type TestRedis } from '../support/redis.ts'
import { dumpDatabase, dumpRedis, traceOf } from '../support/search.ts'
import { runTama, startTama, type Tama } from '../support/tama.ts'

const canaryPin = '739154'
const wrongPin = '739155'
const secret = 'c'.repeat(32)

const backends = [
  { backend: 'postgres', words: [['serve']] },
  {
    backend: 'redis',
    words: [
      ['serve', 'web'],
      ['serve', 'worker'],
      ['serve', 'planner'],
    ],
  },
] as const

describe.each(backends)('the main job on $backend', ({ backend, words }) => {
  const isSkipped = backend === 'redis' && !hasRedis
  let database: TestDatabase
  let redis: TestRedis | undefined
  let emulator: Emulator
  let tamas: Tama[] = []
  let folder: string
  let programme: TestProgramme
  let awa: TestMember
  let fatou: TestMember
  let loanNumber: string
  let base = ''
  let environment: Record<string, string>
  const today = localParts(new Date(), 'Africa/Dakar').date

  beforeAll(async () => {
    if (isSkipped) return
    folder = mkdtempSync(join(tmpdir(), 'tama-main-job-'))
    database = await createTestDatabase()
    redis = backend === 'redis' ? await startRedis() : undefined
    emulator = createEmulator({
      clock: systemClock,
      logger: silentLogger,
      username: 'tama',
      apiKey: 'key',
      delivery: { delayMs: [50, 50] },
    })
    const { db } = database
    programme = await createProgramme(db)
    // The test must pass at any hour of the day.
    await db.pool.query('update programmes set send_from_minute = 0, send_until_minute = 1440')
    awa = await createMember(db, programme, { language: null })
    fatou = await createMember(db, programme, { language: 'en' })
    loanNumber = (
      await createLoan(db, programme, awa, {
        dueDates: [addDays(today, 3), addDays(today, 33)],
        disbursedDate: addDays(today, -30),
      })
    ).number
    await db.prisma.meeting.create({
      data: {
        groupId: programme.groupId,
        startsAt: new Date(Date.now() + 6 * 86_400_000),
        place: 'Ziguinchor',
      },
    })
    environment = {
      DATABASE_URL: database.url,
      TAMA_DATA: folder,
      CALLBACK_SECRET: secret,
      AT_USERNAME: 'tama',
      AT_API_KEY: 'key',
      AT_BASE_URL: await emulator.listen(0),
      LOG_LEVEL: 'trace',
      ...(redis === undefined ? {} : { REDIS_URL: redis.url }),
    }
    for (const command of words) {
      const tama = startTama(command, { ...environment, PORT: String(await freePort()) })
      tamas.push(tama)
      const [, address = ''] = await tama.printed(/Tama .* at (\S+)/, 60_000)
      if (base === '') base = address
    }
    emulator.setCallbacks(base, secret)
  }, 120_000)

  afterAll(async () => {
    if (isSkipped) return
    for (const tama of tamas) tama.child.kill('SIGKILL')
    await Promise.all(tamas.map((tama) => tama.ended))
    tamas = []
    await emulator.close()
    await redis?.stop()
    await database.drop()
    rmSync(folder, { recursive: true, force: true })
  }, 60_000)

  const texts = (member: TestMember) =>
    emulator.inbox(member.msisdn).filter((message) => message.direction === 'received')
  const statusOf = async (dedupeKey: string) => {
    const { rows } = await database.db.pool.query<{ status: string }>(
      'select status from messages where dedupe_key like $1',
      [dedupeKey],
    )
    return rows.map((row) => row.status)
  }
  const walk = async (msisdn: string, inputs: readonly string[]) => {
    let screen = await emulator.dial(msisdn, '*384*1#')
    for (const input of inputs) {
      if (screen.sessionId === undefined) throw new Error(`the dialogue ended early: ${screen.text}`)
      screen = await emulator.input(screen.sessionId, input)
    }
    return screen
  }

  it.skipIf(isSkipped)(
    'a member chooses her language, sets a PIN and reads what she owes, her next due date and meeting',
    async () => {
      const first = await emulator.dial(awa.msisdn, '*384*1#')
      expect(first.text).toContain('Wolof')
      const loan = await walk(awa.msisdn, ['2', '1', canaryPin, canaryPin])
      expect(loan.text).toContain('21 000 F')
      // The redial offers to go on: 2 is the start, 2 the meeting.
      const meeting = await walk(awa.msisdn, ['2', '2'])
      expect(meeting.text).toContain('Ziguinchor')
    },
  )

  it.skipIf(isSkipped)(
    'an instalment three days away becomes a reminder, delivered, with each status on record',
    async () => {
      await expect
        .poll(() => statusOf('reminder/due_soon/%'), { timeout: 30_000, interval: 200 })
        .toEqual(['delivered'])
      const { rows } = await database.db.pool.query<{ path: string }>(
        `select string_agg(to_status, ' ' order by e.id) as path from message_events e
         join messages m on m.id = e.message_id where m.dedupe_key like 'reminder/due_soon/%'`,
      )
      // A "sent" that overtakes our own mark of the submit waits for it; "delivered" may be there first, and the ladder never goes back.
      expect(rows[0]?.path).toMatch(/^queued claimed submitting submitted (sent )?delivered$/)
      expect(texts(awa).some(({ text }) => text.includes('*384*1#'))).toBe(true)
    },
    60_000,
  )

  it.skipIf(isSkipped)(
    "another program's plain SQL becomes a delivered receipt",
    async () => {
      const { rows } = await database.db.pool.query<{ id: string }>(
        `with entry as (
         insert into entries (programme_id, reference, kind, booked_date)
         select id, 'back-office/1', 'loan_repayment', $2::date from programmes returning id),
       lines as (
         insert into postings (entry_id, account_id, amount)
         select entry.id, a.id, case a.purpose when 'cash' then 5000 else -5000 end
           from entry, accounts a where a.code in ('cash', 'loan/' || $1))
       select id from entry`,
        [loanNumber, today],
      )
      await expect
        .poll(() => statusOf(`receipt/${rows[0]?.id}`), { timeout: 30_000, interval: 200 })
        .toEqual(['delivered'])
    },
    60_000,
  )

  it.skipIf(isSkipped)(
    'an entry posted over HTTP becomes a delivered receipt, and her next read shows it',
    async () => {
      const key = await createApiKey(database.db, programme.id, 'back office')
      const response = await fetch(`${base}/api/v1/entries`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          reference: 'api/1',
          kind: 'loan_repayment',
          bookedDate: today,
          postings: [
            { account: 'cash', amount: '1000' },
            { account: `loan/${loanNumber}`, amount: '-1000' },
          ],
        }),
      })
      expect(response.status).toBe(201)
      const { id } = (await response.json()) as { id: string }
      await expect
        .poll(() => statusOf(`receipt/${id}`), { timeout: 30_000, interval: 200 })
        .toEqual(['delivered'])
      expect((await walk(awa.msisdn, ['2', '1', canaryPin])).text).toContain('15 000 F')
    },
    60_000,
  )

  it.skipIf(isSkipped)(
    'an imported entry becomes a delivered receipt',
    async () => {
      const file = join(folder, 'entries.csv')
      writeFileSync(
        file,
        `reference,kind,booked_date,description,account,debit,credit\nfile/1,loan_repayment,${today},,cash,2000,\nfile/1,loan_repayment,${today},,loan/${loanNumber},,2000\n`,
      )
      const imported = await runTama(['import', 'entries', file, '--programme', 'fansoto'], environment)
      expect(imported).toMatchObject({ code: 0 })
      const { rows } = await database.db.pool.query<{ id: string }>(
        `select id from entries where reference = 'file/1'`,
      )
      await expect
        .poll(() => statusOf(`receipt/${rows[0]?.id}`), { timeout: 30_000, interval: 200 })
        .toEqual(['delivered'])
    },
    60_000,
  )

  it.skipIf(isSkipped)(
    'STOP by SMS is confirmed once, and a repayment after it is kept from her',
    async () => {
      expect(await emulator.sendSms(awa.msisdn, '21384', 'STOP', 3)).toBe(true)
      await expect.poll(() => statusOf('reply/%'), { timeout: 30_000, interval: 200 }).toEqual(['delivered'])
      const before = texts(awa).length
      await database.db.pool.query(
        `with entry as (
         insert into entries (programme_id, reference, kind, booked_date)
         select id, 'back-office/2', 'loan_repayment', $2::date from programmes returning id)
       insert into postings (entry_id, account_id, amount)
       select entry.id, a.id, case a.purpose when 'cash' then 500 else -500 end
         from entry, accounts a where a.code in ('cash', 'loan/' || $1)`,
        [loanNumber, today],
      )
      await expect
        .poll(
          async () =>
            (
              await database.db.pool.query(
                `select m.status from messages m join entries e on e.id = m.entry_id where e.reference = 'back-office/2'`,
              )
            ).rows,
          {
            timeout: 30_000,
            interval: 200,
          },
        )
        .toEqual([{ status: 'suppressed' }])
      expect(texts(awa).length).toBe(before)
    },
    60_000,
  )

  it.skipIf(isSkipped)(
    'the canary PIN, sent through every flow and error, stands nowhere',
    async () => {
      // Wrong tries, a lock, a change, a broken confirmation, a PIN typed where none is asked, malformed callbacks; S3-no-pin.test.ts does more.
      await walk(fatou.msisdn, ['1', canaryPin, wrongPin])
      await walk(fatou.msisdn, ['1', canaryPin, canaryPin])
      await walk(fatou.msisdn, ['5', '2', '1', canaryPin, canaryPin])
      await walk(fatou.msisdn, [canaryPin])
      for (let tries = 0; tries < 3; tries += 1) await walk(fatou.msisdn, ['1', wrongPin])
      await walk(fatou.msisdn, ['1', canaryPin])
      const { rows } = await database.db.pool.query(
        'select locked_until is not null as locked from member_pins where member_id = $1',
        [fatou.id],
      )
      expect(rows).toEqual([{ locked: true }])
      await emulator.sendSms(fatou.msisdn, '21384', canaryPin)
      await emulator.sendSms(fatou.msisdn, '21384', `balance ${canaryPin}`)
      const path = `${base}/callbacks/africastalking/${secret}`
      const form = (fields: Record<string, string>) => ({ method: 'POST', body: new URLSearchParams(fields) })
      const call = {
        sessionId: 'ATUid_canary',
        phoneNumber: fatou.msisdn,
        serviceCode: '*384*1#',
        text: `1*${canaryPin}`,
      }
      await fetch(`${path}/ussd`, form(call))
      await fetch(`${path}/ussd`, form({ ...call, phoneNumber: canaryPin }))
      await fetch(`${path}/ussd`, {
        method: 'POST',
        body: JSON.stringify(call),
        headers: { 'content-type': 'application/json' },
      })
      await fetch(
        `${path}/ussd-end`,
        form({ ...call, status: 'Incomplete', input: `1*${canaryPin}`, lastAppResponse: canaryPin }),
      )
      await fetch(
        `${path}/ussd-end`,
        form({ ...call, status: canaryPin, serviceCode: canaryPin, sessionId: '' }),
      )
      await fetch(`${base}/callbacks/africastalking/wrong/ussd`, form(call))
      await fetch(`${base}/api/v1/entries?pin=${canaryPin}`, {
        method: 'POST',
        body: canaryPin,
        headers: { authorization: `Bearer ${canaryPin}` },
      })
      await emulator.settled()

      const metrics = await (await fetch(`${base}/metrics`)).text()
      const places: Record<string, string> = {
        logs: tamas.map((tama) => tama.output()).join('\n'),
        metrics,
        database: await dumpDatabase(database.db.pool),
        redis: redis === undefined ? '' : await dumpRedis(redis.url),
      }
      expect(places.logs).toContain('"event"')
      expect(places.database).toContain('back-office/1')
      for (const pin of [canaryPin, wrongPin])
        for (const [place, text] of Object.entries(places))
          expect(traceOf(pin, text), `${pin} in ${place}`).toBeUndefined()
    },
    60_000,
  )

  it.skipIf(isSkipped)('logs, metrics and jobs hold no number and no name', async () => {
    const logs = tamas.map((tama) => tama.output()).join('\n')
    const metrics = await (await fetch(`${base}/metrics`)).text()
    const jobs =
      redis === undefined ? await dumpDatabase(database.db.pool, 'bullmq') : await dumpRedis(redis.url)
    for (const [place, text] of Object.entries({ logs, metrics, jobs }))
      for (const word of [awa.msisdn, awa.msisdn.slice(1), 'Diatta', secret])
        expect(text.includes(word), `${place} hold ${word === secret ? 'the secret' : word}`).toBe(false)
  })

  it.skipIf(isSkipped)(
    'each process is ready, and SIGTERM ends it with exit 0',
    async () => {
      expect((await fetch(`${base}/readyz`)).status).toBe(200)
      for (const tama of tamas) tama.child.kill('SIGTERM')
      expect(await Promise.all(tamas.map((tama) => tama.ended))).toEqual(tamas.map(() => 0))
    },
    60_000,
  )
})
