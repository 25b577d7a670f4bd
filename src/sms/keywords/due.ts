// When the next instalment falls. Only a full text says it; the discreet one says what to dial.
import { aboutSender, type Keyword } from '../keyword.ts'

export const due: Keyword = {
  name: 'due',
  forStrangers: false,
  answer: ({ sender }) => aboutSender('reply.due', sender),
}
