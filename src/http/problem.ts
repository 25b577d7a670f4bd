// In: any fault of a request. Out: application/problem+json (RFC 9457). The only place that turns errors into HTTP.
// Must never show a database's message, a stack or a value that was sent.
import type { ErrorRequestHandler } from 'express'
import { DependencyError, errorCode, RequestError, type RequestErrorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'

export interface Problem {
  type: string
  title: string
  status: number
  code: string
  field?: string
  detail?: string
}

// What express.json and the router themselves refuse, by the library's own words.
const byLibraryType: Readonly<Record<string, RequestErrorCode>> = {
  'entity.too.large': 'request.too_large',
  'entity.parse.failed': 'request.malformed',
  'entity.verify.failed': 'request.malformed',
  'request.aborted': 'request.malformed',
  'request.size.invalid': 'request.malformed',
  'encoding.unsupported': 'request.content_type',
  'charset.unsupported': 'request.content_type',
}

/** The answer to a fault. Anything unknown is 500 and says nothing; a database that is away is 503. */
export function problemOf(error: unknown): Problem {
  const known = requestErrorOf(error)
  if (known !== undefined)
    return problem(known.code, known.message, known.status, {
      ...(known.field === undefined ? {} : { field: known.field }),
      ...(known.detail === undefined ? {} : { detail: known.detail }),
    })
  if (error instanceof DependencyError || isConnectionLoss(error))
    return problem('dependency.away', 'Something we need is away: try again later.', 503)
  return problem('internal', 'Something went wrong on our side.', 500)
}

function problem(code: string, title: string, status: number, more: Partial<Problem> = {}): Problem {
  return { type: `urn:tama:problem:${code}`, title, status, code, ...more }
}

function requestErrorOf(error: unknown): RequestError | undefined {
  if (error instanceof RequestError) return error
  if (error instanceof URIError) return new RequestError('request.malformed', { field: 'path' })
  if (typeof error !== 'object' || error === null || !('type' in error)) return undefined
  const code = byLibraryType[String(error.type)]
  return code === undefined ? undefined : new RequestError(code, { field: 'body', cause: error })
}

// What node-postgres says without a code when a server goes or does not come.
const lossWords =
  /^(Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|timeout expired)/

/** Node's socket errors, PostgreSQL's classes 08 (connection), 53 (resources) and 57 (operator intervention), and the driver's own words. */
function isConnectionLoss(error: unknown): boolean {
  const code = errorCode(error)
  if (/^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND)/.test(code) || /^(08|53|57)/.test(code)) return true
  return error instanceof Error && lossWords.test(error.message)
}

/** How soon a caller may ask again when something we need was away. */
export const retryAfterSeconds = 5

/** Last handler of a JSON router: answers every fault, logs only our own. */
export function apiErrorHandler(logger: Logger): ErrorRequestHandler {
  return (error, _request, response, next) => {
    if (response.headersSent) return next(error)
    const answer = problemOf(error)
    if (answer.status >= 500) logger.error({ event: 'api.failed', code: errorCode(error) })
    if (answer.status === 503) response.setHeader('retry-after', String(retryAfterSeconds))
    if (answer.status === 401) response.setHeader('www-authenticate', 'Bearer')
    response.statusCode = answer.status
    response.setHeader('content-type', 'application/problem+json')
    response.end(JSON.stringify(answer))
  }
}
