// The console's search in a programme of many members, as a page finds them behind row-level security.   node bench/search.mjs [members]
import { membersRoutes } from '../dist/console/pages/members.js'
import { createDb } from '../dist/db.js'
import { createLogger } from '../dist/logger.js'
import { seedProgramme } from '../dist/simulator/programme.js'
import { cleanUp, median, printTable, startDatabase } from './support.mjs'

const members = Number(process.argv[2] ?? 100_000)
const rounds = 9
const url = await startDatabase()
const db = createDb({ url, logger: createLogger('silent') })
await seedProgramme(db, {
  seed: 1,
  members: 200,
  now: new Date(),
  setPin: async () => {},
  onProgress: () => {},
})
const { rows } = await db.pool.query('select id from programmes')
const [{ id }] = rows
await db.pool.query(
  `insert into members (programme_id, number, first_name, last_name, alias, language)
   select $1, 'X-' || i, (array['Awa','Fatou','Mariama','Seynabou','Ndèye','Khady','Coumba','Aissatou','Bineta','Oumou'])[1 + i * 7 % 10],
          (array['Diatta','Badji','Sané','Sagna','Diallo','Manga','Mané','Coly','Sonko','Ba'])[1 + i / 10 % 10] || ' ' || chr(97 + i % 26),
          'a' || i, 'fr' from generate_series(1, $2::int) i`,
  [id, members],
)
await db.pool.query('vacuum analyze')
const page = (q) =>
  db.inProgramme(id, (tx) =>
    membersRoutes[0].handle({
      tx,
      staff: { id, role: 'administrator' },
      say: (key) => key,
      query: { q },
      programme: { id, country: 'SN' },
    }),
  )
const lines = []
for (const words of [
  '',
  'Awa',
  'awa diatta',
  'Sané Fatou',
  'ndeye',
  'X-7777',
  'a5555',
  'nobody',
  '+221771234567',
]) {
  const times = []
  let found = 0
  for (let round = 0; round < rounds; round += 1) {
    const startMs = performance.now()
    const { body } = await page(words)
    times.push(performance.now() - startMs)
    found = (body.markup.match(/<tr>/g)?.length ?? 1) - 1
  }
  lines.push([words === '' ? '(all)' : words, found, median(times).toFixed(1), Math.max(...times).toFixed(1)])
}
printTable(
  `The console's search among ${members} members, ${rounds} times each`,
  ['words', 'rows shown', 'median ms', 'slowest ms'],
  lines,
)
await db.close()
await cleanUp()
process.exit(0)
