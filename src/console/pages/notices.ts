// Notices: those that this person may see, and the form that writes a new one. What the module refuses is said in words beside the form.
import { randomUUID } from 'node:crypto'
import { instantAt, isCalendarDate } from '../../calendar.ts'
import { estimateSms, spell } from '../../encoding.ts'
import { html, type Markup } from '../../markup.ts'
import type { StaffRole } from '../../members/staff.ts'
import { noticePurposes } from '../../notices/audience.ts'
import { type Audience, draftNotice, type NoticeFault, type NoticePurpose } from '../../notices/notices.ts'
import { type ListedNotice, listNotices } from '../../notices/progress.ts'
import { minuteOf, noticeTemplates } from '../../outbound/notice-text.ts'
import {
  button,
  checkbox,
  faultSummary,
  field,
  form,
  link,
  moment,
  nothing,
  select,
  table,
  textArea,
  withQuery,
} from '../elements.ts'
import { isId } from '../ids.ts'
import type { ConsoleRoute, Page, PageContext } from '../page.ts'
import { changesThings, groupScopeSql } from '../roles.ts'

/** Who sees notices; an auditor only reads them. */
export const noticeReaders: readonly StaffRole[] = ['facilitator', 'branch', 'administrator', 'auditor']
export const noticeWriters: readonly StaffRole[] = ['facilitator', 'branch', 'administrator']

export const noticesRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/notices', roles: noticeReaders, handle: listPage },
  {
    method: 'get',
    path: '/notices/new',
    roles: noticeWriters,
    handle: (context) => newPage(context, { list: () => [], form: {} }, []),
  },
  { method: 'post', path: '/notices/new', roles: noticeWriters, handle: write },
]

const pageSize = 50

/** Groups whose notices this person sees; undefined: all of the programme. */
export async function ownGroupIds({ tx, staff }: PageContext): Promise<string[] | undefined> {
  if (staff.role !== 'facilitator') return undefined
  const { rows } = await tx.query<{ id: string }>('select id from groups where facilitator_id = $1', [
    staff.id,
  ])
  return rows.map(({ id }) => id)
}

async function listPage(context: PageContext) {
  const { tx, say, staff, programme, query } = context
  const groupIds = await ownGroupIds(context)
  const before = query.before ?? ''
  const notices = await listNotices(tx, {
    programmeId: programme.id,
    limit: pageSize,
    ...(groupIds === undefined ? {} : { groupIds }),
    ...(isId(before) ? { before } : {}),
  })
  const last = notices.length === pageSize ? notices.at(-1) : undefined
  const body = html`${changesThings(staff) ? html`<p>${link('/notices/new', say('notice.new'))}</p>` : nothing}
${table<ListedNotice>(
  say('menu.notices'),
  [
    { title: say('notice.written'), cell: ({ createdAt }) => moment(context, createdAt) },
    {
      title: say('notice.about'),
      cell: ({ id, template }) => link(`/notices/${id}`, say(`notice_template.${template ?? 'free'}`)),
    },
    { title: say('message.purpose'), cell: ({ purpose }) => say(`purpose.${purpose}`) },
    { title: say('message.status'), cell: ({ status }) => say(`notice_status.${status}`) },
    { title: say('recipient_state.reached'), cell: ({ counts }) => counts.reached, figures: true },
    {
      title: say('recipient_state.not_reached'),
      cell: ({ counts }) => counts.not_reached + counts.unknown,
      figures: true,
    },
    { title: say('recipient_state.told'), cell: ({ counts }) => counts.told, figures: true },
  ],
  notices,
  say('notice.none'),
  { isPage: true },
)}
${last === undefined ? nothing : html`<p>${link(withQuery(context, '/notices', { before: last.id }), say('form.older'))}</p>`}`
  return { title: say('menu.notices'), body }
}

type Entered = Pick<PageContext, 'list' | 'form'>

const allGroupsMax = 500

async function newPage(context: PageContext, entered: Entered, faults: readonly string[]): Promise<Page> {
  const { say, programme, i18n } = context
  const { form: values } = entered
  const templates = ['free', ...Object.keys(noticeTemplates)]
  const texts = programme.languages.map((tag) => {
    const { endonym, base, direction } = i18n.language(tag)
    return textArea(`text.${tag}`, say('notice.text_in', { language: endonym }), {
      value: values[`text.${tag}`] ?? '',
      language: base,
      direction,
      maxlength: 1_600,
    })
  })
  const body = html`${faultSummary(say('fault.title'), faults)}
<p class="hint">${say('notice.form_lead')}</p>
${form(
  context,
  '/notices/new',
  html`<input type="hidden" name="key" value="${isId(values.key ?? '') ? (values.key ?? '') : randomUUID()}">
${await audienceFields(context, entered)}
${select(
  'purpose',
  say('message.purpose'),
  noticePurposes.map((value) => ({ value, text: say(`purpose.${value}`) })),
  values.purpose ?? 'service',
  say('notice.purpose_hint'),
)}
${select(
  'template',
  say('notice.about'),
  templates.map((value) => ({ value, text: say(`notice_template.${value}`) })),
  values.template ?? 'free',
  say('notice.template_hint'),
)}
<fieldset><legend>${say('notice.fields')}</legend>
${field('day', say('form.day'), { type: 'date', value: values.day ?? '' })}
${field('time', say('notice_field.time'), { type: 'time', value: values.time ?? '' })}
${field('place', say('group.place'), { value: values.place ?? '', maxlength: 60 })}
${field('topic', say('notice.topic'), { value: values.topic ?? '', maxlength: 60 })}</fieldset>
<fieldset><legend>${say('notice.texts')}</legend><p class="hint">${say('notice.texts_hint')}</p>${texts}</fieldset>
<fieldset><legend>${say('notice.when')}</legend><p class="hint">${say('notice.when_hint')}</p>
${field('sendDay', say('notice.send_day'), { type: 'date', value: values.sendDay ?? '' })}
${field('sendTime', say('notice.send_time'), { type: 'time', value: values.sendTime ?? '' })}
${field('endDay', say('notice.end_day'), { type: 'date', value: values.endDay ?? '' })}
${field('endTime', say('notice.end_time'), { type: 'time', value: values.endTime ?? '' })}</fieldset>
${button(say('notice.preview'))}`,
)}`
  return { title: say('notice.new'), body, ...(faults.length > 0 ? { status: 422 } : {}) }
}

async function audienceFields(context: PageContext, { list, form: values }: Entered): Promise<Markup> {
  const { tx, staff, say, programme, i18n } = context
  const { rows: groups } = await tx.query<{ id: string; name: string; place: string }>(
    `select id, name, place from groups g where ${groupScopeSql(staff, 'g', '$1')} order by code limit ${allGroupsMax}`,
    [staff.id],
  )
  const places = [...new Set(groups.map(({ place }) => place))].sort()
  const several = (name: string, legend: string, choices: readonly { value: string; text: string }[]) =>
    html`<details${list(name).length > 0 ? html` open` : nothing}><summary>${legend}</summary>${choices.map(
      ({ value, text }) => checkbox(name, text, list(name).includes(value), value),
    )}</details>`
  const ofGroups = groups.map(({ id, name, place }) => ({ value: id, text: `${name}, ${place}` }))
  // Whoever sees the whole programme must say so before everybody is written to.
  const all =
    staff.role === 'facilitator'
      ? nothing
      : checkbox('everybody', say('notice.everybody'), values.everybody === 'yes')
  return html`<fieldset><legend>${say('notice.audience')}</legend><p class="hint">${say('notice.audience_hint')}</p>
${all}
${several('group', say('menu.groups'), ofGroups)}
${several(
  'role',
  say('member.role'),
  ['member', 'president', 'treasurer', 'educator'].map((value) => ({
    value,
    text: say(`member_role.${value}`),
  })),
)}
${several(
  'language',
  say('notice.languages'),
  programme.languages.map((value) => ({ value, text: i18n.language(value).endonym })),
)}
${
  places.length > 1
    ? several(
        'at',
        say('notice.places'),
        places.map((value) => ({ value, text: value })),
      )
    : nothing
}</fieldset>`
}

function audienceOf({ list }: Entered): Audience {
  const given = <Key extends keyof Audience>(key: Key, name: string) =>
    list(name).length === 0 ? {} : { [key]: list(name) }
  return {
    ...given('groupIds', 'group'),
    ...given('roles', 'role'),
    ...given('languages', 'language'),
    ...given('places', 'at'),
  }
}

/** A day and a time there where the programme is; a day alone counts from `otherwise`. Undefined when none was given; null: unreadable. */
function momentOf(day = '', time = '', otherwise: number, timeZone: string): Date | undefined | null {
  if (day === '' && time === '') return undefined
  const minute = time === '' ? otherwise : minuteOf(time)
  if (!isCalendarDate(day) || minute === undefined) return null
  return instantAt(day, minute, timeZone)
}

async function write(context: PageContext): Promise<Page> {
  const { tx, say, i18n, now, staff, programme, form: values, list } = context
  const again = (faults: readonly string[]) => newPage(context, context, faults)
  const narrowed = ['group', 'role', 'language', 'at'].some((name) => list(name).length > 0)
  if (staff.role !== 'facilitator' && !narrowed && values.everybody !== 'yes')
    return again([say('notice_fault.nobody_named')])
  // Without a choice a facilitator writes to her own groups.
  const own = list('group').length > 0 ? undefined : await ownGroupIds(context)
  const sendAt = momentOf(values.sendDay, values.sendTime, programme.sendFromMinute, programme.timeZone)
  const expiresAt = momentOf(values.endDay, values.endTime, 1_439, programme.timeZone)
  if (sendAt === null || expiresAt === null) return again([say('notice_fault.moment')])
  const template = values.template ?? 'free'
  const isFree = template === 'free'
  const fields = Object.fromEntries(
    ['day', 'time', 'place', 'topic'].flatMap((name) =>
      values[name] === undefined || values[name] === '' ? [] : [[name, values[name]]],
    ),
  )
  const texts = Object.fromEntries(
    programme.languages.flatMap((tag) => {
      const text = (values[`text.${tag}`] ?? '').replaceAll('\r\n', '\n').trim()
      return text === '' ? [] : [[tag, text]]
    }),
  )
  const drafted = await draftNotice(tx, i18n, {
    programmeId: programme.id,
    author: { staffId: staff.id },
    channel: 'console',
    // The module refuses what is none.
    purpose: values.purpose as NoticePurpose,
    audience: { ...audienceOf(context), ...(own === undefined ? {} : { groupIds: own }) },
    ...(isFree ? { texts } : { template, fields: wantedFields(template, fields) }),
    ...(sendAt === undefined ? {} : { sendAt }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    dedupeKey: `console/${staff.id}/${values.key ?? ''}`,
    now,
  })
  if ('faults' in drafted) return again(drafted.faults.map((fault) => faultText(context, fault, texts)))
  return { to: `/notices/${drafted.id}` }
}

/** Fields of another template that still stand in the form are left out. */
function wantedFields(template: string, fields: Record<string, string>): Record<string, string> {
  const wanted: readonly string[] = Object.hasOwn(noticeTemplates, template)
    ? noticeTemplates[template as keyof typeof noticeTemplates]
    : []
  return Object.fromEntries(Object.entries(fields).filter(([name]) => wanted.includes(name)))
}

/** What is not right with a notice, in the language of the page; a text that is too long is measured once more. */
export function faultText(
  { say, i18n, tag }: Pick<PageContext, 'say' | 'i18n' | 'tag'>,
  { field: where, code }: NoticeFault,
  texts: Readonly<Record<string, string>> = {},
): string {
  const key = `notice_fault.${code}`
  const known = i18n.has(tag, 'console', key) ? key : 'notice_fault.other'
  const [list = '', language = ''] = where.split('.')
  const inLanguage =
    list === 'texts' && i18n.languages.has(language)
      ? `${say('notice.text_in', { language: i18n.language(language).endonym })}: `
      : ''
  const text = texts[language]
  if (code === 'text_too_long' && inLanguage !== '' && text !== undefined) {
    const { units, segments, costly } = estimateSms(spell(text, i18n.language(language).gsm7))
    const letters = costly.length === 0 ? '-' : costly.slice(0, 5).join(' ')
    return `${inLanguage}${say(known, { units, segments, letters })}`
  }
  const named = list === 'fields' && code.startsWith('field_') ? `${say(`notice_field.${language}`)}: ` : ''
  return `${inLanguage}${named}${say(known)}`
}
