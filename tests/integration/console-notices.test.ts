// Notices in the console: written with a preview, sent, approved by a second person, taken back, followed and read out.
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { type ConsoleUnderTest, createStaff, serveConsole, type TestBrowser } from '../support/console.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  createMember,
  createProgramme,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'
import { bringTo, noticePlanner } from '../support/notices.ts'

let database: TestDatabase
let programme: TestProgramme
let console: ConsoleUnderTest
let facilitator: TestBrowser
let branch: TestBrowser
let administrator: TestBrowser
let french: TestMember
let wolof: TestMember
const clock = fixedClock(testNow)

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  programme = await createProgramme(db)
  french = await createMember(db, programme, { firstName: 'Mariama', number: 'N-1', language: 'fr' })
  wolof = await createMember(db, programme, { firstName: 'Ndeye', number: 'N-2', language: 'wo' })
  console = await serveConsole(db, { clock, budgets: { asks: 500, entries: 500, pages: 5_000 } })
  const open = async (role: 'facilitator' | 'branch' | 'administrator') => {
    const { id } = await createStaff(
      db,
      programme.id,
      role,
      role === 'facilitator' ? { groupId: programme.groupId } : {},
    )
    const browser = await console.signedIn(id)
    await browser.get('/')
    return browser
  }
  facilitator = await open('facilitator')
  branch = await open('branch')
  administrator = await open('administrator')
})
afterAll(async () => {
  await console.close()
  await database.drop()
})

let keys = 0
const key = () => {
  keys += 1
  return `00000000-0000-4000-8000-${String(keys).padStart(12, '0')}`
}

/** What the form sends, with a key of its own. */
const filled = (change: Record<string, string | string[]> = {}) => ({
  key: key(),
  group: [programme.groupId],
  purpose: 'service',
  template: 'bring_booklet',
  ...change,
})

async function written(browser: TestBrowser, change: Record<string, string | string[]> = {}) {
  const reply = await browser.submit('/notices/new', filled(change))
  expect(reply.status, reply.text.slice(0, 2_000)).toBe(303)
  return reply.location?.replace('/console', '') ?? ''
}

const rowsOf = async (table: string) =>
  (await database.db.pool.query<{ count: number }>(`select count(*)::int as count from ${table}`)).rows[0]
    ?.count ?? 0

const statusOf = async (path: string) =>
  (
    await database.db.pool.query<{ status: string }>('select status from notices where id = $1', [
      path.split('/')[2],
    ])
  ).rows[0]?.status

describe('writing', () => {
  it('shows each language as on a phone, with alphabet, segments and recipients, before anything leaves', async () => {
    const path = await written(facilitator, {
      template: 'free',
      'text.fr': 'Le bureau est fermé demain.',
      'text.wo': 'Bureau bi dafa tëj ëllëg.',
      'text.en': 'The office is closed tomorrow.',
    })
    const { text } = await facilitator.get(path)
    expect(text).toContain('Le bureau est fermé demain.')
    expect(text).toContain('of 160 in one SMS')
    expect(text).toContain('Draft, not sent')
    expect(text.match(/class="sms"/g)).toHaveLength(2)
    expect(await statusOf(path)).toBe('draft')
    expect(await rowsOf('messages')).toBe(0)
  })

  it.each([
    ['nobody named', { group: [], purpose: 'service' }, 'Say for whom it is', 'branch'],
    [
      'a text too long in one language only',
      { template: 'free', 'text.fr': 'Bon.', 'text.wo': 'b'.repeat(1_000) },
      'Wolof: too long',
      'facilitator',
    ],
    [
      'a language without a text',
      { template: 'free', 'text.fr': 'Bon.' },
      'there is no text in it',
      'facilitator',
    ],
    ['a day that is over', { sendDay: '2020-01-01', sendTime: '10:00' }, 'is over already', 'facilitator'],
    [
      'an end before the start',
      { sendDay: '2027-01-02', endDay: '2027-01-01' },
      'end before it is sent',
      'facilitator',
    ],
    ['a day that is none', { sendDay: 'soon' }, 'A day needs to be a day', 'facilitator'],
    ['a field that is missing', { template: 'meeting_cancelled' }, 'Day: It is missing', 'facilitator'],
    ['an unknown template', { template: 'x' }, 'Choose one of the list', 'facilitator'],
    [
      'a group that is gone',
      { group: ['00000000-0000-7000-8000-000000000000'] },
      'no longer there',
      'branch',
    ],
  ] as const)(
    '%s is said in words, keeps what was entered and writes nothing',
    async (_what, change, said, who) => {
      const before = [await rowsOf('notices'), await rowsOf('audit_log')]
      const browser = who === 'branch' ? branch : facilitator
      const reply = await browser.submit('/notices/new', filled(change as Record<string, string>))
      expect(reply.status).toBe(422)
      expect(reply.text).toContain(said)
      expect([await rowsOf('notices'), await rowsOf('audit_log')]).toEqual(before)
    },
  )

  it('an audience in which nobody is, is said in words and writes nothing', async () => {
    const group = await database.db.prisma.group.create({
      data: { programmeId: programme.id, code: 'G08', name: 'Vide', place: 'Bignona' },
    })
    const before = await rowsOf('notices')
    const reply = await branch.submit('/notices/new', filled({ group: [group.id] }))
    expect([reply.status, await rowsOf('notices')]).toEqual([422, before])
    expect(reply.text).toContain('Nobody is in this audience.')
  })

  it('the same form sent twice is one notice', async () => {
    const form = filled()
    const before = await rowsOf('notices')
    const [one, two] = [
      await facilitator.submit('/notices/new', form),
      await facilitator.submit('/notices/new', form),
    ]
    expect(two.location).toBe(one.location)
    expect(await rowsOf('notices')).toBe(before + 1)
  })

  it('another group is refused, and of its notices a facilitator sees nothing', async () => {
    const { db } = database
    const group = await db.prisma.group.create({
      data: { programmeId: programme.id, code: 'G09', name: 'Kassoumay', place: 'Bignona' },
    })
    await createMember(db, programme, { firstName: 'Oumou', number: 'N-9', groupId: group.id })
    const reply = await facilitator.submit('/notices/new', filled({ group: [group.id] }))
    expect(reply.status).toBe(422)
    expect(reply.text).toContain('You may not do that')
    const path = await written(branch, { group: [group.id] })
    expect((await facilitator.get(path)).status).toBe(404)
    expect((await facilitator.submit(`${path}/stop`)).status).toBe(404)
    expect((await facilitator.get('/notices')).text).not.toContain(path)
    expect((await branch.get('/notices')).text).toContain(path)
  })
})

describe('sending', () => {
  it('below the limit it is approved at once, can be taken back for a minute, and then only stopped', async () => {
    const path = await written(facilitator)
    const sent = await facilitator.submit(`${path}/send`)
    expect(sent.location).toContain('done=notice_approved')
    expect((await facilitator.get(path)).text).toContain('Take it back')
    expect((await facilitator.submit(`${path}/undo`)).location).toContain('done=notice_undone')
    expect(await statusOf(path)).toBe('undone')
    const again = await facilitator.submit(`${path}/send`)
    expect(again.status).toBe(409)
    expect(again.text).toContain('It was taken back')
  })

  it('above the limit a second person approves; the author and whoever comes second hear why not', async () => {
    const { pool } = database.db
    await pool.query('update programmes set approval_above = 1 where id = $1', [programme.id])
    const path = await written(branch)
    expect((await branch.get(path)).text).toContain('A second person must approve it')
    expect((await branch.submit(`${path}/send`)).location).toContain('done=notice_waiting')
    const own = await branch.submit(`${path}/approve`)
    expect(own.status).toBe(409)
    expect(own.text).toContain('Somebody else must approve what you wrote')
    expect((await administrator.get('/')).text).toContain(path)
    const both = await Promise.all([
      administrator.submit(`${path}/approve`),
      administrator.submit(`${path}/refuse`),
    ])
    expect(both.map(({ status }) => status).sort()).toEqual([303, 409])
    await pool.query('update programmes set approval_above = 200 where id = $1', [programme.id])
  })

  it('two people who approve at once: one has approved it, nobody is shown an error, and the log has one row', async () => {
    const { pool } = database.db
    await pool.query('update programmes set approval_above = 1 where id = $1', [programme.id])
    const path = await written(branch)
    await Promise.all([branch.submit(`${path}/send`), branch.submit(`${path}/send`)])
    const second = await console.signedIn((await createStaff(database.db, programme.id, 'administrator')).id)
    await second.get(path)
    const both = await Promise.all([
      administrator.submit(`${path}/approve`),
      second.submit(`${path}/approve`),
    ])
    expect(both.map(({ status }) => status).every((status) => status === 303 || status === 409)).toBe(true)
    expect(both.some(({ status }) => status === 303)).toBe(true)
    expect(await statusOf(path)).toBe('approved')
    const { rows } = await pool.query(
      `select action, count(*)::int as count from audit_log where subject = $1 group by 1 order by 1`,
      [`notice:${path.split('/')[2]}`],
    )
    expect(rows.map(({ action, count }) => `${action} ${count}`)).toEqual([
      'notice.approved 1',
      'notice.drafted 1',
      'notice.sent 1',
    ])
    await pool.query('update programmes set approval_above = 200 where id = $1', [programme.id])
  })

  it('whose group is deleted meanwhile is refused in words when it is sent, and when it is approved', async () => {
    const { db } = database
    const group = await db.prisma.group.create({
      data: { programmeId: programme.id, code: 'G07', name: 'Bientôt', place: 'Bignona' },
    })
    await db.pool.query('update members set group_id = $1 where id = $2', [group.id, french.id])
    await db.pool.query('update programmes set approval_above = 0 where id = $1', [programme.id])
    const [draft, waiting] = [
      await written(branch, { group: [group.id] }),
      await written(branch, { group: [group.id] }),
    ]
    await branch.submit(`${waiting}/send`)
    await db.pool.query('update members set group_id = $1 where id = $2', [programme.groupId, french.id])
    await db.pool.query('delete from groups where id = $1', [group.id])
    for (const [path, browser, verb, status] of [
      [draft, branch, 'send', 'draft'],
      [waiting, administrator, 'approve', 'waiting'],
    ] as const) {
      const page = await browser.get(path)
      expect(page.status).toBe(200)
      expect(page.text).toContain('no longer there')
      const reply = await browser.submit(`${path}/${verb}`)
      expect(reply.status, verb).toBe(409)
      expect(reply.text, verb).toContain('A group is no longer there.')
      expect(await statusOf(path), verb).toBe(status)
    }
    await db.pool.query('update programmes set approval_above = 200 where id = $1', [programme.id])
  })

  it('what became of it is told for each member, and who was not reached is read out and ticked off', async () => {
    const { db } = database
    const path = await written(facilitator, {
      template: 'free',
      'text.fr': 'Apportez le carnet.',
      'text.wo': 'Indil sa kayit.',
      'text.en': 'Bring the booklet.',
    })
    await facilitator.submit(`${path}/send`)
    await noticePlanner(db).planOnce(new Date(testNow.getTime() + 61_000))
    const waiting = await facilitator.get(path)
    expect(waiting.text).toMatch(/Waiting \d/)
    // The network says of one that it arrived, of the other that it did not.
    const id = path.split('/')[2] ?? ''
    await bringTo(db, id, french.number, 'delivered')
    await bringTo(db, id, wolof.number, 'undelivered')
    const shown = await facilitator.get(path)
    expect(shown.text).toMatch(/Reached 1/)
    expect(shown.text).toMatch(/Not reached 1/)
    const list = `${path}/read-out?group=${programme.groupId}`
    const readOut = await facilitator.get(list)
    expect(readOut.text).toContain('Ndeye')
    expect(readOut.text).not.toContain('Mariama')
    expect(readOut.text).toContain('Indil sa kayit.')
    const told = { group: programme.groupId, member: wolof.id }
    expect((await facilitator.submit(`${path}/told`, told)).location).toContain('done=told')
    expect((await facilitator.get(list)).text).toContain('Everybody is reached or told')
    const twice = await facilitator.submit(`${path}/told`, told)
    expect(twice.status).toBe(409)
    expect((await facilitator.get(path)).text).toMatch(/Told 1/)
  })

  it('a facilitator sees of a notice to all what became of it in her own groups only', async () => {
    const { db } = database
    const path = await written(branch, { group: [], everybody: 'yes' })
    await branch.submit(`${path}/send`)
    await noticePlanner(db).planOnce(new Date(testNow.getTime() + 61_000))
    expect((await branch.get(path)).text).toMatch(/Waiting 3[\s\S]*Kassoumay[\s\S]*Oumou/)
    const { text } = await facilitator.get(path)
    expect(text).toMatch(/Waiting 2/)
    expect(text).toContain('Ndeye')
    expect(text).not.toMatch(/Waiting 3|Kassoumay|Oumou/)
  })

  it('is stopped half way: what had not left never does', async () => {
    const { db } = database
    const path = await written(facilitator)
    await facilitator.submit(`${path}/send`)
    await noticePlanner(db).planOnce(new Date(testNow.getTime() + 120_000))
    const reply = await facilitator.submit(`${path}/stop`)
    expect(reply.location).toContain('done=notice_stopped')
    const { rows } = await db.pool.query<{ status: string }>(
      'select distinct status from messages where notice_id = $1',
      [path.split('/')[2]],
    )
    expect(rows).toEqual([{ status: 'cancelled' }])
  })
})
