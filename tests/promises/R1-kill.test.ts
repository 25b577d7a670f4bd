// Worker processes are killed while they send what a back office posts: every committed fact is told, none twice, and what nobody
// can know is listed.
import { describe, expect, it, onTestFinished } from 'vitest'
import { ageOpenMessages, auditLedger, auditMessages, countByStatus, sentTwice } from '../support/audit.ts'
import { type Crowd, createCrowd } from '../support/crowd.ts'
import { backends, type Harness, type Place, startHarness } from '../support/harness.ts'
import { atScale, isFull, showFigure } from '../support/promises.ts'

const messages = atScale(150, 10_000)
const kills = atScale(3, 200)
const workers = 3
/** The harness lets each process make so many calls at once. */
const callsMax = 10
const recoveryMaxMs = 60_000
/** Facts that wait at once: the load is what workers keep up with. */
const waitingMax = 4

describe.each(backends)('with the queue on %s', (backend) => {
  it(`${messages} messages, ${workers} workers, ${kills} kills: none lost, none twice, every unknown listed`, {
    timeout: atScale(180_000, 3_600_000),
  }, async () => {
    const harness = await startHarness({ backend })
    onTestFinished(() => harness.close())
    const { db, provider } = harness
    const crowd = await createCrowd(db, messages)
    provider.answer = (_, accept) => setTimeout(accept, 20 + Math.random() * 100)
    const places = Array.from({ length: workers }, () => harness.keep('worker'))
    await places[0]?.filled()

    let done = 0
    const posting = postAlong(harness, crowd, () => Math.ceil((messages * (done + 1)) / kills))
    const atKills = new Set<string>()
    const callsAtKills: number[] = []
    while (done < kills) {
      const { place, calls } = await busyPlace(harness, places)
      callsAtKills.push(calls)
      await place.end('SIGKILL')
      done += 1
      // What stood between its two marks when the process died; calls of the living are among it.
      for (const id of await submitting(harness)) atKills.add(id)
    }
    await posting
    await recovery(harness)
    if (!isFull) await ageOpenMessages(db)
    await expect
      .poll(() => countByStatus(db), { timeout: recoveryMaxMs, interval: 500 })
      .toEqual({ submitted: expect.any(Number), unknown: expect.any(Number) })

    const unknown = await unknownMessages(harness)
    expect(sentTwice(provider)).toEqual([])
    expect(unknown.filter(({ id }) => !atKills.has(id))).toEqual([])
    expect(unknown.length).toBeLessThanOrEqual(3 * kills)
    expect(Math.max(...callsAtKills)).toBeLessThanOrEqual(callsMax)
    const longestWaitMs = await longestWait(harness)
    expect(longestWaitMs).toBeLessThan(recoveryMaxMs)
    await auditMessages(db)
    await auditLedger(db)
    const heard = new Set(provider.calls.flatMap((call) => call.recipients))
    const { submitted = 0 } = await countByStatus(db)
    expect(submitted + unknown.length).toBe(messages)
    expect(heard.size).toBe(submitted + unknown.filter(({ msisdn }) => heard.has(msisdn)).length)
    const calls = callsAtKills.reduce((sum, count) => sum + count, 0)
    const figure =
      `${backend}: ${messages} messages, ${kills} kills with ${calls} calls under way at the provider: 0 lost, 0 twice, ` +
      `${unknown.length} unknown (${(unknown.length / kills).toFixed(1)} a kill), each of the others on its way within ${Math.ceil(longestWaitMs / 1000)} s`
    showFigure('R1', figure)
    showFigure('R2', figure)
  })
})

/** As fast as the workers that live keep up with: after a kill no pile waits to burst out of the next process. */
async function postAlong(harness: Harness, crowd: Crowd, allowed: () => number): Promise<void> {
  for (let index = 0; index < crowd.size; ) {
    if (index < allowed() && (await waiting(harness)) < waitingMax) {
      await crowd.deposit(index)
      index += 1
    }
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** A worker that has calls under way right now. */
async function busyPlace(
  { provider }: Harness,
  places: readonly Place[],
): Promise<{ place: Place; calls: number }> {
  for (;;) {
    const busy = places.flatMap((place) => {
      const { username } = place.serving() ?? {}
      const calls = [...provider.underWay].filter((call) => call.username === username).length
      return calls > 0 ? [{ place, calls }] : []
    })
    const one = busy[Math.floor(Math.random() * busy.length)]
    if (one !== undefined) return one
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

async function submitting({ db }: Harness): Promise<string[]> {
  const { rows } = await db.pool.query<{ id: string }>(`select id from messages where status = 'submitting'`)
  return rows.map(({ id }) => id)
}

async function unknownMessages({ db }: Harness): Promise<{ id: string; msisdn: string }[]> {
  const { rows } = await db.pool.query<{ id: string; msisdn: string }>(
    `select m.id, p.msisdn from messages m join phones p on p.id = m.phone_id where m.status = 'unknown'`,
  )
  return rows
}

/** Facts and messages that have not begun their call. */
async function waiting({ db }: Harness): Promise<number> {
  const { rows } = await db.pool.query<{ waiting: number }>(
    `select ((select count(*) from ledger_events where handled_at is null)
           + (select count(*) from messages where status in ('created', 'queued', 'claimed')))::int as waiting`,
  )
  return rows[0]?.waiting ?? 0
}

/** Until nothing waits any more but calls that nobody will answer. */
async function recovery(harness: Harness): Promise<void> {
  await expect.poll(() => waiting(harness), { timeout: 2 * recoveryMaxMs, interval: 200 }).toBe(0)
}

/** Of any message, from the commit of its fact to its call, whatever died in between. */
async function longestWait({ db }: Harness): Promise<number> {
  const { rows } = await db.pool.query<{ ms: number }>(
    `select extract(epoch from max(v.occurred_at - e.created_at))::float * 1000 as ms from message_events v
       join messages m on m.id = v.message_id join entries e on e.id = m.entry_id where v.to_status = 'submitting'`,
  )
  return rows[0]?.ms ?? 0
}
