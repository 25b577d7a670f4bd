// Cases: who owns one, by when she hears, who sees it, and what staff do about it.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import {
  type CaseKind,
  type CaseRole,
  caseKinds,
  casesOf,
  closeCase,
  countOpenCases,
  countSocialCases,
  openCase,
  takeCase,
} from '../../src/cases/cases.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  createMember,
  createProgramme,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'

let database: TestDatabase
let programme: TestProgramme
let awa: TestMember
let ungrouped: TestMember
const staff: Record<string, string> = {}

const people = {
  binta: { role: 'facilitator', language: 'fr' },
  outsider: { role: 'facilitator', language: 'fr' },
  wolof: { role: 'adviser', language: 'fr', languages: ['wo'] },
  wolofToo: { role: 'adviser', language: 'wo' },
  english: { role: 'adviser', language: 'en' },
  soda: { role: 'social_worker', language: 'fr' },
  sira: { role: 'social_worker', language: 'wo' },
  branch: { role: 'branch', language: 'fr' },
  boss: { role: 'administrator', language: 'fr' },
  auditor: { role: 'auditor', language: 'fr' },
}

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  programme = await createProgramme(db)
  awa = await createMember(db, programme, { number: 'N-awa' })
  ungrouped = await createMember(db, programme, { number: 'N-ungrouped' })
  await db.prisma.member.update({ where: { id: ungrouped.id }, data: { groupId: null } })
  for (const [index, [name, person]] of Object.entries(people).entries()) {
    const row = await db.prisma.staff.create({
      data: {
        programmeId: programme.id,
        firstName: name,
        lastName: 'Test',
        msisdn: `+22177610000${index}`,
        ...person,
      },
    })
    staff[name] = row.id
  }
  await db.prisma.group.update({
    where: { id: programme.groupId },
    data: { facilitatorId: staff.binta ?? '' },
  })
})
afterAll(() => database.drop())
beforeEach(async () => {
  const { pool } = database.db
  await pool.query(
    `delete from cases; update staff set active = true; update programmes set case_rules = '{}', holidays = '{}'`,
  )
})

let asked = 0
const ask = (kind: CaseKind, more: { member?: TestMember; language?: string; now?: Date } = {}) => {
  asked += 1
  const { member = awa, language, now = testNow } = more
  return openCase(database.db.pool, {
    programmeId: programme.id,
    memberId: member.id,
    kind,
    hopKey: `ask-${asked}`,
    now,
    language,
  })
}
const away = (...names: string[]) =>
  database.db.pool.query('update staff set active = false where first_name = any($1)', [names])
const ownerOf = async ({ reference }: { reference: string }) => {
  const { rows } = await database.db.pool.query<{ owner: string | null }>(
    'select s.first_name as owner from cases c left join staff s on s.id = c.owner_id where c.reference = $1',
    [reference],
  )
  return rows[0]?.owner
}
const rules = (written: object) =>
  database.db.pool.query('update programmes set case_rules = $1', [JSON.stringify(written)])
const seenBy = async (name: string, status: 'open' | 'closed' = 'open') => {
  const role = (people as Record<string, { role: string }>)[name]?.role as CaseRole
  const found = await casesOf(database.db.pool, {
    programmeId: programme.id,
    role,
    staffId: staff[name],
    status,
    limit: 50,
    now: testNow,
  })
  return found.map(({ kind }) => kind).sort()
}

describe('who owns a case', () => {
  test.each(['call_back', 'dispute', 'lost_phone', 'pin_reset'] as const)(
    '%s: the facilitator of her group, then the branch, then an administrator, then nobody',
    async (kind) => {
      expect(await ownerOf(await ask(kind))).toBe('binta')
      for (const [gone, next] of [
        ['binta', 'branch'],
        ['branch', 'boss'],
        ['boss', null],
      ]) {
        await database.db.pool.query('delete from cases')
        await away(gone ?? '')
        expect(await ownerOf(await ask(kind))).toBe(next)
      }
    },
  )

  test('of a member without a group: the branch', async () => {
    expect(await ownerOf(await ask('call_back', { member: ungrouped }))).toBe('branch')
  })

  test('adviser: one who speaks the language asked for, the one with the fewest open cases first', async () => {
    const first = await ownerOf(await ask('adviser', { language: 'wo' }))
    const second = await ownerOf(await ask('adviser', { member: ungrouped, language: 'wo' }))
    expect([first, second].sort()).toEqual(['wolof', 'wolofToo'])
    await database.db.pool.query('delete from cases')
    expect(await ownerOf(await ask('adviser', { language: 'en' }))).toBe('english')
    await database.db.pool.query('delete from cases')
    await away('english')
    expect(await ownerOf(await ask('adviser', { language: 'en' }))).toBe('branch')
  })

  test('social worker: one who speaks with her, and nobody when there is none', async () => {
    expect(await ownerOf(await ask('social_worker'))).toBe('soda')
    await database.db.pool.query('delete from cases')
    await away('soda')
    expect(await ownerOf(await ask('social_worker'))).toBe('sira')
    await database.db.pool.query('delete from cases')
    await away('sira')
    expect(await ownerOf(await ask('social_worker'))).toBe(null)
  })

  test('as the programme’s rule says', async () => {
    await rules({ call_back: { owner: 'administrator' }, adviser: { owner: 'facilitator' } })
    expect(await ownerOf(await ask('call_back'))).toBe('boss')
    expect(await ownerOf(await ask('adviser', { language: 'wo' }))).toBe('binta')
  })

  test('nobody of another programme', async () => {
    const other = await createProgramme(database.db, {
      code: 'other',
      serviceCode: '*384*2',
      senderId: 'OTHER',
      shortcode: '21385',
    })
    const stranger = await createMember(database.db, other, { number: 'X-1' })
    const opened = await openCase(database.db.pool, {
      programmeId: other.id,
      memberId: stranger.id,
      kind: 'call_back',
      hopKey: 'other',
      now: testNow,
    })
    expect(await ownerOf(opened)).toBe(null)
  })
})

describe('the promised day', () => {
  test('is a working day for every kind, over a weekend and holidays', async () => {
    // A Friday; Monday is a holiday.
    const now = new Date('2026-11-27T10:00:00Z')
    await database.db.pool.query(`update programmes set holidays = '{2026-11-30}'`)
    const days: Record<string, string | null> = {}
    for (const kind of caseKinds) days[kind] = (await ask(kind, { now })).promisedDate
    expect(days).toEqual({
      call_back: '2026-12-02',
      dispute: '2026-12-03',
      lost_phone: '2026-12-02',
      pin_reset: '2026-12-02',
      social_worker: '2026-12-02',
      adviser: '2026-12-07',
    })
  })

  test('counts from the day that it is where the programme is', async () => {
    await database.db.pool.query(`update programmes set time_zone = 'Asia/Kabul' where id = $1`, [
      programme.id,
    ])
    const late = await ask('call_back', { now: new Date('2026-11-23T20:00:00Z') })
    await database.db.pool.query(`update programmes set time_zone = 'Africa/Dakar' where id = $1`, [
      programme.id,
    ])
    expect(late.promisedDate).toBe('2026-11-26')
  })
})

test('the same asked 300 times at once is one case with one reference', async () => {
  const opened = await Promise.all(Array.from({ length: 300 }, () => ask('call_back')))
  expect(new Set(opened.map(({ reference }) => reference)).size).toBe(1)
  expect(opened.filter(({ openedNow }) => openedNow)).toHaveLength(1)
  const { rows } = await database.db.pool.query('select 1 from cases')
  expect(rows).toHaveLength(1)
})

describe('who sees a case', () => {
  const social = ['social_worker']
  const others = ['adviser', 'call_back', 'dispute', 'lost_phone', 'pin_reset']
  const ofGroup = others

  test.each([
    ['binta', ofGroup],
    ['outsider', []],
    ['wolof', ['adviser']],
    ['english', []],
    ['soda', social],
    ['sira', social],
    ['branch', others],
    ['boss', others],
    ['auditor', others],
  ])('%s sees %j', async (name, kinds) => {
    await away('wolofToo')
    for (const kind of caseKinds) await ask(kind, { language: 'wo' })
    expect(await seenBy(name)).toEqual(kinds)
    await database.db.pool.query(
      `update cases set status = 'closed', outcome = 'answered', closed_at = now()`,
    )
    expect(await seenBy(name, 'closed')).toEqual(kinds)
  })

  test('a program with a key sees none of the social workers’ cases', async () => {
    await ask('social_worker')
    const look = { programmeId: programme.id, role: 'api', status: 'open', limit: 9, now: testNow } as const
    expect(await casesOf(database.db.pool, look)).toEqual([])
    expect(await casesOf(database.db.pool, { ...look, ownerId: staff.soda })).toEqual([])
    expect(await casesOf(database.db.pool, { ...look, kind: 'social_worker' })).toEqual([])
    expect(await casesOf(database.db.pool, { ...look, memberId: awa.id })).toEqual([])
  })

  test('a facilitator or adviser without a name sees nothing', async () => {
    await ask('call_back')
    const look = { programmeId: programme.id, status: 'open', limit: 9, now: testNow } as const
    expect(await casesOf(database.db.pool, { ...look, role: 'facilitator' })).toEqual([])
    expect(await casesOf(database.db.pool, { ...look, role: 'adviser' })).toEqual([])
  })

  test('an administrator knows how many there are of the social workers’, and no more', async () => {
    await away('soda', 'sira')
    await ask('social_worker')
    const later = new Date('2026-12-22T10:00:00Z')
    expect(await countSocialCases(database.db.pool, programme.id, later)).toEqual({
      open: 1,
      overdue: 1,
      unowned: 1,
    })
    expect(await countOpenCases(database.db.pool, staff.boss ?? '', 'administrator', later)).toEqual({
      open: 0,
      overdue: 0,
    })
  })

  test('a count is of one’s own, and of what nobody owns for administrators', async () => {
    await ask('call_back')
    await ask('call_back', { member: ungrouped })
    const counts = async (name: string, role: CaseRole, now = testNow) =>
      countOpenCases(database.db.pool, staff[name] ?? '', role, now)
    expect(await counts('binta', 'facilitator')).toEqual({ open: 1, overdue: 0 })
    expect(await counts('binta', 'facilitator', new Date('2026-11-25T00:00:01Z'))).toEqual({
      open: 1,
      overdue: 1,
    })
    expect(await counts('outsider', 'facilitator')).toEqual({ open: 0, overdue: 0 })
    await database.db.pool.query('update cases set owner_id = null')
    expect(await counts('boss', 'administrator')).toEqual({ open: 2, overdue: 0 })
    expect(await counts('branch', 'branch')).toEqual({ open: 0, overdue: 0 })
  })

  test('pages follow each other without a gap or a repetition', async () => {
    for (let index = 0; index < 7; index += 1)
      await ask('call_back', { member: await createMember(database.db, programme, { number: `P-${index}` }) })
    for (const status of ['open', 'closed'] as const) {
      const found: string[] = []
      for (let before: string | undefined; ; before = found.at(-1)) {
        const page = await casesOf(database.db.pool, {
          programmeId: programme.id,
          role: 'branch',
          status,
          limit: 3,
          before,
          now: testNow,
        })
        found.push(...page.map(({ reference }) => reference))
        if (page.length < 3) break
      }
      expect(new Set(found).size).toBe(7)
      expect(found).toHaveLength(7)
      await database.db.pool.query(
        `update cases set status = 'closed', outcome = 'answered', closed_at = now()`,
      )
    }
  })
})

describe('what staff do', () => {
  const act = (name: string, reference: string) => {
    const role = (people as Record<string, { role: string }>)[name]?.role as CaseRole
    const staffId = staff[name] ?? ''
    return { programmeId: programme.id, role, staffId, reference, by: `staff:${staffId}`, now: testNow }
  }
  const audited = async () =>
    (
      await database.db.pool.query<{ action: string; row: string }>(
        `select action, concat(subject, ' ', before, ' ', after) as row from audit_log
          where programme_id = $1 and action like 'case.%' order by id`,
        [programme.id],
      )
    ).rows

  test('two who take a case at once: one has it', async () => {
    const { reference } = await ask('call_back')
    const names = ['binta', 'branch', 'boss']
    const taken = await Promise.all(names.map((name) => takeCase(database.db.pool, act(name, reference))))
    expect(taken.filter((one) => one?.takenNow === true)).toHaveLength(1)
    expect(new Set(taken.map((one) => one?.case.ownerId)).size).toBe(1)
  })

  test.each([
    ['an auditor', 'auditor', 'call_back'],
    ['a facilitator of another group', 'outsider', 'call_back'],
    ['an adviser who does not own it', 'english', 'adviser'],
    ['an administrator, of the social workers’', 'boss', 'social_worker'],
    ['her facilitator, of the social workers’', 'binta', 'social_worker'],
    ['a social worker, of the others', 'soda', 'call_back'],
  ] as const)('%s can neither take nor close', async (_who, name, kind) => {
    const { reference } = await ask(kind, { language: 'wo' })
    expect(await takeCase(database.db.pool, act(name, reference))).toBeUndefined()
    expect(
      await closeCase(database.db.pool, { ...act(name, reference), outcome: 'answered' }),
    ).toBeUndefined()
    const { rows } = await database.db.pool.query('select status, taken_at from cases')
    expect(rows).toEqual([{ status: 'open', taken_at: null }])
  })

  test('a case is closed once, and asked again it is another one', async () => {
    const first = await ask('social_worker')
    const close = () => closeCase(database.db.pool, { ...act('sira', first.reference), outcome: 'answered' })
    expect((await close())?.closedNow).toBe(true)
    expect((await close())?.closedNow).toBe(false)
    expect((await ask('social_worker')).reference).not.toBe(first.reference)
  })

  test('the audit log says who did what to which case, and never what it is about', async () => {
    const before = (await audited()).length
    const { reference } = await ask('social_worker')
    await takeCase(database.db.pool, act('soda', reference))
    await closeCase(database.db.pool, { ...act('soda', reference), outcome: 'answered' })
    const rows = (await audited()).slice(before)
    expect(rows.map(({ action }) => action)).toEqual(['case.taken', 'case.closed'])
    for (const { row } of rows) {
      expect(row).toContain(reference)
      expect(row).not.toMatch(/social|worker/)
      expect(row).not.toContain(awa.id)
    }
  })
})
