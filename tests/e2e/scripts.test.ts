// A visitor in Belgium: `tama serve --programme belgium`, and phones that are read from right to left.
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoPin } from '../../src/simulator/demo-members.ts'
import { hasChromium, openBrowser } from '../support/browser.ts'
import { freePort } from '../support/redis.ts'
import { startTama, type Tama } from '../support/tama.ts'

const pictures = join(import.meta.dirname, 'screenshots')

/** The direction of a line, and where its first and last sign stand; runs in the page. */
function placesIn(line: Element) {
  const text = line.firstChild
  const at = (index: number) => {
    const range = document.createRange()
    if (text !== null) {
      range.setStart(text, index)
      range.setEnd(text, index + 1)
    }
    return range.getBoundingClientRect().x
  }
  const length = line.textContent?.length ?? 0
  return { direction: getComputedStyle(line).direction, first: at(0), last: at(length - 1) }
}

describe.skipIf(!hasChromium)('right-to-left scripts on the phone', () => {
  let folder: string
  let tama: Tama
  let browser: Browser
  let page: Page
  let address = ''

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true })
    folder = mkdtempSync(join(tmpdir(), 'tama-scripts-'))
    const environment = { TAMA_DATA: folder, PORT: String(await freePort()), LOG_LEVEL: 'silent' }
    tama = startTama(['serve', '--programme', 'belgium'], environment)
    const [, phone = ''] = await tama.printed(/Phone +(\S+)/, 120_000)
    await tama.printed(/Try +\+32\d+ with PIN \d+: dial \*384\*3#/)
    await tama.printed(/Metrics/)
    address = phone
    browser = await openBrowser()
    page = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale: 'en-GB' })
    page.setDefaultTimeout(20_000)
    await page.goto(address)
    await page.locator('#holder').getByText('Rania Haddad').waitFor()
  }, 180_000)
  afterAll(async () => {
    await browser?.close()
    tama?.child.kill('SIGTERM')
    await tama?.ended
    rmSync(folder, { recursive: true, force: true })
  })

  const lines = () => page.locator('#ussd-text .text-line')
  const places = (line: Locator) => line.evaluate(placesIn)

  async function hold(name: string, width = 1280): Promise<void> {
    await page.setViewportSize({ width, height: 900 })
    const more = page.locator('details.more')
    if ((await more.getAttribute('open')) === null) await more.locator('summary').click()
    await page.locator('label.card').filter({ hasText: name }).click()
    await page.locator('#holder').getByText(name).waitFor()
  }

  async function dial(next: RegExp): Promise<void> {
    await page.getByRole('button', { name: 'Call' }).click()
    await lines().getByText(next).first().waitFor()
  }

  async function answer(text: string, next: RegExp): Promise<void> {
    await page.locator('#reply').fill(text)
    await page.keyboard.press('Enter')
    await lines().getByText(next).first().waitFor()
  }

  it('an Arabic menu runs from right to left, its keys first, and counts in characters of UCS-2', async () => {
    await dial(/1 حسابي/)
    const texts = await lines().allTextContents()
    expect(texts.map((text) => text.slice(0, 1))).toEqual(['أ', '1', '2', '3', '4', '5', '6', '7'])
    for (const line of await lines().all()) {
      const { direction, first, last } = await places(line)
      expect(direction).toBe('rtl')
      expect(first).toBeGreaterThan(last)
    }
    expect(await page.locator('#count').textContent()).toBe(`${texts.join('\n').length}/70 UCS-2`)
    await page.screenshot({ path: join(pictures, 'arabic-home.png'), fullPage: true })
  })

  it('an amount in her account keeps its digits in order, and a line in Latin letters runs from the left', async () => {
    await answer('1', /الرمز السري:/)
    await answer(demoPin, /EUR/)
    const amount = lines().filter({ hasText: 'EUR' })
    expect(await amount.textContent()).toMatch(/\d+\.\d\d EUR/)
    await page.screenshot({ path: join(pictures, 'arabic-account.png'), fullPage: true })
    await hold('Grace Okafor')
    await dial(/1 My account/)
    expect((await places(lines().first())).direction).toBe('ltr')
    expect(await page.locator('#count').textContent()).toMatch(/^\d+ septets, of 160$/)
  })

  it.each([
    ['Zarmina Stanekzai', /1 حساب/, 'pashto'],
    ['Farid Rahimi', /1 حساب/, 'dari'],
    ['Sadia Malik', /1 کھاتہ/, 'urdu'],
  ])('%s reads her own script from the right', async (name, first, language) => {
    await hold(name)
    await dial(first)
    for (const line of await lines().all()) expect((await places(line)).direction).toBe('rtl')
    await page.locator('#handset').screenshot({ path: join(pictures, `${language}-home.png`) })
  })

  it('who dials for the first time finds every language by its own name on one screen', async () => {
    await hold('Chantal Ilunga')
    await dial(/4 العربية/)
    const texts = await lines().allTextContents()
    expect(texts.join('\n')).toMatch(
      /Francais[\s\S]*Nederlands[\s\S]*English[\s\S]*العربية[\s\S]*پښتو[\s\S]*دری[\s\S]*اردو/,
    )
    expect(texts.join('\n').length).toBeLessThanOrEqual(70)
    await page.locator('#handset').screenshot({ path: join(pictures, 'languages.png') })
  })

  it('a receipt by SMS and a draft run from the right too', async () => {
    await page.reload()
    await page.locator('#holder').getByText('Rania Haddad').waitFor()
    await page.getByRole('button', { name: 'Post a repayment' }).click()
    const receipt = page.locator('details.trail[data-status=delivered]').filter({ hasText: 'Receipt' })
    await receipt.first().waitFor()
    await page.locator('#soft-left').click()
    await page.locator('#inbox .row').first().click()
    const line = page
      .locator('#message .text-line')
      .filter({ hasText: /\p{Script=Arabic}/u })
      .last()
    expect((await places(line)).direction).toBe('rtl')
    await page.locator('#message').getByText('UCS-2').waitFor()
    await page.locator('#handset').screenshot({ path: join(pictures, 'arabic-sms.png') })
    await page.getByRole('button', { name: 'Reply' }).click()
    await page.locator('#writing').fill('مساعدة')
    const draft = page.locator('#writing')
    expect(await draft.evaluate((field) => getComputedStyle(field).direction)).toBe('rtl')
  })

  it('the dialogue is saved as a file without a PIN', async () => {
    await page.getByRole('button', { name: 'Hang up' }).click()
    await hold('Hassan Amrani')
    expect(await page.locator('#save').isVisible()).toBe(false)
    await dial(/1 Mijn rekening/)
    await answer('1', /pincode/)
    await answer('7391', /pincode/)
    await answer(demoPin, /EUR/)
    const download = page.waitForEvent('download')
    await page.getByRole('link', { name: 'Save this dialogue as a test' }).click()
    const saved = readFileSync(await (await download).path(), 'utf8')
    expect(saved).toContain('type: "{pin}"')
    expect(saved).toContain('type: "{wrong pin}"')
    expect(saved).not.toMatch(/7391|4816/)
  })

  it('on a narrow screen nothing runs over the side', async () => {
    await hold('Rania Haddad', 360)
    await dial(/1/)
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0)
    await page.screenshot({ path: join(pictures, 'arabic-360.png'), fullPage: true })
  })
})
