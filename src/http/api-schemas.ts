// In: bodies and queries of /api/v1. Out: typed values. The OpenAPI page is made from these same schemas.
import { Decimal } from 'decimal.js'
import { z } from 'zod'
import { isPlausibleDay } from '../calendar.ts'
import { RequestError } from '../errors.ts'
import { entryKinds } from '../ledger/entries.ts'
import { loanProducts } from '../ledger/loans.ts'
import { nextAnswer, pageQuery } from './paging.ts'

/** No control characters, lone surrogates or unassigned code points: PostgreSQL takes no NUL, and none belongs in an id. */
export const printable = (charsMax: number) =>
  z
    .string()
    .min(1)
    .max(charsMax)
    .regex(/^[^\p{C}]*$/u, 'must be printable characters')

export const reference = printable(120).describe("The poster's own unique reference; the idempotency key")
export const day = z
  .string()
  .refine(isPlausibleDay, 'must be a day like 2026-11-22, of the years 1900 to 2199')
  .meta({ description: 'Calendar day', format: 'date' })

const amountText = z
  .string()
  .regex(/^-?\d{1,16}(\.\d{1,4})?$/, {
    error: 'must be a decimal number written as text, like "12500" or "-3.50"',
    // What is no number must not reach the checks that read it as one.
    abort: true,
  })
  .describe('Exact decimal as text: at most 16 digits and the decimals of the currency')
const positiveText = amountText.refine((text) => new Decimal(text).greaterThan(0), 'must be above zero')
const partText = amountText.refine((text) => !text.startsWith('-'), 'must not be negative')

export const entrySchema = z.strictObject({
  reference,
  kind: z.enum(entryKinds).exclude(['reversal']),
  bookedDate: day,
  description: printable(200).optional(),
  postings: z
    .array(
      z.strictObject({
        account: printable(120).describe('Account code'),
        amount: amountText
          .refine((text) => !new Decimal(text).isZero(), 'must not be zero')
          .describe('Debit above zero, credit below; an entry sums to zero'),
      }),
    )
    .min(2)
    .max(100),
})

export const reversalSchema = z.strictObject({
  reference,
  bookedDate: day,
  description: printable(200).optional(),
})

export const instalmentsSchema = z
  .array(
    z.strictObject({
      dueDate: day,
      principal: partText.default('0'),
      interest: partText.default('0'),
      fee: partText.default('0'),
      insurance: partText.default('0'),
    }),
  )
  .min(1)
  .max(600)

export const loanSchema = z.strictObject({
  number: printable(60).describe("The programme's own loan number; the idempotency key"),
  member: printable(60).describe('Member number'),
  product: z.enum(loanProducts),
  cycle: z.int().min(1).max(1000).default(1),
  principal: positiveText,
  disbursedDate: day,
  instalments: instalmentsSchema,
})

export const statementQuery = z.strictObject(pageQuery)

export const messagesQuery = z
  .strictObject({
    member: printable(60).optional(),
    entry: reference.optional(),
    status: z
      .string()
      .regex(/^[a-z]{1,20}$/, 'must be a status, such as "delivered"')
      .optional(),
    ...pageQuery,
  })
  .refine((query) => query.member === undefined || query.entry === undefined, {
    message: 'give either member or entry, not both',
    path: ['member'],
  })

/** 201: written now. 200: read, or written before by the same request. */
export interface Answer<Body = unknown> {
  status: 200 | 201
  body: Body
}

const amountAnswer = z.string().describe('Exact decimal as text')

export const entryAnswer = z.object({
  id: z.uuid(),
  reference: z.string(),
  kind: z.enum(entryKinds),
  bookedDate: z.string(),
  description: z.string().nullable(),
  reverses: z.string().nullable().describe('Reference of the entry that this one reverses'),
  postings: z.array(z.object({ account: z.string(), amount: amountAnswer })),
})

const partsAnswer = {
  principal: amountAnswer,
  interest: amountAnswer,
  fee: amountAnswer,
  insurance: amountAnswer,
}

export const loanAnswer = z.object({
  number: z.string(),
  member: z.string(),
  product: z.enum(loanProducts),
  cycle: z.int(),
  principal: amountAnswer,
  account: z.string().describe('Code of the loan account, which repayments credit'),
  disbursedDate: z.string(),
  disbursement: z.string().describe('Reference of the disbursing entry'),
  instalments: z.array(z.object({ dueDate: z.string(), ...partsAnswer })),
})

export const loanStateAnswer = z.object({
  number: z.string(),
  member: z.string(),
  product: z.enum(loanProducts),
  cycle: z.int(),
  principal: amountAnswer,
  outstanding: amountAnswer.describe('Below zero when over-paid'),
  overpaid: amountAnswer,
  unscheduled: amountAnswer.describe('Charged to the loan account beyond the schedule'),
  instalments: z.array(
    z.object({
      dueDate: z.string(),
      amount: amountAnswer,
      remaining: amountAnswer,
      unpaid: z
        .object(partsAnswer)
        .describe('Payments cover fee, insurance, interest and principal in this order'),
    }),
  ),
})

export const positionAnswer = z.object({
  member: z.string(),
  currency: z.string(),
  loans: z.array(
    z.object({
      number: z.string(),
      product: z.string(),
      outstanding: amountAnswer,
      overdue: amountAnswer,
      next: z.object({ dueDate: z.string(), remaining: amountAnswer }).nullable(),
    }),
  ),
  savings: amountAnswer.nullable().describe('Null: she has no savings account'),
  nextMeeting: z
    .object({ startsAt: z.string(), place: z.string(), coming: z.boolean().nullable() })
    .nullable(),
  nextTraining: z
    .object({ startsAt: z.string(), place: z.string(), titles: z.record(z.string(), z.string()) })
    .nullable(),
  initialSessions: z.object({ done: z.int(), total: z.int() }),
})

export const statementAnswer = z.object({
  account: z.string(),
  type: z.string(),
  purpose: z.string(),
  currency: z.string(),
  closedAt: z.string().nullable(),
  balance: amountAnswer.describe('Debit above zero'),
  rows: z.array(
    z.object({
      reference: z.string(),
      kind: z.enum(entryKinds),
      bookedDate: z.string(),
      description: z.string().nullable(),
      reversed: z.boolean(),
      amount: amountAnswer,
      balance: amountAnswer.describe('After this row'),
    }),
  ),
  next: nextAnswer,
})

export const messageAnswer = z.object({
  id: z.uuid(),
  member: z.string().nullable().describe("Member number; null: it answered a number that is nobody's"),
  entry: z.string().nullable().describe('Reference of the entry that it is about'),
  purpose: z.string(),
  lane: z.string(),
  status: z.string(),
  reason: z.string().nullable(),
  createdAt: z.string(),
  events: z.array(
    z.object({
      from: z.string(),
      to: z.string(),
      source: z.string(),
      reason: z.string().nullable(),
      at: z.string(),
    }),
  ),
})

export const messagesAnswer = z.object({ messages: z.array(messageAnswer), next: nextAnswer })

export const writtenPhone = printable(30).describe('Phone number, international or as written in the country')

/** One person's word that she sees the member with this phone in her hand. */
export const confirmationSchema = z.strictObject({
  phone: writtenPhone.describe('The number in her hand: the one in doubt, or a new one'),
  by: z
    .union([
      z.strictObject({ staff: writtenPhone }),
      z.strictObject({ officer: printable(60).describe('Member number of an officer of her group') }),
    ])
    .describe('Whose word it is'),
})

export const confirmationAnswer = z.object({
  member: z.string(),
  state: z.enum(['waiting', 'bound']).describe('Bound: the phone is hers again, and she chooses a new PIN'),
  until: z.string().nullable().describe('Until when the second word is taken'),
})

/** Her facilitator has seen her in person. */
export const pinResetSchema = z.strictObject({
  confirmedBy: writtenPhone.describe(
    'Phone of the facilitator of her group, who saw her; of a member without a group: of any active staff member',
  ),
})

export const pinResetAnswer = z.object({
  member: z.string(),
  pin: z.literal('none').describe('She chooses a new one at her next dial; no lock is left'),
})

export const reportSchema = z.strictObject({})

export const phonesAnswer = z.object({
  member: z.string(),
  phones: z.array(
    z.object({
      phone: z.string().describe('Masked'),
      primary: z.boolean(),
      state: z.enum(['bound', 'reverify']),
      since: z.string().nullable(),
      reason: z.string().nullable().describe('gone, silent, sim_swap or reported'),
    }),
  ),
})

export const erasureSchema = z.strictObject({
  dryRun: z.boolean().default(false).describe('Only say how many rows would go'),
})

export const erasureAnswer = z.object({
  member: z.string(),
  dryRun: z.boolean(),
  rows: z.record(z.string(), z.int()).describe('Rows changed or removed, by what they held'),
})

export const exportAnswer = z.object({
  format: z.literal('tama-member/1'),
  exportedAt: z.string(),
  tables: z
    .record(z.string(), z.array(z.unknown()))
    .describe('Rows by table, as they stand in the database; a PIN only as its dates'),
})

export const estimateSchema = z.strictObject({
  text: z
    .string()
    .min(1)
    .max(1600)
    .regex(/^[^\p{Cs}]*$/u, 'must be whole characters')
    .refine((text) => !/[^\P{Cc}\n]/u.test(text), 'must have no control character but the line break'),
  language: z
    .string()
    .max(40)
    .optional()
    .describe('Spelt by the rules of this language ("wo"); left out: with the letters that it has'),
})

export const estimateAnswer = z.object({
  text: z.string().describe('As a phone gets it'),
  encoding: z.enum(['gsm7', 'ucs2']),
  units: z.int().describe('Septets, or UTF-16 units'),
  segments: z.int(),
  costly: z.array(z.string()).describe('Letters outside GSM-7, each once'),
  over: z
    .object({ character: z.string(), at: z.int().describe('Place in the text, from 0') })
    .nullable()
    .describe('The character with which the text outgrows a single segment'),
  segmentsWithoutCostly: z.int().describe('Segments if each costly letter were one of GSM-7'),
  cost: z
    .object({ amount: amountAnswer, currency: z.string() })
    .nullable()
    .describe("By the programme's price of a segment; null: it has none"),
})

export const problemAnswer = z.object({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: z.string(),
  field: z.string().optional(),
  detail: z.string().optional(),
})

/** Parses, or throws RequestError request.field_invalid that names the first wrong field, for example "postings[0].amount". */
export function parseInput<Output>(schema: z.ZodType<Output>, input: unknown): Output {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const path = [...(issue?.path ?? [])]
  if (issue?.code !== 'unrecognized_keys')
    throw new RequestError('request.field_invalid', {
      field: fieldName(path),
      detail: issue?.message ?? 'is wrong',
    })
  // A field's name is echoed only when it looks like one: anything could stand there.
  const key = issue.keys.find((name) => /^\w{1,60}$/.test(name))
  throw new RequestError('request.field_invalid', {
    field: fieldName(key === undefined ? path : [...path, key]),
    detail: 'there is a field that this route does not know',
  })
}

function fieldName(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'body'
  return path.reduce<string>((name, part) => {
    if (typeof part === 'number') return `${name}[${part}]`
    return name === '' ? String(part) : `${name}.${String(part)}`
  }, '')
}
