// START undoes STOP, for the phone and, when it is hers alone, for a "stop all" that she chose in the menu. Who never said anything
// about our messages asks for those that serve her by it. A block at her network only she can undo: the answer says so.
import { startAgain } from '../../members/consent.ts'
import { unblockCodeOf } from '../../members/programmes.ts'
import { startMessages } from '../../outbound/opt-out.ts'
import { type Keyword, onlyMember, sayingOf } from '../keyword.ts'

export const start: Keyword = {
  name: 'start',
  forStrangers: true,
  async answer(context) {
    const { tx, sender, programme } = context
    const saying = sayingOf(context)
    const member = onlyMember(sender)
    if (member === undefined) await startAgain(tx, { phoneId: sender.phoneId }, saying)
    else await startMessages(tx, { memberId: member.id, dialledFrom: sender.phoneId }, saying)
    if (!sender.networkBlocked) return { template: 'reply.started' }
    const unblock = unblockCodeOf(programme, undefined)
    return unblock === undefined
      ? { template: 'reply.started_blocked' }
      : { template: 'reply.started_blocked_dial', params: { unblock } }
  },
}
