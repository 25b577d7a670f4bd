// Every demo programme, made up beside the others in one database.
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeProgramme } from '../../src/imports/programme.ts'
import { createPins } from '../../src/members/pin.ts'
import { loadProgrammes } from '../../src/members/programmes.ts'
import { parseMsisdn, smsFault } from '../../src/msisdn.ts'
import { chooseDemoPhones } from '../../src/simulator/demo-phones.ts'
import { profileNames } from '../../src/simulator/profile.ts'
import { profileFile, readProfile } from '../../src/simulator/profiles.ts'
import { seedProgramme } from '../../src/simulator/programme.ts'
import { seedLife } from '../../src/simulator/seed-life.ts'
import { moduleTitlesIn } from '../../src/simulator/seed-words.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import { createProgramme, testNow } from '../support/fixtures.ts'
import { i18n } from '../support/ussd.ts'

const main = join(import.meta.dirname, '..', '..', 'dist', 'main.js')
const members = 100

describe('the demo programmes', () => {
  let database: TestDatabase

  const seed = (name: (typeof profileNames)[number], into = database) => {
    const pins = createPins({ db: into.db, pepper: 'a pepper of the tests, long enough' })
    const setPin = (memberId: string, pin: string) => pins.set(memberId, pin, testNow)
    return seedProgramme(into.db, { profile: readProfile(name), seed: 1, members, now: testNow, setPin })
  }
  const one = async (sql: string, values: unknown[]) => (await database.db.pool.query(sql, values)).rows[0]

  beforeAll(async () => {
    database = await createTestDatabase()
    for (const name of profileNames) await seed(name)
  }, 120_000)
  afterAll(() => database.drop())

  describe.each(profileNames)('%s', (name) => {
    const { programme, demo, money } = readProfile(name)

    it('is a description that an operator could open, and menus check proves it', async () => {
      const empty = await createTestDatabase()
      const context = {
        db: empty.db,
        languages: new Set(i18n.languages.keys()),
        programmes: [],
        serviceCodeFaults: () => [],
        textFaults: () => [],
        now: testNow,
      }
      const description = readFileSync(profileFile(name), 'utf8')
      expect(await writeProgramme(context, description)).toEqual({ code: programme.code, isNew: true })
      await empty.drop()
      const words = [main, 'menus', 'check', '--programme', profileFile(name)]
      const { stdout } = await promisify(execFile)(process.execPath, words)
      expect(stdout).toContain('no fault')
    }, 60_000)

    it('is seeded with its own settings', async () => {
      const found = (await loadProgrammes(database.db)).find(({ code }) => code === programme.code)
      expect(found).toMatchObject({
        name: programme.name,
        currencyCode: programme.currency,
        timeZone: programme.timeZone,
        languages: programme.languages,
        draftLanguages: programme.languages,
      })
    })

    it('keeps balanced books in its currency, none below zero', async () => {
      const books = await one(
        `select sum(p.amount)::numeric(20,2)::text as total, count(distinct a.currency_code)::int as currencies,
                min(a.currency_code) as currency, count(*) > 300 as many,
                (select count(*)::int from entries e join programmes r on r.id = e.programme_id
                  where r.code = $1 and e.kind = 'reversal') as reversals,
                (select count(*)::int from loans l join programmes r on r.id = l.programme_id
                  where r.code = $1 and l.principal not between $2 and $3) as odd,
                (select array_agg(distinct l.product order by l.product) from loans l join programmes r on r.id = l.programme_id
                  where r.code = $1) as products,
                (select bool_or(b.balance > 0) from (select sum(p.amount) as balance from postings p join accounts a on a.id = p.account_id
                   join programmes r on r.id = a.programme_id where r.code = $1 and a.purpose = 'savings' group by a.id) b) as below
           from postings p join accounts a on a.id = p.account_id join programmes r on r.id = a.programme_id where r.code = $1`,
        [programme.code, money.unit * 10, money.unit * 450],
      )
      expect(books).toMatchObject({ total: '0.00', currencies: 1, currency: programme.currency, many: true })
      expect(books).toMatchObject({ reversals: 1, odd: 0, below: money.takesSavings ? false : null })
      if (money.products.standard === 0) expect(books.products).not.toContain('standard')
    })

    it('has valid mobile numbers of its country, and the demo members in every situation', async () => {
      const { rows } = await database.db.pool.query<{ msisdn: string }>(
        `select f.msisdn from phones f join programmes r on r.id = f.programme_id where r.code = $1
         union select s.msisdn from staff s join programmes r on r.id = s.programme_id where r.code = $1`,
        [programme.code],
      )
      const numbers = [...rows.map(({ msisdn }) => msisdn), demo.unknown]
      const { country } = programme
      expect(numbers.filter((msisdn) => parseMsisdn(msisdn, country) !== msisdn)).toEqual([])
      expect(numbers.filter((msisdn) => smsFault(msisdn, [country]) !== undefined)).toEqual([])
      expect(rows.some(({ msisdn }) => msisdn === demo.unknown)).toBe(false)
      expect(new Set(demo.members.map(({ situation }) => situation)).size).toBe(6)
    })

    it('its phones show its languages at once', async () => {
      const phones = (await chooseDemoPhones(database.db.pool)).filter(
        ({ programme: { code } }) => code === programme.code,
      )
      const scenes = [
        'member',
        'new',
        'shared',
        'staff',
        'office',
        'suspended',
        'unknown',
        'usual',
        'overpaid',
        'corrected',
        'adviser',
        'social_worker',
        'branch',
        'auditor',
      ]
      expect([...new Set(phones.map(({ scene }) => scene))]).toEqual(scenes)
      const shown = phones
        .filter(({ scene }) => scene !== 'shared' && scene !== 'suspended')
        .flatMap(({ languages }) => languages)
      // Casamance's people stay as they were before it had six languages; the others can be chosen on a phone.
      const expected = name === 'casamance' ? ['fr', 'wo', 'en'] : programme.languages
      expect(new Set(shown)).toEqual(new Set(expected))
      expect(phones.every(({ serviceCode }) => serviceCode === `${programme.serviceCode}#`)).toBe(true)
    })
  })

  it.each(profileNames)(
    'what happened lately in %s is there, and none of it is still to be sent',
    async (name) => {
      const { db } = database
      const profile = readProfile(name)
      const { rows: found } = await db.pool.query<{ id: string }>(
        'select id from programmes where code = $1',
        [profile.programme.code],
      )
      const programmeId = found[0]?.id ?? ''
      await seedLife({ db, i18n, logger: silentLogger, programmeId, profile, seed: 1, now: testNow })
      const one = async (sql: string) =>
        (await db.pool.query<{ line: string }>(sql, [programmeId])).rows.map(({ line }) => line)
      expect(
        await one(
          `select template || ' ' || status as line from notices where programme_id = $1 order by created_at, template`,
        ),
      ).toEqual(['meeting_moved done', 'bring_booklet draft', 'meeting_cancelled undone'])
      const states = await one(
        `select distinct status as line from messages where programme_id = $1 and notice_id is not null order by 1`,
      )
      expect(states).toContain('delivered')
      expect(states).toContain('undelivered')
      expect(states.filter((status) => !['delivered', 'undelivered', 'suppressed'].includes(status))).toEqual(
        [],
      )
      expect(
        await one(
          `select template || ' ' || status as line from messages where programme_id = $1 and notice_id is null`,
        ),
      ).toEqual(['case.appointment created'])
      expect(
        await one(
          `select kind || ' ' || status as line from cases where programme_id = $1 order by kind, status`,
        ),
      ).toEqual([
        'adviser open',
        'call_back closed',
        'call_back open',
        'dispute open',
        'lost_phone open',
        'pin_reset open',
        'social_worker open',
      ])
      expect(
        await one(
          'select count(*)::text as line from notice_recipients r join notices n on n.id = r.notice_id where n.programme_id = $1 and told_at is not null',
        ),
      ).toEqual(['1'])
      expect(
        await one(`select state || ' ' || (shown >= stopped)::text as line from (select state, sum(shown) as shown, sum(stopped) as stopped
                   from ussd_path_counts where programme_id = $1 group by state) counted order by state`),
      ).toEqual([
        'account true',
        'ask true',
        'home true',
        'loan true',
        'meeting true',
        'pin true',
        'training true',
      ])
    },
  )

  it('a training has its title in each language that has one, French always', () => {
    expect(Object.keys(moduleTitlesIn(['ht'], true)[0] ?? {})).toEqual(['fr', 'ht'])
    expect(moduleTitlesIn(['nl', 'ar'], false)[13]).toEqual({
      fr: "Le statut d'indépendant",
      nl: 'Zelfstandig worden',
    })
  })

  it('phones of all programmes have names of their own, and the asked programme comes first', async () => {
    const phones = await chooseDemoPhones(database.db.pool, 'belgium')
    expect(new Set(phones.map(({ id }) => id)).size).toBe(phones.length)
    const order = [...new Set(phones.map(({ programme }) => programme.name))]
    expect(order).toEqual(['belgium', 'casamance', 'haiti', 'france', 'quebec'])
    expect(phones[0]).toMatchObject({ scene: 'member', name: 'Rania Haddad', languages: ['ar'] })
  })

  it('is never made up twice, nor beside a programme that is no demo’s', async () => {
    await expect(seed('haiti')).rejects.toThrow('already has a programme "men-ansanm"')
    const real = await createTestDatabase()
    await createProgramme(real.db, { code: 'real' })
    await expect(seed('haiti', real)).rejects.toThrow('no demo\'s: "real"')
    await real.drop()
  })
})
