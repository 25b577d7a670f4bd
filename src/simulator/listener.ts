// In: an Express app. Out: a server on 127.0.0.1 that can go away and come back on the same port.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Express } from 'express'

export type Listener = ReturnType<typeof createListener>

export function createListener(app: Express, wantedPort: number) {
  const server = createServer({ keepAliveTimeout: 60_000 }, app)
  let port = wantedPort

  return {
    isOpen: () => server.listening,
    /** Resolves to the port; after shut() to the same one again. */
    open: () =>
      new Promise<number>((resolve, reject) => {
        server.once('error', reject)
        server.listen(port, '127.0.0.1', () => {
          server.off('error', reject)
          port = (server.address() as AddressInfo).port
          resolve(port)
        })
      }),
    /** Cuts every connection, also one that waits for an answer. */
    shut: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
