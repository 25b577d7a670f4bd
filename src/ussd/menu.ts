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
 * "@same" (this screen again), "@target" (where she was heading when a gate stopped her), "@home", "@resumed",
 * "@menu" (the first screen of the menu that the action has opened).
 */
const targetSchema = z.union([name, z.enum(['@same', '@target', '@home', '@resumed', '@menu'])])

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
  /** Its texts stand under this name instead of `<menu>.<state>`. */
  says: z
    .string()
    .regex(/^[a-z_]+\.[a-z_]+$/, 'a text is named <menu>.<state>')
    .optional(),
})

const menuSchema = z.strictObject({
  version: z.number().int().positive(),
  menu: name,
  home: name,
  /** Parts whose states are this menu's too, for these roles only. */
  include: z.array(z.strictObject({ part: name, roles: z.array(name).min(1) })).default([]),
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

/** States that several menus have; their texts stand under `<part>.<state>`. */
const partSchema = z.strictObject({
  version: z.number().int().positive(),
  part: name,
  states: z.record(name, stateSchema),
})

/** The menu of numbers that are no member's or in doubt; no state of it may need a member. */
export const publicMenu = 'public'
/** The menu of those who work for the programme. Who is a member too comes to it from her own. */
export const staffMenu = 'staff'

/** The menus that callers of a programme can meet. */
export function isMenuOf(programme: { menu: string }, { menu }: Pick<Menu, 'menu'>): boolean {
  return menu === programme.menu || menu === publicMenu || menu === staffMenu
}

export type Menu = z.infer<typeof menuSchema>
export type MenuPart = z.infer<typeof partSchema>
export type MenuState = z.infer<typeof stateSchema>
export type MenuOption = z.infer<typeof optionSchema>
export type Outcome = z.infer<typeof outcomeSchema>
export type Outcomes = z.infer<typeof outcomesSchema>

/** The form of a menu file as JSON Schema, for editors. Rules between states are not in it: `tama menus check` has them. */
export function menuJsonSchema() {
  return z.toJSONSchema(z.union([menuSchema, partSchema]), { io: 'input' })
}

/** What follows from a menu alone, worked out once for it. */
export function perMenu<Found>(find: (menu: Menu) => Found): (menu: Menu) => Found {
  const known = new WeakMap<Menu, { found: Found }>()
  return (menu) => {
    const there = known.get(menu) ?? { found: find(menu) }
    known.set(menu, there)
    return there.found
  }
}

/** Roles that a menu tells apart. */
export const rolesNamed = perMenu((menu): readonly string[] => {
  const named = Object.values(menu.states).flatMap(({ roles, options }) => [
    ...(roles ?? []),
    ...options.flatMap((option) => option.roles ?? []),
  ])
  return [...new Set(named)]
})

/** Where the texts of a state stand. */
export function textsAt(menu: Menu, name: string): string {
  return menu.states[name]?.says ?? `${menu.menu}.${name}`
}

/** Where the parts of a menu stand in its file, for those who mend it. */
const sources = new WeakMap<Menu | MenuPart, { file: string; lineOf: LineOf }>()
type LineOf = (path: readonly PropertyKey[]) => number | undefined
/** Which of its states a menu has from which part. */
const borrowed = new WeakMap<Menu, ReadonlyMap<PropertyKey, MenuPart>>()

/** File and line of a part of a menu, or of the nearest part that holds it. */
export function placeIn(
  menu: Menu,
  path: readonly PropertyKey[],
): { file: string; line?: number | undefined } {
  const part = path[0] === 'states' && path[1] !== undefined ? borrowed.get(menu)?.get(path[1]) : undefined
  const source = sources.get(part ?? menu)
  return source === undefined
    ? { file: `menus/${menu.menu}.yaml` }
    : { file: source.file, line: source.lineOf(path) }
}

interface Read<Form> {
  menu?: Form
  faults: Fault[]
}

/** One file in the form of `schema`, or every malformed field. `file` names it in the faults. */
function readForm<Form extends Menu | MenuPart>(
  text: string,
  file: string,
  schema: z.ZodType<Form>,
): Read<Form> {
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
  const parsed = schema.safeParse(document.toJS())
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

/** A menu with the states of the parts that it includes, or every fault of its file. */
export function readMenu(
  text: string,
  file: string,
  parts: ReadonlyMap<string, MenuPart> = new Map(),
): Read<Menu> {
  const { menu, faults } = readForm(text, file, menuSchema)
  if (menu === undefined || menu.include.length === 0) return { ...(menu && { menu }), faults }
  const from = new Map<PropertyKey, MenuPart>()
  const states = { ...menu.states }
  let { version } = menu
  for (const [index, { part: named, roles }] of menu.include.entries()) {
    const part = parts.get(named)
    const say = (what: string) => faults.push({ ...placeIn(menu, ['include', index]), what })
    if (part === undefined) {
      say(`include: there is no part "${named}"`)
      continue
    }
    version += part.version
    for (const [name, state] of Object.entries(part.states)) {
      const meant = roles.filter((role) => state.roles === undefined || state.roles.includes(role))
      if (meant.length === 0) continue
      if (Object.hasOwn(states, name)) say(`include: the menu and part "${named}" both have "${name}"`)
      states[name] = { ...state, roles: meant, says: state.says ?? `${named}.${name}` }
      from.set(name, part)
    }
  }
  if (faults.length > 0) return { faults }
  const whole = { ...menu, version, states }
  const source = sources.get(menu)
  if (source !== undefined) sources.set(whole, source)
  borrowed.set(whole, from)
  return { menu: whole, faults }
}

/** Throws a StartError that lists every malformed field. `where` names the file in the faults. */
export function parseMenu(text: string, where: string, parts?: ReadonlyMap<string, MenuPart>): Menu {
  const { menu, faults } = readMenu(text, where, parts)
  if (menu === undefined) throw new StartError('The menu cannot be used', faults.map(describeFault))
  return menu
}

/** Every *.yaml of a folder, by its `menu` name. Throws a StartError with the faults of all files. */
export function loadMenus(folder: string): Map<string, Menu> {
  const { menus, faults } = readMenus(folder)
  if (faults.length > 0) throw new StartError('The menus cannot be used', faults.map(describeFault))
  return menus
}

/** Like loadMenus, but hands out the faults beside the menus that have none, and the parts of which they are made. */
export function readMenus(folder: string): {
  menus: Map<string, Menu>
  parts: Map<string, MenuPart>
  faults: Fault[]
} {
  const menus = new Map<string, Menu>()
  const parts = new Map<string, MenuPart>()
  const faults: Fault[] = []
  const names = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith('.yaml')) : []
  if (names.length === 0) faults.push({ file: 'menus', what: 'there is no menu' })
  const files = names.sort().map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }))
  const isPart = ({ text }: { text: string }) => /^part:/m.test(text)
  for (const { name, text } of files.filter(isPart)) {
    const read = readForm(text, `menus/${name}`, partSchema)
    faults.push(...read.faults)
    if (read.menu !== undefined) parts.set(read.menu.part, read.menu)
  }
  for (const { name, text } of files.filter((file) => !isPart(file))) {
    const read = readMenu(text, `menus/${name}`, parts)
    faults.push(...read.faults)
    if (read.menu === undefined) continue
    // Other faults name the file by the menu.
    if (name !== `${read.menu.menu}.yaml`)
      faults.push({
        ...placeIn(read.menu, ['menu']),
        what: `menu: "${read.menu.menu}" must stand in ${read.menu.menu}.yaml`,
        remedy: 'Rename the file or the menu.',
      })
    menus.set(read.menu.menu, read.menu)
  }
  return { menus, parts, faults }
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

/** Whether any of those who come to the state may see the option: a part has options that one of its menus has no roles for. */
export function isForSome(option: MenuOption, { roles }: MenuState): boolean {
  return (
    option.roles === undefined || roles === undefined || option.roles.some((role) => roles.includes(role))
  )
}

/** A menu never changes once it is read, and its proof asks at every state. */
const transitions = new WeakMap<Menu, readonly Transition[]>()

/** Every transition of a menu. Gates count as ways to their states. */
export function transitionsOf(menu: Menu): readonly Transition[] {
  const known = transitions.get(menu) ?? findTransitions(menu)
  transitions.set(menu, known)
  return known
}

function findTransitions(menu: Menu): Transition[] {
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
      if (!isForSome(option, state)) continue
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
