// An answer of /api/v1 held to the OpenAPI page: its status, media type and body, and of a request that was taken the body too.
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import { openApiDocument } from '../../src/http/openapi.ts'

export interface Exchange {
  method: string
  /** Below /api/v1. */
  path: string
  requestBody: string | undefined
  status: number
  contentType: string
  body: string
}

type Content = Readonly<Record<string, { schema?: object }>>
interface Operation {
  requestBody?: { content: Content }
  responses: Readonly<Record<string, { content: Content } | undefined>>
}

/** Pages for eyes and machines that describe the API and are no part of it. */
const besides = ['/openapi.json', '/', '']
/** What any path may answer before a route is found. */
const beforeRoutes = [401, 404, 400, 413, 415, 429, 503]

const ajv = new Ajv2020({ allErrors: true, strict: false })
addFormats.default(ajv)
const checks = new Map<string, ValidateFunction>()

function holds(pointer: string, value: unknown): string | undefined {
  const ref = `api#${pointer}`
  let check = checks.get(ref)
  if (check === undefined) {
    if (checks.size === 0) ajv.addSchema(openApiDocument(), 'api')
    check = ajv.compile({ $ref: ref })
    checks.set(ref, check)
  }
  return check(value) ? undefined : ajv.errorsText(check.errors, { separator: '\n  ' })
}

/** A JSON pointer as a URI fragment. */
const pointerOf = (parts: string[]) =>
  parts.map((part) => `/${encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))}`).join('')

/** The documented path that takes this one. */
function templateOf(path: string): string | undefined {
  const parts = path.split('/')
  const fits = (template: string) => {
    const names = template.split('/')
    return (
      names.length === parts.length &&
      names.every((name, index) => (name.startsWith('{') ? parts[index] !== '' : name === parts[index]))
    )
  }
  // A literal part goes before a name: "/loans/schedule" before "/loans/{number}".
  const found = Object.keys(openApiDocument().paths).filter(fits)
  return found.sort((left, right) => left.split('{').length - right.split('{').length)[0]
}

/** Faults of one exchange against the page; none when it is as documented. */
export function conformanceFaults(exchange: Exchange): string[] {
  const { status, contentType } = exchange
  const path = exchange.path.split('?')[0] ?? ''
  const method = exchange.method.toLowerCase()
  if (besides.includes(path)) return []
  const where = `${exchange.method} ${path} -> ${status}`
  const type = contentType.split(';')[0]?.trim() ?? ''
  const template = templateOf(path)
  const operation =
    template === undefined
      ? undefined
      : (openApiDocument().paths[template] as Record<string, Operation | undefined>)[method]
  if (template === undefined || operation === undefined) {
    if (method === 'head') return []
    if (!beforeRoutes.includes(status)) return [`${where}: no such operation is documented`]
    if (type !== 'application/problem+json') return [`${where}: ${type} instead of a problem`]
    const fault = holds('/components/schemas/Problem', JSON.parse(exchange.body))
    return fault === undefined ? [] : [`${where}: ${fault}`]
  }
  const documented = operation.responses[status]
  if (documented === undefined) return [`${where}: this status is not documented: ${exchange.body}`]
  if (documented.content[type] === undefined) return [`${where}: ${type} is not documented`]
  const base = ['paths', template, method]
  const pointer = (rest: string[]) => pointerOf([...base, ...rest])
  const faults = [
    holds(pointer(['responses', String(status), 'content', type, 'schema']), JSON.parse(exchange.body)),
  ]
  if (status < 300 && exchange.requestBody !== undefined && operation.requestBody !== undefined)
    faults.push(
      holds(
        pointer(['requestBody', 'content', 'application/json', 'schema']),
        JSON.parse(exchange.requestBody),
      ),
    )
  return faults.flatMap((fault) => (fault === undefined ? [] : [`${where}: ${fault}`]))
}
