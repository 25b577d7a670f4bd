// STOP counts at once, for messages that already wait too. One confirmation says how to start again.
import { stopMessages } from '../../outbound/opt-out.ts'
import type { Keyword } from '../keyword.ts'

export const stop: Keyword = {
  name: 'stop',
  forStrangers: true,
  async answer({ tx, sender, now }) {
    await stopMessages(tx, { phoneId: sender.phoneId }, now)
    return { template: 'reply.stopped' }
  },
}
