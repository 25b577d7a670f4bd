// The same dialogue with ussd-menu-builder 1.2.0 and Redis sessions.  node menu-builder.mjs PORT DATABASE_URL REDIS_URL
// A menu object of its own for each request: shared between requests, as its README shows, it answers members with each other's screens.
import express from 'express'
import { Redis } from 'ioredis'
import pg from 'pg'
import UssdMenu from 'ussd-menu-builder'
import { balanceQuery, screens } from './dialogue.mjs'

const [port, databaseUrl, redisUrl] = process.argv.slice(2)
const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 })
const redis = new Redis(redisUrl)

function buildMenu() {
  const menu = new UssdMenu()
  menu.sessionConfig({
    start: (sessionId, done) =>
      redis
        .hset(`s:${sessionId}`, 'at', '1')
        .then(() => redis.expire(`s:${sessionId}`, 180))
        .then(() => done(), done),
    end: (sessionId, done) => redis.del(`s:${sessionId}`).then(() => done(), done),
    set: (sessionId, key, value, done) => redis.hset(`s:${sessionId}`, key, value).then(() => done(), done),
    get: (sessionId, key, done) => redis.hget(`s:${sessionId}`, key).then((value) => done(null, value), done),
  })
  const at = async (name) => {
    await menu.session.set('at', name)
  }
  menu.startState({
    run: () => at('home').then(() => menu.con(screens.home)),
    next: { 1: 'money' },
  })
  menu.state('money', { run: () => at('money').then(() => menu.con(screens.money)), next: { 1: 'loans' } })
  menu.state('loans', { run: () => at('loans').then(() => menu.con(screens.loans)), next: { 1: 'balance' } })
  menu.state('balance', {
    run: () =>
      pool
        .query({ ...balanceQuery, values: [menu.args.phoneNumber] })
        .then(({ rows }) => menu.end(screens.balance(rows[0]))),
  })
  return menu
}

const app = express()
app.use(express.urlencoded({ extended: false }))
app.post('/ussd', async (request, response) => {
  response.send(await buildMenu().run(request.body))
})
app.listen(Number(port), '127.0.0.1', () => console.log('ready'))
