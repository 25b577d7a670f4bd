// Asks the registry which production dependencies have known vulnerabilities: fails on high and critical ones. A registry that cannot or
// will not answer (no network, a mirror) does not fail the check, but it is said: nothing was checked then.   node .ci/audit.mjs
import { spawnSync } from 'node:child_process'

const words = [
  'audit',
  '--omit=dev',
  '--audit-level=high',
  '--json',
  '--fetch-retries=0',
  '--fetch-timeout=15000',
]
const { stdout, error } = spawnSync('npm', words, { encoding: 'utf8', timeout: 60_000 })
const report = parse(stdout)
const counts = report?.metadata?.vulnerabilities
if (counts === undefined) {
  const why = report?.error?.summary || report?.message || error?.message || 'no readable answer'
  console.warn(
    `Dependencies were NOT checked for known vulnerabilities: ${String(why).replace(/https?:\S+/g, 'the registry')}`,
  )
  process.exit(0)
}
const bad = Object.values(report.vulnerabilities ?? {}).filter(({ severity }) =>
  /^(high|critical)$/.test(severity),
)
for (const { name, severity, range } of bad) console.error(`${severity}: ${name} ${range}`)
console.log(
  `Production dependencies: ${counts.high ?? 0} high and ${counts.critical ?? 0} critical known vulnerabilities.`,
)
process.exit((counts.high ?? 0) + (counts.critical ?? 0) > 0 ? 1 : 0)

function parse(text) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
