// The one HTTP call that all variants make to the bare provider.
import { Agent, request } from 'node:http'

export function createCall(url) {
  const agent = new Agent({ keepAlive: true, maxSockets: 200 })
  return (to, text) =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify({ to, text })
      const sent = request(
        url,
        {
          method: 'POST',
          agent,
          headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        },
        (response) => {
          let answer = ''
          response.on('data', (chunk) => {
            answer += chunk
          })
          response.on('end', () => resolve(JSON.parse(answer).id))
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })
}
