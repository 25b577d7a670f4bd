// A notice to 100,000 members in three languages: previewed, sent, planned, drained, calls a message, and what the pages of the console
// take meanwhile, over HTTP, from a process of their own.
// node bench/notices.mjs [members] [planning rounds]
import { fork, spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../dist/clock.js'
import { openSession } from '../dist/console/sessions.js'
import { createDb } from '../dist/db.js'
import { loadI18n } from '../dist/i18n.js'
import { createLogger } from '../dist/logger.js'
import { createMetrics } from '../dist/metrics.js'
import { approveNotice, draftNotice, previewNotice, sendNotice, stopNotice } from '../dist/notices/notices.js'
import { createNoticePlanner } from '../dist/notices/planner.js'
import { createDecider } from '../dist/outbound/decision.js'
import { createQueues } from '../dist/outbound/queue.js'
import { createRelay } from '../dist/outbound/relay.js'
import { createSender } from '../dist/outbound/sender.js'
import { createAfricasTalking } from '../dist/providers/africastalking.js'
import { cleanUp, freePort, median, printTable, round, startDatabase, startOther } from './support.mjs'

const members = Number(process.argv[2] ?? 100_000)
const rounds = Number(process.argv[3] ?? 3)
const here = (file) => join(dirname(fileURLToPath(import.meta.url)), file)
const databaseUrl = await startDatabase()
const logger = createLogger('silent')
const db = createDb({ url: databaseUrl, logger })
const i18n = loadI18n('locales')
const clock = systemClock

const ids = await db.transaction(async (tx) => {
  await tx.query('set local synchronous_commit = off')
  const programme = await tx.query(`
    insert into programmes (code, name, service_code, sender_id, currency_code, country, time_zone, languages, send_from_minute,
      send_until_minute, segments_minute_max, segments_day_max, segment_price, segment_currency, daily_cap, weekly_cap)
    values ('bench', 'Bench', '*384*9', 'BENCH', 'XOF', 'SN', 'Africa/Dakar', '{fr,wo,ff}', 0, 1440, 1000000000, 1000000000, 12,
      'XOF', 100, 100) returning id`)
  const programmeId = programme.rows[0].id
  const staff = await tx.query(
    `insert into staff (programme_id, first_name, last_name, msisdn, role, language)
     select $1, 'Binta', 'Sane', '+22177900000' || n, 'administrator', 'fr' from generate_series(1, 9) n returning id`,
    [programmeId],
  )
  await tx.query(
    `insert into groups (programme_id, code, name, place)
     select $1, 'G' || n, 'Groupe ' || n, 'Bignona' from generate_series(0, $2::int / 25) n`,
    [programmeId, members],
  )
  await tx.query(
    `insert into members (programme_id, number, first_name, last_name, alias, language, group_id)
     select $1, 'M' || lpad(n::text, 6, '0'), 'Awa', 'Diatta', 'Awa', (array['fr', 'wo', 'ff'])[1 + n % 3], g.id
       from generate_series(1, $2::int) n join groups g on g.programme_id = $1 and g.code = 'G' || n / 25`,
    [programmeId, members],
  )
  await tx.query(`insert into consents (member_id, purpose, granted, channel, wording, language, collector, collected_at)
    select m.id, purpose, true, 'staff', 'sheet-1', 'fr', 'staff:bench', now() - interval '1 year'
      from members m, unnest(array['receipt', 'reminder', 'meeting']) as purpose`)
  await tx.query(
    `insert into phones (programme_id, msisdn) select $1, '+22177' || lpad((1000000 + n)::text, 7, '0') from generate_series(1, $2::int) n`,
    [programmeId, members],
  )
  // One in ten shares the phone of the member before her who speaks as she does.
  await tx.query(`insert into member_phones (member_id, phone_id)
    select m.id, p.id from (select id, substr(number, 2)::int as n from members) m
      join phones p on p.msisdn = '+22177' || lpad((1000000 + case when m.n % 10 = 9 then m.n - 3 else m.n end)::text, 7, '0')`)
  return { programmeId, staff: staff.rows.map(({ id }) => id) }
})
await db.pool.query('vacuum analyze')

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
const timed = async (work) => {
  const startedMs = performance.now()
  const result = await work()
  return { ms: performance.now() - startedMs, result }
}
const planner = createNoticePlanner({ db, clock, logger, metrics: createMetrics() })
const texts = {
  fr: 'La fête du riz est samedi à Bignona, venez avec vos familles.',
  wo: 'Feet bu ceeb bi mingi nekk gaawu ci Bignona, kaay yow ak sa njaboot.',
  ff: 'Juulde maaro ko asewe to Bignona, are e ɓesngu mon.',
}

/** A process that serves the console, and one that reads it. */
async function openConsole() {
  const webPort = await freePort()
  const web = spawn(process.execPath, [here('../dist/main.js'), 'serve', 'web'], {
    env: {
      ...process.env,
      DATABASE_URL: databaseUrl,
      PORT: String(webPort),
      PIN_PEPPER: 'pepper-of-the-benchmark-0123456789',
      LOG_LEVEL: 'silent',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve, reject) => {
    web.stdout.on('data', (chunk) => String(chunk).includes('Tama web at') && resolve())
    web.once('exit', () => reject(new Error('the console ended')))
  })
  const cookies = await Promise.all(ids.staff.map((staffId) => openSession(db.pool, staffId, clock.now())))
  let child
  return {
    async read(id) {
      const paths = {
        today: '/',
        notices: '/notices',
        'the notice': `/notices/${id}`,
        'the notice, who was not reached': `/notices/${id}?state=not_reached`,
        'the list to read out to a group': `/notices/${id}/read-out?group=${group}`,
        members: '/members',
        'members, found by number': '/members?q=M0505',
        messages: '/messages',
        groups: '/groups',
        'a group': `/groups/${group}`,
      }
      child = fork(here('notices/pages.mjs'), [
        JSON.stringify([`http://127.0.0.1:${webPort}/console`, cookies, paths]),
      ])
      await pause(3_000)
    },
    note: (phase) => child?.send({ phase }),
    async close() {
      const times = new Promise((resolve, reject) => {
        child.once('message', (message) => resolve(message.times))
        child.once('exit', () => reject(new Error('the reader ended')))
      })
      child.send({ end: true })
      const read = await times
      web.kill('SIGKILL')
      return read
    },
  }
}

async function sentNotice(name) {
  const now = clock.now()
  const author = { staffId: ids.staff[0] }
  const drafted = await timed(() =>
    draftNotice(db.pool, i18n, {
      ...{
        programmeId: ids.programmeId,
        author,
        channel: 'console',
        purpose: 'service',
        audience: {},
        texts,
        now,
      },
      dedupeKey: name,
    }),
  )
  const { id, faults } = drafted.result
  if (id === undefined) throw new Error(JSON.stringify(faults))
  const previewed = await timed(() => previewNotice(db.pool, i18n, id, now))
  const sent = await timed(() => db.transaction((tx) => sendNotice(tx, id, author, now)))
  // Long enough ago that the minute of undoing is over.
  const approvedAt = new Date(now.getTime() - 61_000)
  await db.transaction((tx) => approveNotice(tx, id, ids.staff[1], approvedAt))
  return { id, draftMs: drafted.ms, previewMs: previewed.ms, sendMs: sent.ms }
}

const group = (await db.pool.query(`select id from groups where code = 'G7'`)).rows[0].id
const reader = await openConsole()
const plans = []
const stops = []
let last
for (let at = 0; at < rounds; at += 1) {
  if (last !== undefined) {
    stops.push(
      (await timed(() => db.transaction((tx) => stopNotice(tx, last.id, 'operator', clock.now())))).ms,
    )
    await db.pool.query('truncate messages, message_events, notice_recipients cascade')
    await db.pool.query('checkpoint')
  }
  last = await sentNotice(`round-${at}`)
  if (at === rounds - 1) await reader.read(last.id)
  reader.note('planned')
  plans.push(await timed(() => planner.planOnce(clock.now())))
}
const { recipients, messages } = plans.at(-1).result

const port = await freePort()
await startOther(here('sender/provider.mjs'), [String(port)])
const at = createAfricasTalking({
  username: 'bench',
  apiKey: 'key',
  baseUrl: `http://127.0.0.1:${port}`,
  timeoutMs: 20_000,
})
let calls = 0
const provider = {
  ...at,
  send: (ask) => {
    calls += 1
    return at.send(ask)
  },
}
const queues = createQueues({ databaseUrl, redisUrl: undefined, logger })
await queues.ready()
const shared = { db, databaseUrl, queues, clock, logger, metrics: createMetrics() }
const sender = createSender({ ...shared, provider, decide: createDecider({ db, i18n }) })
const relay = createRelay(shared)
const isOpen = async () =>
  (await db.pool.query(`select exists (select from messages where stage = 0) as open`)).rows[0].open
await db.pool.query('vacuum analyze messages, notice_recipients')
await sender.start()
const rest = []
const drained = await timed(async () => {
  await relay.start()
  reader.note('sent')
  for (;;) {
    // As the planner's process does every 5 s.
    rest.push((await timed(() => planner.planOnce(clock.now()))).ms)
    await pause(2_000)
    if (!(await isOpen())) return
  }
})
const pages = await reader.close()
const { rows: ended } = await db.pool.query('select status, count(*)::int as count from messages group by 1')
await relay.stop()
await sender.stop()
const seconds = (ms) => (ms / 1000).toFixed(2)
const p95 = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length * 0.95)]
printTable(
  `Notice to ${round(members)} members in three languages, ${round(messages)} phones, ${rounds} rounds of planning`,
  ['work', 'figure', 'target'],
  [
    ['draft, seconds', seconds(last.draftMs), ''],
    ['preview, seconds', seconds(last.previewMs), ''],
    ['send (asked again), seconds', seconds(last.sendMs), ''],
    [
      `planned: ${round(recipients)} recipients, ${round(messages)} messages, seconds`,
      seconds(median(plans.map(({ ms }) => ms))),
      'under 30',
    ],
    ['stopped before anything left, seconds', stops.length === 0 ? '-' : seconds(median(stops)), ''],
    ['drained (sender, decisions, reports of the provider), seconds', seconds(drained.ms), ''],
    ['messages a provider call', (messages / calls).toFixed(1), ''],
    ['a round of the planner while it is sent, ms at p50', Math.round(median(rest)), ''],
    ['what became of them', ended.map(({ status, count }) => `${status} ${round(count)}`).join(', '), ''],
  ],
)
printTable(
  `Pages of the console meanwhile, over HTTP, ms`,
  ['page', 'while it is planned, p50, p95', 'while it is sent, p50, p95', 'KB', 'target, p95'],
  Object.keys(pages.sent).map((name) => [
    name,
    ...['planned', 'sent'].map((phase) => {
      const { ms = [] } = pages[phase]?.[name] ?? {}
      return ms.length === 0 ? '-' : `${Math.round(median(ms))}, ${Math.round(p95(ms))} (${ms.length})`
    }),
    Math.round(pages.sent[name].length / 1024),
    'under 300',
  ]),
)
await queues.close()
await db.close()
await cleanUp()
process.exit(0)
