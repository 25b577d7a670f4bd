// 400 days of two programmes in one house, minute by minute where it matters: two planners whose clocks differ, a clock that jumps, restarts,
// days without planner or sender, moved schedules and meetings, early payment, STOP and START. A model in plain words says what must leave.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addDays, instantAt, localParts } from '../../src/calendar.ts'
import { type Clock, fixedClock } from '../../src/clock.ts'
import { loadI18n } from '../../src/i18n.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createPlanner, type Planner } from '../../src/reminders/planner.ts'
import { createRandom, pickOne } from '../../src/simulator/random.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import { atScale, showFigure } from '../support/promises.ts'
import { hasRedis, startRedis, type TestRedis } from '../support/redis.ts'
import {
  createReminderModel,
  gatheringKey,
  instalmentKey,
  isInHours,
  type ModelGathering,
  type ModelLoan,
} from '../support/reminder-model.ts'
import { createLife } from '../support/simulated-life.ts'
import { startTelling, type TellingHouse } from '../support/told.ts'

const days = atScale(20, 400)
const membersEach = atScale(12, 30)
const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs
const skewMaxMs = 2 * hourMs
const firstDay = '2026-11-22'
const i18n = loadI18n('locales')

interface Sent {
  id: string
  purpose: string
  template: string
  memberId: string
  msisdn: string
  instalmentId: string | null
  gatheringId: string | null
  params: { dueDate?: string; startsAt?: string }
}

const sentSql = `
  select m.id, m.purpose, m.template, m.member_id as "memberId", p.msisdn, m.instalment_id as "instalmentId",
         coalesce(m.meeting_id, m.training_session_id) as "gatheringId", m.params
    from messages m join phones p on p.id = m.phone_id
   where m.submitted_at = $1`

const planned = new Set(['reminder', 'meeting', 'training'])

/** What of the model a reminder is about. */
function keyOf({ template, purpose, instalmentId, gatheringId, memberId, params }: Sent): string {
  return purpose === 'reminder'
    ? instalmentKey(template.replace('reminder.', ''), instalmentId ?? '', params.dueDate ?? '')
    : gatheringKey(purpose, gatheringId ?? '', new Date(params.startsAt ?? ''), memberId)
}

async function simulate(database: TestDatabase, redisUrl: string | undefined, seed: number) {
  const { db } = database
  const random = createRandom(seed)
  const model = createReminderModel(skewMaxMs)
  const clock = fixedClock(instantAt(firstDay, 0, 'UTC'))
  // Moved last, so that nothing leaves between two things that happen at one reading.
  const houseClock = fixedClock(clock.now())
  const life = createLife({ db, clock, random, model })
  const counts = {
    readings: 0,
    reminders: 0,
    gatherings: 0,
    receipts: 0,
    codes: 0,
    jumps: 0,
    restarts: 0,
  }
  const faults: string[] = []
  const heard: string[] = []
  let house: TellingHouse | undefined

  const programme = await life.openProgrammes(membersEach)

  // What the database stamps by its own clock is part of the simulated days too.
  await db.pool.query(`
    create table simulated_now (at timestamptz not null);
    insert into simulated_now values (now());
    grant select on simulated_now to public;
    create function stamp_simulated() returns trigger language plpgsql as
      $$ begin new.created_at := (select at from simulated_now); return new; end $$;
    create trigger simulated_stamp before insert on entries for each row execute function stamp_simulated()`)

  async function setTime(at: Date): Promise<void> {
    clock.set(at)
    await db.pool.query('update simulated_now set at = $1', [at])
  }

  async function openHouse(): Promise<TellingHouse> {
    const opened = await startTelling(database, programme, i18n, houseClock, { redisUrl, lookMs: 10 })
    opened.network.answer = (call, accept) => {
      heard.push(...call.recipients)
      accept()
    }
    return opened
  }

  function planner(ownClock: Clock): Planner {
    return createPlanner({ db, clock: ownClock, logger: silentLogger, metrics: createMetrics() })
  }

  /** What left at this reading against what the model says. */
  async function compare(now: Date, isUp: boolean, mayWait: boolean): Promise<void> {
    const { rows } = await db.pool.query<Sent>(sentSql, [now])
    expect([...heard].sort(), 'the provider heard what is written down, and nothing else').toEqual(
      rows.map(({ msisdn }) => msisdn).sort(),
    )
    heard.length = 0
    const answers = rows
      .filter(({ purpose }) => purpose === 'reply' || purpose === 'code')
      .map(({ msisdn }) => msisdn)
    expect(answers.sort(), 'answers leave at any hour, above any cap').toEqual(isUp ? life.asked.sort() : [])
    counts.codes += answers.length
    life.asked.length = 0
    for (const member of model.members) {
      const hers = rows.filter(({ memberId }) => memberId === member.id)
      const reminders = hers.filter(({ purpose }) => planned.has(purpose))
      const found = model.sent(member, reminders.map(keyOf), now, mayWait || !isUp)
      const receipts = hers.filter(({ purpose }) => purpose === 'receipt').length
      // After a week nobody needs it any more.
      const waiting = member.receipts.waiting.filter((since) => now.getTime() - since.getTime() < 7 * dayMs)
      const due = isInHours(member, now) ? waiting.length : 0
      if (receipts > due || (receipts < due && isUp && !mayWait)) found.push(`${receipts} receipts of ${due}`)
      member.receipts.waiting = waiting.slice(receipts)
      counts.receipts += receipts
      counts.reminders += reminders.filter(({ purpose }) => purpose === 'reminder').length
      counts.gatherings += reminders.filter(({ purpose }) => purpose !== 'reminder').length
      faults.push(...found.map((fault) => `${now.toISOString()} ${member.msisdn}: ${fault}`))
    }
  }

  /** Readings of a day: around the edges of somebody's hours, at midnight, and in between. */
  function readingsOf(dayStart: Date): Date[] {
    const readings = new Set<number>()
    for (let index = random.between(3, 6); index > 0; index--) {
      const member = pickOne(random, model.members)
      const { timeZone } = member.programme
      const minute = pickOne(random, [0, 1_439, member.from, member.from - 1, member.until, member.until - 1])
      const day = localParts(new Date(dayStart.getTime() + dayMs / 2), timeZone).date
      const at = random.chance(0.6)
        ? instantAt(day, minute, timeZone).getTime() + random.between(0, minuteMs - 1)
        : dayStart.getTime() + random.between(0, dayMs - 1)
      readings.add(at)
    }
    return [...readings].sort((a, b) => a - b).map((at) => new Date(at))
  }

  function forgetOld(now: Date): void {
    const before = now.getTime() - 5 * dayMs
    const isOver = ({ paid, instalments }: ModelLoan) =>
      instalments.every(({ due }) => Date.parse(due) < before) || paid === instalments.length * 1_050
    model.loans.splice(0, model.loans.length, ...model.loans.filter((loan) => !isOver(loan)))
    const stays = ({ startsAt }: ModelGathering) => startsAt.getTime() > before
    model.gatherings.splice(0, model.gatherings.length, ...model.gatherings.filter(stays))
    for (const member of model.members)
      member.told = member.told.filter((at) => at.getTime() > now.getTime() - 10 * dayMs)
  }

  await setTime(clock.now())
  house = await openHouse()
  let jumpMs = 0
  let jumpLeft = 0
  let newest = 0
  let plannersBackAt = 0
  let houseBackAt = 0
  try {
    for (let day = 0; day < days; day++) {
      const dayStart = instantAt(addDays(firstDay, day), 0, 'UTC')
      for (const reading of readingsOf(dayStart)) {
        // The clock of the machine jumps ahead by up to two hours, and is set right a few readings later.
        if (jumpLeft === 0 && random.chance(0.04)) {
          jumpMs = random.between(10 * minuteMs, 2 * hourMs)
          jumpLeft = random.between(1, 3)
          counts.jumps += 1
        } else if (jumpLeft > 0 && --jumpLeft === 0) jumpMs = 0
        const now = new Date(reading.getTime() + jumpMs)
        const isBehind = now.getTime() <= newest
        newest = Math.max(newest, now.getTime())
        await setTime(now)
        if (isBehind) houseClock.set(now)
        if (plannersBackAt < newest && random.chance(0.005))
          plannersBackAt = newest + random.between(1, 4) * dayMs
        if (house !== undefined && random.chance(0.004)) {
          await house.stop()
          house = undefined
          houseBackAt = newest + random.between(1, 3) * dayMs
        }
        // What happens while a clock that was set back has not caught up could be sent before the next thing happens.
        const happenings = isBehind ? 0 : random.between(0, atScale(4, 6))
        for (let index = 0; index < happenings; index++) await life.happen(house !== undefined)
        houseClock.set(now)
        if (house === undefined && houseBackAt < newest) house = await openHouse()
        if (plannersBackAt < newest) {
          const skewed = new Date(now.getTime() + random.between(-skewMaxMs, skewMaxMs))
          const [mine, other] = [planner(clock), planner(fixedClock(skewed))]
          await Promise.all([mine.planOnce(now), other.planOnce(skewed)])
          // Whichever held the lock, both have had their turn.
          await (random.chance(0.5) ? other.planOnce(skewed) : mine.planOnce(now))
          await mine.planOnce(now)
          model.planned(now, [now, skewed])
        }
        if (house !== undefined && random.chance(0.015)) {
          // With work under way as likely as not.
          await house.stop()
          house = await openHouse()
          counts.restarts += 1
        }
        for (const { receipts, isStopped, allows } of model.members) {
          if (house === undefined) break
          if (!isStopped && allows.receipt)
            for (let left = receipts.unheard; left > 0; left--) receipts.waiting.push(now)
          receipts.unheard = 0
        }
        await house?.settled()
        await compare(now, house !== undefined, isBehind)
        expect(faults, `seed ${seed}`).toEqual([])
        counts.readings += 1
      }
      forgetOld(clock.now())
    }
    const { rows } = await db.pool.query<{ status: string; messages: number }>(
      `select status, count(*)::int as messages from messages where stage = 0 and not_before <= $1 or status = 'unknown'
        group by status`,
      [clock.now()],
    )
    expect(house === undefined ? [] : rows).toEqual([])
  } finally {
    await house?.stop()
  }
  return { ...counts, ...life.counts, capped: model.capped() }
}

const backends = [
  { backend: 'PostgreSQL', redis: false },
  { backend: 'Redis', redis: true },
]

describe.each(backends)('queue in $backend', ({ backend, redis }) => {
  let database: TestDatabase
  let server: TestRedis | undefined
  beforeAll(async () => {
    database = await createTestDatabase()
    if (redis && hasRedis) server = await startRedis()
  })
  afterAll(async () => {
    await server?.stop()
    await database.drop()
  })

  test.skipIf(redis && !hasRedis)(
    'each reminder leaves once when it can, never outside hours or above a cap',
    async () => {
      const seen = await simulate(database, server?.url, redis ? 11 : 12)
      expect(seen.reminders).toBeGreaterThan(days)
      expect(seen.gatherings).toBeGreaterThan(days / 2)
      expect(seen.capped).toBeGreaterThan(0)
      const { readings, jumps, restarts, moves, payments, words } = seen
      showFigure(
        'R11',
        `${backend}: ${days} days, ${readings} readings of the clock, ${jumps} jumps, ${restarts} restarts, ${moves} moves, ${payments} payments, ` +
          `${words} words: ${seen.reminders} reminders of instalments and ${seen.gatherings} of gatherings, each once, none untrue, none missing`,
      )
      showFigure(
        'R12',
        `${backend}: none outside the hours, none above a cap; ${seen.capped} times a cap held one back; ${seen.receipts} receipts and ` +
          `${seen.codes} answers at their first minute`,
      )
    },
    1_200_000,
  )
})
