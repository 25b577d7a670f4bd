// In: a role. Out: its loops and its HTTP server, running until SIGTERM or SIGINT, then drained within 40 s.
// Must never take work that it cannot finish: what is running ends, what is waiting stays in the database.
import { createHmac } from 'node:crypto'
import { type Alarms, createAlarms } from './alarms.ts'
import { createCallbackHandlers, providerName } from './callback-handlers.ts'
import { createEscalation } from './cases/escalation.ts'
import type { Config } from './config.ts'
import { createConsole } from './console/console.ts'
import { createPipeline } from './db.ts'
import { type Demo, openDemo } from './demo.ts'
import { drainOnSignal, type Part, stopAll } from './drain.ts'
import { DependencyError, errorCode, StartError } from './errors.ts'
import { createLedgerEvents } from './events/consumer.ts'
import { describeFault } from './fault.ts'
import { keepHeapSmall } from './heap.ts'
import { createAddressCheck } from './http/addresses.ts'
import { createApi } from './http/api.ts'
import { createProgrammeSecrets } from './http/callback-secrets.ts'
import { createCallbacks } from './http/callbacks.ts'
import { type Door, listenClosed } from './http/door.ts'
import { createOperations } from './http/operations.ts'
import { readinessChecks } from './http/readiness.ts'
import { answerTheRest, trustProxies } from './http/server.ts'
import { createMeetingWriter } from './meetings/writer.ts'
import { createPins } from './members/pin.ts'
import { loadProgrammes, type ProgrammeInfo, programmeFaults } from './members/programmes.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { createNoticePlanner } from './notices/planner.ts'
import { createCanary } from './outbound/canary.ts'
import { createDecider } from './outbound/decision.ts'
import { sampleMessages } from './outbound/gauges.ts'
import { createQueues, type Queues } from './outbound/queue.ts'
import { createRelay } from './outbound/relay.ts'
import { createRestoreWatch, fileMark, redisMark } from './outbound/restore.ts'
import { createSender } from './outbound/sender.ts'
import { createSimChecks } from './outbound/sim-checks.ts'
import { createUnknowns } from './outbound/unknown.ts'
import { createWatch, type WatchTimes, watchTimes } from './outbound/watch.ts'
import { createDaily } from './privacy/daily.ts'
import { draftFaults, prove } from './proof.ts'
import { createAfricasTalking } from './providers/africastalking.ts'
import { createSimSwapCheck } from './providers/sim-swap.ts'
import { connectRedis } from './redis.ts'
import { createPlanner } from './reminders/planner.ts'
import type { Role } from './roles.ts'
import { folders, openRuntime, type Runtime, waitForRedis } from './runtime.ts'
import type { ProfileName } from './simulator/profile.ts'
import { createInbound } from './sms/inbound.ts'
import { type TextWatch, watchTexts } from './texts.ts'
import { serviceCodeFaults } from './ussd/dial-codes.ts'
import { createPathCounter } from './ussd/paths.ts'
import { createPostgresSessions, createRedisSessions, type SessionStore } from './ussd/session-store.ts'
import { createUssd } from './ussd/ussd.ts'
import { createTeller } from './webhooks/teller.ts'

const providerTimeoutMs = 20_000
const purgeEveryMs = 60_000

interface House {
  runtime: Runtime
  metrics: Metrics
  alarms: Alarms
  times: WatchTimes
  queues: Queues
  programmes: ProgrammeInfo[]
  /** Menus and texts as they are served now. */
  texts: TextWatch
  /** Started last, stopped first. */
  parts: Part[]
}

/** Resolves when the role (all of them: undefined) is up. The process then lives until a signal drains it. */
export async function serve(role: Role | undefined, demoWish: readonly ProfileName[] = []): Promise<void> {
  keepHeapSmall()
  const parts: Part[] = []
  const stop = new AbortController()
  let runtime: Runtime | undefined
  const front: { door?: Door } = {}
  drainOnSignal(stop, () => (runtime === undefined ? undefined : stopAll(runtime.logger, parts)))
  try {
    const onConfigured = async (config: Config) => {
      refuseDemo(config, demoWish)
      front.door = await openDoor(config.port)
    }
    runtime = await openRuntime({ stop: stop.signal, sends: role === 'worker', onConfigured })
    parts.push({ name: 'runtime', stop: runtime.close })
    if (front.door !== undefined)
      await start({ role, demoWish, runtime, door: front.door, parts, stop: stop.signal })
  } catch (error) {
    // A start that is told to stop trips over what is already closed; the drain ends the process.
    if (stop.signal.aborted && runtime !== undefined) return
    if (stop.signal.aborted) process.exit(0)
    if (runtime !== undefined) await stopAll(runtime.logger, parts)
    throw error
  }
}

/** A demo needs the emulator, and made-up members never stand beside real ones. */
function refuseDemo({ production, africasTalking }: Config, demoWish: readonly ProfileName[]): void {
  if (demoWish.length === 0) return
  if (production) throw new StartError('Production shows no demo', ['--programme: NODE_ENV is production'])
  if (africasTalking !== undefined)
    throw new StartError('There is no demo to show', ['--programme: AT_USERNAME names a provider account'])
}

/** Listens from the first moment, so that a supervisor hears "not ready" while the databases are waited for. */
function openDoor(port: number): Promise<Door> {
  return listenClosed(port).catch((error: unknown) => {
    throw new StartError('The port cannot be used', [`PORT: ${port} (${errorCode(error)})`])
  })
}

interface Beginning {
  role: Role | undefined
  /** Demo programmes that were asked for; none: the demo's own choice. */
  demoWish: readonly ProfileName[]
  runtime: Runtime
  door: Door
  parts: Part[]
  stop: AbortSignal
}

async function start({ role, demoWish, runtime, door, parts, stop }: Beginning): Promise<void> {
  const { config, db, logger } = runtime
  if (config.redisUrl !== undefined) await waitForRedis(config.redisUrl, stop)
  const queues = createQueues({ databaseUrl: runtime.databaseUrl, redisUrl: config.redisUrl, logger })
  parts.push({ name: 'queues', stop: queues.close })
  await queues.ready()
  // The emulator lives in one process with everything else; roles that run apart need a provider they share.
  const isDemo = config.africasTalking === undefined && role === undefined
  const demo = isDemo ? await openDemo(runtime, demoWish) : undefined
  if (demo !== undefined) parts.push({ name: 'emulator', stop: demo.close })
  const programmes = await loadProgrammes(db)
  if (role === undefined || role === 'web') refuseFaults(runtime, programmes)
  const house = await openHouse(runtime, queues, programmes, parts)
  const account = config.africasTalking ?? demo?.account
  if (account !== undefined && (role === undefined || role === 'worker')) await startWorker(house, account)
  if (role === undefined || role === 'planner') startPlanner(house)
  openRoutes(house, role, demo, door)
  const address = door.url
  demo?.callbacksAt(address)
  if (demo === undefined) console.log(`Tama ${role ?? 'serves everything'} at ${address}`)
  else {
    console.log(`Phone    ${address}/phone`)
    console.log(`Try      ${demo.tryNumber} with PIN ${demo.tryPin}: dial ${demo.tryCode}`)
    console.log(`Metrics  ${address}/metrics`)
  }
}

/** The watch runs in every role: a process that is frozen cannot tell so itself. */
async function openHouse(
  runtime: Runtime,
  queues: Queues,
  programmes: ProgrammeInfo[],
  parts: Part[],
): Promise<House> {
  const { config, db, clock, logger } = runtime
  const metrics = createMetrics()
  const alarms = createAlarms({ clock, logger, metrics, url: config.alarmUrl })
  parts.push({ name: 'alarms', stop: alarms.close })
  const times = watchTimes(config.canaryEveryMs)
  const redis = config.redisUrl === undefined ? undefined : connectRedis(config.redisUrl, logger, 1_000)
  const mark = redis === undefined ? fileMark(config.dataFolder) : redisMark(redis)
  const restores = createRestoreWatch({ db, clock, logger, metrics, mark, everyMs: times.watchEveryMs })
  const watch = createWatch({ db, clock, logger, alarms, times })
  const stopRestores = async () => {
    await restores.stop()
    redis?.disconnect()
  }
  parts.push({ name: 'watch', stop: watch.stop }, { name: 'restores', stop: stopRestores })
  // Before anything can leave.
  await restores.look()
  restores.start()
  watch.start()
  const { i18n, menus } = runtime
  const { production } = config
  const texts = watchTexts({ folders, texts: { i18n, menus }, programmes, production, logger, alarms })
  parts.push({ name: 'texts', stop: texts.stop })
  return { runtime, metrics, alarms, times, queues, programmes, texts, parts }
}

/** What only the programmes can tell: their languages, limits, codes and clocks. */
function refuseFaults({ menus, i18n, config }: Runtime, programmes: readonly ProgrammeInfo[]): void {
  const faults = [
    ...programmeFaults(programmes),
    ...prove(menus, i18n, programmes).faults.map(describeFault),
    ...(config.production ? draftFaults(i18n, programmes).map(describeFault) : []),
    ...serviceCodeFaults(programmes),
  ]
  if (faults.length > 0) throw new StartError('The programmes cannot be served', faults)
}

async function startWorker(
  { runtime, metrics, alarms, times, queues, texts, parts }: House,
  account: { username: string; apiKey: string; baseUrl: string },
): Promise<void> {
  const { db, databaseUrl, clock, logger, config } = runtime
  const provider = createAfricasTalking({ ...account, timeoutMs: providerTimeoutMs })
  let decideNow = createDecider({ db, i18n: texts.current().i18n })
  texts.onTexts(({ i18n }) => {
    decideNow = createDecider({ db, i18n })
  })
  const decide: typeof decideNow = (...asked) => decideNow(...asked)
  const shared = { db, databaseUrl, queues, clock, logger, metrics }
  const sender = createSender({ ...shared, provider, decide, alarms, ...config.sendCalls })
  const relay = createRelay(shared)
  const events = createLedgerEvents({ db, clock, logger, metrics })
  const canary = createCanary({ db, queues, clock, logger, everyMs: times.canaryEveryMs })
  const check = createSimSwapCheck({ ...account, timeoutMs: providerTimeoutMs })
  const sims = createSimChecks({ db, clock, logger, check })
  const teller = createTeller({
    db,
    clock,
    logger,
    metrics,
    alarms,
    houseSecret: runtime.secrets.PIN_PEPPER,
    rules: webhookRules(config),
  })
  const unknowns = createUnknowns({ db, clock, logger, metrics, windowMs: runtime.config.unknownWindowMs })
  for (const [name, part] of Object.entries({ sender, canary, relay, unknowns, events, sims, teller })) {
    await part.start()
    parts.push({ name, stop: () => part.stop() })
  }
}

function startPlanner({ runtime, metrics, alarms, parts }: House): void {
  const { db, clock, logger } = runtime
  const planner = createPlanner({ db, clock, logger, metrics })
  const notices = createNoticePlanner({ db, clock, logger, metrics })
  const daily = createDaily({ db, clock, logger, metrics, keepDays: runtime.config.keepDays })
  const meetings = createMeetingWriter({ db, clock, logger })
  const cases = createEscalation({ db, clock, logger, metrics, alarms })
  for (const [name, part] of Object.entries({ planner, notices, daily, meetings, cases })) {
    part.start()
    parts.push({ name, stop: () => part.stop() })
  }
}

function openRoutes(house: House, role: Role | undefined, demo: Demo | undefined, door: Door): void {
  const { runtime, metrics, alarms, queues, parts } = house
  const { db, clock, logger, config, secrets } = runtime
  const { app } = door
  const allowed = config.allowedCallbackCidrs
  trustProxies(app, config.trustedProxies ?? [])
  app.use(
    createOperations({
      metrics,
      checks: readinessChecks({ db, clock, queues, canaryLateMs: house.times.canaryLateMs }),
      alarms,
      sample: () => sampleMessages(db, clock, metrics),
      queues: queues.all,
      adminKey: secrets.ADMIN_KEY,
    }),
  )
  if (role === undefined || role === 'web') {
    const sessions = openSessions(house)
    app.use(
      createCallbacks({
        secret: secrets.CALLBACK_SECRET,
        programmeSecrets: createProgrammeSecrets({ db, clock, logger, provider: providerName }),
        ...(allowed === undefined ? {} : { isAllowed: createAddressCheck(allowed) }),
        handlers: createHandlers(house, sessions),
        logger,
        metrics,
      }),
    )
    const forgetDialogues = (phoneIds: readonly string[]) =>
      sessions.forget(phoneIds).catch((error: unknown) => {
        const code = config.redisUrl === undefined ? 'dependency.database' : 'dependency.redis'
        throw new DependencyError(code, 'The dialogues cannot be reached.', { cause: error })
      })
    app.use(
      '/api/v1',
      createApi({
        db,
        clock,
        texts: house.texts.current,
        logger,
        metrics,
        callsPerMinute: config.apiCallsPerMinute,
        webhooks: { houseSecret: secrets.PIN_PEPPER, rules: webhookRules(config) },
        forgetDialogues,
      }),
    )
    app.use(
      '/console',
      createConsole({
        db,
        clock,
        logger,
        metrics,
        texts: house.texts.current,
        pepper: secrets.PIN_PEPPER,
        production: config.production,
        limits: config.console,
        alarms: () => alarms.list().map(({ code }) => code),
      }),
    )
    if (demo !== undefined) {
      app.use('/phone', demo.phone)
      app.get('/', (_, response) => response.redirect('/phone/'))
    }
  }
  answerTheRest(app, logger)
  parts.push({ name: 'http', stop: () => door.close() })
  door.open()
}

const webhookRules = ({ production, webhookPrivateHosts }: Config) => ({
  guarded: production,
  privateHosts: webhookPrivateHosts,
})

function openSessions({ runtime: { config, databaseUrl, logger } }: House): SessionStore {
  return config.redisUrl === undefined
    ? createPostgresSessions(
        createPipeline({ url: databaseUrl, logger, name: 'sessions', asynchronousCommit: true }),
      )
    : createRedisSessions(connectRedis(config.redisUrl, logger))
}

/** What each callback does; also starts what the callbacks need. */
function createHandlers({ runtime, metrics, programmes, texts, parts }: House, sessions: SessionStore) {
  const { db, clock, logger, secrets } = runtime
  const shared = { db, clock, logger, metrics, programmes }
  const pins = createPins({ db, pepper: secrets.PIN_PEPPER })
  const sessionKey = createHmac('sha256', secrets.PIN_PEPPER).update('dialogues').digest('base64url')
  const { i18n, menus } = texts.current()
  const paths = createPathCounter({ db, logger })
  paths.start()
  parts.push({ name: 'paths', stop: paths.stop })
  const ussd = createUssd({ ...shared, i18n, menus, sessions, pins, sessionKey, paths })
  let inbound = createInbound({ ...shared, i18n })
  texts.onTexts((changed) => {
    ussd.use(changed)
    inbound = createInbound({ ...shared, i18n: changed.i18n })
  })
  const purge = setInterval(() => {
    sessions.purgeExpired(clock.now()).catch(() => logger.warn({ event: 'ussd.purge_failed' }))
  }, purgeEveryMs)
  parts.push({
    name: 'dialogues',
    stop: async () => {
      clearInterval(purge)
      await ussd.drain()
      await sessions.close()
    },
  })
  return createCallbackHandlers({ runtime, metrics, ussd, inbound: () => inbound })
}
