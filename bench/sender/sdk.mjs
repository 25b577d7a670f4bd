// The official SDK alone: how fast it can send, one recipient a call.  node sdk.mjs COUNT CONCURRENCY PROVIDER_URL
import { createAfricasTalking } from '../../dist/providers/africastalking.js'

const [count, concurrency, baseUrl] = process.argv.slice(2)
// With our time-out, keep-alive and base URL: the SDK's own defaults would be slower.
const provider = createAfricasTalking({ username: 'bench', apiKey: 'key', baseUrl, timeoutMs: 20_000 })
let next = 0
const startedMs = performance.now()
await Promise.all(
  Array.from({ length: Number(concurrency) }, async () => {
    while (next < Number(count)) {
      next += 1
      await provider.send({
        senderId: 'FANSOTO',
        text: `FANSOTO: nouveau message ${next}. Faites *384*1#`,
        recipients: ['+221770000101'],
      })
    }
  }),
)
console.log(JSON.stringify({ rate: Number(count) / ((performance.now() - startedMs) / 1000) }))
process.exit(0)
