// NOTICE <group> <text> from a number of staff: a draft to that group, and a code to answer with; the four digits alone send it.
// The text goes to every member of the group in the words that were written: the answer says how many read another language.
import { groupsOfStaff, type WorkGroup } from '../../members/own-groups.ts'
import type { StaffMember } from '../../members/staff.ts'
import { askConfirmation, confirm } from '../../notices/confirmation.ts'
import { draftNotice, previewNotice, sendNotice } from '../../notices/notices.ts'
import { inEveryLanguage, readingOthers } from '../../notices/one-text.ts'
import { momentValues } from '../../outbound/wording.ts'
import { fold } from '../fold.ts'
import { type Keyword, type KeywordAnswer, type KeywordContext, wordsAfter } from '../keyword.ts'

/** Nobody facilitates more; the branch names a group that it knows. */
const groupsMax = 2_000
/** Codes that an answer has room for. */
const groupsNamed = 4
const codeCharactersMax = 12

export const notice: Keyword = {
  name: 'notice',
  forStrangers: false,
  forStaff: true,
  async answer(context) {
    const { staff, rest } = context
    if (staff === undefined) return { template: 'reply.unknown' }
    if (isConfirmation(rest)) return sendConfirmed(context, staff, rest)
    const { tx, programme } = context
    const groups = await groupsOfStaff(tx, { programmeId: programme.id, staffId: staff.id, limit: groupsMax })
    const named = groupNamed(groups, rest)
    const text = named === undefined ? '' : wordsAfter(context.words, named.rest)
    if (named === undefined || text === '') return usage(groups)
    return draft(context, staff, named.group, text)
  },
}

/** Four digits and nothing else. */
export const isConfirmation = (folded: string): boolean => /^\d{4}$/.test(folded)

/** "G01", or as much of the text as is a group's whole name; the longest name counts, and a name that two groups have is nobody's. */
function groupNamed(
  groups: readonly WorkGroup[],
  rest: string,
): { group: WorkGroup; rest: string } | undefined {
  const named = groups.flatMap((group) =>
    [group.code, group.name]
      .map(fold)
      .filter((name) => name !== '' && (rest === name || rest.startsWith(`${name} `)))
      .map((name) => ({ group, name, rest: rest.slice(name.length + 1) })),
  )
  const longest = Math.max(0, ...named.map(({ name }) => name.length))
  const [found, ...others] = named.filter(({ name }) => name.length === longest)
  return others.some(({ group }) => group.id !== found?.group.id) ? undefined : found
}

const codeOf = ({ code }: WorkGroup) => [...code].slice(0, codeCharactersMax).join('')

function usage(groups: readonly WorkGroup[]): KeywordAnswer {
  const named = groups.slice(0, groupsNamed).map(codeOf)
  const more = groups.length > groupsNamed ? ['...'] : []
  return { template: 'staff.notice_usage', params: { groups: [...named, ...more].join(', ') } }
}

async function draft(
  { tx, i18n, programme, inboundId, now }: KeywordContext,
  staff: StaffMember,
  group: WorkGroup,
  text: string,
): Promise<KeywordAnswer> {
  const drafted = await draftNotice(tx, i18n, {
    programmeId: programme.id,
    author: { staffId: staff.id },
    channel: 'sms',
    purpose: 'service',
    audience: { groupIds: [group.id] },
    texts: inEveryLanguage(programme.languages, text),
    dedupeKey: `sms/${inboundId}`,
    now,
  })
  if ('faults' in drafted) {
    const isLong = drafted.faults.some(({ code }) => code === 'text_too_long')
    return { template: isLong ? 'staff.notice_long' : 'staff.notice_refused' }
  }
  const preview = await previewNotice(tx, i18n, drafted.id, now)
  if (preview === undefined) return { template: 'staff.notice_refused' }
  const digits = await askConfirmation(tx, drafted.id, staff.id)
  return {
    template: 'staff.notice_ready',
    params: {
      group: codeOf(group),
      members: String(preview.recipients),
      others: String(readingOthers(preview, staff.language)),
      pieces: String(Math.max(1, ...preview.languages.map(({ segments }) => segments))),
      digits,
    },
  }
}

async function sendConfirmed(
  { tx, i18n, programme, now }: KeywordContext,
  staff: StaffMember,
  digits: string,
): Promise<KeywordAnswer> {
  const confirmed = await confirm(tx, staff.id, digits, now)
  if (confirmed === 'void') return { template: 'staff.notice_void' }
  if ('triesLeft' in confirmed)
    return { template: 'staff.notice_wrong', params: { left: String(confirmed.triesLeft) } }
  const { outcome, leavesAt = now } = await sendNotice(tx, confirmed.noticeId, { staffId: staff.id }, now)
  if (outcome === 'refused') return { template: 'staff.notice_refused' }
  if (outcome === 'waiting') return { template: 'staff.notice_waiting' }
  const params = momentValues(i18n, staff.language, leavesAt, programme.timeZone)
  return { template: 'staff.notice_sent', params }
}
