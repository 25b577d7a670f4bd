// A USSD dialogue of four screens with a kept session and the ledger read, against the same dialogue by others.
// One server core, load and databases on the other; medians of rounds, each with processes of its own: what V8 makes of the same code
// differs by a quarter from one process to the next.   node bench/ussd.mjs [rounds] [seconds] [hops of the memory run]
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDb } from '../dist/db.js'
import { createLogger } from '../dist/logger.js'
import { seedProgramme } from '../dist/simulator/programme.js'
import { runDialogues } from './load.mjs'
import {
  cleanUp,
  freePort,
  hasRedis,
  leaveCoreZero,
  median,
  printTable,
  round,
  startDatabase,
  startRedis,
  startServer,
  withClient,
} from './support.mjs'

const rounds = Number(process.argv[2] ?? 5)
const seconds = Number(process.argv[3] ?? 4)
const memoryHops = Number(process.argv[4] ?? 150_000)
const here = (file) => join(dirname(fileURLToPath(import.meta.url)), 'ussd', file)
const inputs = ['1', '1', '1']

leaveCoreZero()
const databaseUrl = await startDatabase()
const redisUrl = hasRedis ? await startRedis() : undefined
const db = createDb({ url: databaseUrl, logger: createLogger('silent') })
await seedProgramme(db, {
  seed: 1,
  members: 1_000,
  now: new Date(),
  setPin: async () => {},
  onProgress: () => {},
})
await db.close()
// Members with a phone of their own and a language: the dialogue goes straight through the four screens.
const numbers = await withClient(databaseUrl, async (client) => {
  await client.query(`update members set language = 'en' where language is null`)
  await client.query(
    'create table bench_balances (msisdn text primary key, outstanding text, next_due text, next_amount text)',
  )
  await client.query(
    `insert into bench_balances select msisdn, '61 000 F', 'Mon 30 Nov', '15 250 F' from phones`,
  )
  await client.query('analyze')
  const { rows } = await client.query(`
    select p.msisdn from phones p join member_phones mp on mp.phone_id = p.id join members m on m.id = mp.member_id
     group by p.msisdn having count(*) = 1 and bool_and(m.status = 'active') order by 1`)
  return rows.map((row) => row.msisdn)
})

const callback = '/callbacks/africastalking/bench-secret/ussd'
const contender = (name, file, words, path) => ({
  name,
  file,
  words,
  path,
  rates: [],
  p99s: [],
  pacedP99s: [],
  memories: [],
  wrong: 0,
})
const plain = contender(
  'plain Express 5, no session, one read (a)',
  'plain-express.mjs',
  [databaseUrl],
  '/ussd',
)
const tamaPostgres = contender('Tama, sessions in PostgreSQL', 'tama.mjs', [databaseUrl], callback)
const tamaRedis = contender('Tama, sessions in Redis', 'tama.mjs', [databaseUrl, redisUrl], callback)
const builder = contender(
  'ussd-menu-builder 1.2.0, sessions in Redis (b)',
  'menu-builder.mjs',
  [databaseUrl, redisUrl],
  '/ussd',
)
const contenders = redisUrl === undefined ? [plain, tamaPostgres] : [plain, tamaPostgres, tamaRedis, builder]

const expect = (hop, body) =>
  hop < inputs.length ? body.startsWith('CON ') : /^(CON|END) /.test(body) && / F/.test(body)
const load = { connections: 50, inputs, numbers, expect }

/** A process of its own, warm. */
async function start({ file, words, path }) {
  const port = await freePort()
  const server = await startServer(here(file), [String(port), ...words])
  const url = `http://127.0.0.1:${port}${path}`
  await runDialogues({ ...load, url, seconds: 3 })
  return { ...server, url }
}

const pacedRates = []
for (let at = 0; at < rounds; at += 1) {
  const servers = new Map()
  for (const each of contenders) servers.set(each, await start(each))
  for (const [each, { url }] of servers) {
    const run = await runDialogues({ ...load, url, seconds })
    each.rates.push(run.hopsPerSecond)
    each.p99s.push(run.p99Ms)
    each.wrong += run.wrong
  }
  // Half the peak rate of (a), the same for all.
  const ratePerSecond = plain.rates.at(-1) / 2
  pacedRates.push(ratePerSecond)
  for (const [each, { url, memoryMb, stop }] of servers) {
    const run = await runDialogues({ ...load, url, seconds, ratePerSecond })
    each.pacedP99s.push(run.p99Ms)
    each.memories.push(memoryMb())
    await stop()
  }
  console.error(contenders.map(({ rates }) => round(rates.at(-1))).join('  '))
}
const rateOf = (contender) => median(contender.rates)
printTable(
  `USSD: four screens, 50 connections, ${rounds} rounds of ${seconds} s, each with new processes`,
  [
    'server',
    'answers/s',
    'against (a)',
    'against (b)',
    'p99 ms at peak',
    `p99 ms at ${round(median(pacedRates))}/s`,
    'p99 against (a)',
    'wrong answers',
    'memory MB',
  ],
  contenders.map((contender) => [
    contender.name,
    round(rateOf(contender)),
    (rateOf(contender) / rateOf(plain)).toFixed(2),
    redisUrl === undefined ? '' : (rateOf(contender) / rateOf(builder)).toFixed(2),
    median(contender.p99s).toFixed(1),
    median(contender.pacedP99s).toFixed(1),
    (median(contender.pacedP99s) / median(plain.pacedP99s)).toFixed(2),
    contender.wrong,
    median(contender.memories),
  ]),
)

const serving = redisUrl === undefined ? tamaPostgres : tamaRedis
const server = await start(serving)
const memory = []
for (let hops = 0; hops < memoryHops; ) {
  const run = await runDialogues({ ...load, url: server.url, seconds: 20 })
  hops += run.hops
  memory.push([round(hops), server.memoryMb()])
}
printTable(`Memory of a serving process (${serving.name})`, ['further hops', 'resident MB'], memory)
await cleanUp()
process.exit(0)
