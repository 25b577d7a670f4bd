// The page of the API: sound OpenAPI 3.1, true to the code, with an example for each route that its own schemas take.
import { readdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, it } from 'vitest'
import { openApiDocument } from '../../../src/http/openapi.ts'
import { routes } from '../../../src/http/routes.ts'
import { conformanceFaults } from '../../support/conformance.ts'
import { takeFaults } from '../../support/watch-api.ts'

const documented = (path: string) => path.replace(/:(\w+)/g, '{$1}')
const concrete = (path: string) => path.replace(/:(\w+)/g, '$1')

describe('the OpenAPI page', () => {
  it('is valid OpenAPI 3.1', async () => {
    const validator = new Validator()
    const result = await validator.validate(structuredClone(openApiDocument()) as Record<string, unknown>)
    expect(result.errors ?? []).toEqual([])
    expect(result.valid).toBe(true)
    expect(validator.version).toBe('3.1')
  })

  it('names every operation once', () => {
    const ids = Object.values(openApiDocument().paths).flatMap((methods) =>
      Object.values(methods).map(({ operationId }) => operationId),
    )
    expect(ids).toHaveLength(routes.length)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('has room for every file of routes', () => {
    const files = readdirSync('src/http').filter((file) => /^routes-.*\.ts$/.test(file))
    expect(files.length).toBeGreaterThanOrEqual(4)
    expect(routes.length).toBeGreaterThanOrEqual(19)
  })

  it.each(routes.map((route) => [`${route.method} ${route.path}`, route] as const))(
    '%s has an example that its schemas take',
    (_name, route) => {
      const { example } = route
      expect(route.answer.safeParse(example.answer).error).toBeUndefined()
      expect(
        route.query.safeParse(Object.fromEntries(new URLSearchParams(example.query ?? ''))).error,
      ).toBeUndefined()
      if (route.body !== undefined) expect(route.body.safeParse(example.body).error).toBeUndefined()
      expect(
        conformanceFaults({
          method: route.method,
          path: concrete(route.path),
          requestBody: example.body === undefined ? undefined : JSON.stringify(example.body),
          status: 200,
          contentType: 'application/json; charset=utf-8',
          body: JSON.stringify(example.answer),
        }),
      ).toEqual([])
      expect(openApiDocument().paths[documented(route.path)]?.[route.method]?.summary).toBe(route.summary)
    },
  )

  describe('as the suite holds answers to it', () => {
    const good = {
      method: 'POST',
      path: '/members/1/reverify',
      requestBody: '{}',
      status: 200,
      contentType: 'application/json',
      body: '{"member":"1","phones":[]}',
    }
    const problem = {
      type: 'urn:tama:problem:auth.scope',
      title: 'This key may not do that.',
      status: 403,
      code: 'auth.scope',
    }
    it.each([
      ['an undocumented status', { status: 202 }, /status is not documented/],
      ['another media type', { contentType: 'text/html' }, /text\/html is not documented/],
      ['a missing property', { body: '{"member":"1"}' }, /phones/],
      ['an extra property', { body: '{"member":"1","phones":[],"name":"Awa"}' }, /additional properties/],
      ['a request that the page forbids', { requestBody: '{"x":1}' }, /additional properties/],
      ['a route that is not there', { path: '/nothing' }, /no such operation/],
      [
        'a code that the route does not document',
        {
          status: 403,
          contentType: 'application/problem+json',
          body: JSON.stringify({ ...problem, code: 'case.closed' }),
        },
        /allowed values/,
      ],
    ])('%s is a fault', (_what, change, fault) => {
      expect(conformanceFaults(good)).toEqual([])
      expect(conformanceFaults({ ...good, ...change }).join('\n')).toMatch(fault)
    })

    it('every fetch of the suite is watched', async () => {
      const server = createServer((_request, response) => response.writeHead(202).end('{}'))
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      const { port } = server.address() as AddressInfo
      await fetch(`http://127.0.0.1:${port}/api/v1/members`)
      await fetch(`http://127.0.0.1:${port}/elsewhere`)
      await new Promise((resolve) => server.close(resolve))
      expect(takeFaults()).toHaveLength(1)
    })

    it('a documented problem is none', () => {
      const answer = {
        ...good,
        status: 403,
        contentType: 'application/problem+json',
        body: JSON.stringify(problem),
      }
      expect(conformanceFaults(answer)).toEqual([])
    })
  })
})
