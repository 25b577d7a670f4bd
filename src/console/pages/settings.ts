// Settings of the programme: what staff may change without whoever runs the house. Each change leaves before and after.
import { Decimal } from 'decimal.js'
import { z } from 'zod'
import { recordAudit } from '../../audit.ts'
import { isPlausibleDay } from '../../calendar.ts'
import { countryProfile } from '../../countries.ts'
import { InvariantError } from '../../errors.ts'
import { currencySchema, segmentPriceSchema } from '../../imports/programme.ts'
import { html, type Markup } from '../../markup.ts'
import { button, checkbox, facts, faultSummary, field, form } from '../elements.ts'
import type { ConsoleRoute, Page, PageContext } from '../page.ts'
import { officeRoles } from '../roles.ts'
import { changeRules, ruleFacts, ruleForm } from './setting-rules.ts'

export const settingRoutes: readonly ConsoleRoute[] = [
  { method: 'get', path: '/settings', roles: officeRoles, handle: showPage },
  { method: 'post', path: '/settings', roles: ['administrator'], handle: change },
  { method: 'post', path: '/settings/rules', roles: ['administrator'], handle: changeRules },
]

const number = (least: number, most: number) => z.coerce.number().int().min(least).max(most)
const orNone = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === '' ? null : value), schema.nullable())
const minute = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$|^24:00$/)
  .transform((time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3)))

const days = z
  .string()
  .transform((text) => [...new Set(text.split(/[\s,;]+/).filter((day) => day !== ''))].sort())
  .pipe(z.array(z.string().refine(isPlausibleDay)).max(400))

/** With the bounds of a programme's description; by the columns of the table, which the role may write one by one. */
const schema = z.object({
  name: z.string().min(1).max(30),
  office_phone: orNone(z.string().regex(/^[+\d][\d ]{2,15}$/)),
  send_from_minute: minute,
  send_until_minute: minute,
  daily_cap: number(1, 20),
  weekly_cap: number(1, 100),
  answer_working_days: number(1, 30),
  silent_days: orNone(number(1, 3_650)),
  sms_segments_max: orNone(number(1, 6)),
  segments_minute_max: number(10, 10_000_000),
  segments_day_max: number(10, 100_000_000),
  wrong_pins_max: number(1, 100_000),
  approval_above: number(1, 10_000_000),
  segment_price: orNone(segmentPriceSchema),
  segment_currency: orNone(currencySchema),
  holidays: days,
  treasurer_sees_members: z.preprocess((value) => value === 'yes', z.boolean()),
})
type Settings = z.infer<typeof schema>
type Name = keyof Settings

const names = Object.keys(schema.shape) as Name[]
const times: ReadonlySet<Name> = new Set(['send_from_minute', 'send_until_minute'])
/** No figures. */
const words: ReadonlySet<Name> = new Set(['name', 'office_phone', 'segment_currency', 'holidays'])
/** The audit log takes no names and numbers. */
const personal: ReadonlySet<Name> = new Set(['name', 'office_phone'])

async function read({ tx }: PageContext): Promise<Settings> {
  // Days and prices as they are written, not as the driver would read them.
  const { rows } = await tx.query<Settings>(
    `select ${names.map((name) => (name === 'holidays' ? 'holidays::text[] as holidays' : name)).join(', ')} from programmes`,
  )
  const [settings] = rows
  if (settings === undefined) throw new InvariantError('a session without its programme')
  return settings
}

const clock = (minutes: number) =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`

function written(name: Name, settings: Settings): string {
  const value = settings[name]
  if (value === null) return ''
  if (Array.isArray(value)) return value.join(' ')
  if (name === 'segment_price') return new Decimal(String(value)).toFixed()
  return times.has(name) && typeof value === 'number' ? clock(value) : String(value)
}

async function showPage(context: PageContext): Promise<Page> {
  const settings = await read(context)
  const values = Object.fromEntries(names.map((name) => [name, written(name, settings)]))
  return page(context, values, settings, new Set())
}

/** What stands in the programme's file alone: networks, books and the proof of every screen hang on it. */
async function fileFacts({ tx, say, programme }: PageContext): Promise<Markup> {
  const { rows } = await tx.query<{ countries: string[]; codes: Record<string, string> }>(
    'select sms_countries as countries, unblock_codes as codes from programmes',
  )
  const { countries = [], codes = {} } = rows[0] ?? {}
  const dials = Object.entries(codes).map(([network, code]) => `${network}: ${code}`)
  return html`<h2>${say('setting.file')}</h2><p class="hint">${say('setting.file_hint')}</p>${facts([
    [say('setting.code'), programme.code],
    [say('setting.service_code'), `${programme.serviceCode}#`],
    [say('setting.sender'), programme.senderId],
    [say('setting.shortcode'), programme.shortcode ?? undefined],
    [say('setting.currency'), programme.currencyCode],
    [say('setting.country'), programme.country],
    [say('setting.time_zone'), programme.timeZone],
    [say('setting.languages'), programme.languages.join(', ')],
    [say('setting.draft_languages'), programme.draftLanguages.join(', ')],
    [say('setting.screens'), `${programme.screenSeptetsFirst}, ${programme.screenSeptetsMax}`],
    [say('setting.sms_countries'), countries.join(', ')],
    [say('setting.opt_out_tail'), programme.optOutTail ?? undefined],
    [say('setting.unblock_codes'), dials.join(', ')],
    [say('setting.sim_check'), say(programme.simSwapCheck ? 'consent.yes' : 'consent.no')],
  ])}`
}

async function page(
  context: PageContext,
  values: Record<string, string>,
  settings: Settings,
  wrong: ReadonlySet<string>,
): Promise<Page> {
  const { say, staff } = context
  const title = say('menu.settings')
  const file = await fileFacts(context)
  if (staff.role !== 'administrator') {
    const shown = names.map((name) => [say(`setting.${name}`), written(name, settings)] as const)
    return { title, body: html`${facts(shown)}${await ruleFacts(context)}${file}` }
  }
  const fields = names.map((name) => {
    if (name === 'treasurer_sees_members')
      return checkbox(name, say(`setting.${name}`), (values[name] ?? '') === 'true' || values[name] === 'yes')
    const fault = wrong.has(name) ? say('setting.wrong') : undefined
    const inputmode = words.has(name) || times.has(name) ? {} : { inputmode: 'numeric' }
    return field(name, say(`setting.${name}`), { value: values[name] ?? '', fault, ...inputmode })
  })
  const body = html`${faultSummary(
    say('fault.title'),
    [...wrong].map((name) => `${say(`setting.${name}`)}: ${say('setting.wrong')}`),
  )}
<p class="hint">${say('setting.hint')}</p>
${form(context, '/settings', html`${fields}${button(say('form.save'))}`)}
${await ruleForm(context)}
${file}`
  return { title, body, ...(wrong.size > 0 ? { status: 422 } : {}) }
}

async function change(context: PageContext): Promise<Page> {
  const { tx, staff, actor, now, programme, form: sent } = context
  const before = await read(context)
  const values = Object.fromEntries(names.map((name) => [name, sent[name] ?? '']))
  const parsed = schema.safeParse(values)
  if (!parsed.success)
    return page(context, values, before, new Set(parsed.error.issues.map(({ path }) => String(path[0]))))
  const after = parsed.data
  const hours = countryProfile(programme.country)
  const wrong = [
    ...(after.send_from_minute >= after.send_until_minute ? ['send_until_minute'] : []),
    ...(after.send_from_minute < hours.fromMinute && after.send_from_minute !== before.send_from_minute
      ? ['send_from_minute']
      : []),
    ...(after.send_until_minute > hours.untilMinute && after.send_until_minute !== before.send_until_minute
      ? ['send_until_minute']
      : []),
    ...((after.segment_price === null) !== (after.segment_currency === null) ? ['segment_currency'] : []),
  ]
  if (wrong.length > 0) return page(context, values, before, new Set(wrong))
  const changed = names.filter((name) => written(name, after) !== written(name, before))
  if (changed.length === 0) return { to: '/settings', done: 'unchanged' }
  await tx.query(
    `update programmes set ${changed.map((name, at) => `${name} = $${at + 2}`).join(', ')} where id = $1`,
    [staff.programmeId, ...changed.map((name) => after[name])],
  )
  const noted = (settings: Settings) =>
    Object.fromEntries(changed.map((name) => [name, personal.has(name) ? 'not kept' : settings[name]]))
  await recordAudit(tx, {
    at: now,
    programmeId: staff.programmeId,
    actor,
    action: 'programme.changed',
    subject: `programme:${staff.programmeId}`,
    before: noted(before),
    after: noted(after),
  })
  return { to: '/settings', done: 'saved' }
}
