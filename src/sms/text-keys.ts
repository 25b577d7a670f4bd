// The SMS texts that the code asks for, by family; a language has these and no others. A new template is one line here.
const families: Readonly<Record<string, string>> = {
  'receipt.loan_repayment': 'discreet full full_paid',
  'receipt.savings_deposit': 'discreet full',
  'receipt.savings_withdrawal': 'discreet full',
  'correction.entry': 'discreet full',
  'loan.disbursed': 'discreet full full_part',
  'reminder.due_soon': 'discreet full',
  'reminder.due_missed': 'discreet full',
  'reminder.meeting': 'discreet full',
  'reminder.training': 'discreet full',
  notice: 'meeting_cancelled bring_booklet',
  'notice.meeting_moved': 'discreet full',
  'notice.training_topic': 'discreet full',
  'meeting.moved': 'discreet full',
  'meeting.cancelled': 'discreet full',
  'training.moved': 'discreet full',
  'training.cancelled': 'discreet full',
  reply:
    'help stopped started started_blocked started_blocked_dial language language_set unknown stranger stranger_call',
  'case.appointment': 'discreet',
  'case.appointment_moved': 'discreet',
  'case.appointment_cancelled': 'discreet',
  'reply.balance': 'discreet full full_none',
  'reply.due': 'discreet full full_none',
  'reply.meeting': 'discreet full full_none',
  'reply.coming': 'discreet',
  'reply.not_coming': 'discreet',
  staff:
    'notice_ready notice_usage notice_long notice_refused notice_sent notice_waiting notice_wrong notice_void',
  'answer.loan': 'discreet full full_no_date full_none',
  'answer.schedule': 'discreet full full_none',
  'answer.savings': 'discreet full full_none',
  'answer.movements': 'discreet full full_none',
  'answer.meeting': 'discreet full full_none',
  'answer.training': 'discreet full full_none',
  'answer.dial': 'discreet',
  code: 'sign_in',
  part: 'signature receipt proof outstanding savings',
  'part.movement':
    'loan_disbursement loan_repayment savings_deposit savings_withdrawal fee adjustment opening reversal',
}

export const smsKeys: ReadonlySet<string> = new Set(
  Object.entries(families).flatMap(([family, names]) => names.split(' ').map((name) => `${family}.${name}`)),
)
