// Menus and texts are changed under a running process: what passes every check is taken up, what does not leaves the former ones.
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { createMember, createProgramme } from '../support/fixtures.ts'
import { startTama, type Tama } from '../support/tama.ts'

const root = join(import.meta.dirname, '..', '..')
const secret = 'a-callback-secret-for-live-texts-0123456789'
const msisdn = '+221771234567'

let folder: string
let database: TestDatabase
let tama: Tama
let base: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tama-live-'))
  for (const part of ['dist', 'locales', 'menus', 'prisma', 'package.json', 'src/console/console.css'])
    cpSync(join(root, part), join(folder, part), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  database = await createTestDatabase()
  const programme = await createProgramme(database.db)
  await createMember(database.db, programme, { msisdn, language: 'fr' })
  const environment = {
    DATABASE_URL: database.url,
    TAMA_DATA: join(folder, 'data'),
    PORT: '0',
    CALLBACK_SECRET: secret,
  }
  tama = startTama(['serve', 'web'], environment, join(folder, 'dist', 'main.js'))
  base = (await tama.printed(/Tama web at (\S+)/, 90_000))[1] ?? ''
}, 120_000)

afterAll(async () => {
  tama.child.kill('SIGTERM')
  await tama.ended
  await database.drop()
  rmSync(folder, { recursive: true, force: true })
})

function change(file: string, from: string, to: string): void {
  const path = join(folder, file)
  const before = readFileSync(path, 'utf8')
  expect(before).toContain(from)
  writeFileSync(path, before.replaceAll(from, to))
}

async function answer(sessionId: string, text: string): Promise<string> {
  const form = { sessionId, phoneNumber: msisdn, serviceCode: '*384*1#', networkCode: '60801', text }
  const response = await fetch(`${base}/callbacks/africastalking/${secret}/ussd`, {
    method: 'POST',
    body: new URLSearchParams(form),
  })
  expect(response.status).toBe(200)
  return response.text()
}

let dials = 0
const firstScreen = () => {
  dials += 1
  return answer(`live-${dials}`, '')
}
const within = { timeout: 40_000, interval: 250 }

test('a changed text is served without a restart', async () => {
  expect(await firstScreen()).toContain('Bienvenue')
  change('locales/fr/ussd.json', '"text": "Bienvenue"', '"text": "Bonjour"')
  await expect.poll(firstScreen, within).toContain('CON Bonjour')
}, 90_000)

test('a change with faults is refused with file, line and remedy, and the last good menu stays', async () => {
  change('locales/fr/ussd.json', '"text": "Bonjour"', `"text": "${'Bonjour '.repeat(30).trim()}"`)
  await tama.printed(
    /texts\.refused.*locales\/fr\/ussd\.json:\d+: member\.home.*nobody sees its text: with it the first screen is longer than 140/,
    40_000,
  )
  expect(await firstScreen()).toContain('CON Bonjour\n1 ')
  const ready = (await (await fetch(`${base}/readyz`)).json()) as Record<string, unknown>
  expect(JSON.stringify(ready)).toContain('texts.refused')
  change('locales/fr/ussd.json', 'Bonjour '.repeat(30).trim(), 'Bonsoir')
  await expect.poll(firstScreen, within).toContain('CON Bonsoir')
  expect(JSON.stringify(await (await fetch(`${base}/readyz`)).json())).not.toContain('texts.refused')
}, 90_000)

test('a menu that changes under its old version is refused', async () => {
  change('menus/member.yaml', '{ key: "8", name: group,', '{ key: "9", name: group,')
  change('menus/member.yaml', '{ key: "7", name: verify,', '{ key: "8", name: verify,')
  await tama.printed(/texts\.refused.*the menu changed, and its version is still \d+/, 40_000)
  expect(await firstScreen()).toMatch(/\n7 /)
}, 90_000)

test('with a new version it is taken up: a dialogue under way starts again at the root with a line of notice', async () => {
  const before = await answer('under-way', '')
  expect(before).toMatch(/\n7 /)
  const version = /^version: (\d+)$/m.exec(readFileSync(join(folder, 'menus/member.yaml'), 'utf8'))?.[1] ?? ''
  change('menus/member.yaml', `version: ${version}`, `version: ${Number(version) + 1}`)
  await expect.poll(firstScreen, within).toMatch(/\n8 /)
  const restarted = await answer('under-way', '2')
  expect(restarted).toMatch(/^CON Le menu a chang/)
  expect(restarted).toMatch(/\n8 /)
  // The same callback again has the same bytes, whichever menu is served.
  expect(await answer('under-way', '2')).toBe(restarted)
}, 90_000)
