// In: the style sheet and htmx, as they are installed. Out: the same under names that change with their content, so that a browser keeps them.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { type Router as ExpressRouter, Router } from 'express'

interface Asset {
  /** With the beginning of its hash. */
  name: string
  type: string
  content: Buffer
}

const require = createRequire(import.meta.url)

function read(name: string, file: string): Asset {
  const content = readFileSync(file)
  const hash = createHash('sha256').update(content).digest('hex').slice(0, 12)
  const [stem = '', type = ''] = name.split('.')
  return { name: `${stem}-${hash}.${type}`, type, content }
}

/** Read when the console is made: what only checks texts needs no style sheet. */
let known: { style: Asset; htmx: Asset } | undefined

function assets() {
  // From the source tree in both cases: this file runs as src/console/assets.ts or dist/console/assets.js.
  known ??= {
    style: read('console.css', fileURLToPath(new URL('../../src/console/console.css', import.meta.url))),
    htmx: read('htmx.js', require.resolve('htmx.org/dist/htmx.min.js')),
  }
  return known
}

export const assetPath = (name: 'style' | 'htmx'): string => `/console/assets/${assets()[name].name}`

/** To be mounted under /console/assets. */
export function createAssets(): ExpressRouter {
  const router = Router()
  for (const { name, type, content } of Object.values(assets()))
    router.get(`/${name}`, (_request, response) => {
      response.type(type).set('cache-control', 'public, max-age=31536000, immutable').send(content)
    })
  return router
}
