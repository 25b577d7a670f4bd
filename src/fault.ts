// In: what is wrong in a file that people edit. Out: one sentence that says where, what and what to do about it.

export interface Fault {
  /** As people find it, for example "locales/wo/ussd.json". */
  file: string
  /** From 1; undefined when the fault is of the whole file. */
  line?: number | undefined
  /** The language whose text is at fault, where there is one. */
  language?: string | undefined
  /** What is wrong, without a closing point. */
  what: string
  /** The text as a member would read it. */
  text?: string | undefined
  /** What to do about it: a sentence. */
  remedy?: string | undefined
}

/** "locales/wo/ussd.json:12: ... Remedy." */
export function describeFault({ file, line, what, text, remedy }: Fault): string {
  const place = line === undefined ? file : `${file}:${line}`
  const quoted = text === undefined ? '' : `: ${JSON.stringify(text)}`
  return `${place}: ${what}${quoted}${remedy === undefined ? '' : `. ${remedy}`}`
}
