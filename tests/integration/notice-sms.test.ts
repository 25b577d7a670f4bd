import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { loadI18n } from '../../src/i18n.ts'
import { createLogger } from '../../src/logger.ts'
import { loadProgrammes } from '../../src/members/programmes.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createDecider } from '../../src/outbound/decision.ts'
import { createInbound, type Inbound } from '../../src/sms/inbound.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import {
  createMember,
  createProgramme,
  type TestMember,
  type TestProgramme,
  testNow,
} from '../support/fixtures.ts'

const binta = '+221776000000'
const boubacar = '+221776000001'
const auditor = '+221776000002'
const former = '+221776000003'
const both = '+221776000004'
const nafi = '+221776000005'
const minuteMs = 60_000

let database: TestDatabase
let programme: TestProgramme
let member: TestMember
let inbound: Inbound
const clock = fixedClock(testNow)
const i18n = loadI18n('locales')
const logLines: string[] = []
const logger = createLogger('trace', {
  write(line: string) {
    logLines.push(line)
  },
})

beforeAll(async () => {
  database = await createTestDatabase()
  const { db } = database
  programme = await createProgramme(db)
  const people = [
    { msisdn: binta, role: 'facilitator' },
    { msisdn: boubacar, role: 'branch', language: 'en' },
    { msisdn: auditor, role: 'auditor' },
    { msisdn: former, role: 'facilitator', active: false },
    { msisdn: both, role: 'adviser' },
    { msisdn: nafi, role: 'facilitator' },
  ]
  const ids: Record<string, string> = {}
  for (const person of people) {
    const data = { programmeId: programme.id, firstName: 'Awa', lastName: 'Sané', language: 'fr', ...person }
    ids[person.msisdn] = (await db.prisma.staff.create({ data })).id
  }
  const group = { programmeId: programme.id, place: 'Bignona' }
  await db.prisma.group.update({
    where: { id: programme.groupId },
    data: { facilitatorId: ids[binta] ?? null },
  })
  const twin = { ...group, name: 'Jappo Ndam', facilitatorId: ids[binta] ?? null }
  await db.prisma.group.create({ data: { ...twin, code: 'G02' } })
  await db.prisma.group.create({ data: { ...twin, code: 'G03' } })
  const others = await db.prisma.group.create({ data: { ...group, code: 'H01', name: 'Jappo' } })
  await createMember(db, programme, { groupId: others.id })
  member = await createMember(db, programme)
  await createMember(db, programme, { language: 'wo' })
  await createMember(db, programme, { msisdn: both })
  inbound = createInbound({
    db,
    clock,
    logger,
    metrics: createMetrics(),
    i18n,
    programmes: await loadProgrammes(db),
  })
})
afterAll(() => database.drop())

beforeEach(async () => {
  clock.set(testNow)
  logLines.length = 0
  await database.db.pool.query(`
    delete from notice_recipients; delete from notices; delete from message_events; delete from messages;
    delete from inbound_messages`)
})

let count = 0
async function send(text: string, from = binta, id?: string): Promise<string | undefined> {
  count += 1
  const before = await repliesTo(from)
  await inbound.receive({ provider: 'africastalking', id: id ?? `in-${count}`, from, to: '21384', text })
  const after = await repliesTo(from)
  if (after.length === before.length) return undefined
  const decide = createDecider({ db: database.db, i18n })
  const [decision] = await decide([after.at(-1) ?? ''], clock.now())
  return decision?.action === 'send' ? decision.text : decision?.reason
}

async function repliesTo(msisdn: string): Promise<string[]> {
  const { rows } = await database.db.pool.query<{ id: string }>(
    `select m.id from messages m join phones p on p.id = m.phone_id
      where p.msisdn = $1 and m.purpose = 'reply' order by m.id`,
    [msisdn],
  )
  return rows.map(({ id }) => id)
}

const notices = async () =>
  (
    await database.db.pool.query<{
      status: string
      texts: Record<string, string>
      code: string
      tries: number
    }>('select status, texts, confirm_code as code, confirm_tries as tries from notices order by id')
  ).rows

const codeIn = (reply: string | undefined) => /(\d{4})\D*$/.exec(reply ?? '')?.[1] ?? ''
const wrong = (code: string) => String((Number(code) + 1) % 10_000).padStart(4, '0')

describe('NOTICE from a facilitator', () => {
  test('drafts the words as they were written, names group, recipients, parts and a code, and the code sends it once', async () => {
    const reply = await send('AVIS G01 La réunion est à 10h, Chez Awa!')
    expect(reply).toMatch(
      /^FANSOTO: avis à G01\. Membres: 3, autre langue: 1, SMS chacune: 1\. Pour envoyer, répondez \d{4}$/,
    )
    const text = 'La réunion est à 10h, Chez Awa!'
    expect(await notices()).toMatchObject([{ status: 'draft', texts: { fr: text, en: text, wo: text } }])
    const code = codeIn(reply)
    expect(await send(code)).toMatch(/^FANSOTO: l'avis part dim 22 nov à 10h01\. Pour l'annuler: /)
    expect(await notices()).toMatchObject([{ status: 'approved', code: null }])
    expect(await send(code)).toMatch(/n'attend plus/)
    expect(await notices()).toMatchObject([{ status: 'approved' }])
  })

  test.each([
    ['its code', 'notice g01 Venez.'],
    ['its name in small letters', 'avis jappo Venez.'],
    ['a keyword of another language', 'NOTICE Jappo Venez.'],
  ])('finds the group by %s', async (_, text) => {
    expect(await send(text)).toMatch(/à G01\./)
    expect((await notices())[0]?.texts.fr).toBe('Venez.')
  })

  test('prefers the longest name, and asks again where two groups have it', async () => {
    expect(await send('avis jappo ndam Venez.')).toMatch(/Vos groupes: G01, G02, G03$/)
    expect(await notices()).toEqual([])
  })

  test.each([
    ['no group', 'avis'],
    ['a group that is not theirs', 'avis H01 Venez.'],
    ['no text', 'avis G01'],
  ])('with %s tells how to write it and drafts nothing', async (_, text) => {
    expect(await send(text)).toMatch(/^FANSOTO: envoyez AVIS, le groupe et le texte\. Vos groupes: G01/)
    expect(await notices()).toEqual([])
  })

  test('that is too long says so, and nothing is kept of it', async () => {
    expect(await send(`avis G01 ${'a'.repeat(161)}`)).toMatch(/trop long\. Rien n'est parti/)
    expect(await notices()).toEqual([])
  })

  test('of a group without members says that nobody can get it', async () => {
    expect(await send('avis G02 Venez.')).toMatch(/personne ne peut recevoir/)
    expect(await notices()).toEqual([])
  })

  test('sent five times by the provider is one draft and one reply', async () => {
    for (let time = 0; time < 5; time += 1) await send('avis G01 Venez.', binta, 'the same')
    expect(await notices()).toHaveLength(1)
    expect(await repliesTo(binta)).toHaveLength(1)
  })
})

describe('the code', () => {
  test('counts wrong answers, and after five the notice waits no more', async () => {
    const code = codeIn(await send('avis G01 Venez.'))
    for (const left of [4, 3, 2, 1]) expect(await send(wrong(code))).toMatch(new RegExp(`restants: ${left}$`))
    expect(await send(wrong(code))).toMatch(/n'attend plus/)
    expect(await send(code)).toMatch(/n'attend plus/)
    expect(await notices()).toMatchObject([{ status: 'draft', code: null, tries: 5 }])
  })

  test('is good for half an hour', async () => {
    const code = codeIn(await send('avis G01 Venez.'))
    clock.advanceMs(30 * minuteMs)
    expect(await send(code)).toMatch(/n'attend plus/)
    clock.set(testNow)
    clock.advanceMs(29 * minuteMs)
    expect(await send(code)).toMatch(/part dim 22 nov à 10h30/)
  })

  test('counts only from the number that wrote the notice', async () => {
    const code = codeIn(await send('avis G01 Venez.'))
    expect(await send(code, nafi)).toMatch(/n'attend plus/)
    expect(await send(code, member.msisdn)).toMatch(/pas compris/)
    expect(await send(code, '+221779999999')).toMatch(/ne connaissons pas/)
    expect(await notices()).toMatchObject([{ status: 'draft', tries: 0 }])
  })

  test('says when the notice leaves: outside the hours of the programme, the next morning', async () => {
    clock.set(new Date('2026-11-22T21:30:00Z'))
    const code = codeIn(await send('avis G01 Venez.'))
    expect(await send(code)).toMatch(/part lun 23 nov à 08h00/)
  })

  test('of a newer notice takes the place of the older one', async () => {
    const first = codeIn(await send('avis G01 Venez.'))
    const second = codeIn(await send('avis G01 Venez demain.'))
    if (first !== second) expect(await send(first)).toMatch(/code faux/)
    expect(await send(second)).toMatch(/part dim 22 nov à 10h01/)
    expect(await notices()).toMatchObject([{ status: 'draft', code: null }, { status: 'approved' }])
  })

  test('waits for a second person above the programme’s limit', async () => {
    await database.db.pool.query('update programmes set approval_above = 1')
    try {
      expect(await send(codeIn(await send('avis G01 Venez.')))).toMatch(/une autre personne doit accepter/)
      expect(await notices()).toMatchObject([{ status: 'waiting' }])
    } finally {
      await database.db.pool.query('update programmes set approval_above = 200')
    }
  })
})

test('the branch reaches every group, in its own language', async () => {
  expect(await send('notice H01 Please come.', boubacar)).toMatch(/^FANSOTO: notice to H01\. Members: 1/)
})

test('from any other number it is a text like any other: nobody learns who is staff, nothing is drafted', async () => {
  const plain = await send('venez', member.msisdn)
  await database.db.pool.query('delete from messages; delete from inbound_messages')
  expect(await send('avis G01 Venez.', member.msisdn)).toBe(plain)
  const stranger = await send('avis G01 Venez.', '+221779999998')
  expect(stranger).toMatch(/nous ne connaissons pas ce numéro/)
  expect(await send('avis G01 Venez.', auditor)).toBe(stranger)
  expect(await send('avis G01 Venez.', former)).toBe(stranger)
  expect(await notices()).toEqual([])
})

test('who is staff and a member keeps every keyword of members', async () => {
  expect(await send('avis', both)).toMatch(/^FANSOTO: envoyez AVIS/)
  expect(await send('solde', both)).toMatch(/la réponse est sur/)
  expect(await send('STOP', both)).toMatch(/nous n'envoyons plus de messages/)
  expect(await send('START', both)).toMatch(/vous recevrez nos messages/)
})

test('no log says what was written', async () => {
  const code = codeIn(await send('avis G01 Un secret de village.'))
  await send(code)
  expect(logLines.length).toBeGreaterThan(0)
  for (const line of logLines)
    expect(line).not.toMatch(new RegExp(`secret|village|${code}|${binta.slice(1)}`))
})
