// A programme with members in every situation that a dialogue can meet, and the USSD edge over real HTTP.
import { createServer } from 'node:http'
import express from 'express'
import { fixedClock } from '../../src/clock.ts'
import { createPipeline, type Db } from '../../src/db.ts'
import { spell } from '../../src/encoding.ts'
import { createCallbacks } from '../../src/http/callbacks.ts'
import { loadI18n } from '../../src/i18n.ts'
import { withCheckDigit } from '../../src/ledger/receipt-codes.ts'
import type { Logger } from '../../src/logger.ts'
import { servicePurposes } from '../../src/members/consent.ts'
import { createPins } from '../../src/members/pin.ts'
import { loadProgrammes } from '../../src/members/programmes.ts'
import { createMetrics } from '../../src/metrics.ts'
import { loadMenus, type Menu } from '../../src/ussd/menu.ts'
import type { PathCounter } from '../../src/ussd/paths.ts'
import { createPostgresSessions, type SessionStore } from '../../src/ussd/session-store.ts'
import { createUssd, type Ussd } from '../../src/ussd/ussd.ts'
import { silentLogger, type TestDatabase } from './database.ts'
import {
  agreeAtEnrolment,
  createLoan,
  createMember,
  createProgramme,
  repay,
  save,
  type TestMember,
  type TestProgramme,
  testNow,
} from './fixtures.ts'
import { createOfficersGroup } from './officers.ts'

export const testPin = '2846'
/** Of the staff menu: another one than a member's. */
export const staffPin = '7391'
export const callbackSecret = 'test-secret-of-22-chars-x'
export const testSessionKey = 'session-key-of-the-tests'
export const testPepper = 'pepper-of-the-tests-only'

/** On the receipt of Awa's repayment. */
export const receiptCode = withCheckDigit('48291')

export const i18n = loadI18n('locales')

/** A closing screen outside any menu, as it leaves. */
export const closingScreen = (language: string, name: string) =>
  `END ${spell(i18n.text(language, 'ussd', `common.${name}`), i18n.language(language).gsm7)}`

/** Who dials in the recorded dialogues. */
export const numbers = {
  /** French, PIN, running loan, savings, meeting, training. */
  awa: '+221770000001',
  mary: '+221770000002',
  coumba: '+221770000003',
  /** No language chosen, no PIN. */
  ami: '+221770000004',
  /** Fatou (PIN 2846) and Khady (no PIN) share it. */
  shared: '+221770000005',
  suspended: '+221770000006',
  /** French, PIN; no loan, no savings, no group. */
  nobody: '+221770000007',
  /** Late with a first loan, an emergency loan besides. */
  late: '+221770000008',
  /** French, PIN, running loan; never asked what we may send her. */
  unasked: '+221770000009',
  stranger: '+221779999999',
  /** Facilitator of the group; French. */
  binta: '+221776000000',
  /** Branch; French. */
  boubacar: '+221776000001',
  /** Administrator; English. */
  oumar: '+221776000002',
  auditor: '+221776000003',
  /** Facilitator until last year. */
  former: '+221776000004',
  /** Facilitator of no group, who has no PIN yet. */
  newStaff: '+221776000005',
  /** French, member with PIN, and adviser with another PIN. */
  both: '+221770000010',
  /** Officers of the second group, with PINs. */
  president: '+221770000011',
  treasurer: '+221770000012',
  educator: '+221770000013',
} as const

export type Person = keyof typeof numbers

export interface World {
  programme: TestProgramme
  members: Record<string, TestMember>
  /** Puts back all that a dialogue can change. */
  reset(programme?: { treasurerSeesMembers?: boolean | undefined }): Promise<void>
}

export async function createWorld(db: Db): Promise<World> {
  const programme = await createProgramme(db)
  const people = {
    awa: { firstName: 'Awa' },
    mary: { firstName: 'Mary', language: 'en' },
    coumba: { firstName: 'Coumba', language: 'wo' },
    ami: { firstName: 'Ami', language: null },
    shared: { firstName: 'Fatou' },
    suspended: { firstName: 'Seynabou', status: 'suspended' as const },
    late: { firstName: 'Lala' },
    unasked: { firstName: 'Ndella', consents: [] },
  }
  const spoken: Record<string, string | null> = { mary: 'en', coumba: 'wo', ndeye: 'wo', ami: null }
  const members: Record<string, TestMember> = {}
  for (const [person, overrides] of Object.entries(people)) {
    const member = await createMember(db, programme, {
      consents: servicePurposes,
      ...overrides,
      msisdn: numbers[person as Person],
      number: `N-${person}`,
    })
    members[person] = member
    if (person === 'late') {
      await createLoan(db, programme, member, { number: 'L-late', dueDates: ['2026-11-10', '2026-12-10'] })
      await createLoan(db, programme, member, {
        number: 'L-urgent',
        product: 'emergency',
        cycle: 2,
        dueDates: ['2026-11-30'],
        principalEach: 5000,
        interestEach: 0,
      })
    } else {
      const dueDates = ['2026-10-25', '2026-11-25', '2026-12-25', '2027-01-25', '2027-02-25', '2027-03-25']
      const number = `L-${person}`
      await createLoan(db, programme, member, { number, dueDates, disbursedDate: '2026-09-25' })
      const paid = await repay(db, programme, number, 12_500, { bookedDate: '2026-10-24' })
      if (person === 'awa')
        await db.prisma.receiptCode.create({
          data: {
            programmeId: programme.id,
            code: receiptCode,
            entryId: paid.id,
            memberId: member.id,
            issuedAt: testNow,
          },
        })
      await save(db, programme, member, 6_000, { bookedDate: '2026-10-01' })
      await save(db, programme, member, -1_500, { bookedDate: '2026-11-02' })
    }
  }
  const fatou = members.shared
  if (fatou === undefined) throw new Error('no shared phone')
  members.khady = await createMember(db, programme, {
    firstName: 'Khady',
    phoneId: fatou.phoneId,
    number: 'N-khady',
  })
  members.nobody = await createMember(db, programme, {
    firstName: 'Nogaye',
    msisdn: numbers.nobody,
    number: 'N-nobody',
    savings: false,
  })
  await db.prisma.member.update({ where: { id: members.nobody.id }, data: { groupId: null } })
  members.both = await createMember(db, programme, {
    firstName: 'Bineta',
    msisdn: numbers.both,
    number: 'N-both',
    savings: false,
  })
  const pins = createPins({ db, pepper: testPepper })
  const [hash, staffHash] = await Promise.all([pins.hash(testPin), pins.staff.hash(staffPin)])
  const holders = [
    'awa',
    'mary',
    'coumba',
    'shared',
    'nobody',
    'late',
    'suspended',
    'unasked',
    'both',
    'president',
    'treasurer',
    'educator',
  ]
  await addStaff(db, programme)
  await addGatherings(db, programme, members)
  const officers = await createOfficersGroup(db, programme)
  Object.assign(members, officers.members)

  return {
    programme,
    members,
    async reset({ treasurerSeesMembers = false } = {}) {
      await db.pool.query(`
        delete from ussd_sessions; delete from ussd_replies; delete from cases; delete from meeting_answers;
        delete from verification_tries; delete from unmatched_codes;
        delete from consents; delete from message_events; delete from messages; delete from member_pins;
        delete from staff_pins; update staff set language = case role when 'administrator' then 'en' else 'fr' end;
        update phones set language = null, opted_out_at = null;
        update members set opted_out_at = null, sms_from_minute = null, sms_until_minute = null`)
      for (const [person, { id }] of Object.entries(members))
        if (person !== 'unasked') await agreeAtEnrolment(db, id, servicePurposes)
      const holding = holders.flatMap((holder) => members[holder]?.id ?? [])
      await db.pool.query(
        'insert into member_pins (member_id, hash, set_at) select id, $2, $3 from unnest($1::uuid[]) id',
        [holding, hash, testNow],
      )
      await db.pool.query(
        'insert into staff_pins (staff_id, hash, set_at) select id, $1, $2 from staff where msisdn <> $3',
        [staffHash, testNow, numbers.newStaff],
      )
      const languages = Object.entries(members).map(([person, { id }]) => ({
        id,
        language: person in spoken ? (spoken[person] ?? null) : 'fr',
      }))
      await db.pool.query(
        'update members m set language = l.language from json_to_recordset($1) as l(id uuid, language text) where m.id = l.id',
        [JSON.stringify(languages)],
      )
      await officers.reset(treasurerSeesMembers)
    },
  }
}

async function addStaff(db: Db, programme: TestProgramme): Promise<void> {
  const people = [
    ['binta', 'Binta', 'facilitator', true],
    ['boubacar', 'Boubacar', 'branch', true],
    ['oumar', 'Oumar', 'administrator', true],
    ['auditor', 'Aminata', 'auditor', true],
    ['former', 'Fanta', 'facilitator', false],
    ['newStaff', 'Nafi', 'facilitator', true],
    ['both', 'Bineta', 'adviser', true],
  ] as const
  await db.prisma.staff.createMany({
    data: people.map(([person, firstName, role, active]) => ({
      programmeId: programme.id,
      firstName,
      lastName: 'Sané',
      msisdn: numbers[person],
      role,
      language: 'fr',
      active,
    })),
  })
}

async function addGatherings(
  db: Db,
  programme: TestProgramme,
  members: Record<string, TestMember>,
): Promise<void> {
  const facilitator = await db.prisma.staff.findFirstOrThrow({ where: { msisdn: numbers.binta } })
  await db.prisma.group.update({ where: { id: programme.groupId }, data: { facilitatorId: facilitator.id } })
  const groupId = programme.groupId
  await db.prisma.meeting.create({
    data: { groupId, startsAt: new Date('2026-11-27T10:30:00Z'), place: 'Foyer des femmes' },
  })
  const titles = [
    ['Le rôle du groupe', 'The role of the group', 'Mbootaay'],
    ['Le crédit', 'Credit', 'Bor'],
    ['L’épargne', 'Saving', 'Denc'],
    ['Les dépenses', 'Spending', 'Xaalis'],
    ['Le paludisme', 'Malaria', 'Wér-gu-yaram'],
    ['Le marché', 'The market', 'Njëg'],
  ]
  for (const [index, [fr = '', en = '', wo = '']] of titles.entries()) {
    const module = await db.prisma.trainingModule.create({
      data: { programmeId: programme.id, number: index + 1, initial: true, titles: { fr, en, wo } },
    })
    const startsAt = new Date(`2026-${index < 4 ? '10' : '12'}-0${index + 1}T15:00:00Z`)
    const session = await db.prisma.trainingSession.create({
      data: { moduleId: module.id, groupId, startsAt, place: 'Case de santé' },
    })
    for (const person of ['awa', 'mary', 'coumba', 'shared']) {
      const member = members[person]
      if (index < 4 && member !== undefined)
        await db.prisma.trainingAttendance.create({
          data: { sessionId: session.id, memberId: member.id, attended: true },
        })
    }
  }
}

export interface UssdUnderTest {
  ussd: Ussd
  clock: ReturnType<typeof fixedClock>
  metrics: ReturnType<typeof createMetrics>
  /** Swap to change the menu in mid-dialogue. */
  menus: Map<string, Menu>
  close(): Promise<void>
}

export interface UssdOptions {
  sessions?: SessionStore
  deadlineMs?: number
  logger?: Logger
  paths?: PathCounter
}

export async function createUssdUnderTest(
  { db, url }: Pick<TestDatabase, 'db' | 'url'>,
  options: UssdOptions = {},
): Promise<UssdUnderTest> {
  const clock = fixedClock(testNow)
  const metrics = createMetrics()
  const menus = loadMenus('menus')
  const logger = options.logger ?? silentLogger
  const sessions =
    options.sessions ??
    createPostgresSessions(createPipeline({ url, logger, name: 'sessions', asynchronousCommit: true }))
  const ussd = createUssd({
    db,
    clock,
    logger,
    metrics,
    i18n,
    menus,
    programmes: await loadProgrammes(db),
    sessions,
    pins: createPins({ db, pepper: testPepper }),
    sessionKey: testSessionKey,
    ...(options.paths === undefined ? {} : { paths: options.paths }),
    ...(options.deadlineMs === undefined ? {} : { deadlineMs: options.deadlineMs }),
  })
  return {
    ussd,
    clock,
    metrics,
    menus,
    close: async () => {
      await ussd.drain()
      await sessions.close()
    },
  }
}

/** The provider's callbacks over HTTP, as the server mounts them. */
export async function serveUssd(ussd: Ussd): Promise<{ url: string; close(): Promise<void> }> {
  const app = express()
  app.use(
    createCallbacks({
      secret: callbackSecret,
      logger: silentLogger,
      metrics: createMetrics(),
      handlers: {
        ussd: ({ sessionId, phoneNumber, serviceCode, networkCode, text }) =>
          ussd.answer({
            provider: 'africastalking',
            sessionId,
            msisdn: phoneNumber,
            serviceCode,
            text,
            ...(networkCode === undefined ? {} : { networkCode }),
          }),
        ussdMalformed: () => ussd.malformed(),
        ussdEnd: ({ sessionId, phoneNumber, serviceCode, status }) =>
          ussd.ended({ provider: 'africastalking', sessionId, msisdn: phoneNumber, serviceCode, status }),
        sms: () => Promise.resolve(),
        delivery: () => Promise.resolve(),
        optOut: () => Promise.resolve(),
      },
    }),
  )
  const server = createServer(app)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  }
}
