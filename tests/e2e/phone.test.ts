// A visitor holds the phone: Chromium drives the page as a mouse, a keyboard and a narrow screen would.
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoPin } from '../../src/simulator/demo-members.ts'
import { hasChromium, openBrowser } from '../support/browser.ts'
import { createTestDatabase, type TestDatabase } from '../support/database.ts'
import { type StandIn, startStandIn } from '../support/stand-in.ts'

const pictures = join(import.meta.dirname, 'screenshots')

describe.skipIf(!hasChromium)('the phone page', () => {
  let database: TestDatabase
  let demo: StandIn
  let browser: Browser
  const faults: string[] = []

  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true })
    database = await createTestDatabase()
    demo = await startStandIn(database, { ussdIdleMs: 4_000 })
    browser = await openBrowser()
  })
  afterAll(async () => {
    await browser?.close()
    await demo?.close()
    await database?.drop()
  })

  /** A page whose faults, refused resources included, are collected. */
  async function openPage(width: number, height = 800, locale = 'en-GB'): Promise<Page> {
    const context = await browser.newContext({ viewport: { width, height }, locale })
    const page = await context.newPage()
    page.setDefaultTimeout(10_000)
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text())
    })
    page.on('pageerror', (error) => faults.push(error.message))
    page.on('requestfailed', (request) => {
      if (!request.url().includes('/api/')) faults.push(request.url())
    })
    await page.goto(demo.url)
    await page
      .getByText(/Awa Diatta/)
      .first()
      .waitFor()
    return page
  }

  const picture = (page: Page, name: string) =>
    page.screenshot({ path: join(pictures, `${name}.png`), fullPage: true })
  const dialogue = (page: Page) => page.locator('#ussd-text')
  const key = (page: Page, name: string) => page.locator('#pad').getByRole('button', { name, exact: true })
  const waitForText = (page: Page, text: string) => dialogue(page).getByText(text).waitFor()

  it('a member dials, answers with mouse and keyboard, and reads what she owes', async () => {
    const page = await openPage(1280)
    await picture(page, '1280-idle')
    await page.getByRole('button', { name: 'Call' }).click()
    await waitForText(page, 'Bienvenue')
    await key(page, '3').click()
    await picture(page, '1280-ussd')
    // It sends what stands there, and does not press the 3 again.
    await page.keyboard.press('Enter')
    await waitForText(page, 'PIN')
    await page.locator('#reply').fill(demoPin)
    await page.keyboard.press('Enter')
    await waitForText(page, '1. My loan')
    expect(await page.locator('#count').textContent()).toMatch(/^\d+ septets, of 160$/)
    await picture(page, '1280-home')
    await page.keyboard.type('1')
    await page.getByRole('button', { name: 'Call' }).click()
    await waitForText(page, '31 500 F')
    expect(await page.locator('#soft-left').textContent()).toBe('OK')
    expect(await page.locator('#reply').isVisible()).toBe(false)
    expect(demo.tama.formsOf('ussd').map((form) => form.text)).toEqual([
      '',
      '3',
      `3*${demoPin}`,
      `3*${demoPin}*1`,
    ])
    await picture(page, '1280-end')
    await page.locator('#soft-left').click()
    expect(await page.locator('#dial').inputValue()).toBe('*384*1#')
    await page.context().close()
  })

  it('a repayment becomes a receipt with two ticks, and its whole way is told beside the phone', async () => {
    const page = await openPage(1280)
    await page.getByRole('button', { name: 'Post a repayment' }).click()
    await page.getByText('10 500 F booked on loan L1 of Awa').waitFor()
    const card = page.locator('details.trail[data-status=delivered]')
    await card.waitFor()
    const steps = await card.locator('ol b').allTextContents()
    expect(steps).toEqual(['created', 'queued', 'claimed', 'submitting', 'submitted', 'sent', 'delivered'])
    await card.getByText('Success').waitFor()
    expect(await page.locator('#unread').textContent()).toBe('✉ 1')
    await page.locator('#soft-left').click()
    await picture(page, '1280-inbox')
    await page.locator('#inbox').getByRole('button').first().click()
    await page.locator('#message').getByText('1 part · GSM-7 · XOF 15.0000').waitFor()
    expect(await page.locator('#message .ticks').getAttribute('data-status')).toBe('Success')
    await picture(page, '1280-message')
    await page.context().close()
  })

  it('an SMS written on the phone reaches Tama', async () => {
    const page = await openPage(1280)
    await page.locator('#soft-left').click()
    await page.getByRole('button', { name: 'Write' }).click()
    await page.locator('#writing').fill('AIDE')
    await picture(page, '1280-write')
    await page.locator('#soft-left').click()
    await page.getByText('received by Tama').waitFor()
    expect(demo.tama.formsOf('sms')).toMatchObject([{ to: '21384', text: 'AIDE' }])
    await page.context().close()
  })

  it('another phone is another world: nobody owes, nothing in the inbox', async () => {
    const page = await openPage(1280)
    await page.getByText('Fatou, Binta, Khady').first().click()
    await page.getByRole('button', { name: 'Post a repayment' }).click()
    await page.getByText('Nobody on this phone owes anything').waitFor()
    await page.locator('#soft-left').click()
    await page.getByText('No messages').waitFor()
    await page.context().close()
  })

  it('a dialogue that the network ended says so', async () => {
    const page = await openPage(1280)
    await page.getByRole('button', { name: 'Call' }).click()
    await waitForText(page, 'Bienvenue')
    await waitForText(page, 'The network ended the session')
    await page.context().close()
  })

  it('a visitor on a narrow phone reads French and never scrolls sideways', async () => {
    const page = await openPage(360, 740, 'fr-FR')
    await page.getByText('Quel téléphone tenez-vous ?').waitFor()
    const overflow = () => page.evaluate('document.documentElement.scrollWidth - innerWidth')
    expect(await overflow()).toBe(0)
    await picture(page, '360-idle')
    await page.getByRole('button', { name: 'Appeler' }).click()
    await waitForText(page, 'Bienvenue')
    await picture(page, '360-ussd')
    expect(await overflow()).toBe(0)
    await page.getByRole('button', { name: 'English' }).click()
    await page.getByText('Whose phone do you hold?').waitFor()
    await page.context().close()
  })

  it('tablet width shows all without sideways scrolling', async () => {
    const page = await openPage(820, 1000)
    await picture(page, '820-idle')
    expect(await page.evaluate('document.documentElement.scrollWidth - innerWidth')).toBe(0)
    await page.context().close()
  })

  it('no script failed and no resource was refused by the security policy', () => {
    expect(faults).toEqual([])
  })
})
