// Outbox to submitted, one call a message, against bare BullMQ with one job a message doing the same call, and against the SDK alone.
// The process under test has a core of its own; rounds interleaved, medians.   node bench/sender.mjs [rounds] [word of a variant]
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDb } from '../dist/db.js'
import { createLogger } from '../dist/logger.js'
import { seedProgramme } from '../dist/simulator/programme.js'
import {
  cleanUp,
  freePort,
  hasRedis,
  leaveCoreZero,
  median,
  printTable,
  round,
  startDatabase,
  startOther,
  startRedis,
  withClient,
} from './support.mjs'

const rounds = Number(process.argv[2] ?? 3)
const wanted = new RegExp(process.argv[3] ?? '.', 'i')
const here = (file) => join(dirname(fileURLToPath(import.meta.url)), 'sender', file)

leaveCoreZero()
const databaseUrl = await startDatabase()
const redisUrl = hasRedis ? await startRedis() : undefined
const port = await freePort()
await startOther(here('provider.mjs'), [String(port)])
const fast = `http://127.0.0.1:${port}`
const slow = `${fast}/slow`
const db = createDb({ url: databaseUrl, logger: createLogger('silent') })
await seedProgramme(db, {
  seed: 1,
  members: 1_000,
  now: new Date(),
  setPin: async () => {},
  onProgress: () => {},
})
await db.close()
await withClient(databaseUrl, (client) =>
  client.query(`update programmes set send_from_minute = 0, send_until_minute = 1440,
    segments_minute_max = 1000000000, segments_day_max = 1000000000`),
)

function measure(file, words) {
  return new Promise((resolve, reject) => {
    const child = spawn('taskset', ['-c', '0', process.execPath, here(file), ...words.map(String)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.once('exit', () => {
      const line = output.trim().split('\n').at(-1)
      try {
        resolve(JSON.parse(line))
      } catch {
        reject(new Error(`${file} ended without a figure: ${output}`))
      }
    })
  })
}

const calls = 50
/** Rows marked ahead of their turn: what a crash may leave `unknown` beyond the calls under way. */
const ahead = 10
/** Enough of them that the two thirds of a second until the first one leaves weigh little. */
const tama = (count, url, kind, backendUrl, extra = []) =>
  measure('tama.mjs', [count, calls, url, kind, databaseUrl, backendUrl ?? '-', ...extra])
const variants = {
  bullmqPostgres: () => measure('bullmq.mjs', [3_000, calls, fast, 'postgres', databaseUrl]),
  tamaPostgres: () => tama(20_000, fast, 'bare', undefined),
  sdk: () => measure('sdk.mjs', [15_000, calls, fast]),
  tamaSdkPostgres: () => tama(15_000, fast, 'sdk', undefined),
  tamaSlowPostgres: () => tama(20_000, slow, 'bare', undefined),
  ...(redisUrl === undefined
    ? {}
    : {
        bullmqRedis: () => measure('bullmq.mjs', [20_000, calls, fast, 'redis', redisUrl]),
        tamaRedis: () => tama(20_000, fast, 'bare', redisUrl),
        tamaSdkRedis: () => tama(15_000, fast, 'sdk', redisUrl),
        tamaSlowRedis: () => tama(20_000, slow, 'bare', redisUrl),
        tamaSlowAheadRedis: () => tama(20_000, slow, 'bare', redisUrl, [0, ahead]),
      }),
}
const rates = Object.fromEntries(Object.keys(variants).map((name) => [name, []]))
for (let at = 0; at < rounds; at += 1) {
  for (const [name, run] of Object.entries(variants)) {
    if (!wanted.test(name)) continue
    rates[name].push((await run()).rate)
    console.error(name, round(rates[name].at(-1)))
  }
}
const rate = (name) => median(rates[name])
const rows = []
const add = (title, name, against, target) => {
  if (!(rates[name]?.length > 0)) return
  const reference = typeof against === 'number' ? against : rate(against)
  if (!(reference > 0)) return
  rows.push([title, round(rate(name)), round(reference), (rate(name) / reference).toFixed(2), target])
}
add('bare provider, queue on Redis, against bare BullMQ on Redis', 'tamaRedis', 'bullmqRedis', '0.8')
add(
  'bare provider, queue on PostgreSQL, against bare BullMQ on PostgreSQL',
  'tamaPostgres',
  'bullmqPostgres',
  '3',
)
add('official SDK, queue on Redis, against the SDK alone', 'tamaSdkRedis', 'sdk', '0.8')
add('official SDK, queue on PostgreSQL, against the SDK alone', 'tamaSdkPostgres', 'sdk', '0.8')
add(
  'provider of 50 ms, queue on Redis, against the limit of 50 calls at once',
  'tamaSlowRedis',
  calls / 0.05,
  '0.9',
)
add(
  'provider of 50 ms, queue on PostgreSQL, against the limit of 50 calls at once',
  'tamaSlowPostgres',
  calls / 0.05,
  '0.9',
)
add(
  `the same with ${ahead} calls marked ahead of their turn (not the default), queue on Redis`,
  'tamaSlowAheadRedis',
  calls / 0.05,
  '',
)
printTable(
  `Sender: outbox to submitted, one call a message, ${calls} at once, ${rounds} rounds`,
  ['case', 'Tama messages/s', 'reference/s', 'ratio', 'target'],
  rows,
)

const urgent = []
for (const [name, url] of [
  ['PostgreSQL', undefined],
  ['Redis', redisUrl],
]) {
  if ((name === 'Redis' && redisUrl === undefined) || !wanted.test('urgent')) continue
  const result = await tama(0, fast, 'bare', url, [100_000])
  urgent.push([
    name,
    round(result.drained),
    round(result.bulkRate),
    result.urgent,
    round(result.p50Ms),
    round(result.p95Ms),
    '1,000',
  ])
}
if (urgent.length > 0)
  printTable(
    'Urgent messages while a bulk lane of 100,000 drains: created to submitted',
    ['queue on', 'bulk drained', 'bulk messages/s', 'urgent', 'p50 ms', 'p95 ms', 'target'],
    urgent,
  )
await cleanUp()
process.exit(0)
