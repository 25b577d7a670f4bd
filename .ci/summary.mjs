// Prints the closing line of a run from Vitest's own report; no report means no test ran, which is a failure.
import { existsSync, readFileSync } from 'node:fs'

const path = 'data/test-report.json'
if (!existsSync(path)) {
  console.log('0 passed, 1 failed')
  process.exit(1)
}
const report = JSON.parse(readFileSync(path, 'utf8'))
const skipped = report.numPendingTests + report.numTodoTests
const failedFiles = report.testResults.filter(
  (file) => file.status === 'failed' && file.assertionResults.length === 0,
)
const failed = report.numFailedTests + failedFiles.length
console.log(`${report.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exit(failed > 0 || report.numPassedTests === 0 ? 1 : 0)
