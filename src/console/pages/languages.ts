// Languages and menu: the screens of a language as phones show them, laid out by what answers members.
import { html } from '../../markup.ts'
import { plainSamples } from '../../review/samples.ts'
import { type PhonePage, plainScreens } from '../../review/screens.ts'
import { isMenuOf } from '../../ussd/menu.ts'
import { badge, button, link, nothing, searchForm, select, table } from '../elements.ts'
import type { ConsoleRoute, PageContext } from '../page.ts'
import { everyRole } from '../roles.ts'

export const languageRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/languages', roles: everyRole, handle: languagesPage },
]

async function languagesPage(context: PageContext) {
  const { say, i18n, programme, query, texts } = context
  const offered = programme.languages.filter((tag) => i18n.languages.has(tag))
  const menus = [...texts.menus.values()].filter((one) => isMenuOf(programme, one)).map(({ menu }) => menu)
  const menu = menus.find((one) => one === query.menu) ?? menus.find((one) => one === programme.menu)
  const tag = offered.find((one) => one === query.language) ?? offered[0]
  const chooser = searchForm(
    '/languages',
    html`${select(
      'language',
      say('member.language'),
      offered.map((value) => ({ value, text: i18n.language(value).endonym })),
      tag,
    )}${select(
      'menu',
      say('language.menu'),
      menus.map((value) => ({ value, text: value })),
      menu,
    )}${button(say('language.show'))}`,
  )
  const list = table(
    say('menu.languages'),
    [
      {
        title: say('member.language'),
        cell: (one: string) => link(`/languages?language=${one}`, i18n.language(one).endonym),
      },
      { title: say('language.english'), cell: (one) => i18n.language(one).englishName },
      {
        title: say('member.state'),
        cell: (one) =>
          i18n.language(one).reviewState === 'reviewed'
            ? badge(say('language.reviewed'), 'good')
            : badge(say('language.draft'), 'bad'),
      },
      {
        title: say('language.letters'),
        cell: (one) => say(i18n.language(one).gsm7 === null ? 'language.ucs2' : 'language.gsm7'),
      },
    ],
    offered,
    '',
    { isPage: true },
  )
  const screens = tag === undefined || menu === undefined ? nothing : screensOf(context, tag, menu)
  return { title: say('menu.languages'), body: html`${list}${chooser}${screens}` }
}

/** One menu: all of them would be three times what a slow line carries at ease. */
function screensOf({ i18n, texts, programme, say }: PageContext, tag: string, menu: string) {
  const info = i18n.language(tag)
  const samples = plainSamples(i18n, tag, programme.currencyCode, programme)
  const menus = new Map([...texts.menus].filter(([, one]) => one.menu === menu))
  const states = plainScreens({ i18n, menus, programme, tag, samples })
  const pageOf = ({ text, units, limit }: PhonePage) =>
    html`<figure><div class="screen" lang="${info.base}" dir="${info.direction}">${text}</div><figcaption>${units} / ${limit}</figcaption></figure>`
  return html`<h2>${say('language.screens', { language: info.endonym })}</h2>${states.map(
    ({ state, pin, views }) =>
      html`<h3>${menu}.${state}${pin ? html` ${badge(say('member.pin'))}` : nothing}</h3><div class="screens">${views.flatMap((pages) => pages.map(pageOf))}</div>`,
  )}`
}
