// In: a review file that came back. Out: its rows as the reviewer left them, whatever the form. What the two forms share.

/** A row of a review file, edge blanks taken off every field. */
export interface ReviewedRow {
  /** As people find it: "row 12" of a table, "line 80" of an XLIFF file. */
  place: string
  /** "locales/wo/ussd.json" */
  file: string
  key: string
  /** The text when the file was written. */
  present: string
  correction: string
  state: string
  remark: string
}

export interface ReviewFault {
  /** Empty for a fault of the whole file. */
  places: string[]
  what: string
  text?: string | undefined
  remedy: string
}

/** "row 12, row 13: what: "text". Remedy." */
export function describeReviewFault({ places, what, text, remedy }: ReviewFault): string {
  const where = places.length === 0 ? 'the file' : places.join(', ')
  return `${where}: ${what}${text === undefined ? '' : `: ${JSON.stringify(text)}`}. ${remedy}`
}

/** The state of a row whose text stays as it is. */
export const confirmed = 'ok'
