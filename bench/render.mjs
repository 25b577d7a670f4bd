// Screens rendered a second on one core, against a bare i18next lookup of the same texts in the same run.   node bench/render.mjs [rounds]

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInstance } from 'i18next'
import { loadI18n } from '../dist/i18n.js'
import { samplesOf, sources } from '../dist/ussd/data.js'
import { loadMenus } from '../dist/ussd/menu.js'
import { createRenderer } from '../dist/ussd/render.js'
import { newDialogue } from '../dist/ussd/session.js'

const root = join(import.meta.dirname, '..')
const rounds = Number(process.argv[2] ?? 5)
const screensPerRound = 200_000
const i18n = loadI18n(join(root, 'locales'))
const menu = loadMenus(join(root, 'menus')).get('member')
const renderer = createRenderer(i18n)

/** The screens of a dialogue of four: first screen, account, loan, meeting, in twelve languages, with data as members have it. */
const requests = i18n.bases.flatMap((tag) =>
  ['home', 'account', 'loan', 'meeting'].map((name) => {
    const state = menu.states[name]
    const samples = samplesOf(i18n, tag, 'XOF')
    const lines = state.needs.flatMap((need) =>
      Object.entries(sources[need].texts)
        .filter(([text]) => !sources[need].alone?.includes(text) && text !== 'heading' && text !== 'overdue')
        .map(([text, values]) => ({ name: text, values: values(samples) })),
    )
    const facts = state.needs.flatMap((need) => sources[need].facts ?? [])
    const dialogue = { ...newDialogue, state: name, language: tag, role: 'member', hasPin: true }
    return {
      menu,
      state,
      dialogue,
      view: { lines, facts },
      language: tag,
      septetsMax: name === 'home' ? 140 : 160,
    }
  }),
)

// The same texts by i18next alone: no spelling, no options left out, no page.
const bare = createInstance()
await bare.init({
  initAsync: false,
  fallbackLng: false,
  ns: ['ussd'],
  defaultNS: 'ussd',
  interpolation: { escapeValue: false },
  resources: Object.fromEntries(
    i18n.bases.map((tag) => [
      tag,
      { ussd: JSON.parse(readFileSync(join(root, 'locales', tag, 'ussd.json'), 'utf8')) },
    ]),
  ),
})
const lookups = requests.map(({ dialogue, state, view, language }) => {
  const prefix = `member.${dialogue.state}`
  const own = state.options
    .filter(({ when }) => when === undefined || view.facts.includes(when))
    .map(({ name }) => [`${prefix}.options.${name}`, {}])
  const text = i18n.has(language, 'ussd', `${prefix}.text`) ? [[`${prefix}.text`, {}]] : []
  const foot =
    dialogue.state === 'home'
      ? []
      : [
          ['common.back', {}],
          ['common.home', {}],
        ]
  const texts = [
    ...text,
    ...view.lines.map(({ name, values }) => [`${prefix}.${name}`, values]),
    ...own,
    ...foot,
  ]
  return texts.map(([key, values]) => [key, { ...values, lng: language, ns: 'ussd' }])
})

function time(work) {
  const started = process.hrtime.bigint()
  let length = 0
  for (let done = 0; done < screensPerRound; done += 1) length += work(done % requests.length)
  if (length === 0) throw new Error('nothing was rendered')
  return screensPerRound / (Number(process.hrtime.bigint() - started) / 1e9)
}
const ours = (at) => renderer.render(requests[at]).text.length
const theirs = (at) => {
  let text = ''
  for (const [key, values] of lookups[at]) text += `${bare.t(key, values)}\n`
  return text.length
}

const rates = { ours: [], theirs: [] }
for (let round = 0; round <= rounds; round += 1) {
  const measured = { ours: time(ours), theirs: time(theirs) }
  // The first round warms both up.
  if (round > 0) for (const name of ['ours', 'theirs']) rates[name].push(measured[name])
}
const median = (numbers) => [...numbers].sort((one, other) => one - other)[Math.floor(numbers.length / 2)]
const [mine, bareRate] = [median(rates.ours), median(rates.theirs)]
const whole = (number) => Math.round(number).toLocaleString('en-US')
const reached = mine >= 100_000 || bareRate / mine <= 3
console.log(`
## Rendering a screen: state, data, language, fit (${i18n.bases.length} languages, ${rounds} rounds)

| Tama, screens/s on one core | the same texts by i18next alone, screens/s | time against i18next | target |
|---|---|---|---|
| ${whole(mine)} | ${whole(bareRate)} | ${(bareRate / mine).toFixed(2)} | 100,000/s or at most 3 times, ${reached ? 'reached' : '**missed**'} |
`)
