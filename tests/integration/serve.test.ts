// `tama serve` and the command line, as a newcomer and a supervisor meet them: real processes, real signals.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort } from '../support/redis.ts'
import { runTama, startTama } from '../support/tama.ts'

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
    for (const name of [
      'PORT',
      'DATABASE_URL',
      'CALLBACK_SECRET',
      'PIN_PEPPER',
      'ADMIN_KEY',
      'AT_API_KEY',
      'AT_BASE_URL',
    ])
      expect(output).toMatch(new RegExp(`^  - ${name}\\b`, 'm'))
    expect(output).not.toContain('short')
  })

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
