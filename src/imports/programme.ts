// In: a programme's description as YAML (or JSON). Out: the programme with its standard accounts and staff, new or brought up to date.
// Must never change the currency or code of a programme that is there: its books depend on them.
import { isDeepStrictEqual } from 'node:util'
import { Decimal } from 'decimal.js'
import { parse } from 'yaml'
import { z } from 'zod'
import { recordAudit } from '../audit.ts'
import { isTimeZone } from '../calendar.ts'
import { caseRulesSchema } from '../cases/rules.ts'
import { countryProfile, segmentsMaxOf } from '../countries.ts'
import type { Db, Queryable } from '../db.ts'
import { InvariantError, StartError } from '../errors.ts'
import { openAccounts, standardAccounts } from '../ledger/accounts.ts'
import type { ProgrammeInfo } from '../members/programmes.ts'
import { currencyExponents } from '../money.ts'
import { parseMsisdn } from '../msisdn.ts'
import { forgetGreetings, noteEarlierGreetings } from '../outbound/greetings.ts'
import { groupFaults, groupsSchema, writeGroups } from './groups.ts'

const minuteOfDay = z
  .string()
  .regex(/^([01]\d|2[0-4]):[0-5]\d$/, 'must be a time such as "08:00"')
  .transform((time) => Number(time.slice(0, 2)) * 60 + Number(time.slice(3)))
  .refine((minute) => minute <= 1_440, 'must be a time of the day')

const staffSchema = z.strictObject({
  firstName: z.string().min(1).max(80),
  lastName: z.string().min(1).max(80),
  phone: z.string(),
  role: z.enum(['facilitator', 'adviser', 'social_worker', 'branch', 'administrator', 'auditor']),
  language: z.string(),
})

/** As the database gives it back, so that the same price is no change. */
export const segmentPriceSchema = z
  .string()
  .regex(/^\d{1,9}(\.\d{1,6})?$/, 'must be a decimal number in quotes such as "12.5"')
  .transform((price) => new Decimal(price).toFixed(6))

export const currencySchema = z.string().refine((code) => currencyExponents.has(code), 'is no ISO 4217 code')

/** 182 septets are the 160 octets that every network carries (TS 23.038, 5). */
const screenSeptets = z.number().int().min(80).max(182)

const programmeSchema = z
  .strictObject({
    code: z.string().regex(/^[a-z][a-z0-9-]{1,30}$/, 'must be lower-case letters, digits and "-"'),
    name: z.string().min(1).max(30),
    serviceCode: z
      .string()
      .regex(/^\*\d+(\*\d+)*#?$/, 'must look like "*384*1#"')
      // What screens and SMS are proved with.
      .max(12, 'must be at most 12 signs: it stands on screens and in every SMS')
      .transform((serviceCode) => serviceCode.replace(/#$/, '')),
    senderId: z.string().regex(/^[A-Za-z0-9 ]{1,11}$/, 'must be 1 to 11 letters and digits'),
    shortcode: z
      .string()
      .regex(/^\d{3,8}$/, 'must be 3 to 8 digits')
      .nullable()
      .default(null),
    currency: currencySchema,
    country: z.string().regex(/^[A-Z]{2}$/, 'must be an ISO 3166-1 code such as "SN"'),
    timeZone: z.string().refine(isTimeZone, 'is no time zone'),
    languages: z
      .array(z.string())
      .min(1)
      .max(7, 'must be at most 7: they stand on one screen')
      .refine((tags) => new Set(tags).size === tags.length, 'names a language twice'),
    draftLanguages: z.array(z.string()).default([]),
    screenSeptetsFirst: screenSeptets.optional(),
    screenSeptetsMax: screenSeptets.optional(),
    twoWaySms: z.boolean().optional(),
    smsSegmentsMax: z.number().int().min(1).max(6).nullable().default(null),
    holidays: z.array(z.iso.date('must be days such as "2027-04-04"')).default([]),
    officePhone: z.string().max(16, 'must be at most 16 signs').nullable().default(null),
    sendFrom: minuteOfDay.default(480),
    sendUntil: minuteOfDay.default(1_200),
    dailyCap: z.number().int().min(1).max(20).default(2),
    weeklyCap: z.number().int().min(1).max(100).default(6),
    answerWorkingDays: z.number().int().min(1).max(30).default(3),
    approvalAbove: z.number().int().min(0).max(1_000_000).default(200),
    caseRules: caseRulesSchema.default({}),
    unblockCodes: z
      .record(
        z.string().regex(/^(any|\d{5,6})$/, 'must be a network code such as "63902", or "any"'),
        z.string().regex(/^[*#\d]{2,14}$/, 'must be a code to dial such as "*456*9*5*5#", at most 14 signs'),
      )
      .default({}),
    simSwapCheck: z.boolean().default(false),
    silentDays: z.number().int().min(1).max(3650).nullable().default(90),
    segmentsMinuteMax: z.number().int().min(10).max(10_000_000).default(30_000),
    segmentsDayMax: z.number().int().min(10).max(100_000_000).default(100_000),
    smsCountries: z
      .array(z.string().regex(/^[A-Z]{2}$/, 'must be ISO 3166-1 codes such as "SN"'))
      .default([]),
    segmentPrice: segmentPriceSchema.nullable().default(null),
    segmentCurrency: currencySchema.nullable().default(null),
    optOutTail: z.string().min(1).max(60).nullable().default(null),
    wrongPinsMax: z.number().int().min(1).max(100_000).default(50),
    staff: z.array(staffSchema).default([]),
    groups: groupsSchema,
  })
  .refine(({ sendFrom, sendUntil }) => sendFrom < sendUntil, {
    path: ['sendUntil'],
    message: 'must be after sendFrom',
  })
  .refine(({ segmentPrice, segmentCurrency }) => (segmentPrice === null) === (segmentCurrency === null), {
    path: ['segmentCurrency'],
    message: 'goes with segmentPrice: both or neither',
  })

export interface ProgrammeContext {
  db: Db
  /** Languages that have texts. */
  languages: ReadonlySet<string>
  /** What is there already. */
  programmes: readonly ProgrammeInfo[]
  /** Faults of service codes taken together. */
  serviceCodeFaults(programmes: readonly { code: string; serviceCode: string }[]): string[]
  /** Screens and texts that would not fit with these settings. */
  textFaults(limits: DescribedProgramme): string[]
  /** When it is written, for the audit log. */
  now: Date
}

export type DescribedProgramme = Pick<
  ProgrammeInfo,
  | 'code'
  | 'menu'
  | 'languages'
  | 'draftLanguages'
  | 'currencyCode'
  | 'screenSeptetsFirst'
  | 'screenSeptetsMax'
  | 'segmentsMax'
  | 'optOutTail'
>

/** How a programme is dialled, named and asked. */
export type ProgrammeFace = Pick<ProgrammeInfo, 'name' | 'serviceCode' | 'senderId' | 'officePhone'>

/** What of a description its screens and texts depend on, without a database. Throws a StartError that lists every fault. */
export function describedProgramme(description: string): DescribedProgramme & ProgrammeFace {
  const programme = readDescription(description)
  const { name, serviceCode, senderId, officePhone } = programme
  return { ...limitsOf(programme), name, serviceCode, senderId, officePhone }
}

/** The description as it is written, not held against any database. Throws a StartError that lists every fault. */
export function readDescription(description: string): Described {
  const { programme, faults } = parseDescription(description)
  if (programme === undefined) throw new StartError('The programme cannot be read', faults)
  return programme
}

/** Writes a programme that is not there yet, without staff, accounts and audit: those are the caller's. Gives its id. */
export async function insertDescribed(tx: Queryable, programme: Described): Promise<string> {
  const { staff: _staff, groups: _groups, twoWaySms: _twoWaySms, ...written } = programme
  return (await writeSettings(tx, settingsOf(written))).id
}

/** By the names of the table's columns; what a description leaves out stays as it is there. */
function settingsOf({
  currency,
  sendFrom,
  sendUntil,
  ...same
}: Omit<Described, 'staff' | 'groups' | 'twoWaySms'>) {
  const settings = { ...same, currencyCode: currency, sendFromMinute: sendFrom, sendUntilMinute: sendUntil }
  const told = Object.entries(settings).filter(([, value]) => value !== undefined)
  return Object.fromEntries(told) as Omit<typeof settings, 'screenSeptetsFirst' | 'screenSeptetsMax'>
}

/** What the table has for a programme that says nothing of it. */
const unsaid = { menu: 'member', screenSeptetsFirst: 140, screenSeptetsMax: 160 }

function limitsOf(described: Described, before: typeof unsaid = unsaid): DescribedProgramme {
  const { code, languages, draftLanguages, currency, country, smsSegmentsMax, optOutTail } = described
  return {
    code,
    menu: before.menu,
    languages,
    draftLanguages,
    currencyCode: currency,
    screenSeptetsFirst: described.screenSeptetsFirst ?? before.screenSeptetsFirst,
    screenSeptetsMax: described.screenSeptetsMax ?? before.screenSeptetsMax,
    segmentsMax: smsSegmentsMax ?? segmentsMaxOf(country),
    optOutTail,
  }
}

/** Writes the programme and says whether it is new. Throws a StartError that lists every fault of the description. */
export async function writeProgramme(
  context: ProgrammeContext,
  description: string,
): Promise<{ code: string; isNew: boolean }> {
  const { programme, staff, groups } = check(context, description)
  const settings = settingsOf(programme)
  return context.db.transaction(async (tx) => {
    const { id, before } = await writeSettings(tx, settings)
    // Under another name the network greets everybody anew.
    if (before !== undefined && before.senderId !== settings.senderId) await forgetGreetings(tx, id)
    else if (settings.optOutTail !== null && !before?.optOutTail)
      await noteEarlierGreetings(tx, id, context.now)
    const staffWritten = await writeStaff(tx, id, staff)
    const { country } = settings
    const groupsWritten = await writeGroups(tx, { programmeId: id, country, now: context.now }, groups)
    await openAccounts(tx, id, standardAccounts(settings.currencyCode))
    const changed = Object.entries(settings).filter(
      ([name, value]) => !isDeepStrictEqual(before?.[name], value),
    )
    if (changed.length > 0 || staffWritten.length > 0 || groupsWritten.length > 0)
      await recordAudit(tx, {
        at: context.now,
        programmeId: id,
        actor: 'operator',
        action: before === undefined ? 'programme.opened' : 'programme.changed',
        subject: `programme:${id}`,
        ...(before === undefined ? {} : { before: said(changed.map(([name]) => [name, before[name]])) }),
        after: {
          ...said(changed),
          staff: staffWritten.map((staffId) => `staff:${staffId}`),
          groups: groupsWritten.map((groupId) => `group:${groupId}`),
        },
      })
    return { code: programme.code, isNew: before === undefined }
  })
}

type Settings = Record<string, unknown>

/** For the audit log, which takes no names and numbers: that they changed is enough. */
function said(settings: readonly (readonly [name: string, value: unknown])[]): Settings {
  const kept = ([name, value]: readonly [string, unknown]) =>
    [name, name === 'name' || name === 'officePhone' ? 'not kept' : value] as const
  return Object.fromEntries(settings.map(kept))
}

async function writeSettings(
  tx: Queryable,
  settings: Settings & { code: string },
): Promise<{ id: string; before: Settings | undefined }> {
  // Names of our own schema, never of the file.
  const names = Object.keys(settings)
  const column = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  const { rows } = await tx.query<Settings>(
    `select ${names.map((name) => `${column(name)} as "${name}"`).join(', ')} from programmes where code = $1 for update`,
    [settings.code],
  )
  const written = await tx.query<{ id: string }>(
    `insert into programmes (${names.map(column).join(', ')}) values (${names.map((_, index) => `$${index + 1}`).join(', ')})
     on conflict (code) do update set ${names.map((name) => `${column(name)} = excluded.${column(name)}`).join(', ')}
     returning id`,
    Object.values(settings),
  )
  const id = written.rows[0]?.id
  if (id === undefined) throw new InvariantError('a programme was not written')
  return { id, before: rows[0] }
}

/** Ids of those who are new or no longer as they were. */
async function writeStaff(
  tx: Queryable,
  programmeId: string,
  staff: readonly z.infer<typeof staffSchema>[],
): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>(
    `insert into staff as s (programme_id, first_name, last_name, msisdn, role, language)
     select $1, t.* from unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::text[]) as t
     on conflict (programme_id, msisdn) do update
       set first_name = excluded.first_name, last_name = excluded.last_name, role = excluded.role, language = excluded.language
       where (s.first_name, s.last_name, s.role, s.language)
             is distinct from (excluded.first_name, excluded.last_name, excluded.role, excluded.language)
     returning id`,
    [
      programmeId,
      staff.map((person) => person.firstName),
      staff.map((person) => person.lastName),
      staff.map((person) => person.phone),
      staff.map((person) => person.role),
      staff.map((person) => person.language),
    ],
  )
  return rows.map(({ id }) => id)
}

/** A description with its defaults filled in. */
export type Described = z.infer<typeof programmeSchema>

function parseDescription(description: string): { programme?: Described; faults: string[] } {
  let document: unknown
  try {
    document = parse(description)
  } catch (error) {
    return { faults: [error instanceof Error ? (error.message.split('\n')[0] ?? '') : 'is not YAML'] }
  }
  const { data, error } = programmeSchema.safeParse(document)
  if (data === undefined)
    return { faults: error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`) }
  return { programme: data, faults: [] }
}

/** What is known of the country's networks; a programme that knows better says so. */
function countryFaults({ country, shortcode, twoWaySms, sendFrom, sendUntil }: Described): string[] {
  const profile = countryProfile(country)
  const clock = (minute: number) =>
    `${String(Math.floor(minute / 60)).padStart(2, '0')}:${String(minute % 60).padStart(2, '0')}`
  const faults: string[] = []
  if (shortcode !== null && !(twoWaySms ?? profile.twoWaySms))
    faults.push(
      `shortcode: members in ${country} cannot answer by SMS (${profile.source}); with a number from your aggregator add "twoWaySms: true"`,
    )
  if (shortcode === null && twoWaySms === true)
    faults.push('shortcode: is missing, and twoWaySms says that members can answer')
  if (sendFrom < profile.fromMinute || sendUntil > profile.untilMinute)
    faults.push(
      `sendFrom, sendUntil: in ${country} SMS may arrive from ${clock(profile.fromMinute)} to ${clock(profile.untilMinute)} (${profile.source})`,
    )
  return faults
}

function check(
  { languages, programmes, serviceCodeFaults, textFaults }: ProgrammeContext,
  description: string,
) {
  const fail = (faults: string[]): never => {
    throw new StartError('The programme cannot be written', faults)
  }
  const read = parseDescription(description)
  if (read.programme === undefined) return fail(read.faults)
  // What members are told of the country stands in no column.
  const { staff, groups, twoWaySms, ...programme } = read.programme
  const strange = programme.languages.filter((language) => !languages.has(language))
  const faults = strange.map((language) => `languages: there are no texts in "${language}"`)
  for (const tag of programme.draftLanguages)
    if (!programme.languages.includes(tag)) faults.push(`draftLanguages: "${tag}" is not among the languages`)
  faults.push(...countryFaults(read.programme))
  const before = programmes.find(({ code }) => code === programme.code)
  if (strange.length === 0) faults.push(...textFaults(limitsOf(read.programme, before)))
  if (before !== undefined && before.currencyCode !== programme.currency)
    faults.push(`currency: the books are kept in ${before.currencyCode}`)
  const others = programmes.filter(({ code }) => code !== programme.code)
  faults.push(...serviceCodeFaults([...others, programme]))
  const people = staff.map((person, index) => {
    const phone = parseMsisdn(person.phone, programme.country)
    if (phone === undefined) faults.push(`staff.${index}.phone: is no phone number`)
    else if (staff.findIndex((other) => parseMsisdn(other.phone, programme.country) === phone) < index)
      faults.push(`staff.${index}.phone: is given twice`)
    if (!languages.has(person.language)) faults.push(`staff.${index}.language: there are no texts in it`)
    return { ...person, phone: phone ?? '' }
  })
  faults.push(...groupFaults(groups, programme.country, new Set(people.map(({ phone }) => phone))))
  return faults.length > 0 ? fail(faults) : { programme, staff: people, groups }
}
