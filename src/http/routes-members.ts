// In: what the back office asks and says about one member. Out: its routes.
import {
  consentChange,
  consentChangeAnswer,
  consentChanges,
  consentChangesAnswer,
  consentChangesQuery,
  consentsAnswer,
  consentsOf,
  consentsSchema,
  putConsents,
} from './api-consents.ts'
import {
  change,
  enrol,
  memberAnswer,
  memberChangeSchema,
  memberOf,
  memberSchema,
  membersAnswer,
  membersOf,
  membersQuery,
} from './api-members.ts'
import { confirm, phonesOf, reportPhones, resetPin } from './api-phones.ts'
import { erase, exportOf } from './api-privacy.ts'
import { positionOf } from './api-reads.ts'
import {
  confirmationAnswer,
  confirmationSchema,
  erasureAnswer,
  erasureSchema,
  exportAnswer,
  phonesAnswer,
  pinResetAnswer,
  pinResetSchema,
  positionAnswer,
  reportSchema,
} from './api-schemas.ts'
import { type Route, route } from './route.ts'

const params = { number: 'Member number, percent-encoded' }
const consentsExample = {
  member: 'M-204',
  stopped: false,
  networkBlocked: false,
  hours: { from: '10:00', until: '18:00' },
  consents: { receipt: true, reminder: true, meeting: true, survey: false, promotion: false },
  history: [
    {
      purpose: 'survey',
      granted: false,
      channel: 'api',
      wording: 'sheet-2',
      language: 'fr',
      collector: 'api:back office',
      at: '2026-11-20T10:00:00.000Z',
    },
  ],
}
const changeExample = {
  change: '5120',
  member: 'M-204',
  purpose: 'survey',
  granted: false,
  channel: 'api',
  wording: 'sheet-2',
  language: 'fr',
  collector: 'api:back office',
  at: '2026-11-20T10:00:00.000Z',
}
const phonesExample = {
  member: 'M-204',
  phones: [{ phone: '+22177•••••01', primary: true, state: 'bound' as const, since: null, reason: null }],
}

const memberExample = {
  number: 'M-204',
  firstName: 'Awa',
  lastName: 'Diatta',
  alias: 'Awa',
  group: 'G01',
  role: 'member' as const,
  status: 'active' as const,
  language: 'wo',
  birthYear: 1985,
  phones: [{ phone: '+22177•••••01', primary: true, state: 'bound' as const }],
  erased: false,
  createdAt: '2026-11-02T10:00:00.000Z',
}

export const memberRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/members',
    scope: 'read',
    summary: 'Members by number; names and masked phones',
    query: membersQuery,
    answer: membersAnswer,
    example: { query: 'group=G01&text=awa', answer: { members: [memberExample], next: null } },
    handle: ({ tx, caller, query }) => membersOf(tx, caller, query),
  }),
  route({
    method: 'post',
    path: '/members',
    scope: 'members',
    summary: 'Enrol a member with her phones; one who is there already is never overwritten',
    body: memberSchema,
    answer: memberAnswer,
    refusals: ['member.number_taken', 'group.unknown'],
    example: {
      body: {
        number: 'M-204',
        firstName: 'Awa',
        lastName: 'Diatta',
        group: 'G01',
        language: 'wo',
        birthYear: 1985,
        phones: ['77 000 00 01'],
      },
      answer: memberExample,
    },
    handle: ({ tx, clock, caller, body }) => enrol(tx, clock, caller, body),
  }),
  route({
    method: 'get',
    path: '/members/:number',
    scope: 'read',
    summary: 'A member: names, group, role, state, language, masked phones',
    params,
    answer: memberAnswer,
    example: { answer: memberExample },
    handle: ({ tx, caller, params }) => memberOf(tx, caller, params.number),
  }),
  route({
    method: 'patch',
    path: '/members/:number',
    scope: 'members',
    summary: 'Change what is given of a member, and leave the rest as it is',
    params,
    body: memberChangeSchema,
    answer: memberAnswer,
    refusals: ['group.unknown', 'member.erased', 'phone.confirmation_needed'],
    example: {
      body: { group: 'G02', role: 'treasurer', phones: { remove: ['77 000 00 02'] } },
      answer: { ...memberExample, group: 'G02', role: 'treasurer' },
    },
    handle: ({ tx, clock, caller, params, body }) => change(tx, clock, caller, params.number, body),
  }),
  route({
    method: 'get',
    path: '/consents',
    scope: 'read',
    summary: 'What members said about our messages, in the order in which it was taken down',
    query: consentChangesQuery,
    answer: consentChangesAnswer,
    example: { answer: { changes: [changeExample], next: null } },
    handle: ({ tx, caller, query }) => consentChanges(tx, caller, query),
  }),
  route({
    method: 'get',
    path: '/consents/:change',
    scope: 'read',
    summary: 'One word of a member about our messages',
    params: { change: 'As an event or the list names it' },
    answer: consentChangeAnswer,
    example: { answer: changeExample },
    handle: ({ tx, caller, params }) => consentChange(tx, caller, params.change),
  }),
  route({
    method: 'get',
    path: '/members/:number/position',
    scope: 'read',
    summary: 'What a member owes, saved, and what comes next',
    params,
    answer: positionAnswer,
    refusals: ['route.unknown'],
    example: {
      answer: {
        member: 'M-204',
        currency: 'XOF',
        loans: [
          {
            number: 'L17',
            product: 'standard',
            outstanding: '46400',
            overdue: '0',
            next: { dueDate: '2026-12-02', remaining: '46400' },
          },
        ],
        savings: '12500',
        nextMeeting: { startsAt: '2026-12-01T10:00:00.000Z', place: 'Brin', coming: true },
        nextTraining: null,
        initialSessions: { done: 6, total: 6 },
      },
    },
    handle: ({ tx, clock, caller, params }) => positionOf(tx, clock, caller, params.number),
  }),
  route({
    method: 'get',
    path: '/members/:number/consents',
    scope: 'read',
    summary:
      'What a member allows us to send, the hours that she chose, and every word of hers so far, newest first',
    params,
    answer: consentsAnswer,
    refusals: ['route.unknown'],
    example: { answer: consentsExample },
    handle: ({ tx, caller, params }) => consentsOf(tx, caller, params.number),
  }),
  route({
    method: 'put',
    path: '/members/:number/consents',
    scope: 'members',
    summary:
      'Take down what a member said about our messages; a no counts at once, what she said since stands',
    params,
    body: consentsSchema,
    answer: consentsAnswer,
    refusals: ['route.unknown'],
    example: {
      body: {
        consents: { survey: false },
        wording: 'sheet-2',
        language: 'fr',
        collectedAt: '2026-11-20T10:00:00Z',
      },
      answer: consentsExample,
    },
    handle: ({ tx, clock, caller, params, body }) => putConsents(tx, clock, caller, params.number, body),
  }),
  route({
    method: 'get',
    path: '/members/:number/phones',
    scope: 'read',
    summary: 'States of her phones, numbers masked',
    params,
    answer: phonesAnswer,
    refusals: ['route.unknown'],
    example: { answer: phonesExample },
    handle: ({ tx, caller, params }) => phonesOf(tx, caller, params.number),
  }),
  route({
    method: 'post',
    path: '/members/:number/reverify',
    scope: 'members',
    summary:
      "Report that she no longer holds her numbers: they count as a stranger's until two people bind a phone again",
    params,
    body: reportSchema,
    answer: phonesAnswer,
    refusals: ['route.unknown'],
    example: {
      body: {},
      answer: {
        member: 'M-204',
        phones: [
          {
            phone: '+22177•••••01',
            primary: true,
            state: 'reverify',
            since: '2026-11-20T10:00:00.000Z',
            reason: 'reported',
          },
        ],
      },
    },
    handle: ({ tx, clock, caller, params }) => reportPhones(tx, clock, caller, params.number),
  }),
  route({
    method: 'post',
    path: '/members/:number/confirmations',
    scope: 'members',
    summary:
      "One person's word that the member stands before her with this phone; the second word of another person within 24 hours binds it",
    params,
    body: confirmationSchema,
    answer: confirmationAnswer,
    refusals: [
      'route.unknown',
      'member.unknown',
      'confirmation.not_entitled',
      'confirmation.same_person',
      'confirmation.facilitator_needed',
      'confirmation.not_needed',
    ],
    example: {
      body: { phone: '77 123 45 67', by: { officer: 'M-190' } },
      answer: { member: 'M-204', state: 'waiting', until: '2026-11-21T10:00:00.000Z' },
    },
    handle: ({ tx, clock, caller, params, body }) => confirm(tx, clock, caller, params.number, body),
  }),
  route({
    method: 'post',
    path: '/members/:number/pin-reset',
    scope: 'members',
    summary:
      "Take her PIN and lock away on the word of her group's facilitator, who saw her; she chooses a new PIN at her next dial",
    params,
    body: pinResetSchema,
    answer: pinResetAnswer,
    refusals: ['route.unknown', 'pin.not_her_facilitator'],
    example: { body: { confirmedBy: '77 111 00 01' }, answer: { member: 'M-204', pin: 'none' } },
    handle: ({ tx, clock, caller, params, body }) => resetPin(tx, clock, caller, params.number, body),
  }),
  route({
    method: 'get',
    path: '/members/:number/export',
    scope: 'members',
    summary: 'Everything that is held on a member, as one document; PIN hash excluded',
    params,
    answer: exportAnswer,
    refusals: ['route.unknown'],
    example: {
      answer: {
        format: 'tama-member/1',
        exportedAt: '2026-11-20T10:00:00.000Z',
        tables: { members: [{ number: 'M-204', language: 'wo' }] },
      },
    },
    handle: ({ tx, clock, caller, params }) => exportOf(tx, clock, caller, params.number),
  }),
  route({
    method: 'post',
    path: '/members/:number/erasure',
    scope: 'members',
    summary:
      'Erase her name, numbers, PIN and texts for ever; entries and balances stay. Repeating it is harmless',
    params,
    body: erasureSchema,
    answer: erasureAnswer,
    refusals: ['route.unknown'],
    example: {
      body: { dryRun: true },
      answer: { member: 'M-204', dryRun: true, rows: { names: 1, phones: 2, texts: 41 } },
    },
    handle: ({ tx, clock, caller, params, body, forgetDialogues }) =>
      erase({ tx, clock, forgetDialogues }, caller, params.number, body),
  }),
]
