// The same dialogue as most people write it: plain Express 5, no session, one indexed read.  node plain-express.mjs PORT DATABASE_URL
import express from 'express'
import pg from 'pg'
import { balanceQuery, screens } from './dialogue.mjs'

const [port, databaseUrl] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 })
const app = express()
app.use(express.urlencoded({ extended: false }))
app.post('/ussd', async (request, response) => {
  const { text, phoneNumber } = request.body
  let answer
  if (text === '') answer = `CON ${screens.home}`
  else if (text === '1') answer = `CON ${screens.money}`
  else if (text === '1*1') answer = `CON ${screens.loans}`
  else if (text === '1*1*1') {
    const { rows } = await pool.query({ ...balanceQuery, values: [phoneNumber] })
    answer = `END ${screens.balance(rows[0])}`
  } else answer = 'END Wrong choice'
  response.type('text/plain').send(answer)
})
app.listen(Number(port), '127.0.0.1', () => console.log('ready'))
