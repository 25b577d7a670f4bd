// Bare BullMQ, one job a message, the same call.  node bullmq.mjs COUNT CONCURRENCY PROVIDER_URL postgres|redis BACKEND_URL
import { createPostgresBackend, Queue, runMigrations, Worker } from 'bullmq'
import pg from 'pg'
import { createCall } from './call.mjs'

const [count, concurrency, providerUrl, backend, url] = process.argv.slice(2)
const isPostgres = backend === 'postgres'
const connection = isPostgres
  ? { connectionString: url, schema: 'bare' }
  : { url, maxRetriesPerRequest: null }
const factory = isPostgres ? [createPostgresBackend] : []
if (isPostgres) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await runMigrations(client, 'bare')
  await client.end()
}
const name = `bare-${process.pid}`
const queue = new Queue(name, { connection, defaultJobOptions: { removeOnComplete: true } }, ...factory)
for (let at = 0; at < Number(count); at += 500)
  await queue.addBulk(
    Array.from({ length: Math.min(500, Number(count) - at) }, (_, index) => ({
      name: 'send',
      data: { to: '+221770000000', text: `message ${at + index}` },
    })),
  )
const call = createCall(providerUrl)
let done = 0
let startedMs = 0
const worker = new Worker(
  name,
  ({ data }) => call(data.to, data.text),
  { connection, concurrency: Number(concurrency), autorun: false },
  ...factory,
)
const finished = new Promise((resolve) => {
  worker.on('completed', () => {
    done += 1
    if (done === Number(count)) resolve()
  })
})
await worker.waitUntilReady()
startedMs = performance.now()
void worker.run()
await finished
console.log(JSON.stringify({ rate: Number(count) / ((performance.now() - startedMs) / 1000) }))
process.exit(0)
