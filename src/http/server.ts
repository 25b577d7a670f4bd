// In: routers. Out: one Express application on one HTTP server, limits set, every fault answered.
// Must never let a request change how fast the others are answered.
import { createServer, IncomingMessage, type Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { errorCode } from '../errors.ts'
import type { Logger } from '../logger.ts'

export interface HttpServer {
  url: string
  /** Stops accepting, lets running requests finish (at most `graceMs`), closes. */
  close(graceMs?: number): Promise<void>
}

/** An application with the settings that all our routes share. */
export function createApp(): Express {
  const app = express()
  app.disable('x-powered-by')
  app.disable('etag')
  app.set('query parser', 'simple')
  return app
}

/**
 * Whose X-Forwarded-For is believed; nobody's unless told. The caller's address (`request.ip`) is then what the last trusted proxy saw,
 * otherwise the connection's.
 */
export function trustProxies(app: Express, networks: readonly string[]): void {
  app.set('trust proxy', networks)
}

/** To be called when all routes stand: what none of them took is answered in plain words, never with the path or a stack. */
export function answerTheRest(app: Express, logger: Logger): void {
  app.use((_request, response) => {
    response.status(404).type('text/plain').send('There is nothing here')
  })
  const onError: ErrorRequestHandler = (error: { status?: number }, _request, response, next) => {
    if (response.headersSent) return next(error)
    const status = error instanceof URIError ? 400 : (error.status ?? 500)
    if (status >= 500) logger.error({ event: 'http.failed', code: errorCode(error) })
    response
      .status(status)
      .type('text/plain')
      .send(status < 500 ? 'The request cannot be read' : 'Something went wrong on our side')
  }
  app.use(onError)
}

/** Who writes slowly is cut off; looked at every few seconds, or the limits would hold only twice a minute. */
const slowness = { headersMs: 10_000, requestMs: 30_000, checkEveryMs: 2_000 }

/** Listens on `port` (0 picks a free one). Rejects when the port is taken. */
export async function listen(app: Express, port: number, host = '0.0.0.0'): Promise<HttpServer> {
  const server = createServer(
    { ...stableClasses(app), connectionsCheckingInterval: slowness.checkEveryMs },
    app,
  )
  server.requestTimeout = slowness.requestMs
  server.headersTimeout = slowness.headersMs
  server.keepAliveTimeout = 65_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  const { port: actualPort } = server.address() as AddressInfo
  return {
    url: `http://localhost:${actualPort}`,
    close: (graceMs = 25_000) => close(server, graceMs),
  }
}

// Express sets the prototype of each request and response, which throws away V8's hidden classes and costs a factor
// of 2.5. Objects that are born with the prototype that Express is going to set make that a no-op. They must be born by
// classes: V8 makes a new hidden class for each object that a plain function is asked to construct in another's name.
function stableClasses(app: Express) {
  class BornRequest extends IncomingMessage {}
  class BornResponse extends ServerResponse {}
  Object.setPrototypeOf(BornRequest.prototype, app.request)
  Object.setPrototypeOf(BornResponse.prototype, app.response)
  Object.assign(app, { request: BornRequest.prototype, response: BornResponse.prototype })
  return { IncomingMessage: BornRequest, ServerResponse: BornResponse }
}

/** How long kept connections are told to go before the idle ones are cut. */
const farewellMs = 1_000

async function close(server: Server, graceMs: number): Promise<void> {
  // A caller that writes on a kept connection just as we close it would lose its call: the answers ask it to go first.
  server.prependListener('request', (_request, response) => response.setHeader('connection', 'close'))
  for (let waitedMs = 0; waitedMs < farewellMs && (await connectionsOf(server)) > 0; waitedMs += 50)
    await new Promise((resolve) => setTimeout(resolve, 50))
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  server.closeIdleConnections()
  const timer = setTimeout(() => server.closeAllConnections(), graceMs)
  await closed
  clearTimeout(timer)
}

function connectionsOf(server: Server): Promise<number> {
  return new Promise((resolve) => server.getConnections((_error, count) => resolve(count)))
}
