// In: the schemas that parse requests. Out: the OpenAPI 3.1 page of /api/v1, made from them so that it cannot drift.
import { z } from 'zod'
import { type RequestErrorCode, requestErrors } from '../errors.ts'
import { caseAnswer, casesAnswer, closingSchema, unmatchedCodesAnswer } from './api-cases.ts'
import { consentsAnswer, consentsSchema } from './api-consents.ts'
import {
  confirmationAnswer,
  confirmationSchema,
  entryAnswer,
  entrySchema,
  erasureAnswer,
  erasureSchema,
  estimateAnswer,
  estimateSchema,
  exportAnswer,
  loanAnswer,
  loanSchema,
  loanStateAnswer,
  messagesAnswer,
  messagesQuery,
  phonesAnswer,
  pinResetAnswer,
  pinResetSchema,
  positionAnswer,
  problemAnswer,
  reportSchema,
  reversalSchema,
  statementAnswer,
  statementQuery,
} from './api-schemas.ts'

type JsonSchema = z.core.JSONSchema.JSONSchema

const json = (schema: JsonSchema) => ({ 'application/json': { schema } })
const inputOf = (schema: z.ZodType) => bare(z.toJSONSchema(schema, { io: 'input' }))
const answerOf = (schema: z.ZodType) => bare(z.toJSONSchema(schema, { io: 'output' }))

function bare({ $schema: _dialect, ...schema }: JsonSchema): JsonSchema {
  return schema
}

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'Your own name for this request. A repetition within 7 days has no second effect and gets the first answer, byte for byte, with Idempotency-Replayed: true; another request under the same key is refused. A refused request is not remembered.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
}

function operation(input: {
  summary: string
  body?: z.ZodType
  /** The body only says what to read. */
  reads?: true
  answer: z.ZodType
  path?: readonly [name: string, description: string]
  query?: z.ZodType
  refusals: readonly RequestErrorCode[]
}) {
  const statuses = new Map<number, string[]>()
  for (const code of ['auth.missing', 'auth.scope', ...input.refusals] as const) {
    const { status, sentence } = requestErrors[code]
    statuses.set(status, [...(statuses.get(status) ?? []), `${code}: ${sentence}`])
  }
  const problems = [...statuses].map(([status, lines]) => [
    String(status),
    {
      description: lines.join('\n'),
      content: { 'application/problem+json': { schema: answerOf(problemAnswer) } },
    },
  ])
  const isWrite = input.body !== undefined && input.reads !== true
  const done = (description: string) => ({ description, content: json(answerOf(input.answer)) })
  return {
    summary: input.summary,
    security: [{ key: [] }],
    parameters: [...parametersOf(input.path, input.query), ...(isWrite ? [idempotencyKey] : [])],
    ...(input.body === undefined
      ? {}
      : { requestBody: { required: true, content: json(inputOf(input.body)) } }),
    responses: {
      ...(!isWrite
        ? { 200: done('Found') }
        : { 201: done('Written'), 200: done('Was written before, by the same request') }),
      ...Object.fromEntries(problems),
      503: {
        description: 'Something that we need is away; nothing was done',
        headers: {
          'Retry-After': { description: 'Seconds after which to ask again', schema: { type: 'integer' } },
        },
        content: { 'application/problem+json': { schema: answerOf(problemAnswer) } },
      },
    },
  }
}

function parametersOf(path: readonly [string, string] | undefined, query: z.ZodType | undefined) {
  const inPath =
    path === undefined
      ? []
      : [{ name: path[0], in: 'path', required: true, description: path[1], schema: { type: 'string' } }]
  const properties = query === undefined ? {} : (inputOf(query).properties ?? {})
  const inQuery = Object.entries(properties).map(([name, schema]) => ({ name, in: 'query', schema }))
  return [...inPath, ...inQuery]
}

const written = [
  'idempotency.conflict',
  'request.malformed',
  'request.field_invalid',
  'request.too_large',
  'request.content_type',
] as const
const entryRefusals = [
  ...written,
  'entry.reference_conflict',
  'entry.reference_concurrent',
  'entry.account_closed',
] as const

export const openApiDocument = {
  openapi: '3.1.0',
  info: {
    title: 'Tama',
    version: '1',
    description:
      'The shared double-entry ledger of a programme. Amounts are decimal text, never numbers. A write is repeated safely: its reference (a loan: its number) names it.',
  },
  servers: [{ url: '/api/v1' }],
  components: { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } },
  paths: {
    '/entries': {
      post: operation({
        summary: 'Post an entry',
        body: entrySchema,
        answer: entryAnswer,
        refusals: [
          ...entryRefusals,
          'entry.unbalanced',
          'entry.currency_mix',
          'entry.decimals',
          'entry.account_unknown',
          'entry.date_future',
        ],
      }),
    },
    '/entries/{reference}/reversal': {
      post: operation({
        summary: 'Reverse an entry by its mirror',
        path: ['reference', 'Reference of the entry to reverse, percent-encoded'],
        body: reversalSchema,
        answer: entryAnswer,
        refusals: [
          ...entryRefusals,
          'entry.already_reversed',
          'entry.reversal_unknown',
          'entry.reversal_invalid',
          'entry.date_future',
        ],
      }),
    },
    '/loans': {
      post: operation({
        summary: 'Open a loan with its schedule and hand it out',
        body: loanSchema,
        answer: loanAnswer,
        refusals: [
          ...written,
          'loan.number_taken',
          'loan.schedule_invalid',
          'member.unknown',
          'entry.date_future',
        ],
      }),
    },
    '/loans/{number}': {
      get: operation({
        summary: 'A loan with what of each instalment is still to be paid, part by part',
        path: ['number', 'Loan number, percent-encoded'],
        answer: loanStateAnswer,
        refusals: ['route.unknown'],
      }),
    },
    '/members/{number}/position': {
      get: operation({
        summary: 'What a member owes, saved, and what comes next',
        path: ['number', 'Member number, percent-encoded'],
        answer: positionAnswer,
        refusals: ['route.unknown'],
      }),
    },
    '/members/{number}/consents': {
      get: operation({
        summary:
          'What a member allows us to send, the hours that she chose, and every word of hers so far, newest first',
        path: ['number', 'Member number, percent-encoded'],
        answer: consentsAnswer,
        refusals: ['route.unknown'],
      }),
      put: operation({
        summary:
          'Take down what a member said about our messages; a no counts at once, what she said since stands',
        path: ['number', 'Member number, percent-encoded'],
        body: consentsSchema,
        answer: consentsAnswer,
        refusals: [...written, 'route.unknown'],
      }),
    },
    '/members/{number}/phones': {
      get: operation({
        summary: 'States of her phones, numbers masked',
        path: ['number', 'Member number, percent-encoded'],
        answer: phonesAnswer,
        refusals: ['route.unknown'],
      }),
    },
    '/members/{number}/reverify': {
      post: operation({
        summary:
          "Report that she no longer holds her numbers: they count as a stranger's until two people bind a phone again",
        path: ['number', 'Member number, percent-encoded'],
        body: reportSchema,
        answer: phonesAnswer,
        refusals: [...written, 'route.unknown'],
      }),
    },
    '/members/{number}/confirmations': {
      post: operation({
        summary:
          "One person's word that the member stands before her with this phone; the second word of another person within 24 hours binds it",
        path: ['number', 'Member number, percent-encoded'],
        body: confirmationSchema,
        answer: confirmationAnswer,
        refusals: [
          ...written,
          'route.unknown',
          'member.unknown',
          'confirmation.not_entitled',
          'confirmation.same_person',
          'confirmation.facilitator_needed',
          'confirmation.not_needed',
        ],
      }),
    },
    '/members/{number}/pin-reset': {
      post: operation({
        summary:
          "Take her PIN and lock away on the word of her group's facilitator, who saw her; she chooses a new PIN at her next dial",
        path: ['number', 'Member number, percent-encoded'],
        body: pinResetSchema,
        answer: pinResetAnswer,
        refusals: [...written, 'route.unknown', 'pin.not_her_facilitator'],
      }),
    },
    '/members/{number}/export': {
      get: operation({
        summary: 'Everything that is held on a member, as one document; PIN hash excluded',
        path: ['number', 'Member number, percent-encoded'],
        answer: exportAnswer,
        refusals: ['route.unknown'],
      }),
    },
    '/members/{number}/erasure': {
      post: operation({
        summary:
          'Erase her name, numbers, PIN and texts for ever; entries and balances stay. Repeating it is harmless',
        path: ['number', 'Member number, percent-encoded'],
        body: erasureSchema,
        answer: erasureAnswer,
        refusals: [...written, 'route.unknown'],
      }),
    },
    '/accounts/{code}/statement': {
      get: operation({
        summary: 'Postings of an account with the balance after each, in booking order',
        path: ['code', 'Account code, percent-encoded ("loan%2F123")'],
        query: statementQuery,
        answer: statementAnswer,
        refusals: ['request.field_invalid', 'route.unknown'],
      }),
    },
    '/messages': {
      get: operation({
        summary: 'States of the messages to a member or about an entry; never their texts',
        query: messagesQuery,
        answer: messagesAnswer,
        refusals: ['request.field_invalid', 'route.unknown'],
      }),
    },
    '/cases': {
      get: operation({
        summary:
          'Open cases: members who ask to be called, or say that an entry is not right; the first promised first',
        answer: casesAnswer,
        refusals: [],
      }),
    },
    '/cases/{reference}/close': {
      post: operation({
        summary: 'Close a case with its outcome',
        path: ['reference', 'Reference of the case'],
        body: closingSchema,
        answer: caseAnswer,
        refusals: [...written, 'route.unknown', 'case.closed'],
      }),
    },
    '/unmatched-codes': {
      get: operation({
        summary: 'The newest 100 codes that somebody dialled and that are on no receipt',
        answer: unmatchedCodesAnswer,
        refusals: [],
      }),
    },
    '/texts/estimate': {
      post: operation({
        summary:
          'What an SMS would cost: its spelling, segments and price, and the letters that make it dearer. Sends nothing',
        body: estimateSchema,
        reads: true,
        answer: estimateAnswer,
        refusals: ['request.malformed', 'request.field_invalid', 'request.too_large', 'request.content_type'],
      }),
    },
  },
}
