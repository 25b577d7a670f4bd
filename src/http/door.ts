// In: requests from the first moment of a process. Out: alive, not ready, try again; once opened, whatever its routes answer.
// Must never let a request through before everything behind it stands.
import type { Express } from 'express'
import { createApp, type HttpServer, listen } from './server.ts'

export interface Door extends HttpServer {
  /** Where the routes are added. */
  app: Express
  open(): void
}

/** Listens on `port` (0 picks a free one). Rejects when the port is taken. */
export async function listenClosed(port: number): Promise<Door> {
  const app = createApp()
  let isOpen = false
  app.use((request, response, next) => {
    if (isOpen) next()
    else if (request.path === '/healthz') response.json({ status: 'alive' })
    else if (request.path === '/readyz') response.status(503).json({ status: 'not ready', start: 'waiting' })
    else response.status(503).set('retry-after', '1').type('text/plain').send('Not ready yet')
  })
  const server = await listen(app, port)
  return {
    ...server,
    app,
    open() {
      isOpen = true
    },
  }
}
