// Prometheus figures of one process. Labels are closed sets of words: never a number, a name, a programme's member or a text.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

export type Metrics = ReturnType<typeof createMetrics>

export function createMetrics() {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const registers = [registry]
  const seconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 3, 5, 8, 15]
  return {
    registry,
    hops: new Counter({
      name: 'tama_ussd_hops_total',
      help: 'USSD callbacks answered, by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    hopSeconds: new Histogram({
      name: 'tama_ussd_hop_seconds',
      help: 'Time to answer a USSD callback',
      labelNames: ['outcome'],
      buckets: seconds,
      registers,
    }),
    sessions: new Counter({
      name: 'tama_ussd_sessions_total',
      help: 'USSD dialogues, by how they began or ended',
      labelNames: ['event'],
      registers,
    }),
    lateAnswers: new Counter({
      name: 'tama_ussd_late_answers_total',
      help: 'Answers that missed their time: settled (an SMS where one is due), given_up after 30 minutes, dropped because too many waited',
      labelNames: ['outcome'],
      registers,
    }),
    transitions: new Counter({
      name: 'tama_message_transitions_total',
      help: 'Moves of messages to a status, by lane',
      labelNames: ['status', 'lane'],
      registers,
    }),
    suppressed: new Counter({
      name: 'tama_messages_suppressed_total',
      help: 'Messages that were not sent because somebody or something forbids it, by reason',
      labelNames: ['reason'],
      registers,
    }),
    reverify: new Counter({
      name: 'tama_phone_reverify_total',
      help: 'Bindings of a member to a phone put in doubt by this process, by reason',
      labelNames: ['reason'],
      registers,
    }),
    messages: new Gauge({
      name: 'tama_messages',
      help: 'Messages not yet final, by status and lane',
      labelNames: ['status', 'lane'],
      registers,
    }),
    oldestQueuedSeconds: new Gauge({
      name: 'tama_oldest_queued_age_seconds',
      help: 'Age of the oldest message that is due and not yet submitted, by lane',
      labelNames: ['lane'],
      registers,
    }),
    lanePaused: new Gauge({
      name: 'tama_lane_paused',
      help: '1 while this process rests a lane because the account cannot send',
      labelNames: ['lane'],
      registers,
    }),
    alarms: new Gauge({
      name: 'tama_alarms',
      help: 'Alarms that this process raises now, by code',
      labelNames: ['code'],
      registers,
    }),
    providerSeconds: new Histogram({
      name: 'tama_provider_call_seconds',
      help: 'Time of a provider call, by outcome',
      labelNames: ['provider', 'outcome'],
      buckets: seconds,
      registers,
    }),
    casesOverdue: new Gauge({
      name: 'tama_cases_overdue',
      help: 'Open cases whose promised day is over, of all programmes, as the planner last saw them',
      registers,
    }),
    verifications: new Counter({
      name: 'tama_receipt_verifications_total',
      help: 'Receipt codes that somebody dialled, by outcome: found, unknown, too_often',
      labelNames: ['outcome'],
      registers,
    }),
    ledgerEvents: new Counter({
      name: 'tama_ledger_events_total',
      help: 'Ledger events handled, by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    webhookDeliveries: new Counter({
      name: 'tama_webhook_deliveries_total',
      help: 'Calls to webhooks, by outcome: delivered, later, given_up',
      labelNames: ['outcome'],
      registers,
    }),
    reminders: new Counter({
      name: 'tama_reminders_planned_total',
      help: 'Reminders written, by kind',
      labelNames: ['kind'],
      registers,
    }),
    noticeMessages: new Counter({
      name: 'tama_notice_messages_planned_total',
      help: 'Messages of notices written',
      registers,
    }),
    inbound: new Counter({
      name: 'tama_inbound_sms_total',
      help: 'SMS received, by keyword',
      labelNames: ['keyword'],
      registers,
    }),
    deliveryReports: new Counter({
      name: 'tama_delivery_reports_total',
      help: 'Delivery reports, by outcome',
      labelNames: ['outcome'],
      registers,
    }),
    purged: new Counter({
      name: 'tama_retention_purged_total',
      help: 'Rows whose time to be kept was over, by kind',
      labelNames: ['kind'],
      registers,
    }),
    requests: new Counter({
      name: 'tama_http_requests_total',
      help: 'HTTP requests, by route and status',
      labelNames: ['route', 'status'],
      registers,
    }),
  }
}
