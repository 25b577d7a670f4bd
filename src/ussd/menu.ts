// In: a menu file. Out: typed states and transitions, without any text. What must also hold between states is in check.ts.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { isNode, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { StartError } from '../errors.ts'
import { describeFault, type Fault } from '../fault.ts'

const name = z.string().regex(/^[a-z][a-z0-9_]*$/, 'a name has lower-case letters, digits and "_"')

/**
 * Where an outcome leads: a state, or one of
 * "@same" (this screen again), "@target" (where she was heading when a gate stopped her), "@home", "@resumed".
 */
const targetSchema = z.union([name, z.enum(['@same', '@target', '@home', '@resumed'])])

const outcomeSchema = z.union([
  targetSchema.transform((to) => ({ to })),
  z.strictObject({
    to: targetSchema,
    /** A line above the next screen: `common.reasons.<reason>`. */
    reason: name.optional(),
    /** Becomes the target of the gates that follow. */
    target: name.optional(),
  }),
])

const outcomesSchema = z.record(name, outcomeSchema)

const optionSchema = z
  .strictObject({
    /** What she presses; 0, 00 and 98 belong to navigation. */
    key: z.string().regex(/^([1-9]|[1-8]\d|9[0-79])$/, 'a key is 1 to 99 without 98'),
    name,
    to: targetSchema.optional(),
    do: name.optional(),
    value: z.string().optional(),
    on: outcomesSchema.optional(),
    /** Offered only when this fact holds. */
    when: name.optional(),
    /** Offered only to these roles. */
    roles: z.array(name).min(1).optional(),
  })
  .refine(
    (option) => (option.to === undefined) !== (option.do === undefined),
    'an option has either to or do',
  )

const stateSchema = z.strictObject({
  kind: z.enum(['choice', 'input', 'list', 'info', 'end']),
  /** Data that the screen shows, in order. */
  needs: z.array(name).default([]),
  /** Money: the PIN first, once a dialogue. */
  pin: z.boolean().default(false),
  /** A member must be known; on a shared phone also her PIN. */
  who: z.boolean().default(false),
  roles: z.array(name).min(1).optional(),
  options: z.array(optionSchema).default([]),
  /** What choosing one of the data's own options does. */
  pick: z.strictObject({ do: name, on: outcomesSchema }).optional(),
  /** What an input state does with the text. */
  do: name.optional(),
  on: outcomesSchema.optional(),
  /** A step on the way: "back" skips it and a redial does not resume at it. */
  passing: z.boolean().default(false),
  /** The options say all: on a screen that would need a second page, its text and the words of navigation give way. */
  bare: z.boolean().default(false),
  /** When data is too slow, this answer follows by SMS: template `answer.<name>`. */
  answer: name.optional(),
})

const menuSchema = z.strictObject({
  version: z.number().int().positive(),
  menu: name,
  home: name,
  /** States that stop her on the way to another. */
  gates: z.strictObject({
    language: name,
    who: name.optional(),
    pin: name.optional(),
    new_pin: name.optional(),
    consent: name.optional(),
    resume: name.optional(),
  }),
  states: z.record(name, stateSchema),
})

/** The menu of numbers that are no member's or in doubt; no state of it may need a member. */
export const publicMenu = 'public'

export type Menu = z.infer<typeof menuSchema>
export type MenuState = z.infer<typeof stateSchema>
export type MenuOption = z.infer<typeof optionSchema>
export type Outcome = z.infer<typeof outcomeSchema>
export type Outcomes = z.infer<typeof outcomesSchema>

/** The form of a menu file as JSON Schema, for editors. Rules between states are not in it: `tama menus check` has them. */
export function menuJsonSchema() {
  return z.toJSONSchema(menuSchema, { io: 'input' })
}

/** Where the parts of a menu stand in its file, for those who mend it. */
const sources = new WeakMap<Menu, { file: string; lineOf: LineOf }>()
type LineOf = (path: readonly PropertyKey[]) => number | undefined

/** File and line of a part of a menu, or of the nearest part that holds it. */
export function placeIn(
  menu: Menu,
  path: readonly PropertyKey[],
): { file: string; line?: number | undefined } {
  const source = sources.get(menu)
  return source === undefined
    ? { file: `menus/${menu.menu}.yaml` }
    : { file: source.file, line: source.lineOf(path) }
}

/** A menu, or every malformed field of its file. `file` names the file in the faults. */
export function readMenu(text: string, file: string): { menu?: Menu; faults: Fault[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, { uniqueKeys: true, lineCounter: lines })
  const unreadable = [...document.errors, ...document.warnings].map(({ message, pos }) => ({
    file,
    line: lines.linePos(pos[0]).line,
    // The parser adds lines that draw the place.
    what: (message.split('\n')[0] ?? '').replace(/ at line .*$|:$/, ''),
  }))
  if (unreadable.length > 0) return { faults: unreadable }
  const lineOf: LineOf = (path) => {
    for (let length = path.length; length > 0; length -= 1) {
      const node = document.getIn(path.slice(0, length), true)
      if (isNode(node) && node.range) return lines.linePos(node.range[0]).line
    }
    return 1
  }
  const parsed = menuSchema.safeParse(document.toJS())
  if (!parsed.success)
    return {
      faults: parsed.error.issues.map(({ path, message }) => ({
        file,
        line: lineOf(path),
        what: `${path.join('.') || 'file'}: ${message}`,
      })),
    }
  sources.set(parsed.data, { file, lineOf })
  return { menu: parsed.data, faults: [] }
}

/** Throws a StartError that lists every malformed field. `where` names the file in the faults. */
export function parseMenu(text: string, where: string): Menu {
  const { menu, faults } = readMenu(text, where)
  if (menu === undefined) throw new StartError('The menu cannot be used', faults.map(describeFault))
  return menu
}

/** Every *.yaml of a folder, by its `menu` name. Throws a StartError with the faults of all files. */
export function loadMenus(folder: string): Map<string, Menu> {
  const { menus, faults } = readMenus(folder)
  if (faults.length > 0) throw new StartError('The menus cannot be used', faults.map(describeFault))
  return menus
}

/** Like loadMenus, but hands out the faults beside the menus that have none. */
export function readMenus(folder: string): { menus: Map<string, Menu>; faults: Fault[] } {
  const menus = new Map<string, Menu>()
  const faults: Fault[] = []
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.yaml')) : []
  if (files.length === 0) faults.push({ file: 'menus', what: 'there is no menu' })
  for (const file of files.sort()) {
    const read = readMenu(readFileSync(join(folder, file), 'utf8'), `menus/${file}`)
    faults.push(...read.faults)
    if (read.menu === undefined) continue
    // Other faults name the file by the menu.
    if (file !== `${read.menu.menu}.yaml`)
      faults.push({
        ...placeIn(read.menu, ['menu']),
        what: `menu: "${read.menu.menu}" must stand in ${read.menu.menu}.yaml`,
        remedy: 'Rename the file or the menu.',
      })
    menus.set(read.menu.menu, read.menu)
  }
  return { menus, faults }
}

export interface Transition {
  from: string
  /** A state's name. */
  to: string
  /** The words on the arrow. */
  by: string
  /** Where it stands in the file. */
  path: readonly PropertyKey[]
}

/** Every transition of a menu. Gates count as ways to their states. */
export function transitionsOf(menu: Menu): Transition[] {
  const found: Transition[] = []
  const add = (from: string, to: string, by: string, path: readonly PropertyKey[]) => {
    if (to === '@home') found.push({ from, to: menu.home, by, path })
    else if (!to.startsWith('@')) found.push({ from, to, by, path })
  }
  const addAll = (from: string, outcomes: Outcomes | undefined, by: string, path: readonly PropertyKey[]) => {
    for (const [outcome, { to, ...rest }] of Object.entries(outcomes ?? {})) {
      add(from, to, `${by} ${outcome}`, [...path, outcome])
      if ('target' in rest && rest.target !== undefined)
        add(from, rest.target, `${by} ${outcome}, then`, [...path, outcome])
    }
  }
  for (const [from, state] of Object.entries(menu.states)) {
    const path = ['states', from]
    for (const [index, option] of state.options.entries()) {
      const by = `${option.key} ${option.name}`
      if (option.to !== undefined) add(from, option.to, by, [...path, 'options', index])
      addAll(from, option.on, by, [...path, 'options', index, 'on'])
    }
    addAll(from, state.pick?.on, 'choice', [...path, 'pick', 'on'])
    addAll(from, state.on, state.do ?? '', [...path, 'on'])
  }
  return found
}

/** Mermaid, for `tama menus diagram`. A padlock marks states behind the PIN. */
export function menuDiagram(menu: Menu): string {
  const lines = ['stateDiagram-v2', `  [*] --> ${menu.home}`]
  for (const [from, state] of Object.entries(menu.states))
    lines.push(`  ${from} : ${from}${state.pin ? ' \u{1F512}' : ''}`)
  for (const { from, to, by } of transitionsOf(menu)) lines.push(`  ${from} --> ${to} : ${by.trim()}`)
  for (const [from, state] of Object.entries(menu.states))
    if (state.kind === 'end') lines.push(`  ${from} --> [*]`)
  return `${lines.join('\n')}\n`
}
