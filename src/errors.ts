// Every fault Tama can name: a code, a sentence for operators, and how the outside is answered.
// A message here never holds a number, a name, a text or a PIN.

/** Codes of faults that a caller of our HTTP edge can cause, with the status that answers them. */
export const requestErrors = {
  'request.malformed': { status: 400, sentence: 'The request is not well formed.' },
  'request.field_invalid': { status: 400, sentence: 'A field is missing or wrong.' },
  'request.too_large': { status: 413, sentence: 'The body is larger than this route accepts.' },
  'request.content_type': {
    status: 415,
    sentence: 'The body has a content type that this route does not take.',
  },
  'auth.missing': { status: 401, sentence: 'A valid key is needed.' },
  'auth.scope': { status: 403, sentence: 'This key may not do that.' },
  'rate.exceeded': { status: 429, sentence: 'This key asked too often: try again when its minute is over.' },
  'idempotency.conflict': {
    status: 409,
    sentence: 'This idempotency key already names a different request.',
  },
  'route.unknown': { status: 404, sentence: 'There is nothing here.' },
  'entry.reference_conflict': { status: 409, sentence: 'This reference already names a different entry.' },
  'entry.reference_concurrent': {
    status: 409,
    sentence: 'The same reference is being posted right now: try again.',
  },
  'entry.unbalanced': { status: 422, sentence: 'The postings of an entry must sum to zero.' },
  'entry.currency_mix': { status: 422, sentence: 'All postings of an entry must be in one currency.' },
  'entry.decimals': { status: 422, sentence: 'An amount has more decimals than its currency.' },
  'entry.date_future': { status: 422, sentence: 'The booked day is still to come.' },
  'entry.account_unknown': { status: 422, sentence: 'A posting names an account that does not exist.' },
  'entry.account_closed': { status: 422, sentence: 'A posting names a closed account.' },
  'entry.already_reversed': { status: 409, sentence: 'This entry is already reversed.' },
  'entry.reversal_unknown': { status: 422, sentence: 'There is no such entry to reverse.' },
  'entry.reversal_invalid': {
    status: 422,
    sentence: 'A reversal must mirror an entry that is not itself a reversal.',
  },
  'account.code_conflict': { status: 409, sentence: 'This account code is already used for something else.' },
  'loan.schedule_invalid': { status: 422, sentence: 'The schedule does not fit the loan.' },
  'loan.schedule_paid': {
    status: 409,
    sentence: 'The new schedule contradicts what is paid or charged.',
  },
  'loan.number_taken': { status: 409, sentence: 'This loan number is already used.' },
  'case.taken': { status: 409, sentence: 'Somebody else works on this case.' },
  'case.over': { status: 409, sentence: 'This case is closed.' },
  'case.no_appointment': {
    status: 422,
    sentence: 'Only who asked for an adviser has an appointment.',
  },
  'case.closed': { status: 409, sentence: 'This case is closed with another outcome.' },
  'notice.refused': { status: 422, sentence: 'The notice cannot be written or sent like this.' },
  'notice.reference_conflict': { status: 409, sentence: 'This reference already names a different notice.' },
  'notice.too_late': { status: 409, sentence: 'The notice is past the point where this can be done.' },
  'meeting.refused': { status: 422, sentence: 'The meeting or calendar cannot be like this.' },
  'group.code_taken': { status: 409, sentence: 'This group code is already used for another group.' },
  'member.unknown': { status: 422, sentence: 'There is no such member.' },
  'member.number_taken': { status: 409, sentence: 'This member number is already used for somebody else.' },
  'member.erased': { status: 409, sentence: 'This member was erased: nothing of her is written any more.' },
  'group.unknown': { status: 422, sentence: 'There is no such group.' },
  'phone.confirmation_needed': {
    status: 409,
    sentence:
      'A number of a member who had one before is bound by the word of two people: post confirmations.',
  },
  'webhook.disabled': { status: 409, sentence: 'This webhook is disabled: enable it first.' },
  'confirmation.not_entitled': {
    status: 422,
    sentence:
      'Only active staff, or an elected officer of her own group, can confirm a phone, and nobody of the staff her own.',
  },
  'confirmation.same_person': {
    status: 409,
    sentence: 'This person has already confirmed: another one is needed.',
  },
  'confirmation.facilitator_needed': { status: 409, sentence: 'One of the two must be a facilitator.' },
  'confirmation.not_needed': { status: 409, sentence: 'This phone is hers beyond doubt.' },
  'pin.not_her_facilitator': {
    status: 422,
    sentence:
      "A PIN is reset in person by the facilitator of the member's group, whose own phone is none of the member's.",
  },
  'staff.unknown': { status: 422, sentence: 'The programme has no such staff.' },
  'pin.not_an_administrator': {
    status: 422,
    sentence:
      'The PIN of staff is reset by an active administrator of the programme, and not by the one it belongs to.',
  },
} as const

export type RequestErrorCode = keyof typeof requestErrors

/** The caller's fault. `detail` names the field or row and is shown to the caller; it must not repeat personal data. */
export class RequestError extends Error {
  readonly code: RequestErrorCode
  readonly status: number
  readonly field: string | undefined
  readonly detail: string | undefined
  constructor(code: RequestErrorCode, options: { field?: string; detail?: string; cause?: unknown } = {}) {
    super(requestErrors[code].sentence, { cause: options.cause })
    this.name = 'RequestError'
    this.code = code
    this.status = requestErrors[code].status
    this.field = options.field
    this.detail = options.detail
  }
}

/** What a provider's answer means for one call or one recipient. */
export const sendErrors = {
  'send.refused_connection': {
    retry: true,
    outcomeUnknown: false,
    sentence: 'The provider could not be reached; nothing was sent.',
  },
  'send.timeout': {
    retry: false,
    outcomeUnknown: true,
    sentence: 'The provider did not answer in time; the message may have gone.',
  },
  'send.broken_answer': {
    retry: false,
    outcomeUnknown: true,
    sentence: 'The provider answered something unreadable after taking the message.',
  },
  'send.server_error': {
    retry: false,
    outcomeUnknown: true,
    sentence: 'The provider failed after taking the message.',
  },
  'send.throttled': { retry: true, outcomeUnknown: false, sentence: 'The provider asks for fewer calls.' },
  'send.unauthorised': { retry: true, outcomeUnknown: false, sentence: 'The provider refuses our key.' },
  'send.request_invalid': {
    retry: false,
    outcomeUnknown: false,
    sentence: 'The provider refuses the request as malformed.',
  },
  'send.no_recipients': {
    retry: false,
    outcomeUnknown: false,
    sentence: 'The provider took none of the recipients and said why for the whole call.',
  },
  'send.account': {
    retry: true,
    outcomeUnknown: false,
    sentence: 'The account cannot send: sender or balance.',
  },
  'send.number_invalid': { retry: false, outcomeUnknown: false, sentence: 'The number cannot receive SMS.' },
  'send.blacklisted': {
    retry: false,
    outcomeUnknown: false,
    sentence: 'The receiver blocked messages from this sender.',
  },
  'send.rejected': {
    retry: false,
    outcomeUnknown: false,
    sentence: 'The provider or network rejected the message.',
  },
  'send.provider_retryable': {
    retry: true,
    outcomeUnknown: false,
    sentence: 'The provider could not take the message now.',
  },
} as const

export type SendErrorCode = keyof typeof sendErrors

/** A message did not go, or we do not know. `retry` and `outcomeUnknown` decide what happens next. */
export class SendError extends Error {
  readonly code: SendErrorCode
  readonly retry: boolean
  readonly outcomeUnknown: boolean
  constructor(code: SendErrorCode, options: { cause?: unknown } = {}) {
    super(sendErrors[code].sentence, { cause: options.cause })
    this.name = 'SendError'
    this.code = code
    this.retry = sendErrors[code].retry
    this.outcomeUnknown = sendErrors[code].outcomeUnknown
  }
}

export type DependencyErrorCode =
  | 'dependency.database'
  | 'dependency.redis'
  | 'dependency.queue'
  | 'dependency.slow'

/** Something we need is away or slow; the same request may succeed later. */
export class DependencyError extends Error {
  readonly code: DependencyErrorCode
  constructor(code: DependencyErrorCode, message: string, options: { cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'DependencyError'
    this.code = code
  }
}

/** Our own mistake: stops the request, never the process. */
export class InvariantError extends Error {
  readonly code = 'invariant'
  constructor(message: string) {
    super(message)
    this.name = 'InvariantError'
  }
}

/** Faults found in configuration, menus or locales; all of them at once, and the start stops. */
export class StartError extends Error {
  readonly faults: readonly string[]
  constructor(what: string, faults: readonly string[]) {
    super(`${what}:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`)
    this.name = 'StartError'
    this.faults = faults
  }
}

/** A stable word for logs, metrics and stored errors; never the message, which may quote data. */
export function errorCode(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string')
    return error.code
  return error instanceof Error ? error.name : 'unknown'
}
