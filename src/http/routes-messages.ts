// In: questions about what was or would be sent. Out: its routes. Must never show a message's text.
import { messageState, messageStates } from './api-reads.ts'
import {
  estimateAnswer,
  estimateSchema,
  messageAnswer,
  messagesAnswer,
  messagesQuery,
} from './api-schemas.ts'
import { estimateText } from './api-texts.ts'
import { type Route, route } from './route.ts'

const messageExample = {
  id: '01a203cf-3aa1-7c55-8d4e-6a1b2c3d4e5f',
  member: 'M-204',
  entry: 'R-2026-118',
  purpose: 'receipt',
  lane: 'urgent',
  status: 'delivered',
  reason: null,
  createdAt: '2026-11-02T10:00:01.000Z',
  events: [
    {
      from: 'sent',
      to: 'delivered',
      source: 'delivery_report',
      reason: null,
      at: '2026-11-02T10:00:09.000Z',
    },
  ],
}

export const messageRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/messages',
    scope: 'read',
    summary: 'States of messages, newest first: of all, to a member, or about an entry; never their texts',
    query: messagesQuery,
    answer: messagesAnswer,
    refusals: ['route.unknown'],
    example: { query: 'entry=R-2026-118', answer: { messages: [messageExample], next: null } },
    handle: ({ tx, caller, query }) => messageStates(tx, caller, query),
  }),
  route({
    method: 'get',
    path: '/messages/:id',
    scope: 'read',
    summary: 'State of a message, with every move; never its text',
    params: { id: 'Id of the message' },
    answer: messageAnswer,
    example: { answer: messageExample },
    handle: ({ tx, caller, params }) => messageState(tx, caller, params.id),
  }),
  route({
    method: 'post',
    path: '/texts/estimate',
    scope: 'read',
    reads: true,
    summary:
      'What an SMS would cost: its spelling, segments and price, and the letters that make it dearer. Sends nothing',
    body: estimateSchema,
    answer: estimateAnswer,
    example: {
      body: { text: 'Jërëjëf', language: 'wo' },
      answer: {
        text: 'Jërëjëf',
        encoding: 'ucs2',
        units: 7,
        segments: 1,
        costly: ['ë'],
        over: null,
        segmentsWithoutCostly: 1,
        cost: { amount: '15', currency: 'XOF' },
      },
    },
    handle: ({ tx, caller, body, texts }) => estimateText(tx, texts().i18n, caller, body),
  }),
]
