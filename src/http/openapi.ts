// In: the table of routes, with the schemas that parse their requests. Out: the OpenAPI 3.1 page of /api/v1, which so cannot drift.
import { z } from 'zod'
import { type RequestErrorCode, requestErrors } from '../errors.ts'
import { eventSchemas } from '../webhooks/events.ts'
import { problemAnswer } from './api-schemas.ts'
import type { Route } from './route.ts'
import { routes } from './routes.ts'

type JsonSchema = z.core.JSONSchema.JSONSchema

const inputOf = (schema: z.ZodType) => bare(z.toJSONSchema(schema, { io: 'input' }))
const answerOf = (schema: z.ZodType) => bare(z.toJSONSchema(schema, { io: 'output' }))

/** As a body of ours is documented. */
export const outputSchemaOf = answerOf

function bare({ $schema: _dialect, ...schema }: JsonSchema): JsonSchema {
  return schema
}

/** Codes that a route may answer with besides its own. */
const alwaysRefused = ['auth.missing', 'auth.scope', 'rate.exceeded'] as const
const bodyRefused = [
  'request.malformed',
  'request.field_invalid',
  'request.too_large',
  'request.content_type',
] as const

const idempotencyKey = {
  name: 'Idempotency-Key',
  in: 'header',
  description:
    'Your own name for this request. A repetition within 7 days has no second effect and gets the first answer, byte for byte, with Idempotency-Replayed: true; another request under the same key is refused. A refused request is not remembered.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
}

const retryAfter = {
  'Retry-After': { description: 'Seconds after which to ask again', schema: { type: 'integer' } },
}

const rateHeaders = {
  RateLimit: { $ref: '#/components/headers/RateLimit' },
  'RateLimit-Policy': { $ref: '#/components/headers/RateLimitPolicy' },
}

const rateHeaderComponents = {
  RateLimit: {
    description: 'Calls that this key has left in its minute (r), and the seconds until the next one (t)',
    schema: { type: 'string' },
    example: '"key";r=599;t=42',
  },
  RateLimitPolicy: {
    description: 'Calls that a key may make (q) in so many seconds (w), of all its users together',
    schema: { type: 'string' },
    example: '"key";q=600;w=60',
  },
}

const linkHeader = {
  Link: { description: 'The next page, with rel="next"; none on the last one', schema: { type: 'string' } },
}

function problemContent(codes: readonly string[]) {
  return {
    'application/problem+json': {
      schema: {
        allOf: [
          { $ref: '#/components/schemas/Problem' },
          { properties: { code: { type: 'string', enum: codes } } },
        ],
      },
    },
  }
}

function refusalsOf(route: Route): RequestErrorCode[] {
  const names = route.path.includes('/:')
  return [
    ...new Set<RequestErrorCode>([
      ...alwaysRefused,
      ...(route.method === 'get' ? [] : bodyRefused),
      ...(route.writes ? (['idempotency.conflict'] as const) : []),
      // A path that cannot be decoded, and a query that holds what the route does not know.
      ...(names ? (['request.malformed', 'route.unknown'] as const) : []),
      'request.field_invalid',
      ...(route.refusals ?? []),
    ]),
  ]
}

function operationOf(route: Route) {
  const statuses = new Map<number, RequestErrorCode[]>()
  for (const code of refusalsOf(route)) {
    const { status } = requestErrors[code]
    statuses.set(status, [...(statuses.get(status) ?? []), code])
  }
  const problems = [...statuses].map(([status, codes]) => [
    String(status),
    {
      description: codes.map((code) => `${code}: ${requestErrors[code].sentence}`).join('\n'),
      ...(status === 401
        ? {}
        : { headers: status === 429 ? { ...rateHeaders, ...retryAfter } : rateHeaders }),
      content: problemContent(codes),
    },
  ])
  const answer = answerOf(route.answer)
  const done = (description: string) => ({
    description,
    headers: { ...rateHeaders, ...(answer.properties?.next === undefined ? {} : linkHeader) },
    content: { 'application/json': { schema: answer, example: route.example.answer } },
  })
  return {
    summary: route.summary,
    operationId: operationIdOf(route),
    security: [{ key: [route.scope] }],
    parameters: [...parametersOf(route), ...(route.writes ? [idempotencyKey] : [])],
    ...(route.body === undefined
      ? {}
      : {
          requestBody: {
            required: route.bodyNeeded,
            content: { 'application/json': { schema: inputOf(route.body), example: route.example.body } },
          },
        }),
    responses: {
      ...(route.writes
        ? { 201: done('Written'), 200: done('Was written before, or there was nothing to change') }
        : { 200: done('Found') }),
      ...Object.fromEntries(problems),
      503: {
        description: 'Something that we need is away; nothing was done',
        headers: retryAfter,
        content: problemContent(['dependency.away']),
      },
    },
  }
}

/** "get_members_number_phones": stable as long as the path is. */
function operationIdOf({ method, path }: Route): string {
  return [method, ...path.split(/[/:]+/).filter((part) => part !== '')].join('_').replaceAll('-', '_')
}

function parametersOf({ path, params, query }: Route) {
  const described: Readonly<Record<string, string | undefined>> = params ?? {}
  const inPath = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    description: described[name] ?? name,
    schema: { type: 'string' },
  }))
  const schema = inputOf(query)
  const inQuery = Object.entries(schema.properties ?? {}).map(([name, property]) => ({
    name,
    in: 'query',
    required: schema.required?.includes(name) === true,
    schema: property,
  }))
  return [...inPath, ...inQuery]
}

function documentOf(table: readonly Route[]) {
  const paths: Record<string, Record<string, ReturnType<typeof operationOf>>> = {}
  for (const route of table) {
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method]: operationOf(route) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Tama',
      version: '1',
      description:
        'The shared double-entry ledger of a programme. Amounts are decimal text, never numbers. A write is repeated safely: its reference (a loan: its number) names it.',
    },
    servers: [{ url: '/api/v1' }],
    components: {
      securitySchemes: { key: { type: 'http', scheme: 'bearer' } },
      headers: rateHeaderComponents,
      schemas: { Problem: answerOf(problemAnswer) },
    },
    paths,
    webhooks: Object.fromEntries(
      Object.entries(eventSchemas).map(([name, schema]) => [
        name,
        {
          post: {
            summary: 'Posted to webhooks that asked for it, signed by the Standard Webhooks specification',
            requestBody: { required: true, content: { 'application/json': { schema: answerOf(schema) } } },
            responses: { '2XX': { description: 'Heard; anything else is told again later' } },
          },
        },
      ]),
    ),
  }
}

let made: ReturnType<typeof documentOf> | undefined

/** Made at the first question: a worker process is never asked. */
export function openApiDocument(): ReturnType<typeof documentOf> {
  made ??= documentOf(routes)
  return made
}
