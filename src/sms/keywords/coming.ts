// Whether she comes to the next meeting of her group; on a shared phone nobody has shown who writes, and she answers by dialling.
// The reply names the meeting that was meant.
import { announceAttendance } from '../../members/meeting-answers.ts'
import { aboutSender, type Keyword, type KeywordContext, onlyMember } from '../keyword.ts'

export const coming: Keyword = {
  name: 'coming',
  forStrangers: false,
  answer: (context) => announced(context, true),
}

export const notComing: Keyword = {
  name: 'not_coming',
  forStrangers: false,
  answer: (context) => announced(context, false),
}

async function announced({ tx, sender, now }: KeywordContext, isComing: boolean) {
  const member = onlyMember(sender)
  const meetingId =
    member?.status === 'active'
      ? await announceAttendance(tx, { memberId: member.id, coming: isComing, channel: 'sms', now })
      : undefined
  if (member === undefined || meetingId === undefined) return aboutSender('reply.meeting', sender)
  return { template: isComing ? 'reply.coming' : 'reply.not_coming', memberId: member.id, meetingId }
}
