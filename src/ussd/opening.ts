// In: who a number belongs to, and her newest other dialogue. Out: the dialogue that a first dial begins with, and where it could go on.
// Pure. The first screen names nobody, and a stranger sees the same whoever he is.
import { offeredAs } from '../i18n.ts'
import type { ProgrammeInfo } from '../members/programmes.ts'
import type { Caller, StaffCaller, WhoCalls } from '../members/who-calls.ts'
import { stateOf } from './engine.ts'
import { type Menu, publicMenu, staffMenu } from './menu.ts'
import { type Dialogue, newDialogue, type Resumable, type Session } from './session.ts'

/** Undefined when the programme no longer offers it. */
function offered({ languages }: ProgrammeInfo, language: string | null | undefined): string | undefined {
  return offeredAs(language, languages)
}

/** A stranger, or a member who is suspended or has left: the same for all of them, in the language that the phone last chose. */
function publicDialogue(programme: ProgrammeInfo, caller: Caller | undefined): Dialogue {
  const language = offered(programme, caller?.language) ?? programme.languages[0]
  return { ...newDialogue, menu: publicMenu, language }
}

/** What the dialogue becomes when staff come to their own menu; their PIN is still to be asked. */
export function asStaff(staff: StaffCaller): Partial<Dialogue> {
  const { id, role, hasPin } = staff
  const nobody = { memberId: undefined, unasked: false, shared: false, chosen: undefined, noted: {} }
  return { ...nobody, menu: staffMenu, staffId: id, role, hasPin, passed: false }
}

function staffDialogue(programme: ProgrammeInfo, staff: StaffCaller): Dialogue {
  const single = programme.languages.length === 1 ? programme.languages[0] : undefined
  const language = offered(programme, staff.language) ?? single
  return { ...newDialogue, ...asStaff(staff), language }
}

export function openingDialogue(programme: ProgrammeInfo, { caller, staff }: WhoCalls): Dialogue {
  const active = caller?.members ?? []
  const only = active.length === 1 ? active[0] : undefined
  if (active.length === 0)
    return staff === undefined ? publicDialogue(programme, caller) : staffDialogue(programme, staff)
  const single = programme.languages.length === 1 ? programme.languages[0] : undefined
  return {
    ...newDialogue,
    language: offered(programme, only?.language) ?? offered(programme, caller?.language) ?? single,
    memberId: only?.id,
    role: only?.role ?? '',
    hasPin: only?.hasPin ?? false,
    unasked: only?.unasked ?? false,
    shared: active.length > 1,
    alsoStaff: staff !== undefined,
  }
}

/** The dialogue that offers to go on, and in which menu; undefined when there is nothing to go on with, or she is no longer who she was. */
export function resumingDialogue(
  programme: ProgrammeInfo,
  known: WhoCalls,
  last: Session | undefined,
  menuOf: (own: string | undefined) => Menu | undefined,
): Dialogue | undefined {
  const own = last?.dialogue.menu
  if (last === undefined || own === publicMenu) return undefined
  const menu = menuOf(own)
  const resumable = menu === undefined ? undefined : resumableOf(menu, last)
  if (resumable === undefined || menu?.gates.resume === undefined) return undefined
  const { staff, caller } = known
  if (own === staffMenu) {
    if (staff === undefined || staff.id !== resumable.staffId) return undefined
    const opening = staffDialogue(programme, staff)
    const current = { role: staff.role, hasPin: staff.hasPin }
    return opening.language === undefined
      ? undefined
      : { ...opening, resumable: { ...resumable, ...current } }
  }
  const opening = openingDialogue(programme, known)
  if (opening.menu !== undefined || opening.language === undefined) return undefined
  if (resumable.memberId === undefined) return { ...opening, resumable }
  const member = caller?.members.find(({ id }) => id === resumable.memberId)
  if (member === undefined) return undefined
  // She may have set a PIN on another phone meanwhile: what she is now counts, not what she was when the call dropped.
  const { role, hasPin, unasked } = member
  return { ...opening, resumable: { ...resumable, role, hasPin, unasked } }
}

function resumableOf(menu: Menu, last: Session): Resumable | undefined {
  if (last.ended || last.menuVersion !== menu.version) return undefined
  const { dialogue } = last
  // A dialogue dropped at the offer itself is offered again.
  if (dialogue.state === menu.gates.resume) return dialogue.resumable
  const passing = stateOf(menu, dialogue.state).passing
  const state = passing ? dialogue.target : dialogue.state
  if (state === undefined || state === menu.home || menu.states[state] === undefined) return undefined
  const { trail, memberId, staffId, role, hasPin, unasked, chosen, noted } = dialogue
  return { state, trail, memberId, staffId, role, hasPin, unasked, chosen, noted }
}
