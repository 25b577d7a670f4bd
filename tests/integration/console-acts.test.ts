// What staff change in the console: done whole or not at all, with before and after in the audit log; files in and out.
import { once } from 'node:events'
import { request } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type ConsoleUnderTest, createStaff, serveConsole, type TestBrowser } from '../support/console.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createMember, createProgramme, type TestProgramme } from '../support/fixtures.ts'

let database: TestDatabase
let programme: TestProgramme
let console: ConsoleUnderTest
let administrator: { id: string; msisdn: string }
let browser: TestBrowser

beforeAll(async () => {
  database = await createTestDatabase()
  programme = await createProgramme(database.db)
  console = await serveConsole(database.db, { budgets: { asks: 500, entries: 500, pages: 5_000 } })
  administrator = await createStaff(database.db, programme.id, 'administrator')
})
beforeEach(async () => {
  browser = await console.signedIn(administrator.id)
  await browser.get('/')
})
afterAll(async () => {
  await console.close()
  await database.drop()
})

/** Rows of the audit log that `work` left. */
async function rowsOf(work: () => Promise<unknown>) {
  const { pool } = database.db
  const last = await pool.query<{ id: string }>('select coalesce(max(id), 0)::text as id from audit_log')
  await work()
  const { rows } = await pool.query<{
    actor: string
    action: string
    subject: string
    before: object
    after: object
  }>('select actor, action, subject, before, after from audit_log where id > $1 order by id', [
    last.rows[0]?.id,
  ])
  return rows
}

const person = {
  firstName: 'Coumba',
  lastName: 'Manga',
  phone: '77 555 44 33',
  role: 'facilitator',
  language: 'fr',
  languages: ['wo'],
}
const me = () => `staff:${administrator.id}`

describe('staff', () => {
  it('are added, changed and deactivated, each with before and after and no name in the log; their sessions end', async () => {
    let id = ''
    const added = await rowsOf(async () => {
      const reply = await browser.submit('/staff/new', person)
      id = /\/staff\/([0-9a-f-]{36})/.exec(reply.location ?? '')?.[1] ?? ''
      expect(reply.location).toBe(`/console/staff/${id}?done=saved`)
    })
    const first = { role: 'facilitator', language: 'fr', languages: ['wo'], active: true }
    expect(added).toEqual([
      { actor: me(), action: 'staff.added', subject: `staff:${id}`, before: null, after: first },
    ])
    const theirs = await console.signedIn(id)
    expect((await theirs.get('/')).status).toBe(200)
    const changed = await rowsOf(() =>
      browser.submit(`/staff/${id}`, { ...person, role: 'branch', active: 'yes' }),
    )
    expect(changed).toEqual([
      {
        actor: me(),
        action: 'staff.changed',
        subject: `staff:${id}`,
        before: first,
        after: { ...first, role: 'branch', changed: ['role'] },
      },
    ])
    // Another role is another person to the walls: she signs in again.
    expect((await theirs.get('/')).status).toBe(303)
    const again = await console.signedIn(id)
    const gone = await rowsOf(() => browser.submit(`/staff/${id}`, { ...person, role: 'branch' }))
    expect(gone).toMatchObject([{ action: 'staff.changed', after: { active: false, changed: ['active'] } }])
    expect((await again.get('/')).status).toBe(303)
    expect(JSON.stringify([added, changed, gone])).not.toMatch(/Coumba|Manga|5554433/)
  })

  it('the same once more changes nothing and leaves no row', async () => {
    const other = await createStaff(database.db, programme.id, 'branch')
    const same = {
      firstName: 'A',
      lastName: 'B',
      phone: other.msisdn,
      role: 'branch',
      language: 'en',
      active: 'yes',
    }
    await browser.submit(`/staff/${other.id}`, same)
    expect(
      await rowsOf(async () => {
        expect((await browser.submit(`/staff/${other.id}`, same)).location).toContain('done=unchanged')
      }),
    ).toEqual([])
  })

  it('with a fault are not written, and each fault is named', async () => {
    const faulty: readonly [object, string][] = [
      [{ phone: '12' }, 'There is no such phone number'],
      [{ phone: administrator.msisdn }, 'Another member of staff has this number'],
      [{ firstName: ' ' }, 'First name and last name are needed'],
      [{ role: 'king' }, 'Choose one of the list'],
      [{ language: 'xx' }, 'Choose one of the list'],
    ]
    for (const [change, sentence] of faulty)
      expect(
        await rowsOf(async () => {
          const reply = await browser.submit('/staff/new', { ...person, phone: '+221775551111', ...change })
          expect(reply.status).toBe(422)
          expect(reply.text).toContain(sentence)
        }),
      ).toEqual([])
  })

  it('an administrator cannot take the programme from herself', async () => {
    for (const change of [{ role: 'branch', active: 'yes' }, { role: 'administrator' }])
      expect(
        await rowsOf(async () => {
          const reply = await browser.submit(`/staff/${administrator.id}`, {
            ...person,
            phone: administrator.msisdn,
            ...change,
          })
          expect(reply.status).toBe(422)
          expect(reply.text).toContain('You cannot take the right to administer from yourself')
        }),
      ).toEqual([])
  })
})

describe('settings', () => {
  const settings = {
    name: 'FANSOTO',
    office_phone: '+221338000000',
    send_from_minute: '08:00',
    send_until_minute: '20:00',
    daily_cap: '2',
    weekly_cap: '6',
    answer_working_days: '3',
    silent_days: '90',
    sms_segments_max: '',
    segments_minute_max: '30000',
    segments_day_max: '100000',
    wrong_pins_max: '50',
    approval_above: '200',
    segment_price: '',
    segment_currency: '',
    holidays: '',
  }

  it('are changed with before and after of what changed; names and numbers are not kept', async () => {
    const rows = await rowsOf(() =>
      browser.submit('/settings', { ...settings, name: 'Sunu', daily_cap: '3', silent_days: '' }),
    )
    expect(rows).toEqual([
      {
        actor: me(),
        action: 'programme.changed',
        subject: `programme:${programme.id}`,
        before: { name: 'not kept', daily_cap: 2, silent_days: 90 },
        after: { name: 'not kept', daily_cap: 3, silent_days: null },
      },
    ])
    const { rows: kept } = await database.db.pool.query('select name, daily_cap, silent_days from programmes')
    expect(kept).toEqual([{ name: 'Sunu', daily_cap: 3, silent_days: null }])
    await browser.submit('/settings', settings)
  })

  it('that are impossible are refused beside their field, and none of the others is written', async () => {
    for (const wrong of [
      { daily_cap: '0' },
      { daily_cap: '2.5' },
      { daily_cap: '1e9' },
      { name: '' },
      { send_from_minute: '25:00' },
      { send_from_minute: '21:00' },
      { send_until_minute: '23:30' },
      { office_phone: 'call me' },
      { approval_above: '-1' },
      { segment_price: '12,5', segment_currency: 'XOF' },
      { segment_price: '12' },
      { segment_price: '12', segment_currency: 'F' },
      { holidays: '2027-04-04 2027-02-30' },
    ])
      expect(
        await rowsOf(async () => {
          const reply = await browser.submit('/settings', { ...settings, weekly_cap: '9', ...wrong })
          expect(reply.status, JSON.stringify(wrong)).toBe(422)
          expect(reply.text).toContain('aria-invalid="true"')
        }),
      ).toEqual([])
    const { rows } = await database.db.pool.query('select weekly_cap from programmes')
    expect(rows).toEqual([{ weekly_cap: 6 }])
  })

  it('what a segment costs and on which days nobody works are kept as they are written, once', async () => {
    const priced = { segment_price: '12.5', segment_currency: 'XOF', holidays: '2027-04-04, 2026-12-25' }
    const rows = await rowsOf(() => browser.submit('/settings', { ...settings, ...priced }))
    expect(rows).toMatchObject([
      {
        before: { segment_price: null, segment_currency: null, holidays: [] },
        after: {
          segment_price: '12.500000',
          segment_currency: 'XOF',
          holidays: ['2026-12-25', '2027-04-04'],
        },
      },
    ])
    const page = await browser.get('/settings')
    expect(page.text).toContain('value="12.5"')
    expect(page.text).toContain('value="2026-12-25 2027-04-04"')
    expect(await rowsOf(() => browser.submit('/settings', { ...settings, ...priced }))).toEqual([])
    await browser.submit('/settings', settings)
  })

  it('who answers which request is the programme’s, within its bounds, and a social worker’s is nobody else’s', async () => {
    const rules = { 'owner.call_back': 'branch', 'days.call_back': '1', 'days.social_worker': '4' }
    const written = { call_back: { owner: 'branch', workingDays: 1 }, social_worker: { workingDays: 4 } }
    const rows = await rowsOf(() => browser.submit('/settings/rules', rules))
    expect(rows).toEqual([
      {
        actor: me(),
        action: 'programme.changed',
        subject: `programme:${programme.id}`,
        before: { case_rules: {} },
        after: { case_rules: written },
      },
    ])
    expect(await rowsOf(() => browser.submit('/settings/rules', rules))).toEqual([])
    for (const wrong of [
      { 'days.adviser': '0' },
      { 'days.adviser': 'soon' },
      { 'owner.adviser': 'auditor' },
      { 'owner.social_worker': 'branch' },
    ])
      expect(
        await rowsOf(async () => {
          expect((await browser.submit('/settings/rules', { ...rules, ...wrong })).status).toBe(422)
        }),
      ).toEqual([])
    const { rows: kept } = await database.db.pool.query('select case_rules from programmes')
    expect(kept).toEqual([{ case_rules: written }])
    await browser.submit('/settings/rules', {})
  })
})

describe('a member', () => {
  it('says yes and no to whoever is with her: each word with its wording, before and after in the log', async () => {
    const { db } = database
    const member = await createMember(db, programme, { consents: ['receipt', 'survey'] })
    const path = `/members/${member.id}/consents`
    const page = await browser.get(`/members/${member.id}`)
    expect(page.text).toContain('<q lang="fr" dir="ltr">')
    const said = {
      language: 'wo',
      'consent.survey': 'no',
      'consent.meeting': 'yes',
      from: '09:00',
      until: '17:30',
    }
    const rows = await rowsOf(async () => {
      expect((await browser.submit(path, said)).location).toContain('done=saved')
    })
    expect(rows).toEqual([
      {
        actor: me(),
        action: 'consents.set',
        subject: `member:${member.id}`,
        before: { consents: { meeting: false, survey: true }, hours: null },
        after: {
          consents: { meeting: true, survey: false },
          hours: { from: '09:00', until: '17:30' },
          collector: me(),
        },
      },
    ])
    const { rows: words } = await db.pool.query(
      `select purpose, granted, channel, language, collector from consents where member_id = $1 and collector = $2 order by purpose`,
      [member.id, me()],
    )
    const how = { channel: 'staff', language: 'wo', collector: me() }
    expect(words).toEqual([
      { purpose: 'meeting', granted: true, ...how },
      { purpose: 'survey', granted: false, ...how },
    ])
    expect(await rowsOf(() => browser.submit(path, said))).toEqual([])
    const stopped = await rowsOf(() => browser.submit(path, { ...said, stopped: 'yes' }))
    expect(stopped).toMatchObject([{ before: { stopped: false }, after: { stopped: true } }])
    for (const wrong of [{ language: 'xx' }, { from: '18:00' }, { from: '' }, { until: '25:00' }])
      expect(
        await rowsOf(async () => {
          expect((await browser.submit(path, { ...said, ...wrong })).status).toBe(422)
        }),
      ).toEqual([])
  })

  it('gets her PIN reset by the facilitator of her group alone, and her phone back after two words', async () => {
    const { db } = database
    const member = await createMember(db, programme)
    await db.pool.query(`insert into member_pins (member_id, hash, set_at) values ($1, 'none', now())`, [
      member.id,
    ])
    const facilitator = await createStaff(db, programme.id, 'facilitator', { groupId: programme.groupId })
    const hers = await console.signedIn(facilitator.id)
    await hers.get('/')
    expect(
      await rowsOf(async () => {
        const reply = await browser.submit(`/members/${member.id}/pin-reset`)
        expect(reply.status).toBe(422)
        expect(reply.text).toContain('A PIN is reset in person by the facilitator')
      }),
    ).toEqual([])
    expect(await rowsOf(() => hers.submit(`/members/${member.id}/pin-reset`))).toMatchObject([
      { actor: `staff:${facilitator.id}`, action: 'pin.reset', before: { pin: true }, after: { pin: false } },
    ])
    expect(await rowsOf(() => hers.submit(`/members/${member.id}/reverify`))).toMatchObject([
      { action: 'phone.reverify', subject: `member:${member.id}` },
    ])
    const word = { phone: member.msisdn }
    expect((await hers.submit(`/members/${member.id}/confirm`, word)).location).toContain(
      'done=phone_waiting',
    )
    expect((await hers.submit(`/members/${member.id}/confirm`, word)).status).toBe(409)
    expect((await browser.submit(`/members/${member.id}/confirm`, word)).location).toContain(
      'done=phone_bound',
    )
  })
})

describe('CSV', () => {
  const post = async (path: string, fields: Record<string, string>, file?: string) => {
    const csrf = /name="csrf" value="([^"]+)"/.exec((await browser.get('/files')).text)?.[1] ?? ''
    const form = new FormData()
    for (const [name, value] of Object.entries({ csrf, ...fields })) form.append(name, value)
    if (file !== undefined) form.append('file', new Blob([file]), 'members.csv')
    const response = await fetch(`${console.url}/console${path}`, {
      method: 'POST',
      body: form,
      redirect: 'manual',
      headers: {
        cookie: [...browser.cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        'sec-fetch-site': 'same-origin',
      },
    })
    return {
      status: response.status,
      text: await response.text(),
      location: response.headers.get('location'),
    }
  }
  const members = 'number,first_name,last_name,phone\nC-1,Khady,Sow,771230001\nC-2,Ndeye,Fall,771230002\n'
  const there = async () =>
    (await database.db.pool.query(`select 1 from members where number like 'C-%'`)).rowCount

  it('is looked through first and then written once, by the same file alone', async () => {
    let seal = ''
    expect(
      await rowsOf(async () => {
        const looked = await post('/files/preview', { kind: 'members' }, members)
        expect(looked.status).toBe(200)
        expect(looked.text).toMatch(/<dt>New or changed<\/dt><dd>2<\/dd>/)
        seal = /name="seal" value="([0-9a-f]{64})"/.exec(looked.text)?.[1] ?? ''
        const other = await post('/files', { kind: 'members', seal }, members.replace('Khady', 'Khadija'))
        expect(other.status).toBe(422)
        expect(other.text).toContain('This is not the file that was looked through')
        expect((await post('/files', { kind: 'members', seal })).status).toBe(422)
      }),
    ).toEqual([])
    expect(await there()).toBe(0)
    const rows = await rowsOf(async () => {
      expect((await post('/files', { kind: 'members', seal }, members)).location).toContain('done=imported')
    })
    expect(rows).toMatchObject([
      { actor: me(), action: 'file.imported', after: { kind: 'members', rows: 2, fileSha256: seal } },
    ])
    expect(await there()).toBe(2)
    expect((await post('/files', { kind: 'members', seal }, members)).location).toContain('done=unchanged')
  })

  it('with faults names each row and column, and writes nothing', async () => {
    const faulty = `${members}C-3,,Sy,771230003\nC-4,Awa,Ba,12\n`
    expect(
      await rowsOf(async () => {
        const looked = await post('/files/preview', { kind: 'members' }, faulty)
        expect(looked.status).toBe(422)
        expect(looked.text.replace(/<[^>]+>/g, ' ')).toMatch(/4\s+first_name\s+This field may not be empty/)
        expect(looked.text).not.toContain('name="seal"')
      }),
    ).toEqual([])
    expect(await there()).toBe(2)
  })

  it('is looked through line by line, and its faults are said in the language of the page', async () => {
    const groups = 'code,name,place\nG01,Kassoumay,Oussouye\nK-1,Jappo,Bignona\n'
    const looked = await post('/files/preview', { kind: 'groups' }, groups)
    const words = (text: string) => text.replace(/<[^>]+>/g, ' ').replace(/\s+/g, ' ')
    expect(words(looked.text)).toMatch(/2 changed (name, )?place 3 new/)
    await browser.submit('/language', { tag: 'fr', back: '/files' })
    const faulty = await post('/files/preview', { kind: 'groups' }, `${groups}K-2,,B\n`)
    await browser.submit('/language', { tag: 'en', back: '/files' })
    expect(words(faulty.text)).toContain('4 name Ce champ ne peut pas être vide.')
  })

  it('of 200 MB is refused in clear words, without being held in memory', async () => {
    const { cookies } = browser
    const before = process.memoryUsage().rss
    const sending = request(`${console.url}/console/files/preview`, {
      method: 'POST',
      headers: {
        cookie: `tama-session=${cookies.get('tama-session')}`,
        'content-type': 'multipart/form-data; boundary=x',
        'content-length': String(200 * 1024 * 1024),
      },
    })
    sending.on('error', () => undefined)
    const answered = once(sending, 'response')
    sending.write('--x\r\ncontent-disposition: form-data; name="file"; filename="big.csv"\r\n\r\n')
    const [response] = await answered
    let text = ''
    for await (const part of response) text += String(part)
    sending.destroy()
    expect(response.statusCode).toBe(413)
    expect(text).toContain('A file may have up to 50 MB')
    expect(process.memoryUsage().rss - before).toBeLessThan(100 * 1024 * 1024)
  })

  it('that does not say how long it is ends at 50 MB, and nothing of it stays', async () => {
    const csrf = /name="csrf" value="([^"]+)"/.exec((await browser.get('/files')).text)?.[1] ?? ''
    const before = process.memoryUsage().rss
    const sending = request(`${console.url}/console/files/preview`, {
      method: 'POST',
      headers: {
        cookie: `tama-session=${browser.cookies.get('tama-session')}`,
        'content-type': 'multipart/form-data; boundary=x',
      },
    })
    const answered = once(sending, 'response')
    sending.write(
      `--x\r\ncontent-disposition: form-data; name="csrf"\r\n\r\n${csrf}\r\n--x\r\ncontent-disposition: form-data; name="file"; filename="big.csv"\r\n\r\n`,
    )
    const piece = Buffer.alloc(1024 * 1024, 'a,b,c\n')
    for (let sent = 0; sent < 60; sent += 1) if (!sending.write(piece)) await once(sending, 'drain')
    sending.end('\r\n--x--\r\n')
    const [response] = await answered
    expect(response.statusCode).toBe(413)
    response.resume()
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024)
  })

  it('out opens in a spreadsheet without running anything, with numbers as the role may see them', async () => {
    const { db } = database
    await createMember(db, programme, {
      number: 'F-1',
      firstName: '=HYPERLINK("x")',
      alias: '@sum',
      msisdn: '+221779000001',
    })
    const reply = await browser.get('/members.csv?q=F-1')
    expect(reply.headers.get('content-disposition')).toContain('members.csv')
    const bytes = await fetch(`${console.url}/console/members.csv?q=F-1`, {
      headers: { cookie: `tama-session=${browser.cookies.get('tama-session')}` },
    }).then((raw) => raw.arrayBuffer())
    expect([...new Uint8Array(bytes.slice(0, 3))]).toEqual([0xef, 0xbb, 0xbf])
    const cells = reply.text.trim().split('\r\n')[1] ?? ''
    expect(cells).toBe(`F-1,"'=HYPERLINK(""x"")",Diatta,'@sum,Jappo,'+221779000001,active`)
    const auditor = await console.signedIn((await createStaff(db, programme.id, 'auditor')).id)
    const masked = await auditor.get('/members.csv?q=F-1')
    expect(masked.text).not.toContain('+221779000001')
    expect(masked.text).toContain('*****')
    const facilitator = await console.signedIn((await createStaff(db, programme.id, 'facilitator')).id)
    expect((await facilitator.get('/members.csv')).text).not.toContain('F-1')
    expect((await browser.get('/messages.csv?status=delivered')).status).toBe(200)
  })
})
