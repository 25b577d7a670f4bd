// Which words we understand.
import type { Keyword } from '../keyword.ts'

export const help: Keyword = {
  name: 'help',
  forStrangers: false,
  answer: () => ({ template: 'reply.help' }),
}
