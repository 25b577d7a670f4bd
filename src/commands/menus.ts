// `tama menus check|diagram|schema|screens|card|review`: menus and texts proved, drawn, printed, and given to who can judge them.
import type { TextLimits } from '../proof.ts'
import { type Register, UsageError } from './command.ts'
import type { DiagramOptions } from './menus-diagram.ts'
import type { PageOptions } from './menus-pages.ts'
import type { ReviewOptions } from './menus-review.ts'

const meanings = [
  'check: prove menus and texts',
  'diagram: draw a menu as Mermaid or SVG',
  'screens: print every screen and SMS of a language',
  'card: print a pocket card',
  'review export, review import FILE: texts to and from a native reviewer',
  'schema: print the form of a menu file',
]

export const registerMenus: Register = (cli) => {
  cli
    .command('menus <what> [...words]', meanings.join('; '))
    .option(
      '--programme <code or file>',
      'check, screens, card: one programme of the database, or a description as a YAML file',
    )
    .option('--menu <name>', 'diagram: which menu to draw', { default: 'member' })
    .option('--role <role>', 'diagram: as this role sees it')
    .option('--svg <file>', 'diagram: write a picture to this file')
    .option('--language <tag>', 'screens, card, review export: the language')
    .option('--format <csv or xliff>', 'review export: for a spreadsheet [csv] or a translation program')
    .option('--out <file>', 'screens, card, review export: write to this file')
    .option('--reviewer <name>', 'review import: who read the texts')
    .option('--date <date>', 'review import: when, for example 2026-11-26 [today]')
    .example('tama menus check')
    .example('tama menus check --programme docs/programme.example.yaml')
    .example('tama menus review export --language wo --out wo.csv')
    .action(async (what: string, words: string[], options: MenusOptions) => {
      const run = works[what]
      if (run === undefined)
        throw new UsageError(`"menus ${what}" is unknown: ${Object.keys(works).join(', ')}.`)
      if (words.length > 0 && what !== 'review')
        throw new UsageError(`"menus ${what}" takes no "${words.join(' ')}".`)
      await run(options, words.map(String))
    })
}

type MenusOptions = DiagramOptions & PageOptions & ReviewOptions

const works: Readonly<Record<string, (options: MenusOptions, words: string[]) => Promise<void>>> = {
  check: ({ programme }) => check(programme === undefined ? undefined : String(programme)),
  diagram: async (options) => (await import('./menus-diagram.ts')).draw(options),
  screens: async (options) => (await import('./menus-pages.ts')).printScreens(options),
  card: async (options) => (await import('./menus-pages.ts')).printCard(options),
  review: async (options, words) => (await import('./menus-review.ts')).review(words, options),
  schema: async () => (await import('./menus-diagram.ts')).printSchema(),
}

/** Exit 1 with every fault (StartError), else a table of what was measured. */
async function check(programme: string | undefined): Promise<void> {
  const { folders } = await import('../runtime.ts')
  const { loadTexts } = await import('../texts.ts')
  const { StartError } = await import('../errors.ts')
  const { describeFault } = await import('../fault.ts')
  const { prove, summaryOf } = await import('../proof.ts')
  const { anyProgramme, programmeOf } = await import('./menus-programme.ts')
  const { menus, i18n } = loadTexts(folders)
  const programmes: TextLimits[] =
    programme === undefined
      ? [...i18n.languages.keys()].map((tag) => anyProgramme(tag))
      : [await programmeOf(programme)]
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
