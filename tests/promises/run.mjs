// Tries every promise at its full size and writes the figures into docs/promises.md.   npm run promises [-- word of a file name]
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'

const figuresFile = 'data/promises.jsonl'
const page = 'docs/promises.md'

rmSync(figuresFile, { force: true })
const words = process.argv.slice(2)
const { status } = spawnSync(
  process.execPath,
  ['node_modules/vitest/vitest.mjs', 'run', ...(words.length > 0 ? words : ['tests/promises'])],
  { stdio: 'inherit', env: { ...process.env, PROMISES: 'full' } },
)

const figures = new Map()
const lines = existsSync(figuresFile) ? readFileSync(figuresFile, 'utf8').trim().split('\n') : []
for (const line of lines) {
  const { id, figure } = JSON.parse(line)
  figures.set(id, figures.has(id) ? `${figures.get(id)}; ${figure}` : figure)
}
const today = new Date().toISOString().slice(0, 10)
const known = new Set()
const text = readFileSync(page, 'utf8')
  .split('\n')
  .map((line) => {
    const [, id, ...cells] = line.split('|').map((cell) => cell.trim())
    if (!figures.has(id)) return line
    known.add(id)
    cells.splice(-2, 2, `${figures.get(id).replaceAll('|', '/')} (${today})`)
    return `| ${[id, ...cells].join(' | ')} |`
  })
  .join('\n')
writeFileSync(page, text)
const homeless = [...figures.keys()].filter((id) => !known.has(id))
if (homeless.length > 0) console.error(`No row in ${page} for: ${homeless.join(', ')}`)
process.exit(status === 0 && homeless.length === 0 ? 0 : 1)
