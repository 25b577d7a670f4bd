// Tama's own HTTP edge and dialogue engine with a menu of the same four screens.  node tama.mjs PORT DATABASE_URL [REDIS_URL]
import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemClock } from '../../dist/clock.js'
import { createDb, createPipeline } from '../../dist/db.js'
import { keepHeapSmall } from '../../dist/heap.js'
import { createCallbacks } from '../../dist/http/callbacks.js'
import { createApp, listen } from '../../dist/http/server.js'
import { loadI18n } from '../../dist/i18n.js'
import { createLogger } from '../../dist/logger.js'
import { createPins } from '../../dist/members/pin.js'
import { loadProgrammes } from '../../dist/members/programmes.js'
import { createMetrics } from '../../dist/metrics.js'
import { connectRedis } from '../../dist/redis.js'
import { parseMenu } from '../../dist/ussd/menu.js'
import { createPathCounter } from '../../dist/ussd/paths.js'
import { createPostgresSessions, createRedisSessions } from '../../dist/ussd/session-store.js'
import { createUssd } from '../../dist/ussd/ussd.js'

keepHeapSmall()
const [port, databaseUrl, redisUrl] = process.argv.slice(2)
const here = dirname(fileURLToPath(import.meta.url))

const locales = mkdtempSync(join(tmpdir(), 'tama-bench-locales-'))
cpSync(join(here, '../../locales'), locales, { recursive: true })
for (const language of ['fr', 'en', 'wo']) {
  const path = join(locales, language, 'ussd.json')
  const texts = JSON.parse(readFileSync(path, 'utf8'))
  texts.bench = {
    home: { text: 'FANSOTO', options: { money: 'My money', group: 'My group', help: 'Help' } },
    money: { text: 'My money', options: { loan: 'My loan', savings: 'My savings' } },
    loans: { text: 'My loan', options: { owe: 'What I owe', schedule: 'Schedule' } },
    owe: texts.member.account,
  }
  writeFileSync(path, JSON.stringify(texts))
}

// Logs go where a supervisor would take them: a line a callback is part of the work.
const logger = createLogger('info', { write: () => {} })
const db = createDb({ url: databaseUrl, logger })
const metrics = createMetrics()
const programmes = (await loadProgrammes(db)).map((programme) => ({ ...programme, menu: 'bench' }))
const sessions =
  redisUrl === undefined
    ? createPostgresSessions(
        createPipeline({ url: databaseUrl, logger, name: 'sessions', asynchronousCommit: true }),
      )
    : createRedisSessions(connectRedis(redisUrl, logger))
const paths = createPathCounter({ db, logger })
paths.start()
const ussd = createUssd({
  db,
  clock: systemClock,
  logger,
  metrics,
  i18n: loadI18n(locales),
  menus: new Map([['bench', parseMenu(readFileSync(join(here, 'bench.yaml'), 'utf8'), 'bench.yaml')]]),
  programmes,
  sessions,
  pins: createPins({ db, pepper: 'bench' }),
  sessionKey: 'bench',
  paths,
})
const app = createApp()
const nothing = async () => {}
app.use(
  createCallbacks({
    secret: 'bench-secret',
    logger,
    metrics,
    handlers: {
      ussd: ({ sessionId, phoneNumber, networkCode, serviceCode, text }) =>
        ussd.answer({
          provider: 'africastalking',
          sessionId,
          msisdn: phoneNumber,
          networkCode,
          serviceCode,
          text,
        }),
      ussdMalformed: () => 'END',
      ussdEnd: nothing,
      sms: nothing,
      delivery: nothing,
      optOut: nothing,
    },
  }),
)
await listen(app, Number(port), '127.0.0.1')
console.log('ready')
