// In: a page's title and body. Out: the whole page: landmarks, a way past the menu, the menu of the role, the language, the way out.
import type { I18n } from '../i18n.ts'
import { html, type Markup } from '../markup.ts'
import { assetPath } from './assets.ts'
import { nothing } from './elements.ts'
import type { MenuEntry, SignedIn } from './page.ts'
import { consoleLanguages, type Say } from './words.ts'

export interface Frame {
  i18n: I18n
  tag: string
  say: Say
  title: string
  body: Markup
  /** Name of the programme; undefined before the sign-in. */
  programme: string | undefined
  staff: SignedIn | undefined
  menu: readonly MenuEntry[]
  /** Below /console, to mark where one is and to come back after the language is changed. */
  address: string
  csrf: string
  /** What was just done. */
  done: string | undefined
}

export function pageOf(frame: Frame): string {
  const { i18n, tag, say, title, body, programme, done } = frame
  const { direction } = i18n.language(tag)
  return html`<!doctype html>
<html lang="${tag}" dir="${direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="htmx-config" content='{"includeIndicatorCSS":false,"history":false}'>
<title>${title} - ${programme ?? 'Tama'}</title>
<link rel="stylesheet" href="${assetPath('style')}">
<link rel="icon" href="data:,">
<script src="${assetPath('htmx')}" defer></script>
</head>
<body>
<a class="skip" href="#main">${say('frame.skip')}</a>
<header class="top"><a class="brand" href="/console/">Tama</a>${
    programme === undefined ? nothing : html` <span class="programme">${programme}</span>`
  }</header>
${menuOf(frame)}
<main id="main" tabindex="-1">
<h1>${title}</h1>
${done === undefined ? nothing : html`<p class="done" role="status">${done}</p>`}
${body}
</main>
<footer>${whoOf(frame)}${languagesOf(frame)}</footer>
</body>
</html>
`.markup
}

function menuOf({ menu, say, address }: Frame): Markup {
  if (menu.length === 0) return nothing
  const here = `/${address.split(/[/?]/)[1] ?? ''}`
  return html`<nav aria-label="${say('frame.menu')}"><details><summary>${say('frame.menu')}</summary><ul>${menu.map(
    ({ path, key }) =>
      html`<li><a href="/console${path}"${path === here ? html` aria-current="page"` : nothing}>${say(key)}</a></li>`,
  )}</ul></details></nav>`
}

function whoOf({ staff, say, csrf }: Frame): Markup {
  if (staff === undefined) return nothing
  return html`<form method="post" action="/console/sign-out" class="who"><input type="hidden" name="csrf" value="${csrf}"><span>${staff.firstName} ${staff.lastName}, ${say(`role.${staff.role}`)}</span> <button type="submit" class="quiet">${say('frame.sign_out')}</button></form>`
}

function languagesOf({ i18n, tag, say, address, csrf }: Frame): Markup {
  const tags = consoleLanguages(i18n)
  if (tags.length < 2) return nothing
  return html`<form method="post" action="/console/language" class="languages"><input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="back" value="${address}"><span>${say('frame.language')}</span> ${tags.map(
    (one) =>
      html`<button type="submit" class="quiet" name="tag" value="${one}" lang="${one}"${
        one === tag ? html` aria-pressed="true"` : nothing
      }>${i18n.language(one).endonym}</button> `,
  )}</form>`
}
