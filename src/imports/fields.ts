// In: one field of a file as text. Out: its value, or a fault code as the issue's message.
import { z } from 'zod'
import { type CalendarDate, isPlausibleDay } from '../calendar.ts'
import { type Amount, parseAmount } from '../money.ts'
import { parseMsisdn } from '../msisdn.ts'
import type { ImportFaultCode } from './faults.ts'

const code = (fault: ImportFaultCode) => fault

/** What an import needs to know of the programme it writes to. */
export interface ImportProgramme {
  id: string
  currencyCode: string
  /** ISO 3166-1 alpha-2; phone numbers may be written as people there write them. */
  country: string
  languages: readonly string[]
  timeZone: string
}

/** Required text without control characters, at most `lengthMax` UTF-16 units. */
export const text = (lengthMax: number) =>
  z
    .string()
    .min(1, code('field.missing'))
    .max(lengthMax, code('field.too_long'))
    .regex(/^\P{Cc}*$/u, code('field.control_character'))

/** As `text`, or undefined for an empty field. */
export const optionalText = (lengthMax: number) => emptyIsUndefined(text(lengthMax))

export const date = z.string().min(1, code('field.missing')).refine(isPlausibleDay, code('date.invalid'))

/** When something was booked: at the latest on `lastDay`. */
export const bookedDate = (lastDay: CalendarDate) =>
  date.refine((day) => !isPlausibleDay(day) || day <= lastDay, code('date.future'))

export const wholeNumber = (from: number, to: number) =>
  z.string().transform((written, context) => {
    const value = /^\d{1,9}$/.test(written) ? Number(written) : Number.NaN
    if (value >= from && value <= to) return value
    context.addIssue({ code: 'custom', message: code(written === '' ? 'field.missing' : 'number.invalid') })
    return z.NEVER
  })

export const word = <const Word extends string>(words: readonly [Word, ...Word[]]) =>
  z.enum(words, { error: (issue) => code(issue.input === '' ? 'field.missing' : 'field.unknown_word') })

/** Undefined for an empty field. */
export const emptyIsUndefined = <Schema extends z.ZodType>(schema: Schema) =>
  z.preprocess((value) => (value === '' ? undefined : value), schema.optional())

/** Zero or more in the currency; undefined for an empty field. */
export const optionalAmount = (currency: string) =>
  z.string().transform((written, context): Amount | undefined => {
    if (written === '') return undefined
    const amount = parseAmount(written, currency)
    if (amount !== undefined && !(amount.isNegative() && !amount.isZero())) return amount
    const fault =
      amount !== undefined || /^-\d/.test(written)
        ? 'amount.negative'
        : /^\d{1,16}\.\d+$/.test(written)
          ? 'amount.decimals'
          : 'amount.invalid'
    context.addIssue({ code: 'custom', message: code(fault) })
    return z.NEVER
  })

/** A valid number of the programme's country or in international form, as E.164 with what was written; undefined when empty. */
export const optionalPhone = (country: string) =>
  z.string().transform((written, context) => {
    if (written === '') return undefined
    const msisdn = written.length > 40 ? undefined : parseMsisdn(written, country)
    if (msisdn !== undefined) return { msisdn, raw: written }
    context.addIssue({ code: 'custom', message: code('phone.invalid') })
    return z.NEVER
  })
