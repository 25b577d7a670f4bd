// In: a runtime without a provider account. Out: made-up programmes, a provider emulator and a phone page to show it with.
// Must never be reached in production.
import type { Router } from 'express'
import { createPins } from './members/pin.ts'
import { loadProgrammes } from './members/programmes.ts'
import { createProgress } from './progress.ts'
import type { Runtime } from './runtime.ts'
import { demoPin } from './simulator/demo-members.ts'
import { chooseDemoPhones } from './simulator/demo-phones.ts'
import { createEmulator } from './simulator/emulator.ts'
import { createPhone } from './simulator/phone.ts'
import type { ProfileName } from './simulator/profile.ts'
import { readProfile } from './simulator/profiles.ts'
import { seedProgramme } from './simulator/programme.ts'
import { repayDemo } from './simulator/repay.ts'
import { seedLife } from './simulator/seed-life.ts'
import { messageTrail } from './simulator/trail.ts'
import { createTranscripts } from './simulator/transcript.ts'
import { createPinScreens } from './ussd/pin-screens.ts'

export interface Demo {
  account: { username: string; apiKey: string; baseUrl: string }
  /** To be mounted under /phone. */
  phone: Router
  tryNumber: string
  tryPin: string
  tryCode: string
  /** Tells the emulator where Tama's callbacks are, without the path. */
  callbacksAt(address: string): void
  close(): Promise<void>
}

export interface SeedDemoOptions {
  programmes: readonly ProfileName[]
  /** In each; undefined: as many as its profile says. */
  members?: number | undefined
  seed: number
}

/** Makes up each programme. Throws a StartError at the first that is there, or when one is there that was not made up. */
export async function seedDemo(runtime: Runtime, options: SeedDemoOptions): Promise<number> {
  const { db, clock, secrets } = runtime
  const pins = createPins({ db, pepper: secrets.PIN_PEPPER })
  const now = clock.now()
  let made = 0
  for (const profile of options.programmes.map(readProfile)) {
    const members = options.members ?? profile.size
    const onProgress = createProgress(options.programmes.length === 1 ? 'Members' : profile.programme.name)
    const setPin = (memberId: string, pin: string) => pins.set(memberId, pin, now)
    const setStaffPin = (staffId: string, pin: string) => pins.staff.set(staffId, pin, now)
    const seeding = { profile, members, seed: options.seed, now, onProgress, setPin, setStaffPin }
    const id = await seedProgramme(db, seeding)
    // A visitor comes at any hour and wants to see the receipt now; a real programme keeps its hours.
    await db.pool.query(
      'update programmes set send_from_minute = 0, send_until_minute = 1440 where id = $1',
      [id],
    )
    await seedLife({
      db,
      i18n: runtime.i18n,
      logger: runtime.logger,
      programmeId: id,
      profile,
      seed: options.seed,
      now,
    })
    made += members
  }
  return made
}

/** What was asked for and is not there yet; unasked, the first programme in an empty database of our own. */
async function seedMissing(runtime: Runtime, asked: readonly ProfileName[]): Promise<void> {
  const there = new Set((await loadProgrammes(runtime.db)).map(({ code }) => code))
  const unasked = runtime.embedded && there.size === 0 ? (['casamance'] as const) : []
  const wanted = asked.length > 0 ? asked : unasked
  const programmes = wanted.filter((name) => !there.has(readProfile(name).programme.code))
  await seedDemo(runtime, { programmes, seed: 1 })
}

/** Makes up what is asked for, and starts the emulator on a port of its own. */
export async function openDemo(runtime: Runtime, asked: readonly ProfileName[] = []): Promise<Demo> {
  const { db, clock, logger, secrets, i18n, menus } = runtime
  await seedMissing(runtime, asked)
  const account = { username: 'demo', apiKey: secrets.ADMIN_KEY }
  const programmes = await loadProgrammes(db)
  const emulator = createEmulator({
    ...account,
    clock,
    logger,
    currency: 'XOF',
    segmentCost: '12',
    serviceCodes: programmes.map(({ serviceCode }) => `${serviceCode}#`),
    // Slow enough to watch, and with more patience than a network has, for a visitor who reads everything.
    delivery: { delayMs: [1_500, 3_000] },
    ussdIdleMs: 120_000,
    ussdSessionMs: 600_000,
  })
  const baseUrl = await emulator.listen(0)
  const phones = () => chooseDemoPhones(db.pool, asked[0])
  const [first] = await phones()
  return {
    account: { ...account, baseUrl },
    phone: createPhone({
      emulator,
      clock,
      logger,
      phones,
      transcripts: createTranscripts(createPinScreens(i18n, menus)),
      messageTrail: (msisdn) => messageTrail(db.pool, msisdn),
      repayDemo: (msisdn) => repayDemo({ db, clock }, msisdn),
    }),
    tryNumber: first?.msisdn ?? readProfile('casamance').demo.unknown,
    tryPin: demoPin,
    tryCode: first?.serviceCode ?? '*384*1#',
    callbacksAt: (address) => emulator.setCallbacks(address, secrets.CALLBACK_SECRET ?? ''),
    close: () => emulator.close(),
  }
}
