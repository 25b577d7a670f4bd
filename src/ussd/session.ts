// What is remembered between two callbacks of one dialogue, and how its keys are made.
// Must never hold the path that was typed, which may hold a PIN: only its length and a keyed hash. The words of a notice that is being
// written are kept apart from it, so that a dropped call does not lose them.
import { hash } from 'node:crypto'

export interface UssdCall {
  provider: string
  sessionId: string
  msisdn: string
  serviceCode: string
  networkCode?: string
  /** All inputs of the session so far, joined by "*". */
  text: string
}

export interface ShownOption {
  key: string
  /** An option of the menu, or "@pick" for one that came from data. */
  name: string
  value?: string
}

/** Where a dropped dialogue stood. */
export interface Resumable {
  state: string
  trail: string[]
  memberId: string | undefined
  staffId: string | undefined
  role: string
  hasPin: boolean
  chosen: string | undefined
  noted: Readonly<Record<string, string>>
  unasked: boolean
}

/** What the engine reads and changes. No field is optional: dialogueOf would forget one that is, and nothing would say so. */
export interface Dialogue {
  /** Another menu than the programme's own. */
  menu: string | undefined
  state: string
  /** Where "back" leads, last first. */
  trail: string[]
  page: number
  more: boolean
  /** What stands above the first of several pages; the others keep room for it, or their borders would move. */
  notice: { reason: string; values?: Readonly<Record<string, string>> } | undefined
  /** What stood on the last screen: an input is understood as she saw it. */
  shown: ShownOption[]
  language: string | undefined
  memberId: string | undefined
  /** Who works for the programme, in the staff menu; then there is no member. */
  staffId: string | undefined
  /** The number is also one of the staff's: her own menu leads to the staff menu. */
  alsoStaff: boolean
  role: string
  hasPin: boolean
  /** She has never said what we may send her. */
  unasked: boolean
  /** Several members use this phone. */
  shared: boolean
  /** The PIN was right in this dialogue. */
  passed: boolean
  /** Where she was heading when a gate stopped her. */
  target: string | undefined
  /** Inputs of a deep dial that wait for the PIN; one or two digits each, so never a PIN. */
  pending: string[]
  /** What the screen is about, for example a meeting. */
  subject: string | undefined
  /** What she picked out of a list, for the screens behind it: an entry, or a receipt that was verified. */
  chosen: string | undefined
  /** What was picked and written on the way to a notice, a meeting or a list: kept when the call drops, never a PIN. */
  noted: Readonly<Record<string, string>>
  /** Version of the wording in which she was last asked about our messages. */
  wording: string | undefined
  /** Values of the last outcome, for the screen it led to. */
  values: Readonly<Record<string, string>> | undefined
  /** Argon2id hash of a new PIN until it is repeated. */
  draft: string | undefined
  resumable: Resumable | undefined
}

/** Nothing known yet. */
export const newDialogue: Dialogue = dialogueOf({
  menu: undefined,
  state: '',
  trail: [],
  page: 0,
  more: false,
  notice: undefined,
  shown: [],
  language: undefined,
  memberId: undefined,
  staffId: undefined,
  alsoStaff: false,
  role: '',
  hasPin: false,
  unasked: false,
  shared: false,
  passed: false,
  target: undefined,
  pending: [],
  subject: undefined,
  chosen: undefined,
  noted: {},
  wording: undefined,
  values: undefined,
  draft: undefined,
  resumable: undefined,
})

/** The same with its fields in one order, wherever it came from: V8 reads from objects of one shape without looking for the field. */
export function dialogueOf(dialogue: Dialogue): Dialogue {
  return {
    menu: dialogue.menu,
    state: dialogue.state,
    trail: dialogue.trail,
    page: dialogue.page,
    more: dialogue.more,
    notice: dialogue.notice,
    shown: dialogue.shown,
    language: dialogue.language,
    memberId: dialogue.memberId,
    staffId: dialogue.staffId,
    alsoStaff: dialogue.alsoStaff,
    role: dialogue.role,
    hasPin: dialogue.hasPin,
    unasked: dialogue.unasked,
    shared: dialogue.shared,
    passed: dialogue.passed,
    target: dialogue.target,
    pending: dialogue.pending,
    subject: dialogue.subject,
    chosen: dialogue.chosen,
    noted: dialogue.noted,
    wording: dialogue.wording,
    values: dialogue.values,
    draft: dialogue.draft,
    resumable: dialogue.resumable,
  }
}

export interface Session {
  menuVersion: number
  phoneId: string
  dialogue: Dialogue
  ended: boolean
  /** Length and keyed hash of the whole text seen so far. */
  seenLength: number
  seenHash: string
  /** Screens of its menu that it has shown (paths.ts). */
  seen?: string
  /** Milliseconds since 1970 of the first callback. */
  beganAtMs: number
  /** Milliseconds since 1970 of the last callback. */
  lastAtMs: number
}

/** A callback later than this after the first one belongs to no dialogue (the network's own limit), however busy it was kept. */
export const dialogueTimeoutMs = 180_000
/** How long a dropped dialogue can be resumed and an answer repeated. */
export const keptMs = 600_000

/**
 * 128 bits are plenty for a key and half as long to store. A secret in front makes SHA-512/256 a keyed hash: nothing can be
 * appended to what it took in (FIPS 180-4, 6.7), and it costs a quarter of an HMAC, of which a hop would take three.
 */
function keyedHash(secret: string, text: string): string {
  return hash('sha512-256', `${secret}\0${text}`, 'base64url').slice(0, 22)
}

export interface SessionKeys {
  session(call: { provider: string; serviceCode: string; sessionId: string; msisdn: string }): string
  caller(programmeId: string, msisdn: string): string
  /** Names one input path of one session; also the idempotency key of what it does. */
  text(sessionKey: string, text: string): string
  /** Stands for a typed text where the text itself may not be kept: the same text has the same mark. */
  mark(programmeId: string, text: string): string
}

export function createSessionKeys(secret: string): SessionKeys {
  return {
    // The separator cannot occur in a form field that passed the edge, so parts cannot run into each other.
    session: (call) =>
      keyedHash(secret, `session\0${call.provider}\0${call.serviceCode}\0${call.sessionId}\0${call.msisdn}`),
    caller: (programmeId, msisdn) => keyedHash(secret, `caller\0${programmeId}\0${msisdn}`),
    text: (sessionKey, text) => keyedHash(secret, `text\0${sessionKey}\0${text}`),
    mark: (programmeId, text) => keyedHash(secret, `mark\0${programmeId}\0${text}`).slice(0, 8),
  }
}

/** How a callback's text relates to what was seen before. */
export type Reading =
  | { kind: 'same' }
  | { kind: 'next'; input: string }
  /** Late, out of order, or of another path. */
  | { kind: 'other' }

/** The new input is the suffix after the text seen and one "*"; it may hold "*" and "#" itself. */
export function readText(
  session: Pick<Session, 'seenLength' | 'seenHash'>,
  text: string,
  hashOf: (text: string) => string,
): Reading {
  const { seenLength, seenHash } = session
  if (text.length === seenLength) return hashOf(text) === seenHash ? { kind: 'same' } : { kind: 'other' }
  if (text.length < seenLength) return { kind: 'other' }
  if (seenLength === 0) return { kind: 'next', input: text }
  if (text[seenLength] !== '*' || hashOf(text.slice(0, seenLength)) !== seenHash) return { kind: 'other' }
  return { kind: 'next', input: text.slice(seenLength + 1) }
}
