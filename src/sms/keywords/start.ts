// START undoes STOP, for the phone and, when it is hers alone, for a "stop all" that she chose in the menu.
import { startAgain } from '../../members/consent.ts'
import { type Keyword, onlyMember } from '../keyword.ts'

export const start: Keyword = {
  name: 'start',
  forStrangers: true,
  async answer({ tx, sender, now }) {
    await startAgain(tx, { phoneId: sender.phoneId, now })
    const member = onlyMember(sender)
    if (member !== undefined) await startAgain(tx, { memberId: member.id, now })
    return { template: 'reply.started' }
  },
}
