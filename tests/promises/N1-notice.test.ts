// Planners and workers are killed while a notice is under way, in the middle of its planning too: it goes on, each member gets it once.
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../src/clock.ts'
import { draftNotice, sendNotice } from '../../src/notices/notices.ts'
import { noticeProgress } from '../../src/notices/progress.ts'
import { ageOpenMessages, auditMessages, countByStatus, sentTwice } from '../support/audit.ts'
import { type Crowd, createCrowd } from '../support/crowd.ts'
import { backends, type Harness, type Place, startHarness } from '../support/harness.ts'
import { createStaff, i18n } from '../support/notices.ts'
import { atScale, isFull, showFigure } from '../support/promises.ts'

const members = atScale(300, 10_000)
const planningKills = atScale(2, 20)
const sendingKills = atScale(2, 20)
const notices = 4
/** Few and slow, so that a kill finds a notice half way. */
const callsMax = 2
const callMs = 500
/** Receivers of a call. */
const recipientsMax = 100
/** One member in ten shares the phone of the one before her. */
const phones = members - members / 10

describe.each(backends)('with the queue on %s', (backend) => {
  it(`${notices} notices to ${members} members of ${phones} phones: ${planningKills} planners killed in it, ${sendingKills} workers: nobody lost, nobody twice`, {
    timeout: atScale(420_000, 1_800_000),
  }, async () => {
    const harness = await startHarness({ backend, environment: { SEND_CALLS_MAX: String(callsMax) } })
    onTestFinished(() => harness.close())
    const { db, provider } = harness
    const crowd = await createCrowd(db, members)
    await sharePhones(harness)
    provider.answer = (_, accept) => setTimeout(accept, callMs + Math.random() * 2 * callMs)
    const planners = [harness.keep('planner'), harness.keep('planner')]
    await Promise.all(planners.map((one) => one.filled()))
    const ids = await writeNotices(harness, crowd)
    for (let kill = 0; kill < planningKills; kill += 1) await killInPlanning(harness, planners)
    const workers = [harness.keep('worker'), harness.keep('worker')]
    for (let kill = 0; kill < sendingKills; kill += 1) await killInSending(harness, workers)
    const waiting = async () => {
      const { created = 0, queued = 0, claimed = 0 } = await countByStatus(db)
      return created + queued + claimed
    }
    const progress = async () => Promise.all(ids.map((id) => noticeProgress(db.pool, id)))
    await expect
      .poll(async () => (await progress()).map(({ total }) => total), { timeout: 60_000, interval: 500 })
      .toEqual(ids.map(() => members))
    await expect.poll(waiting, { timeout: 300_000, interval: 500 }).toBe(0)
    if (!isFull) await ageOpenMessages(db)
    await expect
      .poll(async () => (await countByStatus(db)).submitting ?? 0, { timeout: 90_000, interval: 500 })
      .toBe(0)

    expect(sentTwice(provider)).toEqual([])
    await auditMessages(db)
    const { submitted = 0, unknown = 0, ...others } = await countByStatus(db)
    expect(others).toEqual({})
    expect(submitted + unknown).toBe(phones * notices)
    const heard = new Set(provider.calls.flatMap((call) => call.recipients))
    expect(heard.size).toBeLessThanOrEqual(phones)
    expect(receiversOf(provider)).toBeGreaterThanOrEqual(submitted)
    // What nobody can know is at most what was under way at the kills.
    expect(unknown).toBeLessThanOrEqual(sendingKills * callsMax * recipientsMax)
    for (const { byState } of await progress()) expect(byState.sent + byState.unknown).toBe(members)
    showFigure(
      'N1',
      `${backend}: ${notices} notices to ${members} members of ${phones} phones, ${planningKills} planners killed in the middle of a batch, ${sendingKills} workers under calls: ` +
        `0 lost, 0 twice, ${unknown} unknown, ${((phones * notices) / provider.calls.length).toFixed(1)} messages a call`,
    )
  })
})

async function sharePhones({ db }: Harness): Promise<void> {
  await db.pool.query(
    `update member_phones mp set phone_id = other.phone_id
       from members m, members o join member_phones other on other.member_id = o.id
      where mp.member_id = m.id and substr(m.number, 2)::int % 10 = 9 and o.number = 'M' || (substr(m.number, 2)::int - 1)`,
  )
}

const receiversOf = ({ calls }: Harness['provider']) =>
  calls.reduce((sum, { recipients }) => sum + recipients.length, 0)

/** Let go long enough ago that they are due, but held until the first kill is prepared. */
async function writeNotices({ db }: Harness, { programme }: Crowd): Promise<string[]> {
  await db.pool.query('update programmes set approval_above = 1000000, daily_cap = 100, weekly_cap = 100')
  const author = { staffId: await createStaff(db, programme, 'administrator') }
  const now = new Date(systemClock.now().getTime() - 120_000)
  const ids: string[] = []
  for (let index = 0; index < notices; index += 1)
    await db.transaction(async (tx) => {
      const draft = await draftNotice(tx, i18n, {
        programmeId: programme.id,
        author,
        channel: 'console',
        purpose: 'service',
        audience: {},
        texts: { fr: `Annonce ${index}: le bureau est ouvert samedi.` },
        dedupeKey: `trial/${index}`,
        now,
      })
      if ('faults' in draft) throw new Error(JSON.stringify(draft.faults))
      expect(await sendNotice(tx, draft.id, author, now)).toMatchObject({ outcome: 'approved' })
      await tx.query(`update notices set approved_at = approved_at + interval '1 hour' where id = $1`, [
        draft.id,
      ])
      ids.push(draft.id)
    })
  return ids
}

/** The table of recipients is held, so that a planner stands still in the middle of its statement; there it is killed. */
async function killInPlanning({ db }: Harness, planners: readonly Place[]): Promise<void> {
  const holder = await db.pool.connect()
  try {
    await holder.query('begin; lock table notice_recipients in share mode')
    await db.pool.query(
      `update notices set approved_at = approved_at - interval '1 hour' where approved_at > now()`,
    )
    const stuck = async () =>
      (
        await db.pool.query(
          `select 1 from pg_stat_activity where wait_event_type = 'Lock' and query like '%with open as materialized%' and datname = current_database()`,
        )
      ).rowCount
    await expect.poll(stuck, { timeout: 60_000, interval: 20 }).toBeGreaterThan(0)
    // Either may be the one that stands there: both go.
    await Promise.all(planners.filter((one) => one.running() !== undefined).map((one) => one.end('SIGKILL')))
    await db.pool.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where query like '%with open as materialized%' and wait_event_type = 'Lock' and datname = current_database()`,
    )
    const { rows } = await db.pool.query('select 1 from messages where notice_id is not null')
    expect(rows).toEqual([])
  } finally {
    await holder.query('rollback')
    holder.release()
  }
}

async function killInSending({ db, provider }: Harness, workers: readonly Place[]): Promise<void> {
  for (;;) {
    const busy = workers.find((place) => {
      const username = place.serving()?.username
      return [...provider.underWay].some((call) => call.username === username)
    })
    if (busy !== undefined) {
      await busy.end('SIGKILL')
      return
    }
    const { created = 0, queued = 0, claimed = 0 } = await countByStatus(db)
    const { rows } = await db.pool.query(
      `select 1 from notices where status in ('approved', 'sending') and planned_at is null`,
    )
    // Else the trial would show nothing.
    expect(created + queued + claimed + rows.length).toBeGreaterThan(0)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
