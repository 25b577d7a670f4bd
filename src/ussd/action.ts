// In: what an action is handed. Out: what it must give back. Shared by the action files, one for each theme.
import type { Db } from '../db.ts'
import { InvariantError } from '../errors.ts'
import type { I18n } from '../i18n.ts'
import type { Saying } from '../members/consent.ts'
import type { Pins } from '../members/pin.ts'
import type { ProgrammeInfo } from '../members/programmes.ts'
import type { Metrics } from '../metrics.ts'
import type { LineValues, Samples } from './data.ts'
import type { Dialogue } from './session.ts'

export interface ActionContext {
  db: Db
  pins: Pins
  i18n: I18n
  metrics: Metrics
  programme: ProgrammeInfo
  dialogue: Dialogue
  phoneId: string
  msisdn: string
  now: Date
  /** Names this input of this session; the same callback has the same key. */
  hopKey: string
  /** Keyed hash of the caller's number. */
  caller: string
  /** Keyed hash of a typed text that may not be kept. */
  markOf(text: string): string
  /** How a word about our messages is taken down here. */
  saying: Saying
}

export interface ActionResult {
  outcome: string
  /** Changes to the dialogue. */
  changes?: Partial<Dialogue>
  /** For the next screen's text or reason. */
  values?: LineValues
}

export interface Action {
  outcomes: readonly string[]
  /** What an input means depends on what the screen showed: not to be done on inputs that were typed before it was seen. */
  bySight?: true
  /** What her hands do for it, for the pace check [two keys]: keys, or so many letters at a time, so many times. */
  types?: { keys: number } | { letters: number; times: number }
  /** Longest values that its outcomes bring, for the boot check. */
  values?: (sample: Samples) => LineValues
  run(context: ActionContext, value: string): Promise<ActionResult>
}

export function memberOf({ dialogue }: ActionContext): string {
  if (dialogue.memberId === undefined) throw new InvariantError('An action needs a member')
  return dialogue.memberId
}
