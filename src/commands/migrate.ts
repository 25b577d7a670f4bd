// `tama migrate`: the database at its newest migration, or a comparison of schema.prisma with the migrations.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Register, withRuntime } from './command.ts'

export const registerMigrate: Register = (cli) => {
  cli
    .command('migrate', 'Bring the database to the newest migration')
    .option('--check', 'Only compare schema.prisma with the migrations, in throw-away databases')
    .action(async ({ check }: { check?: boolean }) => {
      if (check === true) return await checkDrift()
      const { loadConfig } = await import('../config.ts')
      const { databaseUrl } = loadConfig()
      if (databaseUrl === undefined)
        return await withRuntime(async () => console.log('The embedded database is current.'))
      const { folders, waitForDatabase } = await import('../runtime.ts')
      const { migrate } = await import('../migrations.ts')
      await waitForDatabase(databaseUrl)
      const applied = await migrate(databaseUrl, folders.prisma)
      console.log(applied.length === 0 ? 'The database is current.' : `Applied: ${applied.join(', ')}`)
    })
}

async function checkDrift(): Promise<void> {
  const { loadConfig } = await import('../config.ts')
  const { findDrift } = await import('../drift.ts')
  const { startEmbeddedDatabase } = await import('../embedded.ts')
  const { folders } = await import('../runtime.ts')
  const { databaseUrl } = loadConfig()
  const folder = databaseUrl === undefined ? mkdtempSync(join(tmpdir(), 'tama-drift-')) : undefined
  const server = folder === undefined ? undefined : await startEmbeddedDatabase(folder)
  try {
    const drift = await findDrift(server?.url ?? databaseUrl ?? '', folders.prisma)
    for (const line of drift) console.error(line)
    console.log(
      drift.length === 0 ? 'schema.prisma and the migrations agree.' : `${drift.length} differences.`,
    )
    if (drift.length > 0) process.exitCode = 1
  } finally {
    await server?.stop()
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true })
  }
}
