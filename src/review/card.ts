// In: menu, texts and a programme. Out: a pocket card in one language, four on a sheet of A4: what to dial, the keys, whom to ask.
// Must never say a word that no reviewed text has: beside the texts there are only numbers.
import { spell } from '../encoding.ts'
import type { I18n, LanguageInfo } from '../i18n.ts'
import type { ProgrammeFace } from '../imports/programme.ts'
import { html, type Markup } from '../markup.ts'
import type { Menu } from '../ussd/menu.ts'
import { createRenderer } from '../ussd/render.ts'
import { newDialogue } from '../ussd/session.ts'
import { page } from './page.ts'

export interface CardAsk {
  i18n: I18n
  /** The programme's own. */
  menu: Menu
  tag: string
  /** Undefined: what to dial and whom to call is left to be written by hand. */
  face: ProgrammeFace | undefined
}

const cardsOnSheet = 4
const byHand = '__________'

export function cardPage(ask: CardAsk): string {
  const info = ask.i18n.language(ask.tag)
  const one = cardOf(ask, info)
  const title = ask.face === undefined ? info.endonym : `${ask.face.name}: ${info.endonym}`
  return page(title, info.base, style, html`${Array.from({ length: cardsOnSheet }, () => one)}`)
}

function cardOf({ i18n, menu, tag, face }: CardAsk, info: LanguageInfo): Markup {
  const word = (key: string) => spell(i18n.text(tag, 'ussd', key), info.gsm7)
  const dial = face === undefined ? `*${byHand}#` : `${face.serviceCode}#`
  const keys = [
    ['0', word('common.back')],
    ['00', word('common.home')],
    ['98', word('common.more')],
  ].map(([key = '', text = '']) => keyLine(key, text))
  return html`<section class="card" lang="${info.base}" dir="${info.direction}">
${face === undefined ? html`` : html`<h1><bdi>${face.name}</bdi></h1>`}
<p class="dial"><bdi dir="ltr">${dial}</bdi></p>
<ul class="home">${homeLines(i18n, menu, tag)}</ul>
<ul class="keys">${keys}</ul>
${askLine(i18n, menu, tag, info, face)}
</section>`
}

const keyLine = (key: string, text: string) =>
  html`<li><b class="key" dir="ltr">${key}</b> <span>${text}</span></li>`

/** The first screen, as it stands there. */
function homeLines(i18n: I18n, menu: Menu, tag: string): Markup[] {
  const state = menu.states[menu.home]
  if (state === undefined) return []
  const dialogue = { ...newDialogue, state: menu.home, language: tag, role: 'member', hasPin: true }
  const { labels } = createRenderer(i18n).render({
    menu,
    state,
    dialogue,
    view: { lines: [] },
    language: tag,
    septetsMax: Number.POSITIVE_INFINITY,
  })
  return labels.map((label) => {
    const at = label.indexOf(' ')
    return keyLine(label.slice(0, at), label.slice(at + 1))
  })
}

/** The line of the help screen: the office's phone, or the facilitator where there is none. */
function askLine(
  i18n: I18n,
  menu: Menu,
  tag: string,
  info: LanguageInfo,
  face: ProgrammeFace | undefined,
): Markup {
  const help = Object.entries(menu.states).find(([, { needs }]) => needs.includes('office'))?.[0]
  if (help === undefined) return html``
  const phone = face === undefined ? byHand : face.officePhone
  if (phone === null)
    return html`<p class="ask">${spell(i18n.text(tag, 'ussd', `${menu.menu}.${help}.facilitator`), info.gsm7)}</p>`
  // A number keeps its order in a line that runs from right to left.
  const [before = '', after = ''] = spell(
    i18n.text(tag, 'ussd', `${menu.menu}.${help}.phone`),
    info.gsm7,
  ).split(/\{\{\s*phone\s*\}\}/)
  return html`<p class="ask">${before}<bdi dir="ltr">${phone}</bdi>${after}</p>`
}

const style = `
:root { color-scheme: light }
* { box-sizing: border-box }
html, body { margin: 0; background: #fff; color: #111 }
.card { width: 105mm; height: 148mm; padding: 8mm; border: .3mm dashed #999; font: 13pt/1.3 system-ui, "Noto Sans", "Noto Naskh Arabic", "Noto Sans NKo", sans-serif; display: flex; flex-direction: column; gap: 3mm; overflow: hidden; break-inside: avoid; page-break-inside: avoid }
body { display: grid; grid-template-columns: 105mm 105mm; width: 210mm }
h1 { font-size: 14pt; margin: 0; text-align: center }
.dial { font: 700 26pt/1.1 "DejaVu Sans Mono", monospace; text-align: center; margin: 0; padding: 3mm 0; border: .6mm solid #111; border-radius: 2mm }
ul { list-style: none; margin: 0; padding: 0 } li { display: flex; gap: 3mm; align-items: baseline; padding: .7mm 0; overflow-wrap: anywhere }
.key { flex: none; min-width: 10mm; text-align: center; border: .4mm solid #111; border-radius: 1.5mm; padding: 0 1mm; font-family: "DejaVu Sans Mono", monospace }
.keys { border-top: .3mm solid #111; padding-top: 2mm } .ask { margin: auto 0 0; border-top: .3mm solid #111; padding-top: 2mm; font-weight: 700 }
@page { size: A4; margin: 0 }
@media screen { .card + .card { display: none } body { display: block; width: auto } .card { width: min(100vw, 105mm); height: auto; min-height: 148mm; margin: 0 auto } }
`
