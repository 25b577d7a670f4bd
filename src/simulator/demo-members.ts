// The members of a demo programme whose situation is known: which phone shows what. The same on every start.
// Nothing of this stands in the database; the PIN is a demo's and is refused nowhere else.

/** The PIN of every demo member who has one. */
export const demoPin = '4816'

export type Situation = 'due_in_three_days' | 'first_time' | 'suspended' | 'overpaid' | 'corrected' | 'usual'

export interface DemoMember {
  firstName: string
  lastName: string
  alias: string
  msisdn: string
  /** Undefined until she has chosen. */
  language: string | undefined
  hasPin: boolean
  situation: Situation
}

export const colleagues = ['adviser', 'social_worker', 'branch', 'auditor'] as const
export type Colleague = (typeof colleagues)[number]

export interface DemoPeople {
  /** In the first group, right after its officers. Its next meeting is tomorrow. The first is the one to try. */
  members: readonly [DemoMember, ...DemoMember[]]
  /** Of the first groups. */
  facilitator: string
  /** Administers the programme in the console. */
  office: string
  /** One each of the other roles. */
  colleagues: Readonly<Record<Colleague, string>>
  /** A number of the country that nobody has. */
  unknown: string
}

type Row = readonly [
  alias: string,
  lastName: string,
  lastDigits: string,
  language: string | undefined,
  situation: Situation,
]

/** `start` is a number of the country without its last two digits. */
export function demoPeople(start: string, rows: readonly [Row, ...Row[]]): DemoPeople {
  const member = ([alias, lastName, lastDigits, language, situation]: Row): DemoMember => ({
    firstName: alias,
    lastName,
    alias,
    msisdn: start + lastDigits,
    language,
    hasPin: situation !== 'first_time',
    situation,
  })
  const [first, ...others] = rows
  return {
    members: [member(first), ...others.map(member)],
    facilitator: `${start}90`,
    office: `${start}91`,
    colleagues: {
      adviser: `${start}92`,
      social_worker: `${start}93`,
      branch: `${start}94`,
      auditor: `${start}95`,
    },
    unknown: `${start}99`,
  }
}
