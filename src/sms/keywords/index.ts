// The words that members may text us. A new keyword is one file, one line here and its words in each keywords.json.
import type { Keyword } from '../keyword.ts'
import { balance } from './balance.ts'
import { coming, notComing } from './coming.ts'
import { due } from './due.ts'
import { help } from './help.ts'
import { language } from './language.ts'
import { meeting } from './meeting.ts'
import { notice } from './notice.ts'
import { start } from './start.ts'
import { stop } from './stop.ts'

/** Opting out stands first: where a word could mean two things, that is the one we honour. */
export const keywords: readonly Keyword[] = [
  stop,
  start,
  balance,
  due,
  meeting,
  coming,
  notComing,
  help,
  language,
  notice,
]
