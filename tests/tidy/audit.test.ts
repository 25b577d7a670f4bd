// The dependency audit of "npm run check": it fails on what it finds, and says so when it could not ask.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'tama-audit-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Runs the audit with an npm that answers this. */
function auditWith(answer: string, exitCode: number) {
  writeFileSync(join(folder, 'answer'), answer)
  writeFileSync(join(folder, 'npm'), `#!/bin/sh\ncat "${folder}/answer"\nexit ${exitCode}\n`)
  chmodSync(join(folder, 'npm'), 0o755)
  const { status, stdout, stderr } = spawnSync(process.execPath, ['.ci/audit.mjs'], {
    encoding: 'utf8',
    env: { PATH: `${folder}:${process.env.PATH ?? ''}` },
  })
  return { status, said: stdout + stderr }
}

const reportOf = (high: number, critical: number) =>
  JSON.stringify({
    vulnerabilities:
      high + critical === 0 ? {} : { leftpad: { name: 'leftpad', severity: 'high', range: '<2' } },
    metadata: { vulnerabilities: { low: 3, moderate: 1, high, critical } },
  })

describe('the dependency audit', () => {
  it('passes without high or critical findings', () => {
    expect(auditWith(reportOf(0, 0), 0)).toMatchObject({ status: 0 })
  })

  it('fails on a high or critical finding and names it', () => {
    const found = auditWith(reportOf(1, 0), 1)
    expect(found.status).toBe(1)
    expect(found.said).toContain('high: leftpad <2')
    expect(auditWith(reportOf(0, 1), 1).status).toBe(1)
  })

  it('says why nothing was checked when the registry cannot be asked, and does not fail', () => {
    const refused = auditWith(
      JSON.stringify({ message: '405 Method Not Allowed - POST https://registry/x' }),
      1,
    )
    expect(refused.status).toBe(0)
    expect(refused.said).toContain('NOT checked for known vulnerabilities: 405 Method Not Allowed')
    expect(auditWith('', 1)).toMatchObject({ status: 0, said: expect.stringContaining('NOT checked') })
  })
})
