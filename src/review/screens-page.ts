// In: the screens and SMS of a language, laid out with everyday and with the longest data. Out: one page for its native reviewer, to read or to print.
import { estimateSms, firstOutsideGsm7, spell } from '../encoding.ts'
import type { I18n, LanguageInfo } from '../i18n.ts'
import type { ProgrammeFace } from '../imports/programme.ts'
import type { LanguageFile } from '../locale-files.ts'
import { html, type Markup, raw } from '../markup.ts'
import type { SmsLimits } from '../sms/check-fit.ts'
import type { ProgrammeLimits } from '../ussd/check.ts'
import type { Menu } from '../ussd/menu.ts'
import { padlockSvg } from './diagram.ts'
import { lines, page } from './page.ts'
import { type Measured, smsLimit } from './rows.ts'
import { plainSamples, plainSmsValues } from './samples.ts'
import { type PhonePage, plainScreens, plainSingles, type StateScreens } from './screens.ts'

export interface ScreensAsk {
  i18n: I18n
  menus: ReadonlyMap<string, Menu>
  tag: string
  programme: ProgrammeLimits & SmsLimits
  face: ProgrammeFace
  review: Pick<LanguageFile, 'reviewState' | 'reviewNote' | 'reviewer' | 'reviewedDate'>
  /** With the longest data. */
  measured: Measured
}

export function screensPage(ask: ScreensAsk): string {
  const { i18n, menus, tag, programme, face } = ask
  const info = i18n.language(tag)
  const samples = plainSamples(i18n, tag, programme.currencyCode, face)
  const plain = { i18n, menus, programme, tag, samples }
  const states = plainScreens(plain)
  const title = `${info.englishName} (${tag}): every screen and SMS`
  const singles = plainSingles(plain)
  return page(
    title,
    'en',
    style,
    html`<header>
<h1>${title}</h1>
<p class="own" lang="${info.base}" dir="${info.direction}">${info.endonym}</p>
${reviewOf(ask)}
<p>${
      info.gsm7 === null
        ? 'This language is written with its own letters: a screen has 70 characters.'
        : `Phones get the GSM-7 spelling: a screen has ${programme.screenSeptetsMax} septets, the first one ${programme.screenSeptetsFirst}. One letter outside it would leave 70 characters.`
    } "Everyday" shows usual data, "longest" the longest data that can come. Under each screen stand its texts as they are written, with the key that names each.</p>
</header>
<main>
<h2>Screens</h2>
${states.map((state) => stateOf(ask, info, state))}
<h2>Words below screens, lines above screens, and last screens</h2>
<table><thead><tr><th>Key</th><th>On the phone</th><th>As written</th></tr></thead><tbody>
${singles.map(
  ({ key, text }) =>
    html`<tr><td class="key">${key}</td><td>${inLanguage(info, text)}</td><td>${inLanguage(info, i18n.text(tag, 'ussd', key))}${costOf(info, i18n.text(tag, 'ussd', key))}</td></tr>`,
)}
</tbody></table>
<h2>SMS</h2>
${smsOf(ask, info)}
<h2>Parts that stand inside SMS</h2>
<table><thead><tr><th>Key</th><th>As written</th></tr></thead><tbody>
${[...i18n.keys(tag, 'sms')]
  .filter((key) => key.startsWith('part.'))
  .map(
    (key) =>
      html`<tr><td class="key">${key}</td><td>${inLanguage(info, i18n.text(tag, 'sms', key))}${costOf(info, i18n.text(tag, 'sms', key))}</td></tr>`,
  )}
</tbody></table>
</main>`,
  )
}

function reviewOf({ review }: ScreensAsk): Markup {
  const { reviewState, reviewNote, reviewer, reviewedDate } = review
  const by = [reviewer ?? '', reviewedDate ?? ''].filter((part) => part !== '').join(', ')
  const said =
    reviewState === 'reviewed'
      ? 'Reviewed by a native speaker'
      : 'Draft: no native speaker has confirmed every text'
  return html`<p class="review ${reviewState}"><strong>${said}${by === '' ? '' : ` (${by})`}.</strong>${reviewNote === undefined ? '' : ` ${reviewNote}`}</p>`
}

function stateOf(ask: ScreensAsk, info: LanguageInfo, shown: StateScreens): Markup {
  const { i18n, tag, measured } = ask
  const { menu, state, kind, pin, gate, keys, views } = shown
  const seen = new Set<string>()
  const longest = measured.screens.filter(
    (screen) => screen.tag === tag && screen.menu === menu && screen.state === state,
  )
  const signs = [kind, ...(pin ? ['behind the PIN'] : []), ...(gate === undefined ? [] : ['gate'])]
  const isNew = ({ text }: PhonePage) => !seen.has(text) && seen.add(text) !== undefined
  return html`<article id="${menu}.${state}">
<h3>${menu}.${state}${pin ? html` ${raw(padlockSvg)}` : ''} <small>${signs.join(', ')}</small></h3>
<div class="phones">
${views.flatMap((pages) => pages.filter(isNew).map((one, at) => phoneOf(info, one, pageName('everyday', at))))}
${longest.filter(isNew).map((one) => phoneOf(info, one, pageName('longest', one.page)))}
</div>
<table class="texts"><tbody>
${keys.map(
  (key) =>
    html`<tr><td class="key">${key}</td><td>${inLanguage(info, i18n.text(tag, 'ussd', key))}${costOf(info, i18n.text(tag, 'ussd', key))}</td></tr>`,
)}
</tbody></table>
</article>`
}

const pageName = (data: string, at: number) => (at === 0 ? data : `${data}, page ${at + 1}`)

function phoneOf(info: LanguageInfo, { text, encoding, units, limit }: PhonePage, name: string): Markup {
  const unit = encoding === 'gsm7' ? 'septets' : 'characters'
  return html`<figure class="phone${name.startsWith('longest') ? ' longest' : ''}"><div class="screen" lang="${info.base}" dir="${info.direction}">${lines(text)}</div><figcaption>${name}: ${units} of ${limit} ${unit}</figcaption></figure>`
}

function inLanguage(info: LanguageInfo, text: string): Markup {
  return html`<div class="text" lang="${info.base}" dir="${info.direction}">${lines(text)}</div>`
}

/** Letters that the phone's alphabet lacks, with what stands for each; of a script of its own that goes without saying. */
function costOf(info: LanguageInfo, text: string): Markup {
  const letters = [
    ...new Set([...text.normalize('NFC')].filter((one) => firstOutsideGsm7(one) !== undefined)),
  ]
  const latin = letters.filter((letter) => info.gsm7 !== null || /\p{Script=Latin}/u.test(letter))
  if (latin.length === 0) return html``
  const said = latin.map((letter) => {
    const spelled = spell(letter, info.gsm7)
    return spelled === letter ? letter : `${letter} \u2192 ${spelled === '' ? 'left out' : spelled}`
  })
  return html`<div class="cost">letters that cost: ${said.join(', ')}</div>`
}

function smsOf({ i18n, tag, programme, face, measured }: ScreensAsk, info: LanguageInfo): Markup[] {
  const valuesOf = plainSmsValues(i18n, tag, programme, face)
  const worst = new Map(measured.texts.filter((text) => text.tag === tag).map((text) => [text.key, text]))
  return [...i18n.keys(tag, 'sms')]
    .filter((key) => !key.startsWith('part.'))
    .map((key) => {
      const official = i18n.text(tag, 'sms', key, valuesOf(key))
      const spelled = spell(official, info.gsm7)
      const plain = estimateSms(spelled)
      const long = worst.get(key)
      const isFull = /\.full(_\w+)?$/.test(key)
      const unit = plain.encoding === 'gsm7' ? 'septets' : 'characters'
      return html`<article class="sms" id="sms.${key}">
<h3>${key} <small>${key.endsWith('.discreet') ? 'discreet' : isFull ? 'full: only for her who chose it' : 'answer'}</small></h3>
<div class="pair">
<figure><figcaption>${info.gsm7 === null ? 'as sent' : 'official spelling'}</figcaption>${inLanguage(info, official)}</figure>
${info.gsm7 === null ? html`` : html`<figure><figcaption>as sent (GSM-7)</figcaption>${inLanguage(info, spelled)}</figure>`}
${long === undefined ? html`` : html`<figure class="longest"><figcaption>longest data</figcaption>${inLanguage(info, long.text)}</figure>`}
</div>
<p class="size">everyday: ${plain.units} ${unit}, ${segments(plain.segments)}${long === undefined ? '' : `; longest: ${long.units} of ${smsLimit(long)}, ${segments(long.segments)}`}</p>
${costOf(info, i18n.text(tag, 'sms', key))}
</article>`
    })
}

const segments = (count: number) => `${count} segment${count === 1 ? '' : 's'}`

const style = `
:root { color-scheme: light }
* { box-sizing: border-box }
body { margin: 0 auto; padding: 12px; max-width: 1180px; font: 15px/1.45 system-ui, "Noto Sans", sans-serif; color: #1d2529; background: #fff }
h1 { font-size: 1.5rem; margin: .2em 0 } h2 { font-size: 1.2rem; margin: 1.6em 0 .5em; border-bottom: 2px solid #1d2529 }
h3 { font-size: 1rem; margin: 0 0 .5em; overflow-wrap: anywhere } h3 small { font-weight: 400; color: #4c5a62 }
h3 svg { height: .95em; width: auto; vertical-align: -.1em }
.own { font-size: 1.3rem; margin: 0 }
.review { padding: .6em .8em; border-left: 6px solid #b8860b; background: #fdf6de } .review.reviewed { border-color: #2b7a4b; background: #e8f5ec }
article { border: 1px solid #c9d1d5; border-radius: 6px; padding: 10px 12px; margin: 0 0 12px; break-inside: avoid; page-break-inside: avoid }
.phones { display: flex; flex-wrap: wrap; gap: 12px; align-items: flex-start }
figure { margin: 0; min-width: 0 }
.phone { width: 232px; max-width: 100% } .phone .screen { border: 2px solid #33404a; border-radius: 4px; padding: 8px; background: #e9f0d8; font: 15px/1.35 "DejaVu Sans Mono", "Noto Sans Mono", monospace; min-height: 3em; overflow-wrap: anywhere }
.phone.longest .screen { background: #f4efe2; border-style: dashed }
.line { unicode-bidi: plaintext; text-align: start; white-space: pre-wrap; overflow-wrap: anywhere }
figcaption, .size, .cost { font-size: .82rem; color: #4c5a62 } .cost { color: #7a3b00 }
table { width: 100%; border-collapse: collapse; margin-top: 8px; table-layout: fixed } td, th { text-align: left; vertical-align: top; padding: 4px 8px 4px 0; border-top: 1px solid #e1e6e8; overflow-wrap: anywhere }
tr { break-inside: avoid; page-break-inside: avoid }
.key { font: .82rem/1.5 "DejaVu Sans Mono", monospace; color: #4c5a62 } .texts td.key { width: 38% }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(220px, 1fr)); gap: 10px } .pair .text { border: 1px solid #c9d1d5; border-radius: 4px; padding: 6px 8px; background: #f6f8f9 } .pair .longest .text { border-style: dashed }
.size { margin: .5em 0 0 }
@media (max-width: 480px) { td, th { display: block; padding-right: 0 } thead { display: none } .texts td.key { width: auto } td + td { border-top: 0; padding-top: 0 } .pair { grid-template-columns: 1fr } .phone { width: 100% } .phone .screen { max-width: 260px } }
@media print { body { -webkit-print-color-adjust: exact; print-color-adjust: exact } @page { size: A4; margin: 14mm } body { padding: 0; max-width: none; font-size: 10pt } .phone { width: 56mm } .phone .screen { font-size: 9.5pt } h2 { break-after: avoid } h3 { break-after: avoid } }
`
