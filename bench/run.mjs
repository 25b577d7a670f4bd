// Runs the benchmarks one after another; with --write the tables replace those of docs/benchmarks.md.   npm run bench [-- --write] [name ...]
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const known = ['render', 'ussd', 'sender', 'planner', 'notices', 'import', 'search']
const words = process.argv.slice(2)
const isWriting = words.includes('--write')
const wanted = words.filter((word) => word !== '--write')
const unknown = wanted.filter((name) => !known.includes(name))
if (unknown.length > 0) {
  console.error(`There is no benchmark "${unknown[0]}": ${known.join(', ')}.`)
  process.exit(2)
}

let report = `${new Date().toISOString().slice(0, 10)}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.versions.node}.\n`
for (const name of wanted.length > 0 ? wanted : known) {
  const child = spawn(process.execPath, [join(here, `${name}.mjs`)], { stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout.on('data', (chunk) => {
    report += chunk
    process.stdout.write(chunk)
  })
  const code = await new Promise((resolve) => child.once('exit', resolve))
  if (code !== 0) process.exit(1)
}
if (isWriting) {
  const path = join(here, '..', 'docs', 'benchmarks.md')
  const [head] = readFileSync(path, 'utf8').split('<!-- figures -->')
  writeFileSync(path, `${head}<!-- figures -->\n\n${report}`)
}
