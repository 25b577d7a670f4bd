// The HTTP API over real HTTP, its routes as the router itself has them, and a request for each write that the house knows.
import type { Router } from 'express'
import { openCase } from '../../src/cases/cases.ts'
import { fixedClock } from '../../src/clock.ts'
import type { Db } from '../../src/db.ts'
import { createApi } from '../../src/http/api.ts'
import { answerTheRest, createApp, listen } from '../../src/http/server.ts'
import { loadI18n } from '../../src/i18n.ts'
import { createMetrics } from '../../src/metrics.ts'
import { silentLogger } from './database.ts'
import {
  appointFacilitator,
  createLoan,
  createMember,
  repay,
  type TestProgramme,
  testNow,
} from './fixtures.ts'

export interface ApiReply {
  status: number
  text: string
  headers: Headers
}

export interface ApiUnderTest {
  url: string
  router: Router
  clock: ReturnType<typeof fixedClock>
  call(key: string, method: string, path: string, body?: unknown, headers?: object): Promise<ApiReply>
  close(): Promise<void>
}

const i18n = loadI18n('locales')

export async function serveApi(
  db: Db,
  clock = fixedClock(testNow),
  // On a clock that stands still a minute is never over.
  callsPerMinute = 1_000_000,
): Promise<ApiUnderTest> {
  const app = createApp()
  const router = createApi({
    db,
    clock,
    texts: () => ({ i18n }),
    logger: silentLogger,
    metrics: createMetrics(),
    callsPerMinute,
    webhooks: { houseSecret: 'x'.repeat(32), rules: { guarded: true, privateHosts: [] } },
  })
  app.use('/api/v1', router)
  answerTheRest(app, silentLogger)
  const server = await listen(app, 0, '127.0.0.1')
  const url = `${server.url.replace('localhost', '127.0.0.1')}/api/v1`
  return {
    url,
    router,
    clock,
    async call(key, method, path, body, headers = {}) {
      const response = await fetch(url + path, {
        method: method.toUpperCase(),
        headers: {
          authorization: `Bearer ${key}`,
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      return { status: response.status, text: await response.text(), headers: response.headers }
    },
    close: () => server.close(),
  }
}

/** What describes the API, and is no part of it. */
const descriptions = ['get /', 'get /openapi.json']

/** "post /entries" and so on, read from the router, so that no route can be forgotten. */
export function routesIn(router: Router): string[] {
  return router.stack.flatMap((layer) => {
    const route = layer.route as unknown as { path: string; methods: Record<string, boolean> } | undefined
    if (route === undefined) return []
    return Object.keys(route.methods)
      .map((method) => `${method} ${route.path}`)
      .filter((name) => !descriptions.includes(name))
  })
}

/** Posts whose body only says what to read. */
const readingPosts = ['post /texts/estimate', 'post /groups/:code/calendar/preview']

export const isWrite = (route: string) => !route.startsWith('get ') && !readingPosts.includes(route)

/** What stands in a programme before its routes are called: a member with a PIN, her loan, one repayment, an officer and the facilitator of her group. */
export interface Ground {
  programme: TestProgramme
  member: string
  loan: string
  /** Another loan of hers, of which nothing is paid. */
  untouchedLoan: string
  /** Reference of the repayment. */
  entry: string
  officer: string
  /** An open case of the officer. */
  caseReference: string
  /** The officer asked for an adviser. */
  adviserCase: string
  /** Phone of the facilitator of her group. */
  facilitator: string
  /** A notice to her group that a program drafted, and one that is under way and was for her. */
  draft: string
  notice: string
  gathered: Awaited<ReturnType<typeof createGathered>>
  /** A number that nobody has yet. */
  newPhone: string
  /** A message to her, and a word of hers about our messages. */
  message: string
  consent: string
  /** Hears nothing by itself, but has a delivery that was given up. */
  webhook: string
  delivery: string
  disabledWebhook: string
}

/** A group with a calendar: a meeting and a training that have begun, and one each that lie ahead. */
async function createGathered(db: Db, programme: TestProgramme, code: string, module: number) {
  const attendant = `${code}-member`
  const begun = new Date(testNow.getTime() - 3_600_000)
  const ahead = new Date(testNow.getTime() + 5 * 86_400_000)
  const { rows: groups } = await db.pool.query<{ id: string }>(
    `insert into groups (programme_id, code, name, place) values ($1, $2, 'Jappo', 'Brin') returning id`,
    [programme.id, code],
  )
  const groupId = groups[0]?.id ?? ''
  await createMember(db, programme, { number: attendant, groupId })
  const meetings = await db.pool.query<{ id: string }>(
    `insert into meetings (group_id, starts_at, place) values ($1, $2, 'Brin'), ($1, $3, 'Brin') returning id`,
    [groupId, begun, ahead],
  )
  const trainings = await db.pool.query<{ id: string }>(
    `with taught as (insert into training_modules (programme_id, number, titles) values ($2, $3, '{}') returning id)
     insert into training_sessions (module_id, group_id, starts_at, place)
     select id, $1, at, 'Brin' from taught, unnest($4::timestamptz[]) at returning id`,
    [groupId, programme.id, module, [begun, ahead]],
  )
  const [meetingBegun = '', meetingAhead = ''] = meetings.rows.map(({ id }) => id)
  const [trainingBegun = '', trainingAhead = ''] = trainings.rows.map(({ id }) => id)
  return { group: code, module, attendant, meetingBegun, meetingAhead, trainingBegun, trainingAhead }
}

let grounds = 0

export async function createGround(db: Db, programme: TestProgramme): Promise<Ground> {
  grounds += 1
  const member = await createMember(db, programme, { number: `${programme.code}-${grounds}` })
  const { number } = await createLoan(db, programme, member)
  const { number: untouchedLoan } = await createLoan(db, programme, member)
  const entry = `paid/${programme.code}/${grounds}`
  await repay(db, programme, number, 1_000, { reference: entry })
  // She wrote an SMS, and a report names her phone.
  await db.pool.query(
    `insert into inbound_messages (id, programme_id, provider, external_id, phone_id, keyword, received_at)
     values (gen_random_uuid(), $1, 'test', $2, $3, 'balance', $4)`,
    [programme.id, member.number, member.phoneId, testNow],
  )
  await db.pool.query(
    `insert into delivery_reports (provider, provider_message_id, status, phone_ids, received_at)
     values ('test', $1, 'Success', array[$2::uuid], $3)`,
    [member.number, member.phoneId, testNow],
  )
  await db.pool.query(`insert into member_pins (member_id, hash, set_at) values ($1, 'none', $2)`, [
    member.id,
    testNow,
  ])
  const facilitator = programme.currency === 'XOF' ? '+221776900001' : '+50937900001'
  await appointFacilitator(db, programme, facilitator)
  const officer = await createMember(db, programme, { number: `${member.number}-officer`, role: 'president' })
  const asked = { programmeId: programme.id, memberId: officer.id, now: testNow }
  const { reference: caseReference } = await openCase(db.pool, {
    ...asked,
    kind: 'call_back',
    hopKey: `ground/${member.number}`,
  })
  const { reference: adviserCase } = await openCase(db.pool, {
    ...asked,
    kind: 'adviser',
    hopKey: `ground-adviser/${member.number}`,
  })
  const [draft = '', notice = ''] = await createNotices(db, programme, member.id)
  const { rows: ids } = await db.pool.query<
    Pick<Ground, 'message' | 'consent' | 'webhook' | 'delivery' | 'disabledWebhook'>
  >(
    `with s as (insert into messages (programme_id, member_id, purpose, template, lane, dedupe_key, not_before, status)
                values ($1, $2::uuid, 'reply', 't', 'urgent', 'ground/' || $2::uuid::text, $3, 'delivered') returning id),
          w as (insert into webhooks (programme_id, url, events, created_at) values ($1, 'https://hears.example', '{}', $3) returning id),
          x as (insert into webhooks (programme_id, url, events, created_at, disabled_at)
                values ($1, 'https://deaf.example', '{}', $3, $3) returning id),
          d as (insert into webhook_deliveries (webhook_id, event, payload, created_at, attempts)
                select id, 'case.opened', '{}', $3, 11 from w returning id)
     select s.id as message, w.id as webhook, d.id as delivery, x.id as "disabledWebhook",
            (select max(id)::text from consents where member_id = $2::uuid) as consent from s, w, d, x`,
    [programme.id, member.id, testNow],
  )
  const told = ids[0]
  if (told === undefined) throw new Error('the ground has no webhook')
  const newPhone = `+22178${String(1_000_000 + grounds)}`
  const people = { member: member.number, officer: officer.number, facilitator }
  const gathered = await createGathered(db, programme, `G-${member.number}`, 900 + grounds)
  return {
    programme,
    loan: number,
    untouchedLoan,
    entry,
    caseReference,
    adviserCase,
    newPhone,
    draft,
    notice,
    gathered,
    ...people,
    ...told,
  }
}

async function createNotices(db: Db, programme: TestProgramme, memberId: string): Promise<string[]> {
  const { rows } = await db.pool.query<{ id: string; status: string }>(
    `insert into notices (programme_id, channel, purpose, audience, template, status, approved_at, dedupe_key, created_at)
     select $1, 'api', 'service', jsonb_build_object('groupIds', jsonb_build_array($2::text)), 'bring_booklet', status,
            case when status = 'approved' then $3::timestamptz end, $4 || '/' || status, $3
       from unnest(array['draft', 'approved']) status returning id, status`,
    [programme.id, programme.groupId, testNow, `ground/${memberId}`],
  )
  const idOf = (status: string) => rows.find((row) => row.status === status)?.id ?? ''
  await db.pool.query('insert into notice_recipients (notice_id, member_id, group_id) values ($1, $2, $3)', [
    idOf('approved'),
    memberId,
    programme.groupId,
  ])
  return [idOf('draft'), idOf('approved')]
}

export interface SampleRequest {
  path: string
  body?: Record<string, unknown>
  /** The request names nothing that is there before: sent by another programme it may succeed, in that programme alone. */
  namesNothing?: true
  /** A change that makes another request of it; a request without a body is changed by its path. */
  changed?: Record<string, unknown>
}

const one = encodeURIComponent

/** A good request for each route on this ground. A new route needs one here: the trials of R6 and S10 name it when it is missing. */
export const sampleRequests: Readonly<Record<string, (ground: Ground) => SampleRequest>> = {
  'post /entries': ({ member }) => {
    const body = {
      reference: `sample/${member}`,
      kind: 'savings_deposit',
      bookedDate: '2026-11-22',
      postings: [
        { account: 'cash', amount: '500' },
        { account: `savings/${member}`, amount: '-500' },
      ],
    }
    return { path: '/entries', body, changed: { bookedDate: '2026-11-21' } }
  },
  'post /entries/:reference/reversal': ({ entry, member }) => ({
    path: `/entries/${one(entry)}/reversal`,
    body: { reference: `sample-reversal/${member}`, bookedDate: '2026-11-22' },
    changed: { bookedDate: '2026-11-21' },
  }),
  'post /loans': ({ member }) => ({
    path: '/loans',
    body: {
      number: `sample-${member}`,
      member,
      product: 'standard',
      principal: '2000',
      disbursedDate: '2026-11-22',
      instalments: [{ dueDate: '2026-12-22', principal: '2000' }],
    },
    changed: { disbursedDate: '2026-11-21' },
  }),
  'get /entries': () => ({ path: '/entries', namesNothing: true }),
  'get /entries/:reference': ({ entry }) => ({ path: `/entries/${one(entry)}` }),
  'get /loans': ({ member }) => ({ path: `/loans?member=${one(member)}` }),
  'get /members/:number/loans': ({ member }) => ({ path: `/members/${one(member)}/loans` }),
  'put /loans/:number/schedule': ({ untouchedLoan }) => ({
    path: `/loans/${one(untouchedLoan)}/schedule`,
    body: { instalments: [{ dueDate: '2027-01-10', principal: '30000', interest: '1500' }] },
    changed: { instalments: [{ dueDate: '2027-02-10', principal: '30000', interest: '1500' }] },
  }),
  'get /members': () => ({ path: '/members', namesNothing: true }),
  'post /members': ({ member, newPhone }) => ({
    path: '/members',
    body: {
      number: `sample-${member}`,
      firstName: 'Khady',
      lastName: 'Badji',
      language: 'fr',
      phones: [newPhone.replace('+22178', '+22170')],
    },
    changed: { lastName: 'Sané' },
    namesNothing: true,
  }),
  'get /members/:number': ({ member }) => ({ path: `/members/${one(member)}` }),
  'patch /members/:number': ({ member }) => ({
    path: `/members/${one(member)}`,
    body: { firstName: 'Aïssatou', role: 'treasurer' },
    changed: { role: 'educator' },
  }),
  'get /consents': () => ({ path: '/consents', namesNothing: true }),
  'get /loans/:number': ({ loan }) => ({ path: `/loans/${one(loan)}` }),
  'get /members/:number/position': ({ member }) => ({ path: `/members/${one(member)}/position` }),
  'get /members/:number/consents': ({ member }) => ({ path: `/members/${one(member)}/consents` }),
  'put /members/:number/consents': ({ member }) => ({
    path: `/members/${one(member)}/consents`,
    body: {
      consents: { survey: false },
      wording: 'sheet-1',
      language: 'fr',
      collectedAt: '2026-11-20T10:00:00Z',
    },
    changed: { wording: 'sheet-2' },
  }),
  'get /members/:number/phones': ({ member }) => ({ path: `/members/${one(member)}/phones` }),
  'post /members/:number/reverify': ({ member }) => ({ path: `/members/${one(member)}/reverify`, body: {} }),
  'post /members/:number/confirmations': ({ member, officer, newPhone }) => ({
    path: `/members/${one(member)}/confirmations`,
    body: { phone: newPhone, by: { officer } },
    changed: { phone: newPhone.replace('+22178', '+22176') },
  }),
  'post /members/:number/pin-reset': ({ member, facilitator }) => ({
    path: `/members/${one(member)}/pin-reset`,
    body: { confirmedBy: facilitator },
    changed: { confirmedBy: facilitator.replace('+', '00') },
  }),
  'get /members/:number/export': ({ member }) => ({ path: `/members/${one(member)}/export` }),
  'post /members/:number/erasure': ({ member }) => ({
    path: `/members/${one(member)}/erasure`,
    body: {},
    changed: { dryRun: true },
  }),
  'get /accounts/:code/statement': ({ loan }) => ({ path: `/accounts/${one(`loan/${loan}`)}/statement` }),
  'get /messages': ({ member }) => ({ path: `/messages?member=${one(member)}` }),
  'post /notices': ({ member }) => ({
    path: '/notices',
    body: { reference: `sample/${member}`, purpose: 'service', groups: ['G01'], template: 'bring_booklet' },
    namesNothing: true,
    changed: { purpose: 'meeting' },
  }),
  'get /notices': () => ({ path: '/notices', namesNothing: true }),
  'get /notices/:id': ({ notice }) => ({ path: `/notices/${notice}` }),
  'get /notices/:id/preview': ({ notice }) => ({ path: `/notices/${notice}/preview` }),
  'get /notices/:id/recipients': ({ notice }) => ({ path: `/notices/${notice}/recipients` }),
  'post /notices/:id/send': ({ draft }) => ({ path: `/notices/${draft}/send`, body: {} }),
  'post /notices/:id/undo': ({ draft }) => ({ path: `/notices/${draft}/undo`, body: {} }),
  'post /notices/:id/stop': ({ notice }) => ({ path: `/notices/${notice}/stop`, body: {} }),
  'post /notices/:id/told': ({ notice, member }) => ({
    path: `/notices/${notice}/told`,
    body: { member },
    changed: { member: 'nobody' },
  }),
  'get /messages/:id': ({ message }) => ({ path: `/messages/${message}` }),
  'get /consents/:change': ({ consent }) => ({ path: `/consents/${consent}` }),
  'get /webhooks': () => ({ path: '/webhooks', namesNothing: true }),
  'post /webhooks': ({ member }) => ({
    path: '/webhooks',
    body: { url: `https://crm.example/${one(member)}`, events: ['case.opened'] },
    changed: { events: ['message.final'] },
    namesNothing: true,
  }),
  'post /webhooks/:id/rotate': ({ webhook }) => ({ path: `/webhooks/${webhook}/rotate`, body: {} }),
  'post /webhooks/:id/enable': ({ disabledWebhook }) => ({
    path: `/webhooks/${disabledWebhook}/enable`,
    body: {},
  }),
  'post /webhooks/:id/replay': ({ webhook, delivery }) => ({
    path: `/webhooks/${webhook}/replay`,
    body: { delivery },
    changed: { delivery: webhook },
  }),
  'get /webhooks/:id/deliveries': ({ webhook }) => ({ path: `/webhooks/${webhook}/deliveries` }),
  'delete /webhooks/:id': ({ webhook }) => ({ path: `/webhooks/${webhook}`, body: {} }),
  'get /cases/:reference': ({ caseReference }) => ({ path: `/cases/${one(caseReference)}` }),
  'get /cases': () => ({ path: '/cases', namesNothing: true }),
  'post /members/:number/cases': ({ officer }) => ({
    path: `/members/${one(officer)}/cases`,
    body: { kind: 'lost_phone', language: 'fr' },
    changed: { kind: 'pin_reset' },
  }),
  'post /cases/:reference/take': ({ caseReference, facilitator }) => ({
    path: `/cases/${one(caseReference)}/take`,
    body: { staff: facilitator },
    changed: { staff: facilitator.replace('+', '00') },
  }),
  'post /cases/:reference/appointment': ({ adviserCase }) => ({
    path: `/cases/${one(adviserCase)}/appointment`,
    body: { at: '2026-11-26T10:00:00Z' },
    changed: { at: '2026-11-27T10:00:00Z' },
  }),
  'post /cases/:reference/close': ({ caseReference }) => ({
    path: `/cases/${one(caseReference)}/close`,
    body: { outcome: 'answered' },
    changed: { outcome: 'corrected' },
  }),
  'get /unmatched-codes': () => ({ path: '/unmatched-codes', namesNothing: true }),
  'post /texts/estimate': () => ({
    path: '/texts/estimate',
    body: { text: 'Ndaje. Jërëjëf.', language: 'wo' },
    namesNothing: true,
  }),
  'get /groups': () => ({ path: '/groups', namesNothing: true }),
  'post /groups': ({ gathered: { group } }) => ({
    path: '/groups',
    body: { code: `new-${group}`, name: 'Jappo', place: 'Brin' },
    namesNothing: true,
    changed: { name: 'Sopi' },
  }),
  'get /groups/:code': ({ gathered: { group } }) => ({ path: `/groups/${one(group)}` }),
  'patch /groups/:code': ({ gathered: { group } }) => ({
    path: `/groups/${one(group)}`,
    body: { place: 'Bignona' },
    changed: { place: 'Kafountine' },
  }),
  'put /groups/:code/calendar': ({ gathered: { group } }) => ({
    path: `/groups/${one(group)}/calendar`,
    body: { rule: 'FREQ=WEEKLY', startsOn: '2026-11-24', at: '10:00' },
    changed: { at: '11:00' },
  }),
  'post /groups/:code/calendar/preview': ({ gathered: { group } }) => ({
    path: `/groups/${one(group)}/calendar/preview`,
    body: { rule: 'FREQ=WEEKLY', startsOn: '2026-11-24', at: '10:00' },
  }),
  'get /groups/:code/readiness': ({ gathered: { group } }) => ({ path: `/groups/${one(group)}/readiness` }),
  'get /groups/:code/meetings': ({ gathered: { group } }) => ({ path: `/groups/${one(group)}/meetings` }),
  'post /groups/:code/meetings': ({ gathered: { group } }) => ({
    path: `/groups/${one(group)}/meetings`,
    body: { startsAt: '2026-12-05T15:30:00Z' },
    changed: { startsAt: '2026-12-06T15:30:00Z' },
  }),
  'patch /meetings/:id': ({ gathered: { meetingAhead } }) => ({
    path: `/meetings/${meetingAhead}`,
    body: { startsAt: '2026-12-07T15:30:00Z' },
    changed: { startsAt: '2026-12-08T15:30:00Z' },
  }),
  'get /meetings/:id/attendance': ({ gathered: { meetingBegun } }) => ({
    path: `/meetings/${meetingBegun}/attendance`,
  }),
  'put /meetings/:id/attendance': ({ gathered: { meetingBegun, attendant } }) => ({
    path: `/meetings/${meetingBegun}/attendance`,
    body: { attendance: [{ member: attendant, attended: true }] },
    changed: { attendance: [{ member: attendant, attended: false }] },
  }),
  'get /groups/:code/trainings': ({ gathered: { group } }) => ({ path: `/groups/${one(group)}/trainings` }),
  'post /groups/:code/trainings': ({ gathered: { group, module } }) => ({
    path: `/groups/${one(group)}/trainings`,
    body: { module, startsAt: '2026-12-05T15:30:00Z' },
    changed: { startsAt: '2026-12-06T15:30:00Z' },
  }),
  'patch /trainings/:id': ({ gathered: { trainingAhead } }) => ({
    path: `/trainings/${trainingAhead}`,
    body: { status: 'cancelled' },
    changed: { status: 'planned' },
  }),
  'get /trainings/:id/attendance': ({ gathered: { trainingBegun } }) => ({
    path: `/trainings/${trainingBegun}/attendance`,
  }),
  'put /trainings/:id/attendance': ({ gathered: { trainingBegun, attendant } }) => ({
    path: `/trainings/${trainingBegun}/attendance`,
    body: { attendance: [{ member: attendant, attended: true }] },
    changed: { attendance: [{ member: attendant, attended: false }] },
  }),
}

/** The sample of a route, or an error that says where to add it. */
export function sampleOf(route: string, ground: Ground): SampleRequest {
  const sample = sampleRequests[route]
  if (sample === undefined) throw new Error(`tests/support/api.ts has no sample request for "${route}"`)
  return sample(ground)
}
