import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fixedClock } from '../../src/clock.ts'
import { type ImportOptions, importFile } from '../../src/imports/import.ts'
import type { ImportKindName } from '../../src/imports/kind.ts'
import { createLogger } from '../../src/logger.ts'
import { loadProgrammes } from '../../src/members/programmes.ts'
import { createTestDatabase, silentLogger, type TestDatabase } from '../support/database.ts'
import { createMember, createProgramme, testNow } from '../support/fixtures.ts'

const membersHeader = 'number,first_name,last_name,group,phone,language'
const loansHeader =
  'number,member,product,cycle,principal,disbursed_date,due_date,principal_due,interest,fee,insurance'
const entriesHeader = 'reference,kind,booked_date,description,account,debit,credit'

const deposit = (reference: string, amount = '500', member = 'A1') =>
  `${reference},savings_deposit,2026-11-02,,cash,${amount},\n` +
  `${reference},savings_deposit,2026-11-02,,savings/${member},,${amount}\n`

describe('import of files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tama-import-'))
  let database: TestDatabase
  let programme: ImportOptions['programme']

  beforeAll(async () => {
    database = await createTestDatabase()
  })
  beforeEach(async ({ task }) => {
    const made = await createProgramme(database.db, { code: task.id })
    await createMember(database.db, made, { number: 'A1', savings: false })
    const loaded = (await loadProgrammes(database.db)).find(({ id }) => id === made.id)
    if (loaded === undefined) throw new Error('no programme')
    programme = loaded
  })
  afterAll(async () => {
    await database.drop()
    rmSync(folder, { recursive: true })
  })

  function load(kind: ImportKindName, content: string | Uint8Array, options: Partial<ImportOptions> = {}) {
    const file = join(folder, 'file.csv')
    writeFileSync(file, content)
    const { db } = database
    const actor = 'operator'
    const fixed = { db, clock: fixedClock(testNow), logger: silentLogger, programme, kind, file, actor }
    return importFile({ ...fixed, ...options })
  }

  const places = async (report: ReturnType<typeof load>) =>
    (await report).faults.map(({ row, column, code }) => [row, column, code])

  async function counts() {
    const { rows } = await database.db.pool.query<Record<string, number>>(
      `with e as (select id from entries where programme_id = $1), l as (select id from loans where programme_id = $1)
       select (select count(*)::int from members where programme_id = $1) as members,
              (select count(*)::int from phones where programme_id = $1) as phones,
              (select count(*)::int from accounts where programme_id = $1) as accounts,
              (select count(*)::int from l) as loans,
              (select count(*)::int from instalments join l on l.id = loan_id) as instalments,
              (select count(*)::int from e) as entries,
              (select count(*)::int from postings join e on e.id = entry_id) as postings,
              (select count(*)::int from ledger_events join e on e.id = entry_id where handled_at is null) as untold`,
      [programme.id],
    )
    return rows[0]
  }

  it('takes members with groups and shared phones, loans with schedules, entries; a second time writes nothing', async () => {
    const members = `${membersHeader}\nB1,Fatou,Sané,G7,77 123 45 67,fr\nB2,Aïssatou,Badji,G7,+221771234567,\nB3,Binta,Diop,,,wo\n`
    const loans =
      `${loansHeader}\nL1,B1,standard,2,90000,2026-10-01,2026-11-01,45000,900,0,500\n` +
      'L1,B1,standard,2,90000,2026-10-01,2026-12-01,45000,900,,\nL2,B2,emergency,,10000,2026-10-01,2026-11-01,10000,,200,\n'
    const entries =
      deposit('d/1', '500', 'B1') +
      'r/1,loan_repayment,2026-11-01,"Réunion, novembre",cash,46400,\nr/1,loan_repayment,2026-11-01,"Réunion, novembre",loan/L1,,46400\n'
    expect(await load('members', members)).toMatchObject({ rows: 3, written: 3, faultsTotal: 0 })
    expect(await load('loans', loans)).toMatchObject({ rows: 3, written: 2, faultsTotal: 0 })
    expect(await load('entries', `${entriesHeader}\n${entries}`)).toMatchObject({ rows: 4, written: 2 })
    const before = await counts()
    expect(before).toMatchObject({ members: 4, loans: 2, instalments: 3, entries: 4, phones: 2, untold: 4 })
    expect(await load('members', members)).toMatchObject({ written: 0, alreadyThere: 3, faults: [] })
    expect(await load('loans', loans)).toMatchObject({ written: 0, alreadyThere: 2, faults: [] })
    expect(await load('entries', `${entriesHeader}\n${entries}`)).toMatchObject({
      written: 0,
      alreadyThere: 2,
    })
    expect(await counts()).toEqual(before)
    const { rows } = await database.db.pool.query(
      `select sum(p.amount)::text as due from postings p join accounts a on a.id = p.account_id
        where a.programme_id = $1 and a.code = 'loan/L1'`,
      [programme.id],
    )
    expect(rows).toEqual([{ due: '45900.0000' }])
  })

  it('reads a BOM, CRLF, semicolons, quotes and empty lines as the same file', async () => {
    const plain = `${entriesHeader}\n${deposit('d/1')}`
    const odd = `\ufeff${plain.replaceAll(',', ';').replaceAll('\n', '\r\n\r\n').replaceAll('cash', '"cash"')}`
    expect(await load('entries', plain)).toMatchObject({ rows: 2, written: 1, faults: [] })
    expect(await load('entries', odd)).toMatchObject({ rows: 2, written: 0, alreadyThere: 1, faults: [] })
    const mixed = plain.replace('\n', '\r\n')
    expect(await load('entries', mixed)).toMatchObject({ rows: 2, written: 0, alreadyThere: 1, faults: [] })
  })

  it('a dry run finds the same and writes nothing', async () => {
    const before = await counts()
    expect(await load('entries', `${entriesHeader}\n${deposit('d/1')}`, { dryRun: true })).toMatchObject({
      written: 1,
      faults: [],
    })
    expect(await counts()).toEqual(before)
    expect(await load('entries', `${entriesHeader}\n${deposit('d/1')}`)).toMatchObject({ written: 1 })
  })

  it('a silent import owes nobody a receipt', async () => {
    await load('entries', `${entriesHeader}\n${deposit('d/1')}`, { silent: true })
    expect(await counts()).toMatchObject({ entries: 1, untold: 0 })
    await load('entries', `${entriesHeader}\n${deposit('d/2')}`)
    expect(await counts()).toMatchObject({ entries: 2, untold: 1 })
  })

  it('one bad row keeps the whole file out, and every fault is named with its line and column', async () => {
    const before = await counts()
    const file =
      `${entriesHeader}\n${deposit('good')}` +
      'e1,savings_deposit,2026-02-30,,cash,500,\ne1,savings_deposit,2026-02-30,,savings/A1,,500\n' +
      'e2,savings_deposit,2026-11-02,,cash,-500,\ne2,savings_deposit,2026-11-02,,savings/A1,,-500\n' +
      'e3,savings_deposit,2026-11-02,,cash,500,\ne3,savings_deposit,2026-11-02,,savings/A1,,400\n' +
      'e4,gift,2026-11-02,,cash,12.5,\ne4,savings_deposit,2026-11-02,,savings/A1,,1e3\n' +
      'e5,savings_deposit,2026-11-02,,cash,500,\ne5,savings_deposit,2026-11-02,,savings/ZZ,,500\n' +
      'e6,savings_deposit,2026-11-02,,cash,500,500\n,savings_deposit,2026-11-02,,cash,0,\n' +
      'e7,savings_deposit,2026-11-02,,cash\n' +
      'e8,savings_deposit,2026-11-02,,cash,500,\ne8,fee,2026-11-02,,savings/A1,,500\n' +
      `${deposit('good')}${deposit('e9')}`
    expect(await places(load('entries', file))).toEqual([
      [4, 'booked_date', 'date.invalid'],
      [5, 'booked_date', 'date.invalid'],
      [6, 'debit', 'amount.negative'],
      [7, 'credit', 'amount.negative'],
      [8, 'debit', 'entry.unbalanced'],
      [10, 'kind', 'field.unknown_word'],
      [10, 'debit', 'amount.decimals'],
      [11, 'credit', 'amount.invalid'],
      [13, 'account', 'account.unknown'],
      [14, 'debit', 'entry.one_side'],
      [15, 'reference', 'field.missing'],
      [15, 'debit', 'amount.zero'],
      [16, undefined, 'row.field_count'],
      [18, 'kind', 'entry.rows_differ'],
      [19, 'reference', 'entry.reference_doubled'],
    ])
    expect(await counts()).toEqual(before)
  })

  it('nothing is booked after tomorrow, nor in a year that is a slip of the keyboard', async () => {
    // It is 22 November.
    const on = (day: string) => deposit(`on/${day}`).replaceAll('2026-11-02', day)
    const days = ['2026-11-23', '2026-11-24', '9999-12-31', '0001-01-01'].map(on)
    expect(await places(load('entries', `${entriesHeader}\n${days.join('')}`))).toEqual(
      [4, 5, 6, 7, 8, 9].map((line) => [line, 'booked_date', line < 6 ? 'date.future' : 'date.invalid']),
    )
    expect(await load('entries', `${entriesHeader}\n${days[0]}`)).toMatchObject({ written: 1, faults: [] })
  })

  it('a reference used before with other content is a fault, each one found in a large batch', async () => {
    const many = Array.from({ length: 300 }, (_, index) => `d/${index}`)
    await load('entries', `${entriesHeader}\n${many.map((name) => deposit(name)).join('')}`)
    const changed = many.map((name, index) => deposit(name, index === 7 || index === 250 ? '600' : '500'))
    const report = load('entries', `${entriesHeader}\n${changed.join('')}${deposit('new')}`)
    expect(await places(report)).toEqual([
      [16, 'reference', 'entry.reference_conflict'],
      [502, 'reference', 'entry.reference_conflict'],
    ])
    expect(await counts()).toMatchObject({ entries: 300 })
  })

  it('a doubled reference is found across batches too', async () => {
    const many = Array.from({ length: 1_200 }, (_, index) => deposit(`d/${index}`)).join('')
    expect(await places(load('entries', `${entriesHeader}\n${many}${deposit('d/0')}`))).toEqual([
      [2402, 'reference', 'entry.reference_doubled'],
    ])
  })

  it.each([
    ['no bytes', '', [[0, undefined, 'file.empty']]],
    ['only a BOM', '\ufeff', [[0, undefined, 'file.empty']]],
    ['only empty lines', '\r\n\n', [[0, undefined, 'file.empty']]],
    [
      'a wrong header',
      'number,first_name,first_name,colour\n',
      [
        [1, 'last_name', 'header.missing'],
        [1, 'first_name', 'header.doubled'],
        [1, 'colour', 'header.unknown'],
      ],
    ],
    [
      'Latin-1 bytes',
      Buffer.from(`${membersHeader}\nB1,Fatou,Sane,,,\nB2,Aïssatou,Badji,,,\n`, 'latin1'),
      [[3, undefined, 'file.encoding']],
    ],
    [
      'UTF-16',
      Buffer.from(`\ufeff${membersHeader}\nB1,Fatou,Sane,,,\n`, 'utf16le'),
      [[1, undefined, 'file.encoding']],
    ],
    ['a quote that is never closed', `${membersHeader}\nB1,"Fatou,Sane,,,\n`, [[2, undefined, 'file.quote']]],
    [
      'a field of 1,000,000 characters',
      `${membersHeader}\nB1,${'x'.repeat(1_000_000)},Sane,,,\nB2,Binta,Diop,,,\n`,
      [[2, undefined, 'file.line_too_long']],
    ],
    [
      'a field of 1,000,000 characters of two bytes and no line end',
      `${membersHeader}\nB1,${'é'.repeat(1_000_000)}`,
      [[2, undefined, 'file.line_too_long']],
    ],
    [
      'rows that are wrong in every way',
      `${membersHeader}\nB1,Fatou,Sane,,123,de\nB1,${'x'.repeat(81)},,,,\nA1,Marie,Sow,,,\nB4,Fa\ttou,a\u0000b,,,\nB5,"Bin\nta",Sy,,,\nA1,Awa,Diatta,,,\n`,
      [
        [2, 'phone', 'phone.invalid'],
        [2, 'language', 'language.unknown'],
        [3, 'first_name', 'field.too_long'],
        [3, 'last_name', 'field.missing'],
        [4, 'number', 'member.number_taken'],
        [5, 'first_name', 'field.control_character'],
        [5, 'last_name', 'field.control_character'],
        [7, 'first_name', 'field.control_character'],
        [8, 'number', 'member.doubled'],
      ],
    ],
  ])('members: %s is refused by name and nothing is written', async (_, content, expected) => {
    const before = await counts()
    expect(await places(load('members', content))).toEqual(expected)
    expect(await counts()).toEqual(before)
  })

  it('loans: a schedule that does not fit is refused by name and nothing is written', async () => {
    const before = await counts()
    const file =
      `${loansHeader}\nL1,A1,standard,1,90000,2026-10-01,2026-11-01,45000,,,\nL1,A1,standard,1,90000,2026-10-01,2026-12-01,44000,,,\n` +
      'L2,A1,standard,1,90000,2026-10-01,2026-12-01,45000,,,\nL2,A1,standard,1,90000,2026-10-01,2026-11-01,45000,,,\n' +
      'L3,A1,interest_free,1,90000,2026-10-01,2026-11-01,90000,500,,\n' +
      'L4,ZZ,standard,1,90000,2026-10-01,2026-11-01,90000,,,\n' +
      'L5,A1,standard,0,,2026-10-01,2026-11-01,90000,,-5,\n' +
      'L6,A1,standard,1,90000,2026-10-01,2026-09-01,90000,,,\n' +
      'L7,A1,standard,1,90000,2026-11-24,2026-12-01,90000,,,\n' +
      'L1,A1,standard,1,90000,2026-10-01,2026-11-01,90000,,,\n'
    expect(await places(load('loans', file))).toEqual([
      [2, 'principal_due', 'loan.schedule_invalid'],
      [5, 'due_date', 'loan.schedule_invalid'],
      [6, 'interest', 'loan.schedule_invalid'],
      [7, 'member', 'member.unknown'],
      [8, 'cycle', 'number.invalid'],
      [8, 'fee', 'amount.negative'],
      [9, 'due_date', 'loan.due_before_disbursed'],
      [10, 'disbursed_date', 'date.future'],
      [11, 'number', 'loan.doubled'],
    ])
    expect(await counts()).toEqual(before)
    const sound = `${loansHeader}\nL1,A1,standard,1,90000,2026-10-01,2026-11-01,90000,,,\n`
    expect(await load('loans', sound)).toMatchObject({ written: 1 })
    expect(await places(load('loans', sound.replaceAll('90000', '80000')))).toEqual([
      [2, 'number', 'loan.number_taken'],
    ])
  })

  it('an import that loses its connection half-way leaves nothing, and running it again writes each row once', async () => {
    const many = Array.from({ length: 3_000 }, (_, index) => deposit(`d/${index}`)).join('')
    const before = await counts()
    let killed = false
    const kill = () => {
      if (killed) return
      killed = true
      void database.db.pool.query(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null`,
      )
    }
    const onProgress = (bytesRead: number, bytesTotal: number) => {
      if (bytesRead > bytesTotal / 2) kill()
    }
    await expect(load('entries', `${entriesHeader}\n${many}`, { onProgress })).rejects.toThrow()
    expect(await counts()).toEqual(before)
    expect(await load('entries', `${entriesHeader}\n${many}`)).toMatchObject({ rows: 6_000, written: 3_000 })
    expect(await counts()).toMatchObject({ entries: 3_000, postings: 6_000 })
  })

  it('neither the report nor the log repeats what stands in the file', async () => {
    const lines: string[] = []
    const logger = createLogger('info', { write: (line) => lines.push(line) })
    const report = await load('members', `${membersHeader}\nB1,Khadidiatou,Sane,,+221999,fr\n`, { logger })
    expect(report.faultsTotal).toBe(1)
    expect(JSON.stringify(report) + lines.join('')).not.toMatch(/Khadidiatou|Sane|221999/)
    expect(lines).toHaveLength(1)
  })

  it('a file that is not there is a fault, not a crash', async () => {
    expect(await places(load('members', '', { file: join(folder, 'none.csv') }))).toEqual([
      [0, undefined, 'file.unreadable'],
    ])
  })

  describe('meetings', () => {
    const header = 'group,starts_at,rule,place'
    const file = `${header}\nG01,2026-12-01 10:00,"FREQ=MONTHLY;BYDAY=1TU,3TU",Foyer\nG01,2026-12-05T15:30,,\nG01,2026-11-02 09:00,,Brin\n`
    const meetings = async () => {
      const { rows } = await database.db.pool.query<{ startsAt: Date; place: string; status: string }>(
        `select m.starts_at as "startsAt", m.place, m.status from meetings m join groups g on g.id = m.group_id
          where g.programme_id = $1 order by m.starts_at`,
        [programme.id],
      )
      return rows.map(
        ({ startsAt, place, status }) => `${startsAt.toISOString().slice(0, 16)} ${place} ${status}`,
      )
    }

    it('are single hours and calendars; a second time writes nothing, also when they were moved since', async () => {
      expect(await load('meetings', file)).toMatchObject({ rows: 3, written: 3, alreadyThere: 0, faults: [] })
      const first = await meetings()
      expect(first.slice(0, 4)).toEqual([
        '2026-11-02T09:00 Brin planned',
        '2026-12-01T10:00 Foyer planned',
        '2026-12-05T15:30 Ziguinchor planned',
        '2026-12-15T10:00 Foyer planned',
      ])
      await database.db.pool.query(
        `update meetings set starts_at = starts_at + interval '1 day' where place = 'Ziguinchor' and group_id in (select id from groups where programme_id = $1)`,
        [programme.id],
      )
      const moved = await meetings()
      expect(await load('meetings', file)).toMatchObject({ written: 0, alreadyThere: 3, faults: [] })
      expect(await meetings()).toEqual(moved)
    })

    it('are audited as set by whoever handed the file in', async () => {
      await load('meetings', file, { actor: 'staff:123' })
      const { rows } = await database.db.pool.query(
        `select action, actor from audit_log where programme_id = $1 and action in ('calendar.set', 'file.imported') order by action`,
        [programme.id],
      )
      expect(rows).toEqual([
        { action: 'calendar.set', actor: 'staff:123' },
        { action: 'file.imported', actor: 'staff:123' },
      ])
    })

    it('are written by a dry run as little as by a file with a fault, and faults name their line', async () => {
      expect(await load('meetings', file, { dryRun: true })).toMatchObject({ written: 3 })
      expect(await meetings()).toEqual([])
      const faulty = [
        header,
        'G01,2026-12-01 10:00,,',
        'G99,2026-12-01 10:00,,',
        'G01,2026-12-01,,',
        'G01,2026-13-01 10:00,,',
        'G01,,,',
        'G01,2026-12-01 10:00,,Brin',
        'G01,2026-12-01 10:00,FREQ=WEEKLY;BYDAY=1TU,',
        'G01,2026-12-01 10:00,FREQ=WEEKLY,',
        'G01,2026-12-02 10:00,FREQ=WEEKLY,',
      ]
      expect(await places(load('meetings', faulty.join('\n')))).toEqual([
        [3, 'group', 'group.unknown'],
        [4, 'starts_at', 'moment.invalid'],
        [5, 'starts_at', 'moment.invalid'],
        [6, 'starts_at', 'field.missing'],
        [7, 'starts_at', 'meeting.doubled'],
        [8, 'rule', 'rule.invalid'],
        [9, 'rule', 'calendar.doubled'],
        [10, 'rule', 'calendar.doubled'],
      ])
      expect(await meetings()).toEqual([])
    })

    it('of another programme stay out of reach', async () => {
      await createProgramme(database.db, { code: `o${programme.id.slice(0, 20)}` }).then(({ id }) =>
        database.db.pool.query(`update groups set code = 'G77' where programme_id = $1`, [id]),
      )
      expect(await places(load('meetings', `${header}\nG77,2026-12-01 10:00,,\n`))).toEqual([
        [2, 'group', 'group.unknown'],
      ])
    })
  })

  describe('groups', () => {
    const groups = async () => {
      const { rows } = await database.db.pool.query<{ line: string }>(
        `select g.code || ' ' || g.name || ' ' || g.place || ' ' || coalesce(s.first_name, 'nobody') as line
           from groups g left join staff s on s.id = g.facilitator_id where g.programme_id = $1 and g.code <> 'G01' order by g.code`,
        [programme.id],
      )
      return rows.map(({ line }) => line)
    }
    beforeEach(async () => {
      await database.db.prisma.staff.create({
        data: {
          programmeId: programme.id,
          firstName: 'Binta',
          lastName: 'Sané',
          msisdn: '+221771110000',
          role: 'facilitator',
          language: 'fr',
        },
      })
    })

    it('are opened and brought up to date, line by line in the preview; a second time changes nothing', async () => {
      const file = 'code,name,place,facilitator\nH1,Jappo,Bignona,77 111 00 00\nH2,Kassoumay,Brin,\n'
      const changes = [2, 3].map((row) => ({ row, isNew: true, columns: [] }))
      const looked = await load('groups', file, { dryRun: true })
      expect(looked).toMatchObject({ rows: 2, written: 2, changes, faults: [] })
      expect(await groups()).toEqual([])
      expect(await load('groups', file)).toMatchObject({ written: 2 })
      expect(await groups()).toEqual(['H1 Jappo Bignona Binta', 'H2 Kassoumay Brin nobody'])
      expect(await load('groups', file)).toMatchObject({ written: 0, alreadyThere: 2, changes: [] })
      // A file without the column leaves the facilitator as she is.
      const other = 'code,name,place\nH1,Jappo,Oussouye\nH2,Kassoumay,Brin\n'
      expect(await load('groups', other)).toMatchObject({
        written: 1,
        alreadyThere: 1,
        changes: [{ row: 2, isNew: false, columns: ['place'] }],
      })
      expect(await groups()).toEqual(['H1 Jappo Oussouye Binta', 'H2 Kassoumay Brin nobody'])
    })

    it('with a fault are not written', async () => {
      const file =
        'code,name,place,facilitator\nH1,Jappo,Bignona,77 999 00 00\nH2,,Brin,12\nH3,A,B,\nH3,A,B,\nH4,A,B,\n'
      expect(await places(load('groups', file))).toEqual([
        [2, 'facilitator', 'staff.unknown'],
        [3, 'name', 'field.missing'],
        [3, 'facilitator', 'phone.invalid'],
        [5, 'code', 'group.doubled'],
      ])
      expect(await groups()).toEqual([])
    })
  })

  describe('schedules', () => {
    const header = 'number,due_date,principal_due,interest,insurance'
    const instalments = async () => {
      const { rows } = await database.db.pool.query<{ line: string }>(
        `select l.number || ' ' || i.due_date || ' ' || i.principal::int || ' ' || i.interest::int || ' ' || i.insurance::int as line
           from instalments i join loans l on l.id = i.loan_id where l.programme_id = $1 order by l.number, i.number`,
        [programme.id],
      )
      return rows.map(({ line }) => line)
    }
    beforeEach(async () => {
      const loans =
        `${loansHeader}\nS1,A1,standard,1,90000,2026-10-05,2026-11-02,45000,900,,500\n` +
        'S1,A1,standard,1,90000,2026-10-05,2026-11-30,45000,900,,\nS2,A1,emergency,,10000,2026-10-05,2026-12-01,10000,200,,\n'
      expect(await load('loans', loans)).toMatchObject({ written: 2 })
      const paid =
        'p/1,loan_repayment,2026-11-02,,cash,46400,\np/1,loan_repayment,2026-11-02,,loan/S1,,46400\n'
      expect(await load('entries', `${entriesHeader}\n${paid}`)).toMatchObject({ written: 1 })
    })

    it('change what nobody has paid on, and only its days and shares', async () => {
      const file = `${header}\nS1,2026-12-14,20000,400,\nS1,2027-01-11,25000,500,\n`
      expect(await load('schedules', file, { dryRun: true })).toMatchObject({
        written: 1,
        changes: [{ row: 2, isNew: false, columns: [] }],
      })
      expect((await instalments())[1]).toBe('S1 2026-11-30 45000 900 0')
      expect(await load('schedules', file)).toMatchObject({ rows: 2, written: 1, faults: [] })
      const after = [
        'S1 2026-11-02 45000 900 500',
        'S1 2026-12-14 20000 400 0',
        'S1 2027-01-11 25000 500 0',
        'S2 2026-12-01 10000 200 0',
      ]
      expect(await instalments()).toEqual(after)
      expect(await load('schedules', file)).toMatchObject({ written: 0, alreadyThere: 1 })
      expect(await instalments()).toEqual(after)
    })

    it('with a fault name its line, and none of the file is written', async () => {
      const before = await instalments()
      const file = [
        header,
        'S1,2026-12-14,20000,400,',
        'S1,2026-11-01,25000,500,',
        'S2,2026-12-01,10000,100,',
        'S9,2026-12-01,10000,200,',
        'S2,2026-12-01,10000,200,',
      ]
      expect(await places(load('schedules', file.join('\n')))).toEqual([
        [3, 'due_date', 'loan.schedule_paid'],
        [4, 'principal_due', 'loan.schedule_paid'],
        [5, 'number', 'loan.unknown'],
        [6, 'number', 'loan.doubled'],
      ])
      expect(await instalments()).toEqual(before)
    })
  })

  describe('a consent', () => {
    const header = `${membersHeader},consent,consent_wording,consent_language,consent_collector,consent_date`
    beforeEach(async () => {
      await database.db.prisma.staff.create({
        data: {
          programmeId: programme.id,
          firstName: 'Binta',
          lastName: 'Sané',
          msisdn: '+221771110000',
          role: 'facilitator',
          language: 'fr',
        },
      })
    })

    it('is kept with wording, language, collector and day; "none" is a no to all, nothing is no word', async () => {
      const rows =
        'C1,Awa,Diop,,,fr,receipt reminder,sheet-1,wo,77 111 00 00,2026-11-20\n' +
        'C2,Awa,Ba,,,fr,none,sheet-1,fr,+221771110000,2026-11-20\nC3,Awa,Sy,,,fr,,,,,\n'
      expect(await load('members', `${header}\n${rows}`)).toMatchObject({ written: 3, faultsTotal: 0 })
      const { rows: words } = await database.db.pool.query(
        `select m.number || ' ' || c.purpose || ' ' || c.granted || ' ' || c.channel || ' ' || c.wording || ' ' || c.language
                || ' ' || s.first_name || ' ' || c.collected_at::date as word
           from consents c join members m on m.id = c.member_id join staff s on 'staff:' || s.id = c.collector
          where m.programme_id = $1 order by c.id`,
        [programme.id],
      )
      expect(words.map(({ word }) => word)).toEqual([
        'C1 receipt true import sheet-1 wo Binta 2026-11-20',
        'C1 reminder true import sheet-1 wo Binta 2026-11-20',
        ...['receipt', 'reminder', 'meeting', 'survey', 'promotion'].map(
          (purpose) => `C2 ${purpose} false import sheet-1 fr Binta 2026-11-20`,
        ),
      ])
    })

    it('that is malformed is a fault that names the column, and nothing is written', async () => {
      const rows =
        'C1,Awa,Diop,,,fr,receipts,sheet-1,fr,77 111 00 00,2026-11-20\n' +
        'C2,Awa,Ba,,,fr,receipt,,fr,77 111 00 00,\n' +
        'C3,Awa,Sy,,,fr,,sheet-1,,,\n' +
        'C4,Awa,Ka,,,fr,receipt,sheet-1,de,77 111 00 00,2026-11-23\n' +
        'C5,Awa,Fall,,,fr,receipt,sheet-1,fr,77 111 00 00,2026-11-23\n'
      expect(await places(load('members', `${header}\n${rows}`))).toEqual([
        [2, 'consent', 'consent.purpose'],
        [3, 'consent_wording', 'consent.incomplete'],
        [3, 'consent_date', 'consent.incomplete'],
        [4, 'consent_wording', 'consent.incomplete'],
        [5, 'consent_language', 'language.unknown'],
        [6, 'consent_date', 'date.future'],
      ])
      const stranger = 'C6,Awa,Sow,,,fr,receipt,sheet-1,fr,77 999 00 00,2026-11-20\n'
      expect(await places(load('members', `${header}\n${stranger}`))).toEqual([
        [2, 'consent_collector', 'staff.unknown'],
      ])
      expect((await counts())?.members).toBe(1)
    })
  })
})
