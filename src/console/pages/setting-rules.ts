// Who answers which request of a member, and within how many working days; what a programme leaves open has the rule of the house.
import { isDeepStrictEqual } from 'node:util'
import { recordAudit } from '../../audit.ts'
import { type CaseKind, caseKinds, caseRuleOf, caseRulesSchema, ownerRoles } from '../../cases/rules.ts'
import { InvariantError } from '../../errors.ts'
import { html, type Markup } from '../../markup.ts'
import { button, facts, field, form, link, select } from '../elements.ts'
import type { Page, PageContext } from '../page.ts'

interface Written {
  rules: unknown
  answerDays: number
}

async function read({ tx }: PageContext): Promise<Written> {
  const { rows } = await tx.query<Written>(
    'select case_rules as rules, answer_working_days as "answerDays" from programmes',
  )
  const [written] = rows
  if (written === undefined) throw new InvariantError('a session without its programme')
  return written
}

/** A social worker's case is no choice: it stays with social workers. */
const choosable = ownerRoles.filter((role) => role !== 'social_worker')

export async function ruleFacts(context: PageContext): Promise<Markup> {
  const { say } = context
  const { rules, answerDays } = await read(context)
  const lines = caseKinds.map((kind) => {
    const { owner, workingDays } = caseRuleOf(rules, kind, answerDays)
    return [
      say(`case_kind.${kind}`),
      `${say(`role.${owner}`)}, ${say('setting.rule_days', { count: workingDays })}`,
    ] as const
  })
  return html`<h2>${say('setting.rules')}</h2>${facts(lines)}`
}

export async function ruleForm(context: PageContext): Promise<Markup> {
  const { say } = context
  const { rules, answerDays } = await read(context)
  const own = caseRulesSchema.safeParse(rules).data ?? {}
  const ownerOf = (kind: CaseKind) => (kind === 'social_worker' ? undefined : own[kind]?.owner)
  const fields = caseKinds.map((kind) => {
    const house = caseRuleOf({}, kind, answerDays)
    const asHouse = { value: '', text: `${say('setting.rule_house')}: ${say(`role.${house.owner}`)}` }
    const owners = [asHouse, ...choosable.map((value) => ({ value, text: say(`role.${value}`) }))]
    return html`<fieldset><legend>${say(`case_kind.${kind}`)}</legend>${
      kind === 'social_worker'
        ? html`<p class="hint">${say('setting.rule_social')}</p>`
        : select(`owner.${kind}`, say('case.owner'), owners, ownerOf(kind) ?? '')
    }${field(`days.${kind}`, say('setting.rule_days_field', { count: house.workingDays }), {
      value: String(own[kind]?.workingDays ?? ''),
      inputmode: 'numeric',
    })}</fieldset>`
  })
  return html`<h2>${say('setting.rules')}</h2><p class="hint">${say('setting.rules_hint')}</p>
${form(context, '/settings/rules', html`${fields}${button(say('setting.rules_save'))}`)}`
}

/** What opens from now on follows them; a case that is open keeps its owner and its day. */
export async function changeRules(context: PageContext): Promise<Page> {
  const { tx, staff, actor, now, say, form: sent } = context
  const before = await read(context)
  const parsed = caseRulesSchema.safeParse(
    Object.fromEntries(
      caseKinds.flatMap((kind) => {
        const [owner = '', days = ''] = [sent[`owner.${kind}`], sent[`days.${kind}`]]
        const rule = {
          ...(owner === '' ? {} : { owner }),
          ...(days === '' ? {} : { workingDays: Number(days) }),
        }
        return Object.keys(rule).length === 0 ? [] : [[kind, rule]]
      }),
    ),
  )
  if (!parsed.success) {
    const names = parsed.error.issues.map(({ path }) => caseKinds.find((kind) => kind === path[0]))
    const faults = [...new Set(names)].map(
      (kind) => html`<li>${kind === undefined ? '' : say(`case_kind.${kind}`)}: ${say('setting.wrong')}</li>`,
    )
    const body = html`<ul role="alert">${faults}</ul><p>${link('/settings', say('form.back'))}</p>`
    return { title: say('fault.title'), body, status: 422 }
  }
  const rules = parsed.data
  if (isDeepStrictEqual(rules, before.rules)) return { to: '/settings', done: 'unchanged' }
  await tx.query('update programmes set case_rules = $2 where id = $1', [
    staff.programmeId,
    JSON.stringify(rules),
  ])
  await recordAudit(tx, {
    at: now,
    programmeId: staff.programmeId,
    actor,
    action: 'programme.changed',
    subject: `programme:${staff.programmeId}`,
    before: { case_rules: before.rules },
    after: { case_rules: rules },
  })
  return { to: '/settings', done: 'saved' }
}
