// The reference page: every route, no scripts, small enough for a slow line.
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import express from 'express'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { requestErrors } from '../../../src/errors.ts'
import { sendReference } from '../../../src/http/reference.ts'
import { routes } from '../../../src/http/routes.ts'
import { type HttpServer, listen } from '../../../src/http/server.ts'

let server: HttpServer
let page: string
let headers: Headers

beforeAll(async () => {
  const app = express()
  app.get('/', (_request, response) => sendReference(response))
  server = await listen(app, 0, '127.0.0.1')
  const response = await fetch(server.url.replace('localhost', '127.0.0.1'))
  page = await response.text()
  headers = response.headers
})
afterAll(() => server.close())

it('shows every route with its scope, and every error', () => {
  const text = page.replaceAll(/<[^>]+>/g, ' ').replaceAll(/\s+/g, ' ')
  for (const { method, path, scope, summary } of routes) {
    const escaped = (words: string) =>
      words.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
    expect(text, path).toContain(`${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
    expect(text, path).toContain(`${escaped(summary)}. Scope ${scope}.`)
  }
  for (const code of Object.keys(requestErrors)) expect(page).toContain(`<tr id="${code}">`)
  // Every error that a route points at is there.
  for (const [, code] of page.matchAll(/href="#([a-z_.]+)"/g)) expect(page).toContain(`id="${code}"`)
})

it('has no script and loads nothing, as its policy says', () => {
  expect(page).not.toMatch(/<script|<link|<img|<iframe|javascript:| on\w+=/i)
  const [, style = ''] = /<style>([\s\S]*?)<\/style>/.exec(page) ?? []
  const hash = createHash('sha256').update(style).digest('base64')
  expect(headers.get('content-security-policy')).toContain(`default-src 'none'; style-src 'sha256-${hash}'`)
})

it('is below 30 KB on the wire', () => {
  expect(gzipSync(page).length).toBeLessThan(30_000)
})
