// Every answer of /api/v1 that any test gets by fetch is held to the OpenAPI page; what the page does not document fails the test that saw it.
import { afterEach } from 'vitest'

const mount = '/api/v1'
const faults: string[] = []

/** What was found since the last test, and is then no fault of the next. */
export const takeFaults = () => faults.splice(0)

const plainFetch = globalThis.fetch

globalThis.fetch = async (input, init) => {
  const response = await plainFetch(input, init)
  const url = new URL(input instanceof Request ? input.url : input)
  if (!url.pathname.startsWith(`${mount}/`)) return response
  // Most files of the suite never call the API, and need not read its schemas.
  const { conformanceFaults } = await import('./conformance.ts')
  const copy = response.clone()
  faults.push(
    ...conformanceFaults({
      method: init?.method ?? 'GET',
      path: url.pathname.slice(mount.length),
      requestBody: typeof init?.body === 'string' ? init.body : undefined,
      status: copy.status,
      contentType: copy.headers.get('content-type') ?? '',
      body: await copy.text(),
    }),
  )
  return response
}

afterEach(() => {
  const found = takeFaults()
  if (found.length > 0)
    throw new Error(`Answers that the OpenAPI page does not document:\n${found.slice(0, 10).join('\n')}`)
})
