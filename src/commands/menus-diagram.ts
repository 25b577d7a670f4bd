// `tama menus diagram` and `tama menus schema`: a menu drawn, and the form of its file.
import { UsageError } from './command.ts'
import { putOut } from './menus-programme.ts'

export interface DiagramOptions {
  menu: unknown
  role?: unknown
  svg?: unknown
}

export async function draw({ menu: name, role, svg }: DiagramOptions): Promise<void> {
  const { folders } = await import('../runtime.ts')
  const { loadMenus, menuDiagram } = await import('../ussd/menu.ts')
  const { menuFor, menuSvg, seersOf } = await import('../review/diagram.ts')
  const menus = loadMenus(folders.menus)
  const menu = menus.get(String(name))
  if (menu === undefined)
    throw new UsageError(`There is no menu "${String(name)}". There are: ${[...menus.keys()].join(', ')}.`)
  const roles = seersOf(menu)
  if (role !== undefined && !roles.includes(String(role)))
    throw new UsageError(`There is no role "${String(role)}". There are: ${roles.join(', ')}.`)
  const seen = role === undefined ? menu : menuFor(menu, String(role))
  if (svg === undefined) console.log(menuDiagram(seen))
  else if (typeof svg !== 'string') throw new UsageError('--svg takes the name of the file to write.')
  else await putOut(await menuSvg(seen, role === undefined ? undefined : String(role)), svg)
}

export async function printSchema(): Promise<void> {
  const { menuJsonSchema } = await import('../ussd/menu.ts')
  console.log(JSON.stringify(menuJsonSchema(), undefined, 2))
}
