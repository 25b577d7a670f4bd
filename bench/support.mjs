// What every benchmark needs: a database, a Redis, server processes on a core of their own, and a table at the end.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbeddedDatabase } from '../dist/embedded.js'
import { migrate } from '../dist/migrations.js'

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0
const canPin = cpus().length > 1 && spawnSync('taskset', ['-V']).status === 0

const cleanups = []
/** Stops everything that was started here, last first. */
export async function cleanUp() {
  while (cleanups.length > 0) await cleanups.pop()()
}

/** A fresh PostgreSQL with durable commits and all migrations applied. */
export async function startDatabase() {
  const folder = mkdtempSync(join(tmpdir(), 'tama-bench-'))
  const server = await startEmbeddedDatabase(folder)
  cleanups.push(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })
  await migrate(server.url, 'prisma')
  return server.url
}

export async function startRedis() {
  const port = await freePort()
  const child = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--maxmemory-policy', 'noeviction'],
    { stdio: 'ignore' },
  )
  cleanups.push(async () => child.kill('SIGKILL'))
  await new Promise((resolve) => setTimeout(resolve, 500))
  return `redis://127.0.0.1:${port}`
}

/** Starts `node file ...words` on core 0 and waits for the line "ready". */
export const startServer = (file, words) => start(file, words, canPin)

/** The same on the core where the load is: what is not under test. */
export const startOther = (file, words) => start(file, words, false)

async function start(file, words, pinned) {
  const command = pinned
    ? ['taskset', ['-c', '0', process.execPath, file, ...words]]
    : [process.execPath, [file, ...words]]
  const child = spawn(command[0], command[1], { stdio: ['ignore', 'pipe', 'inherit'] })
  cleanups.push(async () => child.kill('SIGKILL'))
  await new Promise((resolve, reject) => {
    child.stdout.on('data', (chunk) => String(chunk).includes('ready') && resolve())
    child.once('exit', () => reject(new Error(`${file} ended`)))
  })
  return {
    memoryMb: () => memoryMb(child.pid),
    stop: () =>
      new Promise((resolve) => {
        child.once('exit', resolve)
        child.kill('SIGKILL')
      }),
  }
}

/** Resident memory of a process in MB (Linux). */
export function memoryMb(pid) {
  const found = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Math.round(Number(found?.[1] ?? 0) / 1024)
}

/** Keeps this process and the servers that it starts later off core 0, where the server under test runs. */
export function leaveCoreZero() {
  if (canPin) spawnSync('taskset', ['-a', '-p', '-c', '1', String(process.pid)])
}

export function freePort() {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address()
      probe.close(() => resolve(port))
    })
  })
}

export async function withClient(url, work) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await work(client)
  } finally {
    await client.end()
  }
}

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}

/** A Markdown table on standard output. */
export function printTable(title, head, rows) {
  console.log(`\n## ${title}\n`)
  console.log(`| ${head.join(' | ')} |`)
  console.log(`|${head.map(() => '---').join('|')}|`)
  for (const row of rows) console.log(`| ${row.join(' | ')} |`)
}

export const round = (value) => Math.round(value).toLocaleString('en-US')
