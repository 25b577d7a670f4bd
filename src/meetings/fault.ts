// Why a meeting, a training or a calendar cannot be as somebody asks. The words are for the one who asked; no value of hers is repeated.

export type MeetingFaultCode =
  | 'rule.malformed'
  | 'rule.freq'
  | 'rule.part'
  | 'rule.twice'
  | 'rule.value'
  | 'rule.combination'
  | 'rule.never'
  | 'date.invalid'
  | 'time.invalid'
  | 'place.invalid'
  | 'group.unknown'
  | 'module.unknown'
  | 'meeting.unknown'
  /** It has begun, or would begin in the past. */
  | 'meeting.past'
  /** More than two years ahead: a slip of the keyboard. */
  | 'meeting.far'
  /** Put it back before it is moved. */
  | 'meeting.cancelled'

export interface MeetingFault {
  /** As the API names it: "rule", "startsAt". */
  field: string
  code: MeetingFaultCode
  detail: string
}
