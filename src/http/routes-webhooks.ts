// In: which programs are told what happens. Out: its routes. A webhook is a way out for a programme's events: the scope is `programme`.
import {
  deliveriesAnswer,
  deliveriesOf,
  deliveriesQuery,
  enableOf,
  removedAnswer,
  removeOf,
  replayedAnswer,
  replayOf,
  replaySchema,
  revealSecret,
  rotateOf,
  webhookActSchema,
  webhookAnswer,
  webhookSchema,
  webhookSecretAnswer,
  webhooksAnswer,
  webhooksOf,
  webhooksQuery,
  writeWebhook,
} from './api-webhooks.ts'
import { type Route, route } from './route.ts'

const id = '01a203cf-5b77-7e20-9c1d-2f3a4b5c6d7e'
const params = { id: 'Id of the webhook' }
const webhookExample = {
  id,
  url: 'https://crm.example.org/tama',
  events: ['message.final' as const, 'case.opened' as const],
  createdAt: '2026-11-20T10:00:00.000Z',
  state: 'active' as const,
  failingSince: null,
  secretNumber: 1,
}
const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw7d2Y0b1c3e4='

export const webhookRoutes: readonly Route[] = [
  route({
    method: 'get',
    path: '/webhooks',
    scope: 'programme',
    summary: 'Addresses that are told what happens, oldest first, and whether they hear it',
    query: webhooksQuery,
    answer: webhooksAnswer,
    example: { answer: { webhooks: [webhookExample], next: null } },
    handle: (call) => webhooksOf(call, call.query),
  }),
  route({
    method: 'post',
    path: '/webhooks',
    scope: 'programme',
    summary:
      'Tell an address of events from now on; the answer holds the secret by which it knows us, this once',
    body: webhookSchema,
    answer: webhookSecretAnswer,
    example: {
      body: { url: webhookExample.url, events: webhookExample.events },
      answer: { ...webhookExample, secret },
    },
    handle: (call) => writeWebhook(call, call.body),
    reveal: revealSecret,
  }),
  route({
    method: 'post',
    path: '/webhooks/:id/rotate',
    scope: 'programme',
    summary: 'Make a new secret; for a day events bear a signature by the one before too',
    params,
    body: webhookActSchema,
    answer: webhookSecretAnswer,
    example: { body: {}, answer: { ...webhookExample, secretNumber: 2, secret } },
    handle: (call) => rotateOf(call, call.params.id),
    reveal: revealSecret,
  }),
  route({
    method: 'post',
    path: '/webhooks/:id/enable',
    scope: 'programme',
    summary: 'Tell a webhook that was disabled again what happens from now on',
    params,
    body: webhookActSchema,
    answer: webhookAnswer,
    example: { body: {}, answer: webhookExample },
    handle: (call) => enableOf(call, call.params.id),
  }),
  route({
    method: 'post',
    path: '/webhooks/:id/replay',
    scope: 'programme',
    summary:
      'Tell one delivery again, or all that happened since an instant of the last 30 days, by the same ids',
    params,
    body: replaySchema,
    answer: replayedAnswer,
    refusals: ['webhook.disabled'],
    example: {
      body: { since: '2026-11-20T00:00:00Z', until: '2026-11-21T00:00:00Z' },
      answer: { id, deliveries: 12 },
    },
    handle: (call) => replayOf(call, call.params.id, call.body),
  }),
  route({
    method: 'get',
    path: '/webhooks/:id/deliveries',
    scope: 'programme',
    summary: 'What a webhook was and is still to be told, the newest first, with the last answer',
    params,
    query: deliveriesQuery,
    answer: deliveriesAnswer,
    example: {
      query: 'state=given_up',
      answer: {
        deliveries: [
          {
            id: '01a203d1-0f42-7a51-b0aa-9f8e7d6c5b4a',
            event: 'message.final',
            state: 'given_up',
            createdAt: '2026-11-20T10:00:09.000Z',
            attempts: 11,
            nextAt: null,
            deliveredAt: null,
            lastStatus: 503,
            lastError: null,
            payload: {
              type: 'message.final',
              timestamp: '2026-11-20T10:00:09.000Z',
              data: {
                message: '01a203cf-3aa1-7c55-8d4e-6a1b2c3d4e5f',
                purpose: 'receipt',
                status: 'delivered',
                reason: null,
              },
            },
          },
        ],
        next: null,
      },
    },
    handle: (call) => deliveriesOf(call, call.params.id, call.query),
  }),
  route({
    method: 'delete',
    path: '/webhooks/:id',
    scope: 'programme',
    summary: 'Tell an address nothing more, not even what still waits',
    params,
    body: webhookActSchema,
    answer: removedAnswer,
    example: { body: {}, answer: { id, state: 'deleted' } },
    handle: (call) => removeOf(call, call.params.id),
  }),
]
