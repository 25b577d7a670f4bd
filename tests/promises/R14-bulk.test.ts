// A notice to everybody is under way: replies, codes and receipts do not wait behind it, and a worker that is killed half way
// leaves it to be finished, nobody told twice.
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { createMessages } from '../../src/outbound/outbox.ts'
import { ageOpenMessages, auditMessages, sentTwice } from '../support/audit.ts'
import { anyServing, pause, percentile, postCallback, smsFields } from '../support/callers.ts'
import { type Crowd, createCrowd } from '../support/crowd.ts'
import { backends, type Harness, startHarness } from '../support/harness.ts'
import { atScale, isFull, showFigure } from '../support/promises.ts'

const receivers = atScale(300, 10_000)
const asked = atScale(25, 300)
/** With ten calls at once. */
const callsMax = 10
const waitMaxMs = 2_000
const place = 'Foyer'

describe.each(backends)('with the queue on %s', (backend) => {
  it(`a notice to ${receivers}: replies, codes and receipts wait under 2 s, and a kill half way doubles nothing`, {
    timeout: atScale(180_000, 900_000),
  }, async () => {
    const harness = await startHarness({ backend })
    onTestFinished(() => harness.close())
    const { db, provider } = harness
    const crowd = await createCrowd(db, receivers + 2 * asked)
    // Slow while the others ask: the notice must be under way until the last of them.
    let noticeMs = atScale(2_000, 300)
    provider.answer = ({ text }, accept) =>
      setTimeout(accept, 50 + Math.random() * 100 + (text.includes(place) ? noticeMs : 0))
    const webs = [harness.keep('web')]
    const workers = [harness.keep('worker'), harness.keep('worker')]
    await Promise.all([...webs, ...workers].map((one) => one.filled()))

    await writeNotice(harness, crowd)
    const bulk = () => counts(harness, 'bulk')
    await expect.poll(async () => (await bulk()).begun, { timeout: 60_000, interval: 20 }).toBeGreaterThan(10)
    for (let index = 0; index < asked; index += 1) {
      const first = receivers + 2 * index
      await crowd.deposit(first)
      const msisdn = crowd.msisdnOf(first + 1)
      await postCallback(anyServing(webs) ?? '', 'sms', smsFields(`ask-${index}`, msisdn, 'SOLDE'))
      await writeCode(harness, crowd, index)
      await pause(50 + Math.random() * 100)
    }
    // Else nothing was under way any more, and the trial shows nothing.
    expect((await bulk()).open).toBeGreaterThan(0)
    await workers[0]?.end('SIGKILL')
    const killed = (await bulk()).submitting
    noticeMs = 0
    await expect
      .poll(async () => (await counts(harness, 'urgent')).open, { timeout: 60_000, interval: 200 })
      .toBe(0)
    await expect.poll(async () => (await bulk()).open, { timeout: 600_000, interval: 500 }).toBe(0)
    if (!isFull) await ageOpenMessages(db)
    await expect.poll(async () => (await bulk()).submitting, { timeout: 70_000, interval: 500 }).toBe(0)

    expect(sentTwice(provider)).toEqual([])
    await auditMessages(db)
    const waits = await waitsMs(harness)
    const { done, unknown } = await bulk()
    expect(done + unknown).toBe(receivers)
    expect(unknown).toBeLessThanOrEqual(Math.max(callsMax, killed))
    for (const [purpose, ms] of Object.entries(waits)) {
      expect(ms.length).toBe(asked)
      expect(percentile(ms, 0.95), purpose).toBeLessThan(waitMaxMs)
    }
    const shown = Object.entries(waits).map(
      ([purpose, ms]) => `${purpose} ${Math.round(percentile(ms, 0.95))} ms`,
    )
    showFigure(
      'R14',
      `${backend}: during a notice to ${receivers}, 95 of 100 began within: ${shown.join(', ')}; a worker killed half way: 0 twice, ${unknown} unknown`,
    )
  })
})

/** A text of her own to each, the hardest case: no two share a call. */
async function writeNotice({ db }: Harness, { programme }: Crowd): Promise<void> {
  const meeting = await db.prisma.meeting.create({
    data: {
      groupId: programme.groupId,
      startsAt: new Date(systemClock.now().getTime() + 86_400_000),
      place,
    },
  })
  const { rows } = await db.pool.query<{ id: string; number: string }>(
    'select id, number from members where substr(number, 2)::int < $1',
    [receivers],
  )
  const notBefore = systemClock.now()
  await createMessages(
    db.pool,
    rows.map(({ id, number }) => ({
      programmeId: programme.id,
      memberId: id,
      purpose: 'notice' as const,
      template: 'reminder.meeting',
      lane: 'bulk' as const,
      dedupeKey: `notice/1/${number}`,
      meetingId: meeting.id,
      notBefore,
    })),
  )
}

async function writeCode({ db }: Harness, { programme, msisdnOf }: Crowd, index: number): Promise<void> {
  const { rows } = await db.pool.query<{ id: string }>('select id from phones where msisdn = $1', [
    msisdnOf(index),
  ])
  await createMessages(db.pool, [
    {
      programmeId: programme.id,
      phoneId: rows[0]?.id ?? '',
      purpose: 'code',
      template: 'reply.help',
      lane: 'urgent',
      dedupeKey: `code/${index}`,
      notBefore: systemClock.now(),
    },
  ])
}

async function counts({ db }: Harness, lane: string) {
  const { rows } = await db.pool.query<{
    open: number
    begun: number
    submitting: number
    done: number
    unknown: number
  }>(
    `select count(*) filter (where status in ('created', 'queued', 'claimed'))::int as open,
            count(*) filter (where status not in ('created', 'queued', 'claimed'))::int as begun,
            count(*) filter (where status = 'submitting')::int as submitting,
            count(*) filter (where status = 'submitted')::int as done,
            count(*) filter (where status = 'unknown')::int as unknown
       from messages where lane = $1`,
    [lane],
  )
  return rows[0] ?? { open: 0, begun: 0, submitting: 0, done: 0, unknown: 0 }
}

/** From the commit of what asks for it to the call, by purpose. */
async function waitsMs({ db }: Harness): Promise<Record<string, number[]>> {
  const { rows } = await db.pool.query<{ purpose: string; ms: number[] }>(
    `select m.purpose, array_agg(extract(epoch from v.at - coalesce(e.created_at, m.created_at))::float * 1000) as ms
       from messages m left join entries e on e.id = m.entry_id
       join lateral (select min(occurred_at) as at from message_events
                      where message_id = m.id and to_status = 'submitting') v on true
      where m.lane = 'urgent' group by m.purpose`,
  )
  return Object.fromEntries(rows.map(({ purpose, ms }) => [purpose, ms]))
}
