// STOP counts at once, for messages that already wait too. One confirmation says how to start again.
import { stopMessages } from '../../outbound/opt-out.ts'
import { type Keyword, sayingOf } from '../keyword.ts'

export const stop: Keyword = {
  name: 'stop',
  forStrangers: true,
  async answer(context) {
    const { tx, sender } = context
    await stopMessages(tx, { phoneId: sender.phoneId }, sayingOf(context))
    return { template: 'reply.stopped' }
  },
}
