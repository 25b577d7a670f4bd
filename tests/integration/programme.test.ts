// `tama programme`: how an operator opens a programme in an empty production database.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { StartError } from '../../src/errors.ts'
import { writeProgramme } from '../../src/imports/programme.ts'
import { loadProgrammes } from '../../src/members/programmes.ts'
import { serviceCodeFaults } from '../../src/ussd/dial-codes.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { testNow } from '../support/fixtures.ts'

const example = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'programme.example.yaml'), 'utf8')
let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())

const write = async (description: string) =>
  writeProgramme(
    {
      db: database.db,
      languages: new Set(['fr', 'en', 'wo']),
      programmes: await loadProgrammes(database.db),
      serviceCodeFaults,
      textFaults: () => [],
      now: testNow,
    },
    description,
  )
const faultsOf = async (description: string) => {
  const error = await write(description).catch((fault: unknown) => fault)
  return error instanceof StartError ? error.faults : [String(error)]
}

test('the documented example opens a programme with its accounts and staff; a second run changes nothing', async () => {
  expect(await write(example)).toEqual({ code: 'fansoto', isNew: true })
  expect(await write(example)).toEqual({ code: 'fansoto', isNew: false })
  const [programme] = await loadProgrammes(database.db)
  expect(programme).toMatchObject({
    serviceCode: '*384*1',
    currencyCode: 'XOF',
    sendFromMinute: 480,
    sendUntilMinute: 1200,
  })
  const { rows } = await database.db.pool.query(
    `select (select array_agg(code order by code) from accounts) as accounts, (select array_agg(msisdn) from staff) as staff`,
  )
  expect(rows).toEqual([
    { accounts: ['cash', 'fees', 'insurance', 'interest', 'opening'], staff: ['+221771234567'] },
  ])
})

test('what a description leaves out stays as it is in the database', async () => {
  await write(example)
  await database.db.pool.query('update programmes set screen_septets_max = 120')
  const short = example.replace(/^screenSeptets\w+: .*\n/gm, '')
  expect(short).not.toBe(example)
  await write(short)
  expect((await loadProgrammes(database.db))[0]).toMatchObject({
    screenSeptetsFirst: 140,
    screenSeptetsMax: 120,
  })
  await write(example)
  expect((await loadProgrammes(database.db))[0]).toMatchObject({ screenSeptetsMax: 160 })
})

test('what is known of the country is said, and draft languages are among the languages', async () => {
  const faults = await faultsOf(
    example
      .replace('twoWaySms: true\n', '')
      .replace('sendFrom: "08:00"', 'sendFrom: "05:00"')
      .replace('draftLanguages: [fr, wo, en]', 'draftLanguages: [fr, ht]')
      .replace('serviceCode: "*384*1#"', 'serviceCode: "*384*123456789#"'),
  )
  expect(faults).toEqual([expect.stringMatching(/^serviceCode: must be at most 12 signs/)])
  const more = await faultsOf(
    example
      .replace('twoWaySms: true\n', '')
      .replace('sendFrom: "08:00"', 'sendFrom: "05:00"')
      .replace('draftLanguages: [fr, wo, en]', 'draftLanguages: [fr, ht]'),
  )
  expect(more).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^draftLanguages: "ht" is not among the languages/),
      expect.stringMatching(/^shortcode: members in SN cannot answer by SMS .*twoWaySms: true/),
      expect.stringMatching(/^sendFrom, sendUntil: in SN SMS may arrive from 06:00 to 22:00/),
    ]),
  )
})

test('every fault is named at once, and nothing is written', async () => {
  const faults = await faultsOf(`
code: Second Programme
name: Second
serviceCode: "384"
senderId: much-too-long-a-sender
currency: XXY
country: Senegal
timeZone: Africa/Nowhere
languages: []
sendFrom: "20:00"
sendUntil: "25:00"
colour: red
`)
  for (const field of [
    'code',
    'serviceCode',
    'senderId',
    'currency',
    'country',
    'timeZone',
    'languages',
    'sendUntil',
  ])
    expect(
      faults.some((fault) => fault.startsWith(`${field}:`)),
      field,
    ).toBe(true)
  expect(faults.join()).toContain('colour')
  expect(await loadProgrammes(database.db)).toHaveLength(1)
})

test.each([
  [
    'another currency for books that are kept',
    example.replace('XOF', 'EUR'),
    'currency: the books are kept in XOF',
  ],
  [
    'a service code that swallows another',
    example.replace('code: fansoto', 'code: other').replace('*384*1#', '*384*1*2#'),
    '*384*1',
  ],
  [
    'a language without texts',
    example.replace('[fr, wo, en]', '[fr, dyo]'),
    'languages: there are no texts in "dyo"',
  ],
  ['a phone that is none', example.replace('77 123 45 67', '12'), 'staff.0.phone: is no phone number'],
  ['a file that is no YAML', 'code: [', 'Flow sequence'],
])('%s is refused', async (_case, description, fault) => {
  expect((await faultsOf(description)).join('\n')).toContain(fault)
})

test('a price needs its currency, and the same price written otherwise is no change', async () => {
  const base = example.replace(/^segment(Price|Currency):.*$/gm, '')
  expect(await faultsOf(`${base}\nsegmentPrice: "12"\n`)).toEqual([
    'segmentCurrency: goes with segmentPrice: both or neither',
  ])
  expect(await faultsOf(`${base}\nsegmentPrice: 12\nsegmentCurrency: XOF\n`)).toHaveLength(1)
  expect(await faultsOf(`${base}\nsegmentPrice: "1e9"\nsegmentCurrency: XXY\n`)).toHaveLength(2)
  await write(`${base}\nsegmentPrice: "12.50"\nsegmentCurrency: XOF\n`)
  const audited = async () =>
    (await database.db.pool.query('select count(*)::int as rows from audit_log')).rows[0]?.rows
  const before = await audited()
  await write(`${base}\nsegmentPrice: "12.5"\nsegmentCurrency: XOF\n`)
  expect(await audited()).toBe(before)
})

test('phones that had a message before the tail was named get none; under another sender ID all are new', async () => {
  const { pool } = database.db
  const programme = `(select id from programmes where code = 'fansoto')`
  await pool.query(
    `with phone as (insert into phones (programme_id, msisdn) select ${programme}, '+22177000000' || n from generate_series(1, 2) n
       returning id, msisdn)
     insert into messages (programme_id, phone_id, purpose, template, lane, dedupe_key, not_before, status, submitted_at)
     select ${programme}, id, 'reply', 'reply.help', 'urgent', 'old', now(), 'submitted', now() from phone where msisdn like '%1'`,
  )
  const greeted = async () =>
    (
      await pool.query('select msisdn, greeted_at is not null as greeted from phones order by msisdn')
    ).rows.map(({ greeted: is }) => is)
  expect(await greeted()).toEqual([false, false])
  await write(`${example}\noptOutTail: " STOP"\n`)
  expect(await greeted()).toEqual([true, false])
  await write(`${example.replace('senderId: FANSOTO', 'senderId: JAPPO')}\noptOutTail: " STOP"\n`)
  expect(await greeted()).toEqual([false, false])
})

test('groups of the description meet by their rule; another rule takes its place, what it leaves out stays', async () => {
  const { pool } = database.db
  await write(example)
  const standing = async () =>
    (
      await pool.query(
        `select g.code, g.name, s.first_name as facilitator, c.rule from groups g
           left join staff s on s.id = g.facilitator_id
           left join group_calendars c on c.group_id = g.id and c.ended_at is null order by g.code`,
      )
    ).rows
  const jappo = { code: 'BIG-04', name: 'Jappo', facilitator: 'Seynabou', rule: 'FREQ=MONTHLY;BYDAY=1TU,3TU' }
  expect(await standing()).toEqual([jappo])
  const days = `select occurrence_date as day from meetings where status = 'planned' order by starts_at limit 3`
  expect((await pool.query(days)).rows.map(({ day }) => day)).toEqual([
    '2026-12-01',
    '2026-12-15',
    '2027-01-05',
  ])
  await write(example.replace('BYDAY=1TU,3TU', 'BYDAY=-1FR').replace(/^ {4}facilitator: .*\n/m, ''))
  expect(await standing()).toEqual([{ ...jappo, rule: 'FREQ=MONTHLY;BYDAY=-1FR' }])
  expect((await pool.query(days)).rows.map(({ day }) => day)).toEqual([
    '2026-12-25',
    '2027-01-29',
    '2027-02-26',
  ])
  await write(example.replace(/^groups:[\s\S]*$/m, ''))
  expect(await standing()).toHaveLength(1)
})

test('a group without a sound rule, with a stranger for facilitator or named twice is refused by name', async () => {
  expect(
    await faultsOf(
      example
        .replace('BYDAY=1TU,3TU', 'BYDAY=9TU')
        .replace(/facilitator: "77 123 45 67"/, 'facilitator: "77 999 99 99"'),
    ),
  ).toEqual([
    'groups.0.facilitator: is the phone of nobody under staff',
    'groups.0.meets.rule: names a sixth or later weekday of a month in BYDAY',
  ])
  const twice = `${example}  - { code: BIG-04, name: x, place: x }\n`
  expect(await faultsOf(twice)).toEqual(['groups: names a group twice'])
  expect(await faultsOf(example.replace('at: "10:00"', 'at: "25:00"'))).toEqual([
    'groups.0.meets.at: must be a time such as "10:00"',
  ])
})
