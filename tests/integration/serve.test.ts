// `tama serve` and the command line, as a newcomer and a supervisor meet them: real processes, real signals.
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase } from '../support/database.ts'
import { createProgramme } from '../support/fixtures.ts'
import { freePort } from '../support/redis.ts'
import { productionEnvironment, runTama, startTama } from '../support/tama.ts'

const root = join(import.meta.dirname, '..', '..')

describe('a start with no configuration', () => {
  let folder: string
  const environment = async () => ({ TAMA_DATA: folder, PORT: String(await freePort()) })
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'tama-serve-'))
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('prints where the phone is, a number and PIN to try, and the metrics; all three answer; SIGTERM drains to exit 0', async () => {
    const tama = startTama(['serve'], await environment())
    const [, phone = ''] = await tama.printed(/Phone +(\S+)/, 120_000)
    const [, number, pin] = await tama.printed(/Try +(\+\d+) with PIN (\d{4,6}): dial \*[\d*]+#/)
    const [, metrics = ''] = await tama.printed(/Metrics +(\S+)/)
    expect(number).toMatch(/^\+221/)
    expect(pin).toBeDefined()
    expect((await fetch(phone)).status).toBe(200)
    expect(await (await fetch(metrics)).text()).toContain('tama_ussd_hops_total')
    const base = new URL(phone).origin
    expect((await fetch(`${base}/healthz`)).status).toBe(200)
    await expect.poll(async () => (await fetch(`${base}/readyz`)).status, { timeout: 20_000 }).toBe(200)

    const second = await runTama(['serve'], await environment())
    expect(second.code).toBe(1)
    expect(second.output).toContain(`held by process ${tama.child.pid}`)

    const startedMs = performance.now()
    tama.child.kill('SIGTERM')
    expect(await tama.ended).toBe(0)
    expect(performance.now() - startedMs).toBeLessThan(40_000)
  }, 180_000)

  it('keeps its data and its secrets between runs, the secrets readable by nobody else', async () => {
    const secretPath = join(folder, 'secrets', 'PIN_PEPPER')
    const secret = readFileSync(secretPath, 'utf8')
    expect(statSync(secretPath).mode & 0o077).toBe(0)
    const tama = startTama(['serve'], await environment())
    await tama.printed(/Metrics/, 60_000)
    expect(tama.output()).not.toContain('Members')
    expect(readFileSync(secretPath, 'utf8')).toBe(secret)
    tama.child.kill('SIGTERM')
    expect(await tama.ended).toBe(0)
  }, 120_000)

  it('starts again after it was killed hard, in spite of the server that it left behind', async () => {
    const killed = startTama(['serve'], await environment())
    await killed.printed(/Metrics/, 60_000)
    killed.child.kill('SIGKILL')
    await killed.ended
    const tama = startTama(['serve'], await environment())
    await tama.printed(/Metrics/, 60_000)
    tama.child.kill('SIGTERM')
    expect(await tama.ended).toBe(0)
  }, 120_000)
})

describe('a start that is not to be', () => {
  it('SIGINT while it starts ends it at once, and leaves no server and no lock behind', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tama-serve-'))
    try {
      const tama = startTama(['serve'], { TAMA_DATA: folder, PORT: '0' })
      await expect
        .poll(() => existsSync(join(folder, 'postgres', 'postmaster.pid')), { timeout: 60_000 })
        .toBe(true)
      tama.child.kill('SIGINT')
      expect(await tama.ended).toBe(0)
      expect(existsSync(join(folder, 'postgres', 'postmaster.pid'))).toBe(false)
      expect(existsSync(join(folder, 'tama.pid'))).toBe(false)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }, 90_000)

  it('a data folder that cannot be one gets a sentence', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tama-serve-'))
    writeFileSync(join(folder, 'file'), '')
    const { code, output } = await runTama(['serve'], { TAMA_DATA: join(folder, 'file'), PORT: '0' })
    rmSync(folder, { recursive: true, force: true })
    expect(code).toBe(1)
    expect(output).toContain('The data folder cannot be used')
    expect(output).not.toContain('    at ')
  })

  it('lists the faults of configuration, locales and menus together, each with its file, before any database', async () => {
    const copy = mkdtempSync(join(tmpdir(), 'tama-copy-'))
    const change = (file: string, from: string, to: string) => {
      const text = readFileSync(join(copy, file), 'utf8')
      expect(text).toContain(from)
      writeFileSync(join(copy, file), text.replace(from, to))
    }
    try {
      for (const part of ['dist', 'locales', 'menus', 'package.json'])
        cpSync(join(root, part), join(copy, part), { recursive: true })
      symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
      change('locales/en/language.json', '"ltr"', '"up"')
      change('locales/fr/sms.json', '"receipt"', '"receit"')
      change('locales/wo/keywords.json', '"help"', '"hello"')
      change('menus/member.yaml', 'to: meeting }', 'to: meetings }')
      writeFileSync(join(copy, 'menus', 'broken.yaml'), 'states: [')
      const environment = { PORT: 'x', DATABASE_URL: 'mysql://x', TAMA_DATA: join(copy, 'data') }
      const program = join(copy, 'dist', 'main.js')
      const serve = await runTama(['serve'], environment, program)
      expect(serve.code).toBe(1)
      const texts = [
        'locales/en/language.json:4: direction: ',
        'locales/fr/sms.json:1: has no text "receipt.',
        'locales/wo/keywords.json:1: has no words for "help". ',
        'menus/broken.yaml:1: ',
        'menus/member.yaml:24: home: "2 meeting" leads to the unknown state "meetings"',
      ]
      for (const fault of ['PORT: ', 'DATABASE_URL: ', ...texts])
        expect(serve.output).toContain(`  - ${fault}`)
      expect(existsSync(join(copy, 'data'))).toBe(false)
      const check = await runTama(['menus', 'check'], {}, program)
      expect(check.code).toBe(1)
      for (const fault of texts) expect(check.output).toContain(`  - ${fault}`)
    } finally {
      rmSync(copy, { recursive: true, force: true })
    }
  }, 30_000)
})

describe('a start on a database of programmes', () => {
  it('is refused when codes overlap, or when a menu, language or clock is not there; all named', async () => {
    const database = await createTestDatabase()
    try {
      await createProgramme(database.db)
      await createProgramme(database.db, {
        code: 'haiti',
        serviceCode: '*384*1*2',
        senderId: 'HAITI',
        shortcode: '21385',
        languages: ['xx'],
        timeZone: 'Mars/Phobos',
      })
      await database.db.pool.query(`update programmes set menu = 'officer' where code = 'haiti'`)
      const { code, output } = await runTama(['serve', 'web'], {
        DATABASE_URL: database.url,
        TAMA_DATA: join(tmpdir(), 'tama-unused'),
        PORT: '0',
      })
      expect(code).toBe(1)
      for (const fault of [
        'programme haiti: there is no time zone "Mars/Phobos"',
        'programme haiti: no menu "officer"',
        'programme haiti: no language "xx"',
        'programmes fansoto and haiti: *384*1*2# is a deep dial into *384*1#',
      ])
        expect(output).toContain(`  - ${fault}`)
    } finally {
      await database.drop()
    }
  }, 30_000)

  it('is refused in a sentence when the port is taken', async () => {
    const database = await createTestDatabase()
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '0.0.0.0', resolve))
    try {
      const { port } = other.address() as AddressInfo
      const { code, output } = await runTama(['serve', 'web'], {
        DATABASE_URL: database.url,
        TAMA_DATA: join(tmpdir(), 'tama-unused'),
        PORT: String(port),
      })
      expect(code).toBe(1)
      expect(output).toContain(`PORT: ${port} (EADDRINUSE)`)
    } finally {
      other.close()
      await database.drop()
    }
  }, 30_000)
})

describe('readiness', () => {
  it('is refused without a worker, and soon after the database went; the queue board wants its key', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tama-serve-'))
    const database = await createTestDatabase()
    const port = await freePort()
    const adminKey = 'k'.repeat(32)
    const tama = startTama(['serve', 'web'], {
      DATABASE_URL: database.url,
      TAMA_DATA: folder,
      PORT: String(port),
      ADMIN_KEY: adminKey,
    })
    const ready = async () => {
      const response = await fetch(`http://127.0.0.1:${port}/readyz`)
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    }
    const board = (key?: string, path = '') =>
      fetch(`http://127.0.0.1:${port}/admin/queues${path}`, {
        headers:
          key === undefined ? {} : { authorization: `Basic ${Buffer.from(`x:${key}`).toString('base64')}` },
      })
    try {
      await tama.printed(/Tama web at/)
      expect(await ready()).toEqual({
        status: 503,
        body: { status: 'not ready', database: 'ok', queue: 'ok', canary: 'none yet', alarms: [] },
      })
      for (const path of ['', '/api/queues', '/static/x.js']) {
        expect((await board(undefined, path)).status).toBe(401)
        expect((await board('wrong', path)).status).toBe(401)
      }
      expect((await board(adminKey)).status).toBe(200)
      const { queues } = (await (await board(adminKey, '/api/queues')).json()) as {
        queues: { name: string }[]
      }
      expect(queues.map(({ name }) => name)).toContain('outbound-urgent')
      await database.db.pool.query(`insert into heartbeats (name, beat_at) values ('queue', now())`)
      expect((await ready()).status).toBe(200)
      await database.drop()
      const startedMs = performance.now()
      expect(await ready()).toMatchObject({ status: 503, body: { database: 'failed' } })
      expect(performance.now() - startedMs).toBeLessThan(3_000)
      tama.child.kill('SIGTERM')
      expect(await tama.ended).toBe(0)
    } finally {
      tama.child.kill('SIGKILL')
      await tama.ended
      rmSync(folder, { recursive: true, force: true })
    }
  }, 90_000)
})

describe('production', () => {
  it('names everything that is wrong or missing at once, and does not start', async () => {
    const { code, output } = await runTama(['serve'], {
      NODE_ENV: 'production',
      PORT: '99999',
      PIN_PEPPER: 'short',
      AT_USERNAME: 'tama',
      AT_BASE_URL: 'http://127.0.0.1:9999',
    })
    expect(code).toBe(1)
    for (const name of ['PORT', 'DATABASE_URL', 'PIN_PEPPER', 'ADMIN_KEY', 'AT_API_KEY', 'AT_BASE_URL'])
      expect(output).toMatch(new RegExp(`^  - ${name}\\b`, 'm'))
    expect(output).not.toContain('short')
  })

  it('offers a draft language only where the programme names it', async () => {
    const database = await createTestDatabase()
    try {
      await createProgramme(database.db)
      await database.db.pool.query(`update programmes set draft_languages = '{en}'`)
      const environment = { ...productionEnvironment(database.url), PORT: '0' }
      const refused = await runTama(['serve', 'web'], environment)
      expect(refused.code).toBe(1)
      for (const tag of ['fr', 'wo'])
        expect(refused.output).toMatch(
          new RegExp(
            `  - programme fansoto: the texts in ${tag} are a draft .* name ${tag} under draftLanguages too`,
          ),
        )
      expect(refused.output).not.toContain('texts in en')
      await database.db.pool.query(`update programmes set draft_languages = '{en,fr,wo}'`)
      const tama = startTama(['serve', 'web'], environment)
      await tama.printed(/Tama web at/)
      tama.child.kill('SIGTERM')
      expect(await tama.ended).toBe(0)
    } finally {
      await database.drop()
    }
  }, 90_000)

  it('makes up no demo data', async () => {
    const { code, output } = await runTama(['seed'], { NODE_ENV: 'production' })
    expect(code).toBe(1)
    expect(output).toContain('DATABASE_URL')
  })
})

describe('a database that is away', () => {
  it('is waited for 30 s, then named, and the exit is not 0', async () => {
    const startedMs = performance.now()
    const { code, output } = await runTama(['serve', 'planner'], {
      DATABASE_URL: `postgresql://tama:tama@127.0.0.1:${await freePort()}/tama`,
      TAMA_DATA: join(tmpdir(), 'tama-unused'),
      PORT: '0',
    })
    expect(code).toBe(1)
    expect(output).toContain('The database did not answer within 30 s (ECONNREFUSED)')
    expect(performance.now() - startedMs).toBeGreaterThan(29_000)
  }, 60_000)
})

describe('the command line', () => {
  it.each([
    [['sereve'], 'There is no command "sereve"'],
    [[], 'Name a command'],
    [['serve', 'webb'], 'There is no role "webb"'],
    [['serve', '--prot', '1'], 'Unknown option `--prot`'],
    [['import', 'cows', 'file.csv'], 'There is no import of "cows"'],
    [['import', 'members', 'file.csv'], 'Name the programme'],
    [['import'], 'missing required args'],
    [['menus', 'draw'], '"menus draw" is unknown'],
    [['holidays', 'XX', '2027'], 'There is no table for "XX"'],
    [['holidays', 'SN', 'soon'], 'The year takes a whole number'],
    [['serve', '--programme', 'mars'], 'There is no demo programme "mars". There are: casamance, haiti'],
    [['seed', '--programme', 'mars'], 'There is no demo programme "mars"'],
    [['serve', 'web', '--programme', 'haiti'], 'a role alone has no demo'],
    [['seed', '--members', 'many'], '--members takes a whole number'],
  ])('%j gets a sentence and exit 2', async (words, sentence) => {
    const { code, output } = await runTama(words)
    expect(output).toContain(sentence)
    expect(output).not.toContain('    at ')
    expect(code).toBe(2)
  })

  it.each([
    [['--help']],
    [['serve', '--help']],
    [['import', '--help']],
    [['seed', '--help']],
    [['menus', '--help']],
    [['migrate', '--help']],
  ])('%j explains itself', async (words) => {
    const { code, output } = await runTama(words)
    expect(code).toBe(0)
    expect(output).toContain('Usage')
  })

  it('--version names the release', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    expect(await runTama(['--version'])).toMatchObject({ code: 0, output: expect.stringContaining(version) })
  })

  it('menus check finds no fault, menus diagram draws', async () => {
    expect(await runTama(['menus', 'check'])).toMatchObject({
      code: 0,
      output: expect.stringContaining('no fault'),
    })
    const { code, output } = await runTama(['menus', 'diagram'])
    expect(code).toBe(0)
    expect(output).toMatch(/^(stateDiagram|flowchart)/)
  })
})
