// Builds the parts of the page from data. Text only ever enters as text, never as markup.

/** An element with attributes and children; `class` and `on...` are as in HTML. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === false) continue
    if (key.startsWith('on')) made.addEventListener(key.slice(2), value)
    else made.setAttribute(key, value === true ? '' : value)
  }
  made.append(...children.filter((child) => child !== undefined))
  return made
}

/** Each line of a text in the direction of its own first letter, as phones show right-to-left scripts. */
export function linesOf(text) {
  // An empty line keeps its height.
  return text
    .split('\n')
    .map((line) => element('span', { class: 'text-line', dir: 'auto' }, line || '\u00a0'))
}

export function timeOf(at, withSeconds = false) {
  const parts = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }
  return new Date(at).toLocaleTimeString('en-GB', withSeconds ? { ...parts, second: '2-digit' } : parts)
}

function phoneChoice(phone, words, isChosen, choose) {
  const id = `phone-${phone.id}`
  const reads = phone.languages.map(words.languageName).join(', ')
  const tip = words.hints[phone.scene] ?? (phone.pin === undefined ? '' : words.pin(phone.pin))
  return element(
    'label',
    { class: 'card', for: id },
    element('input', { type: 'radio', name: 'phone', id, checked: isChosen, onchange: () => choose(phone) }),
    element('span', { class: 'kind' }, words.kinds[phone.scene]),
    element('b', {}, phone.name === '' ? phone.msisdn : phone.name),
    phone.name === ''
      ? undefined
      : element('span', { class: 'number' }, [phone.msisdn, reads].filter(Boolean).join(' · ')),
    element('span', { class: 'tip' }, tip),
  )
}

/** Shown at once; the others are folded away. */
const firstPhones = 5

/** Under its name where there are several; the one whose phone is held stands open. */
export function programmePhones(phones, isNamed, state, words, choose) {
  const [{ programme, serviceCode }] = phones
  const cards = phones.map((phone) => phoneChoice(phone, words, phone === state.phone, choose))
  const more = element(
    'details',
    { class: 'more', open: phones.indexOf(state.phone) >= firstPhones },
    element('summary', {}, words.more),
    ...cards.slice(firstPhones),
  )
  const shown = [...cards.slice(0, firstPhones), cards.length > firstPhones ? more : '']
  if (!isNamed) return element('div', { class: 'phones' }, ...shown)
  return element(
    'details',
    { class: 'programme', 'data-programme': programme.name, open: phones.includes(state.phone) },
    element(
      'summary',
      {},
      element('b', {}, programme.title[state.language]),
      element('span', {}, `${programme.sender} · ${serviceCode}`),
    ),
    element('div', { class: 'phones' }, ...shown),
  )
}

/** One tick: it left. Two: it arrived. */
function ticks(message, words) {
  const named = message.direction === 'written' ? words.written : words.ticks
  const isThere = message.status === 'Success'
  const word = named[message.status] ?? message.status
  return element(
    'span',
    { class: isThere ? 'ticks there' : 'ticks', 'data-status': message.status },
    element('span', { 'aria-hidden': 'true' }, isThere ? '✓✓ ' : '✓ '),
    word,
  )
}

export function inboxRow(message, isUnread, words, open) {
  return element(
    'li',
    {},
    element(
      'button',
      { type: 'button', class: isUnread ? 'row unread' : 'row', onclick: () => open(message) },
      element(
        'span',
        { class: 'line' },
        element('b', {}, message.direction === 'written' ? `→ ${message.peer}` : message.peer),
        element('time', {}, timeOf(message.at)),
      ),
      element('span', { class: 'start', dir: 'auto' }, message.text),
      ticks(message, words),
    ),
  )
}

export function wholeMessage(message, words) {
  const encoding = message.encoding === 'gsm7' ? 'GSM-7' : 'UCS-2'
  const facts = [words.segments(message.segments), encoding, message.cost].filter(Boolean).join(' · ')
  return [
    element(
      'p',
      { class: 'line' },
      element('b', {}, message.direction === 'written' ? `→ ${message.peer}` : message.peer),
      element('time', {}, timeOf(message.at)),
    ),
    element('p', { class: 'whole' }, ...linesOf(message.text)),
    element('p', { class: 'facts' }, facts),
    ticks(message, words),
  ]
}

const ladder = ['created', 'queued', 'claimed', 'submitting', 'submitted', 'sent', 'delivered']
const bad = ['failed', 'undelivered', 'rejected']
const halted = ['suppressed', 'cancelled', 'expired', 'unknown']

function toneOf(status) {
  if (status === 'delivered') return 'good'
  if (bad.includes(status)) return 'bad'
  return halted.includes(status) ? 'halted' : 'moving'
}

function rungs(message) {
  const reached = new Set(message.steps.map((step) => step.status))
  const top = Math.max(...ladder.map((status, index) => (reached.has(status) ? index : 0)))
  return element(
    'span',
    { class: `rungs ${toneOf(message.status)}`, 'aria-hidden': 'true' },
    ...ladder.map((_status, index) => element('i', { class: index <= top ? 'on' : undefined })),
  )
}

function step({ at, status, source, reason }, words) {
  return element(
    'li',
    { class: toneOf(status) },
    element('time', {}, timeOf(at, true)),
    element('b', {}, words.statuses[status] ?? status),
    element(
      'span',
      {},
      [words.sources[source] ?? source, reason?.replace(/^report\./, '')]
        .filter(Boolean)
        .join(', ')
        .replaceAll('_', ' '),
    ),
  )
}

/** A message's way: Tama's own status ladder, then what the network saw of it. */
export function trailCard(message, onNetwork, isOpen, words, toggled) {
  const isWaiting = message.status === 'created' && new Date(message.notBefore) > new Date(message.now)
  const title = words.purposes[message.purpose] ?? message.purpose
  const about = [message.alias, timeOf(message.createdAt)].filter(Boolean).join(' · ')
  return element(
    'details',
    {
      class: 'trail',
      'data-message': message.id,
      'data-status': message.status,
      open: isOpen,
      ontoggle: (event) => toggled(message.id, event.currentTarget.open),
    },
    element(
      'summary',
      {},
      element('span', { class: 'what' }, element('b', {}, title), element('span', {}, about)),
      element(
        'span',
        { class: `pill ${toneOf(message.status)}` },
        words.statuses[message.status] ?? message.status,
      ),
      rungs(message),
    ),
    element(
      'ol',
      {},
      ...message.steps.map((one) => step(one, words)),
      isWaiting ? element('li', { class: 'wait' }, words.waits(timeOf(message.notBefore))) : '',
    ),
    onNetwork === undefined
      ? ''
      : element(
          'p',
          { class: 'network' },
          element('b', {}, `${words.network} `),
          onNetwork.history.map((one) => `${timeOf(one.at, true)} ${one.status}`).join(' → '),
        ),
  )
}
