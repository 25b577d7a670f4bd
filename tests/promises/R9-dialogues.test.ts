// A hundred members dial at the same moment; and the database stands still for 20 seconds under as many dialogues.
import { expect, it, onTestFinished } from 'vitest'
import { createPins } from '../../src/members/pin.ts'
import { anyServing, pause, percentile, postCallback, ussdFields } from '../support/callers.ts'
import { type Crowd, createCrowd, crowdPin, giveCrowdLoans, giveCrowdPins } from '../support/crowd.ts'
import { type Harness, type Place, pepper, startHarness, startOwnServer } from '../support/harness.ts'
import { atScale, showFigure } from '../support/promises.ts'

const dialogues = atScale(25, 100)
const rounds = atScale(1, 10)
const stallMs = 20_000
const inputs = ['1', crowdPin, '1', '1', '0', '0', '2']

async function openHouse(databaseUrl?: string) {
  const harness = await startHarness({
    backend: 'PostgreSQL',
    ...(databaseUrl === undefined ? {} : { databaseUrl }),
  })
  onTestFinished(() => harness.close())
  const crowd = await createCrowd(harness.db, dialogues)
  await giveCrowdLoans(harness.db, crowd, dialogues)
  await giveCrowdPins(harness.db, pepper)
  const places = [harness.keep('web'), harness.keep('web')]
  await Promise.all(places.map((place) => place.filled()))
  return { harness, crowd, places }
}

async function hop(
  places: readonly Place[],
  sessionId: string,
  msisdn: string,
  typed: readonly string[],
): Promise<{ text: string; ms: number }> {
  const startedMs = performance.now()
  const { status, text } = await postCallback(
    anyServing(places) ?? '',
    'ussd',
    ussdFields(sessionId, msisdn, typed.join('*')),
  )
  expect(status).toBe(200)
  return { text, ms: performance.now() - startedMs }
}

it(`${dialogues} dialogues at once: 99 of 100 answers come within a second`, {
  timeout: atScale(180_000, 600_000),
}, async () => {
  const { harness, crowd, places } = await openHouse()
  const times: number[] = []
  const dialogue = async (round: number, member: number) => {
    const sessionId = `ATUid_crowd_${round}_${member}`
    for (let typed = 0; typed <= inputs.length; typed += 1) {
      // She reads and types: one to three seconds. The first dial of all is the same moment.
      if (typed > 0) await pause(1_000 + Math.random() * 2_000)
      const { text, ms } = await hop(places, sessionId, crowd.msisdnOf(member), inputs.slice(0, typed))
      expect(text).toMatch(/^CON /)
      times.push(ms)
    }
  }
  for (let round = 0; round < rounds; round += 1) {
    await Promise.all(Array.from({ length: dialogues }, (_, member) => dialogue(round, member)))
    // What a finished dialogue leaves behind would offer to go on.
    await harness.db.pool.query('truncate ussd_sessions, ussd_replies')
  }
  const hashMs = await oneHash(harness)
  const figure =
    `${times.length} answers: half within ${Math.round(percentile(times, 0.5))} ms, 99 of 100 within ${Math.round(percentile(times, 0.99))} ms, ` +
    `the last ${Math.round(Math.max(...times))} ms (one PIN costs this machine ${hashMs} ms of a core)`
  expect(percentile(times, 0.99), figure).toBeLessThan(1_000)
  showFigure('R9', figure)
})

it('a database that stands still for 20 s: every caller hears END within 8 s, and gets her answer by SMS after it', {
  timeout: 120_000,
}, async () => {
  const server = await startOwnServer()
  onTestFinished(() => server.remove())
  const { harness, crowd, places } = await openHouse(server.url)
  const members = Array.from({ length: dialogues }, (_, member) => member)
  const path = (member: number) => (member % 2 === 0 ? inputs.slice(0, 2) : inputs.slice(0, 3))
  const sessionOf = (member: number) => `ATUid_stall_${member}`
  await walkTo(members, crowd, places, sessionOf, path)

  server.freeze()
  const thawing = pause(stallMs).then(() => server.thaw())
  onTestFinished(() => server.thaw())
  const answers = await Promise.all(
    members.map(async (member) => {
      await pause(Math.random() * 8_000)
      return hop(places, sessionOf(member), crowd.msisdnOf(member), path(member))
    }),
  )
  for (const { text } of answers) expect(text).toMatch(/^END /)
  const slowestMs = Math.max(...answers.map(({ ms }) => ms))
  expect(slowestMs).toBeLessThan(8_000)
  await thawing
  await expect
    .poll(() => lateAnswers(harness), { timeout: 60_000, interval: 250 })
    .toEqual({ messages: dialogues, members: dialogues })
  const after = await hop(places, 'ATUid_after', crowd.msisdnOf(0), [])
  expect(after.text).toMatch(/^CON /)
  showFigure(
    'R9',
    `database frozen for 20 s under ${dialogues} dialogues: END after ${(slowestMs / 1000).toFixed(1)} s at the latest, ` +
      'each answer followed by SMS',
  )
})

/** All but the last input of each. */
async function walkTo(
  members: readonly number[],
  crowd: Crowd,
  places: readonly Place[],
  sessionOf: (member: number) => string,
  path: (member: number) => readonly string[],
): Promise<void> {
  for (const member of members)
    for (let typed = 0; typed < path(member).length; typed += 1)
      await hop(places, sessionOf(member), crowd.msisdnOf(member), path(member).slice(0, typed))
}

async function lateAnswers({ db }: Harness): Promise<{ messages: number; members: number }> {
  const { rows } = await db.pool.query<{ messages: number; members: number }>(
    `select count(*)::int as messages, count(distinct phone_id)::int as members from messages where purpose = 'reply'`,
  )
  return rows[0] ?? { messages: 0, members: 0 }
}

async function oneHash({ db }: Harness): Promise<number> {
  const pins = createPins({ db, pepper })
  const startedMs = performance.now()
  for (let count = 0; count < 5; count += 1) await pins.hash(crowdPin)
  return Math.round((performance.now() - startedMs) / 5)
}
