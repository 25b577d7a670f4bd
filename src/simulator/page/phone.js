// The phone's behaviour: which view is on the glass, what the keys do, and asking the demo for news.
import { element, inboxRow, linesOf, programmePhones, timeOf, trailCard, wholeMessage } from './render.js'
import { texts } from './texts.js'

const pollMs = 1_000
const views = ['idle', 'ussd', 'inbox', 'message', 'write']
const byId = (id) => document.getElementById(id)

const state = {
  language: navigator.language.startsWith('fr') ? 'fr' : 'en',
  phones: [],
  phone: undefined,
  view: 'idle',
  /** The last USSD screen and whether an answer is being waited for. */
  screen: undefined,
  isBusy: false,
  /** Counts screens, so that news asked for before a screen is not held against it. */
  hop: 0,
  messages: [],
  message: undefined,
  seen: new Set(),
  trail: [],
  /** Cards that the visitor opened or closed by hand. */
  opened: new Map(),
  drawn: {},
}

const words = () => texts[state.language]

async function ask(path, body) {
  const options =
    body === undefined
      ? {}
      : { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const response = await fetch(`api/${path}`, options)
  if (!response.ok) throw new Error(`${response.status}`)
  return response.status === 204 ? undefined : response.json()
}

// ---- The glass ----

function show(view) {
  state.view = view
  for (const name of views) byId(`view-${name}`).hidden = name !== view
  drawSoftkeys()
  if (view === 'inbox') drawInbox(true)
  const field = activeField()
  // On a touch screen a focused field would bring up a keyboard over the keys.
  if (field !== undefined && matchMedia('(pointer: fine)').matches) field.focus()
}

function activeField() {
  if (state.view === 'idle') return byId('dial')
  if (state.view === 'write') return byId('writing')
  return state.view === 'ussd' && state.screen?.open === true && !state.isBusy ? byId('reply') : undefined
}

function softkeys() {
  const say = words()
  const canWrite = state.phone?.shortcode !== undefined
  const toWrite = canWrite ? [say.write, () => startWriting()] : undefined
  if (state.view === 'idle')
    return [
      [say.messages, () => show('inbox')],
      byId('dial').value === '' ? toWrite : [say.clear, () => setDial('')],
    ]
  if (state.view === 'inbox') return [toWrite, [say.back, () => show('idle')]]
  if (state.view === 'message')
    return [canWrite ? [say.reply, () => startWriting()] : undefined, [say.back, () => show('inbox')]]
  if (state.view === 'write')
    return [
      [say.send, sendSms],
      [say.back, () => show('inbox')],
    ]
  if (state.isBusy) return [undefined, [say.cancel, hangUp]]
  return state.screen?.open === true
    ? [
        [say.send, answer],
        [say.cancel, hangUp],
      ]
    : [[say.ok, hangUp], undefined]
}

function drawSoftkeys() {
  for (const [index, side] of ['left', 'right'].entries()) {
    const [label, act] = softkeys()[index] ?? []
    const key = byId(`soft-${side}`)
    key.textContent = label ?? ''
    key.onclick = act ?? null
    key.classList.toggle('blank', label === undefined)
    key.disabled = label === undefined
  }
}

function setDial(value) {
  byId('dial').value = value
  show('idle')
}

function startWriting() {
  byId('writing').value = ''
  byId('write-count').textContent = ''
  show('write')
}

// ---- USSD ----

async function runDialogue(request) {
  state.isBusy = true
  state.hop += 1
  const hop = state.hop
  drawScreen(undefined)
  const screen = await request().catch(() => ({ text: words().failed, open: false }))
  if (hop !== state.hop) return
  state.isBusy = false
  state.hop += 1
  drawScreen(screen)
}

function drawScreen(screen) {
  const say = words()
  state.screen = screen ?? { ...state.screen, open: false }
  byId('ussd-text').replaceChildren(...linesOf(screen?.text ?? say.running))
  byId('ussd-text').setAttribute('aria-busy', String(screen === undefined))
  byId('ussd-text').scrollTop = 0
  byId('view-ussd').classList.toggle('ended', screen?.open !== true)
  byId('reply').value = ''
  byId('reply-row').hidden = screen?.open !== true
  byId('count').textContent = screen === undefined || screen.source === undefined ? '' : lengthOf(screen)
  if (screen?.source === 'application') offerSaving()
  show('ussd')
}

/** A link to the last dialogue of this phone as a file. */
function offerSaving() {
  byId('save').href = `api/phones/${state.phone.id}/dialogue.yaml`
  byId('save').hidden = false
}

function lengthOf(screen) {
  return screen.septets === undefined
    ? words().characters(screen.text.length)
    : words().septets(screen.septets)
}

function dial() {
  const code = byId('dial').value.trim() || state.phone.serviceCode
  void runDialogue(() => ask(`phones/${state.phone.id}/dial`, { code }))
}

function answer() {
  const { sessionId } = state.screen
  const text = byId('reply').value
  void runDialogue(() => ask(`dialogues/${sessionId}/input`, { text }))
}

/** The red key: ends a dialogue that is open, and goes back to the first screen in any case. */
function hangUp() {
  const sessionId = state.view === 'ussd' ? (state.screen?.sessionId ?? state.sessionId) : undefined
  state.hop += 1
  state.isBusy = false
  state.screen = undefined
  if (sessionId) ask(`dialogues/${sessionId}/hang-up`, {}).catch(() => {})
  setDial(state.phone?.serviceCode ?? '')
}

// ---- SMS ----

function sendSms() {
  const text = byId('writing').value
  if (text.trim() === '') return
  ask(`phones/${state.phone.id}/sms`, { text })
    .then(refresh)
    .catch(() => {})
  show('inbox')
}

function openMessage(message) {
  state.message = message.id
  drawMessage()
  show('message')
  byId('soft-right').focus()
}

function drawMessage() {
  const message = state.messages.find((one) => one.id === state.message)
  if (message !== undefined) byId('message').replaceChildren(...wholeMessage(message, words()))
}

function drawInbox(isLooking) {
  const rows = [...state.messages].reverse()
  const unread = (message) => message.direction === 'received' && !state.seen.has(message.id)
  byId('inbox').replaceChildren(
    ...rows.map((message) => inboxRow(message, unread(message), words(), openMessage)),
    rows.length === 0 ? element('li', { class: 'empty' }, words().inboxEmpty) : '',
  )
  if (isLooking) for (const message of rows) state.seen.add(message.id)
  const count = rows.filter(unread).length
  byId('unread').textContent = count === 0 ? '' : `✉ ${count}`
}

function announceNew(messages) {
  const known = new Set(state.messages.map((message) => message.id))
  const fresh = messages.filter((message) => message.direction === 'received' && !known.has(message.id))
  const last = fresh.at(-1)
  if (last !== undefined) byId('announce').textContent = words().newMessage(last.peer)
}

// ---- What happened ----

function drawTrail() {
  const onNetwork = new Map(state.messages.map((message) => [message.id, message]))
  const cards = state.trail.map((message, index) =>
    trailCard(
      message,
      onNetwork.get(message.providerMessageId),
      state.opened.get(message.id) ?? index === 0,
      words(),
      (id, isOpen) => {
        if (isOpen !== (state.opened.get(id) ?? index === 0)) state.opened.set(id, isOpen)
      },
    ),
  )
  const none = element('p', { class: 'empty' }, words().nothingSent)
  byId('trail').replaceChildren(...(cards.length === 0 ? [none] : cards))
}

async function repay() {
  byId('repay').disabled = true
  const say = words()
  const result = await ask(`phones/${state.phone.id}/repay`, {}).catch(() => undefined)
  byId('repaid').textContent =
    result === undefined ? say.failed : result.outcome === 'posted' ? say.repaid(result) : say.nothingOwed
  byId('repay').disabled = false
  await refresh()
}

// ---- News ----

/** Draws only what changed, so that a visitor's focus and open cards stay. */
function take(news) {
  byId('clock').textContent = timeOf(news.now)
  state.sessionId = news.sessionId
  const messages = JSON.stringify(news.messages)
  const trail = messages + JSON.stringify(news.trail)
  if (state.drawn.messages !== messages) {
    if (state.drawn.messages !== undefined) announceNew(news.messages)
    state.messages = news.messages
    drawInbox(state.view === 'inbox')
    if (state.view === 'message') drawMessage()
  }
  if (state.drawn.trail !== trail) {
    state.trail = news.trail.map((message) => ({ ...message, now: news.now }))
    drawTrail()
  }
  state.drawn = { messages, trail }
}

async function refresh() {
  const { phone, hop } = state
  if (phone === undefined) return
  const news = await ask(`phones/${phone.id}`)
  if (phone !== state.phone) return
  take(news)
  const isOpen = state.view === 'ussd' && state.screen?.open === true && !state.isBusy
  if (isOpen && hop === state.hop && news.sessionId !== state.screen.sessionId)
    drawScreen({ text: words().timedOut, open: false })
}

async function poll() {
  if (!document.hidden) await refresh().catch(() => {})
  setTimeout(poll, pollMs)
}

// ---- Choice of phone and language ----

function choosePhone(phone) {
  if (state.phone !== undefined) hangUp()
  Object.assign(state, { phone, messages: [], trail: [], message: undefined, drawn: {} })
  byId('holder').textContent = phone.name === '' ? words().kinds[phone.scene] : phone.name
  byId('own').textContent = phone.msisdn
  byId('shortcode').textContent = phone.shortcode ?? ''
  byId('repaid').textContent = ''
  byId('save').hidden = true
  setDial(phone.serviceCode)
  refresh().catch(() => {})
}

function drawPhones() {
  const programmes = [...new Set(state.phones.map((phone) => phone.programme.name))]
  byId('phones').replaceChildren(
    ...programmes.map((name) => {
      const phones = state.phones.filter((phone) => phone.programme.name === name)
      return programmePhones(phones, programmes.length > 1, state, words(), choosePhone)
    }),
  )
}

function chooseLanguage(language) {
  state.language = language
  const say = words()
  document.documentElement.lang = language
  document.title = say.title
  for (const part of document.querySelectorAll('[data-text]')) part.textContent = say[part.dataset.text]
  for (const part of document.querySelectorAll('[data-label]'))
    part.setAttribute('aria-label', say[part.dataset.label])
  for (const button of document.querySelectorAll('[data-language]'))
    button.setAttribute('aria-pressed', String(button.dataset.language === language))
  byId('call').setAttribute('aria-label', say.call)
  byId('hang-up').setAttribute('aria-label', say.hangUp)
  byId('dial-hint').textContent = say.dialHint
  byId('guide').replaceChildren(...say.guide.map((step) => element('li', {}, step)))
  drawPhones()
  drawInbox(false)
  drawTrail()
  drawMessage()
  drawSoftkeys()
}

// ---- Keys ----

const padKeys = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#']
const letters = ['', 'abc', 'def', 'ghi', 'jkl', 'mno', 'pqrs', 'tuv', 'wxyz', '', '+', '']

function type(character) {
  const field = activeField()
  if (field === undefined || field.value.length >= field.maxLength) return
  field.value += character
  drawSoftkeys()
}

function buildPad() {
  const keys = padKeys.map((key, index) =>
    element(
      'button',
      // A mouse leaves the focus where it is, so that Enter sends what was typed and does not press the key again.
      {
        type: 'button',
        class: 'key',
        'aria-label': key,
        onclick: () => type(key),
        onmousedown: (event) => event.preventDefault(),
      },
      key,
      element('small', { 'aria-hidden': 'true' }, letters[index]),
    ),
  )
  byId('pad').replaceChildren(...keys)
}

function onKey(event) {
  const inField = event.target.matches?.('input:not([type=radio]), textarea')
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (event.key === 'Escape') hangUp()
  else if (!inField && padKeys.includes(event.key)) {
    type(event.key)
    event.preventDefault()
  }
}

function onSubmit(act) {
  return (event) => {
    event.preventDefault()
    act()
  }
}

function green() {
  if (state.view === 'ussd' && state.screen?.open === true && !state.isBusy) answer()
  else if (state.view === 'write') sendSms()
  else if (!state.isBusy) dial()
}

function listen() {
  for (const button of document.querySelectorAll('[data-language]'))
    button.addEventListener('click', () => chooseLanguage(button.dataset.language))
  byId('call').addEventListener('click', green)
  byId('hang-up').addEventListener('click', hangUp)
  byId('repay').addEventListener('click', repay)
  byId('view-idle').addEventListener('submit', onSubmit(dial))
  byId('view-ussd').addEventListener('submit', onSubmit(green))
  byId('view-write').addEventListener('submit', onSubmit(sendSms))
  byId('dial').addEventListener('input', drawSoftkeys)
  byId('writing').addEventListener('input', () => {
    byId('write-count').textContent = String(byId('writing').value.length)
  })
  document.addEventListener('keydown', onKey)
}

buildPad()
listen()
chooseLanguage(state.language)
ask('phones')
  .then((phones) => {
    state.phones = phones
    const [first] = phones
    if (first !== undefined) choosePhone(first)
    drawPhones()
  })
  .catch(() => {
    byId('holder').textContent = words().failed
  })
  .finally(poll)
