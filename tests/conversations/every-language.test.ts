// The recorded dialogues once more, in every way to write every language: the same keys lead to the same screens, and each fits.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { measureUssd } from '../../src/encoding.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { playDialogue, readDialogue } from '../support/dialogue.ts'
import { testNow } from '../support/fixtures.ts'
import { isFull } from '../support/promises.ts'
import { createUssdUnderTest, createWorld, i18n, numbers, serveUssd, type World } from '../support/ussd.ts'

const folder = import.meta.dirname
/** `npm run promises` plays all of them in every way to write a language, `npm test` those that reach each screen once. */
const quick =
  /^(leaf-(account|meeting|training|call-back|settings|messages|help)-fr|leaf-hours|first-dial|dispute-fr|verify-stranger|wrong-input-every-state|several-loans-late|shared-phone|lockout|consent-asked|staff-(meeting|told|free-text)|officer-(president|treasurer-members|educator))\.yaml$/
const dialogues = readdirSync(folder)
  .filter((file) => file.endsWith('.yaml') && (isFull || quick.test(file)))
  .sort()
  .map((file) => ({ file, dialogue: readDialogue(join(folder, file)) }))
  // Another menu version belongs to the menu, not to a language.
  .filter(({ dialogue }) => dialogue.steps.every(({ menuVersion }) => menuVersion === undefined))
const tags = isFull ? [...i18n.languages.keys()] : i18n.bases

let database: TestDatabase
let world: World
/** States of the screens of one dialogue, in French. */
const inFrench = new Map<string, string[]>()

beforeAll(async () => {
  database = await createTestDatabase()
  world = await createWorld(database.db)
  for (const [file, states] of await playAll('fr'))
    inFrench.set(
      file,
      states.map(({ state }) => state),
    )
}, 120_000)

afterAll(() => database.drop())

interface Shown {
  state: string
  reply: string
  first: boolean
}

/** Everybody speaks one language, which stands first among those on offer. */
async function playAll(tag: string): Promise<Map<string, Shown[]>> {
  const { pool } = database.db
  const others = ['fr', 'en', 'wo'].filter((other) => other !== tag).slice(0, 2)
  await pool.query('update programmes set languages = $1', [[tag, ...others]])
  const states: string[] = []
  const logger = pino(
    { level: 'info' },
    {
      write(line: string) {
        const { event, state, outcome } = JSON.parse(line) as Record<string, string | undefined>
        if (event === 'ussd.hop') states.push(state ?? outcome ?? '')
      },
    },
  )
  const under = await createUssdUnderTest(database, { logger })
  const server = await serveUssd(under.ussd)
  const all = new Map<string, Shown[]>()
  try {
    for (const { file, dialogue } of dialogues) {
      await world.reset(dialogue)
      await pool.query('update members set language = $1 where language is not null', [tag])
      await pool.query('update staff set language = $1', [tag])
      under.clock.set(testNow)
      states.length = 0
      const played = await playDialogue(dialogue, {
        url: server.url,
        label: file.replace('.yaml', ''),
        advanceMs: (ms) => under.clock.advanceMs(ms),
        useMenuVersion: () => {},
      })
      const shown = played.map(({ replies, first }) => ({ reply: replies[0] ?? '', first, state: '' }))
      // One line a callback, the repeated ones included.
      let at = 0
      for (const [index, { replies }] of played.entries()) {
        const own = shown[index]
        if (own !== undefined) own.state = states[at] ?? ''
        at += replies.length
      }
      all.set(file, shown)
    }
  } finally {
    await server.close()
    await under.close()
  }
  return all
}

/** Pages differ with the alphabet: after a page was turned, "back" may mean something else. */
const turnsPages = (file: string) =>
  dialogues.some(
    (one) => one.file === file && one.dialogue.steps.some(({ type, dial }) => /98/.test(`${type}${dial}`)),
  )

/** Leads into other languages than the one that everybody speaks. */
const choosesLanguage = (file: string) => /first-dial|language|shared/.test(file)

describe.each(tags)('in %s', (tag) => {
  test('every recorded dialogue leads to the same screens, and each fits', async () => {
    const played = await playAll(tag)
    const script = i18n.language(tag).direction === 'rtl' ? /\p{Script=Arabic}/u : /\p{Script=Latin}/u
    for (const [file, shown] of played) {
      for (const { reply, first } of shown) {
        const text = reply.replace(/^(CON|END) /, '')
        expect(reply, file).toMatch(/^(CON|END) /)
        expect(text, `${tag} ${file}`).not.toMatch(/\{\{|undefined|[\u00a0\u202f\u200e\u200f]/)
        if (!choosesLanguage(file)) expect(text, `${tag} ${file}`).toMatch(script)
        const { encoding, units } = measureUssd(text)
        const limit = encoding === 'ucs2' ? 70 : first ? 140 : 160
        expect(units, `${tag} ${file}: ${text}`).toBeLessThanOrEqual(limit)
        if (i18n.language(tag).gsm7 !== null) expect(encoding, `${tag} ${file}: ${text}`).toBe('gsm7')
      }
      if (!turnsPages(file))
        expect(
          shown.map(({ state }) => state),
          `${tag} ${file}`,
        ).toEqual(inFrench.get(file))
    }
    expect(played.size).toBe(dialogues.length)
  }, 300_000)
})

test('a member chooses all the letters of her language, or its GSM-7 spelling', async () => {
  await world.reset()
  await database.db.pool.query('update programmes set languages = $1', [['wo', 'wo-x-script']])
  await database.db.pool.query(`update members set language = 'wo' where language is not null`)
  const under = await createUssdUnderTest(database)
  try {
    const dial = (sessionId: string, text: string) =>
      under.ussd.answer({
        provider: 'africastalking',
        sessionId,
        msisdn: numbers.coumba,
        serviceCode: '*384*1#',
        text,
      })
    const choice = await dial('letters', '5*1')
    expect(choice).toMatch(/1 Wolof\n2 Wolof \(ë ŋ\)/)
    expect(await dial('plain', '1')).toMatch(/^CON Yonnee sa code/)
    expect(await dial('letters', '5*1*2')).toMatch(/^CON Dalal ak jàmm/)
    expect(await dial('after', '1')).toMatch(/^CON Yónnee sa code/)
    // She is told by SMS in the same letters; staff see the tag that she chose.
    const { rows } = await database.db.pool.query('select language from members where number = $1', [
      'N-coumba',
    ])
    expect(rows).toEqual([{ language: 'wo-x-script' }])
  } finally {
    await under.close()
  }
})
