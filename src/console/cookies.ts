// In: a request. Out: its cookies, and those that it gets: unreadable for scripts, for this site alone, over TLS only in production.
import { parseCookie } from 'cookie'
import type { CookieOptions, Request, Response } from 'express'

export interface Cookies {
  /** Token of the session. */
  session(request: Request): string | undefined
  /** Token of the forms that stand before a session. */
  form(request: Request): string | undefined
  language(request: Request): string | undefined
  setSession(response: Response, token: string): void
  setForm(response: Response, token: string): void
  setLanguage(response: Response, tag: string): void
  clear(response: Response): void
}

/** "__Host-" binds a cookie to this very host; browsers take it over TLS only. */
export function createCookies(production: boolean): Cookies {
  const nameOf = (name: string) => (production ? `__Host-tama-${name}` : `tama-${name}`)
  const options: CookieOptions = { httpOnly: true, sameSite: 'strict', secure: production, path: '/' }
  const read = (request: Request, name: string) => parseCookie(request.headers.cookie ?? '')[nameOf(name)]
  const yearMs = 365 * 24 * 3_600_000
  return {
    session: (request) => read(request, 'session'),
    form: (request) => read(request, 'form'),
    language: (request) => read(request, 'language'),
    setSession(response, token) {
      response.cookie(nameOf('session'), token, options)
      response.clearCookie(nameOf('form'), options)
    },
    setForm: (response, token) => response.cookie(nameOf('form'), token, options),
    setLanguage: (response, tag) => response.cookie(nameOf('language'), tag, { ...options, maxAge: yearMs }),
    clear: (response) => response.clearCookie(nameOf('session'), options),
  }
}
