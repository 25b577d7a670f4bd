// What a keyword is, and how an answer to one is described. The text that was written is part of no answer.
import type { Queryable } from '../db.ts'
import type { I18n } from '../i18n.ts'
import type { Saying } from '../members/consent.ts'
import type { ProgrammeInfo } from '../members/programmes.ts'
import type { StaffMember } from '../members/staff.ts'
import { fold } from './fold.ts'

export interface SenderMember {
  id: string
  language: string | null
  smsForm: 'discreet' | 'full'
  status: 'active' | 'suspended' | 'left'
}

export interface Sender {
  phoneId: string
  language: string | null
  optedOut: boolean
  /** Its network refuses our messages. */
  networkBlocked: boolean
  /** Everybody who shares the phone; none for a number that we do not know. */
  members: SenderMember[]
}

export interface KeywordContext {
  tx: Queryable
  i18n: I18n
  now: Date
  programme: ProgrammeInfo
  sender: Sender
  /** Our own id of the text. */
  inboundId: string
  /** What follows the keyword, folded: small letters, no accents. */
  rest: string
  /** The whole text as it was written; kept by nobody but who asks that it be sent on. */
  words: string
  /** Who works for the programme and may write by phone; looked up for their own keywords only. */
  staff: StaffMember | undefined
}

export interface KeywordAnswer {
  /** Text key in sms.json. */
  template: string
  /** Set when the answer is about one member; then her language and form count. */
  memberId?: string
  /** The meeting that it states. */
  meetingId?: string
  params?: Record<string, string>
}

export interface Keyword {
  /** Key in keywords.json. */
  name: string
  /** A number that belongs to no member may use it too. */
  forStrangers: boolean
  /** A word of staff: from any other number it is not understood, so that nobody learns who is staff. */
  forStaff?: true
  answer(context: KeywordContext): Promise<KeywordAnswer> | KeywordAnswer
}

/** The only member on the phone; on a shared phone nobody has shown who writes. */
export function onlyMember(sender: Sender): SenderMember | undefined {
  const [only, ...others] = sender.members
  return others.length === 0 ? only : undefined
}

/** An answer whose form the decision chooses: full only for the only member of the phone who asked for full texts. */
export function aboutSender(template: string, sender: Sender): KeywordAnswer {
  const member = onlyMember(sender)
  return member?.status === 'active' ? { template, memberId: member.id } : { template }
}

/** STOP and START are her own words, not an answer to ours. */
export function sayingOf({ sender, programme, inboundId, now }: KeywordContext): Saying {
  return bySms(inboundId, now, onlyMember(sender)?.language ?? sender.language ?? programme.languages[0])
}

/** A word of hers by a text; one text says one word, however often it comes. */
export function bySms(inboundId: string, at: Date, language?: string): Saying {
  const callback = `sms/${inboundId}`
  return { channel: 'sms', wording: 'keyword', language, collector: 'herself', at, callback }
}

/** What of a text stands behind its first words, as it was written; `folded` is that part, folded. */
export function wordsAfter(text: string, folded: string): string {
  if (folded === '') return ''
  for (const { index } of text.matchAll(/(?<=\s)\S/g)) {
    const behind = text.slice(index)
    if (fold(behind).startsWith(folded)) return behind.trim()
  }
  return ''
}
