// S2: guessing a PIN is bounded whatever it comes through, tells nothing about who is a member, and is noticed.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createAlarms } from '../../src/alarms.ts'
import { elapsedMs, fixedClock } from '../../src/clock.ts'
import { createPins, resetPin } from '../../src/members/pin.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createWatch, watchTimes } from '../../src/outbound/watch.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import { createMember, testNow } from '../support/fixtures.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { freePort } from '../support/redis.ts'
import { startTama, type Tama } from '../support/tama.ts'
import { createUssdUnderTest, createWorld, numbers, type World } from '../support/ussd.ts'

let database: TestDatabase
let world: World

beforeAll(async () => {
  database = await createTestDatabase()
  world = await createWorld(database.db)
})
afterAll(() => database.drop())
beforeEach(() => world.reset())

test('200 tries at once from four processes get at most three verifications, and the account is locked', async () => {
  const { db, url } = database
  const memberId = world.members.awa?.id ?? ''
  await resetPin(db.pool, memberId)
  const pins = createPins({ db, pepper: 'pepper' })
  await pins.set(memberId, '2846', testNow)
  const program = join(import.meta.dirname, '..', 'support', 'pin-process.mjs')
  const running = [3000, 3100, 3200, 3300].map((first) => {
    const child = spawn(process.execPath, [program, url, memberId, String(first), '50'])
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString()
    })
    return { child, text: () => text, ended: new Promise((resolve) => child.once('close', resolve)) }
  })
  await expect
    .poll(() => running.every(({ text }) => text().includes('ready')), { timeout: 30_000 })
    .toBe(true)
  for (const { child } of running) child.stdin.write('go\n')
  await Promise.all(running.map(({ ended }) => ended))
  const results = running.map(
    ({ text }) => JSON.parse(text().split('\n')[1] ?? '') as { verified: number; verdicts: string[] },
  )
  const verified = results.reduce((sum, result) => sum + result.verified, 0)
  const verdicts = results.flatMap((result) => result.verdicts)
  expect(verdicts).toHaveLength(200)
  expect(verified).toBeLessThanOrEqual(3)
  expect(verdicts.filter((verdict) => verdict === 'wrong').length).toBeLessThanOrEqual(2)
  expect(new Set(verdicts)).toEqual(new Set(['wrong', 'locked']))
  expect((await pins.verify(memberId, '2846', 'after', new Date())).verdict).toBe('locked')
  showFigure('S2', `200 parallel tries from 4 processes: ${verified} verified, then locked`)
}, 60_000)

test('dialogues of one member on two web processes get at most three verifications between them', async () => {
  const dialogues = atScale(40, 200)
  const folder = mkdtempSync(join(tmpdir(), 'tama-pin-'))
  const secret = 's'.repeat(32)
  const pepper = 'p'.repeat(32)
  const memberId = world.members.awa?.id ?? ''
  await resetPin(database.db.pool, memberId)
  await createPins({ db: database.db, pepper }).set(memberId, '2846', testNow)
  const tamas: Tama[] = []
  try {
    const bases: string[] = []
    for (let process = 0; process < 2; process += 1) {
      const tama = startTama(['serve', 'web'], {
        DATABASE_URL: database.url,
        TAMA_DATA: folder,
        CALLBACK_SECRET: secret,
        PIN_PEPPER: pepper,
        PORT: String(await freePort()),
      })
      tamas.push(tama)
      bases.push((await tama.printed(/at (http\S+)/))[1] ?? '')
    }
    const say = async (dialogue: number, text: string) => {
      const response = await fetch(`${bases[dialogue % 2]}/callbacks/africastalking/${secret}/ussd`, {
        method: 'POST',
        body: new URLSearchParams({
          sessionId: `ATUid_${dialogue}`,
          phoneNumber: numbers.awa,
          serviceCode: '*384*1#',
          text,
        }),
      })
      return response.text()
    }
    const each = (text: (dialogue: number) => string) =>
      Promise.all(Array.from({ length: dialogues }, (_, dialogue) => say(dialogue, text(dialogue))))
    await each(() => '')
    await each(() => '1')
    const replies = await each((dialogue) => `1*${5100 + dialogue}`)
    expect(replies.filter((reply) => reply.startsWith('CON')).length).toBeLessThanOrEqual(2)
    expect(replies.filter((reply) => reply.startsWith('END Code bloqué')).length).toBeGreaterThanOrEqual(
      dialogues - 2,
    )
    await say(9_999, '')
    await say(9_999, '1')
    expect(await say(9_999, '1*2846')).toContain('END Code bloqué')
  } finally {
    for (const tama of tamas) tama.child.kill('SIGTERM')
    await Promise.all(tamas.map((tama) => tama.ended))
    rmSync(folder, { recursive: true, force: true })
  }
}, 120_000)

test('an unknown number, a phone without members, a suspended and a departed member get the same words after the same time', async () => {
  const { db } = database
  const rounds = atScale(60, 400)
  const left = await createMember(db, world.programme, { number: 'N-left' })
  await db.pool.query(`update members set status = 'left' where id = $1`, [left.id])
  await createPins({ db, pepper: 'any' }).set(left.id, '2846', testNow)
  const bare = '+221770000099'
  await db.prisma.phone.create({ data: { programmeId: world.programme.id, msisdn: bare } })
  const under = await createUssdUnderTest(database)
  const callers = { unknown: numbers.stranger, bare, suspended: numbers.suspended, left: left.msisdn }
  const times = new Map<string, number[]>(Object.keys(callers).map((who) => [who, []]))
  const dials = ['', '1*2846']
  const words = new Map(dials.map((text) => [text, new Set<string>()]))
  for (let round = 0; round < rounds; round += 1)
    // A plain dial, and one that tries to go straight to a PIN.
    for (const [who, msisdn] of Object.entries(callers))
      for (const text of dials) {
        const startedMs = elapsedMs()
        const sessionId = `${who}-${round}-${text.length}`
        const call = { provider: 'at', sessionId, msisdn, serviceCode: '*384*1#', text }
        words.get(text)?.add(await under.ussd.answer(call))
        times.get(who)?.push(elapsedMs() - startedMs)
      }
  await under.close()
  expect([...words.values()].map(({ size }) => size)).toEqual([1, 1])
  const medians = [...times].map(([who, list]) => [who, median(list)] as const)
  const spreadMs = Math.max(...medians.map(([, ms]) => ms)) - Math.min(...medians.map(([, ms]) => ms))
  const oneHashMs = await hashMs()
  // One Argon2 more or less would stand out by its whole length.
  expect(spreadMs).toBeLessThan(oneHashMs / 4)
  const shown = medians.map(([who, ms]) => `${who} ${ms.toFixed(1)}`).join(', ')
  showFigure(
    'S2',
    `answer times in ms, medians of ${rounds * 2}: ${shown} (one Argon2: ${oneHashMs.toFixed(0)})`,
  )
}, 120_000)

test('many wrong PINs over a programme raise an alarm, which ends when they do', async () => {
  const { db } = database
  await db.pool.query('delete from wrong_pins')
  await db.pool.query('update programmes set wrong_pins_max = 20')
  const clock = fixedClock(testNow)
  const metrics = createMetrics()
  const alarms = createAlarms({ clock, logger: silentLogger, metrics })
  const watch = createWatch({
    db,
    clock,
    logger: silentLogger,
    alarms,
    times: watchTimes(60_000),
  })
  const pins = createPins({ db, pepper: 'any' })
  const guessed = () => alarms.list().filter(({ code }) => code === 'pin.guessing')
  // Three tries on each of seven members: no account sees more than a member who has forgotten her PIN.
  for (const member of Object.values(world.members).slice(0, 7)) {
    await pins.set(member.id, '2846', testNow)
    await watch.look()
    expect(guessed()).toEqual([])
    for (const pin of ['5101', '5102', '5103']) await pins.verify(member.id, pin, pin, testNow)
  }
  await watch.look()
  expect(guessed()).toMatchObject([{ where: world.programme.id }])
  clock.advanceMs(11 * 60_000)
  await watch.look()
  expect(guessed()).toEqual([])
}, 60_000)

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0
}

async function hashMs(): Promise<number> {
  const pins = createPins({ db: database.db, pepper: 'any' })
  const times: number[] = []
  for (let round = 0; round < 9; round += 1) {
    const startedMs = elapsedMs()
    await pins.hash('2846')
    times.push(elapsedMs() - startedMs)
  }
  return median(times)
}
