// In: what a member dials and types. Out: USSD callbacks with the whole input path, and the screens that come back.
// Must never interpret an input: the network passes on what was typed, `*` and all.
import { type Clock, elapsedMs } from '../clock.ts'
import { septetsOf } from '../encoding.ts'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'
import type { Poster } from './poster.ts'
import type { Random } from './random.ts'

export interface UssdScreen {
  /** Undefined when the network found nobody at the dialled code. */
  sessionId: string | undefined
  text: string
  /** True: the member may answer. */
  open: boolean
  /** Undefined when the text is not GSM-7. */
  septets: number | undefined
  /** "failed": the text is the network's own, not the application's. */
  source: 'application' | 'failed'
}

export interface DialogueOptions {
  /** Codes that lead to Tama, for example ["*384*1#"]; empty: any code does. */
  serviceCodes: readonly string[]
  networkCode: string
  /** The customer's time for an answer. */
  idleMs: number
  /** The whole dialogue's time. */
  sessionMs: number
  /** The application's time for a reply. */
  replyMs: number
}

interface Dialogue {
  sessionId: string
  msisdn: string
  serviceCode: string
  inputs: string[]
  hops: number
  date: string
  startedMs: number
  lastReply: string
  idleTimer: NodeJS.Timeout | undefined
  sessionTimer: NodeJS.Timeout
}

type Ending = 'Success' | 'Incomplete' | 'Failed'

export interface DialogueDeps {
  clock: Clock
  logger: Logger
  poster: Poster
  random: Random
  options: DialogueOptions
  changed(msisdn: string): void
  counted(event: 'hops' | 'dialogues'): void
}

const networkFailure = 'Connection problem or invalid MMI code.'

export function createDialogues(deps: DialogueDeps) {
  const { clock, poster, random, options } = deps
  const openById = new Map<string, Dialogue>()
  const openByMsisdn = new Map<string, Dialogue>()

  function end(dialogue: Dialogue, status: Ending, errorMessage?: string): void {
    if (!openById.delete(dialogue.sessionId)) return
    if (openByMsisdn.get(dialogue.msisdn) === dialogue) openByMsisdn.delete(dialogue.msisdn)
    poster.cancel(dialogue.idleTimer)
    poster.cancel(dialogue.sessionTimer)
    deps.changed(dialogue.msisdn)
    if (!poster.hasBase()) return
    const { sessionId, serviceCode, msisdn, hops, lastReply } = dialogue
    void poster.deliver('ussd-end', {
      date: dialogue.date,
      sessionId,
      serviceCode,
      networkCode: options.networkCode,
      phoneNumber: msisdn,
      status,
      cost: '0',
      durationInMillis: String(Math.round(elapsedMs() - dialogue.startedMs)),
      hopsCount: String(hops),
      input: dialogue.inputs.join('*'),
      lastAppResponse: lastReply,
      errorMessage,
    })
  }

  function failed(sessionId: string | undefined, text: string): UssdScreen {
    return { sessionId, text, open: false, septets: septetsOf(text), source: 'failed' }
  }

  async function hop(dialogue: Dialogue): Promise<UssdScreen> {
    poster.cancel(dialogue.idleTimer)
    dialogue.hops += 1
    deps.counted('hops')
    const { sessionId } = dialogue
    const form = {
      sessionId,
      phoneNumber: dialogue.msisdn,
      networkCode: options.networkCode,
      serviceCode: dialogue.serviceCode,
      text: dialogue.inputs.join('*'),
    }
    const answer = await poster.post('ussd', form, options.replyMs).catch((error: unknown) => {
      deps.logger.debug({ event: 'emulator.ussd_failed', code: errorCode(error) })
      return undefined
    })
    const kind = answer?.status === 200 ? answer.body.slice(0, 4).trimEnd() : undefined
    if (answer === undefined || (kind !== 'CON' && kind !== 'END')) {
      end(dialogue, 'Failed', answer === undefined ? 'No reply in time' : 'Invalid reply')
      return failed(sessionId, networkFailure)
    }
    // She hung up, or time ran out, while the application was thinking.
    if (!openById.has(sessionId)) return failed(sessionId, networkFailure)
    dialogue.lastReply = answer.body
    const text = answer.body.slice(4)
    if (kind === 'END') end(dialogue, 'Success')
    else dialogue.idleTimer = poster.later(options.idleMs, () => end(dialogue, 'Incomplete'))
    return { sessionId, text, open: kind === 'CON', septets: septetsOf(text), source: 'application' }
  }

  /** Splits "*384*1*2*5#" into the code that is served and the rest that goes into the first `text`. */
  function route(dialled: string): { serviceCode: string; rest: string } | undefined {
    if (options.serviceCodes.length === 0) return { serviceCode: dialled, rest: '' }
    const inner = dialled.replace(/#$/, '')
    const codes = [...options.serviceCodes].sort((one, other) => other.length - one.length)
    for (const serviceCode of codes) {
      const stem = serviceCode.replace(/#$/, '')
      if (inner === stem) return { serviceCode, rest: '' }
      if (inner.startsWith(`${stem}*`)) return { serviceCode, rest: inner.slice(stem.length + 1) }
    }
    return undefined
  }

  return {
    /** Dials a code; an open dialogue of the same phone is hung up first, as a phone does. Never rejects. */
    async dial(msisdn: string, dialled: string): Promise<UssdScreen> {
      const open = openByMsisdn.get(msisdn)
      if (open !== undefined) end(open, 'Incomplete')
      const target = route(dialled)
      if (target === undefined || !poster.hasBase()) return failed(undefined, networkFailure)
      deps.counted('dialogues')
      const dialogue: Dialogue = {
        sessionId: `ATUid_${random.hex(32)}`,
        msisdn,
        serviceCode: target.serviceCode,
        inputs: target.rest === '' ? [] : [target.rest],
        hops: 0,
        date: clock.now().toISOString().slice(0, 19).replace('T', ' '),
        startedMs: elapsedMs(),
        lastReply: '',
        idleTimer: undefined,
        sessionTimer: poster.later(options.sessionMs, () => end(dialogue, 'Incomplete')),
      }
      openById.set(dialogue.sessionId, dialogue)
      openByMsisdn.set(msisdn, dialogue)
      return hop(dialogue)
    },
    /** Answers a screen. Never rejects; a dialogue that is over gives the network's own failure text. */
    async input(sessionId: string, typed: string): Promise<UssdScreen> {
      const dialogue = openById.get(sessionId)
      if (dialogue === undefined) return failed(sessionId, networkFailure)
      dialogue.inputs.push(typed)
      return hop(dialogue)
    },
    /** Leaves a dialogue by the red key; nothing happens when it is over. */
    hangUp(sessionId: string): void {
      const dialogue = openById.get(sessionId)
      if (dialogue !== undefined) end(dialogue, 'Incomplete')
    },
    /** Whose dialogue it is, while it is open. */
    callerOf: (sessionId: string) => openById.get(sessionId)?.msisdn,
    /** The open dialogue of a phone, if there is one. */
    sessionOf: (msisdn: string) => openByMsisdn.get(msisdn)?.sessionId,
  }
}
