// The phone page's API before the real dialogues of a made-up programme: what a visitor does, without a browser.
import { createApp, listen } from '../../src/http/server.ts'
import { createPins } from '../../src/members/pin.ts'
import { chooseDemoPhones } from '../../src/simulator/demo-phones.ts'
import { createEmulator } from '../../src/simulator/emulator.ts'
import { createPhone } from '../../src/simulator/phone.ts'
import type { ProfileName } from '../../src/simulator/profile.ts'
import { readProfile } from '../../src/simulator/profiles.ts'
import { seedProgramme } from '../../src/simulator/programme.ts'
import { messageTrail } from '../../src/simulator/trail.ts'
import { createTranscripts } from '../../src/simulator/transcript.ts'
import { createPinScreens } from '../../src/ussd/pin-screens.ts'
import { createTestDatabase, silentLogger } from './database.ts'
import { callbackSecret, createUssdUnderTest, i18n, serveUssd, testPepper } from './ussd.ts'

const membersAsked = 40

/** A fresh database with the programme made up at `now`, its dialogues over HTTP at `dialledAt`. */
export async function openProgramme(name: ProfileName, now: Date, dialledAt = now) {
  const database = await createTestDatabase()
  const { db } = database
  const profile = readProfile(name)
  const pins = createPins({ db, pepper: testPepper })
  const setPin = (memberId: string, pin: string) => pins.set(memberId, pin, now)
  const setStaffPin = (staffId: string, pin: string) => pins.staff.set(staffId, pin, now)
  await seedProgramme(db, { profile, seed: 1, members: membersAsked, now, setPin, setStaffPin })
  const under = await createUssdUnderTest(database)
  under.clock.set(dialledAt)
  const server = await serveUssd(under.ussd)
  return {
    database,
    profile,
    under,
    url: server.url,
    close: async () => {
      await server.close()
      await under.close()
      await database.drop()
    },
  }
}

/** The page and its network in front of an opened programme. */
export async function openPage({ database, profile, under, url }: Awaited<ReturnType<typeof openProgramme>>) {
  const { db } = database
  const { clock } = under
  const emulator = createEmulator({
    clock,
    logger: silentLogger,
    username: 'tama',
    apiKey: 'key',
    serviceCodes: [`${profile.programme.serviceCode}#`],
    callbackBaseUrl: url,
    callbackSecret,
  })
  const app = createApp()
  app.use(
    '/phone',
    createPhone({
      emulator,
      clock,
      logger: silentLogger,
      phones: () => chooseDemoPhones(db.pool),
      transcripts: createTranscripts(createPinScreens(i18n, under.menus)),
      messageTrail: (msisdn) => messageTrail(db.pool, msisdn),
      repayDemo: () => Promise.resolve({ outcome: 'nothing_owed' }),
    }),
  )
  const server = await listen(app, 0, '127.0.0.1')
  return {
    url: `${server.url}/phone`,
    close: async () => {
      await emulator.close()
      await server.close(0)
    },
  }
}
