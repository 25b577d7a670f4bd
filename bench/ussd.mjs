// A USSD dialogue of four screens with a kept session and the ledger read, against the same dialogue by others.
// One server core, load and databases on the other; rounds interleaved, medians.   node bench/ussd.mjs [rounds] [seconds] [hops of the memory run]
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

const start = async (name, file, words, path) => {
  const port = await freePort()
  const server = await startServer(here(file), [String(port), ...words])
  return {
    name,
    server,
    url: `http://127.0.0.1:${port}${path}`,
    rates: [],
    p99s: [],
    pacedP99s: [],
    wrong: 0,
  }
}
const callback = '/callbacks/africastalking/bench-secret/ussd'
const plain = await start(
  'plain Express 5, no session, one read (a)',
  'plain-express.mjs',
  [databaseUrl],
  '/ussd',
)
const contenders = [
  plain,
  await start('Tama, sessions in PostgreSQL', 'tama.mjs', [databaseUrl], callback),
  ...(redisUrl === undefined
    ? []
    : [
        await start('Tama, sessions in Redis', 'tama.mjs', [databaseUrl, redisUrl], callback),
        await start(
          'ussd-menu-builder 1.2.0, sessions in Redis (b)',
          'menu-builder.mjs',
          [databaseUrl, redisUrl],
          '/ussd',
        ),
      ]),
]

const expect = (hop, body) =>
  hop < inputs.length ? body.startsWith('CON ') : /^(CON|END) /.test(body) && / F/.test(body)
const load = { connections: 50, inputs, numbers, expect }
for (const contender of contenders) await runDialogues({ ...load, url: contender.url, seconds: 2 })
for (let at = 0; at < rounds; at += 1) {
  for (const contender of contenders) {
    const run = await runDialogues({ ...load, url: contender.url, seconds })
    contender.rates.push(run.hopsPerSecond)
    contender.p99s.push(run.p99Ms)
    contender.wrong += run.wrong
  }
}
// Half the peak rate of (a), the same for all.
const ratePerSecond = median(plain.rates) / 2
for (let at = 0; at < rounds; at += 1) {
  for (const contender of contenders) {
    const run = await runDialogues({ ...load, url: contender.url, seconds, ratePerSecond })
    contender.pacedP99s.push(run.p99Ms)
  }
}
const rateOf = (contender) => median(contender.rates)
const builder = contenders.find((contender) => contender.name.includes('(b)'))
printTable(
  `USSD: four screens, 50 connections, ${rounds} rounds of ${seconds} s`,
  [
    'server',
    'answers/s',
    'against (a)',
    'against (b)',
    'p99 ms at peak',
    `p99 ms at ${round(ratePerSecond)}/s`,
    'p99 against (a)',
    'wrong answers',
    'memory MB',
  ],
  contenders.map((contender) => [
    contender.name,
    round(rateOf(contender)),
    (rateOf(contender) / rateOf(plain)).toFixed(2),
    builder === undefined ? '' : (rateOf(contender) / rateOf(builder)).toFixed(2),
    median(contender.p99s).toFixed(1),
    median(contender.pacedP99s).toFixed(1),
    (median(contender.pacedP99s) / median(plain.pacedP99s)).toFixed(2),
    contender.wrong,
    contender.server.memoryMb(),
  ]),
)

const tama = contenders.find((contender) => contender.name === 'Tama, sessions in Redis') ?? contenders[1]
const memory = []
for (let hops = 0; hops < memoryHops; ) {
  const run = await runDialogues({ ...load, url: tama.url, seconds: 20 })
  hops += run.hops
  memory.push([round(hops), tama.server.memoryMb()])
}
printTable(`Memory of a serving process (${tama.name})`, ['further hops', 'resident MB'], memory)
await cleanUp()
process.exit(0)
