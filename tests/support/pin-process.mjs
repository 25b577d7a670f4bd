// One process that tries PINs of a member, all at once when told to:  node pin-process.mjs DATABASE_URL MEMBER FIRST COUNT
import { createDb } from '../../dist/db.js'
import { createLogger } from '../../dist/logger.js'
import { createPins } from '../../dist/members/pin.js'

const [url, memberId, first, count] = process.argv.slice(2)
const db = createDb({ url, logger: createLogger('silent'), poolSizeMax: 10 })
const pins = createPins({ db, pepper: 'pepper' })
const { matches } = pins
let verified = 0
pins.matches = (hash, pin) => {
  verified += 1
  return matches(hash, pin)
}
await db.pool.query('select 1')
console.log('ready')
process.stdin.once('data', async () => {
  const tries = Array.from({ length: Number(count) }, (_, index) => {
    const pin = String(Number(first) + index)
    return pins.verify(memberId, pin, `${process.pid}-${index}`, new Date())
  })
  const verdicts = (await Promise.all(tries)).map(({ verdict }) => verdict)
  console.log(JSON.stringify({ verified, verdicts }))
  await db.close()
  process.exit(0)
})
