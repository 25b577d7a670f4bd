// `tama menus check|diagram`: menus and texts proved or drawn.
import { existsSync, readFileSync } from 'node:fs'
import type { TextLimits } from '../proof.ts'
import { programmeByCode, type Register, UsageError, withRuntime } from './command.ts'

export const registerMenus: Register = (cli) => {
  cli
    .command('menus <what>', 'check: prove menus and texts; diagram: draw the menu as Mermaid')
    .option(
      '--programme <code or file>',
      'check: one programme of the database, or a description as a YAML file',
    )
    .option('--menu <name>', 'diagram: which menu to draw', { default: 'member' })
    .example('tama menus check')
    .example('tama menus check --programme docs/programme.example.yaml')
    .action(async (what: string, options: { menu: unknown; programme?: unknown }) => {
      if (what === 'check')
        await check(options.programme === undefined ? undefined : String(options.programme))
      else if (what === 'diagram') await draw(String(options.menu))
      else throw new UsageError(`"menus ${what}" is unknown: check, diagram.`)
    })
}

/** Exit 1 with every fault (StartError), else a table of what was measured. */
async function check(programme: string | undefined): Promise<void> {
  const { folders } = await import('../runtime.ts')
  const { loadTexts } = await import('../texts.ts')
  const { StartError } = await import('../errors.ts')
  const { describeFault } = await import('../fault.ts')
  const { prove, summaryOf } = await import('../proof.ts')
  const { menus, i18n } = loadTexts(folders)
  const programmes = await programmesToCheck(programme, i18n.bases)
  const proof = prove(menus, i18n, programmes)
  if (proof.faults.length > 0)
    throw new StartError('Not everything can be published', proof.faults.map(describeFault))
  for (const line of summaryOf(i18n, programmes, proof)) console.log(line)
  const states = [...menus.values()].reduce((count, menu) => count + Object.keys(menu.states).length, 0)
  const languages = new Set(programmes.flatMap((one) => one.languages))
  console.log(
    `\n${menus.size} menu(s), ${states} states, ${languages.size} languages, ${proof.screens.length} pages and ${proof.texts.length} SMS with the longest data: no fault.`,
  )
}

async function programmesToCheck(wish: string | undefined, bases: readonly string[]): Promise<TextLimits[]> {
  if (wish === undefined) return bases.map(anyProgramme)
  if (existsSync(wish)) {
    const { describedProgramme } = await import('../imports/programme.ts')
    return [describedProgramme(readFileSync(wish, 'utf8'))]
  }
  const found: TextLimits[] = []
  await withRuntime(async (runtime) => {
    found.push(await programmeByCode(runtime, wish))
  })
  return found
}

/** A language as most networks carry it, with an amount as long as any. */
function anyProgramme(tag: string): TextLimits {
  return {
    code: 'any',
    menu: 'member',
    languages: [tag],
    draftLanguages: [tag],
    currencyCode: 'XOF',
    screenSeptetsFirst: 140,
    screenSeptetsMax: 160,
    segmentsMax: 3,
    optOutTail: null,
  }
}

async function draw(name: string): Promise<void> {
  const { folders } = await import('../runtime.ts')
  const { loadMenus, menuDiagram } = await import('../ussd/menu.ts')
  const menu = loadMenus(folders.menus).get(name)
  if (menu === undefined) throw new UsageError(`There is no menu "${name}".`)
  console.log(menuDiagram(menu))
}
