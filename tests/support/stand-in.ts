// The phone page on a real ledger, with a stand-in for the rest of Tama: four screens, and a receipt sent by hand.
import { fixedClock } from '../../src/clock.ts'
import { createApp, listen } from '../../src/http/server.ts'
import { createMessages } from '../../src/outbound/outbox.ts'
import { applyTransitions } from '../../src/outbound/transitions.ts'
import { demoPin } from '../../src/simulator/demo-members.ts'
import { chooseDemoPhones } from '../../src/simulator/demo-phones.ts'
import { createEmulator } from '../../src/simulator/emulator.ts'
import { createPhone } from '../../src/simulator/phone.ts'
import { readProfile } from '../../src/simulator/profiles.ts'
import { repayDemo } from '../../src/simulator/repay.ts'
import { messageTrail } from '../../src/simulator/trail.ts'
import { createTranscripts } from '../../src/simulator/transcript.ts'
import { loadMenus } from '../../src/ussd/menu.ts'
import { createPinScreens } from '../../src/ussd/pin-screens.ts'
import { type CallbackServer, startCallbackServer } from './callbacks.ts'
import { silentLogger, type TestDatabase } from './database.ts'
import { createLoan, createMember, createProgramme, type TestMember, testNow } from './fixtures.ts'
import { i18n } from './ussd.ts'

const { demo, programme: described } = readProfile('casamance')

/** The demo's own people, those that show something different; gives Awa, who has a PIN and owes a loan. */
export async function seedPhones({ db }: TestDatabase): Promise<{ programmeId: string; awa: TestMember }> {
  const programme = await createProgramme(db, { code: described.code })
  const made = new Map<string, TestMember>()
  for (const { msisdn, firstName, lastName, situation } of demo.members) {
    const phoneId = made.get(msisdn)?.phoneId
    const status = situation === 'suspended' ? 'suspended' : 'active'
    const where = phoneId === undefined ? { msisdn } : { phoneId }
    const member = await createMember(db, programme, { firstName, status, ...where })
    await db.prisma.member.update({ where: { id: member.id }, data: { lastName } })
    if (!made.has(msisdn)) made.set(msisdn, member)
  }
  const awa = made.get(awaMsisdn)
  if (awa === undefined) throw new Error('The demo has no Awa')
  await createLoan(db, programme, awa, { number: 'L1' })
  return { programmeId: programme.id, awa }
}

export interface StandIn {
  url: string
  tama: CallbackServer
  close(): Promise<void>
}

const awaMsisdn = demo.members[0].msisdn

const screens: Record<string, string> = {
  '': 'CON Wàll / Bienvenue / Welcome\n1. Français\n2. Wolof\n3. English',
  '3': 'CON Welcome to FANSOTO.\nEnter your PIN:',
  [`3*${demoPin}`]:
    'CON Awa\n1. My loan\n2. My savings\n3. Next meeting\n4. Next training\n5. Messages\n6. Call me back\n98. More\n0. Back',
  [`3*${demoPin}*1`]: 'END To pay: 31 500 F\nNext: 10 500 F on 25 Nov\nNothing is late.',
}

/** `ussdIdleMs` is the network's patience with the visitor. */
export async function startStandIn(
  database: TestDatabase,
  options: { ussdIdleMs?: number } = {},
): Promise<StandIn> {
  const { db } = database
  const clock = fixedClock(testNow)
  const { programmeId, awa } = await seedPhones(database)
  const tama = await startCallbackServer({
    ussd: ({ text = '' }) => screens[text] ?? 'CON Please choose one of the lines.\n0. Back',
  })
  const emulator = createEmulator({
    clock,
    logger: silentLogger,
    username: 'tama',
    apiKey: 'key',
    currency: 'XOF',
    segmentCost: '15',
    serviceCodes: ['*384*1#'],
    callbackBaseUrl: tama.url,
    callbackSecret: tama.secret,
    ...options,
  })
  const providerUrl = await emulator.listen(0)

  async function sendReceipt(): Promise<void> {
    const message = { programmeId, memberId: awa.id, purpose: 'receipt', lane: 'urgent' } as const
    const key = { template: 'receipt.loan_repayment', dedupeKey: 'receipt/1', notBefore: clock.now() }
    await createMessages(db.pool, [{ ...message, ...key }])
    const to = awa.msisdn
    const text = 'FANSOTO: Awa, nous avons bien recu votre versement. Détails : *384*1#'
    const response = await fetch(`${providerUrl}/version1/messaging`, {
      method: 'POST',
      headers: { apikey: 'key' },
      body: new URLSearchParams({ username: 'tama', to, from: 'FANSOTO', message: text }),
    })
    const answer = (await response.json()) as { SMSMessageData: { Recipients: { messageId: string }[] } }
    const providerMessageId = answer.SMSMessageData.Recipients[0]?.messageId ?? ''
    const [row] = await messageTrail(db.pool, to)
    const messageId = row?.id ?? ''
    const steps = [
      ['queued', 'relay'],
      ['claimed', 'sender'],
      ['submitting', 'sender'],
      ['submitted', 'sender'],
      ['sent', 'delivery_report'],
      ['delivered', 'delivery_report'],
    ] as const
    for (const [status, source] of steps) {
      const set = status === 'submitted' ? { providerMessageId, phoneId: awa.phoneId } : {}
      await applyTransitions(db.pool, clock.now(), [{ messageId, to: status, source, set }])
    }
  }

  const app = createApp()
  const page = createPhone({
    emulator,
    clock,
    logger: silentLogger,
    phones: () => chooseDemoPhones(db.pool),
    transcripts: createTranscripts(createPinScreens(i18n, loadMenus('menus'))),
    messageTrail: (msisdn) => messageTrail(db.pool, msisdn),
    repayDemo: async (msisdn) => {
      const result = await repayDemo({ db, clock }, msisdn)
      if (result.outcome === 'posted') await sendReceipt()
      return result
    },
  })
  app.use('/phone', page)
  const server = await listen(app, 0, '127.0.0.1')
  return {
    url: `${server.url}/phone`,
    tama,
    close: async () => {
      await emulator.close()
      await server.close(0)
      await tama.close()
    },
  }
}
