// In: what is wrong with a row of a file. Out: a bounded list that names row and column for the person who made the file.
// Must never repeat a field's value: files hold names, numbers and amounts.

/** Every fault an imported file can have, with the sentence its maker reads. */
export const importFaults = {
  'file.unreadable': 'The file cannot be opened.',
  'file.empty': 'The file is empty: it needs a header line and rows.',
  'file.encoding': 'This line is not UTF-8: save the file as "CSV UTF-8".',
  'file.quote': 'A quoted field is not closed, or a quote stands where none may be.',
  'file.line_too_long': 'This row is longer than 64 KiB: a quote may be missing.',
  'header.missing': 'This column is missing.',
  'header.unknown': 'This column is not known here.',
  'header.doubled': 'This column stands twice in the header.',
  'row.field_count': 'This row has more or fewer fields than the header.',
  'field.missing': 'This field may not be empty.',
  'field.too_long': 'This field is too long.',
  'field.control_character': 'This field holds a character that cannot be printed.',
  'field.invalid': 'This field is not valid.',
  'field.unknown_word': 'This word is not one of those allowed here.',
  'number.invalid': 'This is not a whole number in the range allowed here.',
  'date.invalid': 'This is not a day of the years 1900 to 2199: write it as 2026-11-22.',
  'date.future': 'This day has not come yet.',
  'amount.invalid': 'This is not an amount: write digits with at most one point, such as 12500 or 12.50.',
  'amount.negative': 'An amount may not be negative: use the other column.',
  'amount.decimals': 'This amount has more decimals than the currency.',
  'amount.zero': 'This amount may not be zero.',
  'phone.invalid': 'There is no such phone number in the country of the programme.',
  'language.unknown': 'The programme does not offer this language.',
  'member.unknown': 'There is no such member.',
  'member.number_taken': 'This member number already belongs to somebody with another name.',
  'member.doubled': 'This member number stands twice in the file.',
  'consent.purpose':
    'Write "none", or purposes with a blank between: receipt, reminder, meeting, survey, promotion.',
  'consent.incomplete':
    'A consent stands with its wording, language, collector and date, or all five are empty.',
  'staff.unknown': 'No active staff member of the programme has this number.',
  'loan.doubled': 'This loan number stands twice in the file, not in consecutive rows.',
  'loan.rows_differ': 'Rows of one loan must agree in this column.',
  'loan.schedule_invalid': 'The schedule does not fit the loan.',
  'loan.number_taken': 'This loan number already belongs to a loan with other content.',
  'loan.due_before_disbursed': 'An instalment may not fall due before the loan is disbursed.',
  'loan.too_many_rows': 'A loan may have at most 1000 instalments.',
  'entry.one_side': 'A row has an amount in either debit or credit.',
  'entry.unbalanced': 'Debits and credits of this entry are not equal.',
  'entry.rows_differ': 'Rows of one entry must agree in this column.',
  'entry.reference_doubled': 'This reference stands twice in the file, not in consecutive rows.',
  'entry.reference_conflict': 'This reference already names an entry with other content.',
  'entry.too_many_rows': 'An entry may have at most 1000 rows.',
  'moment.invalid': 'This is not a day and an hour: write 2026-12-01 10:00, as the clocks there show.',
  'loan.unknown': 'There is no such loan.',
  'loan.schedule_paid': 'The change contradicts what is paid or charged.',
  'group.doubled': 'This group stands twice in the file.',
  'group.unknown': 'There is no such group.',
  'rule.invalid': 'This is no rule of RFC 5545 that a group can meet by.',
  'meeting.doubled': 'This meeting stands twice in the file.',
  'calendar.doubled': 'This group has two rules in the file: write them as one.',
  'ledger.refused': 'The ledger refuses this.',
  'account.unknown': 'There is no such account.',
  'account.closed': 'This account is closed.',
} as const

export type ImportFaultCode = keyof typeof importFaults

export interface ImportFault {
  /** Line in the file, the header being line 1; 0 is the file as a whole. Of a field over several lines, the last. */
  row: number
  column: string | undefined
  code: ImportFaultCode
  /** The sentence and the detail, in English. */
  message: string
  /** What the ledger or the reader of a rule adds, in English. */
  detail?: string
}

/** Notes a fault; `detail` adds to the sentence and must hold no value of the file. */
export type AddFault = (
  row: number,
  column: string | undefined,
  code: ImportFaultCode,
  detail?: string,
) => void

/** Faults kept for the report; more are only counted, so that a file of nothing but faults stays in memory. */
export const faultsMax = 1_000

export interface FaultList {
  add: AddFault
  /** All faults met, also those beyond `faultsMax`. */
  total(): number
  /** In the order of the file. */
  sorted(): ImportFault[]
}

export function createFaultList(): FaultList {
  const faults: ImportFault[] = []
  let total = 0
  return {
    add: (row, column, code, detail) => {
      total += 1
      if (faults.length >= faultsMax) return
      const message = importFaults[code]
      faults.push(
        detail === undefined
          ? { row, column, code, message }
          : { row, column, code, message: `${message} ${detail}`, detail },
      )
    },
    total: () => total,
    sorted: () => [...faults].sort((left, right) => left.row - right.row),
  }
}
