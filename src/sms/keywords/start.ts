// START undoes STOP, for the phone and, when it is hers alone, for a "stop all" that she chose in the menu. Who never said anything
// about our messages asks for those that serve her by it.
import { agreeToService, startAgain } from '../../members/consent.ts'
import { type Keyword, onlyMember, sayingOf } from '../keyword.ts'

export const start: Keyword = {
  name: 'start',
  forStrangers: true,
  async answer(context) {
    const { tx, sender } = context
    const saying = sayingOf(context)
    await startAgain(tx, { phoneId: sender.phoneId }, saying)
    const member = onlyMember(sender)
    if (member !== undefined) {
      await startAgain(tx, { memberId: member.id }, saying)
      await agreeToService(tx, member.id, saying)
    }
    return { template: 'reply.started' }
  },
}
