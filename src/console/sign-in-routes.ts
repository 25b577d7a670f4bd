// In: forms of somebody who is not signed in, and of one who leaves. Out: a code on its way, a session, or the form again.
// Must never answer a number of ours in another way, or in another time, than one of nobody.
import { setTimeout } from 'node:timers/promises'
import type { Request, Response, Router } from 'express'
import { recordAudit } from '../audit.ts'
import { html, type Markup } from '../markup.ts'
import { loadProgrammes, type ProgrammeInfo } from '../members/programmes.ts'
import { button, faultSummary, field } from './elements.ts'
import { pageOf } from './layout.ts'
import { csrfOf, endSession, findSession, isCsrfOf, newToken } from './sessions.ts'
import type { SignIn } from './sign-in.ts'
import { firstOf, type House, readFields, showText, visitOf } from './visit.ts'
import { consoleLanguages, type Say } from './words.ts'

/** Longer than it takes to find a number and write its code. */
const answerAfterMs = 250

interface Asked {
  programme: string
  number: string
}

type Step = (request: Request, response: Response) => Promise<void>

export function addSignInRoutes(router: Router, house: House, signIn: SignIn): void {
  const { db, clock, cookies, guard } = house
  const addressOf = (request: Request) => request.ip ?? ''

  /** The form's secret belongs to a cookie that this browser got with it. */
  const show = async (request: Request, response: Response, status: number, page: SignInPage) => {
    const given = cookies.form(request)
    const token = given !== undefined && /^[\w-]{43}$/.test(given) ? given : newToken()
    if (token !== given) cookies.setForm(response, token)
    const programmes = await loadProgrammes(db)
    const { texts, tag, say } = visitOf(house, request)
    const csrf = csrfOf(token)
    const asksProgramme = programmes.length > 1
    response.status(status).type('html')
    response.send(
      pageOf({
        i18n: texts.i18n,
        tag,
        say,
        title: say('sign_in.title'),
        body: page({ say, csrf, asksProgramme }),
        programme: undefined,
        staff: undefined,
        menu: [],
        address: '/sign-in',
        csrf,
        done: undefined,
      }),
    )
  }

  /** A form of this browser, or a clear word and nothing done. */
  const checked = (step: Step): Step => {
    return async (request, response) => {
      const token = cookies.form(request)
      if (token === undefined || !isCsrfOf(token, fieldsOf(request).csrf ?? ''))
        return show(request, response, 403, numberPage({ programme: '', number: '' }, 'sign_in.stale'))
      return step(request, response)
    }
  }

  const ask: Step = async (request, response) => {
    const asked = askedOf(request)
    if (!(await guard.ask(addressOf(request))))
      return show(request, response, 429, numberPage(asked, 'sign_in.too_often'))
    if (asked.number === '') return show(request, response, 422, numberPage(asked, 'sign_in.no_number'))
    const programme = programmeOf(await loadProgrammes(db), asked.programme)
    const sent = programme === undefined ? undefined : signIn.ask(programme, asked.number, clock.now())
    await Promise.all([sent, setTimeout(answerAfterMs)])
    return show(request, response, 200, codePage(asked))
  }

  const enter: Step = async (request, response) => {
    const asked = askedOf(request)
    if (!(await guard.enter(addressOf(request))))
      return show(request, response, 429, codePage(asked, 'sign_in.too_often'))
    const programme = programmeOf(await loadProgrammes(db), asked.programme)
    const code = (fieldsOf(request).code ?? '').replace(/\s/g, '')
    const tried =
      programme === undefined ? undefined : signIn.enter(programme, asked.number, code, clock.now())
    const [token] = await Promise.all([tried, setTimeout(answerAfterMs)])
    if (token === undefined) return show(request, response, 422, codePage(asked, 'sign_in.wrong'))
    cookies.setSession(response, token)
    response.redirect(303, '/console/')
  }

  router.get('/sign-in', (request, response, next) => {
    response.locals.route = 'get /sign-in'
    show(request, response, 200, numberPage({ programme: '', number: '' })).catch(next)
  })
  const add = (path: string, step: Step) =>
    router.post(path, (request, response, next) => {
      response.locals.route = `post ${path}`
      step(request, response).catch(next)
    })
  add('/sign-in', checked(ask))
  add('/sign-in/code', checked(enter))
  add('/sign-out', (request, response) => signOut(house, request, response))
  add('/language', (request, response) => chooseLanguage(house, request, response))
}

async function signOut(house: House, request: Request, response: Response): Promise<void> {
  const { db, clock, cookies, limits } = house
  const now = clock.now()
  const token = cookies.session(request)
  const staff = await findSession(db, token, now, limits, false)
  if (staff !== undefined && token !== undefined) {
    if (!isCsrfOf(token, fieldsOf(request).csrf ?? ''))
      return showText(house, request, response, 403, 'fault.stale_form', staff)
    const { id, programmeId } = staff
    await db.transaction(async (tx) => {
      await endSession(tx, token, now)
      const who = `staff:${id}`
      await recordAudit(tx, { at: now, programmeId, actor: who, action: 'console.signed_out', subject: who })
    })
  }
  cookies.clear(response)
  response.redirect(303, '/console/sign-in')
}

/** Of this browser alone: what her phone speaks to her stays as it is. */
async function chooseLanguage(house: House, request: Request, response: Response): Promise<void> {
  const { tag = '', back = '', csrf = '' } = fieldsOf(request)
  const token = house.cookies.session(request) ?? house.cookies.form(request)
  if (token === undefined || !isCsrfOf(token, csrf))
    return showText(house, request, response, 403, 'fault.stale_form')
  if (consoleLanguages(house.texts().i18n).includes(tag)) house.cookies.setLanguage(response, tag)
  // Only within the console: "//elsewhere" would leave it.
  response.redirect(303, /^\/(?!\/)[\w\-/?=&%.+:]*$/.test(back) ? `/console${back}` : '/console/')
}

function fieldsOf(request: Request): Record<string, string> {
  return firstOf(readFields(request.body))
}

function askedOf(request: Request): Asked {
  const { programme = '', number = '' } = fieldsOf(request)
  return { programme: programme.slice(0, 40), number: number.slice(0, 40) }
}

/** The only one needs no name. */
function programmeOf(programmes: readonly ProgrammeInfo[], code: string): ProgrammeInfo | undefined {
  const [only, ...others] = programmes
  if (others.length === 0) return only
  return programmes.find((programme) => programme.code === code.toLowerCase())
}

type SignInPage = (given: { say: Say; csrf: string; asksProgramme: boolean }) => Markup

function numberPage({ programme, number }: Asked, fault?: string): SignInPage {
  return ({
    say,
    csrf,
    asksProgramme,
  }) => html`${faultSummary(say('fault.title'), fault === undefined ? [] : [say(fault)])}
<p>${say('sign_in.lead')}</p>
<form method="post" action="/console/sign-in" class="narrow"><input type="hidden" name="csrf" value="${csrf}">
${asksProgramme ? field('programme', say('sign_in.programme'), { value: programme, required: true, autocomplete: 'organization', hint: say('sign_in.programme_hint') }) : html``}
${field('number', say('sign_in.number'), { value: number, type: 'tel', required: true, autocomplete: 'tel', maxlength: 30 })}
${button(say('sign_in.send'))}</form>`
}

function codePage({ programme, number }: Asked, fault?: string): SignInPage {
  return ({ say, csrf }) => html`${faultSummary(say('fault.title'), fault === undefined ? [] : [say(fault)])}
<p>${say('sign_in.sent')}</p>
<form method="post" action="/console/sign-in/code" class="narrow"><input type="hidden" name="csrf" value="${csrf}"><input type="hidden" name="programme" value="${programme}"><input type="hidden" name="number" value="${number}">
${field('code', say('sign_in.code'), { required: true, autocomplete: 'one-time-code', inputmode: 'numeric', maxlength: 12 })}
${button(say('sign_in.enter'))}</form>
<p><a href="/console/sign-in">${say('sign_in.again')}</a></p>
<p class="hint">${say('sign_in.lost')}</p>`
}
