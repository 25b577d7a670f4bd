// C1: whatever words were said, in whatever order they were written down, a message leaves exactly when the newest word on its
// purpose is a yes and no STOP stands; answers to her own asking always leave.
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { loadI18n } from '../../src/i18n.ts'
import {
  type ConsentWord,
  consentPurposes,
  recordWords,
  startAgain,
  stopAll,
} from '../../src/members/consent.ts'
import { createDecider } from '../../src/outbound/decision.ts'
import { createMessages, type Purpose } from '../../src/outbound/outbox.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createMember, createProgramme, sayingAt, type TestProgramme, testNow } from '../support/fixtures.ts'
import { atScale, showFigure } from '../support/promises.ts'

let database: TestDatabase
let programme: TestProgramme
beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
})
afterAll(() => database.drop())

const needed: Record<Purpose, (typeof consentPurposes)[number] | undefined> = {
  receipt: 'receipt',
  notice: 'receipt',
  reminder: 'reminder',
  meeting: 'meeting',
  training: 'meeting',
  survey: 'survey',
  promotion: 'promotion',
  reply: undefined,
  code: undefined,
}
const purposes = Object.keys(needed) as Purpose[]

const word = fc.record({
  purpose: fc.constantFrom(...consentPurposes),
  granted: fc.boolean(),
  /** Few instants, so that words said at the same time occur too. */
  hoursAgo: fc.integer({ min: 0, max: 5 }),
})
const history = fc.record({
  words: fc.array(word, { maxLength: 12 }),
  stop: fc.constantFrom('none', 'member', 'phone', 'lifted'),
})

test('C1: no recorded yes, no message', async () => {
  const decide = createDecider({ db: database.db, i18n: loadI18n('locales') })
  const { pool } = database.db
  let decisions = 0
  let sent = 0
  await fc.assert(
    fc.asyncProperty(history, async ({ words, stop }) => {
      const member = await createMember(database.db, programme, { consents: [], savings: false })
      const said = words.map(
        ({ purpose, granted, hoursAgo }): ConsentWord => ({
          ...sayingAt(new Date(testNow.getTime() - hoursAgo * 3_600_000)),
          memberId: member.id,
          purpose,
          granted,
        }),
      )
      for (const one of said) await recordWords(pool, [one])
      const target = stop === 'phone' ? { phoneId: member.phoneId } : { memberId: member.id }
      if (stop !== 'none') await stopAll(pool, target, sayingAt(testNow))
      if (stop === 'lifted') await startAgain(pool, target, sayingAt(testNow))

      await createMessages(
        pool,
        purposes.map((purpose) => ({
          programmeId: programme.id,
          memberId: member.id,
          purpose,
          template: 'reply.help',
          lane: 'planned',
          dedupeKey: `${purpose}/${member.id}`,
          notBefore: testNow,
        })),
      )
      const { rows } = await pool.query<{ id: string; purpose: Purpose }>(
        'select id, purpose from messages where member_id = $1',
        [member.id],
      )
      // One by one: the daily cap is another promise.
      for (const { id, purpose } of rows) {
        const [decision] = await decide([id], testNow)
        const asked = needed[purpose]
        const newest = said
          .filter((one) => one.purpose === asked)
          .reduce<ConsentWord | undefined>(
            (best, one) => (best === undefined || one.at >= best.at ? one : best),
            undefined,
          )
        const leaves =
          asked === undefined || (newest?.granted === true && (stop === 'none' || stop === 'lifted'))
        expect(decision?.action, `${purpose} after ${JSON.stringify({ words, stop })}`).toBe(
          leaves ? 'send' : 'suppress',
        )
        decisions += 1
        if (leaves) sent += 1
      }
    }),
    { numRuns: atScale(40, 1_000), seed: 20261124 },
  )
  expect(sent).toBeGreaterThan(0)
  showFigure(
    'C1',
    `${decisions} decisions on random histories: ${sent} left, each with a yes or her own asking; 0 others`,
  )
})
