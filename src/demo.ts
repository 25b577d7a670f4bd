// In: a runtime without a provider account. Out: a made-up programme, a provider emulator and a phone page to show it with.
// Must never be reached in production.
import type { Router } from 'express'
import { createPins } from './members/pin.ts'
import { loadProgrammes } from './members/programmes.ts'
import { createProgress, type Progress } from './progress.ts'
import type { Runtime } from './runtime.ts'
import { demoMembers, demoPin, unknownMsisdn } from './simulator/demo-members.ts'
import { chooseDemoPhones } from './simulator/demo-phones.ts'
import { createEmulator } from './simulator/emulator.ts'
import { createPhone } from './simulator/phone.ts'
import { seedProgramme } from './simulator/programme.ts'
import { repayDemo } from './simulator/repay.ts'
import { messageTrail } from './simulator/trail.ts'

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

const demoMembersCount = 1_000

export interface SeedDemoOptions {
  members: number
  seed: number
  onProgress: Progress
}

export async function seedDemo(runtime: Runtime, options: SeedDemoOptions): Promise<void> {
  const { db, clock, secrets } = runtime
  const pins = createPins({ db, pepper: secrets.PIN_PEPPER })
  const now = clock.now()
  await seedProgramme(db, { ...options, now, setPin: (memberId, pin) => pins.set(memberId, pin, now) })
  // A visitor comes at any hour and wants to see the receipt now; a real programme keeps its hours.
  await db.pool.query('update programmes set send_from_minute = 0, send_until_minute = 1440')
}

/** Seeds the embedded database when it is empty, and starts the emulator on a port of its own. */
export async function openDemo(runtime: Runtime): Promise<Demo> {
  const { db, clock, logger, secrets } = runtime
  if (runtime.embedded && (await loadProgrammes(db)).length === 0)
    await seedDemo(runtime, { members: demoMembersCount, seed: 1, onProgress: createProgress('Members') })
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
  const tryNumber = demoMembers[0]?.msisdn ?? unknownMsisdn
  const phones = () => chooseDemoPhones(db.pool)
  return {
    account: { ...account, baseUrl },
    phone: createPhone({
      emulator,
      clock,
      logger,
      phones,
      messageTrail: (msisdn) => messageTrail(db.pool, msisdn),
      repayDemo: (msisdn) => repayDemo({ db, clock }, msisdn),
    }),
    tryNumber,
    tryPin: demoPin,
    tryCode: (await phones())[0]?.serviceCode ?? '*384*1#',
    callbacksAt: (address) => emulator.setCallbacks(address, secrets.CALLBACK_SECRET ?? ''),
    close: () => emulator.close(),
  }
}
