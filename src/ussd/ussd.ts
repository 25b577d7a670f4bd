// In: one USSD callback. Out: "CON ..." or "END ...", always, within 8 seconds; an answer that takes longer follows by SMS.
// Load, step, act, read, show, save. Must never log, store or repeat what was typed: it may be a PIN.
import { localParts } from '../calendar.ts'
import { type Clock, elapsedMs, withTimeout } from '../clock.ts'
import type { Db } from '../db.ts'
import { DependencyError, errorCode } from '../errors.ts'
import type { I18n } from '../i18n.ts'
import type { Logger } from '../logger.ts'
import type { Pins } from '../members/pin.ts'
import type { ProgrammeInfo } from '../members/programmes.ts'
import type { Metrics } from '../metrics.ts'
import { maskMsisdn } from '../msisdn.ts'
import { createMessages } from '../outbound/outbox.ts'
import { createConversation, type Hop, type Turn } from './conversation.ts'
import { createLateAnswers } from './late.ts'
import type { Menu } from './menu.ts'
import { type PathCounter, seenWith } from './paths.ts'
import { createRenderer } from './render.ts'
import { createSessionKeys, readText, type Session, type UssdCall } from './session.ts'
import type { Loaded, SessionStore } from './session-store.ts'

export interface UssdDeps {
  db: Db
  clock: Clock
  logger: Logger
  metrics: Metrics
  i18n: I18n
  /** By name; checked by `checkMenus` before. */
  menus: ReadonlyMap<string, Menu>
  programmes: readonly ProgrammeInfo[]
  sessions: SessionStore
  pins: Pins
  /** Secret for the keyed hashes of sessions, callers and texts. */
  sessionKey: string
  /** Where dialogues go and stop [not counted]. */
  paths?: PathCounter
  /** When END goes out instead of a screen [7500]. */
  deadlineMs?: number
}

export type Ussd = ReturnType<typeof createUssd>

interface Answer {
  reply: string
  outcome: string
  state?: string
  /** Why there is no screen. */
  code?: string
}

/** How often a callback that lost a race is tried again; each time it finds more of its work done. */
const racesMax = 4
const lateAnswerKeptMs = 2 * 60 * 60_000
const givenMax = 20_000
const drainMs = 20_000

export function createUssd(deps: UssdDeps) {
  const { db, clock, logger, metrics, sessions, deadlineMs = 7_500 } = deps
  const keys = createSessionKeys(deps.sessionKey)
  const speakingIn = (texts: Pick<UssdDeps, 'i18n' | 'menus'>) => {
    const renderer = createRenderer(texts.i18n)
    return { renderer, conversation: createConversation({ ...deps, ...texts, renderer, keys }) }
  }
  let { renderer, conversation } = speakingIn(deps)
  let menus = deps.menus
  const late = createLateAnswers({ logger, metrics })
  const programmes = new Map(deps.programmes.map((programme) => [programme.serviceCode, programme]))
  /** Callbacks of one session wait for one another, so that a repeated one finds the answer of the first. */
  const underWay = new Map<string, Promise<unknown>>()
  /** END answers given while nothing could be stored: the same callback must get the same bytes. */
  const given = new Map<string, string>()

  async function handle(hop: Hop): Promise<Answer & { turn?: Turn }> {
    for (let race = 0; race < racesMax; race += 1) {
      const now = clock.now()
      const loaded = await sessions.load(hop.key, hop.textHash, hop.caller, now)
      const turn = await proceed(hop, loaded, now)
      if ('repeated' in turn) return { reply: turn.repeated, outcome: turn.outcome }
      const { dialogue } = turn
      // The dialogue has already been told that the answer is late.
      const reply = hop.lateReply ?? turn.reply
      const session: Session = {
        menuVersion: turn.menuVersion,
        phoneId: turn.phoneId,
        dialogue,
        ended: turn.ended || hop.lateReply !== undefined,
        seenLength: hop.call.text.length,
        seenHash: hop.textHash,
        seen: seenIn(hop, loaded.session, dialogue),
        beganAtMs: loaded.session?.beganAtMs ?? hop.atMs,
        lastAtMs: now.getTime(),
      }
      const { key, textHash } = hop
      const caller = loaded.version === 0 || loaded.session === undefined ? callerOf(hop) : undefined
      const saved = await sessions.save({ key, version: loaded.version, session, caller, textHash, reply })
      if (saved) {
        count(hop, loaded.session, session)
        return { reply, outcome: turn.outcome, state: dialogue.state, turn }
      }
    }
    throw new DependencyError('dependency.slow', 'A session changed under every try')
  }

  function seenIn({ programme }: Hop, before: Session | undefined, dialogue: Session['dialogue']): string {
    const menu = menus.get(dialogue.menu ?? programme.menu)
    return deps.paths === undefined || menu === undefined ? '' : seenWith(menu, before, dialogue)
  }

  function count({ programme }: Hop, before: Session | undefined, after: Session): void {
    if (deps.paths === undefined) return
    const day = localParts(new Date(after.beganAtMs), programme.timeZone).date
    deps.paths.note({ programmeId: programme.id, day, ownMenu: programme.menu, before, after })
  }

  const callerOf = ({ caller, programme, call }: Hop) => caller ?? keys.caller(programme.id, call.msisdn)

  async function proceed(
    hop: Hop,
    loaded: Loaded,
    now: Date,
  ): Promise<Turn | { repeated: string; outcome: string }> {
    const { session } = loaded
    const { call } = hop
    if (session === undefined) return conversation.begin(hop, loaded.last, now)
    hop.language = session.dialogue.language ?? hop.language
    hop.isMember = session.phoneId !== ''
    if (loaded.reply !== undefined) return { repeated: loaded.reply, outcome: 'repeated' }
    const reading = readText(session, call.text, (text) => keys.text(hop.key, text))
    // What was never answered and goes on from nothing that she saw may be somebody else's: it gets no screen of hers.
    if (reading.kind !== 'next') return refuse(hop, 'mismatch')
    if (session.ended) return refuse(hop, 'ended')
    if (conversation.isOld(session, hop.atMs)) return refuse(hop, 'old')
    return conversation.go(hop, session, reading.input, now)
  }

  /** The dialogue itself stays as it is: a stray callback must not end hers. */
  function refuse(hop: Hop, why: 'mismatch' | 'ended' | 'old'): { repeated: string; outcome: string } {
    metrics.sessions.inc({ event: `refused_${why}` })
    logger.warn({ event: 'ussd.refused', why, session: hop.key.slice(0, 8) })
    const code = `${hop.programme.serviceCode}#`
    return { repeated: renderer.closing(hop.language, 'over', { code }), outcome: why }
  }

  function inTurn<Result>(key: string, work: () => Promise<Result>): Promise<Result> {
    const before = underWay.get(key)
    const result = before === undefined ? work() : before.then(work, work)
    underWay.set(key, result)
    const forget = () => {
      if (underWay.get(key) === result) underWay.delete(key)
    }
    result.then(forget, forget)
    return result
  }

  /** What she is told instead of a screen. An SMS is promised only to a member, and only when one will follow. */
  function answerBySms(hop: Hop, work: Promise<unknown>): string {
    metrics.sessions.inc({ event: 'late' })
    let first: Promise<unknown> | undefined = work
    const follows = late.follow(hop.key.slice(0, 8), async () => {
      const running = first ?? handle(hop)
      first = undefined
      const { turn } = (await running) as { turn?: Turn }
      if (turn !== undefined) await writeAnswer(hop, turn)
    })
    const reply = renderer.closing(hop.language, follows && hop.isMember ? 'late' : 'late_again')
    hop.lateReply = reply
    given.set(hop.textHash, reply)
    const oldest = given.size > givenMax ? given.keys().next().value : undefined
    if (oldest !== undefined) given.delete(oldest)
    return reply
  }

  async function writeAnswer(hop: Hop, turn: Turn): Promise<void> {
    const { memberId } = turn.dialogue
    if (turn.phoneId === '') return
    const now = clock.now()
    await createMessages(db.pool, [
      {
        programmeId: hop.programme.id,
        ...(memberId === undefined ? {} : { memberId }),
        phoneId: turn.phoneId,
        purpose: 'reply',
        template: turn.template,
        lane: 'urgent',
        dedupeKey: `late-answer/${hop.key}/${hop.textHash}`,
        notBefore: now,
        expiresAt: new Date(now.getTime() + lateAnswerKeptMs),
      },
    ])
  }

  async function answerHop(hop: Hop): Promise<Answer> {
    const known = given.get(hop.textHash)
    if (known !== undefined) return { reply: known, outcome: 'repeated' }
    const work = inTurn(hop.key, () => handle(hop))
    try {
      return await withTimeout(work, deadlineMs)
    } catch (error) {
      const reply = answerBySms(hop, work)
      const code = errorCode(error)
      return { reply, outcome: code === 'dependency.slow' ? 'late' : 'failed', code }
    }
  }

  return {
    /** Other menus and texts from the next callback on; what is remembered of answers given stays. */
    use(texts: Pick<UssdDeps, 'i18n' | 'menus'>): void {
      ;({ renderer, conversation } = speakingIn(texts))
      menus = texts.menus
    },

    /** Never rejects. `only`: the one programme that the caller may reach, by its id; a code of another one is unknown to it. */
    async answer(call: UssdCall, only?: string): Promise<string> {
      const startedMs = elapsedMs()
      const programme = programmes.get(call.serviceCode.replace(/#$/, ''))
      if (programme === undefined || (only !== undefined && programme.id !== only)) {
        metrics.hops.inc({ outcome: 'unknown_code' })
        logger.warn({ event: 'ussd.unknown_code', provider: call.provider })
        return renderer.closing(deps.programmes[0]?.languages[0] ?? 'en', 'unknown_code')
      }
      const key = keys.session(call)
      const hop: Hop = {
        call,
        programme,
        key,
        // Only a plain first dial is offered to go on where another one was dropped.
        caller: call.text === '' ? keys.caller(programme.id, call.msisdn) : undefined,
        textHash: keys.text(key, call.text),
        language: programme.languages[0] ?? 'en',
        isMember: false,
        atMs: clock.now().getTime(),
        lateReply: undefined,
      }
      let answer: Answer
      try {
        answer = await answerHop(hop)
      } catch (error) {
        logger.error({ event: 'ussd.failed', code: errorCode(error) })
        answer = { reply: 'END Please dial again later.', outcome: 'failed' }
      }
      const ms = elapsedMs() - startedMs
      metrics.hops.inc({ outcome: answer.outcome })
      metrics.hopSeconds.observe({ outcome: answer.outcome }, ms / 1000)
      logger.info({
        event: 'ussd.hop',
        session: key.slice(0, 8),
        programme: programme.code,
        state: answer.state,
        outcome: answer.outcome,
        code: answer.code,
        ms: Math.round(ms * 10) / 10,
        msisdn: maskMsisdn(call.msisdn),
      })
      return answer.reply
    },

    /** For a callback that the edge could not read. */
    malformed(): string {
      return renderer.closing(deps.programmes[0]?.languages[0] ?? 'en', 'unreadable')
    },

    /** The provider's end-of-session note: counted only; a dropped dialogue can be resumed either way. */
    ended(note: {
      provider: string
      sessionId: string
      msisdn: string
      serviceCode: string
      status: string
    }): Promise<void> {
      const status = note.status.toLowerCase()
      const event = ['success', 'incomplete', 'failed'].includes(status) ? status : 'other'
      metrics.sessions.inc({ event: `ended_${event}` })
      return Promise.resolve()
    },

    /** Waits for what is under way and gives late answers one last try; 20 seconds at most. */
    async drain(): Promise<void> {
      const settled = Promise.allSettled(underWay.values()).then(() => late.drain())
      await withTimeout(settled, drainMs).catch(() => logger.warn({ event: 'ussd.drain_incomplete' }))
    },
  }
}
