// A load generator for USSD dialogues over raw sockets, cheap enough not to be what is measured.
// Each connection walks one dialogue after another: dial, then each input appended with "*", as Africa's Talking sends it.
import { connect } from 'node:net'

const request = (path, host, fields) => {
  const body = new URLSearchParams(fields).toString()
  return `POST ${path} HTTP/1.1\r\nhost: ${host}\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

let sessionCount = 0

/**
 * Drives `connections` sockets for `seconds`. `inputs` are the keys pressed after dialling, `numbers` the callers in turn.
 * `ratePerSecond` paces hops over all connections; without it each connection goes as fast as it is answered.
 * Resolves to { hopsPerSecond, p50Ms, p99Ms, wrong } where `wrong` counts answers that `expect(hop, body)` refuses.
 */
export async function runDialogues({
  url,
  connections,
  seconds,
  inputs,
  numbers,
  serviceCode = '*384*1#',
  ratePerSecond,
  expect = () => true,
}) {
  const { hostname, port, pathname } = new URL(url)
  const latencies = []
  let wrong = 0
  let next = 0
  const started = performance.now()
  const endsAt = started + seconds * 1000
  const periodMs = ratePerSecond === undefined ? 0 : 1000 / ratePerSecond
  let slot = 0

  const one = (index) =>
    new Promise((resolve, reject) => {
      const socket = connect(Number(port), hostname)
      socket.setNoDelay(true)
      let fields
      let hop = inputs.length
      let sentAt = 0
      let buffered = ''
      const send = () => {
        // A dialogue is walked to its end: a dropped one would be offered to go on at the next call of that number.
        if (hop >= inputs.length && performance.now() >= endsAt) {
          socket.end()
          return resolve()
        }
        if (hop >= inputs.length) {
          hop = 0
          const number = numbers[next++ % numbers.length]
          sessionCount += 1
          fields = {
            sessionId: `ATUid_bench_${process.pid}_${sessionCount}`,
            phoneNumber: number,
            networkCode: '60801',
            serviceCode,
            text: '',
          }
        } else {
          fields.text = fields.text === '' ? inputs[hop] : `${fields.text}*${inputs[hop]}`
          hop += 1
        }
        const go = () => {
          sentAt = performance.now()
          socket.write(request(pathname, hostname, fields))
        }
        if (periodMs === 0) return go()
        const dueAt = started + slot++ * periodMs
        const waitMs = dueAt - performance.now()
        if (waitMs > 1) setTimeout(go, waitMs)
        else go()
      }
      socket.on('connect', send)
      socket.on('error', reject)
      socket.on('data', (chunk) => {
        buffered += chunk.toString('utf8')
        const head = buffered.indexOf('\r\n\r\n')
        if (head < 0) return
        const length = /content-length: (\d+)/i.exec(buffered)
        let body
        if (length === null) {
          if (!buffered.endsWith('0\r\n\r\n')) return
          body = buffered.slice(head + 4).replace(/^[\da-f]+\r\n/i, '')
        } else {
          const raw = Buffer.from(buffered, 'utf8')
          const headBytes = Buffer.byteLength(buffered.slice(0, head + 4))
          if (raw.length < headBytes + Number(length[1])) return
          body = raw.subarray(headBytes).toString('utf8')
        }
        latencies.push(performance.now() - sentAt)
        if (!expect(fields.text === '' ? 0 : hop, body)) wrong += 1
        buffered = ''
        send()
      })
      void index
    })

  await Promise.all(Array.from({ length: connections }, (_, index) => one(index)))
  const elapsed = (performance.now() - started) / 1000
  latencies.sort((a, b) => a - b)
  const at = (share) => latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0
  return {
    hopsPerSecond: latencies.length / elapsed,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    hops: latencies.length,
    wrong,
  }
}

export const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? 0
}
