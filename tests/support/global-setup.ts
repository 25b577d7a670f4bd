// Starts one real PostgreSQL for the whole run and migrates a template database; each test file clones it.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { startEmbeddedDatabase } from '../../src/embedded.ts'
import { migrate } from '../../src/migrations.ts'

export default async function setup(project: TestProject) {
  const folder = mkdtempSync(join(tmpdir(), 'tama-test-'))
  const server = await startEmbeddedDatabase(folder)
  const admin = new pg.Client({ connectionString: server.url })
  await admin.connect()
  await admin.query('create database template_tama')
  await admin.end()
  await migrate(server.url.replace(/\/tama$/, '/template_tama'), 'prisma')
  project.provide('adminUrl', server.url)
  return async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}
