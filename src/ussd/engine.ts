// In: a menu, a dialogue and what happened. Out: the dialogue after it and, when needed, the action to run. Pure: no I/O, no time, no text.
import type { Menu, MenuState, Outcome, Outcomes } from './menu.ts'
import type { Dialogue } from './session.ts'

export type DialogueEvent =
  | { type: 'input'; text: string }
  | { type: 'outcome'; on: Outcomes; outcome: string; values?: Readonly<Record<string, string>> }

export interface Step {
  dialogue: Dialogue
  /** To run; its outcome comes back as an event with this `on`. */
  action?: { name: string; value: string; on: Outcomes }
  /** A line above the screen: `common.reasons.<reason>`. */
  reason?: string
  /** Values for the reason's text. */
  values?: Readonly<Record<string, string>>
  /** The reason was said on another page of this screen. */
  quiet?: boolean
}

/** Steps back that are remembered; older ones are forgotten and lead home. */
const trailMax = 12

/** Throws a RangeError for a state or outcome that the boot check did not see. */
export function step(menu: Menu, dialogue: Dialogue, event: DialogueEvent): Step {
  if (event.type === 'outcome') return followOutcome(menu, dialogue, event)
  const { text } = event
  const state = stateOf(menu, dialogue.state)
  if (text === '00') return enter(menu, { ...dialogue, target: undefined }, menu.home)
  if (text === '0') return back(menu, dialogue)
  if (text === '98') {
    if (dialogue.more) return turned(dialogue, dialogue.page + 1)
    return { dialogue, reason: 'choice_unknown' }
  }
  const asksBeside = state.options.some(({ key }) => key === text)
  if (state.kind === 'input' && !asksBeside) {
    if (state.do === undefined) throw new RangeError(`Input state ${dialogue.state} does nothing`)
    return { dialogue, action: { name: state.do, value: text, on: state.on ?? {} } }
  }
  const shown = dialogue.shown.find((option) => option.key === text)
  if (shown === undefined) return { dialogue, reason: 'choice_unknown' }
  if (shown.value !== undefined && state.pick !== undefined && shown.name === '@pick')
    return { dialogue, action: { name: state.pick.do, value: shown.value, on: state.pick.on } }
  const option = state.options.find((candidate) => candidate.key === text)
  if (option === undefined) return { dialogue, reason: 'choice_unknown' }
  if (option.do !== undefined)
    return { dialogue, action: { name: option.do, value: option.value ?? '', on: option.on ?? {} } }
  return follow(menu, dialogue, { to: option.to ?? '@home' })
}

function followOutcome(
  menu: Menu,
  dialogue: Dialogue,
  { on, outcome, values }: Extract<DialogueEvent, { type: 'outcome' }>,
): Step {
  const found = on[outcome]
  if (found === undefined) throw new RangeError(`Outcome ${outcome} leads nowhere from ${dialogue.state}`)
  const stepped = follow(menu, values === undefined ? dialogue : { ...dialogue, values }, found)
  return values === undefined ? stepped : { ...stepped, values }
}

function follow(menu: Menu, dialogue: Dialogue, outcome: Outcome): Step {
  const reason = 'reason' in outcome ? outcome.reason : undefined
  const target = 'target' in outcome ? outcome.target : undefined
  const heading = target === undefined ? dialogue : { ...dialogue, target }
  const stepped = goTo(menu, heading, outcome.to)
  return reason === undefined ? stepped : { ...stepped, reason }
}

function goTo(menu: Menu, dialogue: Dialogue, to: string): Step {
  switch (to) {
    case '@same':
      return { dialogue }
    case '@home':
      return enter(menu, { ...dialogue, target: undefined }, menu.home)
    case '@target':
      return enter(menu, { ...dialogue, target: undefined }, dialogue.target ?? menu.home)
    case '@resumed': {
      const { resumable } = dialogue
      if (resumable === undefined) return enter(menu, dialogue, menu.home)
      return enter(menu, { ...dialogue, ...resumable, resumable: undefined, state: '' }, resumable.state)
    }
    case '@menu':
      return enter(menu, { ...dialogue, target: undefined, state: '', trail: [], page: 0 }, menu.home)
    default:
      return enter(menu, dialogue, to)
  }
}

/** Opens a state, or the gate before it: language, who she is, PIN, what we may send her. */
export function enter(menu: Menu, dialogue: Dialogue, name: string): Step {
  const state = stateOf(menu, name)
  const gate = gateBefore(menu, dialogue, name, state)
  if (gate === 'refused') return { ...sentHome(menu, dialogue, name), reason: 'not_allowed' }
  if (gate !== undefined) {
    const stopped = { ...opened(menu, dialogue, gate), target: name }
    // Asked once a dialogue: who turns away from the question is left in peace.
    return { dialogue: gate === menu.gates.consent ? { ...stopped, unasked: false } : stopped }
  }
  return { dialogue: opened(menu, dialogue, name) }
}

/** Home may stand behind a gate of its own. */
function sentHome(menu: Menu, dialogue: Dialogue, from: string): Step {
  if (from === menu.home) return { dialogue: opened(menu, dialogue, menu.home) }
  return enter(menu, { ...dialogue, target: undefined }, menu.home)
}

function gateBefore(menu: Menu, dialogue: Dialogue, name: string, state: MenuState): string | undefined {
  const { gates } = menu
  if (state.passing || state.kind === 'end') return undefined
  if (dialogue.language === undefined && name !== gates.language) return gates.language
  const needsMember = state.who || state.pin || state.roles !== undefined
  if (!needsMember) return undefined
  if ((dialogue.staffId ?? dialogue.memberId) === undefined) return gates.who ?? 'refused'
  if (state.roles !== undefined && !state.roles.includes(dialogue.role)) return 'refused'
  if (!dialogue.passed && (state.pin || dialogue.shared))
    return (dialogue.hasPin ? gates.pin : gates.new_pin) ?? 'refused'
  return dialogue.passed && dialogue.unasked ? gates.consent : undefined
}

function opened(menu: Menu, dialogue: Dialogue, name: string): Dialogue {
  return { ...dialogue, state: name, page: 0, subject: undefined, trail: trailTo(menu, dialogue, name) }
}

function trailTo(menu: Menu, { state: from, trail }: Dialogue, name: string): string[] {
  if (name === menu.home) return []
  const leavesTrace = from !== name && from !== '' && !stateOf(menu, from).passing && trail.at(-1) !== from
  return leavesTrace ? [...trail, from].slice(-trailMax) : trail
}

function turned(dialogue: Dialogue, page: number): Step {
  const stepped = { dialogue: { ...dialogue, page } }
  return dialogue.notice === undefined ? stepped : { ...stepped, ...dialogue.notice, quiet: true }
}

function back(menu: Menu, dialogue: Dialogue): Step {
  if (dialogue.page > 0) return turned(dialogue, dialogue.page - 1)
  const to = dialogue.trail.at(-1)
  const cleared = { ...dialogue, target: undefined }
  if (to === undefined) return enter(menu, cleared, menu.home)
  const trail = dialogue.trail.slice(0, -1)
  // The state left by "back" must not be put on the trail again, so she stands nowhere while the other one opens.
  return enter(menu, { ...cleared, trail, state: '' }, to)
}

export function stateOf(menu: Menu, name: string): MenuState {
  const state = menu.states[name]
  if (state === undefined) throw new RangeError(`Menu ${menu.menu} has no state ${name}`)
  return state
}
