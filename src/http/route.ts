// In: what a route takes, needs, answers and refuses. Out: one row of the table that both the router and the OpenAPI page are made of.
// Must never run outside the caller's programme: `tx` is bound to it.
import { z } from 'zod'
import type { Clock } from '../clock.ts'
import type { Queryable } from '../db.ts'
import type { RequestErrorCode } from '../errors.ts'
import type { I18n } from '../i18n.ts'
import type { ForgetDialogues } from '../privacy/erasure.ts'
import type { AddressRules } from '../webhooks/address.ts'
import type { Answer } from './api-schemas.ts'
import type { ApiCaller, Scope } from './keys.ts'

/** What the process gives to every route. */
export interface RouteDeps {
  clock: Clock
  /** The texts of the moment. */
  texts(): { i18n: I18n }
  /** Dialogues that a member who is erased may have left. */
  forgetDialogues: ForgetDialogues
  /** Of which the secrets of webhooks follow, and whom these may call. */
  webhooks: { houseSecret: string; rules: AddressRules }
}

/** One request, parsed. */
export interface Call<Params = Record<string, string>, Query = unknown, Body = unknown> extends RouteDeps {
  /** One transaction that sees and changes rows of the caller's programme only; a rejection takes it back. */
  tx: Queryable
  caller: ApiCaller
  params: Params
  query: Query
  body: Body
}

type NameIn<Path extends string> = Path extends `${string}:${infer Name}/${infer Rest}`
  ? Name | NameIn<Rest>
  : Path extends `${string}:${infer Name}`
    ? Name
    : never

interface Row<Path extends string> {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  /** As Express writes it, for example "/loans/:number". */
  path: Path
  /** What the caller's key must be allowed. */
  scope: Scope
  /** It changes nothing, although what it reads comes in a body; a get never does. */
  reads?: true
  /** One line of the reference page. */
  summary: string
  /** What a name in the path means, where the name alone does not say it. */
  params?: Partial<Record<NameIn<Path>, string>>
  /** Codes beyond those that every route, or every write, may answer with. */
  refusals?: readonly RequestErrorCode[]
}

/** A route whose schemas, example and handler fit each other. */
export interface RouteOf<Path extends string, Query extends z.ZodType, Body extends z.ZodType, Result>
  extends Row<Path> {
  query?: Query
  body?: Body
  answer: z.ZodType<Result>
  /** As it would come and go; a trial holds both to the schemas. */
  example: { query?: string; body?: z.input<Body>; answer: Result }
  handle(call: Call<Record<NameIn<Path>, string>, z.output<Query>, z.output<Body>>): Promise<Answer<Result>>
  /** Puts in what must not be kept, after the answer was kept for repetitions; runs for a repetition too. */
  reveal?(body: Result, deps: RouteDeps): Result
}

/** A route as the router and the page see it. */
export interface Route extends Row<string> {
  query: z.ZodType
  body: z.ZodType | undefined
  answer: z.ZodType
  example: { query?: string; body?: unknown; answer: unknown }
  /** True when it writes: it takes an Idempotency-Key. */
  writes: boolean
  /** False when all of the body may be left out. */
  bodyNeeded: boolean
  handle(call: Call): Promise<Answer>
  reveal: ((body: unknown, deps: RouteDeps) => unknown) | undefined
}

/** Most routes read nothing from the query, and say so instead of leaving a misspelt filter unread. */
const noQuery = z.strictObject({})

/** Checks a route against its own types, and fills in what follows from them. */
export function route<
  const Path extends string,
  Result,
  Query extends z.ZodType = typeof noQuery,
  Body extends z.ZodType = z.ZodUndefined,
>(row: RouteOf<Path, Query, Body, Result>): Route {
  return {
    ...row,
    query: row.query ?? noQuery,
    body: row.body,
    writes: row.method !== 'get' && row.reads !== true,
    bodyNeeded: row.body !== undefined && !row.body.safeParse({}).success,
    // Only the router calls these two, with what these very schemas parsed and typed.
    reveal: row.reveal === undefined ? undefined : (body, deps) => row.reveal?.(body as Result, deps),
    handle: (call) => row.handle(call as Parameters<typeof row.handle>[0]),
  }
}
