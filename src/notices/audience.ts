// In: whom a notice is for. Out: SQL that yields each of them once, with her language, the words that she gets, her phone and why nothing may be sent to her.
// Must ask the same as the decision at sending (outbound/decision.ts) does: what is planned here is asked again there.
import { z } from 'zod'
import type { Queryable } from '../db.ts'
import { offeredAs } from '../i18n.ts'
import { newestWordSql } from '../members/consent.ts'
import type { MemberRole } from '../members/members.ts'
import { writtenFor, writtenIn } from '../outbound/notice-text.ts'

const memberRoles = ['member', 'president', 'treasurer', 'educator'] as const satisfies MemberRole[]

/** Empty: the whole programme; lists that are given narrow it together. */
export interface Audience {
  groupIds?: string[] | undefined
  roles?: MemberRole[] | undefined
  languages?: string[] | undefined
  places?: string[] | undefined
}

const word = z
  .string()
  .min(1)
  .max(120)
  .regex(/^\P{Cc}*$/u, 'must be one line')

export const audienceSchema = z.strictObject({
  groupIds: z.array(z.uuid()).min(1).max(1_000).optional(),
  roles: z.array(z.enum(memberRoles)).min(1).max(4).optional(),
  languages: z.array(word).min(1).max(50).optional(),
  places: z.array(word).min(1).max(200).optional(),
})

export const noticePurposes = ['service', 'meeting', 'survey', 'promotion'] as const
export type NoticePurpose = (typeof noticePurposes)[number]

/** As messages name it; a service notice rests on the consent to receipts and service, the others on their own. */
export const messagePurpose = {
  service: 'notice',
  meeting: 'meeting',
  survey: 'survey',
  promotion: 'promotion',
} as const satisfies Record<NoticePurpose, string>

/** Why nothing is sent to a member of the audience. */
export const exclusions = [
  'left',
  'suspended',
  'opted_out',
  'in_doubt',
  'network_block',
  'no_consent',
  'no_phone',
  'no_text',
] as const
export type Exclusion = (typeof exclusions)[number]

/** What of a notice decides who gets it. */
export interface Addressed {
  programmeId: string
  purpose: NoticePurpose
  audience: Audience
  texts: Readonly<Record<string, string>>
  template: string | null
  /** The programme's, in menu order. */
  languages: readonly string[]
}

/** Whom a notice is for; `$1` to `$9` stand in audienceValues. An erased member is nobody any more. */
export const aimedSql = `
  select aimed.*, coalesce($8::jsonb ->> language, language) as words
    from (
      select mb.id as member_id, mb.group_id, mp.phone_id, mb.status, mb.sms_form,
             mb.opted_out_at is not null or ph.opted_out_at is not null as opted_out,
             mp.reverify_since is not null as in_doubt, ph.network_blocked_at is not null as network_blocked,
             coalesce($6::jsonb ->> mb.language, $6::jsonb ->> ph.language, $7::text) as language
        from members mb
        left join groups g on g.id = mb.group_id
        left join member_phones mp on mp.member_id = mb.id and mp.is_primary
        left join phones ph on ph.id = mp.phone_id
       where mb.programme_id = $1 and mb.erased_at is null
         and ($2::uuid[] is null or mb.group_id = any($2)) and ($3::text[] is null or mb.role = any($3))
         and ($5::text[] is null or g.place = any($5))
    ) aimed
   where ($4::text[] is null or language = any($4))`

/** The same members with why nothing may be sent to them, null where it may; `source` yields rows of aimedSql. */
export const judged = (source: string) => `
  select judging.*,
         case when status = 'left' then 'left' when status = 'suspended' then 'suspended'
              when opted_out then 'opted_out' when in_doubt then 'in_doubt' when network_blocked then 'network_block'
              when ${newestWordSql('judging.member_id', '$9::text')} is not true then 'no_consent'
              when phone_id is null then 'no_phone'
              when $8::jsonb is not null and not $8::jsonb ? language then 'no_text' end as excluded
    from (${source}) judging`

export const judgedSql = judged(aimedSql)

/** Values of aimedSql and judged. `strict` counts a language as written only under its own name: what a draft must bring. */
export async function audienceValues(
  tx: Queryable,
  { programmeId, purpose, audience, texts, template, languages }: Addressed,
  { strict }: { strict: boolean },
): Promise<unknown[]> {
  const { rows } = await tx.query<{ wish: string }>(
    `select distinct language as wish from members where programme_id = $1 and language is not null
     union select distinct language from phones where programme_id = $1 and language is not null`,
    [programmeId],
  )
  const offered = Object.fromEntries(
    rows.flatMap(({ wish }) => {
      const tag = offeredAs(wish, languages)
      return tag === undefined ? [] : [[wish, tag]]
    }),
  )
  const wordsOf = (tag: string) => (strict ? writtenIn(texts, tag) : writtenFor(texts, tag, languages)?.text)
  const written = template === null ? sameWords(languages, wordsOf) : null
  const asked = audience.languages?.flatMap((wish) =>
    languages.filter((tag) => offeredAs(wish, [tag]) !== undefined),
  )
  return [
    programmeId,
    audience.groupIds ?? null,
    audience.roles ?? null,
    asked ?? null,
    audience.places ?? null,
    JSON.stringify(offered),
    languages[0] ?? '',
    written === null ? null : JSON.stringify(written),
    purpose === 'service' ? 'receipt' : purpose,
  ]
}

/** Each language in which something is written, to the first that says it in the same words. */
function sameWords(languages: readonly string[], wordsOf: (tag: string) => string | undefined) {
  const firstByWords = new Map<string, string>()
  const found: Record<string, string> = {}
  for (const tag of languages) {
    const words = wordsOf(tag)
    if (words === undefined) continue
    if (!firstByWords.has(words)) firstByWords.set(words, tag)
    found[tag] = firstByWords.get(words) ?? tag
  }
  return found
}

/** How many of the audience a notice would reach, and how many it would not, by language and reason. */
export interface Counted {
  language: string
  excluded: Exclusion | null
  members: number
}

export async function countAudience(tx: Queryable, addressed: Addressed): Promise<Counted[]> {
  const { rows } = await tx.query<Counted>(
    `select language, excluded, count(*)::int as members from (${judgedSql}) judged group by 1, 2 order by 1, 2`,
    await audienceValues(tx, addressed, { strict: true }),
  )
  return rows
}

export const sumOf = (counted: readonly Counted[], keep: (one: Counted) => boolean): number =>
  counted.filter(keep).reduce((sum, { members }) => sum + members, 0)
