// `tama menus check|diagram`: menus and texts proved or drawn.
import { type Register, UsageError } from './command.ts'

export const registerMenus: Register = (cli) => {
  cli
    .command('menus <what>', 'check: prove menus and texts; diagram: draw the menu as Mermaid')
    .option('--menu <name>', 'Which menu to draw', { default: 'member' })
    .action(async (what: string, options: { menu: unknown }) => {
      if (what === 'check') {
        const { loadTexts } = await import('../runtime.ts')
        const { menus, i18n } = loadTexts()
        const states = [...menus.values()].reduce((count, menu) => count + Object.keys(menu.states).length, 0)
        console.log(`${menus.size} menu(s), ${states} states, ${i18n.languages.size} languages: no fault.`)
      } else if (what === 'diagram') {
        const { folders } = await import('../runtime.ts')
        const { loadMenus, menuDiagram } = await import('../ussd/menu.ts')
        const menu = loadMenus(folders.menus).get(String(options.menu))
        if (menu === undefined) throw new UsageError(`There is no menu "${String(options.menu)}".`)
        console.log(menuDiagram(menu))
      } else throw new UsageError(`"menus ${what}" is unknown: check, diagram.`)
    })
}
