// A server that keeps the callback contract and nothing more: records every form, answers USSD by a function.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ReceivedCallback {
  path: string
  form: Record<string, string>
}

export interface CallbackServer {
  url: string
  secret: string
  received: ReceivedCallback[]
  /** Forms of one path, in the order of arrival. */
  formsOf(path: string): Record<string, string>[]
  close(): Promise<void>
}

export interface CallbackBehaviour {
  ussd?(form: Record<string, string>): string | Promise<string>
  /** HTTP status of an answer [200]; called once a callback. */
  status?(received: ReceivedCallback): number
}

const secret = 'stand-in-secret-0123456789'

export async function startCallbackServer(behaviour: CallbackBehaviour = {}): Promise<CallbackServer> {
  const received: ReceivedCallback[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const form = Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString()))
    const path = request.url?.replace(`/callbacks/africastalking/${secret}/`, '') ?? ''
    const callback = { path, form }
    received.push(callback)
    response.statusCode = behaviour.status?.(callback) ?? 200
    response.setHeader('content-type', 'text/plain')
    response.end(path === 'ussd' ? await behaviour.ussd?.(form) : '')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    secret,
    received,
    formsOf: (path) => received.filter((callback) => callback.path === path).map((callback) => callback.form),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
