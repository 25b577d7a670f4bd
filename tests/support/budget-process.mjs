// One process that takes its share of messages from the budget, in batches, when told to:
// node budget-process.mjs DATABASE_URL SHARE OF NOW
import { createDb } from '../../dist/db.js'
import { createLogger } from '../../dist/logger.js'
import { takeBudget } from '../../dist/outbound/budget.js'

const [url, share, of, now] = process.argv.slice(2)
const db = createDb({ url, logger: createLogger('silent'), poolSizeMax: 2 })
const { rows } = await db.pool.query(
  `select id, purpose from messages where abs(hashtext(id::text)) % $2::int = $1::int order by id`,
  [share, of],
)
console.log('ready')
process.stdin.once('data', async () => {
  const passed = { reply: 0, notice: 0 }
  for (let at = 0, size = 1; at < rows.length; at += size, size = (size % 13) + 1) {
    const batch = rows.slice(at, at + size)
    const asked = batch.map(({ id }) => ({ messageId: id, segments: 1 }))
    const refused = new Set(
      (await takeBudget(db.pool, asked, new Date(now))).map(({ messageId }) => messageId),
    )
    for (const { id, purpose } of batch) if (!refused.has(id)) passed[purpose] += 1
  }
  console.log(JSON.stringify(passed))
  await db.close()
  process.exit(0)
})
