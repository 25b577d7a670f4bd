// A provider that takes everything at once, or after DELAY_MS: a bare endpoint, and Africa's Talking's.  node provider.mjs PORT
import { createServer } from 'node:http'

let count = 0
createServer((request, response) => {
  const delayMs = Number(request.headers['x-delay-ms'] ?? (request.url.startsWith('/slow') ? 50 : 0))
  let body = ''
  request.on('data', (chunk) => {
    body += chunk
  })
  request.on('end', () => {
    count += 1
    const answer = () => {
      if (request.url.endsWith('/version1/messaging')) {
        const recipients = new URLSearchParams(body)
          .get('to')
          .split(',')
          .map((number, index) => ({
            statusCode: 101,
            number,
            status: 'Success',
            cost: 'XOF 12.0000',
            messageId: `ATXid_${count}_${index}`,
            messageParts: 1,
          }))
        response.writeHead(201, { 'content-type': 'application/json' })
        response.end(JSON.stringify({ SMSMessageData: { Message: 'Sent', Recipients: recipients } }))
      } else {
        response.writeHead(200, { 'content-type': 'application/json' })
        response.end(`{"id":"b${count}"}`)
      }
    }
    if (delayMs > 0) setTimeout(answer, delayMs)
    else answer()
  })
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('ready'))
