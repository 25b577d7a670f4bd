// A notice from its draft to its start: what is refused, who may, what it will look like and cost, who must approve.
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { loadI18n } from '../../src/i18n.ts'
import {
  type Author,
  approveNotice,
  draftNotice,
  type NoticeDraft,
  previewNotice,
  refuseNotice,
  sendNotice,
  stopNotice,
  undoNotice,
} from '../../src/notices/notices.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createMember, createProgramme, type TestProgramme, testNow } from '../support/fixtures.ts'

const i18n = loadI18n('locales')
let database: TestDatabase
let programme: TestProgramme
let admin: string
let keys = 0

const made: TestDatabase[] = []
beforeEach(async () => {
  database = await createTestDatabase()
  made.push(database)
  programme = await createProgramme(database.db)
  admin = await staff('administrator')
})
afterAll(() => Promise.all(made.map((one) => one.drop())))

async function staff(role: string, overrides: { groupId?: string } = {}): Promise<string> {
  const { id } = await database.db.prisma.staff.create({
    data: {
      programmeId: programme.id,
      firstName: 'Binta',
      lastName: 'Sané',
      msisdn: `+2217790${String(10_000 + ++keys)}`,
      role,
      language: 'fr',
    },
  })
  if (overrides.groupId !== undefined)
    await database.db.prisma.group.update({ where: { id: overrides.groupId }, data: { facilitatorId: id } })
  return id
}

async function group(code: string): Promise<string> {
  const { id } = await database.db.prisma.group.create({
    data: { programmeId: programme.id, code, name: code, place: 'Bignona' },
  })
  return id
}

const minutes = (count: number) => new Date(testNow.getTime() + count * 60_000)

const asked = (change: Partial<NoticeDraft> = {}): NoticeDraft => ({
  programmeId: programme.id,
  author: { staffId: admin },
  channel: 'console',
  purpose: 'service',
  audience: { groupIds: [programme.groupId] },
  texts: { fr: 'Le bureau est fermé demain.' },
  dedupeKey: `test/${++keys}`,
  now: testNow,
  ...change,
})

const draft = (change: Partial<NoticeDraft> = {}) => draftNotice(database.db.pool, i18n, asked(change))

async function drafted(change: Partial<NoticeDraft> = {}): Promise<string> {
  const made = await draft(change)
  if ('faults' in made) throw new Error(JSON.stringify(made.faults))
  return made.id
}

async function faultsOf(change: Partial<NoticeDraft>): Promise<string[]> {
  const made = await draft(change)
  return 'faults' in made ? made.faults.map(({ field, code }) => `${field} ${code}`) : []
}

const send = (id: string, author: Author = { staffId: admin }, now = testNow) =>
  database.db.transaction((tx) => sendNotice(tx, id, author, now))

const statusOf = async (id: string) =>
  (await database.db.pool.query<{ status: string }>('select status from notices where id = $1', [id])).rows[0]
    ?.status

const approvalAbove = (limit: number) =>
  database.db.pool.query('update programmes set approval_above = $1', [limit])

describe('a draft', () => {
  it('is written once under its key, and refused under it with other words', async () => {
    await createMember(database.db, programme)
    const one = asked()
    const first = await draftNotice(database.db.pool, i18n, one)
    expect(await draftNotice(database.db.pool, i18n, one)).toEqual(first)
    const other = await draftNotice(database.db.pool, i18n, { ...one, texts: { fr: 'Autre chose.' } })
    expect(other).toMatchObject({ faults: [{ field: 'dedupeKey', code: 'key_taken' }] })
  })

  it('is refused for an audience in which nobody is, or nobody may be written to', async () => {
    expect(await faultsOf({})).toEqual(['audience audience_empty'])
    await createMember(database.db, programme, { consents: [] })
    expect(await faultsOf({})).toEqual(['audience audience_unreachable'])
    expect(await faultsOf({ audience: { groupIds: [] } })).toEqual(['audience.groupIds audience_empty'])
  })

  it('names the language, the units and the remedy of a text that is too long in one language only', async () => {
    await createMember(database.db, programme)
    await createMember(database.db, programme, { language: 'wo' })
    const made = await draft({ texts: { fr: 'é'.repeat(160), wo: 'n'.repeat(171) } })
    expect(made).toEqual({
      faults: [
        {
          field: 'texts.wo',
          code: 'text_too_long',
          detail: 'In wo it takes 171 septets, 2 SMS; there is room for 160, 1 SMS. Shorten it by 11.',
        },
      ],
    })
    const costly = await draft({ texts: { fr: `${'a'.repeat(80)}ж`, wo: 'ndaje' } })
    expect(costly).toMatchObject({
      faults: [
        {
          field: 'texts.fr',
          detail: expect.stringMatching(/81 characters, 2 SMS.*room for 70.*without ж, and it fits/),
        },
      ],
    })
  })

  it('has room for the parts that the networks join, and for the tail that they put behind a first message', async () => {
    await createMember(database.db, programme)
    const long = { texts: { fr: 'n'.repeat(300) } }
    expect(await faultsOf(long)).toEqual(['texts.fr text_too_long'])
    await database.db.pool.query('update programmes set sms_segments_max = 2')
    expect(await faultsOf(long)).toEqual([])
    await database.db.pool.query(
      `update programmes set sms_segments_max = 1, opt_out_tail = ' STOP au 21384'`,
    )
    expect(await faultsOf({ texts: { fr: 'n'.repeat(150) } })).toEqual(['texts.fr text_too_long'])
  })

  it('is refused where a language of the audience has no text, with how many read it', async () => {
    await createMember(database.db, programme)
    await createMember(database.db, programme, { language: 'wo' })
    await createMember(database.db, programme, { language: 'en', status: 'left' })
    expect(await draft()).toMatchObject({
      faults: [
        {
          field: 'texts.wo',
          code: 'text_missing',
          detail: '1 of its members read wo, and nothing is written in it.',
        },
      ],
    })
  })

  const refused: [string, Partial<NoticeDraft>, string][] = [
    ['a time to send in the past', { sendAt: minutes(-1) }, 'sendAt in_past'],
    ['an end in the past', { expiresAt: minutes(-1) }, 'expiresAt in_past'],
    ['an end before the start', { sendAt: minutes(60), expiresAt: minutes(30) }, 'expiresAt before_start'],
    ['a start in two years', { sendAt: minutes(2 * 365 * 1_440) }, 'sendAt too_far'],
    [
      'an unknown group',
      { audience: { groupIds: ['0199b000-0000-7000-8000-000000000001'] } },
      'audience.groupIds.0 group_unknown',
    ],
    ['a malformed group', { audience: { groupIds: ['G01'] } }, 'audience.groupIds.0 field_invalid'],
    [
      'a language that the programme does not offer',
      { audience: { languages: ['ps'] } },
      'audience.languages language_unknown',
    ],
    ['a text in such a language', { texts: { fr: 'Bonjour.', ps: 'x' } }, 'texts.ps language_unknown'],
    ['an unknown template', { template: 'party', texts: {} }, 'template template_unknown'],
    ['a template without a field', { template: 'meeting_cancelled', texts: {} }, 'fields.day field_missing'],
    [
      'a template with a strange field',
      { template: 'bring_booklet', texts: {}, fields: { amount: '5' } },
      'fields.amount field_unknown',
    ],
    [
      'a template about a day that is over',
      { template: 'meeting_cancelled', texts: {}, fields: { day: '2026-11-21' } },
      'fields.day in_past',
    ],
    [
      'a day that is none',
      { template: 'meeting_cancelled', texts: {}, fields: { day: '2026-02-30' } },
      'fields.day field_invalid',
    ],
    ['a template with texts beside it', { template: 'bring_booklet' }, 'texts not_both'],
    ['no words at all', { texts: {} }, 'texts field_missing'],
    ['a control character', { texts: { fr: 'a\u0007b' } }, 'texts.fr field_invalid'],
    [
      'an author of nowhere',
      { author: { staffId: '0199b000-0000-7000-8000-000000000001' } },
      'author not_allowed',
    ],
  ]
  it.each(refused)('is refused for %s, and nothing is written', async (_what, change, expected) => {
    await createMember(database.db, programme)
    expect(await faultsOf(change)).toContain(expected)
    const { rows } = await database.db.pool.query('select 1 from notices union all select 1 from audit_log')
    expect(rows).toEqual([])
  })

  it('of a facilitator stays within the own groups, an auditor writes none, the branch writes to all', async () => {
    await createMember(database.db, programme)
    const other = await group('G02')
    const facilitator = await staff('facilitator', { groupId: programme.groupId })
    const author = { staffId: facilitator }
    expect(await faultsOf({ author })).toEqual([])
    expect(await faultsOf({ author, audience: { groupIds: [programme.groupId, other] } })).toEqual([
      'audience.groupIds not_allowed',
    ])
    expect(await faultsOf({ author, audience: {} })).toEqual(['audience.groupIds not_allowed'])
    expect(await faultsOf({ author: { staffId: await staff('auditor') } })).toEqual(['author not_allowed'])
    expect(await faultsOf({ author: { staffId: await staff('branch') }, audience: {} })).toEqual([])
  })

  it('of an officer goes to her own group, by template, about service and meetings', async () => {
    const officer = await createMember(database.db, programme, { role: 'president' })
    const author = { memberId: officer.id }
    const template = { template: 'bring_booklet', texts: {} }
    expect(await faultsOf({ author, ...template })).toEqual([])
    expect(await faultsOf({ author })).toEqual(['texts template_only'])
    expect(await faultsOf({ author, ...template, purpose: 'promotion' })).toEqual(['purpose not_allowed'])
    expect(await faultsOf({ author, ...template, audience: { groupIds: [await group('G02')] } })).toEqual([
      'audience.groupIds not_allowed',
    ])
    const member = await createMember(database.db, programme)
    expect(await faultsOf({ author: { memberId: member.id }, ...template })).toEqual(['author not_allowed'])
  })
})

describe('a preview', () => {
  it('shows each language as phones show it, whom it reaches, whom not and why, and what it costs', async () => {
    await database.db.pool.query(`update programmes set segment_price = 12.5, segment_currency = 'XOF'`)
    const sharer = await createMember(database.db, programme)
    await createMember(database.db, programme, { phoneId: sharer.phoneId })
    await createMember(database.db, programme, { language: 'wo' })
    await createMember(database.db, programme, { status: 'left' })
    await createMember(database.db, programme, { status: 'suspended' })
    await createMember(database.db, programme, { consents: ['meeting'] })
    const stopped = await createMember(database.db, programme)
    await database.db.pool.query('update members set opted_out_at = now() where id = $1', [stopped.id])
    const phoneless = await createMember(database.db, programme)
    await database.db.pool.query('delete from member_phones where member_id = $1', [phoneless.id])
    const id = await drafted({ texts: { fr: 'Le bureau est fermé.', wo: 'Bëgg naa la gis.' } })
    expect(await previewNotice(database.db.pool, i18n, id, testNow)).toEqual({
      recipients: 3,
      messages: 2,
      excluded: { left: 1, suspended: 1, no_consent: 1, opted_out: 1, no_phone: 1 },
      languages: [
        {
          language: 'fr',
          form: 'written',
          text: 'Le bureau est fermé.',
          encoding: 'gsm7',
          units: 20,
          segments: 1,
          costly: [],
          segmentsWithoutCostly: 1,
          recipients: 2,
          messages: 1,
          cost: '12.5',
        },
        {
          language: 'wo',
          form: 'written',
          text: 'Begg naa la gis.',
          encoding: 'gsm7',
          units: 16,
          segments: 1,
          costly: [],
          segmentsWithoutCostly: 1,
          recipients: 1,
          messages: 1,
          cost: '12.5',
        },
      ],
      cost: { amount: '25', currency: 'XOF' },
      needsApproval: false,
    })
  })

  it('words day and time in each language, and shows the place only to those who chose full texts on a phone of their own', async () => {
    await createMember(database.db, programme)
    await createMember(database.db, programme, { smsForm: 'full' })
    const shared = await createMember(database.db, programme, { smsForm: 'full' })
    await createMember(database.db, programme, { phoneId: shared.phoneId, language: 'en' })
    const id = await drafted({
      purpose: 'meeting',
      template: 'meeting_moved',
      texts: {},
      fields: { day: '2026-11-26', time: '09:30', place: 'École de Tilène' },
    })
    const preview = await previewNotice(database.db.pool, i18n, id, testNow)
    expect(preview?.languages.map(({ text, recipients }) => [text, recipients])).toEqual([
      ['FANSOTO: the meeting is moved to Thu 26 Nov at 09:30. More: *384*1#', 1],
      ['FANSOTO: réunion déplacée: jeu 26 nov à 09h30. Voir *384*1#', 2],
      ['FANSOTO: la réunion est déplacée: jeu 26 nov à 09h30, École de Tilène.', 1],
    ])
  })
})

describe('sending', () => {
  it('lets a small notice go at once, and only its author sends it', async () => {
    await createMember(database.db, programme)
    const id = await drafted()
    expect(await send(id, { staffId: await staff('administrator') })).toMatchObject({
      outcome: 'refused',
      faults: [{ code: 'not_allowed' }],
    })
    const approved = { outcome: 'approved', leavesAt: new Date('2026-11-22T10:01:00Z') }
    expect(await send(id)).toEqual(approved)
    expect(await send(id)).toEqual(approved)
  })

  it('above the limit waits for a second person, never the author; of two at once one approves and the other is told', async () => {
    await createMember(database.db, programme)
    await approvalAbove(0)
    const id = await drafted()
    expect(await send(id)).toEqual({ outcome: 'waiting' })
    const approve = (staffId: string) =>
      database.db.transaction((tx) => approveNotice(tx, id, staffId, testNow))
    expect(await approve(admin)).toMatchObject({ outcome: 'refused', faults: [{ code: 'own_notice' }] })
    expect(await approve(await staff('auditor'))).toMatchObject({
      outcome: 'refused',
      faults: [{ code: 'not_allowed' }],
    })
    const two = [await staff('branch'), await staff('administrator')]
    const outcomes = await Promise.all(two.map(approve))
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['approved', 'refused'])
    expect(outcomes.flatMap(({ faults = [] }) => faults.map(({ code }) => code))).toEqual([
      'already_approved',
    ])
    const { rows } = await database.db.pool.query(`select action from audit_log order by id`)
    expect(rows.map(({ action }) => action)).toEqual(['notice.drafted', 'notice.sent', 'notice.approved'])
  })

  it('turned down by a second person never leaves', async () => {
    await createMember(database.db, programme)
    await approvalAbove(0)
    const id = await drafted()
    await send(id)
    const second = await staff('branch')
    expect(await database.db.transaction((tx) => refuseNotice(tx, id, second, testNow))).toEqual({
      outcome: 'turned_down',
    })
    expect(await database.db.transaction((tx) => approveNotice(tx, id, second, testNow))).toMatchObject({
      faults: [{ code: 'already_refused' }],
    })
  })

  it('is refused when the group was emptied or deleted meanwhile, or the time is over', async () => {
    const member = await createMember(database.db, programme)
    const id = await drafted({ sendAt: minutes(10) })
    expect(await send(id, { staffId: admin }, minutes(11))).toMatchObject({
      faults: [{ field: 'sendAt', code: 'in_past' }],
    })
    await database.db.pool.query('update members set group_id = null where id = $1', [member.id])
    expect(await send(id)).toMatchObject({ faults: [{ code: 'audience_empty' }] })
    await database.db.pool.query('delete from groups')
    expect(await send(id)).toMatchObject({ outcome: 'refused', faults: [{ code: 'group_unknown' }] })
    expect(await statusOf(id)).toBe('draft')
  })

  it('can be undone for a minute, and after that only stopped', async () => {
    await createMember(database.db, programme)
    const id = await drafted()
    await send(id)
    const undo = (now: Date) => database.db.transaction((tx) => undoNotice(tx, id, `staff:${admin}`, now))
    expect(await undo(minutes(1))).toMatchObject({ outcome: 'refused', faults: [{ code: 'too_late' }] })
    expect(await undo(new Date(minutes(1).getTime() - 1))).toEqual({ outcome: 'undone' })
    const other = await drafted()
    await send(other)
    const stranger = await staff('facilitator')
    const stop = (actor: string) => database.db.transaction((tx) => stopNotice(tx, other, actor, minutes(2)))
    expect(await stop(`staff:${stranger}`)).toMatchObject({
      outcome: 'refused',
      faults: [{ code: 'not_allowed' }],
    })
    expect(await stop('operator')).toEqual({ outcome: 'stopped', cancelled: 0, left: 0 })
    expect([await statusOf(id), await statusOf(other)]).toEqual(['undone', 'stopped'])
  })

  it('cannot change its words once it waits, not even by SQL', async () => {
    await createMember(database.db, programme)
    const id = await drafted()
    await send(id)
    await expect(
      database.db.pool.query(`update notices set texts = '{"fr": "x"}' where id = $1`, [id]),
    ).rejects.toThrow(/no draft any more/)
  })
})
