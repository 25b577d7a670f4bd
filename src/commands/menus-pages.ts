// `tama menus screens` and `tama menus card`: what members see, on paper.
import type { ProgrammeFace } from '../imports/programme.ts'
import { UsageError } from './command.ts'
import { anyProgramme, languageIn, programmeOf, putOut } from './menus-programme.ts'

export interface PageOptions {
  language?: unknown
  programme?: unknown
  out?: unknown
}

/** Texts, language and programme of a page. Without a programme: limits as most networks have them. */
async function asked({ language, programme }: PageOptions) {
  const { folders } = await import('../runtime.ts')
  const { loadTexts } = await import('../texts.ts')
  const { menus, i18n } = loadTexts(folders)
  const tag = languageIn(i18n, language)
  const found = programme === undefined ? undefined : await programmeOf(String(programme))
  const limits = found === undefined ? anyProgramme(tag, 'XOF') : { ...found, languages: [tag] }
  const face: ProgrammeFace | undefined = found
  const offered = found?.languages ?? [tag]
  if (!offered.includes(tag))
    throw new UsageError(`The programme does not offer "${tag}". It offers: ${offered.join(', ')}.`)
  return { menus, i18n, tag, limits, face, offered }
}

export async function printScreens(options: PageOptions): Promise<void> {
  const { menus, i18n, tag, limits, face, offered } = await asked(options)
  const { folders } = await import('../runtime.ts')
  const { prove } = await import('../proof.ts')
  const { readLocales } = await import('../locale-files.ts')
  const { exampleFace } = await import('../review/samples.ts')
  const { screensPage } = await import('../review/screens-page.ts')
  const { baseOf } = await import('../i18n.ts')
  const review = readLocales(folders.locales).locales.get(baseOf(tag))?.language
  if (review === undefined) throw new UsageError(`There are no texts in "${tag}".`)
  // What does not fit is drawn too: the reviewer is to see it. The names of all languages stand in one list.
  const proof = prove(menus, i18n, [{ ...limits, languages: offered }])
  const measured = {
    screens: proof.screens.filter((screen) => screen.tag === tag),
    texts: proof.texts.filter((text) => text.tag === tag),
  }
  const programme = { ...limits, languages: offered }
  const shown = { i18n, menus, tag, programme, face: face ?? exampleFace, review, measured }
  await putOut(screensPage(shown), options.out)
}

export async function printCard(options: PageOptions): Promise<void> {
  const { menus, i18n, tag, limits, face } = await asked(options)
  const menu = menus.get(limits.menu)
  if (menu === undefined) throw new UsageError(`There is no menu "${limits.menu}".`)
  const { cardPage } = await import('../review/card.ts')
  await putOut(cardPage({ i18n, menu, tag, face }), options.out)
}
