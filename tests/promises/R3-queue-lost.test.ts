// The queue is thrown away in the middle of the work: it only carried names of rows, and the rows are enqueued again.
import { Redis } from 'ioredis'
import { describe, expect, it, onTestFinished } from 'vitest'
import { ageOpenMessages, auditMessages, countByStatus, sentTwice } from '../support/audit.ts'
import { createCrowd } from '../support/crowd.ts'
import { backends, type Harness, startHarness } from '../support/harness.ts'
import { atScale, isFull, showFigure } from '../support/promises.ts'

const messages = atScale(600, 10_000)
const losses = atScale(1, 5)
const againMaxMs = 60_000

describe.each(backends)('with the queue on %s', (backend) => {
  it(`thrown away ${losses} times under ${messages} messages: all enqueued again within a minute, none lost, none twice`, {
    timeout: atScale(180_000, 900_000),
  }, async () => {
    const harness = await startHarness({ backend })
    onTestFinished(() => harness.close())
    const { db, provider } = harness
    const crowd = await createCrowd(db, messages)
    // Slow until the queue is lost, so that there is something in it to lose.
    let answerMs = 500
    provider.answer = (_, accept) => setTimeout(accept, answerMs * (0.5 + Math.random()))
    const places = [harness.keep('worker'), harness.keep('worker')]
    await Promise.all(places.map((place) => place.filled()))

    const slowestMs: number[] = []
    for (let loss = 0; loss < losses; loss += 1) {
      const from = Math.floor((messages * loss) / losses)
      const until = Math.floor((messages * (loss + 1)) / losses)
      for (let index = from; index < until; index += 10)
        await Promise.all(
          Array.from({ length: Math.min(10, until - index) }, (_, more) => crowd.deposit(index + more)),
        )
      await expect.poll(async () => (await waiting(harness)).length, { timeout: 30_000 }).toBeGreaterThan(50)
      const lost = await waiting(harness)
      await throwAway(harness)
      answerMs = 50
      const startedMs = performance.now()
      if (!isFull) await ageOpenMessages(db, 35)
      await expect.poll(() => unmovedSince(harness, lost), { timeout: againMaxMs, interval: 250 }).toEqual([])
      slowestMs.push(performance.now() - startedMs)
      answerMs = 500
    }
    answerMs = 50
    await expect
      .poll(() => countByStatus(db), { timeout: 300_000, interval: 500 })
      .toEqual({ submitted: messages })
    expect(sentTwice(provider)).toEqual([])
    await auditMessages(db)
    showFigure(
      'R3',
      `${backend}: ${messages} messages, the queue lost ${losses} times: the last row moved again after ` +
        `${Math.ceil(Math.max(...slowestMs) / 1000)} s, 0 lost, 0 twice`,
    )
  })
})

interface Waiting {
  id: string
  batchId: string
}

async function waiting({ db }: Harness): Promise<Waiting[]> {
  const { rows } = await db.pool.query<Waiting>(
    `select id, batch_id as "batchId" from messages where status in ('queued', 'claimed')`,
  )
  return rows
}

/** Those that still wait under the job they had. */
async function unmovedSince({ db }: Harness, before: readonly Waiting[]): Promise<string[]> {
  const { rows } = await db.pool.query<{ id: string }>(
    `select m.id from messages m join unnest($1::uuid[], $2::uuid[]) as w (id, batch_id) on w.id = m.id
      where m.batch_id = w.batch_id and m.status in ('queued', 'claimed') limit 5`,
    [before.map(({ id }) => id), before.map(({ batchId }) => batchId)],
  )
  return rows.map(({ id }) => id)
}

async function throwAway({ db, redis }: Harness): Promise<void> {
  if (redis !== undefined) {
    const client = new Redis(redis.url)
    await client.flushall()
    await client.quit()
    return
  }
  const { rows } = await db.pool.query<{ name: string }>(
    `select quote_ident(schemaname) || '.' || quote_ident(tablename) as name from pg_tables
      where schemaname = 'bullmq' and tablename not like '%migration%'`,
  )
  const tables = rows.map(({ name }) => name).join(', ')
  // The workers take locks of their own in there; a deadlock with them ends this try, not the trial.
  for (;;) {
    try {
      await db.pool.query(`truncate ${tables} cascade`)
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
