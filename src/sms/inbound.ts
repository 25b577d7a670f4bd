// In: an SMS from a phone, or a network's word that a phone opted out. Out: at most one reply, and what the keyword does, once.
// Must never keep or log the text, answer a provider's repetition twice, or tell a stranger who is a member.
import { randomUUID } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { Db, Queryable } from '../db.ts'
import { InvariantError } from '../errors.ts'
import type { I18n } from '../i18n.ts'
import type { Logger } from '../logger.ts'
import type { ProgrammeInfo } from '../members/programmes.ts'
import { noteSeen } from '../members/reverify.ts'
import { findWritingStaff } from '../members/staff.ts'
import type { Metrics } from '../metrics.ts'
import { maskMsisdn, parseMsisdn } from '../msisdn.ts'
import { noteNetworkBlock, stopMessages } from '../outbound/opt-out.ts'
import { createMessages } from '../outbound/outbox.ts'
import { fold } from './fold.ts'
import { bySms, type KeywordAnswer, type KeywordContext, type Sender, type SenderMember } from './keyword.ts'
import { isConfirmation, notice } from './keywords/notice.ts'
import { stop } from './keywords/stop.ts'
import { createMatcher, type Match } from './match.ts'

export interface InboundSms {
  provider: string
  /** The provider's id, unique for ever. */
  id: string
  from: string
  /** The shortcode that it was sent to. */
  to: string
  text: string
}

export interface NetworkOptOut {
  provider: string
  senderId: string
  msisdn: string
}

export interface InboundOptions {
  db: Db
  clock: Clock
  logger: Logger
  metrics: Metrics
  i18n: I18n
  programmes: readonly ProgrammeInfo[]
  /** Replies to one phone in 24 hours, against two machines that answer each other [10]. */
  repliesADayMax?: number
}

export interface Inbound {
  /**
   * Resolves when everything is committed; rejects when the provider should try again. `only`: the one programme that the caller may
   * reach, by its id; what is for another one has no effect.
   */
  receive(sms: InboundSms, only?: string): Promise<void>
  optOut(word: NetworkOptOut, only?: string): Promise<void>
}

const dayMs = 24 * 3_600_000
/** Every notice takes two replies, and staff write several a day. */
const staffRepliesFactor = 4
/** An answer that could not leave for a day is no answer any more. */
const replyLifeMs = dayMs

export function createInbound(options: InboundOptions): Inbound {
  const { db, clock, logger, metrics, i18n, programmes } = options
  const repliesADayMax = options.repliesADayMax ?? 10
  const match = createMatcher(i18n)
  const ownNames = new Set(programmes.flatMap(({ shortcode, senderId }) => [shortcode, senderId]))

  const reachable = (only: string | undefined) =>
    only === undefined ? programmes : programmes.filter(({ id }) => id === only)

  async function receive(sms: InboundSms, only?: string): Promise<void> {
    const now = clock.now()
    if (only !== undefined && programmes.some(({ shortcode, id }) => shortcode === sms.to && id !== only)) {
      logger.warn({ event: 'sms.other_programme', provider: sms.provider })
      return
    }
    const msisdn = ownNames.has(sms.from) ? undefined : numberOf(sms.from)
    const meant = msisdn === undefined ? [] : await meantProgrammes(db, reachable(only), sms.to, msisdn)
    const languages = [...new Set(meant.flatMap((one) => one.languages))]
    const folded = fold(sms.text)
    const matched = match(folded, languages, false)
    const ofStaff = isConfirmation(folded) || match(folded, languages, true)?.keyword.forStaff === true
    // Of two programmes nobody may guess which one she asks; a STOP counts for both, and one of them confirms it.
    const stopsAll = meant.length > 1 && matched?.keyword === stop
    const programme = meant.length === 1 || stopsAll ? meant[0] : undefined
    let keyword = matched?.keyword.name ?? 'unknown'
    const outcome = await db.transaction(async (tx) => {
      const staff =
        ofStaff && programme !== undefined && msisdn !== undefined
          ? await findWritingStaff(tx, programme.id, msisdn)
          : undefined
      // From another number the words of staff mean what they mean to a member; four digits of theirs answer a notice.
      const said = staff === undefined ? matched : saidByStaff(folded, languages)
      keyword = said?.keyword.name ?? 'unknown'
      const inboundId = await rememberOnce(tx, sms, programme?.id, said?.keyword.name, now)
      if (inboundId === undefined) return 'repeated'
      if (programme === undefined || msisdn === undefined) return 'no_programme'
      if (stopsAll)
        for (const phoneId of await lockPhones(tx, meant, msisdn))
          await stopMessages(tx, { phoneId }, bySms(inboundId, now))
      const sender = await lockSender(tx, programme.id, msisdn, now)
      const earlier = await countToday(tx, sender.phoneId, now)
      await tx.query('update inbound_messages set phone_id = $2 where id = $1', [inboundId, sender.phoneId])
      const ask = { tx, now, programme, sender, inboundId, words: sms.text, staff }
      if (staff !== undefined && sender.language === null)
        await tx.query('update phones set language = $2 where id = $1', [sender.phoneId, staff.language])
      const answer = await answerTo({ ...ask, matched: said, earlier })
      const repliesMax = staff === undefined ? repliesADayMax : repliesADayMax * staffRepliesFactor
      if (answer === undefined || earlier.all >= repliesMax) return 'no_reply'
      const { template, memberId, meetingId, params } = answer
      await createMessages(tx, [
        {
          programmeId: programme.id,
          phoneId: sender.phoneId,
          purpose: 'reply',
          template,
          lane: 'urgent',
          dedupeKey: `reply/${inboundId}`,
          notBefore: now,
          expiresAt: new Date(now.getTime() + replyLifeMs),
          ...(memberId === undefined ? {} : { memberId }),
          ...(meetingId === undefined ? {} : { meetingId }),
          ...(params === undefined ? {} : { params }),
        },
      ])
      return 'replied'
    })
    metrics.inbound.inc({ keyword })
    logger.info({ event: 'sms.received', keyword, outcome, from: msisdn && maskMsisdn(msisdn) })
  }

  function saidByStaff(folded: string, languages: readonly string[]): Match | undefined {
    return isConfirmation(folded) ? { keyword: notice, rest: folded } : match(folded, languages, true)
  }

  /** What the keyword does is done even when the guard keeps the reply back: STOP must always count. */
  async function answerTo({
    matched,
    earlier,
    ...ask
  }: Omit<KeywordContext, 'i18n' | 'rest'> & { matched: Match | undefined; earlier: Earlier }): Promise<
    KeywordAnswer | undefined
  > {
    const { programme, sender, staff } = ask
    const isStranger = sender.members.length === 0
    if (matched !== undefined && (matched.keyword.forStrangers || staff !== undefined || !isStranger))
      return matched.keyword.answer({ ...ask, i18n, rest: matched.rest })
    // Once a day: a kind word to a number that we do not know, or help with a text that we do not understand.
    if (isStranger) {
      if (earlier.all > 0) return undefined
      return { template: programme.officePhone === null ? 'reply.stranger' : 'reply.stranger_call' }
    }
    return earlier.unknown > 0 ? undefined : { template: 'reply.unknown' }
  }

  async function optOut({ senderId, msisdn: written }: NetworkOptOut, only?: string): Promise<void> {
    const now = clock.now()
    const msisdn = numberOf(written)
    if (msisdn === undefined) return
    const meant = programmes.filter((one) => one.senderId === senderId || one.shortcode === senderId)
    // A sender name that we do not know says nothing about one programme: it then counts for all that know the number.
    const concerned = (meant.length > 0 ? meant : programmes).filter((one) => reachable(only).includes(one))
    const blocked = await db.transaction(async (tx) => {
      const phoneIds = await lockPhones(tx, concerned, msisdn)
      await noteNetworkBlock(tx, phoneIds, 'callback', now)
      return phoneIds.length
    })
    metrics.inbound.inc({ keyword: 'network_opt_out' })
    logger.info({ event: 'sms.network_opt_out', phones: blocked, from: maskMsisdn(msisdn) })
  }

  return { receive, optOut }
}

/** E.164, or undefined for a name or a shortcode, which nobody should be answered at. */
function numberOf(written: string): string | undefined {
  if (/^\+[1-9]\d{6,14}$/.test(written)) return written
  return parseMsisdn(written.startsWith('+') ? written : `+${written}`, 'SN')
}

/** The phones with this number in these programmes. */
async function lockPhones(
  tx: Queryable,
  programmes: readonly ProgrammeInfo[],
  msisdn: string,
): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    'select id from phones where msisdn = $1 and programme_id = any($2) order by id for update',
    [msisdn, programmes.map(({ id }) => id)],
  )
  return rows.map(({ id }) => id)
}

/** By the shortcode; else the programmes that know the number; else the only programme there is. */
async function meantProgrammes(
  db: Db,
  programmes: readonly ProgrammeInfo[],
  to: string,
  msisdn: string,
): Promise<readonly ProgrammeInfo[]> {
  const written = programmes.find((programme) => programme.shortcode === to)
  if (written !== undefined) return [written]
  const { rows } = await db.pool.query<{ id: string }>(
    `select programme_id as id from phones where msisdn = $1`,
    [msisdn],
  )
  const knowing = programmes.filter((programme) => rows.some(({ id }) => id === programme.id))
  return knowing.length === 0 && programmes.length === 1 ? programmes : knowing
}

/** Undefined when this very SMS was already taken; one that is being taken right now is waited for. */
async function rememberOnce(
  tx: Queryable,
  sms: InboundSms,
  programmeId: string | undefined,
  keyword: string | undefined,
  now: Date,
): Promise<string | undefined> {
  const { rows } = await tx.query<{ id: string }>(
    `insert into inbound_messages (id, programme_id, provider, external_id, keyword, received_at)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (provider, external_id) do nothing returning id`,
    [randomUUID(), programmeId ?? null, sms.provider, sms.id, keyword ?? null, now],
  )
  return rows[0]?.id
}

/** The phone, made known when it is new (a stranger may opt out too) and locked, so that texts sent together are counted one by one. */
async function lockSender(tx: Queryable, programmeId: string, msisdn: string, now: Date): Promise<Sender> {
  await tx.query(
    `insert into phones (programme_id, msisdn) values ($1, $2) on conflict (programme_id, msisdn) do nothing`,
    [programmeId, msisdn],
  )
  const phones = await tx.query<Omit<Sender, 'members'>>(
    `select id as "phoneId", language, opted_out_at is not null as "optedOut",
            network_blocked_at is not null as "networkBlocked"
       from phones where programme_id = $1 and msisdn = $2 for no key update`,
    [programmeId, msisdn],
  )
  const phone = phones.rows[0]
  if (phone === undefined) throw new InvariantError('a phone that was just written is not there')
  const { rows: members } = await tx.query<SenderMember>(
    `select m.id, m.language, m.sms_form as "smsForm", m.status
       from member_phones mp join members m on m.id = mp.member_id
      where mp.phone_id = $1 and mp.reverify_since is null order by m.created_at, m.id`,
    [phone.phoneId],
  )
  if (members.length > 0) await noteSeen(tx, phone.phoneId, now)
  return { ...phone, members }
}

/** SMS of the last 24 hours from this phone, before the present one. */
interface Earlier {
  all: number
  unknown: number
}

async function countToday(tx: Queryable, phoneId: string, now: Date): Promise<Earlier> {
  const { rows } = await tx.query<Earlier>(
    `select count(*)::int as all, count(*) filter (where keyword is null)::int as unknown
       from inbound_messages where phone_id = $1 and received_at > $2`,
    [phoneId, new Date(now.getTime() - dayMs)],
  )
  return rows[0] ?? { all: 0, unknown: 0 }
}
