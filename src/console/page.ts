// What a page is handed, and what it gives back. A page reads and writes through `tx` alone, which sees one programme.
import type { Db, Queryable } from '../db.ts'
import type { I18n, Values } from '../i18n.ts'
import type { Logger } from '../logger.ts'
import type { Markup } from '../markup.ts'
import type { ProgrammeInfo } from '../members/programmes.ts'
import type { StaffRole } from '../members/staff.ts'
import type { Texts } from './visit.ts'

export interface SignedIn {
  id: string
  programmeId: string
  firstName: string
  lastName: string
  msisdn: string
  role: StaffRole
  language: string
}

export interface PageContext {
  /** Row-level security holds it to the programme; a write that is refused is taken back with it. */
  tx: Queryable
  /** For what cannot run in one transaction, such as an import; never to read another programme. */
  db: Db
  logger: Logger
  now: Date
  staff: SignedIn
  /** "staff:<id>", for acts and the audit log. */
  actor: string
  programme: ProgrammeInfo
  texts: Texts
  i18n: I18n
  /** Language of the page. */
  tag: string
  /** A text of console.json in the language of the page. */
  say(key: string, values?: Values): string
  /** Of the address, by the names in the route's path. */
  params: Readonly<Record<string, string>>
  query: Readonly<Record<string, string>>
  /** Fields of the form that was sent; several of one name stand in `list`. */
  form: Readonly<Record<string, string>>
  list(name: string): string[]
  /** Path and query that were asked for, below /console too. */
  address: string
  /** Stands in every form; `form` in elements.ts puts it there. */
  csrf: string
  /** Titles of alarms that stand in this process, for administrators. */
  alarms(): readonly string[]
  /** A file that came with the form; undefined when none did. */
  file: UploadedFile | undefined
}

export interface UploadedFile {
  /** Where its bytes lie until the answer is given. */
  path: string
  name: string
  bytes: number
}

export type Page =
  | {
      title: string
      body: Markup
      /** What a form is answered with a page has changed nothing: its transaction is taken back [200]. */
      status?: number
    }
  /** After an act: where to go, and which text of "done" is shown there. An act leaves a row in the audit log. */
  | { to: string; done?: string }
  | { file: { name: string; type: string; content: string } }

export interface ConsoleRoute {
  /** A get changes nothing; a post is checked for its form's secret and must leave a row in the audit log. */
  method: 'get' | 'post'
  /** Below /console. */
  path: string
  /** Who may; everybody else gets 403. */
  roles: readonly StaffRole[]
  /** The form brings a file, in the field "file". */
  upload?: true
  handle(context: PageContext): Promise<Page>
}

/** A place in the menu; the first part of a page's path marks where one is. */
export interface MenuEntry {
  path: string
  /** Text key. */
  key: string
  roles: readonly StaffRole[]
}
