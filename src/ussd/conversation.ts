// In: a dialogue and a new input. Out: the dialogue after it and the screen. Runs the engine's actions and reads what a screen needs.
import type { Clock } from '../clock.ts'
import type { Db } from '../db.ts'
import { InvariantError } from '../errors.ts'
import type { I18n } from '../i18n.ts'
import type { Pins } from '../members/pin.ts'
import type { ProgrammeInfo } from '../members/programmes.ts'
import { noteSeen } from '../members/reverify.ts'
import { type Caller, whoCalls } from '../members/who-calls.ts'
import type { Metrics } from '../metrics.ts'
import type { ActionContext } from './action.ts'
import { actions } from './actions.ts'
import { sources, type View } from './data.ts'
import { enter, type Step, stateOf, step } from './engine.ts'
import { type Menu, staffMenu } from './menu.ts'
import { openingDialogue, resumingDialogue } from './opening.ts'
import { emptyView, type Notice, type Renderer } from './render.ts'
import {
  type Dialogue,
  dialogueTimeoutMs,
  newDialogue,
  type Session,
  type SessionKeys,
  type UssdCall,
} from './session.ts'

/** One callback on its way. */
export interface Hop {
  call: UssdCall
  programme: ProgrammeInfo
  key: string
  /** Undefined when no earlier dialogue can be resumed by this call. */
  caller: string | undefined
  textHash: string
  /** Best known so far; the programme's default at first. */
  language: string
  /** Her phone is known and she may be answered; false until that was read. */
  isMember: boolean
  /** When it came, in milliseconds since 1970; a late answer is worked out after that. */
  atMs: number
  /** Set once the dialogue was told that the answer is late. */
  lateReply: string | undefined
}

/** What one callback led to. */
export interface Turn {
  dialogue: Dialogue
  menuVersion: number
  phoneId: string
  reply: string
  ended: boolean
  outcome: string
  /** SMS template that says the same as the screen. */
  template: string
}

export interface ConversationDeps {
  db: Db
  clock: Clock
  metrics: Metrics
  i18n: I18n
  menus: ReadonlyMap<string, Menu>
  pins: Pins
  renderer: Renderer
  keys: SessionKeys
}

/** Inputs of a deep dial that may wait for the PIN: too short to be one. */
const waitingInput = /^\d{1,2}$/
const deepInputsMax = 12

interface Walk {
  hop: Hop
  /** Another one once an action has opened it. */
  menu: Menu
  phoneId: string
  now: Date
  first: boolean
}

const isOlderThanADay = (at: Date, now: Date) => now.getTime() - at.getTime() > 24 * 3_600_000

export function createConversation(deps: ConversationDeps) {
  const { db, i18n, menus, metrics, pins, renderer, keys } = deps

  function menuOf(programme: ProgrammeInfo, own?: string): Menu {
    const menu = menus.get(own ?? programme.menu)
    if (menu === undefined) throw new InvariantError(`Programme ${programme.code} has no menu`)
    return menu
  }

  async function act(walk: Walk, stepped: Step, hopKey: string): Promise<Step> {
    let current = stepped
    for (let { action } = current; action !== undefined; { action } = current) {
      const known = actions[action.name]
      if (known === undefined) throw new InvariantError(`Unknown action ${action.name}`)
      const { hop, phoneId, now } = walk
      const context: ActionContext = {
        db,
        pins,
        i18n,
        metrics,
        programme: hop.programme,
        dialogue: current.dialogue,
        phoneId,
        msisdn: hop.call.msisdn,
        now,
        hopKey,
        caller: keys.caller(hop.programme.id, hop.call.msisdn),
        markOf: (text) => keys.mark(hop.programme.id, text),
        saying: {
          channel: 'ussd',
          // What she read, also when the texts changed meanwhile.
          wording:
            current.dialogue.wording ??
            i18n.language(current.dialogue.language ?? hop.language).consent.version,
          language: current.dialogue.language,
          collector: 'herself',
          // Worked out late it is still of when she said it, and what she said since stands.
          at: new Date(hop.atMs),
          callback: `ussd/${hopKey}`,
        },
      }
      const { outcome, changes, values } = await known.run(context, action.value)
      const dialogue = changes === undefined ? current.dialogue : { ...current.dialogue, ...changes }
      hop.language = dialogue.language ?? hop.language
      // An action may have opened another menu.
      walk.menu = menuOf(hop.programme, dialogue.menu)
      const event = { type: 'outcome', on: action.on, outcome } as const
      current = step(walk.menu, dialogue, values === undefined ? event : { ...event, values })
    }
    return current
  }

  async function viewOf(walk: Walk, dialogue: Dialogue): Promise<View> {
    const state = stateOf(walk.menu, dialogue.state)
    if (state.needs.length === 0) return emptyView
    const { hop, now } = walk
    const context = {
      db,
      i18n,
      programme: hop.programme,
      dialogue,
      language: dialogue.language ?? hop.language,
      msisdn: hop.call.msisdn,
      networkCode: hop.call.networkCode,
      now,
    }
    const views = await Promise.all(
      state.needs.map((need) => {
        const source = sources[need]
        if (source === undefined) throw new InvariantError(`Unknown data ${need}`)
        return source.load(context)
      }),
    )
    const only = views.length === 1 ? views[0] : undefined
    if (only !== undefined) return only
    const subject = views.find((view) => view.subject !== undefined)?.subject
    return {
      lines: views.flatMap((view) => view.lines),
      options: views.flatMap((view) => view.options ?? []),
      facts: views.flatMap((view) => view.facts ?? []),
      ...(subject === undefined ? {} : { subject }),
    }
  }

  /** Puts on the dialogue what the screen shows, so that the next input is understood as she saw it. */
  async function present(
    walk: Walk,
    dialogue: Dialogue,
    notice?: Notice,
  ): Promise<{ dialogue: Dialogue; text: string }> {
    const { hop, menu, first } = walk
    const { screenSeptetsFirst, screenSeptetsMax } = hop.programme
    const view = await viewOf(walk, dialogue)
    const rendered = renderer.render({
      menu,
      state: stateOf(menu, dialogue.state),
      dialogue,
      view,
      notice,
      language: dialogue.language ?? hop.language,
      septetsMax: first ? screenSeptetsFirst : screenSeptetsMax,
    })
    const { text, page, more, shown } = rendered
    const isHeld = notice !== undefined && (more || page > 0)
    const held = isHeld ? { reason: notice.reason, values: notice.values ?? {} } : undefined
    const { version: wording } = i18n.language(dialogue.language ?? hop.language).consent
    return {
      dialogue: { ...dialogue, page, more, shown, subject: view.subject, wording, notice: held },
      text,
    }
  }

  /** Goes on with inputs of a deep dial until one does not fit or a gate asks something of her. */
  async function follow(
    walk: Walk,
    from: Dialogue,
    inputs: readonly string[],
    textKey: string,
  ): Promise<Step> {
    let current: Step = { dialogue: from }
    for (const [index, input] of inputs.entries()) {
      if (stateOf(walk.menu, current.dialogue.state).passing) {
        const rest = inputs.slice(index)
        const pending = rest.every((waiting) => waitingInput.test(waiting)) ? rest : []
        return { ...current, dialogue: { ...current.dialogue, pending } }
      }
      const { dialogue } = await present(walk, current.dialogue)
      const hopKey = keys.text(walk.hop.key, `${textKey}\0${index}`)
      const stepped = step(walk.menu, dialogue, { type: 'input', text: input })
      // A path whose dialogue was lost looks like a deep dial too: done again, what turns a yes into a no would turn it back.
      if (stepped.action !== undefined && actions[stepped.action.name]?.bySight === true) return { dialogue }
      current = await act(walk, stepped, hopKey)
      if (current.reason !== undefined) break
    }
    return current
  }

  async function finish(walk: Walk, stepped: Step): Promise<Turn> {
    const { hop, phoneId, menu } = walk
    const { reason, values, quiet } = stepped
    const state = stateOf(menu, stepped.dialogue.state)
    hop.language = stepped.dialogue.language ?? hop.language
    const turn = {
      menuVersion: menu.version,
      phoneId,
      template: `answer.${state.answer ?? 'dial'}`,
      ended: state.kind === 'end',
    }
    // Nobody waits for the screen any more: do not read for it.
    if (hop.lateReply !== undefined)
      return { ...turn, dialogue: stepped.dialogue, reply: hop.lateReply, outcome: 'late' }
    const notice = reason === undefined ? undefined : { reason, values, quiet }
    const { dialogue, text } = await present(walk, stepped.dialogue, notice)
    const outcome = turn.ended ? 'ended' : reason === undefined || quiet === true ? 'shown' : reason
    return { ...turn, dialogue, reply: `${turn.ended ? 'END' : 'CON'} ${text}`, outcome }
  }

  return {
    isOld: (session: Session, atMs: number): boolean => atMs - session.beganAtMs > dialogueTimeoutMs,

    /** The first callback of a session: who calls, in which language, and where to. */
    async begin(hop: Hop, last: Session | undefined, now: Date): Promise<Turn> {
      const { call, programme } = hop
      metrics.sessions.inc({ event: 'begun' })
      const { caller, staff } = await whoCalls(db.reads, programme.id, call.msisdn)
      const known = { caller, staff: menus.has(staffMenu) ? staff : undefined }
      const opening = openingDialogue(programme, known)
      const menu = menuOf(programme, opening.menu)
      const isMember = caller !== undefined && caller.members.length > 0
      // Nothing is kept of, nor sent to, a number that is nobody's here.
      const phoneId = caller !== undefined && (isMember || caller.inDoubt) ? caller.phoneId : ''
      hop.isMember = phoneId !== ''
      if (isMember && isOlderThanADay(caller.lastSeenAt, now)) await noteSeen(db.pool, phoneId, now)
      const walk: Walk = { hop, menu, phoneId, now, first: true }
      hop.language = opening.language ?? hop.language
      if (call.text !== '') {
        const inputs = call.text.split('*').slice(0, deepInputsMax)
        const walked = await follow(walk, enter(menu, opening, menu.home).dialogue, inputs, '')
        // The first screen names nobody, so a deep dial cannot begin with the list of members.
        const naming = walked.dialogue.state === menu.gates.who
        return finish(walk, naming ? enter(menu, opening, menu.home) : walked)
      }
      const resuming = resumingDialogue(programme, known, last, (own) => menus.get(own ?? programme.menu))
      if (resuming === undefined) return finish(walk, greet(menu, enter(menu, opening, menu.home), caller))
      metrics.sessions.inc({ event: 'resume_offered' })
      walk.menu = menuOf(programme, resuming.menu)
      hop.language = resuming.language ?? hop.language
      return finish(walk, enter(walk.menu, resuming, walk.menu.gates.resume ?? walk.menu.home))
    },

    /** A later callback with one new input. */
    async go(hop: Hop, session: Session, input: string, now: Date): Promise<Turn> {
      const { dialogue } = session
      const menu = menuOf(hop.programme, dialogue.menu)
      const walk: Walk = { hop, menu, phoneId: session.phoneId, now, first: false }
      if (session.menuVersion !== menu.version) {
        const { language, memberId, staffId, alsoStaff, role, hasPin, unasked, shared, passed } = dialogue
        const kept = {
          ...newDialogue,
          menu: dialogue.menu,
          language,
          memberId,
          staffId,
          alsoStaff,
          role,
          hasPin,
          unasked,
          shared,
          passed,
        }
        return finish(walk, { ...enter(menu, kept, menu.home), reason: 'menu_changed' })
      }
      let current = await act(walk, step(menu, dialogue, { type: 'input', text: input }), hop.textHash)
      const { pending } = current.dialogue
      if (pending.length > 0) {
        const leaves = input === '0' || input === '00'
        const waits = stateOf(walk.menu, current.dialogue.state).passing
        if (leaves) current = { ...current, dialogue: { ...current.dialogue, pending: [] } }
        else if (!waits && current.reason === undefined)
          current = await follow(walk, { ...current.dialogue, pending: [] }, pending, hop.textHash)
      }
      return finish(walk, current)
    },
  }

  /** The first screen says once that her network refuses our messages; the messages screen says what to do. */
  function greet(menu: Menu, opened: Step, caller: Caller | undefined): Step {
    const isHome = opened.dialogue.state === menu.home
    const isHers = opened.dialogue.menu === undefined
    return caller?.networkBlocked === true && isHome && isHers
      ? { ...opened, reason: 'network_blocked' }
      : opened
  }
}
