// What a member said about our messages, and the form that takes down what she says to whoever is with her, in the words of her language.
import { html, type Markup } from '../../markup.ts'
import { consentPurposes, newestWordSql } from '../../members/consent.ts'
import { changeConsents } from '../../outbound/consent-change.ts'
import { badge, button, field, form, moment, select, table } from '../elements.ts'
import type { Page, PageContext } from '../page.ts'

export async function consentTable(context: PageContext, memberId: string): Promise<Markup> {
  const { tx, say } = context
  const { rows } = await tx.query<{
    purpose: string
    granted: boolean | null
    at: Date | null
    channel: string | null
  }>(
    `select w.purpose, ${newestWordSql('$1', 'w.purpose')} as granted, last.at, last.channel
       from unnest($2::text[]) with ordinality as w (purpose, place)
       left join lateral (select c.collected_at as at, c.channel from consents c where c.member_id = $1 and c.purpose = w.purpose
                           order by c.collected_at desc, c.id desc limit 1) last on true
      order by w.place`,
    [memberId, consentPurposes],
  )
  return table(
    say('member.consents'),
    [
      { title: say('message.purpose'), cell: ({ purpose }) => say(`consent.${purpose}`) },
      {
        title: say('consent.word'),
        cell: ({ granted }) =>
          granted === null
            ? say('consent.none')
            : granted
              ? badge(say('consent.yes'), 'good')
              : badge(say('consent.no'), 'bad'),
      },
      {
        title: say('consent.since'),
        cell: ({ at, channel }) =>
          at === null ? '' : html`${moment(context, at)} (${say(`channel.${channel}`)})`,
      },
    ],
    rows,
    '',
  )
}

const clock = (minute: number | null) =>
  minute === null
    ? ''
    : `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`

export async function consentForm(
  context: PageContext,
  { id, language }: { id: string; language: string | null },
): Promise<Markup> {
  const { tx, say, programme, i18n } = context
  const { rows } = await tx.query<{ from: number | null; until: number | null }>(
    'select sms_from_minute as "from", sms_until_minute as until from members where id = $1',
    [id],
  )
  const hours = rows[0] ?? { from: null, until: null }
  const asked = programme.languages.find((tag) => tag === language) ?? programme.languages[0] ?? ''
  const { base, direction, consent } = i18n.language(asked)
  const as = { value: '', text: say('consent.as_is') }
  const word = [as, { value: 'yes', text: say('consent.yes') }, { value: 'no', text: say('consent.no') }]
  return html`<details><summary>${say('consent.change')}</summary>${form(
    context,
    `/members/${id}/consents`,
    html`<p>${say('consent.lead')}</p>
<p>${say('consent.question')}: <q lang="${base}" dir="${direction}">${consent.wording}</q></p>
${select(
  'language',
  say('consent.language'),
  programme.languages.map((value) => ({ value, text: i18n.language(value).endonym })),
  asked,
)}
${consentPurposes.map((purpose) => select(`consent.${purpose}`, say(`consent.${purpose}`), word))}
${select('stopped', say('consent.stopped'), [
  as,
  { value: 'yes', text: say('consent.stop') },
  { value: 'no', text: say('consent.start') },
])}
${field('from', say('consent.from'), { type: 'time', value: clock(hours.from), hint: say('consent.hours_hint') })}
${field('until', say('consent.until'), { type: 'time', value: clock(hours.until) })}
${button(say('form.save'))}`,
  )}</details>`
}

const yesOrNo = (word: string | undefined) => (word === 'yes' ? true : word === 'no' ? false : undefined)

/** Through the same function as the API; a sentence when it cannot be. */
export async function writeConsents(context: PageContext, memberId: string): Promise<Page | string> {
  const { tx, say, staff, actor, now, programme, i18n, form: sent } = context
  const language = programme.languages.find((tag) => tag === sent.language)
  if (language === undefined) return say('fault.consent_language')
  const hours = hoursOf(sent)
  if (hours === undefined) return say('fault.time')
  const written = await changeConsents(tx, {
    programmeId: staff.programmeId,
    memberId,
    actor,
    saying: {
      channel: 'staff',
      wording: i18n.language(language).consent.version,
      language,
      collector: actor,
      at: now,
    },
    consents: Object.fromEntries(
      consentPurposes.map((purpose) => [purpose, yesOrNo(sent[`consent.${purpose}`])]),
    ),
    stopped: yesOrNo(sent.stopped),
    hours,
    now,
  })
  return { to: `/members/${memberId}`, done: written > 0 ? 'saved' : 'unchanged' }
}

/** Null: the programme's. */
function hoursOf({ from = '', until = '' }: PageContext['form']) {
  if (from === '' && until === '') return null
  const [start, end] = [from, until].map((time) => {
    const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time) ?? []
    return hours === undefined ? undefined : Number(hours) * 60 + Number(minutes)
  })
  return start === undefined || end === undefined || start >= end ? undefined : { from: start, until: end }
}
