// A visitor of the real thing: `tama serve` with no configuration, and the phone in Chromium.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { demoPin } from '../../src/simulator/demo-members.ts'
import { hasChromium, openBrowser } from '../support/browser.ts'
import { freePort } from '../support/redis.ts'
import { startTama, type Tama } from '../support/tama.ts'

const pictures = join(import.meta.dirname, 'screenshots')

describe.skipIf(!hasChromium)('the demo in a browser', () => {
  let folder: string
  let tama: Tama
  let address = ''
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true })
    folder = mkdtempSync(join(tmpdir(), 'tama-demo-'))
    tama = startTama(['serve'], { TAMA_DATA: folder, PORT: String(await freePort()), LOG_LEVEL: 'silent' })
    const [, phone = ''] = await tama.printed(/Phone +(\S+)/, 120_000)
    await tama.printed(/Metrics/)
    address = phone
    browser = await openBrowser()
    page = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale: 'en-GB' })
    page.setDefaultTimeout(20_000)
  }, 180_000)
  beforeEach(async () => {
    await page.goto(address)
    await page.locator('#holder').getByText('Awa Diatta').waitFor()
  })
  afterAll(async () => {
    await browser?.close()
    tama?.child.kill('SIGTERM')
    await tama?.ended
    rmSync(folder, { recursive: true, force: true })
  })

  const picture = (name: string) => page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
  const screen = () => page.locator('#ussd-text')

  /** Types an answer and waits until the screen shows what comes next. */
  async function answer(text: string, next: RegExp): Promise<void> {
    await page.locator('#reply').fill(text)
    await page.keyboard.press('Enter')
    await screen().getByText(next).waitFor()
  }

  it('the bare address leads to the phone', async () => {
    await page.goto(new URL('/', address).href)
    expect(new URL(page.url()).pathname).toBe('/phone/')
    await page.locator('#holder').getByText('Awa Diatta').waitFor()
  })

  it('a member dials, gives her PIN, and reads what she owes', async () => {
    await page.getByRole('button', { name: 'Call' }).click()
    await screen()
      .getByText(/1 Mon compte/)
      .waitFor()
    await picture('demo-first')
    await answer('1', /PIN/)
    await answer(demoPin, /Reste à payer: [\d ]+ F/)
    expect(await page.locator('#count').textContent()).toMatch(/\d+ septets, of 160/)
    await picture('demo-account')
    await answer('1', /Toutes les échéances/)
    await picture('demo-loan')
  })

  it('a repayment in the ledger becomes a delivered receipt on her phone', async () => {
    const receipts = page.locator('details.trail').filter({ hasText: 'Receipt' })
    await page.getByRole('button', { name: 'Post a repayment' }).click()
    await page.getByText(/ F booked on loan \S+ of Awa/).waitFor()
    await receipts.and(page.locator('[data-status=delivered]')).first().waitFor()
    await picture('demo-receipt')
    await page.locator('#soft-left').click()
    await page.locator('#inbox .row').first().click()
    await page
      .locator('#message')
      .getByText(/1 part · GSM-7/)
      .waitFor()
    await page.getByRole('button', { name: 'Hang up' }).click()
  })

  it('the word AIDE by SMS is answered by SMS', async () => {
    await page.locator('#soft-left').click()
    await page.getByRole('button', { name: 'Write' }).click()
    await page.locator('#writing').fill('AIDE')
    await page.locator('#soft-left').click()
    await page.locator('details.trail').filter({ hasText: 'Reply' }).first().waitFor()
    await page.locator('#inbox').getByText('received by Tama').waitFor()
    await picture('demo-sms')
  })

  it('a stranger is told whom to ask and learns nothing about anybody', async () => {
    await page.locator('details.more summary').first().click()
    await page.getByText('+221770000199').first().click()
    await page.getByRole('button', { name: 'Call' }).click()
    // Of the dialogue before, something may still stand there.
    await screen()
      .getByText(/Vérifier/)
      .waitFor()
    await page.locator('#ussd-text[aria-busy=false]').waitFor()
    expect(await screen().textContent()).not.toMatch(/Awa|pret|loan|PIN/i)
    await picture('demo-stranger')
  })
})
