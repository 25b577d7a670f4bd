// What she owes and has saved. Only a full text says it; the discreet one says what to dial.
import { aboutSender, type Keyword } from '../keyword.ts'

export const balance: Keyword = {
  name: 'balance',
  forStrangers: false,
  answer: ({ sender }) => aboutSender('reply.balance', sender),
}
