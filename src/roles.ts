// The parts of the house that may run as processes of their own.

export const roles = ['web', 'worker', 'planner'] as const
export type Role = (typeof roles)[number]

export function isRole(word: string): word is Role {
  return (roles as readonly string[]).includes(word)
}
