// What is printed for reviewers and members is what the phone says, whole and in its own direction.
import { describe, expect, test } from 'vitest'
import { anyProgramme } from '../../../src/commands/menus-programme.ts'
import { spell } from '../../../src/encoding.ts'
import { loadI18n } from '../../../src/i18n.ts'
import { html } from '../../../src/markup.ts'
import { prove } from '../../../src/proof.ts'
import { cardPage } from '../../../src/review/card.ts'
import { exampleFace } from '../../../src/review/samples.ts'
import { screensPage } from '../../../src/review/screens-page.ts'
import { loadMenus } from '../../../src/ussd/menu.ts'

const i18n = loadI18n('locales')
const menus = loadMenus('menus')
const menu = menus.get('member')
if (menu === undefined) throw new Error('there is no menu of members')

const escaped = (text: string) => html`${text}`.markup

function screensIn(tag: string, reviewState: 'draft' | 'reviewed' = 'draft'): string {
  const programme = anyProgramme(tag, 'XOF')
  const measured = prove(menus, i18n, [programme])
  const review = { reviewState, reviewNote: 'a <note>', reviewer: 'Awa', reviewedDate: '2026-11-26' }
  return screensPage({ i18n, menus, tag, programme, face: exampleFace, review, measured })
}

/** Pages as one reads them, without the lines that they are set in. */
const wordsOf = (page: string) => page.replace(/<[^>]*>/g, '\n').replace(/\n+/g, '\n')

describe('the page of screens', () => {
  test.each(['wo', 'fr', 'ar', 'nqo', 'wo-x-script'].filter((tag) => i18n.languages.has(tag)))(
    '%s: shows every text with its key, and asks for nothing outside',
    (tag) => {
      const page = screensIn(tag)
      const words = wordsOf(page)
      for (const namespace of ['ussd', 'sms'] as const)
        for (const key of i18n.keys(tag, namespace)) {
          expect(page.includes(`>${key}</td>`) || page.includes(`<h3>${key} <`), key).toBe(true)
          if (namespace === 'ussd' || key.startsWith('part.'))
            for (const line of i18n.text(tag, namespace, key).split('\n'))
              expect(words, key).toContain(escaped(line))
        }
      expect(page).not.toMatch(/<script|<link|<img|\bsrc=|href=|@import|url\(/)
      for (const state of Object.keys(menu.states)) expect(page).toContain(`id="member.${state}"`)
    },
  )

  test('sets a language that runs from right to left so, line by line', () => {
    const page = screensIn('ar')
    expect(page).toContain('<div class="screen" lang="ar" dir="rtl">')
    expect(page).toMatch(/\.line \{ unicode-bidi: plaintext/)
    expect(page).not.toContain('dir="ltr"')
    expect(page).toContain('70 characters')
  })

  test('shows each SMS in the official spelling beside the one that is sent, with its segments', () => {
    const [, sms = ''] =
      /<article class="sms" id="sms.receipt.loan_repayment.full">([\s\S]*?)<\/article>/.exec(
        screensIn('wo'),
      ) ?? []
    expect(sms).toContain('Jërëjëf')
    expect(sms).toContain('Jerejef')
    expect(sms).toContain('ë → e')
    expect(sms).toMatch(/everyday: \d+ septets, 1 segment; longest: \d+ of 160, 1 segment/)
  })

  test('shows screens with usual and with the longest data, and what they take of the room', () => {
    const [, loan = ''] = /<article id="member.loan">([\s\S]*?)<\/article>/.exec(screensIn('wo')) ?? []
    expect(loan).toMatch(/27 383 F[\s\S]*everyday: \d+ of 160 septets/)
    expect(loan).toMatch(/99 999 999 F[\s\S]*longest: \d+ of 160 septets/)
    expect(loan).toContain('behind the PIN')
  })

  test('says at the top what its review has come to', () => {
    expect(screensIn('fr')).toMatch(/<p class="review draft"><strong>Draft[^<]*\(Awa, 2026-11-26\)/)
    expect(screensIn('fr')).toContain('a &lt;note&gt;')
    expect(screensIn('fr', 'reviewed')).toContain('Reviewed by a native speaker (Awa, 2026-11-26)')
  })
})

describe('the pocket card', () => {
  const card = (tag: string, face: typeof exampleFace | undefined = exampleFace) =>
    cardPage({ i18n, menu, tag, face })
  const cut = (page: string) => /<section[\s\S]*?<\/section>/.exec(page)?.[0] ?? ''

  test.each([...i18n.languages.keys()])('%s: says only what the texts say, and numbers', (tag) => {
    const one = cut(card(tag))
    const { gsm7, direction } = i18n.language(tag)
    const known = new Set(
      [...i18n.keys(tag, 'ussd')].flatMap((key) => [
        spell(i18n.text(tag, 'ussd', key), gsm7),
        ...spell(i18n.text(tag, 'ussd', key), gsm7)
          .split(/\{\{\w+\}\}/)
          .map((part) => part.replace(/\n$/, '')),
      ]),
    )
    const said = one
      .split(/<[^>]*>/)
      .map((part) => part.replace(/^\n|\n$/g, ''))
      .filter((part) => /\p{L}/u.test(part))
      .map((part) => part.replaceAll('&quot;', '"').replaceAll('&amp;', '&'))
    expect(said.filter((part) => !known.has(part) && part !== exampleFace.name)).toEqual([])
    expect(one).toContain(`dir="${direction}"`)
    expect(one).toContain('<bdi dir="ltr">*384*1#</bdi>')
    expect(one).toContain('<bdi dir="ltr">+221339911234</bdi>')
    for (const key of [
      '0',
      '00',
      '98',
      ...(menu.states.home?.options ?? []).flatMap(({ key, roles }) => (roles === undefined ? key : [])),
    ])
      expect(one).toContain(`dir="ltr">${key}</b>`)
  })

  test('names the facilitator where the programme has no phone, and leaves room where no programme is named', () => {
    expect(card('wo', { ...exampleFace, officePhone: null })).toContain('Laaj? Animatrice bi.')
    expect(cardPage({ i18n, menu, tag: 'wo', face: undefined })).toContain('*__________#')
    expect(card('wo', { ...exampleFace, name: '<b>' })).toContain('&lt;b&gt;')
  })

  test('four stand on a sheet', () => {
    expect(card('fr').match(/<section /g)).toHaveLength(4)
  })
})
