// In: the OpenAPI page. Out: the same for people to read, as one page without scripts.
// Must never say anything that the OpenAPI page does not.
import { createHash } from 'node:crypto'
import type { Response } from 'express'
import { requestErrors } from '../errors.ts'
import { html, type Markup, raw } from '../markup.ts'
import { eventSchemas } from '../webhooks/events.ts'
import { openApiDocument, outputSchemaOf } from './openapi.ts'

type Document = ReturnType<typeof openApiDocument>
type Operation = Document['paths'][string][string]

interface Schema {
  type?: string | string[]
  description?: string
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  anyOf?: Schema[]
  allOf?: Schema[]
  enum?: unknown[]
  const?: unknown
  additionalProperties?: boolean | Schema
  minimum?: number
  maximum?: number
  maxLength?: number
  maxItems?: number
  default?: unknown
  format?: string
}

const style = `
:root{color-scheme:light dark;--line:#8884;--soft:#8881;--key:#0a6b4f}
@media(prefers-color-scheme:dark){:root{--key:#6fd6b4}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:60rem;padding:1rem;font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{margin:0}h2{margin:2.5rem 0 .5rem;border-bottom:1px solid var(--line)}
h3{margin:1.75rem 0 .25rem;font-size:1rem}
p{margin:.25rem 0}
code,pre{font-family:ui-monospace,monospace;font-size:.875rem}
pre{overflow:auto;padding:.5rem;background:var(--soft);border-radius:.25rem;margin:.25rem 0;white-space:pre-wrap}
ul{margin:.25rem 0;padding-left:1.1rem}li{margin:.1rem 0}
nav ul{columns:16rem;list-style:none;padding:0}
nav a{font-family:ui-monospace,monospace;font-size:.8125rem}
a{color:var(--key)}
b{color:var(--key);text-transform:uppercase;font:600 .8125rem ui-monospace,monospace}
small{opacity:.8}
summary{cursor:pointer}
table{border-collapse:collapse;width:100%}td{border-top:1px solid var(--line);padding:.2rem .5rem .2rem 0;vertical-align:top}
`

const policy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`

let made: string | undefined

/** Made at the first question, like the OpenAPI page. */
export function sendReference(response: Response): void {
  made ??= `<!doctype html>\n${page(openApiDocument()).markup}`
  response.setHeader('content-security-policy', policy)
  response.setHeader('cache-control', 'public, max-age=300')
  response.type('html').send(made)
}

function page(document: Document): Markup {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const themes = [...new Set(operations.map(({ path }) => themeOf(path)))].sort()
  const inTheme = (theme: string) => operations.filter(({ path }) => themeOf(path) === theme)
  return html`<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Tama HTTP API</title><style>${raw(style)}</style></head>
<body><header><h1>Tama HTTP API</h1><p>${document.info.description}</p>
<p>All addresses begin with <code>/api/v1</code>. The same as <a href="/api/v1/openapi.json">OpenAPI ${document.openapi}</a>.</p></header>
<nav><ul>${themes.map((theme) => html`<li><a href="#${theme}">${theme}</a></li>`)}<li><a href="#events">webhook events</a></li><li><a href="#errors">errors</a></li></ul></nav>
<main>${basics(document)}${themes.map(
    (theme) => html`<h2 id="${theme}">${theme}</h2>${inTheme(theme).map(operationPart)}`,
  )}${eventsPart()}${errorsPart()}</main></body></html>`
}

const themeOf = (path: string) => path.split('/')[1] ?? ''

function basics({ components }: Document): Markup {
  return html`<h2>Every call</h2><ul>
<li>Key: <code>Authorization: Bearer KEY</code>. Each route names the scope that the key needs.</li>
<li>A write takes <code>Idempotency-Key</code>: repeated within 7 days it has no second effect and gets the first answer.</li>
<li>A list takes <code>limit</code> and <code>cursor</code>; <code>next</code> in the answer is the cursor of the next page, null on the last.</li>
<li><code>RateLimit</code>: ${components.headers.RateLimit.description}.</li>
<li>A refusal is <code>application/problem+json</code>: ${fields(components.schemas.Problem as Schema)}</li></ul>`
}

function operationPart({
  path,
  method,
  operation,
}: {
  path: string
  method: string
  operation: Operation
}): Markup {
  const parameters = operation.parameters as {
    name: string
    in: string
    required?: boolean
    description?: string
    schema: Schema
  }[]
  const asked = parameters.filter((one) => one.in !== 'header')
  const request = operation.requestBody?.content['application/json'] as
    | { schema: Schema; example?: unknown }
    | undefined
  const [done] = successes(operation)
  return html`<h3 id="${operation.operationId}"><b>${method}</b> <code>${path}</code></h3><p>${operation.summary}. <small>Scope ${operation.security[0]?.key[0] ?? ''}.</small></p>
${asked.length === 0 ? '' : html`<ul>${asked.map(({ name, required, description, schema }) => html`<li><code>${name}</code> <small>${required === true ? 'needed, ' : ''}${typeOf(schema)}</small> ${description ?? schema.description ?? ''}</li>`)}</ul>`}
${request === undefined || Object.keys(request.schema.properties ?? {}).length === 0 ? '' : html`<details><summary>Body</summary>${fields(request.schema)}${example(request.example)}</details>`}
<details><summary>Answer ${done?.status ?? ''}</summary>${fields(done?.schema ?? {})}${example(done?.example)}</details>
${refusalsPart(operation)}`
}

interface Success {
  status: string
  schema: Schema
  example?: unknown
}

/** The statuses of success have one body. */
function successes({ responses }: Operation): Success[] {
  const found = Object.entries(
    responses as Record<string, { content: Record<string, { schema: Schema; example?: unknown }> }>,
  )
    .filter(([status]) => status < '300')
    .flatMap(([status, { content }]) => {
      const body = content['application/json']
      return body === undefined ? [] : [{ status, ...body }]
    })
  const [first] = found
  return first === undefined ? [] : [{ ...first, status: found.map(({ status }) => status).join(' or ') }]
}

/** What any route refuses stands in the list of errors alone. */
function refusalsPart({ responses }: Operation): Markup | string {
  const codes = Object.values(responses as Record<string, { description: string }>).flatMap(
    ({ description }) => [...description.matchAll(/^([a-z]+\.[a-z_]+):/gm)].flatMap(([, code]) => code ?? []),
  )
  const own = codes.filter((code) => !/^(auth|request|rate|idempotency)\./.test(code))
  return own.length === 0
    ? ''
    : html`<p><small>Errors: ${own.map((code) => html`<a href="#${code}">${code}</a> `)}</small></p>`
}

function eventsPart(): Markup {
  return html`<h2 id="events">webhook events</h2><p>Posted to the addresses of <code>POST /webhooks</code>, signed by the Standard Webhooks specification: <code>webhook-id</code>, <code>webhook-timestamp</code>, <code>webhook-signature</code>. At least once, in no promised order.</p>
${Object.entries(eventSchemas).map(([name, schema]) => html`<h3 id="${name}"><code>${name}</code></h3>${fields(outputSchemaOf(schema) as Schema)}`)}`
}

function errorsPart(): Markup {
  return html`<h2 id="errors">errors</h2><table>${Object.entries(requestErrors).map(
    ([code, { status, sentence }]) =>
      html`<tr id="${code}"><td>${status}</td><td><code>${code}</code></td><td>${sentence}</td></tr>`,
  )}<tr><td>503</td><td><code>dependency.away</code></td><td>Something that we need is away; nothing was done.</td></tr></table>`
}

function fields(schema: Schema): Markup | string {
  const properties = Object.entries(schema.properties ?? {})
  if (properties.length === 0) return ''
  return html`<ul>${properties.map(([name, property]) => field(name, property, schema.required?.includes(name) === true))}</ul>`
}

function field(name: string, property: Schema, needed: boolean): Markup {
  const inner = insideOf(property)
  return html`<li><code>${name}</code> <small>${typeOf(property)}${needed ? '' : ', may be left out'}</small> ${property.description ?? ''}${inner === undefined ? '' : fields(inner)}</li>`
}

/** What a field holds, when that has fields of its own. */
function insideOf(schema: Schema): Schema | undefined {
  if (schema.properties !== undefined) return schema
  if (schema.items !== undefined) return insideOf(schema.items)
  return schema.anyOf?.map(insideOf).find((inner) => inner !== undefined)
}

function typeOf(schema: Schema): string {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum !== undefined) return schema.enum.map(String).join(' | ')
  if (schema.anyOf !== undefined) return [...new Set(schema.anyOf.map(typeOf))].join(' or ')
  if (schema.items !== undefined) return `list of ${typeOf(schema.items)}`
  const { type, format, minimum, maximum, maxLength } = schema
  const range =
    minimum !== undefined && maximum !== undefined && Math.abs(maximum) < Number.MAX_SAFE_INTEGER
      ? ` ${minimum} to ${maximum}`
      : maxLength === undefined
        ? ''
        : ` up to ${maxLength}`
  return `${format ?? String(type ?? 'anything')}${range}`
}

function example(value: unknown): Markup | string {
  return value === undefined ? '' : html`<pre>${JSON.stringify(value, null, 1)}</pre>`
}
