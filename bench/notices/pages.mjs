// Somebody who reads the console: each page in turn, without a break, timed to its last byte.  Forked with [URL, COOKIES, PATHS by name].
// Messages in: {phase} names what is going on from now on, {end} asks for the times. Out: {times: {phase: {page: [ms]}}}.
const [url, cookies, paths] = JSON.parse(process.argv[2])
const times = {}
let phase
let isOver = false

process.on('message', (message) => {
  if (message.phase !== undefined) phase = message.phase
  if (message.end === true) isOver = true
})

// Each session may ask so often in a minute: many take turns.
for (let turn = 0; !isOver; turn += 1)
  for (const [name, path] of Object.entries(paths)) {
    if (isOver) break
    const during = phase
    const startedMs = performance.now()
    const response = await fetch(url + path, {
      headers: { cookie: `tama-session=${cookies[turn % cookies.length]}`, 'accept-encoding': 'gzip' },
      redirect: 'manual',
    })
    const { length } = await response.text()
    const ms = performance.now() - startedMs
    if (response.status !== 200) throw new Error(`${path}: ${response.status}`)
    if (during !== undefined && during === phase) {
      times[during] ??= {}
      times[during][name] ??= { ms: [], length: 0 }
      times[during][name].ms.push(ms)
      times[during][name].length = length
    }
  }
process.send({ times })
process.disconnect()
