// In: a programme's rules for cases as they are written. Out: for each kind of case who owns it and within how many working days she hears.
// Must never let a case of the social workers go to anybody else.
import { z } from 'zod'

export const caseKinds = [
  'call_back',
  'dispute',
  'lost_phone',
  'pin_reset',
  'social_worker',
  'adviser',
] as const
export type CaseKind = (typeof caseKinds)[number]

/** "facilitator" is the one of her group; "adviser" one who speaks the language that she asks for. */
export const ownerRoles = ['facilitator', 'adviser', 'social_worker', 'branch', 'administrator'] as const
export type OwnerRole = (typeof ownerRoles)[number]

export interface CaseRule {
  owner: OwnerRole
  workingDays: number
}

/** Null: as many as the programme promises for what is not right (`answerWorkingDays`). */
const houseRules: Readonly<Record<CaseKind, { owner: OwnerRole; workingDays: number | null }>> = {
  call_back: { owner: 'facilitator', workingDays: 2 },
  dispute: { owner: 'facilitator', workingDays: null },
  lost_phone: { owner: 'facilitator', workingDays: 2 },
  pin_reset: { owner: 'facilitator', workingDays: 2 },
  social_worker: { owner: 'social_worker', workingDays: 2 },
  adviser: { owner: 'adviser', workingDays: 5 },
}

const workingDays = z.number().int().min(1).max(30).optional()
const rule = z.strictObject({
  owner: z.enum(['facilitator', 'adviser', 'branch', 'administrator']).optional(),
  workingDays,
})

/** What a programme says about its cases; what it leaves out has the rule of the house. Who owns a social worker's case is no choice. */
export const caseRulesSchema = z.strictObject({
  call_back: rule.optional(),
  dispute: rule.optional(),
  lost_phone: rule.optional(),
  pin_reset: rule.optional(),
  social_worker: z.strictObject({ workingDays }).optional(),
  adviser: rule.optional(),
})
export type CaseRules = z.infer<typeof caseRulesSchema>

/** The rule of a kind. `written` is the column as it stands; rules that nobody could have written by `tama programme` count as none. */
export function caseRuleOf(written: unknown, kind: CaseKind, answerWorkingDays: number): CaseRule {
  const rules = caseRulesSchema.safeParse(written).data ?? {}
  const house = houseRules[kind]
  const own: { owner?: OwnerRole | undefined; workingDays?: number | undefined } = rules[kind] ?? {}
  return {
    owner: own.owner ?? house.owner,
    workingDays: own.workingDays ?? house.workingDays ?? answerWorkingDays,
  }
}

/** Whom a case is offered, in this order; a social worker's case stays with social workers. */
export function ownersInTurn(owner: OwnerRole): OwnerRole[] {
  if (owner === 'social_worker') return ['social_worker']
  return [...new Set<OwnerRole>([owner, 'branch', 'administrator'])]
}

/** Whom it is passed on to when nobody has answered in time. */
export function ownersAfter(kind: CaseKind): OwnerRole[] {
  return kind === 'social_worker' ? ['social_worker'] : ['branch', 'administrator']
}
