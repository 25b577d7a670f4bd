// When and where her group meets next. Only a full text says it; the discreet one says what to dial.
import { aboutSender, type Keyword } from '../keyword.ts'

export const meeting: Keyword = {
  name: 'meeting',
  forStrangers: false,
  answer: ({ sender }) => aboutSender('reply.meeting', sender),
}
