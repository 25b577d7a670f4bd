// In: a menu. Out: what one role sees of it, and its picture as SVG. Draws with Graphviz (compiled to WebAssembly): no browser, no network.
import { type Graph, instance } from '@viz-js/viz'
import type { MemberRole } from '../members/members.ts'
import { type Menu, type MenuState, type Outcomes, rolesNamed } from '../ussd/menu.ts'

/** Officers of a group may be told apart by any menu. */
const memberRoles: readonly MemberRole[] = ['member', 'president', 'treasurer', 'educator']

/** Every role that a menu can be seen by. */
export function seersOf(menu: Menu): string[] {
  return [...new Set([...memberRoles, ...rolesOf(menu)])]
}

/** Roles that a menu tells apart, and "member", whom every menu knows. */
export function rolesOf(menu: Menu): string[] {
  return [...new Set(['member', ...rolesNamed(menu)])]
}

/** The menu as this role finds it: without options and states of other roles, and without what only they lead to. */
export function menuFor(menu: Menu, role: string): Menu {
  const open = ({ roles }: { roles?: string[] | undefined }) => roles === undefined || roles.includes(role)
  const kept = new Map<string, MenuState>()
  for (const [name, state] of Object.entries(menu.states))
    if (open(state)) kept.set(name, { ...state, options: state.options.filter(open) })
  const isShown = (to: string | undefined) => to === undefined || to.startsWith('@') || kept.has(to)
  for (const [name, state] of kept)
    kept.set(name, { ...state, options: state.options.filter(({ to }) => isShown(to)) })
  const reached = reachedIn({ ...menu, states: Object.fromEntries(kept) })
  return {
    ...menu,
    states: Object.fromEntries([...kept].filter(([name]) => reached.has(name))),
  }
}

function reachedIn(menu: Menu): Set<string> {
  const reached = new Set<string>()
  const open = [menu.home, ...gatesOf(menu)]
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const state = menu.states[name]
    if (state === undefined || reached.has(name)) continue
    reached.add(name)
    open.push(...waysOf(menu, state).flatMap(({ targets }) => targets.map(({ to }) => to)))
  }
  return reached
}

const gatesOf = ({ gates }: Menu) => Object.values(gates).filter((name) => name !== undefined)

/** One line of a state's box: what she presses or what comes of it, and where it leads. */
interface Way {
  label: string
  targets: { to: string; by: string }[]
}

/** Where an outcome leads that is no arrow; staying on the screen is said by nothing. */
const elsewhere: Readonly<Record<string, string>> = {
  '@target': 'on to where she was going',
  '@resumed': 'back to where she was',
  '@home': 'home',
}

function waysOf(menu: Menu, state: MenuState): Way[] {
  const ways = state.options.map(({ key, name, to, on }) =>
    wayOf(menu, `${key} ${name}`, to === undefined ? on : { '': { to } }),
  )
  if (state.pick !== undefined) ways.unshift(wayOf(menu, '1... choice', state.pick.on))
  for (const [outcome, target] of Object.entries(state.on ?? {}))
    ways.push(wayOf(menu, outcome, { '': target }))
  return ways
}

/** Several outcomes to one place are one arrow. What leads home is a word: its arrows would hide the others. */
function wayOf(menu: Menu, label: string, on: Outcomes | undefined): Way {
  const byTarget = new Map<string, string[]>()
  for (const [outcome, { to }] of Object.entries(on ?? {})) {
    const place = to === menu.home ? '@home' : to
    byTarget.set(place, [...(byTarget.get(place) ?? []), ...(outcome === '' ? [] : [outcome])])
  }
  const said = [...byTarget].flatMap(([to, outcomes]) => {
    const place = elsewhere[to]
    return place === undefined ? [] : [byTarget.size === 1 ? place : `${outcomes.join(', ')} ${place}`]
  })
  return {
    label: said.length === 0 ? label : `${label}: ${said.join('; ')}`,
    targets: [...byTarget]
      .filter(([to]) => !to.startsWith('@'))
      .map(([to, outcomes]) => ({ to, by: outcomes.join(', ') })),
  }
}

const labelCharactersMax = 26
const padlock = 'padlock.svg'
export const padlockSvg =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 12 14"><path d="M3 6V4a3 3 0 0 1 6 0v2" fill="none" stroke="#8a1c1c" stroke-width="1.6"/><rect x="1" y="6" width="10" height="7.4" rx="1.2" fill="#8a1c1c"/></svg>'

/** The picture of a menu as one SVG file that needs nothing beside it. Gates stand in a frame of their own. */
export async function menuSvg(menu: Menu, role?: string): Promise<string> {
  const viz = await instance()
  const svg = viz.renderString(graphOf(menu, role), {
    format: 'svg',
    images: [{ name: padlock, width: '12px', height: '14px' }],
  })
  const inline = `data:image/svg+xml;base64,${Buffer.from(padlockSvg).toString('base64')}`
  return svg.replaceAll(`xlink:href="${padlock}"`, `xlink:href="${inline}"`)
}

/** Its letters are measured by Graphviz's own table, which names a fallback for screens that lack it. */
const font = { fontname: 'Helvetica' }

function graphOf(menu: Menu, role: string | undefined): Graph {
  const gates = new Set(gatesOf(menu))
  const states = Object.entries(menu.states)
  const nodes = (isGate: boolean) =>
    states
      .filter(([name]) => gates.has(name) === isGate)
      .map(([name, state]) => ({
        name,
        attributes: { label: { html: boxOf(menu, name, state) }, class: state.pin ? 'state pin' : 'state' },
      }))
  const edges = states.flatMap(([name, state]) =>
    waysOf(menu, state).flatMap(({ targets }, index) =>
      targets.map(({ to, by }) => ({
        tail: name,
        head: to,
        attributes: {
          tailport: `way${index}:e`,
          headport: 'top:w',
          label: by === '' ? '' : wrapped(by.replaceAll('_', ' ')).join('\n'),
        },
      })),
    ),
  )
  const seenBy = role === undefined ? '' : `, as ${role} sees it`
  return {
    directed: true,
    graphAttributes: {
      rankdir: 'LR',
      label: `${menu.menu}, version ${menu.version}${seenBy}`,
      labelloc: 't',
      fontsize: 20,
      ...font,
      nodesep: 0.3,
      ranksep: 1,
      pad: 0.3,
    },
    nodeAttributes: { shape: 'plain', fontsize: 13, ...font },
    edgeAttributes: { fontsize: 11, color: '#5b6770', fontcolor: '#33404a', arrowsize: 0.7, ...font },
    nodes: nodes(false),
    edges,
    subgraphs: [
      {
        name: 'cluster_gates',
        graphAttributes: {
          label: 'Gates: they stop her on the way to another state',
          style: 'dashed',
          color: '#7a6a1f',
          bgcolor: '#fdf8e3',
          fontsize: 14,
          margin: 18,
        },
        nodes: nodes(true),
      },
    ],
  }
}

const shades = {
  choice: '#e8f1ec',
  input: '#e6eefb',
  list: '#e8f1ec',
  info: '#f1f1f1',
  end: '#f7e6e6',
} as const

function boxOf(menu: Menu, name: string, state: MenuState): string {
  const first = menu.home === name
  const lock = state.pin ? `<TD FIXEDSIZE="TRUE" WIDTH="16" HEIGHT="18"><IMG SRC="${padlock}"/></TD>` : ''
  const title = wrapped(name.replaceAll('_', ' ')).map(escaped).join('<BR/>')
  const head = `<TR><TD PORT="top" BGCOLOR="${shades[state.kind]}"><TABLE BORDER="0" CELLPADDING="0" CELLSPACING="2"><TR><TD><B>${title}</B></TD>${lock}</TR></TABLE></TD></TR>`
  const rows = waysOf(menu, state).map(
    ({ label }, index) =>
      `<TR><TD PORT="way${index}" ALIGN="LEFT" BALIGN="LEFT">${wrapped(label.replaceAll('_', ' ')).map(escaped).join('<BR/>')}</TD></TR>`,
  )
  const about = state.needs.length === 0 ? state.kind : `${state.kind}: ${state.needs.join(', ')}`
  const kind = `<TR><TD ALIGN="LEFT"><FONT POINT-SIZE="10" COLOR="#5b6770">${wrapped(about.replaceAll('_', ' ')).map(escaped).join('<BR/>')}</FONT></TD></TR>`
  return `<TABLE BGCOLOR="white" BORDER="${first ? 3 : 1}" CELLBORDER="1" CELLSPACING="0" CELLPADDING="5" COLOR="#33404a">${head}${kind}${rows.join('')}</TABLE>`
}

const escaped = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

/** Words of a label in lines that a reader takes in at once. */
function wrapped(text: string): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= labelCharactersMax)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
