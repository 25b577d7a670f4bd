-- Words that code may store, and indexes over the few rows that are still at work. Prisma knows neither.
alter table members add constraint members_status_known check (status in ('active', 'suspended', 'left'));
alter table members add constraint members_role_known check (role in ('member', 'president', 'treasurer', 'educator'));
alter table members add constraint members_sms_form_known check (sms_form in ('discreet', 'full'));
alter table staff add constraint staff_role_known check (role in
  ('facilitator', 'adviser', 'social_worker', 'branch', 'administrator', 'auditor'));
alter table consents add constraint consents_purpose_known check (purpose in ('receipt', 'reminder', 'meeting', 'training'));
alter table meetings add constraint meetings_status_known check (status in ('planned', 'cancelled'));
alter table training_sessions add constraint training_sessions_status_known check (status in ('planned', 'cancelled'));
alter table phones add constraint phones_msisdn_e164 check (msisdn ~ '^\+[1-9][0-9]{6,14}$');
alter table programmes add constraint programmes_send_window check
  (send_from_minute >= 0 and send_from_minute < send_until_minute and send_until_minute <= 1440);
alter table messages add constraint messages_status_known check (status in
  ('created', 'queued', 'claimed', 'submitting', 'submitted', 'sent', 'delivered', 'suppressed', 'cancelled', 'expired',
   'failed', 'undelivered', 'rejected', 'unknown'));
alter table messages add constraint messages_lane_known check (lane in ('urgent', 'planned', 'bulk'));
alter table messages add constraint messages_purpose_known check (purpose in
  ('receipt', 'reminder', 'meeting', 'training', 'reply', 'code', 'notice'));
alter table messages add constraint messages_has_a_receiver check (member_id is not null or phone_id is not null);

create unique index member_phones_primary_key on member_phones (member_id) where is_primary;
-- The relay's work list: oldest due first within a lane.
create index messages_created_idx on messages (lane, not_before) where status = 'created';
-- A job finds its rows.
create index messages_batch_idx on messages (batch_id) where status in ('queued', 'claimed');
-- Rows that a lost queue or a dead process left behind, and the oldest queued age.
create index messages_open_idx on messages (updated_at) where status in ('queued', 'claimed', 'submitting');
-- Delivery reports find their message.
create index messages_provider_message_idx on messages (provider, provider_message_id) where provider_message_id is not null;
create index messages_unknown_idx on messages (phone_id) where status = 'unknown';
create index delivery_reports_unmatched_idx on delivery_reports (provider, provider_message_id) where matched_at is null;
